#include "tools/callsim/text_caller.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tools/callsim/api.h"
#include "tools/callsim/minutes.h"
#include "tools/callsim/person.h"
#include "tools/callsim/text_stream.h"
#include "tools/callsim/verdict.h"

enum { DETAIL_BYTES = 2048, NUMBER_BYTES = 64 };
#define NEVER UINT64_MAX

typedef enum {
    IDLE,
    WAITING, /* to be rung */
    RINGING, /* out or in */
    UP,
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
    person_t *person;
    minutes_t *minutes;
    exchange_leg_t *leg;
    text_stream_t *stream;
    exchange_sink_t sink;
    pl_timer_t *timer;    /* the next thing in time */
    pl_timer_t *errand;   /* to answer, or to tell of a transfer */
    pl_timer_t *deadline; /* of the whole scenario */
    uint32_t deadline_ms;
    verdict_t *verdict;
    bool advancing, talking;
    uint64_t began_ms, up_ms;
    uint64_t asked_us; /* when the utterance that waits for an answer was handed over; 0: none */
    uint32_t newest_turn, turn_then; /* newest_turn when it was */
    uint32_t calls, turns;
    bool answered, remote; /* remote: the bot ended the last call */
    char listens[TEXT_STREAM_LANG_BYTES];
    char detail[DETAIL_BYTES]; /* why it failed */
};

static void fail(text_caller_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void advance(text_caller_t *self);

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

static void minute(text_caller_t *self, minute_kind_t kind, uint64_t at_us, const char *text,
                   int step)
{
    minutes_add(self->minutes, &(minute_t){.kind = kind,
                                           .at_ms = at_us / 1000 - self->began_ms,
                                           .text = text,
                                           .step = step});
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
    size_t waits_for = person_waits_for(self->person);
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
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->errand);
    pl_timer_stop(&self->deadline);
    judge_course(self);
    const options_t *options = self->stage->options;
    verdict_opts_t opts = {.loop = self->stage->loop,
                           .http = self->stage->http,
                           .api = options->verify && self->answered ? options->api : NULL,
                           .number = self->number,
                           .of = {.scenario = self->scenario,
                                  .n = self->n,
                                  .manager = options->manager ? options->manager : "",
                                  .minutes = self->minutes,
                                  .listens = self->listens}};
    self->verdict = verdict_new(&opts, on_verdict, self);
}

static bool rings_again(const text_caller_t *self)
{
    size_t next = person_waits_for(self->person);
    return next < self->scenario->step_count && self->scenario->steps[next].ring;
}

/* The leg is over: tells its owner, and both sides here. */
static void end_leg(text_caller_t *self, Pl__LegEnd end, const char *detail, bool remote)
{
    if (!self->leg) return;
    uint64_t now_us = pl_clock_us();
    uint32_t duration_ms = self->up_ms ? (uint32_t)(now_us / 1000 - self->up_ms) : 0;
    if (self->stream) {
        snprintf(self->listens, sizeof self->listens, "%s", text_stream_lang(self->stream));
        text_stream_end(self->stream, now_us);
    }
    exchange_end(&self->leg, end, detail, duration_ms);
    self->remote = remote;
    self->asked_us = 0;
    minute(self, MINUTE_ENDED, now_us, detail, -1);
    note(self, remote ? "ended by the bot" : "ended", detail);
    person_down(self->person, now_us / 1000);
    self->talking = false;
    self->state = BETWEEN;
    if (rings_again(self) && !self->detail[0]) return;
    finish(self);
}

static void on_deadline(void *arg)
{
    text_caller_t *self = arg;
    bool done = self->answered && person_waits_for(self->person) == self->scenario->step_count;
    if (!done || self->scenario->end == END_BOT) {
        const step_t *step = done ? NULL : &self->scenario->steps[person_waits_for(self->person)];
        fail(self, "not over after %u s%s%s%s", self->deadline_ms / 1000,
             step ? ", waits for: " : "", step ? step->cue : "",
             self->state == WAITING ? ", nobody rang" : "");
    }
    if (self->leg) {
        end_leg(self, PL__LEG_END__LEG_BYE_REMOTE, "the caller hung up", false);
    }
    finish(self);
}

/* ---- what the stream tells ---- */

static void on_event(void *arg, Pl__Envelope *env)
{
    text_caller_t *self = arg;
    if (!self->leg) return;
    if (env->body_case == PL__ENVELOPE__BODY_UTTERANCE && env->utterance->text[0]) {
        self->asked_us = pl_clock_us();
        self->turn_then = self->newest_turn;
    }
    exchange_tell_speech(self->leg, env);
}

static void ring(text_caller_t *self);

static void press(text_caller_t *self, uint64_t at_us, const act_t *act)
{
    minute(self, MINUTE_KEYS, at_us, act->text, act->step);
    note(self, "keys", act->text);
    for (const char *key = act->text; *key; key++) {
        char digit[2] = {*key, '\0'};
        Pl__LegDtmf dtmf = PL__LEG_DTMF__INIT;
        dtmf.digit = digit;
        dtmf.duration_ms = 160;
        Pl__Envelope env = PL__ENVELOPE__INIT;
        env.body_case = PL__ENVELOPE__BODY_LEG_DTMF;
        env.leg_dtmf = &dtmf;
        if (self->leg) exchange_tell(self->leg, &env);
    }
}

static void perform(text_caller_t *self, uint64_t at_us, const act_t *act)
{
    switch (act->kind) {
    case ACT_SAY:
        minute(self, MINUTE_CALLER, at_us, act->text, act->step);
        note(self, "caller", act->text);
        self->talking = true;
        text_stream_speak(self->stream, at_us, act->text, 0);
        break;
    case ACT_MUMBLE:
        minute(self, MINUTE_MUMBLE, at_us, "", act->step);
        note(self, "caller mumbles", NULL);
        self->talking = true;
        text_stream_speak(self->stream, at_us, "", act->mumble_ms);
        break;
    case ACT_DTMF:
        press(self, at_us, act);
        break;
    case ACT_HANG_UP:
        note(self, "hangs up", NULL);
        end_leg(self, PL__LEG_END__LEG_BYE_REMOTE, "the caller hung up", false);
        break;
    case ACT_RING:
        ring(self);
        break;
    }
}

/* All that the person does now; false: nothing. */
static bool act(text_caller_t *self, uint64_t at_us)
{
    act_t what;
    bool any = false;
    while (self->state < JUDGED && person_next(self->person, at_us / 1000, &what)) {
        perform(self, at_us, &what);
        any = true;
    }
    return any;
}

static void on_bot_started(void *arg, uint64_t at_us)
{
    text_caller_t *self = arg;
    person_bot_started(self->person, at_us / 1000);
    person_bot_words(self->person, at_us / 1000, "", 0);
}

static void on_bot_word(void *arg, uint64_t at_us, const char *heard, uint32_t words)
{
    text_caller_t *self = arg;
    person_bot_words(self->person, at_us / 1000, heard, words);
    (void)act(self, at_us);
}

static void on_bot_over(void *arg, uint64_t at_us, const text_turn_t *turn)
{
    text_caller_t *self = arg;
    minutes_add(self->minutes, &(minute_t){.kind = MINUTE_BOT,
                                           .at_ms = at_us / 1000 - self->began_ms,
                                           .text = turn->asked,
                                           .heard = turn->heard,
                                           .lang = turn->lang,
                                           .step = -1,
                                           .interrupted = turn->interrupted});
    note(self, turn->interrupted ? "bot, cut" : "bot", turn->heard);
    if (!turn->started) return;
    self->turns++;
    person_bot_quiet(self->person, at_us / 1000);
    /* Who talks over the bot does not listen. */
    person_bot_said(self->person, at_us / 1000, self->talking ? "" : turn->heard);
}

static void on_said(void *arg, uint64_t at_us)
{
    text_caller_t *self = arg;
    self->talking = false;
    person_said(self->person, at_us / 1000);
}

/* ---- time ---- */

static uint64_t person_due_us(const text_caller_t *self)
{
    uint64_t due_ms = person_due_ms(self->person);
    return due_ms == NEVER ? NEVER : due_ms * 1000;
}

static uint64_t stream_due_us(const text_caller_t *self)
{
    return self->stream && self->state == UP ? text_stream_due_us(self->stream) : NEVER;
}

static void on_timer(void *arg)
{
    advance(arg);
}

static void arm(text_caller_t *self)
{
    pl_timer_stop(&self->timer);
    if (self->state != UP && self->state != BETWEEN) return;
    uint64_t stream_us = stream_due_us(self);
    uint64_t person_us = person_due_us(self);
    uint64_t due_us = stream_us < person_us ? stream_us : person_us;
    if (due_us == NEVER) return;
    uint64_t now_us = pl_clock_us();
    uint64_t wait_ms = due_us > now_us ? (due_us - now_us + 999) / 1000 : 0;
    self->timer = pl_timer_start(self->stage->loop, wait_ms, 0, on_timer, self);
}

/* Does all that is due by now, each thing at its own time and in order. */
static void advance(text_caller_t *self)
{
    if (self->advancing) return;
    self->advancing = true;
    uint64_t now_us = pl_clock_us();
    while (self->state == UP || self->state == BETWEEN) {
        uint64_t stream_us = stream_due_us(self);
        uint64_t person_us = person_due_us(self);
        uint64_t due_us = stream_us < person_us ? stream_us : person_us;
        if (due_us > now_us) break;
        if (stream_us <= person_us) (void)text_stream_step(self->stream);
        bool acted = act(self, due_us);
        assert(acted || stream_us <= person_us || person_due_us(self) != person_us);
    }
    self->advancing = false;
    arm(self);
}

/* ---- what the owner orders ---- */

static void up(text_caller_t *self, const char *lang)
{
    text_stream_sink_t sink = {on_event, on_bot_started, on_bot_word, on_bot_over, on_said, self};
    text_stream_destroy(&self->stream);
    self->stream = text_stream_new(self->stage->speed, lang, &sink);
    self->state = UP;
    self->answered = true;
    self->up_ms = pl_clock_ms();
    self->newest_turn = 0;
    note(self, "answered", exchange_call_id(self->leg));
    exchange_answered(self->leg);
    person_up(self->person, self->up_ms);
    advance(self);
}

static void on_accepted(void *arg, const Pl__CallAccepted *body)
{
    text_caller_t *self = arg;
    up(self, body->lang);
}

static void on_refused(void *arg, pl_err_t err, const char *detail)
{
    text_caller_t *self = arg;
    if (self->scenario->end != END_NONE) {
        fail(self, "the call was refused: %s: %s", pl_err_name(err), detail);
    }
    end_leg(self, PL__LEG_END__LEG_FAILED, detail, true);
}

static void on_listen(void *arg, const Pl__Listen *body)
{
    text_caller_t *self = arg;
    if (self->stream) text_stream_listen(self->stream, body);
}

/* The answer's first sentence ends the wait that began with the utterance. */
static void measure(text_caller_t *self, const Pl__Say *say)
{
    if (say->turn > self->newest_turn) self->newest_turn = say->turn;
    if (!self->asked_us || !say->text[0] || say->turn <= self->turn_then) return;
    uint64_t us = pl_clock_us() - self->asked_us;
    self->asked_us = 0;
    self->stage->answered(self->stage->arg, us > UINT32_MAX ? UINT32_MAX : (uint32_t)us);
}

static void on_say(void *arg, const Pl__Say *body)
{
    text_caller_t *self = arg;
    if (!self->stream || self->state != UP) return;
    measure(self, body);
    advance(self);
    if (self->state != UP) return;
    (void)text_stream_say(self->stream, pl_clock_us(), body);
    advance(self);
}

static void on_say_stop(void *arg, uint32_t turn)
{
    text_caller_t *self = arg;
    if (!self->stream || self->state != UP) return;
    advance(self);
    if (self->state != UP) return;
    (void)text_stream_say_stop(self->stream, pl_clock_us(), turn);
    advance(self);
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
    if (ok) {
        end_leg(self, PL__LEG_END__LEG_TRANSFERRED, "transferred", true);
    } else {
        advance(self);
    }
}

static bool on_transfer(void *arg, const char *to)
{
    text_caller_t *self = arg;
    if (self->state != UP) return false;
    minute(self, MINUTE_TRANSFER, pl_clock_us(), to, -1);
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
    self->state = RINGING;
    self->calls++;
    minute(self, MINUTE_RINGS, pl_clock_us(), "in", -1);
    note(self, "rings", self->number);
    self->leg = exchange_ring(self->stage->exchange, self->number, &self->sink);
}

static void answer(void *arg)
{
    text_caller_t *self = arg;
    if (self->state != RINGING) return;
    switch (self->scenario->answer) {
    case ANSWER_YES:
        up(self, self->listens);
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
    snprintf(self->listens, sizeof self->listens, "%s", dial->lang);
    self->state = RINGING;
    self->calls++;
    minute(self, MINUTE_RINGS, pl_clock_us(), "out", -1);
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
    (void)status;
    (void)json;
    text_caller_t *self = arg;
    if (!why || self->state >= JUDGED) return;
    if (self->scenario->end != END_NONE) fail(self, "POST /call: %s", why);
    finish(self);
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
    self->person = person_new(stage->scenario, n, true);
    person_pace(self->person, stage->speed);
    self->minutes = minutes_new();
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
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->errand);
    pl_timer_stop(&self->deadline);
    verdict_destroy(&self->verdict);
    text_stream_destroy(&self->stream);
    person_destroy(&self->person);
    minutes_destroy(&self->minutes);
    free(self);
}

void text_caller_start(text_caller_t *self)
{
    const options_t *options = self->stage->options;
    self->began_ms = pl_clock_ms();
    self->deadline_ms =
        options->deadline_s ? options->deadline_s * 1000 : self->scenario->deadline_ms;
    self->deadline = pl_timer_start(self->stage->loop, self->deadline_ms, 0, on_deadline, self);
    if (!self->stage->body && !self->scenario->rung) {
        ring(self);
        return;
    }
    self->state = WAITING;
    if (self->stage->body) {
        api_start_call(self->stage->http, options->api, self->stage->body, self->number, on_started,
                       self);
    }
}

void text_caller_stop(text_caller_t *self)
{
    if (self->state >= JUDGED) return;
    fail(self, "stopped");
    end_leg(self, PL__LEG_END__LEG_BYE_REMOTE, "the caller hung up", false);
    finish(self);
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
    minutes_add(self->minutes, &(minute_t){.kind = MINUTE_SMS,
                                           .at_ms = pl_clock_ms() - self->began_ms,
                                           .text = text,
                                           .to = to,
                                           .step = -1});
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
    cJSON_AddNumberToObject(json, "bot_turns", self->turns);
    cJSON_AddStringToObject(json, "ended_by", self->remote ? "remote" : "caller");
    cJSON_AddItemToObject(json, "checks",
                          self->verdict ? verdict_json(self->verdict) : cJSON_CreateArray());
    cJSON_AddItemToObject(json, "minutes", minutes_json(self->minutes));
    return json;
}
