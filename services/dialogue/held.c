#include "services/dialogue/held.h"

#include <assert.h>
#include <stdlib.h>

struct held {
    effects_t effects;
    uint64_t since_ms; /* of the oldest; a younger one's time is no shorter */
};

held_t *held_new(void)
{
    held_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void held_destroy(held_t **self_p)
{
    held_t *self = *self_p;
    if (!self) return;
    fx_clear(&self->effects);
    free(self);
    *self_p = NULL;
}

bool held_wants(const effect_t *effect)
{
    if (effect->kind == FX_POST) return true;
    bool sms = effect->asked == ASKED_SMS || effect->asked == ASKED_ALERT;
    return effect->kind == FX_REQUEST && sms;
}

void held_add(held_t *self, effect_t **effect_p, uint64_t now_ms)
{
    if (!self->effects.count) self->since_ms = now_ms;
    fx_append(&self->effects, effect_p);
}

effect_t *held_take(held_t *self)
{
    return fx_take(&self->effects);
}

effect_t *held_take_late(held_t *self, uint64_t now_ms)
{
    return now_ms >= held_due_ms(self) ? fx_take(&self->effects) : NULL;
}

uint64_t held_due_ms(const held_t *self)
{
    return self->effects.count ? self->since_ms + HELD_MS : UINT64_MAX;
}
