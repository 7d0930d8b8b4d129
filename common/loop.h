/* loop.h - a thread's event loop: libuv, with ZeroMQ sockets, timers, descriptors and posts.
 *
 * The one place that knows ZeroMQ's descriptor is edge-triggered (drain a bounded batch, then look
 * at ZMQ_EVENTS again, also after a send) and that CZMQ's signal handler must be off.
 *
 * Threads: a loop and all that hangs on it belong to the thread that runs it; only pl_loop_post and
 * pl_loop_stop may be called from others. Handlers must not block. Callbacks never run inside the
 * call that set them up.
 */
#ifndef PL_COMMON_LOOP_H
#define PL_COMMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

typedef struct pl_loop pl_loop_t;
typedef struct pl_timer pl_timer_t;
typedef struct pl_watch pl_watch_t;

pl_loop_t *pl_loop_new(void);             /* never NULL: out of memory aborts */
void pl_loop_destroy(pl_loop_t **self_p); /* closes what is left on it; not from a callback */
void pl_loop_run(pl_loop_t *self);        /* returns after pl_loop_stop */
void pl_loop_stop(pl_loop_t *self);       /* any thread */
void *pl_loop_uv(pl_loop_t *self);        /* its uv_loop_t, for libwebsockets and libcurl */

/* Runs fn(arg) on the loop's thread, in order of posting. Any thread. What is still unposted at
 * destroy is run then, so that what arg owns is not lost. */
void pl_loop_post(pl_loop_t *self, void (*fn)(void *arg), void *arg);

/* Calls fn after delay_ms and then, unless repeat_ms is 0, every repeat_ms. A one-shot timer stays
 * valid (spent) until stopped. */
pl_timer_t *pl_timer_start(pl_loop_t *loop, uint64_t delay_ms, uint64_t repeat_ms,
                           void (*fn)(void *arg), void *arg);
void pl_timer_stop(pl_timer_t **self_p); /* NULL is fine; fn is not called again */

/* Calls fn while the ZeroMQ socket (void * of libzmq) has a message: fn receives one without
 * blocking and returns false when there was none. Batches are bounded so that nothing starves.
 * After sending on the socket outside fn, call pl_watch_check. Stop before closing the socket. */
pl_watch_t *pl_watch_zmq(pl_loop_t *loop, void *socket, bool (*fn)(void *arg), void *arg);
void pl_watch_check(pl_watch_t *self);

/* Calls fn while the descriptor is readable (level-triggered). */
pl_watch_t *pl_watch_fd(pl_loop_t *loop, int fd, void (*fn)(void *arg), void *arg);
void pl_watch_stop(pl_watch_t **self_p); /* NULL is fine */

/* First thing in main, before any thread: CZMQ's handler off, SIGPIPE ignored, SIGTERM and SIGINT
 * blocked so that the main loop alone takes them. */
void pl_signals_init(void);
/* SIGTERM and SIGINT on this loop; count is 1 for the first, 2 for the second... One loop only. */
void pl_loop_on_terminate(pl_loop_t *self, void (*fn)(void *arg, unsigned count), void *arg);

#endif
