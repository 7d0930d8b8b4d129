/* write.h - one write to the store, and the rules of what it does to a call's record.
 *
 * The rules are pure and the same for every provider: a provider finds the stored record and the
 * write's earlier trace, asks write_decide, and stores what it made.
 *
 * - create: idempotent by call id; the same content again is acknowledged, other content INVALID.
 * - apply: only with the epoch that owns the call; write_id makes a repetition harmless within an
 *   epoch, and the same write_id with other content is INVALID rather than lost in silence.
 * - adopt: compare-and-set of the epoch; asked again by the same owner it succeeds again.
 *
 * Threads: a write belongs to one thread at a time, handed over by message.
 */
#ifndef PERSISTENCE_WRITE_H
#define PERSISTENCE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "envelope.pb-c.h"

enum {
    CALL_ID_BYTES = 37,                 /* a UUID's text and NUL */
    STORE_DETAIL_BYTES = 256,           /* a sentence for people */
    RECORD_BYTES_MAX = 2 * 1024 * 1024, /* packed; half of what the bus carries in a message */
};

typedef enum { WRITE_CREATE, WRITE_APPLY, WRITE_ADOPT } write_kind_t; /* numbers are stored */

typedef struct {
    /* the request */
    write_kind_t kind;
    char call_id[CALL_ID_BYTES];
    uint32_t epoch;
    uint64_t write_id; /* of WRITE_APPLY, else 0 */
    int64_t at_ms;     /* wall clock, for the history */
    uint8_t *content;  /* packed CallRecord, StoreApply or StoreAdopt; what the history keeps */
    size_t content_bytes;
    ProtobufCMessage *body; /* the same, unpacked */
    void *context;          /* the caller's */

    /* the outcome */
    pl_err_t err;
    uint64_t version;       /* of the record after this write */
    bool repeated;          /* had been done before: nothing stored now */
    Pl__CallRecord *record; /* of WRITE_ADOPT when it succeeded; owned */
    char detail[STORE_DETAIL_BYTES];
} write_t;

/* Copies what the envelope (StoreCreate, StoreApply or StoreAdopt) asks for, after checking all
 * that can be checked without the store. PL_INVALID: detail says which field. */
pl_err_t write_new(write_t **out, const Pl__Envelope *env, int64_t now_ms,
                   char detail[STORE_DETAIL_BYTES]);
void write_destroy(write_t **self_p);

/* Forgets an outcome, so that the write can be tried again. */
void write_reset(write_t *self);

/* What the store knows of this very write: content is NULL when nothing. */
typedef struct {
    const uint8_t *content;
    size_t content_bytes;
    uint64_t version;
} write_trace_t;

/* Applies the write to *record_p (NULL: no such call; a create makes it), which is the caller's. Sets err, detail, version, repeated and record, and returns err. Only when it is PL_OK
 * and not repeated the record has changed and is to be stored. */
pl_err_t write_decide(write_t *self, Pl__CallRecord **record_p, const write_trace_t *trace);

/* Ends a write with an error. Returns err. */
pl_err_t write_fail(write_t *self, pl_err_t err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
