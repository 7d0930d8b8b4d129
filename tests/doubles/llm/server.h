/* server.h - connections of the double: reads requests, plays plans at their times.
 *
 * Threads: all on the loop's. One exchange at a time a connection, kept alive between.
 */
#ifndef DOUBLE_SERVER_H
#define DOUBLE_SERVER_H

#include <uv.h>

#include "tests/doubles/llm/journal.h"
#include "tests/doubles/llm/routes.h"

typedef struct server server_t;

/* Listens on host:port (0: any, see server_port). NULL on failure: said on standard error. Borrows
 * routes and journal. */
server_t *server_new(uv_loop_t *loop, const char *host, int port, routes_t *routes,
                     journal_t *journal);
int server_port(const server_t *self);
/* Closes all; run the loop until it ends, then free what is left. */
void server_close(server_t *self);
void server_free(server_t **self_p);

#endif
