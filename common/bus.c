#include "common/bus.h"

#include <assert.h>
#include <czmq.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/arena.h"
#include "common/bus_endpoint.h"
#include "common/bus_peers.h"
#include "common/bus_pending.h"
#include "common/bus_wire.h"
#include "common/clock.h"
#include "common/curve.h"
#include "common/log.h"
#include "common/metrics.h"

enum { BODIES = 256, LINGER_MS = 200, ARENA_BYTES = 64 * 1024, DETAIL_BYTES = 512 };

typedef struct {
    pl_bus_handler_fn *fn;
    void *arg;
} handler_t;

struct pl_bus {
    pl_loop_t *loop;
    char *service, *instance, *note;
    char endpoint[BUS_ENDPOINT_BYTES];
    int claim_fd;
    pl_curve_t *curve;
    zsock_t *router;
    pl_watch_t *watch;
    pl_arena_t *arena;
    bus_peers_t *peers;
    bus_pending_t *pending;
    pl_request_t *open; /* arrived and not yet answered */
    handler_t handlers[BODIES];
    pl_bus_peer_fn *on_peer;
    void *on_peer_arg;

    uint32_t load, capacity;
    bool draining;
    uint64_t started;
    uint64_t correlation;

    pl_metric_t *received, *sent, *malformed, *unhandled, *late, *undelivered;
};

struct pl_request {
    pl_request_t *next, **at; /* in bus->open */
    pl_bus_t *bus;            /* NULL: the bus has gone and has refused it */
    uint8_t identity[BUS_IDENTITY_MAX_BYTES];
    size_t identity_bytes;
    uint64_t correlation;
    uint64_t deadline_ms; /* 0: none */
    uint32_t epoch;
    char *call_id, *trace_parent;
};

/* ---- arrived requests ---------------------------------------------------------------------- */

static pl_request_t *request_new(pl_bus_t *bus, const bus_received_t *got)
{
    const Pl__Envelope *env = got->env;
    pl_request_t *self = calloc(1, sizeof *self);
    assert(self);
    self->bus = bus;
    memcpy(self->identity, got->identity, got->identity_bytes);
    self->identity_bytes = got->identity_bytes;
    self->correlation = env->correlation;
    self->deadline_ms = env->time_left_ms ? pl_clock_ms() + env->time_left_ms : 0;
    self->epoch = env->epoch;
    self->call_id = strdup(env->call_id);
    self->trace_parent = strdup(env->trace_parent);
    assert(self->call_id && self->trace_parent);
    self->next = bus->open;
    self->at = &bus->open;
    if (self->next) self->next->at = &self->next;
    bus->open = self;
    return self;
}

static void request_free(pl_request_t **request_p)
{
    pl_request_t *self = *request_p;
    *request_p = NULL;
    if (self->bus) {
        *self->at = self->next;
        if (self->next) self->next->at = self->at;
    }
    free(self->call_id);
    free(self->trace_parent);
    free(self);
}

static pl_err_t request_send(const pl_request_t *self, const Pl__Envelope *body)
{
    pl_bus_t *bus = self->bus;
    Pl__Envelope reply = *body; /* the body stays the caller's */
    reply.call_id = self->call_id;
    reply.correlation = self->correlation;
    reply.epoch = self->epoch;
    reply.time_left_ms = 0;
    reply.trace_parent = self->trace_parent;
    reply.sender = bus->instance;
    reply.is_reply = true;
    pl_err_t err =
        bus_wire_send(zsock_resolve(bus->router), self->identity, self->identity_bytes, &reply);
    pl_watch_check(bus->watch);
    if (!err) pl_metric_add(bus->sent, 1);
    return err;
}

static void send_error(const pl_request_t *self, pl_err_t err, uint32_t retry_after_ms,
                       const char *detail)
{
    Pl__Error error = PL__ERROR__INIT;
    error.code = (uint32_t)err;
    error.origin = self->bus->instance;
    error.detail = (char *)detail;
    error.retry_after_ms = retry_after_ms;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_ERROR;
    reply.error = &error;
    if (request_send(self, &reply) != PL_OK) pl_metric_add(self->bus->undelivered, 1);
}

void pl_request_reply(pl_request_t **request_p, Pl__Envelope *reply)
{
    pl_request_t *self = *request_p;
    if (self->bus) {
        pl_err_t err = request_send(self, reply);
        if (err == PL_INVALID) {
            log_error("bus.reply_too_large", "body=%d", (int)reply->body_case);
            send_error(self, PL_INTERNAL, 0, "the reply is larger than a message may be");
        } else if (err) { /* the asker has gone, or does not read */
            pl_metric_add(self->bus->undelivered, 1);
        }
    }
    request_free(request_p);
}

void pl_request_done(pl_request_t **request_p)
{
    Pl__Done done = PL__DONE__INIT;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_DONE;
    reply.done = &done;
    pl_request_reply(request_p, &reply);
}

void pl_request_refuse(pl_request_t **request_p, pl_err_t err, uint32_t retry_after_ms,
                       const char *fmt, ...)
{
    char detail[DETAIL_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    if ((*request_p)->bus) send_error(*request_p, err, retry_after_ms, detail);
    request_free(request_p);
}

uint32_t pl_request_time_left_ms(const pl_request_t *request)
{
    if (request->deadline_ms == 0) return UINT32_MAX;
    uint64_t now = pl_clock_ms();
    return now >= request->deadline_ms ? 0 : (uint32_t)(request->deadline_ms - now);
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void dispatch(pl_bus_t *self, const bus_received_t *got)
{
    const Pl__Envelope *env = got->env;
    pl_request_t *request = env->correlation ? request_new(self, got) : NULL;
    size_t body = (size_t)env->body_case; /* 0: a newer peer sent what we do not know */
    if (body < BODIES && self->handlers[body].fn) {
        self->handlers[body].fn(self->handlers[body].arg, env, request);
        return;
    }
    pl_metric_add(self->unhandled, 1);
    log_debug("bus.unhandled", "body=%zu sender=%s", body, env->sender);
    if (request) {
        pl_request_refuse(&request, PL_UNSUPPORTED, 0, "%s does not handle body %zu", self->service,
                          body);
    }
}

static bool on_router(void *arg)
{
    pl_bus_t *self = arg;
    bus_received_t got;
    bus_wire_t what = bus_wire_receive(zsock_resolve(self->router), true, self->arena, &got);
    if (what == BUS_WIRE_NONE) return false;
    if (what == BUS_WIRE_MALFORMED || got.env->is_reply) {
        pl_metric_add(self->malformed, 1);
    } else {
        pl_metric_add(self->received, 1);
        dispatch(self, &got);
    }
    return true;
}

static void on_link_reply(void *arg, const bus_link_t *link, const Pl__Envelope *env)
{
    pl_bus_t *self = arg;
    pl_metric_add(self->received, 1);
    if (!bus_pending_reply(self->pending, link, env)) pl_metric_add(self->late, 1);
}

static void on_link_event(void *arg, const bus_link_t *link, bus_link_event_t event)
{
    pl_bus_t *self = arg;
    pl_peer_t peer;
    bus_link_peer(link, &peer);
    if (self->on_peer) self->on_peer(self->on_peer_arg, &peer);
    if (event == BUS_LINK_DOWN) bus_pending_link_down(self->pending, link);
}

/* ---- what every instance answers ----------------------------------------------------------- */

static void on_heartbeat(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    const pl_bus_t *self = arg;
    (void)env;
    if (!request) return; /* nobody asked */
    Pl__HeartbeatReply beat = PL__HEARTBEAT_REPLY__INIT;
    beat.service = self->service;
    beat.instance = self->instance;
    beat.load = self->load;
    beat.capacity = self->capacity;
    beat.draining = self->draining;
    beat.started = self->started;
    beat.note = self->note ? self->note : "";
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_HEARTBEAT_REPLY;
    reply.heartbeat_reply = &beat;
    pl_request_reply(&request, &reply);
}

static void on_metrics_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    if (!request) return;
    Pl__MetricsReply *metrics = pl_metrics_collect();
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_METRICS_REPLY;
    reply.metrics_reply = metrics;
    pl_request_reply(&request, &reply);
    pl_metrics_free(&metrics);
}

/* ---- making and ending --------------------------------------------------------------------- */

static void make_metrics(pl_bus_t *self)
{
    self->received = pl_metric_counter("parley_bus_received_total", NULL,
                                       "Envelopes received on the bus, heartbeats not counted as "
                                       "replies");
    self->sent = pl_metric_counter("parley_bus_sent_total", NULL, "Envelopes sent on the bus");
    self->malformed = pl_metric_counter("parley_bus_malformed_total", NULL,
                                        "Messages on the bus that could not be read");
    self->unhandled = pl_metric_counter("parley_bus_unhandled_total", NULL,
                                        "Envelopes whose body this process does not handle");
    self->late = pl_metric_counter("parley_bus_late_replies_total", NULL,
                                   "Replies that came after their time, or twice");
    self->undelivered = pl_metric_counter("parley_bus_undelivered_replies_total", NULL,
                                          "Replies whose asker had gone or did not read");
}

static pl_err_t bind_router(pl_bus_t *self)
{
    pl_err_t err = bus_endpoint_claim(self->endpoint, &self->claim_fd);
    if (err) return err;
    self->router = zsock_new(ZMQ_ROUTER);
    assert(self->router);
    zsock_set_sndhwm(self->router, BUS_QUEUE_MESSAGES);
    zsock_set_rcvhwm(self->router, BUS_QUEUE_MESSAGES);
    zsock_set_maxmsgsize(self->router, BUS_MESSAGE_MAX_BYTES);
    zsock_set_router_mandatory(self->router, 1); /* a reply nobody gets is told, and counted */
    zsock_set_tcp_keepalive(self->router, 1);
    if (strchr(self->endpoint, '[')) zsock_set_ipv6(self->router, 1);
    void *socket = zsock_resolve(self->router);
    if (strncmp(self->endpoint, "tcp://", 6) == 0) pl_curve_apply(self->curve, socket, true);
    if (zmq_bind(socket, self->endpoint) != 0) {
        log_error("bus.bind", "endpoint=%s detail=\"%s\"", self->endpoint,
                  zmq_errno() == EADDRINUSE ? "it is taken" : zmq_strerror(zmq_errno()));
        return PL_UNAVAILABLE;
    }
    self->watch = pl_watch_zmq(self->loop, socket, on_router, self);
    log_info("bus.bound", "endpoint=%s", self->endpoint);
    return PL_OK;
}

static void warn_in_clear(const pl_bus_t *self, const char *endpoint)
{
    if (self->curve || !bus_endpoint_leaves_host(endpoint)) return;
    log_warn("bus.in_clear",
             "endpoint=%s detail=\"other hosts in the clear; set bus.curve_key_file\"", endpoint);
}

static void add_peers(pl_bus_t *self, const pl_config_t *cfg, const char *const *services)
{
    bus_peers_opts_t opts = {
        .loop = self->loop,
        .instance = self->instance,
        .service = self->service,
        .curve = self->curve,
        .heartbeat_ms = (uint64_t)pl_config_int(cfg, "bus.heartbeat_ms"),
        .arena = self->arena,
        .correlation = &self->correlation,
        .reply = on_link_reply,
        .event = on_link_event,
        .arg = self,
    };
    self->peers = bus_peers_new(&opts);
    for (const char *const *service = services; service && *service; service++) {
        char endpoint[BUS_ENDPOINT_BYTES];
        for (size_t i = 0; bus_endpoint_of(cfg, *service, i, endpoint); i++) {
            bus_peers_add(self->peers, *service, endpoint);
        }
    }
}

pl_err_t pl_bus_new(pl_bus_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                    const char *const *peers)
{
    pl_bus_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->claim_fd = -1;
    self->service = strdup(pl_config_service(cfg));
    self->instance = strdup(pl_config_instance(cfg));
    assert(self->service && self->instance);
    bus_endpoint_own(cfg, self->endpoint);
    ssize_t drawn = getrandom(&self->started, sizeof self->started, 0);
    assert(drawn == (ssize_t)sizeof self->started); /* never less for so few bytes */
    (void)drawn;
    /* Numbers of this start do not meet those of the one before. */
    self->correlation = self->started & ~(uint64_t)UINT32_MAX;
    make_metrics(self);

    pl_err_t err = pl_curve_load(&self->curve, pl_config_str(cfg, "bus.curve_key_file"));
    if (err) goto out;
    warn_in_clear(self, self->endpoint);
    self->arena = pl_arena_new(ARENA_BYTES, BUS_UNPACKED_MAX_BYTES);
    err = bind_router(self);
    if (err) goto out;
    pl_bus_on(self, PL__ENVELOPE__BODY_HEARTBEAT, on_heartbeat, self);
    pl_bus_on(self, PL__ENVELOPE__BODY_METRICS_GET, on_metrics_get, self);
    self->pending = bus_pending_new(loop);
    add_peers(self, cfg, peers);
    *out = self;
    self = NULL;
out:
    pl_bus_destroy(&self);
    return err;
}

static void refuse_open(pl_bus_t *self)
{
    for (pl_request_t *request = self->open; request; request = request->next) {
        send_error(request, PL_UNAVAILABLE, 0, "the instance is going down");
    }
    for (pl_request_t *request = self->open; request; request = request->next) {
        request->bus = NULL; /* its holder still ends it */
    }
    self->open = NULL;
}

void pl_bus_destroy(pl_bus_t **self_p)
{
    pl_bus_t *self = *self_p;
    if (!self) return;
    bus_pending_destroy(&self->pending);
    if (self->router) refuse_open(self);
    bus_peers_destroy(&self->peers, LINGER_MS);
    pl_watch_stop(&self->watch);
    if (self->router) zsock_set_linger(self->router, LINGER_MS);
    zsock_destroy(&self->router);
    bus_endpoint_release(self->endpoint, &self->claim_fd);
    pl_curve_destroy(&self->curve);
    pl_arena_destroy(&self->arena);
    free(self->service);
    free(self->instance);
    free(self->note);
    free(self);
    *self_p = NULL;
}

const char *pl_bus_instance(const pl_bus_t *self)
{
    return self->instance;
}

void pl_bus_load(pl_bus_t *self, uint32_t load, uint32_t capacity)
{
    self->load = load;
    self->capacity = capacity;
}

void pl_bus_drain(pl_bus_t *self)
{
    self->draining = true;
}

void pl_bus_note(pl_bus_t *self, const char *note)
{
    if (self->note && strcmp(self->note, note) == 0) return;
    free(self->note);
    self->note = strdup(note);
    assert(self->note);
}

void pl_bus_on(pl_bus_t *self, Pl__Envelope__BodyCase body, pl_bus_handler_fn *fn, void *arg)
{
    assert((size_t)body < BODIES);
    self->handlers[body] = (handler_t){fn, arg};
}

/* ---- sending ------------------------------------------------------------------------------- */

static pl_err_t send_to(pl_bus_t *self, const char *to, const Pl__Envelope *body,
                        uint64_t correlation, uint32_t time_left_ms, const bus_link_t **link)
{
    Pl__Envelope env = *body;
    env.correlation = correlation;
    env.time_left_ms = time_left_ms;
    env.sender = self->instance;
    env.is_reply = false;
    pl_err_t err = bus_peers_send(self->peers, to, &env, link);
    if (!err) pl_metric_add(self->sent, 1);
    return err;
}

pl_err_t pl_bus_event(pl_bus_t *self, const char *to, Pl__Envelope *env)
{
    const bus_link_t *link;
    return send_to(self, to, env, 0, 0, &link);
}

void pl_bus_request(pl_bus_t *self, const char *to, Pl__Envelope *env, uint32_t timeout_ms,
                    pl_bus_reply_fn *on_reply, void *arg)
{
    const bus_link_t *link = NULL;
    uint64_t correlation = ++self->correlation;
    if (timeout_ms == 0) timeout_ms = 1; /* 0 on the wire would mean no deadline */
    pl_err_t err =
        self->peers ? send_to(self, to, env, correlation, timeout_ms, &link) : PL_UNAVAILABLE;
    if (err)
        bus_pending_fail(self->pending, correlation, err, on_reply, arg);
    else
        bus_pending_open(self->pending, correlation, link, timeout_ms, on_reply, arg);
}

/* ---- peers --------------------------------------------------------------------------------- */

void pl_bus_on_peer(pl_bus_t *self, pl_bus_peer_fn *fn, void *arg)
{
    self->on_peer = fn;
    self->on_peer_arg = arg;
}

size_t pl_bus_peers(const pl_bus_t *self, const char *service, pl_peer_t *out, size_t max)
{
    return bus_peers_list(self->peers, service, out, max);
}

bool pl_bus_pick(const pl_bus_t *self, const char *to, pl_peer_t *out)
{
    const bus_link_t *link = bus_peers_pick(self->peers, to);
    if (!link) return false;
    bus_link_peer(link, out);
    return true;
}

const char *pl_bus_error_detail(pl_err_t err, const Pl__Envelope *reply)
{
    if (reply && reply->body_case == PL__ENVELOPE__BODY_ERROR && *reply->error->detail) {
        return reply->error->detail;
    }
    return pl_err_text(err);
}
