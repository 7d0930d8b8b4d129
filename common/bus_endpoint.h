/* bus_endpoint.h - where instances listen: own endpoint, the peers' endpoints, the guard of ipc
 * paths.
 *
 * Threads: the loop's. Internal to the bus.
 */
#ifndef PL_COMMON_BUS_ENDPOINT_H
#define PL_COMMON_BUS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/err.h"

enum { BUS_ENDPOINT_BYTES = 512 };

/* bus.bind, else the own entry of bus.endpoints, else the default ipc path of this instance. */
void bus_endpoint_own(const pl_config_t *cfg, char out[BUS_ENDPOINT_BYTES]);

/* Endpoint i of a service; false when there are no more. Without any in the configuration there
 * is one: the default ipc path of instance 0. */
bool bus_endpoint_of(const pl_config_t *cfg, const char *service, size_t i,
                     char out[BUS_ENDPOINT_BYTES]);

/* A tcp endpoint's host (without brackets) and port. False when it is no tcp endpoint. */
bool bus_endpoint_tcp(const char *endpoint, char host[BUS_ENDPOINT_BYTES],
                      char port[BUS_ENDPOINT_BYTES]);
bool bus_endpoint_is_name(const char *host); /* neither an IPv4 nor an IPv6 address */
bool bus_endpoint_leaves_host(const char *endpoint);

/* libzmq replaces another process's live ipc socket without a word. So whoever binds one holds
 * the lock file beside it. Makes the folder (0700) when absent. *fd is -1 for other transports.
 * PL_UNAVAILABLE: taken or not possible, and the log says by whom or why. */
pl_err_t bus_endpoint_claim(const char *endpoint, int *fd);
void bus_endpoint_release(const char *endpoint, int *fd); /* removes the socket's file */

#endif
