/* http.h - an HTTP client on a loop: whole answers or streamed ones, over kept-alive connections,
 * HTTP/2 where a TLS server offers it, else HTTP/1.1.
 *
 * Threads: all on the loop's thread. Nothing blocks; names are resolved on curl's own thread.
 * Callbacks are never called from within a call of this module, and may call any of it but
 * pl_http_destroy.
 */
#ifndef PL_COMMON_HTTP_H
#define PL_COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

typedef struct pl_http pl_http_t;
typedef struct pl_http_call pl_http_call_t;

pl_http_t *pl_http_new(pl_loop_t *loop);
/* Open calls end with PL_UNAVAILABLE, so what their on_done uses must still be there. Not from a
 * callback. Destroy it before its loop. */
void pl_http_destroy(pl_http_t **self_p);

/* Certificates to trust instead of the system's, a PEM file; "" or NULL: the system's. For calls
 * sent from now on. Copied. */
void pl_http_trust(pl_http_t *self, const char *ca_file);

/* From now on connections go to addresses of the public internet only (address.h), whatever a name
 * resolves to; others end with PL_INVALID. Judged is who is connected to: behind a proxy, the proxy.
 * Call it before the first call: a kept connection is not judged again. */
void pl_http_public_only(pl_http_t *self);

typedef struct {
    long status;      /* 0 when there was no answer */
    const char *body; /* NUL-terminated, borrowed; "" in head and after pieces */
    size_t body_bytes;
    const char *detail;         /* curl's words for an error */
    unsigned version;           /* of HTTP: 10, 11, 20; 0 when there was no answer */
    unsigned connections;       /* opened for it: 0 when a kept one served */
    size_t request_bytes;       /* that left: 0: the server has seen nothing of it */
    const pl_http_call_t *call; /* for pl_http_header */
} pl_http_answer_t;

/* Value of the answer's header of that name, in any case; several of one name: the first. NULL when
 * there is none. Borrowed until the callback that got answer returns. */
const char *pl_http_header(const pl_http_answer_t *answer, const char *name);

/* An answer as it arrives. Both may be NULL. */
typedef struct {
    /* Once, when status and headers are there, whatever the status; before the first piece. */
    void (*head)(void *arg, const pl_http_answer_t *head);
    /* Bytes of the body of a 2xx answer, in order, cut anywhere, never none; borrowed. The body of
     * another status comes whole in on_done, so that its reason can be read. */
    void (*piece)(void *arg, const char *bytes, size_t size);
} pl_http_stream_t;

typedef struct {
    const char *method; /* NULL: GET, or POST when there is a body */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* may be NULL; copied */
    size_t body_bytes;
    uint32_t connect_timeout_ms;    /* 0: 5000 */
    uint32_t timeout_ms;            /* of the whole exchange; 0: 60000 */
    uint32_t stall_timeout_ms;      /* no byte either way for so long ends it; 0: no such limit */
    size_t max_bytes;               /* of the answer, streamed or not; 0: 4 MiB */
    const pl_http_stream_t *stream; /* NULL: the body comes whole; copied */
    bool no_proxy;                  /* whatever http_proxy says: for link-local servers */
    /* On a connection of its own. On a kept one that breaks before an answer curl sends the request
     * again by itself, which what must not be done twice cannot bear. */
    bool fresh;
} pl_http_opts_t;

/* Calls on_done exactly once, never inside this call; after it the handle is gone. Copies opts.
 * A status of 400 or more is PL_OK here: the exchange succeeded. PL_TIMEOUT, PL_UNAVAILABLE (no
 * connection, or it broke) and PL_INVALID (URL, or an answer too large or malformed) otherwise;
 * pieces may have come before. Redirections are not followed: a header with a secret must not go
 * elsewhere. arg goes to the stream's callbacks too. */
typedef void pl_http_done_fn(void *arg, pl_err_t err, const pl_http_answer_t *answer);
pl_http_call_t *pl_http_send(pl_http_t *self, const pl_http_opts_t *opts, pl_http_done_fn *on_done,
                             void *arg);
void pl_http_cancel(pl_http_call_t **call_p); /* no callback any more; NULL is fine */

/* Opens up to count connections to the server of url, so that calls soon after find name, TCP and
 * TLS done (over HTTP/2 one carries them all). Asks for "/" by HEAD, without credentials, and
 * forgets the answer and any error. */
void pl_http_warm(pl_http_t *self, const char *url, unsigned count);

#endif
