#include "tools/parley/supervisor.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tools/parley/backoff.h"
#include "tools/parley/process.h"

enum {
    STOP_MS = 10000,
    FIRST_RUN_MS = 2000, /* who exits by itself so early in its first run could not start */
};

typedef struct {
    child_t public;
    struct supervisor *supervisor;
    char **argv;
    backoff_t backoff;
    pl_timer_t *timer; /* of the next start */
} kept_t;

struct supervisor {
    pl_loop_t *loop;
    supervisor_sink_t sink;
    kept_t *kept[SUPERVISOR_MAX];
    size_t count;
    bool settled, stopping, told_stopped;
    int signal_fd;
    pl_watch_t *watch;
    pl_timer_t *kill_timer;
};

static void on_child_signal(void *arg);

supervisor_t *supervisor_new(pl_loop_t *loop, const supervisor_sink_t *sink)
{
    supervisor_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->sink = *sink;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    self->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    assert(self->signal_fd >= 0);
    self->watch = pl_watch_fd(loop, self->signal_fd, on_child_signal, self);
    return self;
}

static char *copied(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

void supervisor_add(supervisor_t *self, const char *name, const char *const *argv,
                    const char *log_file)
{
    assert(self->count < SUPERVISOR_MAX);
    kept_t *kept = calloc(1, sizeof *kept);
    assert(kept);
    size_t args = 0;
    while (argv[args]) args++;
    kept->argv = calloc(args + 1, sizeof *kept->argv);
    assert(kept->argv);
    for (size_t i = 0; i < args; i++) kept->argv[i] = copied(argv[i]);
    kept->supervisor = self;
    kept->public.name = copied(name);
    kept->public.log_file = log_file ? copied(log_file) : NULL;
    kept->public.state = CHILD_WAITING;
    self->kept[self->count++] = kept;
}

static void free_text(const char *text)
{
    free((char *)text); /* ours, shown to others as const */
}

static void kept_free(kept_t *kept)
{
    pl_timer_stop(&kept->timer);
    for (char **arg = kept->argv; *arg; arg++) free(*arg);
    free(kept->argv);
    free_text(kept->public.name);
    free_text(kept->public.log_file);
    free(kept);
}

static size_t running(const supervisor_t *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) count += self->kept[i]->public.pid > 0;
    return count;
}

static void tell_when_stopped(supervisor_t *self)
{
    if (!self->stopping || self->told_stopped || running(self) > 0) return;
    self->told_stopped = true;
    pl_timer_stop(&self->kill_timer);
    self->sink.stopped(self->sink.arg);
}

static void fail(supervisor_t *self, const kept_t *kept, const char *why)
{
    if (self->stopping) return; /* the first failure stands */
    self->sink.failed(self->sink.arg, &kept->public, why);
    supervisor_stop(self);
}

static void start(void *arg)
{
    kept_t *kept = arg;
    supervisor_t *self = kept->supervisor;
    pl_timer_stop(&kept->timer);
    if (self->stopping) return;
    pl_err_t err =
        process_start(&kept->public.pid, (const char *const *)kept->argv, kept->public.log_file);
    if (err) {
        char why[512];
        snprintf(why, sizeof why, "%s cannot be started: %s", kept->argv[0], pl_err_text(err));
        fail(self, kept, why);
        return;
    }
    kept->public.state = CHILD_RUNNING;
    kept->public.started_ms = pl_clock_ms();
    if (kept->public.died_ms == 0) return;
    kept->public.restarts++;
    self->sink.restarted(self->sink.arg, &kept->public);
}

void supervisor_start(supervisor_t *self)
{
    for (size_t i = 0; i < self->count && !self->stopping; i++) start(self->kept[i]);
    tell_when_stopped(self);
}

void supervisor_settled(supervisor_t *self)
{
    self->settled = true;
}

/* ---- deaths ---- */

static void died(kept_t *kept, int wait_status)
{
    supervisor_t *self = kept->supervisor;
    child_t *child = &kept->public;
    child->pid = 0;
    child->wait_status = wait_status;
    child->died_ms = pl_clock_ms();
    child->state = CHILD_STOPPED;
    if (self->stopping) return;
    bool by_itself = WIFEXITED(wait_status) && child->restarts == 0 &&
                     child->died_ms - child->started_ms < FIRST_RUN_MS;
    if (!self->settled || by_itself) {
        char why[128];
        fail(self, kept, process_status_text(wait_status, why, sizeof why));
        return;
    }
    child->state = CHILD_WAITING;
    child->wait_ms = backoff_died(&kept->backoff, child->died_ms - child->started_ms);
    self->sink.died(self->sink.arg, child);
    kept->timer = pl_timer_start(self->loop, child->wait_ms, 0, start, kept);
}

static void on_child_signal(void *arg)
{
    supervisor_t *self = arg;
    struct signalfd_siginfo info;
    while (read(self->signal_fd, &info, sizeof info) == sizeof info) {
    }
    /* Only our own: other children of this process have other masters. */
    for (size_t i = 0; i < self->count; i++) {
        kept_t *kept = self->kept[i];
        int status = 0;
        if (kept->public.pid > 0 && waitpid(kept->public.pid, &status, WNOHANG) > 0) {
            died(kept, status);
        }
    }
    tell_when_stopped(self);
}

/* ---- stopping ---- */

static void signal_all(const supervisor_t *self, int number)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->kept[i]->public.pid > 0) (void)kill(self->kept[i]->public.pid, number);
    }
}

static void kill_all(void *arg)
{
    signal_all(arg, SIGKILL);
}

void supervisor_stop(supervisor_t *self)
{
    if (self->stopping) {
        kill_all(self);
        return;
    }
    self->stopping = true;
    for (size_t i = 0; i < self->count; i++) pl_timer_stop(&self->kept[i]->timer);
    signal_all(self, SIGTERM);
    self->kill_timer = pl_timer_start(self->loop, STOP_MS, 0, kill_all, self);
    tell_when_stopped(self);
}

void supervisor_destroy(supervisor_t **self_p)
{
    supervisor_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    kill_all(self);
    for (size_t i = 0; i < self->count; i++) {
        if (self->kept[i]->public.pid > 0) (void)waitpid(self->kept[i]->public.pid, NULL, 0);
        kept_free(self->kept[i]);
    }
    pl_timer_stop(&self->kill_timer);
    pl_watch_stop(&self->watch);
    close(self->signal_fd);
    free(self);
}

size_t supervisor_count(const supervisor_t *self)
{
    return self->count;
}

const child_t *supervisor_at(const supervisor_t *self, size_t i)
{
    assert(i < self->count);
    return &self->kept[i]->public;
}
