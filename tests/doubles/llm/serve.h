/* serve.h - a double's life: a server on a loop of its own, until SIGTERM.
 *
 * Threads: the caller's.
 */
#ifndef DOUBLE_SERVE_H
#define DOUBLE_SERVE_H

#include "tests/doubles/llm/journal.h"
#include "tests/doubles/llm/routes.h"

typedef struct {
    const char *name; /* in what it says */
    const char *host;
    int port;              /* 0: a free one, which is printed */
    const char *port_file; /* gets the port when it is listened on; NULL: none */
} serve_opts_t;

/* Returns the exit status. Borrows routes and journal. */
int serve(const serve_opts_t *opts, routes_t *routes, journal_t *journal);

#endif
