#include "services/speech/resample.h"

#include <assert.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>

#include "common/lane.h"

enum { QUALITY = 5, BLOCK = 1024 };

struct resample {
    SpeexResamplerState *state; /* NULL: the rates are the same */
    resample_out_fn *out;
    void *arg;
};

resample_t *resample_new(uint32_t from_hz, resample_out_fn *out, void *arg)
{
    resample_t *self = calloc(1, sizeof *self);
    assert(self);
    self->out = out;
    self->arg = arg;
    if (from_hz != PL_FRAME_HZ) {
        int err = 0;
        self->state = speex_resampler_init(1, from_hz, PL_FRAME_HZ, QUALITY, &err);
        assert(self->state);
        (void)speex_resampler_skip_zeros(self->state);
    }
    return self;
}

void resample_destroy(resample_t **self_p)
{
    resample_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (self->state) speex_resampler_destroy(self->state);
    free(self);
}

void resample_feed(resample_t *self, const int16_t *pcm, size_t samples)
{
    if (!self->state) {
        if (samples > 0) self->out(self->arg, pcm, samples);
        return;
    }
    while (samples > 0) {
        int16_t block[BLOCK];
        spx_uint32_t in = samples < BLOCK ? (spx_uint32_t)samples : BLOCK;
        spx_uint32_t out = BLOCK;
        (void)speex_resampler_process_int(self->state, 0, pcm, &in, block, &out);
        if (out > 0) self->out(self->arg, block, out);
        if (in == 0 && out == 0) return;
        pcm += in;
        samples -= in;
    }
}

void resample_end(resample_t *self)
{
    if (!self->state) return;
    static const int16_t zeros[BLOCK] = {0};
    size_t inside = (size_t)speex_resampler_get_input_latency(self->state);
    resample_feed(self, zeros, inside < BLOCK ? inside : BLOCK);
    (void)speex_resampler_reset_mem(self->state);
    (void)speex_resampler_skip_zeros(self->state);
}
