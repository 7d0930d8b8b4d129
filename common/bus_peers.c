#include "common/bus_peers.h"

#include <assert.h>
#include <czmq.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus_endpoint.h"
#include "common/bus_resolver.h"
#include "common/bus_wire.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/monitor.h"

enum {
    MISSED_IS_DOWN = 3,
    FRESH_SOCKET_TICKS = 4, /* a link that stays down tries a new socket this often */
    RECONNECT_MS = 20,
    RECONNECT_MAX_MS = 200,
    DRAIN_MAX_MESSAGES = 10000,
};

typedef struct named {
    struct named *next;
    bus_peers_t *peers;
    char *service;
    bus_resolver_t *resolver;
} named_t;

typedef struct {
    bus_link_t *link;
    zsock_t *sock;
    pl_watch_t *watch;
} conn_t;

struct bus_link {
    bus_link_t *next;
    bus_peers_t *peers;
    char *service, *endpoint;
    const named_t *name; /* whose address it is; NULL: stands in the configuration itself */
    bool listed;         /* still among the name's addresses */

    conn_t talk;
    conn_t beat; /* heartbeats on their own: the ROUTER is fair, so a flood cannot delay them */
    pl_monitor_t *monitor; /* of talk */

    char *instance; /* "" until it first answered */
    char *note;
    uint32_t load, capacity;
    bool draining, up, mismatched;
    uint64_t started;

    unsigned unanswered; /* heartbeats */
    unsigned ticks_down;
    /* Balance between heartbeats: what was sent after the last but one heartbeat may not be in the
     * load it told. */
    uint64_t picks, picks_at_heartbeat, picks_in_load;
    uint64_t last_pick;
};

struct bus_peers {
    bus_peers_opts_t opts;
    bus_link_t *links;
    named_t *names;
    pl_timer_t *tick;
    uint64_t pick_number;
    pl_metric_t *malformed, *heartbeats_missed;
};

static void link_open(bus_link_t *link);
static void link_down(bus_link_t *link, const char *why);

/* ---- one link: heartbeats ------------------------------------------------------------------ */

static void send_heartbeat(bus_link_t *link)
{
    const bus_peers_opts_t *opts = &link->peers->opts;
    Pl__Heartbeat beat = PL__HEARTBEAT__INIT;
    beat.service = (char *)opts->service;
    beat.instance = (char *)opts->instance;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.sender = (char *)opts->instance;
    env.correlation = ++*opts->correlation;
    env.time_left_ms = (uint32_t)opts->heartbeat_ms;
    env.body_case = PL__ENVELOPE__BODY_HEARTBEAT;
    env.heartbeat = &beat;
    link->unanswered++;
    (void)bus_wire_send(zsock_resolve(link->beat.sock), NULL, 0, &env); /* full: missed */
    pl_watch_check(link->beat.watch);
}

static void replace(char **text, const char *by)
{
    if (strcmp(*text, by) == 0) return;
    free(*text);
    *text = strdup(by);
    assert(*text);
}

static void tell(const bus_link_t *link, bus_link_event_t event)
{
    const bus_peers_opts_t *opts = &link->peers->opts;
    opts->event(opts->arg, link, event);
}

static void mark_down(bus_link_t *link, const char *why)
{
    log_warn("bus.down", "peer=%s endpoint=%s why=%s", link->instance, link->endpoint, why);
    link->up = false;
    link->ticks_down = 0;
    tell(link, BUS_LINK_DOWN);
}

static bool right_service(bus_link_t *link, const Pl__HeartbeatReply *beat)
{
    if (strcmp(beat->service, link->service) == 0) return true;
    if (!link->mismatched) {
        log_error("bus.wrong_service", "endpoint=%s detail=\"bus.endpoints.%s leads to %s\"",
                  link->endpoint, link->service, beat->service);
    }
    link->mismatched = true;
    return false;
}

static void on_heartbeat(bus_link_t *link, const Pl__Envelope *env)
{
    const Pl__HeartbeatReply *beat = env->heartbeat_reply;
    if (!right_service(link, beat)) return;
    link->unanswered = 0;
    if (link->up && beat->started != link->started) mark_down(link, "restarted");

    link->load = beat->load;
    link->capacity = beat->capacity;
    link->started = beat->started;
    link->picks_in_load = link->picks_at_heartbeat;
    link->picks_at_heartbeat = link->picks;
    bool now_draining = beat->draining && !link->draining;
    link->draining = beat->draining;
    replace(&link->instance, beat->instance);
    replace(&link->note, beat->note);
    if (!link->up) {
        link->up = true;
        link->mismatched = false;
        log_info("bus.up", "peer=%s endpoint=%s", link->instance, link->endpoint);
        tell(link, BUS_LINK_UP);
    } else if (now_draining) {
        tell(link, BUS_LINK_DRAINING);
    }
}

/* ---- one link: its socket ------------------------------------------------------------------ */

static bool conn_receive(void *arg)
{
    const conn_t *conn = arg;
    bus_link_t *link = conn->link;
    const bus_peers_opts_t *opts = &link->peers->opts;
    bus_received_t got;
    bus_wire_t what = bus_wire_receive(zsock_resolve(conn->sock), false, opts->arena, &got);
    if (what == BUS_WIRE_NONE) return false;
    if (what == BUS_WIRE_MALFORMED || !got.env->is_reply) {
        pl_metric_add(link->peers->malformed, 1);
    } else if (got.env->body_case == PL__ENVELOPE__BODY_HEARTBEAT_REPLY) {
        on_heartbeat(link, got.env);
    } else {
        opts->reply(opts->arg, link, got.env);
    }
    return true;
}

static void on_monitor(void *arg, uint16_t event, uint32_t value)
{
    bus_link_t *link = arg;
    (void)event; /* only about lost connections is asked */
    (void)value;
    if (!link->up) {
        /* It went before it answered, and the heartbeat with it. libzmq connects again. */
        if (link->unanswered < MISSED_IS_DOWN) send_heartbeat(link);
        return;
    }
    /* What it answered before it went still counts. */
    for (int i = 0; i < DRAIN_MAX_MESSAGES && conn_receive(&link->talk); i++) continue;
    link_down(link, "disconnected");
}

static void conn_close(conn_t *conn, int linger_ms)
{
    pl_watch_stop(&conn->watch);
    if (!conn->sock) return;
    zsock_set_linger(conn->sock, linger_ms);
    zsock_destroy(&conn->sock);
}

static void link_close(bus_link_t *link, int linger_ms)
{
    pl_monitor_stop(&link->monitor);
    conn_close(&link->talk, linger_ms);
    conn_close(&link->beat, 0);
}

static void conn_make(conn_t *conn, bus_link_t *link)
{
    conn->link = link;
    conn->sock = zsock_new(ZMQ_DEALER);
    assert(conn->sock);
    zsock_set_sndhwm(conn->sock, BUS_QUEUE_MESSAGES);
    zsock_set_rcvhwm(conn->sock, BUS_QUEUE_MESSAGES);
    zsock_set_maxmsgsize(conn->sock, BUS_MESSAGE_MAX_BYTES);
    zsock_set_reconnect_ivl(conn->sock, RECONNECT_MS);
    zsock_set_reconnect_ivl_max(conn->sock, RECONNECT_MAX_MS);
    if (strchr(link->endpoint, '[')) zsock_set_ipv6(conn->sock, 1);
    if (strncmp(link->endpoint, "tcp://", 6) == 0) {
        pl_curve_apply(link->peers->opts.curve, zsock_resolve(conn->sock), false);
    }
}

static void conn_connect(conn_t *conn)
{
    const bus_link_t *link = conn->link;
    void *socket = zsock_resolve(conn->sock);
    if (zmq_connect(socket, link->endpoint) != 0) {
        log_error("bus.connect", "endpoint=%s detail=\"%s\"", link->endpoint,
                  zmq_strerror(zmq_errno()));
    }
    conn->watch = pl_watch_zmq(link->peers->opts.loop, socket, conn_receive, conn);
}

static void link_open(bus_link_t *link)
{
    conn_make(&link->talk, link);
    conn_make(&link->beat, link);
    link->monitor = pl_monitor_start(link->peers->opts.loop, zsock_resolve(link->talk.sock),
                                     ZMQ_EVENT_DISCONNECTED, on_monitor, link);
    conn_connect(&link->talk);
    conn_connect(&link->beat);
    link->unanswered = 0;
    send_heartbeat(link); /* waits in the socket until the peer is there */
}

static void link_free(bus_link_t *link, int linger_ms)
{
    link_close(link, linger_ms);
    free(link->service);
    free(link->endpoint);
    free(link->instance);
    free(link->note);
    free(link);
}

static void link_remove(bus_link_t *link)
{
    bus_link_t **at = &link->peers->links;
    while (*at != link) at = &(*at)->next;
    *at = link->next;
    link_free(link, 0);
}

/* The link may be gone after it. */
static void link_down(bus_link_t *link, const char *why)
{
    mark_down(link, why);
    link_close(link, 0);
    if (link->listed)
        link_open(link);
    else
        link_remove(link);
}

static void link_add(bus_peers_t *self, const char *service, const char *endpoint,
                     const named_t *name)
{
    bus_link_t *link = calloc(1, sizeof *link);
    assert(link);
    link->peers = self;
    link->service = strdup(service);
    link->endpoint = strdup(endpoint);
    link->instance = strdup("");
    link->note = strdup("");
    assert(link->service && link->endpoint && link->instance && link->note);
    link->name = name;
    link->listed = true;
    bus_link_t **at = &self->links; /* at the end: pl_bus_peers lists in the order of the file */
    while (*at) at = &(*at)->next;
    *at = link;
    link_open(link);
}

static void link_tick(bus_link_t *link)
{
    if (link->up) {
        if (link->unanswered >= MISSED_IS_DOWN) {
            pl_metric_add(link->peers->heartbeats_missed, 1);
            link_down(link, "silent");
        } else {
            send_heartbeat(link);
        }
    } else if (++link->ticks_down % FRESH_SOCKET_TICKS == 0) {
        link_close(link, 0);
        link_open(link);
    }
}

static void on_tick(void *arg)
{
    bus_peers_t *self = arg;
    for (bus_link_t *link = self->links, *next; link; link = next) {
        next = link->next;
        link_tick(link);
    }
}

/* ---- names --------------------------------------------------------------------------------- */

static bool contains(const char *const *endpoints, size_t count, const char *endpoint)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(endpoints[i], endpoint) == 0) return true;
    }
    return false;
}

static bool has_link(const named_t *name, const char *endpoint)
{
    for (const bus_link_t *link = name->peers->links; link; link = link->next) {
        if (link->name == name && strcmp(link->endpoint, endpoint) == 0) return true;
    }
    return false;
}

static void on_addresses(void *arg, const char *const *endpoints, size_t count)
{
    named_t *name = arg;
    for (bus_link_t *link = name->peers->links, *next; link; link = next) {
        next = link->next;
        if (link->name != name) continue;
        link->listed = contains(endpoints, count, link->endpoint);
        if (!link->listed && !link->up) link_remove(link);
    }
    for (size_t i = 0; i < count; i++) {
        if (!has_link(name, endpoints[i])) link_add(name->peers, name->service, endpoints[i], name);
    }
}

void bus_peers_add(bus_peers_t *self, const char *service, const char *endpoint)
{
    char host[BUS_ENDPOINT_BYTES], port[BUS_ENDPOINT_BYTES];
    if (!bus_endpoint_tcp(endpoint, host, port) || !bus_endpoint_is_name(host)) {
        link_add(self, service, endpoint, NULL);
        return;
    }
    named_t *name = calloc(1, sizeof *name);
    assert(name);
    name->peers = self;
    name->service = strdup(service);
    assert(name->service);
    name->next = self->names;
    self->names = name;
    name->resolver = bus_resolver_new(self->opts.loop, host, port, on_addresses, name);
}

/* ---- all of them --------------------------------------------------------------------------- */

bus_peers_t *bus_peers_new(const bus_peers_opts_t *opts)
{
    bus_peers_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->malformed = pl_metric_counter("parley_bus_malformed_total", NULL,
                                        "Messages on the bus that could not be read");
    self->heartbeats_missed = pl_metric_counter("parley_bus_silent_peers_total", NULL,
                                                "Peers given up after three missed heartbeats");
    self->tick = pl_timer_start(opts->loop, opts->heartbeat_ms, opts->heartbeat_ms, on_tick, self);
    return self;
}

void bus_peers_destroy(bus_peers_t **self_p, int linger_ms)
{
    bus_peers_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->tick);
    for (named_t *name = self->names, *next; name; name = next) {
        next = name->next;
        bus_resolver_destroy(&name->resolver);
        free(name->service);
        free(name);
    }
    for (bus_link_t *link = self->links, *next; link; link = next) {
        next = link->next;
        link_free(link, link->up ? linger_ms : 0);
    }
    free(self);
}

static uint64_t load_of(const bus_link_t *link)
{
    return link->load + (link->picks - link->picks_in_load);
}

/* Is a the better choice? Share of capacity in use, then who waited longest. */
static bool better(const bus_link_t *a, const bus_link_t *b)
{
    if (a->draining != b->draining) return !a->draining;
    uint64_t a_capacity = a->capacity ? a->capacity : 1000;
    uint64_t b_capacity = b->capacity ? b->capacity : 1000;
    uint64_t a_share = load_of(a) * b_capacity, b_share = load_of(b) * a_capacity;
    if (a_share != b_share) return a_share < b_share;
    return a->last_pick < b->last_pick;
}

static bus_link_t *find(const bus_peers_t *self, const char *to, bool *by_service)
{
    bus_link_t *best = NULL;
    *by_service = true;
    for (bus_link_t *link = self->links; link; link = link->next) {
        if (!link->up || strcmp(link->service, to) != 0) continue;
        if (!best || better(link, best)) best = link;
    }
    if (best) return best;
    *by_service = false;
    for (bus_link_t *link = self->links; link; link = link->next) {
        if (link->up && strcmp(link->instance, to) == 0) return link;
    }
    return NULL;
}

const bus_link_t *bus_peers_pick(const bus_peers_t *self, const char *to)
{
    bool by_service;
    return find(self, to, &by_service);
}

pl_err_t bus_peers_send(bus_peers_t *self, const char *to, const Pl__Envelope *env,
                        const bus_link_t **link_p)
{
    bool by_service;
    bus_link_t *link = find(self, to, &by_service);
    if (!link) return PL_UNAVAILABLE;
    pl_err_t err = bus_wire_send(zsock_resolve(link->talk.sock), NULL, 0, env);
    if (err) return err;
    pl_watch_check(link->talk.watch);
    if (by_service) {
        link->picks++;
        link->last_pick = ++self->pick_number;
    }
    *link_p = link;
    return PL_OK;
}

void bus_link_peer(const bus_link_t *link, pl_peer_t *out)
{
    *out = (pl_peer_t){.service = link->service,
                       .instance = link->instance,
                       .load = link->load,
                       .capacity = link->capacity,
                       .draining = link->draining,
                       .up = link->up,
                       .started = link->started,
                       .note = link->note};
}

size_t bus_peers_list(const bus_peers_t *self, const char *service, pl_peer_t *out, size_t max)
{
    size_t count = 0;
    for (const bus_link_t *link = self->links; link; link = link->next) {
        if (strcmp(link->service, service) != 0) continue;
        if (count < max) bus_link_peer(link, &out[count]);
        count++;
    }
    return count;
}
