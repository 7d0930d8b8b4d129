#include "services/telephony/pitch.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
    DECIMATION = 4,
    FRESH = CODEC_FRAME_SAMPLES / DECIMATION,
    LAG_LEAST = 8, /* 500 Hz */
    LAG_MOST = 64, /* 62 Hz */
    SPAN = PITCH_WINDOW - LAG_MOST,
    SUMS = 4,
};
static const float pole = 0.55f; /* three of them: what folds back is 20 dB down */

/* Low-passed, a quarter of the samples. */
static void take_in(pitch_t *self, const int16_t *pcm)
{
    memmove(self->past, self->past + FRESH, (PITCH_WINDOW - FRESH) * sizeof *self->past);
    float *to = self->past + PITCH_WINDOW - FRESH;
    for (int i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        self->low[0] += (1 - pole) * ((float)pcm[i] - self->low[0]);
        self->low[1] += (1 - pole) * (self->low[0] - self->low[1]);
        self->low[2] += (1 - pole) * (self->low[1] - self->low[2]);
        if (i % DECIMATION == DECIMATION - 1) to[i / DECIMATION] = self->low[2];
    }
}

/* Four sums side by side, which the compiler makes one instruction of. */
static float product(const float *a, const float *b)
{
    float sum[SUMS] = {0};
    for (int i = 0; i < SPAN; i += SUMS) {
        for (int k = 0; k < SUMS; k++) sum[k] += a[i + k] * b[i + k];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

float pitch_frame(pitch_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES], bool look)
{
    take_in(self, pcm);
    if (!look) return 0;
    float x[PITCH_WINDOW];
    float mean = 0;
    for (int i = 0; i < PITCH_WINDOW; i++) mean += self->past[i] / PITCH_WINDOW;
    for (int i = 0; i < PITCH_WINDOW; i++) x[i] = self->past[i] - mean;
    const float *now = x + LAG_MOST;
    float energy = product(now, now);
    if (energy < SPAN) return 0; /* digital silence */
    float best = 0;              /* squared */
    const float *then = now - LAG_LEAST;
    float then_energy = product(then, then);
    for (int lag = LAG_LEAST; lag <= LAG_MOST; lag++, then--) {
        float r = product(now, then);
        if (r > 0) best = fmaxf(best, r * r / (energy * then_energy + 1));
        /* The window of the next lag begins a sample earlier, and ends one earlier. */
        if (lag < LAG_MOST) then_energy += then[-1] * then[-1] - then[SPAN - 1] * then[SPAN - 1];
        if (then_energy < 0) then_energy = 0; /* by rounding */
    }
    return sqrtf(best);
}
