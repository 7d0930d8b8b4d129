/* adopting.h - calls whose owner is silent: telephony offers them, and they go on here.
 *
 * The record is looked up and adopted by a compare-and-set of its epoch, so that of several who are
 * asked one owns the call, and the former owner nothing. Who owns it already says so.
 *
 * Threads: the loop's.
 */
#ifndef DIALOGUE_ADOPTING_H
#define DIALOGUE_ADOPTING_H

#include "services/dialogue/calls.h"

typedef struct adopting adopting_t;

typedef struct {
    const desk_t *desk;
    calls_t *calls;
    size_t max_calls;
    void *arg;
    void (*begun)(void *arg); /* a call was added */
} adopting_opts_t;

adopting_t *adopting_new(const adopting_opts_t *opts); /* never NULL; opts is copied */
void adopting_drain(adopting_t *self);                 /* takes no more */
void adopting_free(adopting_t **self_p);               /* after the bus is destroyed */

/* CallOrphaned of the bus; arg is the adopting_t. */
void adopting_on_orphan(void *arg, const Pl__Envelope *env, pl_request_t *request);

#endif
