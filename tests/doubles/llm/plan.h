/* plan.h - what goes over a connection as one answer, and when: bytes with due times, and an end.
 *
 * Threads: none; pure. Times are in microseconds from the moment the request was complete.
 */
#ifndef DOUBLE_PLAN_H
#define DOUBLE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/gateway/text.h"

typedef enum {
    PLAN_KEEP,  /* the connection stays for the next request */
    PLAN_CLOSE, /* closed in order */
    PLAN_RESET, /* broken off: RST */
} plan_end_t;

typedef struct {
    uint64_t at_us;
    size_t upto; /* bytes that have been said once this step is done */
} plan_step_t;

typedef struct {
    text_t bytes;
    plan_step_t *steps;
    size_t n_steps, room;
    plan_end_t end;
    uint64_t end_us;

    int status; /* for the journal */
    bool chunked;
} plan_t;

void plan_free(plan_t *self); /* leaves an empty plan; twice is fine */

/* Says all bytes that were added since the last step at that moment, not before earlier steps. */
void plan_step(plan_t *self, uint64_t at_us);

/* A whole answer with a body. headers: lines that end with CRLF, may be NULL. */
void plan_whole(plan_t *self, int status, const char *type, const char *headers, const char *body,
                uint64_t at_us);

/* The head of a chunked one; then the pieces, then the last. */
void plan_head(plan_t *self, const char *type, uint64_t at_us);
void plan_chunk(plan_t *self, const char *bytes, size_t size, uint64_t at_us);
void plan_last_chunk(plan_t *self, uint64_t at_us);

#endif
