#include "services/telephony/comfort.h"

#include <math.h>
#include <stddef.h>

/* One pole at about 1 kHz: hiss is more noticeable than a hush. */
static const float pole = 0.67f;

void comfort_init(comfort_t *self, int level_db, uint32_t seed)
{
    *self = (comfort_t){.random = seed | 1};
    if (level_db >= 0) return;
    /* Uniform noise has a third of its peak's square; the pole leaves (1 - p) / (1 + p) of it. */
    float gain = sqrtf(3 * (1 + pole) / (1 - pole));
    self->amplitude = 32768 * powf(10, (float)level_db / 20) * gain;
}

void comfort_add(comfort_t *self, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    if (self->amplitude <= 0) return;
    float scale = self->amplitude * (1 - pole) / 2147483648.0f;
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        self->random = self->random * 1664525u + 1013904223u;
        self->last = pole * self->last + (float)(int32_t)self->random * scale;
        int sum = pcm[i] + (int)lrintf(self->last);
        pcm[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
    }
}
