/* client.h - a command's way to the running system: asks one of its services over the control bus,
 * and waits for the answer.
 *
 * Any number of these may run beside the system: the socket is abstract, and named by the process.
 *
 * Threads: the main one.
 */
#ifndef PARLEY_CLIENT_H
#define PARLEY_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/bus.h"

typedef struct {
    const char *command;     /* "jobs": for messages, "parley jobs: ..." */
    const char *service;     /* whom it asks: "persistence" */
    const char *config_file; /* NULL: the usual one */
    const char *const *settings;
    size_t setting_count;
} client_opts_t;

typedef struct client client_t;

/* Waits a few seconds for the service. NULL: it has said why, and the process should end with
 * *status. */
client_t *client_open(const client_opts_t *opts, int *status);
void client_close(client_t **self_p);

/* to: a service or an instance. *reply (an Error's envelope, too) is borrowed until the next one;
 * NULL when there is none. */
pl_err_t client_ask(client_t *self, const char *to, Pl__Envelope *env, uint32_t timeout_ms,
                    const Pl__Envelope **reply);

void client_wait(client_t *self, uint32_t ms);
pl_bus_t *client_bus(client_t *self);

#endif
