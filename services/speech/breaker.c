#include "services/speech/breaker.h"

#include <stdlib.h>
#include <string.h>

enum { TRY_MS = 30000 /* a try nobody told the end of is over */ };

bool breaker_open(const breaker_t *self, uint64_t now_ms)
{
    if (self->until_ms == 0) return true;
    if (now_ms < self->until_ms) return false;
    return !self->trying || now_ms >= self->trying_ms + TRY_MS;
}

void breaker_asked(breaker_t *self, uint64_t now_ms)
{
    if (self->until_ms == 0) return;
    self->trying = true;
    self->trying_ms = now_ms;
}

void breaker_forgot(breaker_t *self)
{
    self->trying = false;
}

void breaker_succeeded(breaker_t *self, uint32_t took_ms)
{
    self->failures = 0;
    self->until_ms = 0;
    self->rest_ms = 0;
    self->trying = false;
    self->times_ms[self->next] = took_ms;
    self->next = (self->next + 1) % BREAKER_TIMES;
    if (self->times < BREAKER_TIMES) self->times++;
}

void breaker_failed(breaker_t *self, uint64_t now_ms)
{
    self->failures++;
    bool again = self->until_ms != 0; /* it failed its try */
    self->trying = false;
    if (self->failures < BREAKER_FAILURES && !again) return;
    self->rest_ms = again ? 2 * self->rest_ms : BREAKER_REST_MS;
    if (self->rest_ms > BREAKER_REST_MAX_MS) self->rest_ms = BREAKER_REST_MAX_MS;
    self->until_ms = now_ms + self->rest_ms;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

uint32_t breaker_p95_ms(const breaker_t *self)
{
    if (self->times < BREAKER_TIMES_LEAST) return 0;
    uint32_t sorted[BREAKER_TIMES];
    memcpy(sorted, self->times_ms, self->times * sizeof *sorted);
    qsort(sorted, self->times, sizeof *sorted, by_size);
    return sorted[(self->times * 95 + 99) / 100 - 1];
}
