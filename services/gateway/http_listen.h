/* http_listen.h - the address of gateway.http.listen, and whether it can be had.
 *
 * libwebsockets tells only that it could not bind; the probe here says why, in the words of the
 * system, before the real bind.
 *
 * Threads: any; pure but for the probe.
 */
#ifndef GATEWAY_HTTP_LISTEN_H
#define GATEWAY_HTTP_LISTEN_H

#include <stdbool.h>

#include "common/err.h"

typedef struct {
    char host[64]; /* numeric address, without brackets */
    int port;      /* 0 to 65535 */
    bool ipv6;
    bool any; /* 0.0.0.0 or :: */
} http_listen_t;

/* "HOST:PORT" with a numeric host, "[V6]:PORT". PL_INVALID has been said on standard error. */
pl_err_t http_listen_parse(const char *address, http_listen_t *out);

/* Binds and closes again. PL_UNAVAILABLE has been said on standard error. */
pl_err_t http_listen_probe(const char *address, const http_listen_t *at);

#endif
