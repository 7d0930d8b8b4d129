/* recorder.h - recordings of calls, written by a thread of their own.
 *
 * A media thread hands over a frame of each side every 20 ms; half a second of them goes to the
 * writer at a time. Nothing here blocks a call: what a slow disk does not take is dropped, counted and
 * silent in the file, so that both sides stay aligned; what cannot be written at all is counted,
 * logged once and told in the statistics. The writer also deletes recordings that are old enough.
 *
 * Threads: new and destroy on the control thread; a recording belongs to its media thread; reading
 * may be asked for on the control thread, which gets the answer.
 */
#ifndef PL_TELEPHONY_RECORDER_H
#define PL_TELEPHONY_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "services/telephony/codec.h"

typedef struct recorder recorder_t;

typedef struct {
    const char *folder;      /* made when absent */
    uint32_t retention_days; /* 0: kept for ever */
    uint32_t free_mb;        /* no recording goes on while less than this is free on the disk */
} recorder_opts_t;

recorder_t *recorder_new(const recorder_opts_t *opts); /* never NULL */
/* Waits until what was handed over is written. */
void recorder_destroy(recorder_t **self_p);

/* Where it writes: a test may hold it up there. */
pl_loop_t *recorder_writer_loop(recorder_t *self);

/* ---- one leg's ---- */

typedef struct recording recording_t;

recording_t *recording_open(recorder_t *recorder, const char *call_id); /* never NULL */
/* 20 ms of the caller and of the bot; NULL is silence. */
void recording_frame(recording_t *self, const int16_t *caller, const int16_t *bot);
void recording_skip(recording_t *self, uint32_t ticks); /* silence on both sides */

enum { RECORDING_FAILURE_BYTES = 64 };
typedef struct {
    bool any;        /* there is, or should have been, a recording */
    unsigned number; /* of the call's files, 1 for the first; 0: none could be made */
    int64_t started_at_ms;
    uint32_t duration_ms;
    uint32_t lost_ms;                      /* of it, not written */
    char failure[RECORDING_FAILURE_BYTES]; /* "": none */
} recording_stats_t;

void recording_stats(const recording_t *self, recording_stats_t *out);
unsigned recording_waiting(const recording_t *self); /* pieces on their way to the disk */
void recording_close(recording_t **self_p);          /* NULL is fine */

/* ---- reading ---- */

enum { RECORDER_READ_MAX = 1 << 20 };

/* bytes are borrowed. PL_NOT_FOUND: no such file; total is the whole file's size. */
typedef void recorder_read_fn(void *arg, pl_err_t err, const uint8_t *bytes, size_t size,
                              uint64_t total);

/* A part of a call's recording; ends in done on the home loop, which is the caller's. */
void recorder_read(recorder_t *self, pl_loop_t *home, const char *call_id, unsigned number,
                   uint64_t offset, size_t length, recorder_read_fn *done, void *arg);

#endif
