/* server.h - the telephony process: its parts, their wiring and its end.
 *
 * Threads: the control thread (main); media and SIP threads hang below it.
 */
#ifndef PL_TELEPHONY_SERVER_H
#define PL_TELEPHONY_SERVER_H

#include "common/config.h"
#include "common/err.h"

typedef struct server server_t;

/* Binds all sockets. On failure has said why, naming setting and value. */
pl_err_t server_new(server_t **out, const pl_config_t *cfg);
void server_run(server_t *self); /* returns when drained, or at a second SIGTERM */
void server_destroy(server_t **self_p);

#endif
