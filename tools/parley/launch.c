#include "tools/parley/launch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "tools/parley/process.h"
#include "tools/parley/readiness.h"
#include "tools/parley/term.h"

enum {
    EXIT_CONFIG = 78,
    FIRST_READY_MS = 60000, /* then the start has failed */
    GRUMBLE_MS = 3000,      /* between lines about what is missing */
    WITHOUT_GATEWAY_MS = 500,
    TAIL_LINES = 12,
};

struct launch {
    pl_loop_t *loop;
    launch_sink_t sink;
    supervisor_t *supervisor;
    readiness_t *readiness; /* NULL: no gateway is among the processes */
    pl_timer_t *timer;
    uint64_t started_ms;
    bool ready_once, ready, failed, stopping;
    char why[256];      /* not ready */
    char restored[128]; /* names restarted since it was ready last */
    uint64_t died_ms;
    char http_address[128]; /* of the gateway */
};

static void fail(launch_t *self, int status)
{
    if (self->failed) return;
    self->failed = true;
    pl_timer_stop(&self->timer);
    self->sink.failed(self->sink.arg, status);
}

static void became_ready(launch_t *self)
{
    pl_timer_stop(&self->timer);
    if (!self->ready_once) {
        self->ready_once = true;
        supervisor_settled(self->supervisor);
        self->sink.ready(self->sink.arg, (unsigned)(pl_clock_ms() - self->started_ms));
    } else if (self->restored[0]) {
        term_ok("%s is back, ready again %u ms after its end", self->restored,
                (unsigned)(pl_clock_ms() - self->died_ms));
    } else {
        term_ok("ready again");
    }
    self->restored[0] = '\0';
}

static void grumble(void *arg)
{
    launch_t *self = arg;
    uint64_t waited_ms = pl_clock_ms() - self->started_ms;
    term_say("%s  not ready after %u s: %s%s", term(TERM_YELLOW), (unsigned)(waited_ms / 1000),
             self->why, term(TERM_PLAIN));
    if (self->ready_once || waited_ms < FIRST_READY_MS) return;
    term_bad("the system did not become ready: %s", self->why);
    fail(self, EXIT_FAILURE);
    launch_stop(self);
}

static void on_readiness(void *arg, bool ready, const char *why)
{
    launch_t *self = arg;
    if (self->failed || self->stopping) return;
    bool was_ready = self->ready;
    self->ready = ready;
    snprintf(self->why, sizeof self->why, "%s", why);
    if (ready) {
        became_ready(self);
    } else if (was_ready) {
        term_say("%s  not ready: %s%s", term(TERM_YELLOW), why, term(TERM_PLAIN));
    }
}

static void on_alone(void *arg)
{
    became_ready(arg);
}

/* ---- processes ---- */

static void on_died(void *arg, const child_t *child)
{
    launch_t *self = arg;
    char how[128];
    process_status_text(child->wait_status, how, sizeof how);
    char when[64] = "at once";
    if (child->wait_ms) snprintf(when, sizeof when, "in %.1f s", child->wait_ms / 1000.0);
    term_bad("%s %s; it is started again %s", child->name, how, when);
    self->died_ms = child->died_ms;
    self->ready = false;
    if (self->sink.died) self->sink.died(self->sink.arg, child->name);
}

static void on_restarted(void *arg, const child_t *child)
{
    launch_t *self = arg;
    term_say("  %s%s runs again (pid %d)%s", term(TERM_DIM), child->name, (int)child->pid,
             term(TERM_PLAIN));
    snprintf(self->restored, sizeof self->restored, "%s", child->name);
    if (self->readiness) readiness_doubt(self->readiness);
}

static void on_failed(void *arg, const child_t *child, const char *why)
{
    launch_t *self = arg;
    bool config = WIFEXITED(child->wait_status) && WEXITSTATUS(child->wait_status) == EXIT_CONFIG;
    term_bad("%s%s%s %s%s; everything is stopped", term(TERM_BOLD), child->name, term(TERM_PLAIN),
             why, config ? " (wrong configuration)" : "");
    if (child->log_file) term_tail(child->log_file, TAIL_LINES);
    self->stopping = true;
    fail(self, config ? EXIT_CONFIG : EXIT_FAILURE);
}

static void on_stopped(void *arg)
{
    launch_t *self = arg;
    self->sink.stopped(self->sink.arg);
}

/* ---- life ---- */

static void start(void *arg)
{
    launch_t *self = arg;
    pl_timer_stop(&self->timer);
    if (self->readiness && system_answers(self->http_address)) {
        /* Another's gateway would be taken for ours. */
        term_bad("%sgateway%s: gateway.http.listen: %s is taken, something answers there",
                 term(TERM_BOLD), term(TERM_PLAIN), self->http_address);
        fail(self, EXIT_FAILURE);
        launch_stop(self);
        return;
    }
    supervisor_start(self->supervisor);
    if (self->failed) return;
    if (self->readiness) {
        self->timer = pl_timer_start(self->loop, GRUMBLE_MS, GRUMBLE_MS, grumble, self);
    } else {
        self->timer = pl_timer_start(self->loop, WITHOUT_GATEWAY_MS, 0, on_alone, self);
    }
}

launch_t *launch_new(pl_loop_t *loop, pl_http_t *http, const system_opts_t *opts,
                     const pl_config_t *config, const launch_sink_t *sink)
{
    launch_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->sink = *sink;
    self->started_ms = pl_clock_ms();
    snprintf(self->why, sizeof self->why, "the gateway does not answer");
    supervisor_sink_t heard = {.died = on_died,
                               .restarted = on_restarted,
                               .failed = on_failed,
                               .stopped = on_stopped,
                               .arg = self};
    self->supervisor = supervisor_new(loop, &heard);
    system_add(self->supervisor, opts, config);
    if (system_wanted(opts->only, "gateway") && pl_config_int(config, "up.instances.gateway")) {
        char url[160];
        snprintf(self->http_address, sizeof self->http_address, "%s",
                 pl_config_str(config, "gateway.http.listen"));
        system_url(pl_config_str(config, "gateway.http.listen"), url, sizeof url);
        self->readiness = readiness_new(loop, http, url, on_readiness, self);
    }
    self->timer = pl_timer_start(loop, 0, 0, start, self);
    return self;
}

void launch_destroy(launch_t **self_p)
{
    launch_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    readiness_destroy(&self->readiness);
    supervisor_destroy(&self->supervisor);
    free(self);
}

void launch_stop(launch_t *self)
{
    self->stopping = true;
    supervisor_stop(self->supervisor);
}

const supervisor_t *launch_supervisor(const launch_t *self)
{
    return self->supervisor;
}
