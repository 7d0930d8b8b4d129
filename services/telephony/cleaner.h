/* cleaner.h - what a leg heard, without the echo of what it played and the noise around the caller.
 *
 * An adaptive filter of 80 ms (SpeexDSP) takes away the echo. It is laid where echo_delay finds it;
 * while nothing is found it begins with the first sample an echo can hold. What the filter leaves is
 * pushed down band by band together with the noise, more where only the bot speaks than where both
 * do. Where there is neither, the caller is left as they are. Every state belongs to one leg; a new one begins with silence.
 *
 * The output is 10 ms late where noise or what is left of an echo is suppressed.
 *
 * Threads: none; pure. Time is the frames of 20 ms. Levels are dB of full scale.
 * Why so: docs/decisions/0020-echo-and-noise.md.
 */
#ifndef PL_TELEPHONY_CLEANER_H
#define PL_TELEPHONY_CLEANER_H

#include <stdbool.h>
#include <stdint.h>

#include "services/telephony/codec.h"

#define CLEANER_SILENCE_DB (-96.0f)

typedef struct cleaner cleaner_t;

typedef struct {
    bool echo, noise, gain;
} cleaner_opts_t;

/* hz: of the leg's codec, 8000 or 16000. NULL when nothing is to be done. */
cleaner_t *cleaner_new(unsigned hz, const cleaner_opts_t *opts);
void cleaner_destroy(cleaner_t **self_p);

/* Cleans 20 ms at 16 kHz in place; missing: nothing arrived, pcm is not touched. At 8000 the frame
 * has come from that rate: nothing in it lies above 4 kHz. Returns the level up to which what is
 * left may be the bot's own voice: CLEANER_SILENCE_DB when that is silent. */
float cleaner_heard(cleaner_t *self, int16_t pcm[CODEC_FRAME_SAMPLES], bool missing);
/* What was played in the same tick, after cleaner_heard: hz / 50 samples. NULL: silence. */
void cleaner_played(cleaner_t *self, const int16_t *pcm);
/* Ticks were left out: what is heard next is so much later. */
void cleaner_skip(cleaner_t *self, uint32_t ticks);

typedef struct {
    bool heard_echo;   /* one was found and cancelled; else the levels are 0 */
    uint32_t delay_ms; /* of the echo's strongest part */
    float return_db;   /* echo return loss: how much softer the echo came than the voice went */
    float enhance_db;  /* by how much the cleaner made it softer still */
} cleaner_stats_t;
void cleaner_stats(const cleaner_t *self, cleaner_stats_t *out);

#endif
