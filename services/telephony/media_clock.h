/* media_clock.h - how many 20 ms ticks to run when a timer says how many have passed.
 *
 * A late thread catches up by two ticks at a time, so that a far end gets no burst; one that is more
 * than 100 ms behind leaves the ticks out and counts them.
 *
 * Threads: none; pure.
 */
#ifndef PL_TELEPHONY_MEDIA_CLOCK_H
#define PL_TELEPHONY_MEDIA_CLOCK_H

#include <stdint.h>

typedef struct {
    uint64_t behind;  /* ticks owed */
    uint64_t skipped; /* in all */
} media_clock_t;

typedef struct {
    uint32_t run;     /* ticks to run now: 1 or 2, or 0 when nothing has passed */
    uint32_t skipped; /* left out before them */
} media_due_t;

media_due_t media_clock_due(media_clock_t *self, uint64_t passed);

#endif
