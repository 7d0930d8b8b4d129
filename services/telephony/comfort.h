/* comfort.h - the faint noise a leg sends while nothing is said, so that the line does not seem dead.
 *
 * Low-passed white noise at a fixed level; not a copy of any caller's.
 *
 * Threads: none; pure.
 */
#ifndef PL_TELEPHONY_COMFORT_H
#define PL_TELEPHONY_COMFORT_H

#include <stdint.h>

#include "services/telephony/codec.h"

typedef struct {
    float amplitude; /* 0: silence */
    float last;
    uint32_t random;
} comfort_t;

/* level_db of full scale (RMS); 0: none. seed: legs should not hum in step. */
void comfort_init(comfort_t *self, int level_db, uint32_t seed);
/* Adds 20 ms of it. */
void comfort_add(comfort_t *self, int16_t pcm[CODEC_FRAME_SAMPLES]);

#endif
