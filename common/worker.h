/* worker.h - a thread with a loop of its own, for work that blocks: SQL, files, local models.
 *
 * Work is posted to the worker's loop and results are posted back to the asker's, so that the two
 * share nothing: pl_loop_post(pl_worker_loop(w), do_it, job), and at its end
 * pl_loop_post(home, take_it_back, job).
 *
 * Threads: new and destroy on the thread that owns it; the loop as loop.h says.
 */
#ifndef PL_COMMON_WORKER_H
#define PL_COMMON_WORKER_H

#include "common/loop.h"

typedef struct pl_worker pl_worker_t;

/* name: at most 15 characters, shown by ps and debuggers. Never NULL. */
pl_worker_t *pl_worker_new(const char *name);
pl_loop_t *pl_worker_loop(pl_worker_t *self);

/* Lets it finish what was posted so far, ends the thread and joins it: blocks that long. What the
 * worker posted to other loops may still be under way there. */
void pl_worker_destroy(pl_worker_t **self_p);

#endif
