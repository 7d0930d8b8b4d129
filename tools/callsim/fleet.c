#include "tools/callsim/fleet.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/telephony/media_clock.h"
#include "tools/callsim/body.h"
#include "tools/callsim/caller.h"
#include "tools/callsim/caller_report.h"

enum { TICK_NS = 20 * 1000 * 1000 };

typedef struct {
    const options_t *options;
    const scenario_t *scenario;
    stage_t stage;
    pl_loop_t *loop;
    char domain[160], rtp_address[64], listen[96];
    caller_t **callers;            /* made so far: started */
    size_t started, over, waiting; /* waiting: of those that are rung, how many can be */
    pl_timer_t *starter;
    pl_watch_t *clock;
    int clock_fd;
    media_clock_t due;
    uint64_t late_ticks;
    bool stopping;
} fleet_t;

/* ---- where the target is ---- */

/* The host and port in "sip:user@host:port;params" or "host:port". */
static void split_target(const char *target, char host[128], char port[16])
{
    const char *at = strchr(target, '@');
    const char *from = at ? at + 1 : strncmp(target, "sip:", 4) == 0 ? target + 4 : target;
    size_t length = strcspn(from, ":;?");
    snprintf(host, 128, "%.*s", (int)length, from);
    snprintf(port, 16, "5060");
    if (from[length] == ':')
        snprintf(port, 16, "%.*s", (int)strcspn(from + length + 1, ";?"), from + length + 1);
}

/* Finds the address of this machine that reaches host. */
static bool local_address(const char *host, const char *port, char out[64])
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        fprintf(stderr, "callsim: %s:%s: %s\n", host, port, gai_strerror(rc));
        return false;
    }
    struct sockaddr_in local = {0};
    socklen_t size = sizeof local;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
              getsockname(fd, (struct sockaddr *)&local, &size) == 0 &&
              inet_ntop(AF_INET, &local.sin_addr, out, 64);
    if (fd >= 0) close(fd);
    freeaddrinfo(found);
    return ok;
}

static bool find_addresses(fleet_t *self)
{
    char host[128];
    char port[16];
    char own[64] = "";
    split_target(self->options->target, host, port); /* with REACH_ANSWER: our own */
    snprintf(self->domain, sizeof self->domain, "%s:%s", host, port);
    const char *listen = self->options->listen;
    if (!listen && !local_address(host, port, own)) return false;
    if (listen) snprintf(own, sizeof own, "%.*s", (int)strcspn(listen, ":"), listen);
    snprintf(self->rtp_address, sizeof self->rtp_address, "%s", own);
    const char *own_port = listen && strchr(listen, ':') ? strchr(listen, ':') + 1 : "0";
    snprintf(self->listen, sizeof self->listen, "%s:%s", own, own_port);
    return true;
}

/* ---- callers ---- */

static void start_more(void *arg);

static void on_done(void *arg, caller_t *caller)
{
    (void)caller;
    fleet_t *self = arg;
    self->over++;
    bool all =
        self->over == self->options->calls || (self->stopping && self->over == self->started);
    if (all) pl_loop_stop(self->loop);
    if (!all && self->options->rate <= 0) start_more(self);
}

/* One caller more with a rate, else as many as may be at once. */
static void start_more(void *arg)
{
    fleet_t *self = arg;
    const options_t *options = self->options;
    uint32_t most = options->concurrent ? options->concurrent : options->calls;
    while (!self->stopping && self->started < options->calls && self->started - self->over < most) {
        caller_t *caller = caller_new(&self->stage, (uint32_t)self->started + 1, on_done, self);
        self->callers[self->started++] = caller;
        caller_start(caller);
        if (options->rate > 0) break;
    }
}

static void on_waits(void *arg)
{
    fleet_t *self = arg;
    if (++self->waiting != self->options->calls || !self->options->ready) return;
    FILE *file = fopen(self->options->ready, "we");
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "callsim: %s cannot be made\n", self->options->ready);
    }
}

static void on_phone(void *arg, const phone_event_t *event)
{
    fleet_t *self = arg;
    if (event->line >= 1 && event->line <= self->started) {
        caller_on_phone(self->callers[event->line - 1], event);
    }
}

static void on_tick(void *arg)
{
    fleet_t *self = arg;
    uint64_t ticks = 0;
    if (read(self->clock_fd, &ticks, sizeof ticks) != sizeof ticks) return;
    if (ticks > 1) self->late_ticks += ticks - 1;
    /* After a stall the callers go on where they were, a little later; the RTP legs, which follow the
     * clock by themselves, tell the other side how much was left out. */
    media_due_t due = media_clock_due(&self->due, ticks);
    for (uint32_t run = 0; run < due.run; run++) {
        for (size_t i = 0; i < self->started; i++) caller_tick(self->callers[i]);
    }
}

static void on_terminate(void *arg, unsigned count)
{
    fleet_t *self = arg;
    self->stopping = true;
    for (size_t i = 0; i < self->started; i++) caller_stop(self->callers[i]);
    if (count > 1 || self->over == self->started) pl_loop_stop(self->loop);
}

/* ---- the report ---- */

static cJSON *summary(const fleet_t *self, unsigned *failed_out)
{
    size_t room = 1;
    for (size_t i = 0; i < self->started; i++) room += turns_count(caller_turns(self->callers[i]));
    uint32_t *values = calloc(room, sizeof *values);
    assert(values);
    size_t count = 0;
    unsigned completed = 0;
    for (size_t i = 0; i < self->started; i++) {
        const turns_t *turns = caller_turns(self->callers[i]);
        completed += caller_completed(self->callers[i]);
        for (size_t k = 0; k < turns_count(turns); k++) {
            int32_t latency_ms = turns_at(turns, k)->latency_ms;
            if (latency_ms != TURNS_NONE) values[count++] = (uint32_t)latency_ms;
        }
    }
    latency_t latency = latency_of(values, count);
    free(values);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "callers", self->options->calls);
    cJSON_AddNumberToObject(json, "completed", completed);
    cJSON_AddNumberToObject(json, "failed", self->options->calls - completed);
    cJSON_AddItemToObject(json, "latency", latency_json(&latency, "ms"));
    cJSON_AddNumberToObject(json, "late_ticks", (double)self->late_ticks);
    *failed_out = self->options->calls - completed;
    return json;
}

static cJSON *report(const fleet_t *self, unsigned *failed_out)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "scenario", self->options->scenario);
    cJSON_AddItemToObject(json, "summary", summary(self, failed_out));
    cJSON *list = cJSON_AddArrayToObject(json, "calls");
    for (size_t i = 0; i < self->started; i++) {
        cJSON_AddItemToArray(list, caller_report(self->callers[i]));
    }
    return json;
}

/* ---- a run ---- */

static bool start_clock(fleet_t *self)
{
    struct itimerspec every = {.it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS};
    self->clock_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (self->clock_fd < 0 || timerfd_settime(self->clock_fd, 0, &every, NULL) != 0) return false;
    self->clock = pl_watch_fd(self->loop, self->clock_fd, on_tick, self);
    return true;
}

static bool set_stage(fleet_t *self)
{
    const options_t *options = self->options;
    self->stage = (stage_t){.loop = self->loop,
                            .scenario = self->scenario,
                            .options = options,
                            .domain = self->domain,
                            .rtp_address = self->rtp_address,
                            .waits = on_waits,
                            .arg = self};
    if (options->body) {
        self->stage.body = body_read(options->body);
        if (!self->stage.body) return false;
    }
    if (options->reach != REACH_BROWSER) {
        if (!find_addresses(self)) return false;
        if (phone_new(&self->stage.phone, self->loop, self->listen, on_phone, self)) {
            fprintf(stderr, "callsim: SIP cannot listen on %s\n", self->listen);
            return false;
        }
    }
    if (options->reach == REACH_BROWSER && web_net_new(&self->stage.web_net, self->loop)) {
        fputs("callsim: libwebsockets cannot be started\n", stderr);
        return false;
    }
    self->stage.voices = voices_new(self->loop);
    self->stage.http = pl_http_new(self->loop);
    return start_clock(self);
}

static void clear(fleet_t *self)
{
    pl_timer_stop(&self->starter);
    pl_watch_stop(&self->clock);
    if (self->clock_fd >= 0) close(self->clock_fd);
    voices_destroy(&self->stage.voices);
    phone_destroy(&self->stage.phone);
    pl_http_destroy(&self->stage.http);
    for (size_t i = 0; i < self->started; i++) caller_destroy(&self->callers[i]);
    web_net_destroy(&self->stage.web_net); /* after the callers, whose sockets it closes */
    free(self->callers);
    free((char *)self->stage.body);
    pl_loop_destroy(&self->loop);
}

cJSON *fleet_run(const options_t *options, const scenario_t *scenario, unsigned *failed_out)
{
    fleet_t self = {.options = options, .scenario = scenario, .clock_fd = -1};
    self.loop = pl_loop_new();
    self.callers = calloc(options->calls, sizeof(caller_t *));
    assert(self.callers);
    cJSON *json = NULL;
    if (set_stage(&self)) {
        pl_loop_on_terminate(self.loop, on_terminate, &self);
        uint64_t every_ms = options->rate > 0 ? (uint64_t)(1000.0 / options->rate) : 0;
        self.starter = pl_timer_start(self.loop, 0, every_ms, start_more, &self);
        pl_loop_run(self.loop);
        json = report(&self, failed_out);
    }
    clear(&self);
    return json;
}
