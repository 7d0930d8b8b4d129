/* pitch.h - how periodic a leg's sound is: a human voice is, wind, traffic and a hiss are not.
 *
 * The normalised autocorrelation of the last 40 ms below 2 kHz, at the best period from 2 to 16 ms.
 * Threads: none; pure. A call is a frame of 20 ms at 16 kHz.
 */
#ifndef PL_TELEPHONY_PITCH_H
#define PL_TELEPHONY_PITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "services/telephony/codec.h"

enum { PITCH_WINDOW = 160 /* samples at 4 kHz: 40 ms */ };

typedef struct {
    float past[PITCH_WINDOW]; /* at 4 kHz, the oldest first */
    float low[3];             /* of the low-pass */
} pitch_t;

/* Takes the frame in; with look, tells its strength: 0, none at all, to 1; else 0. */
float pitch_frame(pitch_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES], bool look);

#endif
