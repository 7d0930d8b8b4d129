/* turns.h - who spoke when in a call, and how long each waited for the other.
 *
 * Fed with both directions frame by frame on one clock; voice is found in the audio itself. A
 * bot's turn has a latency: from the end of the caller's voice to the start of the bot's, when the
 * caller spoke last and the bot was quiet until then. A caller's turn that begins while the bot
 * speaks is an interruption; stop_ms is how long the bot's voice went on.
 *
 * Threads: none, pure.
 */
#ifndef CALLSIM_TURNS_H
#define CALLSIM_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/callsim/ear.h"

enum { TURNS_FRAME_SAMPLES = 320, TURNS_FRAME_MS = 20, TURNS_NONE = -1 };

typedef struct {
    bool caller;
    bool open; /* its voice goes on */
    uint32_t start_ms, end_ms;
    char *text;         /* said, or heard; NULL: unknown */
    int step;           /* of the caller's scenario; TURNS_NONE: none */
    int32_t latency_ms; /* of the bot; TURNS_NONE: there was none */
    bool interrupts;    /* the caller began while the bot spoke */
    bool interrupted;   /* of the bot: the caller took the floor */
    int32_t stop_ms;    /* of an interruption; TURNS_NONE: the bot did not stop */
} turn_t;

typedef struct turns turns_t;

turns_t *turns_new(uint32_t quiet_ms);
void turns_destroy(turns_t **self_p);

typedef struct {
    bool bot_started, bot_ended; /* in this frame: noticed, not happened */
} turns_event_t;

/* 20 ms of both directions. */
turns_event_t turns_frame(turns_t *self, const int16_t caller[TURNS_FRAME_SAMPLES],
                          const int16_t bot[TURNS_FRAME_SAMPLES]);
/* Closes what is still open. */
void turns_finish(turns_t *self);

/* The words of the bot's last turn that has none; copied. */
void turns_heard(turns_t *self, const char *text);
/* The caller is about to say this: the words of its next turn. */
void turns_say(turns_t *self, int step, const char *text);

bool turns_bot_speaks(const turns_t *self);
uint32_t turns_now_ms(const turns_t *self);
size_t turns_count(const turns_t *self);
const turn_t *turns_at(const turns_t *self, size_t i); /* in order of their beginning */

typedef struct {
    uint32_t count; /* turns with a latency */
    uint32_t least, p50, p95, p99, most;
} latency_t;

/* Percentiles of values of any unit, which are sorted in place (nearest rank). */
latency_t latency_of(uint32_t *values, size_t count);
/* In ms. */
latency_t turns_latency(const turns_t *self);

#endif
