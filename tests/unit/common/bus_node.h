/* bus_node.h - for tests: instances on one loop, each with its own configuration and folder. */
#ifndef PL_TESTS_BUS_NODE_H
#define PL_TESTS_BUS_NODE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/loop.h"

static const pl_config_key_t no_keys[] = {{NULL, 0, NULL, 0, 0, NULL}};
static char run_dir[64];

static inline int make_run_dir(void **state)
{
    (void)state;
    (void)snprintf(run_dir, sizeof run_dir, "/tmp/parley-bus-XXXXXX");
    return mkdtemp(run_dir) ? 0 : -1;
}

static inline int remove_run_dir(void **state)
{
    (void)state;
    DIR *dir = opendir(run_dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", run_dir, entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
    if (dir) closedir(dir);
    return rmdir(run_dir);
}

/* settings: "path=value", up to the first NULL. */
enum { SETTINGS_MAX = 8 };
static inline pl_config_t *node_config(const char *service, const char *number,
                                       const char *const *settings)
{
    char dir[128];
    (void)snprintf(dir, sizeof dir, "bus.run_dir=%s", run_dir);
    const char *args[9 + 2 * SETTINGS_MAX] = {
        "test",  "--instance",          number, "--set", dir, "--set", "log.level=error",
        "--set", "bus.heartbeat_ms=100"};
    int count = 9, status = 0;
    for (int i = 0; settings && settings[i]; i++) {
        assert_true(i < SETTINGS_MAX);
        args[count++] = "--set";
        args[count++] = settings[i];
    }
    char *argv[sizeof args / sizeof *args];
    memcpy(argv, args, sizeof args);
    pl_config_t *cfg = pl_config_load(service, no_keys, count, argv, &status);
    assert_non_null(cfg);
    return cfg;
}

typedef struct {
    pl_config_t *cfg;
    pl_bus_t *bus;
    unsigned events, requests, replies; /* for the test's handlers */
    pl_err_t err;
    pl_request_t *held;
    pl_loop_t *loop;
} node_t;

/* Takes cfg. For tests with threads: loading a configuration starts the log, so load first. */
static inline node_t *node_open_with(pl_loop_t *loop, pl_config_t *cfg, const char *const *peers)
{
    node_t *node = calloc(1, sizeof *node);
    assert_non_null(node);
    node->loop = loop;
    node->cfg = cfg;
    assert_int_equal(pl_bus_new(&node->bus, loop, node->cfg, peers), PL_OK);
    return node;
}

static inline node_t *node_open(pl_loop_t *loop, const char *service, const char *number,
                                const char *const *peers, const char *const *settings)
{
    return node_open_with(loop, node_config(service, number, settings), peers);
}

static inline void node_close(node_t **node_p)
{
    node_t *node = *node_p;
    *node_p = NULL;
    pl_bus_destroy(&node->bus);
    pl_config_destroy(&node->cfg);
    free(node);
}

/* ---- running the loop until something is so ------------------------------------------------ */

typedef struct {
    pl_loop_t *loop;
    bool (*so)(void *arg);
    void *arg;
    unsigned left_ms;
} until_t;

static inline void until_look(void *arg)
{
    until_t *until = arg;
    if (until->so(until->arg) || until->left_ms-- == 0) pl_loop_stop(until->loop);
}

/* False when it was not so within ms. */
static inline bool run_until(pl_loop_t *loop, unsigned ms, bool (*so)(void *arg), void *arg)
{
    until_t until = {loop, so, arg, ms};
    pl_timer_t *look = pl_timer_start(loop, 0, 1, until_look, &until);
    pl_loop_run(loop);
    pl_timer_stop(&look);
    return so(arg);
}

static inline bool never(void *arg)
{
    (void)arg;
    return false;
}

static inline void run_for(pl_loop_t *loop, unsigned ms)
{
    (void)run_until(loop, ms, never, NULL);
}

typedef struct {
    const node_t *node;
    const char *service;
    unsigned count;
} up_t;

static inline unsigned count_up(const node_t *node, const char *service)
{
    pl_peer_t peers[16];
    size_t known = pl_bus_peers(node->bus, service, peers, 16);
    unsigned up = 0;
    for (size_t i = 0; i < known && i < 16; i++) up += peers[i].up;
    return up;
}

static inline bool is_up(void *arg)
{
    const up_t *want = arg;
    return count_up(want->node, want->service) == want->count;
}

static inline bool wait_up(const node_t *node, const char *service, unsigned count, unsigned ms)
{
    up_t want = {node, service, count};
    return run_until(node->loop, ms, is_up, &want);
}

#endif
