#include "services/speech/clip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

clip_t *clip_new(const int16_t *pcm, size_t samples)
{
    clip_t *self = malloc(sizeof *self + samples * sizeof *pcm);
    assert(self);
    self->holders = 1;
    self->samples = samples;
    memcpy(self->pcm, pcm, samples * sizeof *pcm);
    return self;
}

clip_t *clip_hold(clip_t *self)
{
    self->holders++;
    return self;
}

void clip_drop(clip_t **self_p)
{
    clip_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (--self->holders == 0) free(self);
}
