#include "tools/callsim/caller.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/telephony/rtp_leg.h"
#include "tools/callsim/api.h"
#include "tools/callsim/caller_report.h"

enum { VERIFY_EVERY_MS = 250, VERIFY_FOR_MS = 20000, LAST_WORDS_MS = 1500 };

typedef enum { PREPARING, WAITING, RINGING, UP, ENDING, VERIFYING, DONE } state_t;

struct caller {
    const stage_t *stage;
    const scenario_t *scenario;
    uint32_t n;
    state_t state;
    caller_done_fn *done;
    void *arg;
    conversation_t *talk;
    rtp_leg_t *leg;
    bool leg_started;
    web_phone_t *web;
    pl_timer_t *timer; /* the next thing to do: answer, cancel, verify, wait's end */
    pl_timer_t *deadline;
    uint64_t verify_until_ms;
    caller_result_t result;
};

static void finish(caller_t *self);
static void fail(caller_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(caller_t *self, const char *fmt, ...)
{
    if (self->result.detail[0]) return; /* the first reason stands */
    va_list args;
    va_start(args, fmt);
    vsnprintf(self->result.detail, sizeof self->result.detail, fmt, args);
    va_end(args);
}

static void note(const caller_t *self, const char *what, const char *text)
{
    if (self->stage->options->quiet) return;
    fprintf(stderr, "[%u] %6.2f s  %s%s%s\n", self->n,
            (double)(pl_clock_ms() - self->result.started_ms) / 1000.0, what, text ? ": " : "",
            text ? text : "");
}

/* ---- the end ---- */

static bool ended_as_wanted(caller_t *self)
{
    const caller_result_t *result = &self->result;
    switch (self->scenario->end) {
    case END_ANY:
        return true;
    case END_NONE:
        if (result->up) fail(self, "it was answered");
        return !result->up;
    case END_BOT:
        if (!result->remote) fail(self, "the bot did not hang up");
        return result->remote;
    case END_CALLER:
        if (result->remote) fail(self, "the bot hung up first");
        return !result->remote;
    }
    return false;
}

/* Did the call go as the scenario wants? Says why not. */
static void judge(caller_t *self)
{
    if (self->result.detail[0] || !ended_as_wanted(self)) return;
    size_t waits_for = person_waits_for(conversation_person(self->talk));
    if (!self->result.up && self->scenario->end != END_NONE) {
        fail(self, "never answered: %u %s", self->result.status, self->result.reason);
    } else if (self->result.up && waits_for < self->scenario->step_count) {
        const step_t *step = &self->scenario->steps[waits_for];
        fail(self, "step %zu never came up%s%s", waits_for + 1, step->cue[0] ? ", cue: " : "",
             step->cue);
    }
}

static void on_call_read(void *arg, long status, const cJSON *json, const char *why)
{
    caller_t *self = arg;
    if (self->state != VERIFYING) return;
    char difference[256] = "";
    bool there = status == 200 && json;
    size_t different = 1;
    if (there) {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "call_id"));
        snprintf(self->result.call_id, sizeof self->result.call_id, "%s", id ? id : "");
        different = api_compare(self->scenario, self->n, json, difference, sizeof difference);
    }
    bool settled = there && api_call_settled(json);
    if (settled && different == 0) {
        finish(self);
    } else if (settled || pl_clock_ms() >= self->verify_until_ms) {
        fail(self, "%s",
             !there          ? why
             : difference[0] ? difference
                             : "the call's record never got its synthesis and next action");
        finish(self);
    }
}

static void verify(void *arg)
{
    caller_t *self = arg;
    const char *id = self->result.call_id[0] ? self->result.call_id : self->result.number;
    api_get_call(self->stage->http, self->stage->options->api, id, on_call_read, self);
}

static void close_media(caller_t *self)
{
    if (self->leg) {
        if (self->leg_started) rtp_leg_stats(self->leg, &self->result.rtp);
        rtp_leg_destroy(&self->leg);
    }
    web_phone_destroy(&self->web);
}

static void after_end(void *arg)
{
    caller_t *self = arg;
    pl_timer_stop(&self->timer);
    conversation_end(self->talk);
    if (self->stage->options->verify && self->result.up) {
        self->state = VERIFYING;
        self->verify_until_ms = pl_clock_ms() + VERIFY_FOR_MS;
        self->timer = pl_timer_start(self->stage->loop, 0, VERIFY_EVERY_MS, verify, self);
        return;
    }
    finish(self);
}

static void finish(caller_t *self)
{
    if (self->state == DONE) return;
    self->state = DONE;
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->deadline);
    judge(self);
    note(self, self->result.detail[0] ? "failed" : "completed",
         self->result.detail[0] ? self->result.detail : NULL);
    self->done(self->arg, self);
}

/* The session is over, or there never was one. */
static void ended(caller_t *self)
{
    if (self->state >= ENDING) return;
    self->state = ENDING;
    self->result.ended_ms = pl_clock_ms();
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->deadline);
    bool words_to_come = conversation_over(self->talk);
    close_media(self);
    note(self, self->result.remote ? "ended by the other side" : "ended", self->result.reason);
    self->timer =
        pl_timer_start(self->stage->loop, words_to_come ? LAST_WORDS_MS : 0, 0, after_end, self);
}

static void hang_up(caller_t *self)
{
    if (self->state >= ENDING) return;
    if (self->web) {
        snprintf(self->result.reason, sizeof self->result.reason, "hung up");
        ended(self);
    } else {
        phone_hang_up(self->stage->phone, self->n);
        if (self->state == WAITING || self->state == PREPARING) ended(self);
    }
}

static void on_deadline(void *arg)
{
    caller_t *self = arg;
    size_t waits_for = person_waits_for(conversation_person(self->talk));
    bool done = self->result.up && waits_for == self->scenario->step_count;
    if (!done || self->scenario->end != END_ANY) {
        fail(self, "not over after %u s", self->result.deadline_ms / 1000);
    }
    hang_up(self);
}

static void start_deadline(caller_t *self)
{
    pl_timer_stop(&self->deadline);
    self->deadline =
        pl_timer_start(self->stage->loop, self->result.deadline_ms, 0, on_deadline, self);
}

/* ---- the talk ---- */

static void on_keys(void *arg, const char *keys)
{
    caller_t *self = arg;
    note(self, "keys", keys);
    if (self->leg_started) (void)rtp_leg_send_dtmf(self->leg, keys, 160);
    if (self->web) web_phone_keys(self->web, keys);
}

static void on_person_hangs_up(void *arg)
{
    caller_t *self = arg;
    note(self, "hangs up", NULL);
    hang_up(self);
}

static void on_line(void *arg, bool caller, const char *text)
{
    note(arg, caller ? "caller" : "bot", text);
}

static void on_heard(void *arg, const rtp_heard_t *frame)
{
    caller_t *self = arg;
    conversation_heard(self->talk, frame->pcm);
}

static bool on_next(void *arg, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    caller_t *self = arg;
    (void)conversation_next(self->talk, pcm);
    return true; /* a phone sends its silence too */
}

static void on_dtmf(void *arg, char digit, uint32_t duration_ms)
{
    (void)duration_ms;
    caller_t *self = arg;
    size_t used = strlen(self->result.keys);
    if (used + 1 < sizeof self->result.keys) self->result.keys[used] = digit;
}

static void on_lost(void *arg)
{
    (void)arg; /* no time-out is set */
}

static void up(caller_t *self)
{
    self->state = UP;
    self->result.up = true;
    if (!self->result.up_ms) {
        self->result.up_ms = pl_clock_ms();
        note(self, "answered", self->result.codec);
        pl_timer_stop(&self->timer);
        start_deadline(self);
    }
}

static void on_up(caller_t *self, const phone_event_t *event)
{
    static const rtp_sink_t callbacks = {
        .heard = on_heard, .next = on_next, .dtmf = on_dtmf, .lost = on_lost};
    rtp_sink_t sink = callbacks;
    sink.arg = self;
    snprintf(self->result.codec, sizeof self->result.codec, "%s", event->codec);
    pl_err_t err = self->leg ? rtp_leg_start(self->leg, self->stage->loop, &event->params, &sink)
                             : PL_INTERNAL;
    if (err) {
        fail(self, "the audio cannot be started: %s", pl_err_text(err));
        hang_up(self);
        return;
    }
    self->leg_started = true;
    up(self);
}

void caller_tick(caller_t *self)
{
    if (self->state != UP) return;
    if (self->leg_started) rtp_leg_tick(self->leg);
    if (self->web) {
        int16_t pcm[TURNS_FRAME_SAMPLES];
        if (web_phone_take(self->web, pcm)) conversation_heard(self->talk, pcm);
        (void)conversation_next(self->talk, pcm);
        web_phone_send(self->web, pcm);
    }
    conversation_tick(self->talk);
}

/* ---- being rung ---- */

static bool open_leg(caller_t *self)
{
    const options_t *options = self->stage->options;
    struct sockaddr_in address = {.sin_family = AF_INET};
    int numeric = inet_pton(AF_INET, self->stage->rtp_address, &address.sin_addr);
    pl_err_t err = numeric == 1 ? rtp_leg_new(&self->leg, (struct sockaddr *)&address,
                                              options->rtp_min, options->rtp_max)
                                : PL_INVALID;
    if (err) fail(self, "no RTP port: %s", pl_err_text(err));
    return !err;
}

static void answer(void *arg)
{
    caller_t *self = arg;
    switch (self->scenario->answer) {
    case ANSWER_YES:
        if (open_leg(self)) {
            phone_answer(self->stage->phone, self->n, rtp_leg_port(self->leg));
        } else {
            phone_reject(self->stage->phone, self->n, 500, "No Port");
        }
        break;
    case ANSWER_BUSY:
        phone_reject(self->stage->phone, self->n, 486, "Busy Here");
        break;
    case ANSWER_DECLINE:
        phone_reject(self->stage->phone, self->n, 603, "Decline");
        break;
    case ANSWER_NEVER:
        break;
    }
}

static void on_ring(caller_t *self, const phone_event_t *event)
{
    self->state = RINGING;
    self->result.rang = true;
    note(self, "rings", event->peer);
    pl_timer_stop(&self->timer);
    start_deadline(self);
    self->timer =
        pl_timer_start(self->stage->loop, self->scenario->answer_after_ms, 0, answer, self);
}

static void on_not_rung(void *arg)
{
    caller_t *self = arg;
    fail(self, "nobody rang within %u s", self->stage->options->wait_s);
    ended(self);
}

static void on_started(void *arg, long status, const cJSON *json, const char *why)
{
    caller_t *self = arg;
    self->result.http_status = status;
    if (why) {
        fail(self, "POST /call: %s", why);
        ended(self);
        return;
    }
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "call_id"));
    snprintf(self->result.call_id, sizeof self->result.call_id, "%s", id ? id : "");
    note(self, "POST /call accepted", self->result.call_id);
}

static void wait_to_be_rung(caller_t *self, const char *how)
{
    if (self->state != PREPARING) return; /* a refresh of the registration */
    self->state = WAITING;
    note(self, how, self->result.number);
    self->stage->waits(self->stage->arg);
    uint32_t wait_s = self->stage->options->wait_s;
    if (wait_s) {
        self->timer = pl_timer_start(self->stage->loop, wait_s * 1000ULL, 0, on_not_rung, self);
    }
    if (self->stage->body) {
        api_start_call(self->stage->http, self->stage->options->api, self->stage->body, self->n,
                       self->result.number, on_started, self);
    }
}

void caller_on_phone(caller_t *self, const phone_event_t *event)
{
    caller_result_t *result = &self->result;
    if (event->status && result->status_count < CALLER_MAX_STATUSES) {
        result->statuses[result->status_count++] = event->status;
    }
    if (self->state >= ENDING) return;
    switch (event->kind) {
    case PHONE_REGISTERED:
        wait_to_be_rung(self, "registered");
        break;
    case PHONE_REGISTER_FAILED:
        fail(self, "not registered: %u %s", event->status, event->reason);
        ended(self);
        break;
    case PHONE_RINGS:
        on_ring(self, event);
        break;
    case PHONE_PROGRESS:
        break;
    case PHONE_UP:
        on_up(self, event);
        break;
    case PHONE_ENDED:
        result->status = event->status;
        result->remote = event->remote;
        snprintf(result->reason, sizeof result->reason, "%s", event->reason);
        ended(self);
        break;
    }
}

/* ---- ringing ---- */

static void cancel(void *arg)
{
    caller_t *self = arg;
    note(self, "gives up ringing", NULL);
    phone_hang_up(self->stage->phone, self->n);
}

static void ring(caller_t *self)
{
    self->state = RINGING;
    start_deadline(self);
    if (!open_leg(self)) {
        ended(self);
        return;
    }
    phone_call(self->stage->phone, self->n, self->stage->options->target, rtp_leg_port(self->leg));
    if (self->scenario->cancel_after_ms) {
        self->timer =
            pl_timer_start(self->stage->loop, self->scenario->cancel_after_ms, 0, cancel, self);
    }
}

static void on_web(void *arg, web_phone_event_t event, const char *text)
{
    caller_t *self = arg;
    switch (event) {
    case WEB_UP:
        snprintf(self->result.codec, sizeof self->result.codec, "PCM/16000");
        up(self);
        break;
    case WEB_CALL:
        snprintf(self->result.call_id, sizeof self->result.call_id, "%s", text);
        break;
    case WEB_TRANSCRIPT:
        self->result.transcripts++;
        break;
    case WEB_ENDED:
        self->result.remote = true;
        snprintf(self->result.reason, sizeof self->result.reason, "%s", text);
        ended(self);
        break;
    }
}

static void on_ticket(void *arg, long status, const cJSON *json, const char *why)
{
    caller_t *self = arg;
    if (self->state != RINGING) return; /* given up meanwhile */
    self->result.http_status = status;
    pl_err_t err = PL_INVALID;
    if (!why) {
        err = web_phone_new(&self->web, self->stage->web_net, self->stage->options->target, json,
                            on_web, self);
    }
    if (why || err) {
        fail(self, "POST /phone/ticket: %s", why ? why : "an answer without token or address");
        ended(self);
    }
}

static void on_prepared(void *arg, pl_err_t err)
{
    caller_t *self = arg;
    if (self->state != PREPARING) return;
    if (err) {
        fail(self, "the caller cannot be made ready: %s", pl_err_text(err));
        ended(self);
        return;
    }
    switch (self->stage->options->reach) {
    case REACH_REGISTER:
        phone_register(self->stage->phone, self->n);
        break;
    case REACH_SIP:
        ring(self);
        break;
    case REACH_ANSWER:
        wait_to_be_rung(self, "waits");
        break;
    case REACH_BROWSER:
        self->state = RINGING;
        start_deadline(self);
        api_ticket(self->stage->http, self->stage->options->target, self->result.number, on_ticket,
                   self);
        break;
    case REACH_TEXT: /* not this kind of caller */
        break;
    }
}

/* ---- its life ---- */

caller_t *caller_new(const stage_t *stage, uint32_t n, caller_done_fn *done, void *arg)
{
    caller_t *self = calloc(1, sizeof *self);
    assert(self);
    const options_t *options = stage->options;
    self->stage = stage;
    self->scenario = stage->scenario;
    self->n = n;
    self->done = done;
    self->arg = arg;
    self->result.deadline_ms =
        options->deadline_s ? options->deadline_s * 1000 : stage->scenario->deadline_ms;
    const char *number = options->number ? options->number : stage->scenario->number;
    (void)scenario_expand(number, n, self->result.number, sizeof self->result.number);
    if (options->wav) {
        snprintf(self->result.recording, sizeof self->result.recording, "%s", options->wav);
    } else if (options->record) {
        snprintf(self->result.recording, sizeof self->result.recording, "%s/caller-%u.wav",
                 options->record, n);
    }
    return self;
}

void caller_destroy(caller_t **self_p)
{
    caller_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->deadline);
    close_media(self);
    conversation_destroy(&self->talk);
    free(self);
}

void caller_start(caller_t *self)
{
    const stage_t *stage = self->stage;
    const options_t *options = stage->options;
    conversation_opts_t opts = {
        .scenario = self->scenario,
        .n = self->n,
        .loop = stage->loop,
        .recognise = options->recognise < 0 ? self->scenario->recognise : options->recognise == 1,
        .recording = self->result.recording[0] ? self->result.recording : NULL};
    conversation_sink_t sink = {
        .dtmf = on_keys, .hang_up = on_person_hangs_up, .line = on_line, .arg = self};
    self->result.started_ms = pl_clock_ms();
    pl_err_t err = conversation_new(&self->talk, &opts, &sink);
    if (err) {
        fail(self, "%s cannot be written", self->result.recording);
        opts.recording = NULL;
        (void)conversation_new(&self->talk, &opts, &sink);
        ended(self);
        return;
    }
    if (stage->phone) {
        phone_line_t line = {.user = self->result.number,
                             .password = self->scenario->password,
                             .domain = stage->domain,
                             .codecs = options->codecs ? options->codecs : self->scenario->codecs};
        phone_line(stage->phone, self->n, &line);
    }
    conversation_prepare(self->talk, stage->voices, on_prepared, self);
}

void caller_stop(caller_t *self)
{
    if (self->state >= ENDING) return;
    fail(self, "stopped");
    hang_up(self);
}

bool caller_completed(const caller_t *self)
{
    return self->state == DONE && !self->result.detail[0];
}

uint32_t caller_number(const caller_t *self)
{
    return self->n;
}

const turns_t *caller_turns(const caller_t *self)
{
    return conversation_turns(self->talk);
}

cJSON *caller_report(const caller_t *self)
{
    return caller_result_json(&self->result, self->scenario, self->n, caller_turns(self));
}
