/* duck.h - how loud the bot's voice is while the caller makes a sound over it.
 *
 * The voice goes down in the very frame in which a sound is noticed, long before anyone can know
 * whether it is an interruption. Speech decides that: it flushes the turn, or says that the voice
 * may rise. Undecided it rises by itself: soon after a click, later after something that may have
 * been a word, and in any case when nobody decides for seconds.
 *
 * Threads: none; pure. A call is one frame of 20 ms.
 */
#ifndef PL_TELEPHONY_DUCK_H
#define PL_TELEPHONY_DUCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/lane.h"

enum {
    DUCK_CLICK_MS = 60,       /* a shorter sound is no word: speech never hears of it */
    DUCK_AFTER_CLICK_MS = 80, /* without a sound, then the voice rises */
    DUCK_AFTER_WORD_MS = 700, /* the same after a longer sound: a decision may be on its way */
    DUCK_AT_MOST_MS = 3000,   /* down, and nobody has decided */
    DUCK_FALL_MS = 5,         /* from full to low */
    DUCK_RISE_MS = 120,       /* from low to full */
    DUCK_REARM_MS = 300,      /* without a sound, after it was decided that the sound is nothing */
};

/* Zero is a voice at its full loudness. */
typedef struct {
    bool down, ignore;
    uint32_t sound_ms; /* of this sound, while down */
    uint32_t quiet_ms; /* since the last sound */
    uint32_t down_ms;
    uint32_t lowered; /* of the way to low, in samples of a rise */
} duck_t;

/* A frame of the caller: is it a sound? over_us: over a sentence that may be interrupted. */
void duck_heard(duck_t *self, bool sound, bool over_us);
/* Decided: the sound was no interruption. It goes unnoticed until there was none for a while. */
void duck_rise(duck_t *self);
/* The next frame of the voice, changed in place. */
void duck_apply(duck_t *self, int16_t pcm[PL_FRAME_SAMPLES]);

#endif
