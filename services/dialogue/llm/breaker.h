/* breaker.h - is a server worth asking? Opens after failures in a row, and closes when a probe is
 * answered.
 *
 * Threads: none; pure. Times are monotonic, in ms.
 */
#ifndef DIALOGUE_LLM_BREAKER_H
#define DIALOGUE_LLM_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned failures_most;           /* in a row; then it opens */
    uint32_t pause_ms, pause_most_ms; /* until the first probe; doubled after each in vain */

    unsigned failures;
    bool open, probing;
    uint32_t next_pause_ms;
    uint64_t probe_at_ms;
} breaker_t;

void breaker_init(breaker_t *self, unsigned failures_most, uint32_t pause_ms,
                  uint32_t pause_most_ms);

void breaker_good(breaker_t *self);                 /* it answered */
void breaker_bad(breaker_t *self, uint64_t now_ms); /* it did not, or not sensibly */
/* It is no use asking again before something changes (a wrong key, no such model): opens at once. */
void breaker_hopeless(breaker_t *self, uint64_t now_ms);

/* Is it time to probe? Then the probe is taken to be under way until good or bad is told. */
bool breaker_probe(breaker_t *self, uint64_t now_ms);

#endif
