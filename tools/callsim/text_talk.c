#include "tools/callsim/text_talk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tools/callsim/text_stream.h"

#define NEVER UINT64_MAX

struct text_talk {
    text_talk_opts_t opts;
    text_talk_sink_t sink;
    person_t *person;
    minutes_t *minutes;
    text_stream_t *stream; /* of the latest call */
    pl_timer_t *timer;     /* the next thing in time */
    bool up, stopped;
    bool advancing, talking; /* talking: the caller */
    uint64_t began_ms;
    uint64_t asked_us; /* when the utterance that waits for an answer was handed over; 0: none */
    uint32_t newest_turn, turn_then; /* newest_turn when it was */
    uint32_t turns;
    char lang[TEXT_STREAM_LANG_BYTES];
};

static void advance(text_talk_t *self);

static void note(const text_talk_t *self, const char *what, const char *text)
{
    self->sink.note(self->sink.arg, what, text);
}

static void minute(text_talk_t *self, minute_kind_t kind, uint64_t at_us, const char *text,
                   int step)
{
    minutes_add(self->minutes, &(minute_t){.kind = kind,
                                           .at_ms = at_us / 1000 - self->began_ms,
                                           .text = text,
                                           .step = step});
}

/* ---- what the person does ---- */

static void perform(text_talk_t *self, uint64_t at_us, const act_t *act)
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
        minute(self, MINUTE_KEYS, at_us, act->text, act->step);
        note(self, "keys", act->text);
        self->sink.dtmf(self->sink.arg, act->text);
        break;
    case ACT_HANG_UP:
        note(self, "hangs up", NULL);
        self->sink.hang_up(self->sink.arg);
        break;
    case ACT_RING:
        self->sink.ring(self->sink.arg);
        break;
    }
}

/* All that the person does now; false: nothing. */
static bool act(text_talk_t *self, uint64_t at_us)
{
    act_t what;
    bool any = false;
    while (!self->stopped && person_next(self->person, at_us / 1000, &what)) {
        perform(self, at_us, &what);
        any = true;
    }
    return any;
}

/* ---- what the stream tells ---- */

static void on_event(void *arg, Pl__Envelope *env)
{
    text_talk_t *self = arg;
    if (env->body_case == PL__ENVELOPE__BODY_UTTERANCE && env->utterance->text[0]) {
        self->asked_us = pl_clock_us();
        self->turn_then = self->newest_turn;
    }
    self->sink.event(self->sink.arg, env);
}

static void on_bot_started(void *arg, uint64_t at_us)
{
    text_talk_t *self = arg;
    person_bot_started(self->person, at_us / 1000);
    person_bot_words(self->person, at_us / 1000, "", 0);
}

static void on_bot_word(void *arg, uint64_t at_us, const char *heard, uint32_t words)
{
    text_talk_t *self = arg;
    person_bot_words(self->person, at_us / 1000, heard, words);
    (void)act(self, at_us);
}

static void on_bot_over(void *arg, uint64_t at_us, const text_turn_t *turn)
{
    text_talk_t *self = arg;
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
    text_talk_t *self = arg;
    self->talking = false;
    person_said(self->person, at_us / 1000);
}

/* ---- time ---- */

static uint64_t person_due_us(const text_talk_t *self)
{
    uint64_t due_ms = person_due_ms(self->person);
    return due_ms == NEVER ? NEVER : due_ms * 1000;
}

static uint64_t stream_due_us(const text_talk_t *self)
{
    return self->up ? text_stream_due_us(self->stream) : NEVER;
}

static void on_timer(void *arg)
{
    advance(arg);
}

static void arm(text_talk_t *self)
{
    pl_timer_stop(&self->timer);
    if (self->stopped) return;
    uint64_t stream_us = stream_due_us(self);
    uint64_t person_us = person_due_us(self);
    uint64_t due_us = stream_us < person_us ? stream_us : person_us;
    if (due_us == NEVER) return;
    uint64_t now_us = pl_clock_us();
    uint64_t wait_ms = due_us > now_us ? (due_us - now_us + 999) / 1000 : 0;
    self->timer = pl_timer_start(self->opts.loop, wait_ms, 0, on_timer, self);
}

/* Does all that is due by now, each thing at its own time and in order. */
static void advance(text_talk_t *self)
{
    if (self->advancing) return;
    self->advancing = true;
    uint64_t now_us = pl_clock_us();
    while (!self->stopped) {
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

void text_talk_listen(text_talk_t *self, const Pl__Listen *body)
{
    if (self->stream) text_stream_listen(self->stream, body);
}

/* The answer's first sentence ends the wait that began with the utterance. */
static void measure(text_talk_t *self, const Pl__Say *say)
{
    if (say->turn > self->newest_turn) self->newest_turn = say->turn;
    if (!self->asked_us || !say->text[0] || say->turn <= self->turn_then) return;
    uint64_t us = pl_clock_us() - self->asked_us;
    self->asked_us = 0;
    self->sink.answered(self->sink.arg, us > UINT32_MAX ? UINT32_MAX : (uint32_t)us);
}

void text_talk_say(text_talk_t *self, const Pl__Say *body)
{
    if (!self->up) return;
    measure(self, body);
    advance(self);
    if (!self->up) return;
    (void)text_stream_say(self->stream, pl_clock_us(), body);
    advance(self);
}

void text_talk_say_stop(text_talk_t *self, uint32_t turn)
{
    if (!self->up) return;
    advance(self);
    if (!self->up) return;
    (void)text_stream_say_stop(self->stream, pl_clock_us(), turn);
    advance(self);
}

/* ---- its life ---- */

text_talk_t *text_talk_new(const text_talk_opts_t *opts, const text_talk_sink_t *sink)
{
    text_talk_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->sink = *sink;
    self->person = person_new(opts->scenario, opts->n, true);
    person_pace(self->person, opts->speed);
    self->minutes = minutes_new();
    self->began_ms = pl_clock_ms();
    return self;
}

void text_talk_destroy(text_talk_t **self_p)
{
    text_talk_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    text_stream_destroy(&self->stream);
    person_destroy(&self->person);
    minutes_destroy(&self->minutes);
    free(self);
}

void text_talk_up(text_talk_t *self, const char *lang)
{
    text_stream_sink_t sink = {on_event, on_bot_started, on_bot_word, on_bot_over, on_said, self};
    text_stream_destroy(&self->stream);
    self->stream = text_stream_new(self->opts.speed, lang, &sink);
    self->up = true;
    self->newest_turn = 0;
    self->asked_us = 0;
    person_up(self->person, pl_clock_ms());
    advance(self);
}

void text_talk_down(text_talk_t *self)
{
    uint64_t now_us = pl_clock_us();
    if (self->up) {
        snprintf(self->lang, sizeof self->lang, "%s", text_stream_lang(self->stream));
        text_stream_end(self->stream, now_us);
    }
    self->up = false;
    self->talking = false;
    person_down(self->person, now_us / 1000);
    if (!self->advancing) arm(self);
}

void text_talk_stop(text_talk_t *self)
{
    self->stopped = true;
    pl_timer_stop(&self->timer);
}

void text_talk_minute(text_talk_t *self, minute_kind_t kind, const char *text, const char *to)
{
    minutes_add(self->minutes, &(minute_t){.kind = kind,
                                           .at_ms = pl_clock_ms() - self->began_ms,
                                           .text = text,
                                           .to = to,
                                           .step = -1});
}

const person_t *text_talk_person(const text_talk_t *self)
{
    return self->person;
}

const minutes_t *text_talk_minutes(const text_talk_t *self)
{
    return self->minutes;
}

const char *text_talk_lang(const text_talk_t *self)
{
    return self->up ? text_stream_lang(self->stream) : self->lang;
}

uint32_t text_talk_turns(const text_talk_t *self)
{
    return self->turns;
}
