#include "services/persistence/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/worker.h"

struct writer {
    pl_loop_t *home;
    pl_worker_t *worker;
    const store_provider_t *provider;
    void *store;
    size_t batch_max;
    writer_done_fn *done;
    void *arg;

    /* the writer thread's */
    write_t **waiting;
    size_t count, room;
    pl_timer_t *soon;
};

/* A write on its way to the thread, and a batch on its way back. */
typedef struct {
    writer_t *writer;
    write_t *write;
} arrival_t;

typedef struct {
    writer_done_fn *done;
    void *arg;
    store_stats_t stats;
    size_t count;
    write_t *writes[];
} batch_t;

static void report(void *arg)
{
    batch_t *batch = arg;
    batch->done(batch->arg, batch->writes, batch->count, &batch->stats);
    free(batch);
}

static void commit(writer_t *self)
{
    size_t count = self->count < self->batch_max ? self->count : self->batch_max;
    batch_t *batch = calloc(1, sizeof *batch + count * sizeof *batch->writes);
    assert(batch);
    batch->done = self->done;
    batch->arg = self->arg;
    batch->count = count;
    memcpy(batch->writes, self->waiting, count * sizeof *batch->writes);
    self->count -= count;
    memmove(self->waiting, self->waiting + count, self->count * sizeof *self->waiting);
    self->provider->write(self->store, batch->writes, count, &batch->stats);
    pl_loop_post(self->home, report, batch);
}

static void on_soon(void *arg)
{
    writer_t *self = arg;
    commit(self);
    pl_timer_stop(&self->soon);
    if (self->count > 0)
        self->soon = pl_timer_start(pl_worker_loop(self->worker), 0, 0, on_soon, self);
}

static void arrive(void *arg)
{
    arrival_t *arrival = arg;
    writer_t *self = arrival->writer;
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 64;
        self->waiting = realloc(self->waiting, self->room * sizeof(write_t *));
        assert(self->waiting);
    }
    self->waiting[self->count++] = arrival->write;
    free(arrival);
    /* A timer of no time fires when all that has been posted by now has arrived. */
    if (!self->soon) self->soon = pl_timer_start(pl_worker_loop(self->worker), 0, 0, on_soon, self);
}

writer_t *writer_new(pl_loop_t *home, const store_provider_t *provider, void *store,
                     size_t batch_max, writer_done_fn *done, void *arg)
{
    writer_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (writer_t){.home = home,
                       .provider = provider,
                       .store = store,
                       .batch_max = batch_max,
                       .done = done,
                       .arg = arg};
    self->worker = pl_worker_new("store-writer");
    return self;
}

void writer_add(writer_t *self, write_t **write_p)
{
    arrival_t *arrival = malloc(sizeof *arrival);
    assert(arrival);
    *arrival = (arrival_t){self, *write_p};
    *write_p = NULL;
    pl_loop_post(pl_worker_loop(self->worker), arrive, arrival);
}

static void finish(void *arg)
{
    writer_t *self = arg;
    pl_timer_stop(&self->soon);
    while (self->count > 0) commit(self);
}

void writer_destroy(writer_t **self_p)
{
    writer_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_loop_post(pl_worker_loop(self->worker), finish, self);
    pl_worker_destroy(&self->worker);
    free(self->waiting);
    free(self);
}
