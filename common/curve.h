/* curve.h - CURVE for tcp:// sockets: one key pair for the whole installation.
 *
 * Both ends hold the same pair (a mounted secret), so a server lets in whoever proves to own its
 * own key and nobody else. Who may read the key file may join.
 *
 * Threads: load and destroy on any; apply on the socket's.
 * Source: ZeroMQ RFC 25 (ZMTP-CURVE), RFC 27 (ZAP); the file is CZMQ's zcert format.
 */
#ifndef PL_COMMON_CURVE_H
#define PL_COMMON_CURVE_H

#include <stdbool.h>

#include "common/err.h"

typedef struct pl_curve pl_curve_t;

/* file NULL or "": PL_OK and *out is NULL, which means in the clear. PL_INVALID: no such file or
 * no secret key in it (the log says so). */
pl_err_t pl_curve_load(pl_curve_t **out, const char *file);
void pl_curve_destroy(pl_curve_t **self_p);

/* Before bind (server) or connect. Does nothing for a NULL self. */
void pl_curve_apply(const pl_curve_t *self, void *socket, bool server);

#endif
