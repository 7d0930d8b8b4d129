/* http_server.h - HTTP/1.1 connections on the loop: requests in, one response each.
 *
 * libwebsockets carries the bytes (raw sockets on the loop's libuv; TLS can be had from it),
 * http_parser makes requests of them, and this file does what lies between: keep-alive, pipelined
 * requests one after the other, "100 Continue", time-outs, and a lingering close, so that a client
 * that is still sending gets to read why it was refused.
 *
 * A connection has at most one exchange open; while one is, nothing is read from it.
 *
 * Threads: all on the loop's thread.
 */
#ifndef GATEWAY_HTTP_SERVER_H
#define GATEWAY_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "services/gateway/http_parser.h"
#include "services/gateway/text.h"

typedef struct http_server http_server_t;
typedef struct http_exchange http_exchange_t; /* a request that waits for its response */

typedef struct {
    const char *listen; /* "127.0.0.1:8080", "0.0.0.0:80", "[::]:8080"; port 0: any free one */
    size_t connections_max;
    size_t body_max_bytes;
    uint32_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms;
    /* Owns exchange and must end it with http_respond, now or later. */
    void (*on_request)(void *arg, http_exchange_t *exchange);
    /* A request that could not be read: fills in the body of the answer. May be NULL. */
    void (*on_fault)(void *arg, int status, const char *detail, text_t *body);
    void *arg;
} http_server_opts_t;

/* Strings of opts must live as long as the server. PL_UNAVAILABLE: cannot listen there, having
 * said why on standard error. */
pl_err_t http_server_new(http_server_t **out, pl_loop_t *loop, const http_server_opts_t *opts);
/* Closes all connections. Open exchanges stay valid and must still be ended. The loop must not be
 * running, and must be destroyed after this; all else that opens descriptors before: libwebsockets 4.3
 * closes one of its own twice, and would close what has its number by then. */
void http_server_destroy(http_server_t **self_p);

int http_server_port(const http_server_t *self);
size_t http_server_exchanges(const http_server_t *self); /* open, or not yet wholly sent */
/* From now on every answer closes its connection; on_idle is called once nothing is open. */
void http_server_drain(http_server_t *self, void (*on_idle)(void *arg), void *arg);

/* Valid until the exchange ends, also when the client has gone. */
const http_request_t *http_exchange_request(const http_exchange_t *self);
/* Names the route for log and metrics; the string must be static. */
void http_exchange_route(http_exchange_t *self, const char *route);

typedef struct {
    int status;
    const char *content_type; /* NULL: no body */
    const char *cache;        /* Cache-Control; NULL: no-store */
    text_t headers;           /* more header lines, each with its CRLF; taken */
    text_t body;              /* taken */
    const void *fixed;        /* instead of body: bytes that live as long as the program */
    size_t fixed_bytes;
} http_response_t;

/* Takes *exchange_p and what response owns. HEAD requests are answered without the body. */
void http_respond(http_exchange_t **exchange_p, http_response_t *response);

const char *http_status_text(int status); /* "Not Found" */

#endif
