#include "services/gateway/http_server.h"

#include <assert.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <uv.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "services/gateway/http_listen.h"

enum {
    WRITE_BYTES = 32768,         /* handed to the socket at a time */
    PENDING_MAX_BYTES = 65536,   /* of requests behind the one being answered */
    LINGER_MAX_BYTES = 16 << 20, /* read and dropped before a refused client is cut off */
    LINGER_MS = 2000,
};

typedef enum {
    CONN_READING,   /* waiting for a request, or within one */
    CONN_HANDLING,  /* an exchange is open */
    CONN_WRITING,   /* the response is on its way */
    CONN_LINGERING, /* all said; dropping what the client still sends until it closes */
} conn_state_t;

typedef struct {
    http_server_t *server;
    struct lws *wsi; /* NULL once the client has gone */
    conn_state_t state;
    http_parser_t *parser;
    text_t pending; /* bytes of later requests */
    text_t out;     /* response's head, and body unless it is fixed */
    const char *fixed;
    size_t fixed_bytes;
    size_t written; /* of out and fixed together */
    bool close_after;
    bool interim; /* "100 Continue" is to be sent */
    size_t lingered_bytes;
    http_exchange_t *exchange;
} conn_t;

struct http_exchange {
    conn_t *conn;
    const char *route;
    uint64_t since_us;
};

struct http_server {
    http_server_opts_t opts;
    struct lws_context *context;
    struct lws_vhost *vhost;
    pl_loop_t *loop;
    size_t connections, busy; /* busy: with an exchange or an unsent response */
    bool draining, destroyed; /* destroyed: lives on until the last exchange has ended */
    void (*on_idle)(void *arg);
    void *idle_arg;
    pl_metric_t *open, *accepted, *refused, *faults, *by_class[6], *seconds, *answered;
};

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {{200, "OK"},
                 {201, "Created"},
                 {204, "No Content"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {422, "Unprocessable Content"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].status == status) return known[i].text;
    }
    return "Unknown";
}

/* ---- connections ---- */

static void timer(conn_t *conn, uint32_t ms)
{
    lws_set_timer_usecs(conn->wsi, ms ? (lws_usec_t)ms * 1000 : LWS_SET_TIMER_USEC_CANCEL);
}

static void idle_check(http_server_t *server)
{
    if (!server->draining || server->busy > 0 || !server->on_idle) return;
    void (*on_idle)(void *) = server->on_idle;
    server->on_idle = NULL;
    pl_loop_post(server->loop, on_idle, server->idle_arg);
}

static void busy(conn_t *conn, bool now)
{
    http_server_t *server = conn->server;
    server->busy += now ? 1U : (size_t)-1;
    if (now) return;
    idle_check(server);
}

static conn_t *conn_new(http_server_t *server, struct lws *wsi)
{
    conn_t *conn = calloc(1, sizeof *conn);
    if (!conn) abort();
    conn->server = server;
    conn->wsi = wsi;
    conn->parser = http_parser_new(server->opts.body_max_bytes);
    server->connections++;
    pl_metric_add(server->accepted, 1);
    pl_metric_set(server->open, (double)server->connections);
    return conn;
}

static void conn_free(conn_t *conn)
{
    http_parser_destroy(&conn->parser);
    text_free(&conn->pending);
    text_free(&conn->out);
    free(conn);
}

/* The socket is gone. An open exchange keeps the rest alive until it is ended. */
static void conn_closed(conn_t *conn)
{
    http_server_t *server = conn->server;
    conn->wsi = NULL;
    server->connections--;
    pl_metric_set(server->open, (double)server->connections);
    if (conn->exchange) return;
    if (conn->state == CONN_WRITING) busy(conn, false);
    conn_free(conn);
}

/* ---- responses ---- */

static void date_header(text_t *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(pl_clock_wall_ms() / 1000);
    struct tm t;
    if (!gmtime_r(&now, &t)) return;
    text_fmt(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[t.tm_wday], t.tm_mday,
             months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void write_response(conn_t *conn, const http_response_t *r, bool with_body)
{
    text_t *out = &conn->out;
    size_t size = r->fixed ? r->fixed_bytes : r->body.size;
    text_fmt(out, "HTTP/1.1 %d %s\r\n", r->status, http_status_text(r->status));
    date_header(out);
    if (r->status != 204 && r->status != 304) {
        if (r->content_type) text_fmt(out, "Content-Type: %s\r\n", r->content_type);
        text_fmt(out, "Content-Length: %zu\r\n", size);
    }
    text_fmt(out, "Cache-Control: %s\r\n", r->cache ? r->cache : "no-store");
    text_add(out, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
    text_fmt(out, "Connection: %s\r\n", conn->close_after ? "close" : "keep-alive");
    if (r->headers.size) text_bytes(out, r->headers.data, r->headers.size);
    text_add(out, "\r\n");
    if (!with_body || size == 0) return;
    if (r->fixed) {
        conn->fixed = r->fixed;
        conn->fixed_bytes = r->fixed_bytes;
    } else {
        text_bytes(out, r->body.data, r->body.size);
    }
}

static void count_answer(http_server_t *server, int status)
{
    size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 5;
    pl_metric_add(server->by_class[class], 1);
}

static void start_writing(conn_t *conn)
{
    conn->state = CONN_WRITING;
    conn->written = 0;
    timer(conn, conn->server->opts.write_timeout_ms);
    lws_callback_on_writable(conn->wsi);
}

/* An answer this file gives itself, to what is no request. The connection closes after it. */
static void refuse(conn_t *conn, int status, const char *detail)
{
    http_server_t *server = conn->server;
    http_response_t r = {.status = status, .content_type = "application/json"};
    if (server->opts.on_fault) server->opts.on_fault(server->opts.arg, status, detail, &r.body);
    if (status == 503) text_add(&r.headers, "Retry-After: 1\r\n");
    conn->close_after = true;
    lws_rx_flow_control(conn->wsi, 0);
    write_response(conn, &r, true);
    text_free(&r.body);
    text_free(&r.headers);
    pl_metric_add(server->faults, 1);
    count_answer(server, status);
    busy(conn, true);
    start_writing(conn);
}

const http_request_t *http_exchange_request(const http_exchange_t *self)
{
    return http_parser_request(self->conn->parser);
}

void http_exchange_route(http_exchange_t *self, const char *route)
{
    self->route = route;
}

static void exchange_log(const http_exchange_t *x, int status)
{
    const char *method = http_exchange_request(x)->method;
    uint64_t us = pl_clock_us() - x->since_us;
    pl_metric_add(x->conn->server->seconds, (double)us / 1e6);
    pl_metric_add(x->conn->server->answered, 1);
    pl_log(status >= 500 ? PL_LOG_WARN : PL_LOG_DEBUG, "http.answered",
           "method=%s route=\"%s\" status=%d us=%llu gone=%d", method, x->route, status,
           (unsigned long long)us, x->conn->wsi == NULL);
}

void http_respond(http_exchange_t **exchange_p, http_response_t *response)
{
    http_exchange_t *x = *exchange_p;
    conn_t *conn = x->conn;
    *exchange_p = NULL;
    exchange_log(x, response->status);
    count_answer(conn->server, response->status);
    conn->exchange = NULL;
    if (conn->wsi) {
        const http_request_t *request = http_parser_request(conn->parser);
        conn->close_after = conn->close_after || !request->keep_alive || conn->server->draining;
        write_response(conn, response, strcmp(request->method, "HEAD") != 0);
        start_writing(conn);
    } else {
        http_server_t *server = conn->server;
        busy(conn, false);
        conn_free(conn);
        if (server->destroyed && server->busy == 0) free(server);
    }
    text_free(&response->headers);
    text_free(&response->body);
    free(x);
}

/* ---- reading ---- */

static void open_exchange(conn_t *conn)
{
    http_exchange_t *x = calloc(1, sizeof *x);
    if (!x) abort();
    *x = (http_exchange_t){.conn = conn, .route = "", .since_us = pl_clock_us()};
    conn->exchange = x;
    conn->state = CONN_HANDLING;
    timer(conn, 0);
    lws_rx_flow_control(conn->wsi, 0);
    busy(conn, true);
    conn->server->opts.on_request(conn->server->opts.arg, x);
}

static void stage_entered(conn_t *conn, http_stage_t stage)
{
    const http_server_opts_t *opts = &conn->server->opts;
    if (stage == HTTP_BROKEN) {
        http_fault_t fault = http_parser_fault(conn->parser);
        refuse(conn, fault.status, fault.detail);
    } else if (stage == HTTP_READY) {
        open_exchange(conn);
    } else if (stage == HTTP_HEAD) {
        timer(conn, opts->head_timeout_ms);
    } else if (stage == HTTP_BODY) {
        timer(conn, opts->body_timeout_ms);
        const http_request_t *request = http_parser_request(conn->parser);
        if (request->expect_continue && request->body_bytes == 0) {
            conn->interim = true;
            lws_callback_on_writable(conn->wsi);
        }
    }
}

/* Gives bytes to the parser as far as it takes them. */
static size_t feed(conn_t *conn, const char *bytes, size_t size)
{
    http_stage_t before = http_parser_stage(conn->parser);
    size_t taken = http_parser_feed(conn->parser, bytes, size);
    http_stage_t after = http_parser_stage(conn->parser);
    if (after != before) stage_entered(conn, after);
    return taken;
}

static int received(conn_t *conn, const char *bytes, size_t size)
{
    size_t taken = 0;
    if (conn->state == CONN_LINGERING) {
        conn->lingered_bytes += size;
        return conn->lingered_bytes > LINGER_MAX_BYTES ? -1 : 0;
    }
    if (conn->state == CONN_READING) taken = feed(conn, bytes, size);
    if (conn->close_after) return 0; /* refused: what follows is of no use */
    if (conn->pending.size + size - taken > PENDING_MAX_BYTES) return -1;
    text_bytes(&conn->pending, bytes + taken, size - taken);
    return 0;
}

/* ---- writing ---- */

/* The response is with the kernel: the next request, or the end. */
static int sent(conn_t *conn)
{
    http_server_t *server = conn->server;
    text_free(&conn->out);
    conn->fixed = NULL;
    conn->fixed_bytes = 0;
    busy(conn, false);
    if (conn->close_after || server->draining) {
        conn->state = CONN_LINGERING;
        timer(conn, LINGER_MS);
        lws_rx_flow_control(conn->wsi, 1);
        return shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR) ? -1 : 0;
    }
    http_parser_reset(conn->parser);
    conn->state = CONN_READING;
    timer(conn, server->opts.idle_timeout_ms);
    text_t pending = conn->pending;
    conn->pending = (text_t){0};
    size_t taken = pending.size ? feed(conn, pending.data, pending.size) : 0;
    if (taken < pending.size) {
        text_bytes(&conn->pending, pending.data + taken, pending.size - taken);
    }
    text_free(&pending);
    if (conn->state == CONN_READING) lws_rx_flow_control(conn->wsi, 1);
    return 0;
}

static int write_some(conn_t *conn, const char *bytes, size_t size)
{
    size_t n = size < WRITE_BYTES ? size : WRITE_BYTES;
    /* libwebsockets does not change what it writes raw, it only lacks the const */
    if (lws_write(conn->wsi, (unsigned char *)bytes, n, LWS_WRITE_RAW) < 0) return -1;
    conn->written += n;
    timer(conn, conn->server->opts.write_timeout_ms);
    lws_callback_on_writable(conn->wsi);
    return 0;
}

/* Called when libwebsockets holds no unsent byte of this connection. */
static int writable(conn_t *conn)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (conn->state == CONN_READING && conn->interim) {
        conn->interim = false;
        unsigned char *bytes = (unsigned char *)go_on;
        return lws_write(conn->wsi, bytes, sizeof go_on - 1, LWS_WRITE_RAW) < 0 ? -1 : 0;
    }
    if (conn->state != CONN_WRITING) return 0;
    conn->interim = false;
    if (conn->written < conn->out.size) {
        return write_some(conn, conn->out.data + conn->written, conn->out.size - conn->written);
    }
    size_t of_fixed = conn->written - conn->out.size;
    if (of_fixed < conn->fixed_bytes) {
        return write_some(conn, conn->fixed + of_fixed, conn->fixed_bytes - of_fixed);
    }
    return sent(conn);
}

/* -1 closes. */
static int timed_out(conn_t *conn)
{
    http_stage_t stage = http_parser_stage(conn->parser);
    if (conn->state == CONN_READING && (stage == HTTP_HEAD || stage == HTTP_BODY)) {
        refuse(conn, 408,
               stage == HTTP_HEAD ? "The headers took too long" : "The body took too long");
        return 0;
    }
    return conn->state == CONN_HANDLING ? 0 : -1;
}

static void accepted(http_server_t *server, struct lws *wsi, conn_t **slot)
{
    conn_t *conn = conn_new(server, wsi);
    *slot = conn;
    if (server->connections > server->opts.connections_max) {
        pl_metric_add(server->refused, 1);
        refuse(conn, 503, "Too many connections: gateway.http.connections_max are open");
    } else {
        timer(conn, server->opts.idle_timeout_ms < server->opts.head_timeout_ms
                        ? server->opts.idle_timeout_ms
                        : server->opts.head_timeout_ms);
    }
}

static int on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t size)
{
    conn_t **slot = user;
    /* Reasons are many and most do not concern a raw socket. */
    if (reason == LWS_CALLBACK_RAW_ADOPT) {
        accepted(lws_context_user(lws_get_context(wsi)), wsi, slot);
        return 0;
    }
    if (!slot || !*slot) return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX:
        return received(*slot, in, size);
    case LWS_CALLBACK_RAW_WRITEABLE:
        return writable(*slot);
    case LWS_CALLBACK_TIMER:
        return timed_out(*slot);
    case LWS_CALLBACK_RAW_CLOSE:
        conn_closed(*slot);
        *slot = NULL;
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_socket, .per_session_data_size = sizeof(conn_t *)},
    {.name = NULL},
};

/* ---- the server ---- */

static void make_metrics(http_server_t *self)
{
    static const char *const labels[] = {NULL,
                                         "status=\"1xx\"",
                                         "status=\"2xx\"",
                                         "status=\"3xx\"",
                                         "status=\"4xx\"",
                                         "status=\"5xx\""};
    self->open = pl_metric_gauge("parley_http_connections", NULL, "HTTP connections open");
    self->accepted =
        pl_metric_counter("parley_http_connections_total", NULL, "HTTP connections accepted");
    self->refused = pl_metric_counter("parley_http_connections_refused_total", NULL,
                                      "HTTP connections over the limit");
    self->faults =
        pl_metric_counter("parley_http_faults_total", NULL, "requests that could not be read");
    self->seconds = pl_metric_counter("parley_http_request_seconds_sum", NULL,
                                      "time from a request to its answer");
    self->answered =
        pl_metric_counter("parley_http_request_seconds_count", NULL, "requests answered");
    for (size_t i = 1; i < sizeof labels / sizeof *labels; i++) {
        self->by_class[i] =
            pl_metric_counter("parley_http_responses_total", labels[i], "answers by status");
    }
}

static void lws_said(int level, const char *line)
{
    size_t size = strcspn(line, "\r\n");
    pl_log(level == LLL_ERR ? PL_LOG_WARN : PL_LOG_DEBUG, "http.lws", "detail=\"%.*s\"", (int)size,
           line);
}

pl_err_t http_server_new(http_server_t **out, pl_loop_t *loop, const http_server_opts_t *opts)
{
    http_listen_t at;
    pl_err_t err = http_listen_parse(opts->listen, &at);
    if (!err) err = http_listen_probe(opts->listen, &at);
    if (err) return err;

    http_server_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->opts = *opts;
    self->loop = loop;
    make_metrics(self);

    void *loops[] = {pl_loop_uv(loop)};
    struct lws_context_creation_info info = {0};
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_said);
    info.port = at.port;
    info.iface = at.any ? NULL : at.host;
    info.protocols = protocols;
    info.listen_accept_role = "raw-skt";
    info.listen_accept_protocol = "http";
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG |
                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (at.ipv6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6);
    info.foreign_loops = loops;
    info.user = self;
    self->context = lws_create_context(&info);
    self->vhost = self->context ? lws_create_vhost(self->context, &info) : NULL;
    if (!self->vhost) {
        fprintf(stderr, "gateway.http.listen: cannot listen on %s\n", opts->listen);
        http_server_destroy(&self);
        return PL_UNAVAILABLE;
    }
    log_info("http.listening", "address=%s port=%d", opts->listen, http_server_port(self));
    *out = self;
    return PL_OK;
}

int http_server_port(const http_server_t *self)
{
    return lws_get_vhost_listen_port(self->vhost);
}

size_t http_server_exchanges(const http_server_t *self)
{
    return self->busy;
}

void http_server_drain(http_server_t *self, void (*on_idle)(void *arg), void *arg)
{
    self->draining = true;
    self->on_idle = on_idle;
    self->idle_arg = arg;
    idle_check(self);
}

void http_server_destroy(http_server_t **self_p)
{
    http_server_t *self = *self_p;
    if (!self) return;
    /* Twice: on a loop that is not libwebsockets' own the first starts the closing of sockets,
     * which takes a turn of the loop, and the second frees the context. */
    if (self->context) {
        lws_context_destroy(self->context);
        for (int i = 0; i < 10; i++) uv_run(pl_loop_uv(self->loop), UV_RUN_NOWAIT);
        lws_context_destroy(self->context);
        for (int i = 0; i < 10; i++) uv_run(pl_loop_uv(self->loop), UV_RUN_NOWAIT);
    }
    self->destroyed = true;
    if (self->busy == 0) free(self);
    *self_p = NULL;
}
