#include "tools/callsim/ear.h"

static const double LEAST = 32768.0 * 32768.0 * 3.1623e-5; /* -45 dBFS */
static const double ABOVE_FLOOR = 7.943;                   /* 9 dB */

void ear_init(ear_t *self, uint32_t quiet_ms)
{
    *self = (ear_t){.quiet_ms = quiet_ms, .floor = LEAST / ABOVE_FLOOR};
}

static bool voiced(ear_t *self, const int16_t pcm[EAR_BLOCK_SAMPLES])
{
    double sum = 0;
    for (size_t i = 0; i < EAR_BLOCK_SAMPLES; i++) sum += (double)pcm[i] * pcm[i];
    double level = sum / EAR_BLOCK_SAMPLES;
    /* Falls to a quieter block at once, rises by 0.5 dB a second, so that speech cannot lift it. */
    double risen = self->floor * 1.00115;
    self->floor = level < risen ? level : risen;
    return level > LEAST && level > self->floor * ABOVE_FLOOR;
}

ear_event_t ear_hear(ear_t *self, const int16_t pcm[EAR_BLOCK_SAMPLES])
{
    bool hit = voiced(self, pcm);
    self->now_ms += EAR_BLOCK_MS;
    self->recent = (self->recent << 1 | hit) & 0x1f;
    if (self->voice) {
        if (hit) self->last_ms = self->now_ms;
        if (self->now_ms - self->last_ms < self->quiet_ms) return EAR_NOTHING;
        self->voice = false;
        self->recent = 0;
        return EAR_ENDED;
    }
    if (!hit || __builtin_popcount(self->recent) < 3) return EAR_NOTHING;
    uint32_t back = 31 - (uint32_t)__builtin_clz(self->recent); /* blocks back to the first hit */
    self->voice = true;
    self->start_ms = self->now_ms - (back + 1) * EAR_BLOCK_MS;
    self->last_ms = self->now_ms;
    return EAR_STARTED;
}
