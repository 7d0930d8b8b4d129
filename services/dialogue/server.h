/* server.h - the dialogue service: bus handlers, the table of calls, admission, drain.
 * Threads: one; everything on its loop.
 */
#ifndef DIALOGUE_SERVER_H
#define DIALOGUE_SERVER_H

#include "common/config.h"
#include "common/err.h"

typedef struct server server_t;

/* PL_INVALID: a setting is wrong; PL_UNAVAILABLE: the endpoint is taken. It has said so. */
pl_err_t server_new(server_t **out, const pl_config_t *cfg);
pl_err_t server_run(server_t *self); /* returns when drained */
void server_stop(server_t *self);    /* any thread: ends server_run at once */
void server_destroy(server_t **self_p);

#endif
