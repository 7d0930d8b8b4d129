/* breaker.h - whether to ask a service that has failed, and how long it usually takes.
 *
 * After a few failures in a row it is left alone for a while; then one try at a time decides
 * whether it is back. Its times to answer make a percentile, past which a second service may be
 * asked beside it.
 *
 * Threads: none; pure. Time is an argument (_ms, monotonic). Zero it to begin.
 */
#ifndef PL_SPEECH_BREAKER_H
#define PL_SPEECH_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BREAKER_FAILURES = 3,         /* in a row */
    BREAKER_REST_MS = 10000,      /* then, doubled with each failed try ... */
    BREAKER_REST_MAX_MS = 160000, /* ... up to this */
    BREAKER_TIMES = 64,
    BREAKER_TIMES_LEAST = 20, /* fewer make no percentile */
};

typedef struct {
    uint32_t failures; /* in a row */
    uint64_t until_ms; /* left alone; 0: it is not */
    uint32_t rest_ms;
    bool trying; /* the one try is under way */
    uint64_t trying_ms;
    uint32_t times_ms[BREAKER_TIMES]; /* a ring */
    size_t times, next;
} breaker_t;

/* May it be asked now? */
bool breaker_open(const breaker_t *self, uint64_t now_ms);
void breaker_asked(breaker_t *self, uint64_t now_ms);
void breaker_succeeded(breaker_t *self, uint32_t took_ms);
void breaker_failed(breaker_t *self, uint64_t now_ms);
void breaker_forgot(breaker_t *self); /* what was asked was cancelled: it tells nothing */

uint32_t breaker_p95_ms(const breaker_t *self); /* 0: unknown */

#endif
