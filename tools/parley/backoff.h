/* backoff.h - when a process that died is started again.
 *
 * At once the first time, then after 0.5, 1, 2 and 5 s, 5 s for ever; from the beginning again once
 * it has run for 30 s.
 *
 * Threads: none, pure.
 */
#ifndef PARLEY_BACKOFF_H
#define PARLEY_BACKOFF_H

#include <stdint.h>

typedef struct {
    unsigned deaths; /* in a row */
} backoff_t;

/* It died after it had run for ran_ms: how long to wait before starting it. */
uint32_t backoff_died(backoff_t *self, uint64_t ran_ms);

#endif
