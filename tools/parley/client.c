#include "tools/parley/client.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "tools/parley/config.h"

enum { UP_MS = 5000, LOOK_MS = 10, SETTINGS_MAX = 64 };

struct client {
    pl_config_t *cfg;
    pl_loop_t *loop;
    pl_bus_t *bus;
    pl_err_t err; /* of the last question */
    Pl__Envelope *reply;
};

static void stop(void *arg)
{
    pl_loop_stop(arg);
}

void client_wait(client_t *self, uint32_t ms)
{
    pl_timer_t *timer = pl_timer_start(self->loop, ms, 0, stop, self->loop);
    pl_loop_run(self->loop);
    pl_timer_stop(&timer);
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    client_t *self = arg;
    self->err = err;
    if (reply) self->reply = (Pl__Envelope *)pl_message_copy(&reply->base);
    pl_loop_stop(self->loop);
}

static void forget(client_t *self)
{
    if (self->reply) pl__envelope__free_unpacked(self->reply, NULL);
    self->reply = NULL;
}

pl_err_t client_ask(client_t *self, const char *to, Pl__Envelope *env, uint32_t timeout_ms,
                    const Pl__Envelope **reply)
{
    forget(self);
    pl_bus_request(self->bus, to, env, timeout_ms, on_reply, self);
    pl_loop_run(self->loop);
    *reply = self->reply;
    return self->err;
}

pl_bus_t *client_bus(client_t *self)
{
    return self->bus;
}

static pl_config_t *load_config(const client_opts_t *opts, int *status)
{
    char bind_to[64];
    const char *argv[2 * SETTINGS_MAX + 8];
    int argc = 0;
    (void)snprintf(bind_to, sizeof bind_to, "bus.bind=ipc://@parley-%s-%d", opts->command,
                   (int)getpid());
    argv[argc++] = "parley";
    if (opts->config_file) {
        argv[argc++] = "--config";
        argv[argc++] = opts->config_file;
    }
    assert(opts->setting_count <= SETTINGS_MAX);
    for (size_t i = 0; i < opts->setting_count; i++) {
        argv[argc++] = "--set";
        argv[argc++] = opts->settings[i];
    }
    argv[argc++] = "--set";
    argv[argc++] = bind_to;
    argv[argc] = NULL;
    return pl_config_load("parley", parley_config_keys, argc, (char **)argv, status);
}

static bool find_service(client_t *self, const char *service)
{
    pl_peer_t peer;
    uint64_t until_ms = pl_clock_ms() + UP_MS;
    while (!pl_bus_pick(self->bus, service, &peer)) {
        if (pl_clock_ms() >= until_ms) return false;
        client_wait(self, LOOK_MS);
    }
    return true;
}

client_t *client_open(const client_opts_t *opts, int *status)
{
    client_t *self = calloc(1, sizeof *self);
    assert(self);
    const char *peers[] = {opts->service, NULL};
    self->cfg = load_config(opts, status);
    if (!self->cfg) {
        free(self);
        return NULL;
    }
    *status = EXIT_FAILURE;
    pl_log_init("parley", PL_LOG_ERROR); /* what the bus does is not what was asked */
    self->loop = pl_loop_new();
    if (pl_bus_new(&self->bus, self->loop, self->cfg, peers)) {
        (void)fprintf(stderr, "parley %s: the control bus cannot be used\n", opts->command);
    } else if (!find_service(self, opts->service)) {
        (void)fprintf(stderr,
                      "parley %s: %s does not answer; is the system up, and is this its "
                      "configuration (bus.run_dir, bus.endpoints)?\n",
                      opts->command, opts->service);
    } else {
        return self;
    }
    client_close(&self);
    return NULL;
}

void client_close(client_t **self_p)
{
    client_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    forget(self);
    pl_bus_destroy(&self->bus);
    pl_loop_destroy(&self->loop);
    pl_config_destroy(&self->cfg);
    free(self);
}
