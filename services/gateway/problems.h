/* problems.h - what is wrong with an input, all of it at once, one sentence each.
 *
 * Threads: none of its own. A zeroed problems_t is empty. Bounded: after PROBLEMS_MAX the rest is
 * only counted, so that a hostile body cannot make a long answer.
 */
#ifndef GATEWAY_PROBLEMS_H
#define GATEWAY_PROBLEMS_H

#include <stddef.h>

enum { PROBLEMS_MAX = 50 };

typedef struct {
    char *items[PROBLEMS_MAX];
    size_t count; /* found, may be more than are kept */
} problems_t;

void problems_free(problems_t *self);

void problems_add(problems_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t problems_kept(const problems_t *self);

#endif
