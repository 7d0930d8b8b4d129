/* server.h - the persistence process: requests from the bus to the writer and the reader thread,
 * their outcomes back as replies.
 *
 * Threads: all of it on the calling thread's loop.
 */
#ifndef PERSISTENCE_SERVER_H
#define PERSISTENCE_SERVER_H

#include "common/config.h"
#include "common/err.h"

typedef struct server server_t;

/* PL_INVALID: a wrong setting; other errors: the store or the endpoint is not to be had. It has
 * said which on standard error. */
pl_err_t server_new(server_t **out, const pl_config_t *cfg);
pl_err_t server_run(server_t *self); /* returns after SIGTERM or SIGINT, drained */
void server_destroy(server_t **self_p);

#endif
