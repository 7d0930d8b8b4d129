#include "common/lane.h"

#include <assert.h>
#include <czmq.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/curve.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/monitor.h"

enum {
    MESSAGE_MAX_BYTES = 16 * 1024, /* 23 frames */
    /* 120 ms of 500 calls: the mark bounds memory (2 MB), credit bounds delay. */
    QUEUE_MESSAGES = 128,
    ARENA_BYTES = 32 * 1024,
    ARENA_MAX_BYTES = 512 * 1024,
    HELLO_WAIT_MS = 5000, /* of a listener whose peer may never come */
    KEEPALIVE_SEC = 1,    /* of TCP: finds a host that vanished without a word */
    KEEPALIVE_COUNT = 3,
    GONE_MAX = 16,
};

struct pl_lane {
    pl_loop_t *loop;
    pl_lane_sink_t sink;
    bool listening, ready, broken;
    uint8_t token[PL_LANE_TOKEN_BYTES];
    char endpoint[512];
    pl_curve_t *curve;
    zsock_t *sock;
    pl_watch_t *watch;
    pl_monitor_t *monitor;
    pl_timer_t *deadline;
    pl_arena_t *arena;
    size_t packed; /* bytes of pack */
    uint8_t pack[MESSAGE_MAX_BYTES];

    int peer_fd;        /* of a listener: the connection that showed the token; -1: none yet */
    int gone[GONE_MAX]; /* connections that ended before; a ring */
    unsigned gone_count;

    unsigned entered; /* calls into the sink under way: then a destroy frees later */
    bool dead;
    pl_metric_t *dropped, *breaks, *unknown;
};

/* ---- breaking and ending ------------------------------------------------------------------- */

static void lane_close(pl_lane_t *self)
{
    pl_timer_stop(&self->deadline);
    if (!self->sock) return;
    pl_monitor_stop(&self->monitor);
    pl_watch_stop(&self->watch);
    zsock_destroy(&self->sock); /* CZMQ's linger is 0: what is queued was for a live peer */
    const char *ipc = "ipc://";
    if (self->listening && strncmp(self->endpoint, ipc, strlen(ipc)) == 0) {
        (void)unlink(self->endpoint + strlen(ipc));
    }
}

static void lane_free(pl_lane_t *self)
{
    pl_curve_destroy(&self->curve);
    pl_arena_destroy(&self->arena);
    free(self);
}

/* Around what may call the sink: the outermost one frees a lane that was destroyed within. */
static void enter(pl_lane_t *self)
{
    self->entered++;
}

static void leave(pl_lane_t *self)
{
    if (--self->entered == 0 && self->dead) lane_free(self);
}

/* Between enter and leave. */
static void lane_break(pl_lane_t *self, const char *why)
{
    if (self->broken) return;
    self->broken = true;
    self->ready = false;
    lane_close(self);
    pl_metric_add(self->breaks, 1);
    log_info("lane.broken", "endpoint=%s why=\"%s\"", self->endpoint, why);
    self->sink.broken(self->sink.arg, why);
}

void pl_lane_destroy(pl_lane_t **self_p)
{
    pl_lane_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->broken = true; /* no further callback */
    self->ready = false;
    lane_close(self);
    self->dead = true;
    if (self->entered == 0) lane_free(self);
}

static void on_deadline(void *arg)
{
    pl_lane_t *self = arg;
    enter(self);
    lane_break(self, self->listening ? "nobody showed the token" : "no answer to the hello");
    leave(self);
}

/* ---- connections --------------------------------------------------------------------------- */

static bool is_gone(const pl_lane_t *self, int fd)
{
    for (unsigned i = 0; i < GONE_MAX; i++) {
        if (self->gone[i] == fd) return true;
    }
    return false;
}

/* Several may connect to a listener; only the end of the one with the token matters. Descriptors
 * are used again, so a new connection takes its number off the list of those that ended. */
static void on_listener_event(pl_lane_t *self, uint16_t event, int fd)
{
    if (event == ZMQ_EVENT_DISCONNECTED && fd == self->peer_fd) {
        lane_break(self, "the peer is gone");
    } else if (event == ZMQ_EVENT_DISCONNECTED) {
        self->gone[self->gone_count++ % GONE_MAX] = fd;
    } else if (event == ZMQ_EVENT_ACCEPTED) {
        for (unsigned i = 0; i < GONE_MAX; i++) {
            if (self->gone[i] == fd) self->gone[i] = -1;
        }
    }
}

static void on_connection(void *arg, uint16_t event, uint32_t value)
{
    pl_lane_t *self = arg;
    enter(self);
    if (self->listening) {
        on_listener_event(self, event, (int)value);
    } else if (event == ZMQ_EVENT_DISCONNECTED) {
        lane_break(self, "the peer is gone");
    } else if (event != ZMQ_EVENT_ACCEPTED) {
        lane_break(self, "the peer refused the connection");
    }
    leave(self);
}

/* ---- messages ------------------------------------------------------------------------------ */

/* Sends what was packed; false: the socket is full. */
static bool flush(pl_lane_t *self)
{
    if (self->packed == 0) return true;
    if (zmq_send(zsock_resolve(self->sock), self->pack, self->packed, ZMQ_DONTWAIT) < 0)
        return false;
    self->packed = 0;
    return true;
}

static pl_err_t send_message(pl_lane_t *self, const Pl__LaneMessage *message)
{
    zmq_msg_t msg;
    int rc = zmq_msg_init_size(&msg, pl__lane_message__get_packed_size(message));
    assert(rc == 0); /* only ENOMEM */
    (void)rc;
    pl__lane_message__pack(message, zmq_msg_data(&msg));
    if (zmq_msg_send(&msg, zsock_resolve(self->sock), ZMQ_DONTWAIT) >= 0) {
        pl_watch_check(self->watch);
        return PL_OK;
    }
    zmq_msg_close(&msg);
    return PL_BUSY;
}

static bool right_token(const pl_lane_t *self, const Pl__LaneHello *hello)
{
    if (hello->token.len != PL_LANE_TOKEN_BYTES) return false;
    uint8_t differs = 0; /* looks at all of it, so that time tells nothing */
    for (size_t i = 0; i < PL_LANE_TOKEN_BYTES; i++)
        differs |= self->token[i] ^ hello->token.data[i];
    return differs == 0;
}

static void become_ready(pl_lane_t *self)
{
    self->ready = true;
    pl_timer_stop(&self->deadline);
    if (self->sink.ready) self->sink.ready(self->sink.arg);
}

static void on_hello(pl_lane_t *self, const Pl__LaneMessage *message, int fd)
{
    if (message->body_case != PL__LANE_MESSAGE__BODY_HELLO) {
        lane_break(self, "no hello came first");
        return;
    }
    if (!right_token(self, message->hello)) {
        lane_break(self, "wrong token");
        return;
    }
    while (pl_monitor_take(self->monitor)) continue; /* its end may be known already */
    if (fd >= 0 && is_gone(self, fd)) {
        lane_break(self, "the peer is gone");
        return;
    }
    self->peer_fd = fd;
    Pl__LaneReady body = PL__LANE_READY__INIT;
    Pl__LaneMessage reply = PL__LANE_MESSAGE__INIT;
    reply.body_case = PL__LANE_MESSAGE__BODY_READY;
    reply.ready = &body;
    if (send_message(self, &reply) != PL_OK) {
        lane_break(self, "the hello could not be answered");
        return;
    }
    become_ready(self);
}

static void on_frames(pl_lane_t *self, const Pl__LaneMessage *message)
{
    if (message->body_case != PL__LANE_MESSAGE__BODY__NOT_SET) {
        lane_break(self, "a second hello");
        return;
    }
    if (message->n_frames == 0) pl_metric_add(self->unknown, 1); /* a newer peer's */
    for (size_t i = 0; i < message->n_frames && self->ready; i++) {
        self->sink.frame(self->sink.arg, message->frames[i]);
    }
}

static void on_message(pl_lane_t *self, const Pl__LaneMessage *message, int fd)
{
    if (!message) {
        lane_break(self, "malformed message");
    } else if (self->ready) {
        on_frames(self, message);
    } else if (self->listening) {
        on_hello(self, message, fd);
    } else if (message->body_case == PL__LANE_MESSAGE__BODY_READY) {
        become_ready(self);
    } else {
        lane_break(self, "something else than ready answered the hello");
    }
}

/* Whether there was a message. */
static bool receive(pl_lane_t *self)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    if (zmq_msg_recv(&msg, zsock_resolve(self->sock), ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&msg);
        return false;
    }
    int fd = self->ready ? -1 : zmq_msg_get(&msg, ZMQ_SRCFD);
    pl_arena_reset(self->arena);
    const Pl__LaneMessage *message = NULL;
    if (!zmq_msg_more(&msg)) {
        message = pl__lane_message__unpack(pl_arena_allocator(self->arena), zmq_msg_size(&msg),
                                           zmq_msg_data(&msg));
    }
    zmq_msg_close(&msg); /* unpacking copied */
    enter(self);
    on_message(self, message, fd);
    leave(self);
    return true;
}

/* Before the loop waits, and whenever there is something to read or room to send again. A send may
 * have taken the edge of a message: what is sent here is followed by another look. */
static bool on_readable(void *arg)
{
    pl_lane_t *self = arg;
    if (receive(self)) return true;
    if (self->packed == 0) return false;
    return flush(self) || receive(self);
}

/* ---- making -------------------------------------------------------------------------------- */

static void set_int(void *socket, int option, int value)
{
    int rc = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(rc == 0);
    (void)rc;
}

static pl_err_t lane_new(pl_lane_t **out, pl_loop_t *loop, bool listening, const char *endpoint,
                         const char *curve_key_file, const uint8_t token[PL_LANE_TOKEN_BYTES],
                         const pl_lane_sink_t *sink)
{
    pl_curve_t *curve = NULL;
    pl_err_t err = pl_curve_load(&curve, curve_key_file);
    if (err) return err;
    pl_lane_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->listening = listening;
    self->sink = *sink;
    self->curve = curve;
    self->peer_fd = -1;
    for (unsigned i = 0; i < GONE_MAX; i++) self->gone[i] = -1;
    memcpy(self->token, token, PL_LANE_TOKEN_BYTES);
    (void)snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->arena = pl_arena_new(ARENA_BYTES, ARENA_MAX_BYTES);
    self->dropped =
        pl_metric_counter("parley_lane_dropped_total", NULL, "Frames a full media lane refused");
    self->breaks = pl_metric_counter("parley_lane_broken_total", NULL, "Media lanes that broke");
    self->unknown =
        pl_metric_counter("parley_lane_unknown_total", NULL,
                          "Messages on a media lane of a kind this build does not know");

    self->sock = zsock_new(ZMQ_PAIR);
    assert(self->sock);
    void *socket = zsock_resolve(self->sock);
    set_int(socket, ZMQ_SNDHWM, QUEUE_MESSAGES);
    set_int(socket, ZMQ_RCVHWM, QUEUE_MESSAGES);
    set_int(socket, ZMQ_RECONNECT_IVL, -1); /* never revived */
    /* Not ZMQ_HEARTBEAT_IVL: docs/decisions/0004-no-zmtp-heartbeats.md */
    set_int(socket, ZMQ_TCP_KEEPALIVE, 1);
    set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_SEC);
    set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_SEC);
    set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT);
    set_int(socket, ZMQ_TCP_MAXRT, KEEPALIVE_SEC * KEEPALIVE_COUNT * 1000);
    int64_t max_bytes = MESSAGE_MAX_BYTES;
    (void)zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof max_bytes);
    if (strchr(endpoint, '[')) set_int(socket, ZMQ_IPV6, 1);
    if (strncmp(endpoint, "tcp://", 6) == 0) pl_curve_apply(curve, socket, listening);
    *out = self;
    return PL_OK;
}

static pl_err_t lane_failed(pl_lane_t *self)
{
    log_error("lane.failed", "endpoint=%s detail=\"%s\"", self->endpoint,
              zmq_strerror(zmq_errno()));
    pl_lane_destroy(&self);
    return PL_UNAVAILABLE;
}

static void lane_watch(pl_lane_t *self, uint64_t wait_ms)
{
    self->watch = pl_watch_zmq(self->loop, zsock_resolve(self->sock), on_readable, self);
    self->deadline = pl_timer_start(self->loop, wait_ms, 0, on_deadline, self);
}

pl_err_t pl_lane_listen(pl_lane_t **out, pl_loop_t *loop, const char *endpoint,
                        const char *curve_key_file, const uint8_t token[PL_LANE_TOKEN_BYTES],
                        const pl_lane_sink_t *sink)
{
    pl_lane_t *self;
    pl_err_t err = lane_new(&self, loop, true, endpoint, curve_key_file, token, sink);
    if (err) return err;
    void *socket = zsock_resolve(self->sock);
    int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;
    self->monitor = pl_monitor_start(loop, socket, events, on_connection, self);
    if (zmq_bind(socket, endpoint) != 0) return lane_failed(self);
    size_t size = sizeof self->endpoint;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, self->endpoint, &size) != 0) {
        return lane_failed(self);
    }
    lane_watch(self, HELLO_WAIT_MS);
    *out = self;
    return PL_OK;
}

pl_err_t pl_lane_connect(pl_lane_t **out, pl_loop_t *loop, const char *endpoint,
                         const char *curve_key_file, const uint8_t token[PL_LANE_TOKEN_BYTES],
                         const pl_lane_sink_t *sink)
{
    pl_lane_t *self;
    pl_err_t err = lane_new(&self, loop, false, endpoint, curve_key_file, token, sink);
    if (err) return err;
    void *socket = zsock_resolve(self->sock);
    int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    self->monitor = pl_monitor_start(loop, socket, events, on_connection, self);
    if (zmq_connect(socket, endpoint) != 0) return lane_failed(self);
    lane_watch(self, PL_LANE_HELLO_MS);

    Pl__LaneHello body = PL__LANE_HELLO__INIT;
    body.token = (ProtobufCBinaryData){PL_LANE_TOKEN_BYTES, self->token};
    Pl__LaneMessage hello = PL__LANE_MESSAGE__INIT;
    hello.body_case = PL__LANE_MESSAGE__BODY_HELLO;
    hello.hello = &body;
    (void)send_message(self, &hello); /* the first message of a fresh socket always fits */
    *out = self;
    return PL_OK;
}

const char *pl_lane_endpoint(const pl_lane_t *self)
{
    return self->endpoint;
}

pl_err_t pl_lane_send(pl_lane_t *self, Pl__LaneFrame *frame)
{
    if (!self->ready) return PL_UNAVAILABLE;
    Pl__LaneMessage message = PL__LANE_MESSAGE__INIT;
    message.n_frames = 1;
    message.frames = &frame;
    size_t bytes = pl__lane_message__get_packed_size(&message);
    if (bytes > MESSAGE_MAX_BYTES) return PL_INVALID;
    if (self->packed + bytes > MESSAGE_MAX_BYTES && !flush(self)) {
        pl_metric_add(self->dropped, 1); /* a full socket refuses the newest frame */
        return PL_BUSY;
    }
    /* Encodings of a message one after the other are that of one with all their frames. */
    pl__lane_message__pack(&message, self->pack + self->packed);
    self->packed += bytes;
    pl_watch_check(self->watch); /* flushes before the loop waits */
    return PL_OK;
}
