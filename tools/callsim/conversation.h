/* conversation.h - one call's talk: the person, its voice, its ear, and the recording of both.
 *
 * Works on one clock of 20 ms ticks that starts when the call is up: each tick takes a frame of the
 * bot's and gives one of the caller's.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_CONVERSATION_H
#define CALLSIM_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/callsim/listener.h"
#include "tools/callsim/person.h"
#include "tools/callsim/turns.h"
#include "tools/callsim/voices.h"

typedef struct conversation conversation_t;

typedef struct {
    void (*dtmf)(void *arg, const char *keys); /* press them */
    void (*hang_up)(void *arg);                /* the person hangs up; once */
    /* For a live view: a line the caller says, or the bot's words. May be NULL. */
    void (*line)(void *arg, bool caller, const char *text);
    void *arg;
} conversation_sink_t;

typedef struct {
    const scenario_t *scenario; /* borrowed */
    uint32_t n;                 /* the caller's number in a load */
    pl_loop_t *loop;
    bool recognise;
    const char *recording; /* WAV file; NULL: none */
} conversation_opts_t;

/* PL_UNAVAILABLE: the recording cannot be made. Nothing comes through the sink before
 * conversation_tick. */
pl_err_t conversation_new(conversation_t **out, const conversation_opts_t *opts,
                          const conversation_sink_t *sink);
void conversation_destroy(conversation_t **self_p);

/* Makes its lines and its ear ready; ready is called once. */
typedef void conversation_ready_fn(void *arg, pl_err_t err);
void conversation_prepare(conversation_t *self, voices_t *voices, conversation_ready_fn *ready,
                          void *arg);

/* What the caller's microphone has in this tick; false: silence (out is zeros). */
bool conversation_next(conversation_t *self, int16_t out[TURNS_FRAME_SAMPLES]);
/* What the caller's earpiece plays in this tick. */
void conversation_heard(conversation_t *self, const int16_t bot[TURNS_FRAME_SAMPLES]);
/* The tick is over: looks at both frames, records them, and acts. */
void conversation_tick(conversation_t *self);

/* The call is over: turns are closed. True: the bot's last words are still being understood, and
 * come with the sink's line. */
bool conversation_over(conversation_t *self);
/* Closes ear and recording; nothing comes after it. */
void conversation_end(conversation_t *self);

const person_t *conversation_person(const conversation_t *self);
const turns_t *conversation_turns(const conversation_t *self);

#endif
