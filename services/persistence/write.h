/* write.h - one write to the store, and the rules of what it does to a call's record and to jobs.
 *
 * The rules are pure and the same for every provider: a provider finds what the write is about (the
 * call's record, the write's earlier trace, the jobs of its keys), asks write_decide, and stores
 * what that made, all in one transaction.
 *
 * - create: idempotent by call id; the same content again is acknowledged, other content INVALID.
 * - apply: only with the epoch that owns the call; write_id makes a repetition harmless within an
 *   epoch, and the same write_id with other content is INVALID rather than lost in silence.
 * - adopt: compare-and-set of the epoch; asked again by the same owner it succeeds again.
 * - jobs are put with an apply, with a job's outcome, or alone; what is done to one is in job.h.
 * - a job's outcome (done, fail) changes its call by the job's lease, whatever the call's epoch.
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
#include "services/persistence/job.h"

enum {
    CALL_ID_BYTES = 37,                 /* a UUID's text and NUL */
    STORE_DETAIL_BYTES = 256,           /* a sentence for people */
    RECORD_BYTES_MAX = 2 * 1024 * 1024, /* packed; half of what the bus carries in a message */
};

typedef enum { /* the numbers of those that change a call are stored */
               WRITE_CREATE,
               WRITE_APPLY,
               WRITE_ADOPT,
               WRITE_JOB_DONE,
               WRITE_JOB_FAIL,
               WRITE_JOB_PUT,
               WRITE_JOB_TAKE,
               WRITE_JOB_RENEW,
               WRITE_JOB_RETRY,
               WRITE_JOB_SWEEP, /* forgets jobs that were over long ago; nobody asks for it */
} write_kind_t;

typedef enum {
    JOB_NOTE_READY, /* may be taken now and could not before */
    JOB_NOTE_TAKEN,
    JOB_NOTE_DONE,
    JOB_NOTE_FAILED, /* an attempt of it */
    JOB_NOTE_DEAD,
    JOB_NOTES
} job_note_kind_t;

typedef struct {
    job_note_kind_t note;
    char kind[JOB_KIND_BYTES_MAX + 1]; /* of the job */
} job_note_t;

typedef struct {
    /* the request */
    write_kind_t kind;
    char call_id[CALL_ID_BYTES]; /* "": it is about no call */
    uint32_t epoch;
    uint64_t write_id; /* of WRITE_APPLY; the lease of a job's outcome; else 0 */
    int64_t at_ms;     /* wall clock, for the history */
    uint8_t *content;  /* packed CallRecord, StoreApply, ...; what the history keeps */
    size_t content_bytes;
    ProtobufCMessage *body;                 /* the same, unpacked; NULL for a sweep */
    int64_t done_before_ms, dead_before_ms; /* of a sweep: what changed earlier is forgotten */
    void *context;                          /* the caller's */

    /* the outcome */
    pl_err_t err;
    uint64_t version;       /* of the record after this write */
    bool repeated;          /* had been done before: nothing stored now */
    Pl__CallRecord *record; /* of WRITE_ADOPT when it succeeded; owned */
    Pl__JobTaken *taken;    /* of WRITE_JOB_TAKE when it succeeded; owned */
    job_note_t *notes;      /* what became of jobs, for metrics and to wake workers; owned */
    size_t n_notes;
    char detail[STORE_DETAIL_BYTES];
} write_t;

/* Copies what the envelope (StoreCreate, StoreApply, StoreAdopt, JobPut, JobTake, JobRenew, JobDone,
 * JobFail or JobRetry) asks for, after checking all that can be checked without the store.
 * PL_INVALID: detail says which field. */
pl_err_t write_new(write_t **out, const Pl__Envelope *env, int64_t now_ms,
                   char detail[STORE_DETAIL_BYTES]);
write_t *write_new_sweep(int64_t done_before_ms, int64_t dead_before_ms);
void write_destroy(write_t **self_p);

/* Forgets an outcome, so that the write can be tried again. */
void write_reset(write_t *self);

/* ---- what a provider has to look up ---- */

/* Is a call's record read or made? Then call_id says which. */
bool write_wants_call(const write_t *self);
/* The keys of the jobs it is about. */
size_t write_job_count(const write_t *self);
const char *write_job_key(const write_t *self, size_t i);
/* Not NULL: the jobs are not named by keys; they are those of these kinds that are due at at_ms, at
 * most limit, in order of job_due_ms. */
const Pl__JobTake *write_take(const write_t *self);

/* What the store knows of this very write: content is NULL when nothing. */
typedef struct {
    const uint8_t *content;
    size_t content_bytes;
    uint64_t version;
} write_trace_t;

typedef struct {
    Pl__Job *job; /* NULL: none of that key */
    bool changed; /* out: to be stored */
} write_job_t;

/* All of it is the provider's; what is in it is replaced, not kept. */
typedef struct {
    Pl__CallRecord *record; /* NULL: no such call; a create makes it */
    write_trace_t trace;    /* of a create or apply */
    write_job_t *jobs;      /* by write_job_key, or those to be taken */
    size_t n_jobs;
    bool call_changed; /* out: record is to be stored, and the write goes into the call's history */
    bool reminders_changed; /* out: so is what is known of the call's reminders */
} write_scene_t;

/* Sets err, detail, version, repeated, record, taken, and in the scene what is to be stored, which
 * is nothing unless it returns PL_OK. Returns err. Of a take next_ms is left to the provider. */
pl_err_t write_decide(write_t *self, write_scene_t *scene);

/* For the provider: until the next job of a take's kinds is due at due_ms (INT64_MAX: none). */
void write_set_next(write_t *self, int64_t due_ms);

/* Ends a write with an error. Returns err. */
pl_err_t write_fail(write_t *self, pl_err_t err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
