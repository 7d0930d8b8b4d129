/* server.h - the rag process: searches from the bus to the search thread, results back.
 *
 * Threads: all of it on the calling thread's loop.
 */
#ifndef RAG_SERVER_H
#define RAG_SERVER_H

#include "common/config.h"
#include "common/err.h"

typedef struct server server_t;

/* PL_INVALID: a wrong setting; other errors: the index or the endpoint is not to be had. It has
 * said which on standard error. */
pl_err_t server_new(server_t **out, const pl_config_t *cfg);
pl_err_t server_run(server_t *self); /* returns after SIGTERM or SIGINT, drained */
void server_destroy(server_t **self_p);

#endif
