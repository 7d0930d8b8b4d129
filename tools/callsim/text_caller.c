#include "tools/callsim/text_caller.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tools/callsim/api.h"
#include "tools/callsim/text_talk.h"
#include "tools/callsim/verdict.h"

enum {
    DETAIL_BYTES = 2048,
    NUMBER_BYTES = 64,
    LANG_BYTES = 32,
    LEG_DETAIL_BYTES = 160,
    CLOSING_MS = 20, /* from the end of the audio to LegEnded, as with media statistics */
    TRY_FOR_MS = 5000,
    TRY_EVERY_MS = 50,
};

typedef enum {
    IDLE,
    WAITING, /* to be rung */
    RINGING, /* out or in */
    UP,
    ENDING,  /* media and signalling are closed one after the other */
    BETWEEN, /* two calls */
    JUDGED,
    DONE,
} state_t;

struct text_caller {
    const text_stage_t *stage;
    const scenario_t *scenario;
    uint32_t n;
    char number[NUMBER_BYTES];
    state_t state;
    text_caller_done_fn *done;
    void *arg;
    text_talk_t *talk;
    exchange_leg_t *leg;
    exchange_sink_t sink;
    pl_timer_t *errand;   /* to answer, or to tell of a transfer */
    pl_timer_t *deadline; /* of the whole scenario */
    uint32_t deadline_ms;
    verdict_t *verdict;
    uint64_t began_ms, up_ms;
    uint32_t calls;
    bool answered, remote; /* remote: the bot ended the last call */
    bool rings;            /* again, when the leg is gone */
    Pl__LegEnd end;        /* of the leg that is ENDING */
    char end_detail[LEG_DETAIL_BYTES];
    char dialled_lang[LANG_BYTES];
    char detail[DETAIL_BYTES]; /* why it failed */
};

static void fail(text_caller_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(text_caller_t *self, const char *fmt, ...)
{
    if (self->detail[0]) return; /* the first reason stands */
    va_list args;
    va_start(args, fmt);
    vsnprintf(self->detail, sizeof self->detail, fmt, args);
    va_end(args);
}

static void note(const text_caller_t *self, const char *what, const char *text)
{
    if (self->stage->options->quiet) return;
    fprintf(stderr, "[%u] %6.2f s  %s%s%s\n", self->n,
            (double)(pl_clock_ms() - self->began_ms) / 1000.0, what, text ? ": " : "",
            text ? text : "");
}

/* ---- the end ---- */

static bool ended_as_wanted(text_caller_t *self)
{
    switch (self->scenario->end) {
    case END_ANY:
        return true;
    case END_NONE:
        if (self->answered) fail(self, "it was answered");
        return !self->answered;
    case END_BOT:
        if (!self->remote) fail(self, "the bot did not hang up");
        return self->remote;
    case END_CALLER:
        if (self->remote) fail(self, "the bot hung up first");
        return !self->remote;
    }
    return false;
}

static void judge_course(text_caller_t *self)
{
    if (self->detail[0] || !ended_as_wanted(self)) return;
    size_t waits_for = person_waits_for(text_talk_person(self->talk));
    if (self->answered && waits_for < self->scenario->step_count) {
        const step_t *step = &self->scenario->steps[waits_for];
        fail(self, "step %zu never came up%s%s", waits_for + 1, step->cue[0] ? ", cue: " : "",
             step->cue);
    }
}

static void on_verdict(void *arg)
{
    text_caller_t *self = arg;
    if (verdict_failed(self->verdict)) fail(self, "%s", verdict_first(self->verdict));
    self->state = DONE;
    note(self, self->detail[0] ? "failed" : "completed", self->detail[0] ? self->detail : NULL);
    self->done(self->arg, self);
}

static void finish(text_caller_t *self)
{
    if (self->state >= JUDGED) return;
    self->state = JUDGED;
    pl_timer_stop(&self->errand);
    pl_timer_stop(&self->deadline);
    text_talk_stop(self->talk);
    judge_course(self);
    const options_t *options = self->stage->options;
    verdict_opts_t opts = {.loop = self->stage->loop,
                           .http = self->stage->http,
                           .api = options->verify && self->answered ? options->api : NULL,
                           .number = self->number,
                           .of = {.scenario = self->scenario,
                                  .n = self->n,
                                  .manager = options->manager ? options->manager : "",
                                  .minutes = text_talk_minutes(self->talk),
                                  .listens = text_talk_lang(self->talk)}};
    self->verdict = verdict_new(&opts, on_verdict, self);
}

static bool rings_again(const text_caller_t *self)
{
    size_t next = person_waits_for(text_talk_person(self->talk));
    return next < self->scenario->step_count && self->scenario->steps[next].ring;
}

static void ring(text_caller_t *self);

static void leg_gone(void *arg)
{
    text_caller_t *self = arg;
    uint32_t duration_ms = self->up_ms ? (uint32_t)(pl_clock_ms() - self->up_ms) : 0;
    exchange_end(&self->leg, self->end, self->end_detail, duration_ms);
    self->state = BETWEEN;
    if (self->detail[0] || (!self->rings && !rings_again(self))) {
        finish(self);
    } else if (self->rings) {
        ring(self);
    }
}

/* The leg ends: what was heard is told at once, and that it has ended a moment later. */
static void end_leg(text_caller_t *self, Pl__LegEnd end, const char *detail, bool remote)
{
    if (!self->leg || self->state == ENDING) return;
    self->state = ENDING;
    self->end = end;
    self->remote = remote;
    snprintf(self->end_detail, sizeof self->end_detail, "%s", detail);
    text_talk_down(self->talk);
    text_talk_minute(self->talk, MINUTE_ENDED, detail, NULL);
    note(self, remote ? "ended by the bot" : "ended", detail);
    pl_timer_stop(&self->errand);
    self->errand = pl_timer_start(self->stage->loop, CLOSING_MS, 0, leg_gone, self);
}

static void on_deadline(void *arg)
{
    text_caller_t *self = arg;
    bool done = self->answered &&
                person_waits_for(text_talk_person(self->talk)) == self->scenario->step_count;
    if (!done || self->scenario->end == END_BOT) {
        const step_t *step =
            done ? NULL : &self->scenario->steps[person_waits_for(text_talk_person(self->talk))];
        fail(self, "not over after %u s%s%s%s", self->deadline_ms / 1000,
             step ? ", waits for: " : "", step ? step->cue : "",
             self->state == WAITING ? ", nobody rang" : "");
    }
    if (self->leg) {
        end_leg(self, PL__LEG_END__LEG_BYE_REMOTE, "the caller hung up", false);
    } else {
        finish(self);
    }
}

/* ---- what the talk wants ---- */

static void on_event(void *arg, Pl__Envelope *env)
{
    const text_caller_t *self = arg;
    if (self->leg) exchange_tell_speech(self->leg, env);
}

static void press(void *arg, const char *keys)
{
    const text_caller_t *self = arg;
    for (; *keys && self->leg; keys++) {
        char digit[2] = {*keys, '\0'};
        Pl__LegDtmf dtmf = PL__LEG_DTMF__INIT;
        dtmf.digit = digit;
        dtmf.duration_ms = 160;
        Pl__Envelope env = PL__ENVELOPE__INIT;
        env.body_case = PL__ENVELOPE__BODY_LEG_DTMF;
        env.leg_dtmf = &dtmf;
        exchange_tell(self->leg, &env);
    }
}

static void on_person_hangs_up(void *arg)
{
    end_leg(arg, PL__LEG_END__LEG_BYE_REMOTE, "the caller hung up", false);
}

static void on_ring(void *arg)
{
    text_caller_t *self = arg;
    self->rings = self->leg != NULL;
    if (!self->leg) ring(self);
}

static void on_answered(void *arg, uint32_t us)
{
    const text_caller_t *self = arg;
    self->stage->answered(self->stage->arg, us);
}

static void on_note(void *arg, const char *what, const char *text)
{
    note(arg, what, text);
}

/* ---- what the owner orders ---- */

static void up(text_caller_t *self, const char *lang)
{
    self->state = UP;
    self->answered = true;
    self->up_ms = pl_clock_ms();
    note(self, "answered", exchange_call_id(self->leg));
    exchange_answered(self->leg);
    text_talk_up(self->talk, lang);
}

static void on_accepted(void *arg, const Pl__CallAccepted *body)
{
    text_caller_t *self = arg;
    up(self, body->lang);
}

static void begin(void *arg);

/* A system that has just started does not see all its parts yet: then the caller tries again. */
static bool try_again(text_caller_t *self)
{
    if (self->answered || self->scenario->end == END_NONE ||
        pl_clock_ms() - self->began_ms >= TRY_FOR_MS) {
        return false;
    }
    pl_timer_stop(&self->errand);
    self->errand = pl_timer_start(self->stage->loop, TRY_EVERY_MS, 0, begin, self);
    return true;
}

static void on_refused(void *arg, pl_err_t err, const char *detail)
{
    text_caller_t *self = arg;
    if (err == PL_UNAVAILABLE && try_again(self)) {
        note(self, "refused for the moment", detail);
        exchange_end(&self->leg, PL__LEG_END__LEG_FAILED, detail, 0);
        self->state = IDLE;
        return;
    }
    if (self->scenario->end != END_NONE) {
        fail(self, "the call was refused: %s: %s", pl_err_name(err), detail);
    }
    end_leg(self, PL__LEG_END__LEG_FAILED, detail, true);
}

static void on_listen(void *arg, const Pl__Listen *body)
{
    text_caller_t *self = arg;
    text_talk_listen(self->talk, body);
}

static void on_say(void *arg, const Pl__Say *body)
{
    text_caller_t *self = arg;
    text_talk_say(self->talk, body);
}

static void on_say_stop(void *arg, uint32_t turn)
{
    text_caller_t *self = arg;
    text_talk_say_stop(self->talk, turn);
}

static void on_hang_up(void *arg)
{
    end_leg(arg, PL__LEG_END__LEG_BYE_LOCAL, "hung up", true);
}

static void tell_transferred(text_caller_t *self, bool ok)
{
    static char accepted[] = "202 Accepted";
    static char busy[] = "486 Busy Here";
    Pl__LegTransferred transferred = PL__LEG_TRANSFERRED__INIT;
    transferred.ok = ok;
    transferred.detail = ok ? accepted : busy;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSFERRED;
    env.leg_transferred = &transferred;
    exchange_tell(self->leg, &env);
}

static void after_transfer(void *arg)
{
    text_caller_t *self = arg;
    bool ok = self->scenario->transfer == TRANSFER_ACCEPT;
    if (!self->leg) return;
    tell_transferred(self, ok);
    if (ok) end_leg(self, PL__LEG_END__LEG_TRANSFERRED, "transferred", true);
}

static bool on_transfer(void *arg, const char *to)
{
    text_caller_t *self = arg;
    if (self->state != UP) return false;
    text_talk_minute(self->talk, MINUTE_TRANSFER, to, NULL);
    note(self, "transfer", to);
    pl_timer_stop(&self->errand); /* the order is answered first */
    self->errand = pl_timer_start(self->stage->loop, 0, 0, after_transfer, self);
    return true;
}

static void on_keys(void *arg, const char *digits)
{
    note(arg, "keys heard", digits);
}

static void on_owner_lost(void *arg)
{
    text_caller_t *self = arg;
    fail(self, "nobody cared for the call any more");
    end_leg(self, PL__LEG_END__LEG_OWNER_LOST, "the owner fell silent", true);
}

/* ---- ringing ---- */

static void ring(text_caller_t *self)
{
    self->rings = false;
    self->state = RINGING;
    self->calls++;
    text_talk_minute(self->talk, MINUTE_RINGS, "in", NULL);
    note(self, "rings", self->number);
    self->leg = exchange_ring(self->stage->exchange, self->number, &self->sink);
}

static void answer(void *arg)
{
    text_caller_t *self = arg;
    if (self->state != RINGING) return;
    switch (self->scenario->answer) {
    case ANSWER_YES:
        up(self, self->dialled_lang);
        break;
    case ANSWER_BUSY:
        end_leg(self, PL__LEG_END__LEG_BUSY, "486 Busy Here", false);
        break;
    case ANSWER_DECLINE:
        end_leg(self, PL__LEG_END__LEG_DECLINED, "603 Decline", false);
        break;
    case ANSWER_NEVER:
        end_leg(self, PL__LEG_END__LEG_NO_ANSWER, "nobody answered in time", false);
        break;
    }
}

void text_caller_rung(text_caller_t *self, const Pl__LegDial *dial, exchange_leg_t *leg)
{
    self->leg = leg;
    snprintf(self->dialled_lang, sizeof self->dialled_lang, "%s", dial->lang);
    self->state = RINGING;
    self->calls++;
    text_talk_minute(self->talk, MINUTE_RINGS, "out", NULL);
    note(self, "is rung", NULL);
    Pl__LegRinging ringing = PL__LEG_RINGING__INIT;
    ringing.sip_status = 180;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_RINGING;
    env.leg_ringing = &ringing;
    exchange_tell(leg, &env);
    uint64_t wait_ms = (uint64_t)(self->scenario->answer_after_ms / self->stage->speed);
    pl_timer_stop(&self->errand);
    self->errand = pl_timer_start(self->stage->loop, wait_ms, 0, answer, self);
}

static void on_started(void *arg, long status, const cJSON *json, const char *why)
{
    (void)json;
    text_caller_t *self = arg;
    if (!why || self->state >= JUDGED || (status == 503 && try_again(self))) return;
    if (self->scenario->end != END_NONE) fail(self, "POST /call: %s", why);
    finish(self);
}

/* Rings, or asks to be rung. */
static void begin(void *arg)
{
    text_caller_t *self = arg;
    if (!self->stage->body && !self->scenario->rung) {
        ring(self);
        return;
    }
    self->state = WAITING;
    if (self->stage->body) {
        api_start_call(self->stage->http, self->stage->options->api, self->stage->body, self->n,
                       self->number, on_started, self);
    }
}

/* ---- its life ---- */

text_caller_t *text_caller_new(const text_stage_t *stage, uint32_t n, text_caller_done_fn *done,
                               void *arg)
{
    text_caller_t *self = calloc(1, sizeof *self);
    assert(self);
    self->stage = stage;
    self->scenario = stage->scenario;
    self->n = n;
    self->done = done;
    self->arg = arg;
    const char *number = stage->options->number ? stage->options->number : stage->scenario->number;
    (void)scenario_expand(number, n, self->number, sizeof self->number);
    text_talk_opts_t opts = {
        .loop = stage->loop, .scenario = stage->scenario, .n = n, .speed = stage->speed};
    text_talk_sink_t talk = {on_event, press, on_person_hangs_up, on_ring, on_answered,
                             on_note,  self};
    self->talk = text_talk_new(&opts, &talk);
    self->sink = (exchange_sink_t){.accepted = on_accepted,
                                   .refused = on_refused,
                                   .listen = on_listen,
                                   .say = on_say,
                                   .say_stop = on_say_stop,
                                   .hang_up = on_hang_up,
                                   .transfer = on_transfer,
                                   .keys = on_keys,
                                   .owner_lost = on_owner_lost,
                                   .arg = self};
    return self;
}

void text_caller_destroy(text_caller_t **self_p)
{
    text_caller_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->errand);
    pl_timer_stop(&self->deadline);
    verdict_destroy(&self->verdict);
    text_talk_destroy(&self->talk);
    free(self);
}

void text_caller_start(text_caller_t *self)
{
    const options_t *options = self->stage->options;
    self->began_ms = pl_clock_ms();
    self->deadline_ms =
        options->deadline_s ? options->deadline_s * 1000 : self->scenario->deadline_ms;
    self->deadline = pl_timer_start(self->stage->loop, self->deadline_ms, 0, on_deadline, self);
    begin(self);
}

void text_caller_stop(text_caller_t *self)
{
    if (self->state >= JUDGED) return;
    fail(self, "stopped");
    if (self->leg) {
        end_leg(self, PL__LEG_END__LEG_BYE_REMOTE, "the caller hung up", false);
    } else {
        finish(self);
    }
}

const char *text_caller_number(const text_caller_t *self)
{
    return self->number;
}

const exchange_sink_t *text_caller_sink(const text_caller_t *self)
{
    return &self->sink;
}

bool text_caller_waits(const text_caller_t *self)
{
    return self->state == WAITING;
}

bool text_caller_sms(text_caller_t *self, const char *to, const char *text)
{
    text_talk_minute(self->talk, MINUTE_SMS, text, to);
    note(self, "SMS", text);
    return self->scenario->sms == SMS_DELIVERED;
}

bool text_caller_completed(const text_caller_t *self)
{
    return self->state == DONE && !self->detail[0];
}

cJSON *text_caller_report(const text_caller_t *self)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "caller", self->n);
    cJSON_AddStringToObject(json, "number", self->number);
    cJSON_AddStringToObject(json, "outcome", self->detail[0] ? "failed" : "completed");
    if (self->detail[0]) {
        cJSON_AddStringToObject(json, "detail", self->detail);
    } else {
        cJSON_AddNullToObject(json, "detail");
    }
    cJSON_AddNumberToObject(json, "calls", self->calls);
    cJSON_AddNumberToObject(json, "bot_turns", text_talk_turns(self->talk));
    cJSON_AddStringToObject(json, "ended_by", self->remote ? "remote" : "caller");
    cJSON_AddItemToObject(json, "checks",
                          self->verdict ? verdict_json(self->verdict) : cJSON_CreateArray());
    cJSON_AddItemToObject(json, "minutes", minutes_json(text_talk_minutes(self->talk)));
    return json;
}
