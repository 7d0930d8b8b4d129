/* playout.h - what a leg plays: the frames of turns in order, one every 20 ms, and what was heard.
 *
 * Turns rise. A turn begins with its first frame and ends with the one marked last, or by a flush,
 * which drops everything of that turn and before, also what comes later. What happened is told in
 * reports, to be taken after every call.
 *
 * Threads: none; pure. Time is the ticks. Memory is bounded: 10 s of frames, more are dropped.
 */
#ifndef PL_TELEPHONY_PLAYOUT_H
#define PL_TELEPHONY_PLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/lane.h"

typedef struct playout playout_t;

playout_t *playout_new(uint32_t credit_ms); /* never NULL */
void playout_destroy(playout_t **self_p);

/* Queues a frame of a turn: bytes of 16 bit little-endian samples, at most 640. PL_STALE: its turn
 * was flushed, has ended, or a later one has begun. PL_INVALID: no whole samples, too long, or a
 * frame that came before. PL_BUSY: 10 s are queued. firm: see playout_firm. */
pl_err_t playout_put(playout_t *self, uint32_t turn, uint32_t seq, const uint8_t *pcm, size_t bytes,
                     bool firm, bool last);

/* The next 20 ms. False: silence, pcm is zeros. */
bool playout_tick(playout_t *self, int16_t pcm[PL_FRAME_SAMPLES]);

bool playout_playing(const playout_t *self);  /* inside a turn */
uint32_t playout_turn(const playout_t *self); /* that one, or the last; 0: none yet */
bool playout_firm(const playout_t *self);     /* in a sentence that may not be interrupted */

/* Drops everything of the turn and before, queued or still to come. */
void playout_flush(playout_t *self, uint32_t turn);
void playout_flush_all(playout_t *self); /* the newest turn and all before */
/* No more frames will come: what is queued is played and the turn ends with it. */
void playout_end(playout_t *self);
/* A new stream begins: nothing is queued, nothing is flushed, turns are counted anew. The caller
 * is told the credit by a report of turn 0. */
void playout_reset(playout_t *self);

typedef struct {
    uint32_t turn, heard_ms;
    bool started, finished, flushed;
    uint32_t credit_ms;
} playout_report_t;

/* Takes the oldest report; false: there is none. At most 16 wait, of which progress goes first. */
bool playout_report(playout_t *self, playout_report_t *out);
/* Puts back the one just taken: it could not be sent. */
void playout_report_back(playout_t *self, const playout_report_t *report);

typedef struct {
    uint32_t underruns;                /* ticks inside a turn with nothing to play */
    uint32_t stale, invalid, overflow; /* frames dropped */
    uint32_t queued_ms;
} playout_stats_t;
void playout_stats(const playout_t *self, playout_stats_t *out);

#endif
