/* bus_bench.c - requests and replies over the bus: the rate, and how long one takes.
 *
 * usage: bus_bench [REQUESTS]
 * One thread asks, another answers Done. First one request at a time, then as many as a window of
 * open ones allows. Prints one JSON object.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"

enum { WINDOW = 100, TIMEOUT_MS = 10000 };

static const pl_config_key_t no_keys[] = {{NULL, 0, NULL, 0, 0, NULL}};

typedef struct {
    pl_loop_t *loop;
    pl_config_t *cfg;
    pthread_t thread;
} server_t;

typedef struct {
    pl_loop_t *loop;
    pl_bus_t *bus;
    unsigned window, total, asked, answered, failed;
    uint32_t *times_us;
    pl_timer_t *look;
} client_t;

typedef struct {
    client_t *client;
    uint64_t asked_us;
} asked_t;

/* ---- speech answers ------------------------------------------------------------------------ */

static void on_lane_open(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    pl_request_done(&request);
}

static void *serve(void *arg)
{
    server_t *server = arg;
    pl_bus_t *bus = NULL;
    if (pl_bus_new(&bus, server->loop, server->cfg, NULL) != PL_OK) exit(EXIT_FAILURE);
    pl_bus_on(bus, PL__ENVELOPE__BODY_LANE_OPEN, on_lane_open, NULL);
    pl_loop_run(server->loop);
    pl_bus_destroy(&bus);
    return NULL;
}

/* ---- dialogue asks ------------------------------------------------------------------------- */

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply);

static void ask(client_t *self)
{
    asked_t *asked = malloc(sizeof *asked);
    assert(asked);
    *asked = (asked_t){self, pl_clock_us()};
    Pl__LaneOpen body = PL__LANE_OPEN__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &body;
    self->asked++;
    pl_bus_request(self->bus, "speech", &env, TIMEOUT_MS, on_reply, asked);
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asked_t *asked = arg;
    client_t *self = asked->client;
    (void)reply;
    if (err) self->failed++;
    self->times_us[self->answered++] = (uint32_t)(pl_clock_us() - asked->asked_us);
    free(asked);
    if (self->asked < self->total)
        ask(self);
    else if (self->answered == self->total)
        pl_loop_stop(self->loop);
}

static void start_when_up(void *arg)
{
    client_t *self = arg;
    pl_peer_t peer;
    if (!pl_bus_pick(self->bus, "speech", &peer)) return;
    pl_timer_stop(&self->look);
    pl_loop_stop(self->loop);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void run(client_t *self, unsigned window, unsigned total, const char *name)
{
    self->total = total;
    self->asked = self->answered = self->failed = 0;
    uint64_t began_us = pl_clock_us();
    for (unsigned i = 0; i < window && i < total; i++) ask(self);
    pl_loop_run(self->loop);
    double seconds = (double)(pl_clock_us() - began_us) / 1e6;
    qsort(self->times_us, total, sizeof *self->times_us, by_size);
    printf("\"%s\": {\"open\": %u, \"requests\": %u, \"failed\": %u, \"per_second\": %.0f, "
           "\"p50_us\": %u, \"p99_us\": %u}",
           name, window, total, self->failed, total / seconds, self->times_us[total / 2],
           self->times_us[total * 99ULL / 100]);
}

static pl_config_t *config(const char *service, const char *run_dir)
{
    char setting[128];
    snprintf(setting, sizeof setting, "bus.run_dir=%s", run_dir);
    char *argv[] = {"bus_bench", "--set", setting, "--set", "log.level=warn", NULL};
    int status;
    pl_config_t *cfg = pl_config_load(service, no_keys, 5, argv, &status);
    if (!cfg) exit(status);
    return cfg;
}

int main(int argc, char **argv)
{
    pl_signals_init();
    unsigned total = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    if (total < 100) total = 100;
    char run_dir[] = "/tmp/parley-bus-bench-XXXXXX", command[64];
    if (!mkdtemp(run_dir)) return EXIT_FAILURE;
    server_t server = {.loop = pl_loop_new(), .cfg = config("speech", run_dir)};
    pl_config_t *cfg = config("dialogue", run_dir);
    client_t client = {.loop = pl_loop_new()};
    client.times_us = malloc(total * sizeof *client.times_us);
    assert(client.times_us);
    int rc = pthread_create(&server.thread, NULL, serve, &server);
    assert(rc == 0);
    (void)rc;
    const char *const peers[] = {"speech", NULL};
    if (pl_bus_new(&client.bus, client.loop, cfg, peers) != PL_OK) return EXIT_FAILURE;
    uint64_t began_us = pl_clock_us();
    client.look = pl_timer_start(client.loop, 0, 1, start_when_up, &client);
    pl_loop_run(client.loop);
    printf("{\"bench\": \"bus\", \"up_after_ms\": %.1f, ",
           (double)(pl_clock_us() - began_us) / 1e3);
    run(&client, 1, total / 10, "one_at_a_time");
    printf(", ");
    run(&client, WINDOW, total, "many_open");
    printf("}\n");

    pl_bus_destroy(&client.bus);
    pl_loop_stop(server.loop);
    pthread_join(server.thread, NULL);
    pl_loop_destroy(&server.loop);
    pl_loop_destroy(&client.loop);
    pl_config_destroy(&server.cfg);
    pl_config_destroy(&cfg);
    free(client.times_us);
    snprintf(command, sizeof command, "%s/speech-0.ipc.lock", run_dir);
    unlink(command);
    snprintf(command, sizeof command, "%s/dialogue-0.ipc.lock", run_dir);
    unlink(command);
    return rmdir(run_dir) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
