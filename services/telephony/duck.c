#include "services/telephony/duck.h"

enum {
    SAMPLES_PER_MS = PL_FRAME_HZ / 1000,
    RISE = DUCK_RISE_MS * SAMPLES_PER_MS,
    FALL_STEP = DUCK_RISE_MS / DUCK_FALL_MS,
    LOW_PERCENT = 20, /* -14 dB: still heard, and easily spoken over */
};

static void rise(duck_t *self)
{
    self->down = false;
    self->sound_ms = self->down_ms = 0;
}

static uint32_t patience_ms(const duck_t *self)
{
    return self->sound_ms < DUCK_CLICK_MS ? DUCK_AFTER_CLICK_MS : DUCK_AFTER_WORD_MS;
}

void duck_heard(duck_t *self, bool sound, bool over_us)
{
    self->quiet_ms = sound ? 0 : self->quiet_ms + PL_FRAME_MS;
    if (self->quiet_ms >= DUCK_REARM_MS) self->ignore = false;
    if (!over_us) {
        rise(self);
        return;
    }
    if (sound && !self->ignore) {
        self->down = true;
        self->sound_ms += PL_FRAME_MS;
    }
    if (!self->down) return;
    self->down_ms += PL_FRAME_MS;
    if (self->down_ms >= DUCK_AT_MOST_MS)
        duck_rise(self);
    else if (self->quiet_ms >= patience_ms(self))
        rise(self);
}

void duck_rise(duck_t *self)
{
    rise(self);
    self->ignore = true;
}

static int16_t lowered(int16_t sample, uint32_t way)
{
    int32_t percent_of_rise = 100 * RISE - (100 - LOW_PERCENT) * (int32_t)way;
    return (int16_t)((int64_t)sample * percent_of_rise / (INT64_C(100) * RISE));
}

void duck_apply(duck_t *self, int16_t pcm[PL_FRAME_SAMPLES])
{
    if (!self->down && self->lowered == 0) return;
    for (int i = 0; i < PL_FRAME_SAMPLES; i++) {
        if (self->down && self->lowered < RISE) self->lowered += FALL_STEP;
        if (!self->down && self->lowered > 0) self->lowered--;
        if (self->lowered > RISE) self->lowered = RISE;
        pcm[i] = lowered(pcm[i], self->lowered);
    }
}
