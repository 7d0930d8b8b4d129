/* behaviour.h - how the double's next answers go wrong, or slowly.
 *
 * Threads: none; pure.
 */
#ifndef DOUBLE_BEHAVIOUR_H
#define DOUBLE_BEHAVIOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { CALL_TRANSCRIPTIONS, CALL_SPEECH, CALLS } call_t;

typedef struct {
    int64_t count; /* so many requests more; -1: all */
    int status;    /* 0: as it should be */
    uint32_t delay_ms, cut_after_ms;
    double pace; /* 0: at once */
} behaviour_t;

/* Reads a PUT's JSON into those it names; false with the reason. */
bool behaviour_read(behaviour_t all[CALLS], const char *json, size_t bytes, const char **reason);

/* Of the next request of that kind; counts it. */
behaviour_t behaviour_next(behaviour_t *self);

#endif
