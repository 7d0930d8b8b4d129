/* monitor.h - what happens to a ZeroMQ socket's connections, as events on a loop.
 *
 * Threads: the loop's. Stop before closing the monitored socket.
 * Source: zmq_socket_monitor(3).
 */
#ifndef PL_COMMON_MONITOR_H
#define PL_COMMON_MONITOR_H

#include <stdint.h>

#include "common/loop.h"

typedef struct pl_monitor pl_monitor_t;

/* fn gets one ZMQ_EVENT_* and its value (the descriptor, for those about connections). It may
 * stop the monitor. */
typedef void pl_monitor_fn(void *arg, uint16_t event, uint32_t value);
pl_monitor_t *pl_monitor_start(pl_loop_t *loop, void *socket, int events, pl_monitor_fn *fn,
                               void *arg);
void pl_monitor_stop(pl_monitor_t **self_p);

/* Takes one waiting event now; false when there is none. Not from within fn. */
bool pl_monitor_take(pl_monitor_t *self);

#endif
