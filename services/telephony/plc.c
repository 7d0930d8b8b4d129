#include "services/telephony/plc.h"

#include <string.h>

enum {
    MATCH = 320,           /* samples compared when looking for the period: 20 ms */
    FULL = 160,            /* repeated at full level for 10 ms */
    FADE = 960,            /* and then faded out over 60 ms */
    BLEND = 64,            /* 4 ms from the repeated to the real signal */
    FAINT = 8 * MATCH / 2, /* sum of squares of nothing but rounding noise */
};

void plc_init(plc_t *self)
{
    *self = (plc_t){.missing = FULL + FADE};
}

static void remember(plc_t *self, const int16_t *pcm, size_t samples)
{
    if (samples >= PLC_HISTORY) {
        memcpy(self->history, pcm + samples - PLC_HISTORY, sizeof self->history);
        return;
    }
    size_t keep = PLC_HISTORY - samples;
    memmove(self->history, self->history + samples, keep * sizeof *pcm);
    memcpy(self->history + keep, pcm, samples * sizeof *pcm);
}

/* Normalised cross-correlation of the last 20 ms with what was lag samples before, every second
 * sample: enough for speech, and a quarter of the work. */
static float match(const int16_t *newest, size_t lag)
{
    float product = 0;
    float energy = 0;
    for (size_t i = 0; i < MATCH; i += 2) {
        float a = newest[i];
        float b = newest[(ptrdiff_t)i - (ptrdiff_t)lag];
        product += a * b;
        energy += b * b;
    }
    if (product <= 0 || energy < FAINT) return 0;
    return product * product / energy;
}

size_t plc_period(const plc_t *self)
{
    const int16_t *newest = self->history + PLC_HISTORY - MATCH;
    size_t best = PLC_PERIOD_MAX;
    float best_match = 0;
    for (size_t lag = PLC_PERIOD_MIN; lag <= PLC_PERIOD_MAX; lag += 2) {
        float m = match(newest, lag);
        if (m > best_match) {
            best_match = m;
            best = lag;
        }
    }
    for (size_t lag = best - 1; lag <= best + 1 && lag <= PLC_PERIOD_MAX; lag += 2) {
        if (lag >= PLC_PERIOD_MIN && match(newest, lag) > best_match) return lag;
    }
    return best;
}

/* The last period, its last quarter blended into the one before so that repeats join smoothly. */
static void cut_cycle(plc_t *self)
{
    self->period = plc_period(self);
    self->offset = 0;
    size_t overlap = self->period / 4;
    const int16_t *last = self->history + PLC_HISTORY - self->period;
    memcpy(self->cycle, last, self->period * sizeof *last);
    for (size_t i = 0; i < overlap; i++) {
        size_t at = self->period - overlap + i;
        int former = last[(ptrdiff_t)i - (ptrdiff_t)overlap];
        self->cycle[at] =
            (int16_t)((last[at] * (int)(overlap - i) + former * (int)i) / (int)overlap);
    }
}

static int gain_q12(size_t missing)
{
    if (missing < FULL) return 4096;
    if (missing >= FULL + FADE) return 0;
    return (int)(4096 * (FULL + FADE - missing) / FADE);
}

static int16_t repeat(plc_t *self)
{
    int16_t s = (int16_t)(self->cycle[self->offset] * gain_q12(self->missing) / 4096);
    self->offset = (self->offset + 1) % self->period;
    self->missing++;
    return s;
}

bool plc_conceal(plc_t *self, int16_t *pcm, size_t samples)
{
    if (self->missing >= FULL + FADE) {
        memset(pcm, 0, samples * sizeof *pcm);
        remember(self, pcm, samples);
        return false;
    }
    if (self->missing == 0) cut_cycle(self);
    for (size_t i = 0; i < samples; i++) pcm[i] = repeat(self);
    remember(self, pcm, samples);
    return true;
}

void plc_real(plc_t *self, int16_t *pcm, size_t samples)
{
    if (self->missing > 0 && self->period > 0) {
        size_t blend = samples < BLEND ? samples : BLEND;
        for (size_t i = 0; i < blend; i++) {
            int made_up = repeat(self);
            pcm[i] = (int16_t)((pcm[i] * (int)i + made_up * (int)(blend - i)) / (int)blend);
        }
    }
    self->missing = 0;
    remember(self, pcm, samples);
}
