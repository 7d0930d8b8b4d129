/* speaking.h - the turns to be spoken: sentences in, synthesised audio in, paced frames out, and
 * what of them was heard.
 *
 * Turns are spoken in order of their numbers, one after the other; a turn's sentences in order of
 * their index. Sentences are asked for synthesis ahead of play, one at a time; frames leave within
 * the credit the lane granted, counted over all turns. What was heard is told by the lane, in ms of
 * a turn's audio, and turned into words here.
 *
 * Threads: none. Pure: time is an argument (_us, monotonic), effects go through the sink.
 * Ownership: everything is copied.
 */
#ifndef PL_SPEECH_SPEAKING_H
#define PL_SPEECH_SPEAKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "media.pb-c.h"
#include "services/speech/clip.h"
#include "speech.pb-c.h"

enum {
    SPEAKING_CREDIT_MS = 400, /* until the lane grants another */
    SPEAKING_PAUSE_MS = 200,  /* between sentences */
    SPEAKING_AHEAD_MS = 8000, /* no further sentence is synthesised when so much waits */
    SPEAKING_FLUSH_MS = 500,  /* a flush not answered by then counts as done */
    SPEAKING_TURNS_MAX = 8,
    SPEAKING_SENTENCES_MAX = 100, /* of a turn */
    SPEAKING_TEXT_MAX = 4000,     /* bytes of a sentence */
};

typedef struct speaking speaking_t;

typedef struct {
    /* Synthesise this; speaking_audio and speaking_synthesised follow, unless it fails. Borrowed. */
    pl_err_t (*synthesise)(void *arg, const Pl__Say *sentence);
    void (*cancel)(void *arg); /* the synthesis under way: nothing more of it may follow */
    /* PL_BUSY: try again later. Borrowed. */
    pl_err_t (*frame)(void *arg, Pl__LaneSayOut *frame);
    void (*flush)(void *arg, uint32_t turn);
    void (*started)(void *arg, uint32_t turn, uint32_t synthesis_ms);
    void (*spoken)(void *arg, const Pl__TurnSpoken *spoken);
    void *arg;
} speaking_sink_t;

speaking_t *speaking_new(const speaking_sink_t *sink); /* never NULL; sink is copied */
void speaking_destroy(speaking_t **self_p);            /* calls nothing */

/* PL_STALE: the turn was flushed, ended, or a newer one is queued, or the sentence came already;
 * PL_INVALID: too long, too many; PL_BUSY: too many turns. */
pl_err_t speaking_say(speaking_t *self, uint64_t now_us, const Pl__Say *say);

/* Audio of the sentence asked for last. */
void speaking_audio(speaking_t *self, clip_t *clip); /* held until it is sent */
/* Of that sentence the first bytes of its text are said after so many samples: an end of a word. */
void speaking_said(speaking_t *self, size_t bytes, size_t samples);
void speaking_synthesised(speaking_t *self); /* also when it failed */

/* PL_STALE: about no turn that is being spoken; its credit counts all the same. */
pl_err_t speaking_played(speaking_t *self, uint64_t now_us, const Pl__LanePlayed *played);

/* Says no more of turn and before. Each such turn ends in spoken, interrupted: at once when nothing
 * of it was sent, else when the lane has told what was heard. PL_STALE: there was no such turn. */
pl_err_t speaking_stop(speaking_t *self, uint64_t now_us, uint32_t turn);

/* The leg is gone: every turn ends here, interrupted, with what the lane has told was heard. */
void speaking_end(speaking_t *self);

/* Sends what the lane has room for; ends flushes nobody answers. Call at least every 100 ms. */
void speaking_tick(speaking_t *self, uint64_t now_us);

/* The turn that is audible now; 0 when none is. Turns are numbered from 1. */
uint32_t speaking_audible(const speaking_t *self);
/* Whether the sentence audible now may be interrupted. */
bool speaking_interruptible(const speaking_t *self);

#endif
