#include "common/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct pl_worker {
    pl_loop_t *loop;
    pthread_t thread;
};

static void *work(void *arg)
{
    pl_worker_t *self = arg;
    pl_loop_run(self->loop);
    return NULL;
}

pl_worker_t *pl_worker_new(const char *name)
{
    pl_worker_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = pl_loop_new();
    int rc = pthread_create(&self->thread, NULL, work, self);
    assert(rc == 0);
    rc = pthread_setname_np(self->thread, name);
    assert(rc == 0); /* longer than 15 characters */
    return self;
}

pl_loop_t *pl_worker_loop(pl_worker_t *self)
{
    return self->loop;
}

static void stop(void *loop)
{
    pl_loop_stop(loop);
}

void pl_worker_destroy(pl_worker_t **self_p)
{
    pl_worker_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_loop_post(self->loop, stop, self->loop); /* after all that was posted before */
    int rc = pthread_join(self->thread, NULL);
    assert(rc == 0);
    pl_loop_destroy(&self->loop);
    free(self);
}
