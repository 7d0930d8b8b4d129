/* interruption.h - is the caller, heard over the bot's voice, taking the floor?
 *
 * The voice has gone down already when the first sound came (telephony); this decides whether it
 * ends or rises again. Words decide: "stop", "wait" and the like at once, others in a voice that lasts;
 * "mhm" does not take the floor, nor does a sound in which a recogniser that keeps up hears no words. What
 * is shorter is judged when it is over, by its final words; a very short one by urgent words alone,
 * because a recogniser makes a word of a cough. Where none tells in time, a voice takes the floor by its
 * length.
 *
 * Threads: none. Pure: time is counted in frames of 20 ms.
 */
#ifndef PL_SPEECH_INTERRUPTION_H
#define PL_SPEECH_INTERRUPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "services/speech/backchannel.h"

enum {
    INTERRUPTION_GRACE_MS = 400, /* more voice than the configured one: an "okay" is shorter */
    INTERRUPTION_STEADY = 2,     /* looks in a row with words: the first words are often wrong */
    INTERRUPTION_LOOK_MS = 600,  /* a recogniser that has told nothing for longer is behind */
    INTERRUPTION_BRIEF_MS = 420, /* voice, hang-over included, of a single short word or a cough */
    INTERRUPTION_QUIET_MS = 200, /* after a backchannel: it was all they wanted to say */
};

typedef struct interruption interruption_t;
typedef enum { FLOOR_KEEP, FLOOR_YIELD, FLOOR_RISE } floor_verdict_t;

interruption_t *interruption_new(uint32_t cutoff_ms); /* never NULL */
void interruption_destroy(interruption_t **self_p);

/* The configured time; with the grace it is the voice that takes the floor, within twice as long. */
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
