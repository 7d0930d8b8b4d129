#include "services/speech/trim.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"

enum {
    QUIET = 160,                    /* below it there is no speech: -46 dBFS */
    KEEP = 20 * PL_FRAME_HZ / 1000, /* samples kept at both ends */
};

struct trim {
    trim_out_fn *out;
    void *arg;
    bool sounded, ended;
    size_t skipped; /* at the beginning */
    int16_t *held;  /* silence that may be the end */
    size_t samples, room;
};

trim_t *trim_new(trim_out_fn *out, void *arg)
{
    trim_t *self = calloc(1, sizeof *self);
    assert(self);
    self->out = out;
    self->arg = arg;
    return self;
}

void trim_destroy(trim_t **self_p)
{
    if (!*self_p) return;
    free((*self_p)->held);
    free(*self_p);
    *self_p = NULL;
}

static void hold(trim_t *self, const int16_t *pcm, size_t samples)
{
    if (self->samples + samples > self->room) {
        self->room = 2 * (self->samples + samples);
        self->held = realloc(self->held, self->room * sizeof *self->held);
        assert(self->held);
    }
    memcpy(self->held + self->samples, pcm, samples * sizeof *pcm);
    self->samples += samples;
}

static bool quiet(int16_t sample)
{
    return sample < QUIET && sample > -QUIET;
}

/* Samples up to and with the last sound; 0 when there is none. */
static size_t last_sound(const int16_t *pcm, size_t samples)
{
    while (samples > 0 && quiet(pcm[samples - 1])) samples--;
    return samples;
}

static void give_held(trim_t *self, size_t most)
{
    size_t skip = !self->sounded && self->samples > most ? self->samples - most : 0;
    size_t count = self->samples - skip;
    if (count > most) count = most;
    if (!self->sounded) self->skipped += skip;
    if (count > 0) self->out(self->arg, self->held + skip, count);
    self->samples = 0;
}

void trim_feed(trim_t *self, const int16_t *pcm, size_t samples)
{
    if (self->ended) self->skipped = 0;
    self->ended = false;
    size_t sound = last_sound(pcm, samples);
    if (sound > 0) {
        size_t first = 0;
        while (!self->sounded && quiet(pcm[first])) first++;
        hold(self, pcm, first);
        give_held(self, self->sounded ? self->samples : KEEP);
        self->sounded = true;
        self->out(self->arg, pcm + first, sound - first);
    }
    hold(self, pcm + sound, samples - sound);
}

void trim_end(trim_t *self)
{
    if (self->sounded) give_held(self, KEEP);
    self->samples = 0;
    self->sounded = false;
    self->ended = true;
}

size_t trim_skipped(const trim_t *self)
{
    return self->skipped;
}
