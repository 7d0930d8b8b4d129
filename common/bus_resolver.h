/* bus_resolver.h - a tcp endpoint's name, looked up again every few seconds.
 *
 * A headless service's name has one address an instance. IPv6 addresses are taken only when there
 * is no IPv4 one, so that a dual-stack instance is not two peers.
 *
 * Threads: the loop's; the look-up itself runs on libuv's worker threads. Internal to the bus.
 */
#ifndef PL_COMMON_BUS_RESOLVER_H
#define PL_COMMON_BUS_RESOLVER_H

#include <stddef.h>

#include "common/loop.h"

typedef struct bus_resolver bus_resolver_t;

/* endpoints ("tcp://10.0.0.7:7000") are sorted and distinct, borrowed until return. Called after
 * every look-up that gave an answer, "no such name" included; not after a failure to ask. */
typedef void bus_resolver_fn(void *arg, const char *const *endpoints, size_t count);

bus_resolver_t *bus_resolver_new(pl_loop_t *loop, const char *host, const char *port,
                                 bus_resolver_fn *fn, void *arg);
void bus_resolver_destroy(bus_resolver_t **self_p); /* never waits for a look-up */

#endif
