/* server.h - the gateway's process: loop, bus and HTTP put together, and its orderly end. */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include "common/config.h"
#include "common/err.h"

typedef struct server server_t;

pl_err_t server_new(server_t **out, const pl_config_t *cfg); /* a failure has been said */
void server_run(server_t *self);                             /* returns when drained */
void server_destroy(server_t **self_p);

#endif
