#include "tools/callsim/text_fleet.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tools/callsim/api.h"
#include "tools/callsim/body.h"
#include "tools/callsim/caller_report.h"
#include "tools/callsim/text_caller.h"

enum { LOOK_MS = 20 };

typedef struct {
    const options_t *options;
    const scenario_t *scenario;
    pl_loop_t *loop;
    exchange_t *exchange;
    pl_http_t *http;
    text_stage_t stage;
    char *body;
    text_caller_t **callers; /* made so far: started */
    size_t started, over;
    pl_timer_t *starter;
    uint64_t give_up_ms; /* waiting for the system */
    uint32_t *answers_us;
    size_t answers, room;
    bool asking, stopping, never_ready;
} text_fleet_t;

/* ---- the bus's desk ---- */

static text_caller_t *find(const text_fleet_t *self, const char *number, bool waiting)
{
    for (size_t i = 0; i < self->started; i++) {
        text_caller_t *caller = self->callers[i];
        if (waiting && !text_caller_waits(caller)) continue;
        if (strcmp(text_caller_number(caller), number) == 0) return caller;
    }
    return NULL;
}

static const exchange_sink_t *on_dial(void *arg, const Pl__LegDial *body)
{
    const text_caller_t *caller = find(arg, body->to, true);
    return caller ? text_caller_sink(caller) : NULL;
}

static void on_dialled(void *arg, const Pl__LegDial *body, exchange_leg_t *leg)
{
    text_caller_rung(find(arg, body->to, true), body, leg);
}

static bool on_sms(void *arg, const char *call_id, const Pl__SmsSend *body)
{
    (void)call_id;
    const text_fleet_t *self = arg;
    text_caller_t *caller = find(self, body->to, false);
    /* To another number than the caller's: it is told where it can be looked at. */
    if (!caller && self->started == 1) caller = self->callers[0];
    return !caller || text_caller_sms(caller, body->to, body->text);
}

/* ---- callers ---- */

static void on_answered(void *arg, uint32_t us)
{
    text_fleet_t *self = arg;
    if (self->answers == self->room) {
        self->room = self->room ? 2 * self->room : 1024;
        self->answers_us = realloc(self->answers_us, self->room * sizeof *self->answers_us);
        assert(self->answers_us);
    }
    self->answers_us[self->answers++] = us;
}

static void start_more(void *arg);

static void on_done(void *arg, text_caller_t *caller)
{
    (void)caller;
    text_fleet_t *self = arg;
    self->over++;
    bool all =
        self->over == self->options->calls || (self->stopping && self->over == self->started);
    if (all) pl_loop_stop(self->loop);
    if (!all && self->options->rate <= 0) start_more(self);
}

static void start_more(void *arg)
{
    text_fleet_t *self = arg;
    const options_t *options = self->options;
    uint32_t most = options->concurrent ? options->concurrent : options->calls;
    while (!self->stopping && self->started < options->calls && self->started - self->over < most) {
        text_caller_t *caller =
            text_caller_new(&self->stage, (uint32_t)self->started + 1, on_done, self);
        self->callers[self->started++] = caller;
        text_caller_start(caller);
        if (options->rate > 0) break;
    }
}

/* ---- waiting for the system ---- */

static void begin(text_fleet_t *self)
{
    uint64_t every_ms = self->options->rate > 0 ? (uint64_t)(1000.0 / self->options->rate) : 0;
    pl_timer_stop(&self->starter);
    if (self->options->rate > 0 && every_ms == 0) every_ms = 1;
    self->starter = pl_timer_start(self->loop, 0, every_ms, start_more, self);
}

static void on_readiness(void *arg, long status, const cJSON *json, const char *why)
{
    (void)json;
    (void)why;
    text_fleet_t *self = arg;
    self->asking = false;
    if (status == 200 && self->started == 0 && !self->stopping) begin(self);
}

static void look(void *arg)
{
    text_fleet_t *self = arg;
    if (self->asking) return;
    if (pl_clock_ms() >= self->give_up_ms) {
        fprintf(stderr, "callsim: the system is not there after %u s\n", self->options->wait_s);
        self->never_ready = true;
        pl_loop_stop(self->loop);
    } else if (exchange_ready(self->exchange)) {
        if (self->options->api) {
            self->asking = true;
            api_readiness(self->http, self->options->api, on_readiness, self);
        } else {
            begin(self);
        }
    }
}

static void on_terminate(void *arg, unsigned count)
{
    text_fleet_t *self = arg;
    self->stopping = true;
    for (size_t i = 0; i < self->started; i++) text_caller_stop(self->callers[i]);
    if (count > 1 || self->over == self->started) pl_loop_stop(self->loop);
}

/* ---- the report ---- */

static cJSON *report(const text_fleet_t *self, unsigned *failed_out)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_CreateArray();
    unsigned completed = 0;
    for (size_t i = 0; i < self->started; i++) {
        completed += text_caller_completed(self->callers[i]);
        cJSON_AddItemToArray(list, text_caller_report(self->callers[i]));
    }
    *failed_out = self->options->calls - completed;
    latency_t answers = latency_of(self->answers_us, self->answers);
    cJSON_AddStringToObject(json, "scenario", self->options->scenario);
    cJSON *summary = cJSON_AddObjectToObject(json, "summary");
    cJSON_AddNumberToObject(summary, "callers", self->options->calls);
    cJSON_AddNumberToObject(summary, "completed", completed);
    cJSON_AddNumberToObject(summary, "failed", *failed_out);
    cJSON_AddNumberToObject(summary, "speed", self->stage.speed);
    cJSON_AddItemToObject(summary, "first_say", latency_json(&answers, "us"));
    cJSON_AddItemToObject(json, "calls", list);
    return json;
}

/* ---- a run ---- */

static bool set_stage(text_fleet_t *self)
{
    const options_t *options = self->options;
    exchange_desk_t desk = {.dial = on_dial, .dialled = on_dialled, .sms = on_sms, .arg = self};
    if (options->body) {
        self->body = body_read(options->body);
        if (!self->body) return false;
    }
    if (exchange_new(&self->exchange, self->loop, options->settings, &desk)) {
        fputs("callsim: the bus cannot be joined in the place of telephony and speech\n", stderr);
        return false;
    }
    self->http = pl_http_new(self->loop);
    self->stage =
        (text_stage_t){.loop = self->loop,
                       .exchange = self->exchange,
                       .http = self->http,
                       .scenario = self->scenario,
                       .options = options,
                       .speed = options->speed > 0 ? options->speed : self->scenario->speed,
                       .body = self->body,
                       .answered = on_answered,
                       .arg = self};
    uint32_t wait_s = options->wait_s ? options->wait_s : 3600;
    self->give_up_ms = pl_clock_ms() + wait_s * 1000ULL;
    self->starter = pl_timer_start(self->loop, 0, LOOK_MS, look, self);
    return true;
}

static void clear(text_fleet_t *self)
{
    pl_timer_stop(&self->starter);
    self->stopping = true;
    exchange_destroy(&self->exchange);
    pl_http_destroy(&self->http);
    for (size_t i = 0; i < self->started; i++) text_caller_destroy(&self->callers[i]);
    free(self->callers);
    free(self->answers_us);
    free(self->body);
    pl_loop_destroy(&self->loop);
}

cJSON *text_fleet_run(const options_t *options, const scenario_t *scenario, unsigned *failed_out)
{
    text_fleet_t self = {.options = options, .scenario = scenario};
    self.loop = pl_loop_new();
    self.callers = calloc(options->calls, sizeof(text_caller_t *));
    assert(self.callers);
    cJSON *json = NULL;
    if (set_stage(&self)) {
        pl_loop_on_terminate(self.loop, on_terminate, &self);
        pl_loop_run(self.loop);
        if (!self.never_ready) json = report(&self, failed_out);
    }
    clear(&self);
    return json;
}
