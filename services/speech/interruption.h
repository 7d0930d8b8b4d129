/* interruption.h - is the caller, heard over the bot's voice, taking the floor?
 *
 * The voice has gone down already when the first sound came (telephony); this decides whether it
 * ends or rises again. Words decide: real ones take the floor, "mhm" does not, nor does a sound in
 * which a recogniser that keeps up hears none. Where no recogniser tells in time, a voice
 * takes the floor by its length alone.
 *
 * Threads: none. Pure: time is counted in frames of 20 ms.
 */
#ifndef PL_SPEECH_INTERRUPTION_H
#define PL_SPEECH_INTERRUPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "services/speech/backchannel.h"

enum {
    INTERRUPTION_GRACE_MS = 350, /* more voice than with words, when no words are known */
    INTERRUPTION_LOOK_MS = 600,  /* a recogniser that has told nothing for longer is behind */
    INTERRUPTION_QUIET_MS = 200, /* after a backchannel: it was all they wanted to say */
};

typedef struct interruption interruption_t;
typedef enum { FLOOR_KEEP, FLOOR_YIELD, FLOOR_RISE } floor_verdict_t;

interruption_t *interruption_new(uint32_t cutoff_ms); /* never NULL */
void interruption_destroy(interruption_t **self_p);

/* Voice that takes the floor when there are words in it, within twice that time. */
void interruption_set(interruption_t *self, uint32_t cutoff_ms);

/* A turn has become audible: what the caller said until now cannot have been meant to interrupt
 * it. said: words of the utterance under way, 0 when there is none. */
void interruption_turn(interruption_t *self, size_t said);
void interruption_utterance(interruption_t *self); /* another one begins */

/* A frame of the caller. open: a sentence that may be interrupted is audible. */
floor_verdict_t interruption_frame(interruption_t *self, bool voice, bool open);
/* The words so far, "" when there are none, of the utterance under way. */
floor_verdict_t interruption_words(interruption_t *self, const char *text, const char *lang,
                                   Pl__Expect expect, bool open);
/* Its final words, "" also when it was a noise. */
floor_verdict_t interruption_end(interruption_t *self, const char *text, const char *lang,
                                 Pl__Expect expect, bool open);

#endif
