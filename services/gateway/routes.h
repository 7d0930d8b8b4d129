/* routes.h - which handler answers which method and path.
 *
 * A pattern is a path with at most one {placeholder}, its last segment. HEAD is answered where GET
 * is, OPTIONS everywhere; a known path with another method is 405 with Allow, any other path 404.
 *
 * Threads: all on the loop's thread.
 */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "services/gateway/api.h"

typedef struct {
    const char *method; /* "GET" or "POST" */
    const char *pattern;
    api_handler_fn *handler;
    bool documented; /* stands in openapi.json */
} route_t;

const route_t *routes_table(size_t *count);

/* Hands the exchange to its handler, or answers 404 or 405. */
void routes_dispatch(api_t *api, http_exchange_t *x);

/* Does path match pattern? *param is then what stands for the placeholder, "" without one. */
bool route_match(const char *pattern, const char *path, const char **param);

#endif
