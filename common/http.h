/* http.h - an HTTP client on a loop: libcurl's multi interface, connections kept alive.
 *
 * Threads: all on the loop's thread. Nothing blocks; names are resolved on curl's own thread.
 */
#ifndef PL_COMMON_HTTP_H
#define PL_COMMON_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

typedef struct pl_http pl_http_t;
typedef struct pl_http_call pl_http_call_t;

pl_http_t *pl_http_new(pl_loop_t *loop);
/* Open calls end with PL_UNAVAILABLE, so what their on_done uses must still be there. Not from
 * on_done. Destroy it before its loop. */
void pl_http_destroy(pl_http_t **self_p);

typedef struct {
    const char *method; /* NULL: GET, or POST when there is a body */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* may be NULL; copied */
    size_t body_bytes;
    uint32_t connect_timeout_ms; /* 0: 5000 */
    uint32_t timeout_ms;         /* of the whole exchange; 0: 60000 */
    size_t max_bytes;            /* of the answer; more is PL_INVALID. 0: 4 MiB */
} pl_http_opts_t;

typedef struct {
    long status;      /* 0 when there was no answer */
    const char *body; /* NUL-terminated, borrowed */
    size_t body_bytes;
    const char *detail; /* curl's words for an error */
} pl_http_answer_t;

/* Calls on_done exactly once, never inside this call; after it the handle is gone. Copies opts.
 * A status of 400 or more is PL_OK here: the exchange succeeded. PL_TIMEOUT, PL_UNAVAILABLE (no
 * connection, or it broke) and PL_INVALID (URL, or an answer too large or malformed) otherwise.
 * Redirections are not followed: a header with a secret must not go elsewhere. */
typedef void pl_http_done_fn(void *arg, pl_err_t err, const pl_http_answer_t *answer);
pl_http_call_t *pl_http_send(pl_http_t *self, const pl_http_opts_t *opts, pl_http_done_fn *on_done,
                             void *arg);
void pl_http_cancel(pl_http_call_t **call_p); /* on_done is not called */

#endif
