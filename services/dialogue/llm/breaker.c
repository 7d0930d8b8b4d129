#include "services/dialogue/llm/breaker.h"

void breaker_init(breaker_t *self, unsigned failures_most, uint32_t pause_ms,
                  uint32_t pause_most_ms)
{
    *self = (breaker_t){.failures_most = failures_most,
                        .pause_ms = pause_ms,
                        .pause_most_ms = pause_most_ms,
                        .next_pause_ms = pause_ms};
}

void breaker_good(breaker_t *self)
{
    self->failures = 0;
    self->open = self->probing = false;
    self->next_pause_ms = self->pause_ms;
}

static void hold(breaker_t *self, uint64_t now_ms)
{
    self->open = true;
    self->probing = false;
    self->probe_at_ms = now_ms + self->next_pause_ms;
    uint64_t doubled = 2ULL * self->next_pause_ms;
    self->next_pause_ms = doubled < self->pause_most_ms ? (uint32_t)doubled : self->pause_most_ms;
}

void breaker_bad(breaker_t *self, uint64_t now_ms)
{
    if (self->failures < self->failures_most) self->failures++;
    if (self->open && !self->probing) return; /* a straggler from before it opened */
    if (self->failures >= self->failures_most) hold(self, now_ms);
}

void breaker_hopeless(breaker_t *self, uint64_t now_ms)
{
    self->failures = self->failures_most;
    breaker_bad(self, now_ms);
}

bool breaker_probe(breaker_t *self, uint64_t now_ms)
{
    if (!self->open || self->probing || now_ms < self->probe_at_ms) return false;
    self->probing = true;
    return true;
}
