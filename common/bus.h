/* bus.h - the control bus: requests, replies and events between instances.
 *
 * An instance binds one ROUTER and connects to every instance of the services it names: a DEALER
 * for messages and one for heartbeats, which a flood of messages therefore cannot delay.
 * Peers come from bus.endpoints.<service> of the configuration: ipc:// paths, tcp:// addresses, or
 * tcp:// names, which are resolved again every few seconds, each address one peer (a headless
 * service's pods). Heartbeats tell instance id, load and draining; three missed ones mean down.
 * tcp:// uses CURVE when bus.curve_key_file is set (one key pair for the installation).
 *
 * A request is answered once: by a reply, an Error, or PL_TIMEOUT after its time. A peer that goes
 * down fails its open requests with PL_UNAVAILABLE at once (its connection broke, three heartbeats
 * were missed, or it was restarted); it may have done the work, so handlers are idempotent. Nothing
 * blocks: a full peer is PL_BUSY. A service of which nobody is up is PL_UNAVAILABLE at once, also
 * just after the start: who asks knows better than the bus whether to wait, and readiness waits
 * for the peers.
 *
 * Threads: all of it on the loop's thread.
 * Source: ZeroMQ RFC 28/REQREP for the socket pattern; the envelope is proto/envelope.proto.
 */
#ifndef PL_COMMON_BUS_H
#define PL_COMMON_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "envelope.pb-c.h"

typedef struct pl_bus pl_bus_t;
typedef struct pl_request pl_request_t; /* an arrived request that waits for its answer */

typedef struct {
    const char *service;  /* "speech" */
    const char *instance; /* "speech-0" */
    uint32_t load, capacity;
    bool draining;
    bool up;
    uint64_t started; /* changes when the instance was restarted */
    const char *note; /* what it cannot do at the moment, for people; "" mostly */
} pl_peer_t;

/* Binds and starts looking for the services named in peers (NULL-terminated). Fails with
 * PL_UNAVAILABLE when the endpoint is taken, having said which. */
pl_err_t pl_bus_new(pl_bus_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                    const char *const *peers);
/* Refuses the arrived requests that are still open, ends the sent ones with PL_UNAVAILABLE (so
 * what their on_reply uses must still be there), flushes for at most 200 ms. Not from a callback
 * of the bus. Destroy it before its loop. */
void pl_bus_destroy(pl_bus_t **self_p);

const char *pl_bus_instance(const pl_bus_t *self);

/* Own load, told in the next heartbeats. */
void pl_bus_load(pl_bus_t *self, uint32_t load, uint32_t capacity);
void pl_bus_drain(pl_bus_t *self); /* from now on: draining */
/* What it cannot do at the moment though it works, for readiness to show; "" for nothing. Copied;
 * told in the next heartbeats. */
void pl_bus_note(pl_bus_t *self, const char *note);

/* ---- receiving ---- */

/* env is borrowed until the handler returns. request is NULL for a one-way event; otherwise the
 * handler owns it and must end it, now or later, with one of the three calls below. A body nobody
 * handles is refused with PL_UNSUPPORTED. Set all handlers before running the loop. */
typedef void pl_bus_handler_fn(void *arg, const Pl__Envelope *env, pl_request_t *request);
void pl_bus_on(pl_bus_t *self, Pl__Envelope__BodyCase body, pl_bus_handler_fn *fn, void *arg);

/* Fills in the routing of reply (body set by the caller) and sends it. Takes *request_p. */
void pl_request_reply(pl_request_t **request_p, Pl__Envelope *reply);
void pl_request_done(pl_request_t **request_p); /* an empty Done */
void pl_request_refuse(pl_request_t **request_p, pl_err_t err, uint32_t retry_after_ms,
                       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* 0 when spent, UINT32_MAX when the asker set no limit. */
uint32_t pl_request_time_left_ms(const pl_request_t *request);

/* ---- sending ---- */

/* to is a service ("speech": the live, least loaded instance that is not draining; if all of them
 * drain, one of those, which refuses what it no longer takes) or an instance ("speech-0"). env's call_id, epoch, trace_parent and body are the caller's, borrowed;
 * the rest is filled in here. */

/* One-way. PL_UNAVAILABLE: nobody there; PL_BUSY: its queue is full; PL_INVALID: over 4 MiB. */
pl_err_t pl_bus_event(pl_bus_t *self, const char *to, Pl__Envelope *env);

/* on_reply is called exactly once and never inside this call: with PL_OK and the reply
 * (borrowed), or with an error and, when the peer sent one, its Error envelope, else NULL.
 * Never fails itself: errors come through on_reply. */
typedef void pl_bus_reply_fn(void *arg, pl_err_t err, const Pl__Envelope *reply);
void pl_bus_request(pl_bus_t *self, const char *to, Pl__Envelope *env, uint32_t timeout_ms,
                    pl_bus_reply_fn *on_reply, void *arg);

/* ---- peers ---- */

/* Called when a peer comes up, goes down, is restarted (down, then up) or starts draining. */
typedef void pl_bus_peer_fn(void *arg, const pl_peer_t *peer);
void pl_bus_on_peer(pl_bus_t *self, pl_bus_peer_fn *fn, void *arg);

/* Instances of a service known now, up or down; fills at most max, returns how many there are.
 * instance is "" until it answered for the first time. Strings are valid until the loop goes on. */
size_t pl_bus_peers(const pl_bus_t *self, const char *service, pl_peer_t *out, size_t max);
/* The instance "to" would reach; false when there is none. */
bool pl_bus_pick(const pl_bus_t *self, const char *to, pl_peer_t *out);

/* A reply's Error detail, or the text of err; for logs and messages. */
const char *pl_bus_error_detail(pl_err_t err, const Pl__Envelope *reply);

#endif
