/* process.h - for tests: a real service process in a folder of its own, and a client on its bus.
 *
 * The binary is the one of the same build: <build>/bin/parley-<service>. Include after cmocka.h.
 */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/loop.h"
#include "tests/support/folder.h"

enum { PROCESS_PATH_BYTES = 512, PROCESS_SETTINGS = 16, PROCESS_UP_MS = 10000 };

typedef struct {
    char folder[64]; /* working folder; sockets are in its run/ */
    const char *service;
    const char *client;                     /* service that the client speaks as; NULL: dialogue */
    const char *settings[PROCESS_SETTINGS]; /* "path=value", up to the first NULL */
    pid_t pid;                              /* 0: not running */

    pl_config_t *cfg; /* the client's */
    pl_loop_t *loop;
    pl_bus_t *bus;
} process_t;

static inline void process_binary(const char *service, char out[PROCESS_PATH_BYTES])
{
    char self[PROCESS_PATH_BYTES / 2];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    char *tests = strstr(self, "/tests/");
    assert_non_null(tests);
    *tests = '\0';
    (void)snprintf(out, PROCESS_PATH_BYTES, "%s/bin/parley-%s", self, service);
}

static inline void process_make_folder(process_t *self, const char *service)
{
    *self = (process_t){.service = service};
    (void)snprintf(self->folder, sizeof self->folder, "/tmp/parley-test-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
}

/* In the child, before the program: for limits and the like. May be NULL. */
typedef void process_before_fn(void);

static inline void process_start(process_t *self, process_before_fn *before)
{
    char binary[PROCESS_PATH_BYTES];
    char log[PROCESS_PATH_BYTES];
    process_binary(self->service, binary);
    (void)snprintf(log, sizeof log, "%s/log", self->folder);
    char *argv[3 + 2 * PROCESS_SETTINGS] = {binary};
    size_t count = 1;
    for (size_t i = 0; i < PROCESS_SETTINGS && self->settings[i]; i++) {
        argv[count++] = "--set";
        argv[count++] = (char *)self->settings[i];
    }
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid > 0) return;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || chdir(self->folder) < 0) _exit(99);
    if (before) before();
    (void)execv(binary, argv);
    _exit(98);
}

/* What it has said on standard error; static. */
static inline const char *process_log(const process_t *self)
{
    static char text[64 * 1024];
    char path[PROCESS_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/log", self->folder);
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) (void)close(fd);
    text[size < 0 ? 0 : size] = '\0';
    return text;
}

/* ---- the client ---- */

static const pl_config_key_t process_no_keys[] = {{NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};

static inline void process_connect(process_t *self)
{
    char yaml[256];
    char error[256] = "";
    const char *peers[] = {self->service, NULL};
    (void)snprintf(yaml, sizeof yaml, "bus:\n  run_dir: %s/run\n  heartbeat_ms: 50\n",
                   self->folder);
    self->cfg = pl_config_parse(self->client ? self->client : "dialogue", process_no_keys,
                                "test.yaml", yaml, error, sizeof error);
    if (!self->cfg) fail_msg("%s", error);
    self->loop = pl_loop_new();
    assert_int_equal(pl_bus_new(&self->bus, self->loop, self->cfg, peers), PL_OK);
}

static inline void process_stop_loop(void *loop)
{
    pl_loop_stop(loop);
}

static inline void process_run_ms(process_t *self, uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(self->loop, ms, 0, process_stop_loop, self->loop);
    pl_loop_run(self->loop);
    pl_timer_stop(&timer);
}

static inline void process_await_up(process_t *self)
{
    pl_peer_t peer;
    uint64_t until_ms = pl_clock_ms() + PROCESS_UP_MS;
    while (!pl_bus_pick(self->bus, self->service, &peer)) {
        if (pl_clock_ms() > until_ms) fail_msg("not up: %s", process_log(self));
        process_run_ms(self, 10);
    }
}

/* Lets the client see that it has gone, so that a next start is not mistaken for this one. */
static inline void process_await_down(process_t *self)
{
    pl_peer_t peer;
    uint64_t until_ms = pl_clock_ms() + PROCESS_UP_MS;
    while (self->bus && pl_bus_peers(self->bus, self->service, &peer, 1) > 0 && peer.up) {
        assert_true(pl_clock_ms() < until_ms);
        process_run_ms(self, 5);
    }
}

/* Its exit status, or 256 + the signal that ended it. */
static inline int process_wait(process_t *self)
{
    int status = 0;
    assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
    self->pid = 0;
    process_await_down(self);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static inline int process_stop(process_t *self, int signal)
{
    assert_int_equal(kill(self->pid, signal), 0);
    return process_wait(self);
}

typedef struct {
    pl_loop_t *loop;
    pl_err_t err;
    Pl__Envelope *reply; /* NULL: none */
} process_answer_t;

static inline void process_on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    process_answer_t *answer = arg;
    answer->err = err;
    if (reply) {
        size_t size = pl__envelope__get_packed_size(reply);
        uint8_t *bytes = malloc(size + 1);
        assert_non_null(bytes);
        (void)pl__envelope__pack(reply, bytes);
        answer->reply = pl__envelope__unpack(NULL, size, bytes);
        free(bytes);
    }
    pl_loop_stop(answer->loop);
}

/* Asks and waits. *reply (the Error's envelope, too) is to be freed; it may be NULL. */
static inline pl_err_t process_ask(process_t *self, Pl__Envelope *env, Pl__Envelope **reply)
{
    process_answer_t answer = {.loop = self->loop};
    pl_bus_request(self->bus, self->service, env, 10000, process_on_reply, &answer);
    pl_loop_run(self->loop);
    if (reply)
        *reply = answer.reply;
    else if (answer.reply)
        pl__envelope__free_unpacked(answer.reply, NULL);
    return answer.err;
}

/* ---- the end ---- */

static inline void process_disconnect(process_t *self)
{
    if (!self->loop) return;
    pl_bus_destroy(&self->bus);
    pl_loop_destroy(&self->loop);
    pl_config_destroy(&self->cfg);
}

static inline void process_clean_up(process_t *self)
{
    if (self->pid > 0) (void)process_stop(self, SIGKILL);
    process_disconnect(self);
    (void)folder_remove(self->folder);
}

#endif
