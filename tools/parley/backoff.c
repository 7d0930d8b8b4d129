#include "tools/parley/backoff.h"

enum { STEADY_MS = 30000 };

uint32_t backoff_died(backoff_t *self, uint64_t ran_ms)
{
    static const uint32_t waits_ms[] = {0, 500, 1000, 2000, 5000};
    static const unsigned last = sizeof waits_ms / sizeof *waits_ms - 1;
    if (ran_ms >= STEADY_MS) self->deaths = 0;
    uint32_t wait_ms = waits_ms[self->deaths < last ? self->deaths : last];
    self->deaths++;
    return wait_ms;
}
