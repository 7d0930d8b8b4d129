/* http_parser.h - one HTTP/1.1 request after the other, out of a stream of bytes.
 *
 * Written here because libwebsockets 4.1.6 cannot do it safely on a shared loop: see
 * docs/decisions/0006-http-parser.md. Strict where leniency lets two parties disagree about where a
 * request ends: one Content-Length of digits only, "chunked" as the only transfer coding, never
 * both, no folded lines, no space before a colon.
 *
 * Threads: none; pure, no clock, no socket. Memory is bounded by the limits given.
 * Source: RFC 9112 (HTTP/1.1), RFC 9110 (semantics), RFC 3986 (targets).
 */
#ifndef GATEWAY_HTTP_PARSER_H
#define GATEWAY_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HEAD_MAX_BYTES = 16384, HTTP_TARGET_MAX_BYTES = 8000, HTTP_HEADERS_MAX = 64 };

typedef struct {
    char *name; /* lower case */
    char *value;
} http_header_t;

typedef struct {
    const char *method; /* as sent: "GET" */
    char *path;         /* decoded, valid UTF-8, begins with '/' or is "*" */
    const char *query;  /* as sent, without '?'; "" when absent */
    bool keep_alive;
    bool expect_continue; /* wants "100 Continue" before it sends the body */
    http_header_t headers[HTTP_HEADERS_MAX];
    size_t n_headers;
    char *body; /* NUL-terminated; NULL when there is none */
    size_t body_bytes;
} http_request_t;

typedef enum {
    HTTP_IDLE,   /* no byte of a request yet */
    HTTP_HEAD,   /* inside the request's line and headers */
    HTTP_BODY,   /* head complete, body to come */
    HTTP_READY,  /* request complete: see http_parser_request */
    HTTP_BROKEN, /* see http_parser_fault; nothing more can be read from this connection */
} http_stage_t;

typedef struct {
    int status;         /* 400, 413, 414, 431, 501, 505 */
    const char *detail; /* one sentence */
} http_fault_t;

typedef struct http_parser http_parser_t;

http_parser_t *http_parser_new(size_t body_max_bytes); /* never NULL */
void http_parser_destroy(http_parser_t **self_p);

/* Takes bytes until the request is complete or broken; returns how many were taken. What is left
 * belongs to the next request. */
size_t http_parser_feed(http_parser_t *self, const char *bytes, size_t size);

http_stage_t http_parser_stage(const http_parser_t *self);
const http_request_t *http_parser_request(const http_parser_t *self); /* from HTTP_BODY on */
http_fault_t http_parser_fault(const http_parser_t *self);
void http_parser_reset(http_parser_t *self); /* back to HTTP_IDLE */

/* NULL when absent; the first of several. name in lower case. */
const char *http_header(const http_request_t *request, const char *name);

/* The decoded value of a query parameter ('+' is a space), malloc'ed; NULL when absent or not
 * decodable. */
char *http_query(const http_request_t *request, const char *name);

#endif
