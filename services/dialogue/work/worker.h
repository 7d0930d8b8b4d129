/* worker.h - takes jobs from the store and has them done.
 *
 * Asks for jobs when it is woken (JobReady), when one is due, and every poll_ms. Keeps the lease of
 * what is under way; tries to report a result until the store has taken it or the lease is lost.
 * Jobs are done by any instance; the store sees to it that a result counts once.
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_WORKER_H
#define DIALOGUE_WORK_WORKER_H

#include "services/dialogue/work/work.h"

typedef struct worker worker_t;

typedef struct {
    uint32_t concurrency; /* jobs at once */
    uint32_t lease_ms;
    uint32_t poll_ms;
    uint32_t store_timeout_ms; /* of a request to persistence */
} worker_opts_t;

enum { WORKER_KINDS_MAX = 16 };

/* kinds: a NULL-terminated list. shop and kinds are borrowed. Nothing is taken before
 * worker_wake. idle is called, never from within a call of the worker's functions, whenever a
 * draining worker has nothing left. */
worker_t *worker_new(const workshop_t *shop, const work_kind_t *const *kinds,
                     const worker_opts_t *opts, void (*idle)(void *arg), void *arg);
/* What is under way is cancelled; its lease will run out. Before the bus and the loop. */
void worker_destroy(worker_t **self_p);

void worker_wake(worker_t *self); /* the store is there, or has told of jobs */

/* Takes no more; what is under way is given back, so that another instance may go on with it at
 * once. Then idle. */
void worker_drain(worker_t *self);
bool worker_idle(const worker_t *self);

#endif
