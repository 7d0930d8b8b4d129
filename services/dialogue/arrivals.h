/* arrivals.h - new calls: whether there is room, what they are for, and whether one goes on with a
 * call that was had before.
 *
 * A caller who rings back within the configured hours goes on with the newest call of their number;
 * a call to be dialled goes on with the newest one of that number if it was begun with exactly the
 * same initiate. Otherwise a new record is made.
 *
 * Threads: the loop's.
 */
#ifndef DIALOGUE_ARRIVALS_H
#define DIALOGUE_ARRIVALS_H

#include <stdint.h>

#include "services/dialogue/calls.h"

typedef struct arrivals arrivals_t;

typedef struct {
    const desk_t *desk; /* its bus must be set by the first arrival */
    calls_t *calls;
    const Pl__Initiate *defaults;
    size_t max_calls;
    void *arg;
    void (*begun)(void *arg); /* a call was added */
} arrivals_opts_t;

/* opts is copied; what it points to outlives the arrivals. Never NULL. */
arrivals_t *arrivals_new(const arrivals_opts_t *opts);
/* Refuses those who still wait. Call it before the bus goes, and arrivals_free after it. */
void arrivals_close(arrivals_t *self);
void arrivals_free(arrivals_t **self_p);

/* How old a call may be to be gone on with; 0, as at first: none ever is. */
void arrivals_callback(arrivals_t *self, int64_t callback_ms);
void arrivals_drain(arrivals_t *self); /* no new calls from now on */

/* CallStart and CallIncoming of the bus; arg is the arrivals. */
void arrivals_on_start(void *arg, const Pl__Envelope *env, pl_request_t *request);
void arrivals_on_incoming(void *arg, const Pl__Envelope *env, pl_request_t *request);

/* A call out that nobody outside has asked for, under an id that nobody has used. started as in
 * actor.h; within when there is no room or initiate is wrong. initiate is borrowed. */
void arrivals_call_out(void *arg, const char *call_id, const Pl__Initiate *initiate,
                       actor_started_fn *started, void *started_arg);

#endif
