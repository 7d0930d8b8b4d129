#include "common/monitor.h"

#include <assert.h>
#include <czmq.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pl_monitor {
    void *socket;
    zsock_t *events;
    pl_watch_t *watch;
    pl_monitor_fn *fn;
    void *arg;
};

/* Two frames: event and value packed in six bytes, then the endpoint. */
static bool take(void *arg)
{
    pl_monitor_t *self = arg;
    void *events = zsock_resolve(self->events);
    uint8_t packed[6];
    int size = zmq_recv(events, packed, sizeof packed, ZMQ_DONTWAIT);
    if (size < 0) return false;
    char endpoint[8];
    (void)zmq_recv(events, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
    if (size != (int)sizeof packed) return true;
    uint16_t event;
    uint32_t value;
    memcpy(&event, packed, sizeof event); /* host order: it never left the process */
    memcpy(&value, packed + sizeof event, sizeof value);
    self->fn(self->arg, event, value);
    return true; /* self may be gone */
}

pl_monitor_t *pl_monitor_start(pl_loop_t *loop, void *socket, int events, pl_monitor_fn *fn,
                               void *arg)
{
    static atomic_uint numbers;
    char endpoint[64];
    (void)snprintf(endpoint, sizeof endpoint, "inproc://parley-monitor-%u",
                   atomic_fetch_add(&numbers, 1U));
    pl_monitor_t *self = calloc(1, sizeof *self);
    assert(self);
    self->socket = socket;
    self->fn = fn;
    self->arg = arg;
    int rc = zmq_socket_monitor(socket, endpoint, events);
    assert(rc == 0);
    self->events = zsock_new(ZMQ_PAIR);
    assert(self->events);
    rc = zsock_connect(self->events, "%s", endpoint);
    assert(rc == 0);
    self->watch = pl_watch_zmq(loop, zsock_resolve(self->events), take, self);
    return self;
}

void pl_monitor_stop(pl_monitor_t **self_p)
{
    pl_monitor_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_watch_stop(&self->watch);
    zmq_socket_monitor(self->socket, NULL, 0);
    zsock_destroy(&self->events);
    free(self);
}

bool pl_monitor_take(pl_monitor_t *self)
{
    return take(self);
}
