#include "tests/doubles/llm/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MOST = 32 << 20, BACKLOG = 512, READ_BYTES = 65536, RESET_AFTER_US = 2000 };

typedef struct peer peer_t;

struct server {
    uv_tcp_t listener;
    uv_loop_t *loop;
    routes_t *routes;
    journal_t *journal;
    int port;
    peer_t *peers;
    char read[READ_BYTES];
};

struct peer {
    peer_t *next, **at;
    server_t *server;
    uv_tcp_t tcp;
    uv_timer_t timer;
    unsigned open_handles;
    bool closing;
    http_parser_t *parser;
    text_t input; /* not yet fed */

    bool busy; /* an answer is being played */
    plan_t plan;
    size_t step, sent_bytes;
    uint64_t number, began_us;
};

typedef struct {
    uv_write_t request;
    char bytes[];
} write_t;

static void play(peer_t *self);

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- the end of a connection --------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    peer_t *self = handle->data;
    if (--self->open_handles) return;
    http_parser_destroy(&self->parser);
    plan_free(&self->plan);
    text_free(&self->input);
    free(self);
}

static void peer_close(peer_t *self, plan_end_t how)
{
    if (self->closing) return;
    self->closing = true;
    *self->at = self->next;
    if (self->next) self->next->at = self->at;
    if (how != PLAN_RESET || uv_tcp_close_reset(&self->tcp, on_closed) != 0) {
        uv_close((uv_handle_t *)&self->tcp, on_closed);
    }
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

static void end_exchange(peer_t *self, const char *how)
{
    if (!self->busy) return;
    self->busy = false;
    journal_end(self->server->journal, self->number, how, self->sent_bytes,
                (double)(now_us() - self->began_us) / 1000);
    plan_free(&self->plan);
}

/* ---- playing ------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
    peer_t *self = request->handle->data;
    free(request->data);
    if (status < 0 && !self->closing) {
        end_exchange(self, "cancelled");
        peer_close(self, PLAN_CLOSE);
    }
}

static void say(peer_t *self, const char *bytes, size_t size)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)size);
    int done = uv_try_write((uv_stream_t *)&self->tcp, &buffer, 1);
    size_t said = done > 0 ? (size_t)done : 0;
    self->sent_bytes += size;
    if (said == size) return;
    write_t *rest = malloc(sizeof *rest + size - said);
    assert(rest);
    memcpy(rest->bytes, bytes + said, size - said);
    rest->request.data = rest;
    buffer = uv_buf_init(rest->bytes, (unsigned)(size - said));
    if (uv_write(&rest->request, (uv_stream_t *)&self->tcp, &buffer, 1, on_written) != 0) {
        free(rest);
    }
}

static void on_time(uv_timer_t *timer)
{
    play(timer->data);
}

static void wait_until(peer_t *self, uint64_t at_us)
{
    uint64_t passed_us = now_us() - self->began_us;
    uint64_t left_us = at_us > passed_us ? at_us - passed_us : 0;
    uv_update_time(self->server->loop);
    uv_timer_start(&self->timer, on_time, (left_us + 999) / 1000, 0);
}

static void on_shut(uv_shutdown_t *request, int status)
{
    peer_t *self = request->handle->data;
    (void)status;
    free(request);
    peer_close(self, PLAN_CLOSE);
}

/* All has been said: returns true when the next request may be read. */
static bool conclude(peer_t *self)
{
    plan_end_t end = self->plan.end;
    bool keep = end == PLAN_KEEP && http_parser_request(self->parser)->keep_alive;
    end_exchange(self, end == PLAN_KEEP ? "whole" : end == PLAN_CLOSE ? "closed" : "reset");
    if (keep) {
        http_parser_reset(self->parser);
        return true;
    }
    uv_shutdown_t *request = malloc(sizeof *request);
    assert(request);
    if (end == PLAN_RESET || uv_shutdown(request, (uv_stream_t *)&self->tcp, on_shut) != 0) {
        free(request);
        peer_close(self, end);
    }
    return false;
}

/* Says what is due; returns true when the exchange is over and the next may be read. */
static bool play_due(peer_t *self)
{
    plan_t *plan = &self->plan;
    uint64_t passed_us = now_us() - self->began_us;
    size_t upto = 0;
    while (self->step < plan->n_steps && plan->steps[self->step].at_us <= passed_us) {
        upto = plan->steps[self->step++].upto;
    }
    if (upto > self->sent_bytes) {
        say(self, plan->bytes.data + self->sent_bytes, upto - self->sent_bytes);
    }
    if (self->step < plan->n_steps) {
        wait_until(self, plan->steps[self->step].at_us);
        return false;
    }
    uint64_t end_us = plan->end_us + (plan->end == PLAN_RESET ? RESET_AFTER_US : 0);
    if (end_us > passed_us) {
        wait_until(self, end_us);
        return false;
    }
    return conclude(self);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void begin(peer_t *self)
{
    if (http_parser_stage(self->parser) == HTTP_BROKEN) {
        plan_whole(&self->plan, http_parser_fault(self->parser).status, "text/plain", NULL,
                   http_parser_fault(self->parser).detail, 0);
        self->plan.end = PLAN_CLOSE;
        self->number = 0;
    } else {
        self->number =
            routes_answer(self->server->routes, http_parser_request(self->parser), &self->plan);
    }
    self->busy = true;
    self->step = self->sent_bytes = 0;
    self->began_us = now_us();
}

/* Feeds what was read; stops at an answer that takes time. */
static void advance(peer_t *self)
{
    size_t used = 0;
    while (!self->busy && !self->closing && used < self->input.size) {
        used += http_parser_feed(self->parser, self->input.data + used, self->input.size - used);
        http_stage_t stage = http_parser_stage(self->parser);
        if (stage != HTTP_READY && stage != HTTP_BROKEN) break;
        begin(self);
        if (!play_due(self)) break;
    }
    if (used == 0) return;
    memmove(self->input.data, self->input.data + used, self->input.size - used);
    self->input.size -= used;
}

static void play(peer_t *self)
{
    if (self->busy && play_due(self)) advance(self);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    peer_t *self = handle->data;
    (void)wanted;
    *out = uv_buf_init(self->server->read, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    peer_t *self = stream->data;
    if (size < 0) {
        end_exchange(self, "cancelled");
        peer_close(self, PLAN_CLOSE);
        return;
    }
    if (size == 0) return;
    text_bytes(&self->input, buffer->base, (size_t)size);
    advance(self);
}

static void on_connection(uv_stream_t *listener, int status)
{
    server_t *server = listener->data;
    if (status < 0) return;
    peer_t *self = calloc(1, sizeof *self);
    assert(self);
    self->server = server;
    self->parser = http_parser_new(BODY_MOST);
    uv_tcp_init(server->loop, &self->tcp);
    uv_timer_init(server->loop, &self->timer);
    self->tcp.data = self->timer.data = self;
    self->open_handles = 2;
    self->next = server->peers;
    self->at = &server->peers;
    if (self->next) self->next->at = &self->next;
    server->peers = self;
    if (uv_accept(listener, (uv_stream_t *)&self->tcp) != 0) {
        peer_close(self, PLAN_CLOSE);
        return;
    }
    uv_tcp_nodelay(&self->tcp, 1);
    uv_read_start((uv_stream_t *)&self->tcp, on_alloc, on_read);
}

/* ---- the server ---------------------------------------------------------------------------- */

server_t *server_new(uv_loop_t *loop, const char *host, int port, routes_t *routes,
                     journal_t *journal)
{
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->routes = routes;
    self->journal = journal;
    struct sockaddr_in at;
    struct sockaddr_in bound;
    int size = sizeof bound;
    uv_tcp_init(loop, &self->listener);
    self->listener.data = self;
    int rc = uv_ip4_addr(host, port, &at);
    if (rc == 0) rc = uv_tcp_bind(&self->listener, (const struct sockaddr *)&at, 0);
    if (rc == 0) rc = uv_listen((uv_stream_t *)&self->listener, BACKLOG, on_connection);
    if (rc == 0) rc = uv_tcp_getsockname(&self->listener, (struct sockaddr *)&bound, &size);
    if (rc != 0) {
        fprintf(stderr, "%s: %s:%d: %s\n", program_invocation_short_name, host, port,
                uv_strerror(rc));
        uv_close((uv_handle_t *)&self->listener, NULL);
        uv_run(loop, UV_RUN_NOWAIT);
        free(self);
        return NULL;
    }
    self->port = ntohs(bound.sin_port);
    return self;
}

int server_port(const server_t *self)
{
    return self->port;
}

void server_close(server_t *self)
{
    uv_close((uv_handle_t *)&self->listener, NULL);
    while (self->peers) peer_close(self->peers, PLAN_CLOSE);
}

void server_free(server_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}
