/* call_turn.c - turns: thinking, speaking, being interrupted, listening. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/model/draft.h"
#include "services/dialogue/postcall.h"

enum {
    TEXT_MAX = 4000,
    MS_PER_CHARACTER = 110,
    SPEECH_MARGIN_MS = 8000,
};

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

void call_turn_clear(turn_t *turn)
{
    for (size_t i = 0; i < turn->count; i++) {
        free(turn->sentences[i].text);
        free(turn->sentences[i].lang);
    }
    *turn = (turn_t){0};
}

static const char *voice_of(const call_t *self, const char *code)
{
    const Pl__Initiate *initiate = self->record->initiate;
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        const Pl__Language *lang = initiate->lang_available[i];
        if (strcmp(lang->short_code, code) == 0) return lang->voice;
    }
    return "";
}

uint64_t call_speech_deadline(const call_t *self, call_now_t now)
{
    size_t characters = 0;
    for (size_t i = 0; i < self->turn.count; i++)
        characters += strlen(self->turn.sentences[i].text);
    uint64_t due = now.mono_ms + characters * MS_PER_CHARACTER + SPEECH_MARGIN_MS;
    uint64_t thought_due = self->thought_ms + self->settings->hard_ms;
    return self->thinking && thought_due > due ? thought_due : due;
}

/* ---- speaking ---- */

/* sentence NULL: the turn has no further one. */
static void send_say(call_t *self, uint32_t index, const sentence_t *sentence, effects_t *fx)
{
    if (!self->speech[0]) return; /* said when the stream is open again */
    const char *lang = sentence && sentence->lang ? sentence->lang : call_lang(self);
    Pl__Say body = PL__SAY__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.turn = self->turn.number;
    body.index = index;
    body.text = sentence ? sentence->text : (char *)"";
    body.last = !sentence;
    body.lang = (char *)lang;
    body.voice = (char *)voice_of(self, lang);
    body.rate = pl_record_rate(self->record);
    body.style = sentence ? sentence->style : PL__STYLE__NONE;
    body.not_interruptible = self->after != AFTER_LISTEN || call_floor_held(self);
    env.body_case = PL__ENVELOPE__BODY_SAY;
    env.say = &body;
    (void)fx_event(fx, self->speech, &env);
}

static void remember_past(call_t *self)
{
    if (!self->turn.number) return;
    memmove(&self->past[1], &self->past[0], (PAST_TURNS - 1) * sizeof self->past[0]);
    self->past[0] = (past_turn_t){.number = self->turn.number,
                                  .message = self->turn.message,
                                  .thought = self->turn.thought,
                                  .started = self->turn.started,
                                  .over = self->turn.over || !self->turn.count};
}

void call_turn_begin(call_t *self, uint32_t thought)
{
    remember_past(self);
    call_turn_clear(&self->turn);
    self->turn.number = ++self->turns;
    self->turn.thought = thought;
}

void call_turn_ensure(call_t *self, call_now_t now, effects_t *fx)
{
    bool open = self->turn.number && !self->turn.closed && self->turn.thought == self->thought;
    if (open) return;
    call_turn_begin(self, self->thought);
    self->turn.message =
        call_add_message(self, now.wall_ms, PL__ACTION__TALK, PL__PERSONA__ASSISTANT, "", fx);
    Pl__Message *message = call_message(self, self->turn.message);
    message->turn = self->turn.number;
    message->endpointing_ms = self->endpointing_ms;
    message->recognition_ms = self->recognition_ms;
    message->thinking_ms = (uint32_t)(now.mono_ms - self->thought_ms);
    call_store_message(self, message, fx);
    if (self->found) call_add_passages(self, self->turn.message, self->found, fx);
}

/* Takes what the sentence holds. */
static bool add(call_t *self, sentence_t sentence, effects_t *fx)
{
    turn_t *turn = &self->turn;
    if (turn->count == SENTENCES_MAX || !sentence.text[0]) {
        free(sentence.text);
        free(sentence.lang);
        return false;
    }
    turn->sentences[turn->count] = sentence;
    send_say(self, (uint32_t)turn->count, &sentence, fx);
    turn->count++;
    return true;
}

bool call_turn_add(call_t *self, const char *text, Pl__Style style, effects_t *fx)
{
    return add(self, (sentence_t){.text = text_copy(text), .style = style}, fx);
}

bool call_turn_add_in(call_t *self, const char *text, const char *lang, effects_t *fx)
{
    sentence_t sentence = {.text = text_copy(text), .lang = text_copy(lang), .aside = true};
    return add(self, sentence, fx);
}

static char *join_sentences(const turn_t *turn)
{
    draft_t text = {0};
    for (size_t i = 0; i < turn->count; i++) {
        if (turn->sentences[i].aside) continue;
        if (text.len) draft_add(&text, " ");
        draft_add(&text, turn->sentences[i].text);
    }
    return draft_take(&text);
}

void call_turn_drop_asides(const turn_t *turn, char *heard)
{
    for (size_t i = 0; i < turn->count; i++) {
        const char *text = turn->sentences[i].text;
        char *at = turn->sentences[i].aside ? strstr(heard, text) : NULL;
        if (!at) continue;
        size_t n = strlen(text);
        if (at[n] == ' ') n++;
        memmove(at, at + n, strlen(at + n) + 1);
    }
}

void call_turn_store(call_t *self, effects_t *fx)
{
    Pl__Message *message = call_message(self, self->turn.message);
    if (!message) return;
    char *text = join_sentences(&self->turn);
    call_put_text(&message->content, text);
    for (size_t i = 0; i < self->turn.count; i++) {
        if (self->turn.sentences[i].style) message->style = self->turn.sentences[i].style;
    }
    call_transcript(self, message->number, PL__PERSONA__ASSISTANT, text, false, fx);
    free(text);
    call_store_message(self, message, fx);
}

void call_turn_close(call_t *self, effects_t *fx)
{
    send_say(self, (uint32_t)self->turn.count, NULL, fx);
    self->turn.closed = true;
}

void call_send_listen(call_t *self, effects_t *fx)
{
    if (!self->speech[0]) return;
    Pl__Listen body = PL__LISTEN__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.expect = self->expect;
    body.lang = (char *)call_lang(self);
    body.vad_silence_timeout_ms = self->settings->vad_silence_ms;
    body.vad_cutoff_timeout_ms = self->settings->vad_cutoff_ms;
    env.body_case = PL__ENVELOPE__BODY_LISTEN;
    env.listen = &body;
    (void)fx_event(fx, self->speech, &env);
}

/* What the fixed sentences are filled with: name, value, ..., NULL. */
enum { PROMPT_VALUES = 5 };
static void prompt_values(const call_t *self, const char *out[PROMPT_VALUES])
{
    const Pl__Initiate *initiate = self->record->initiate;
    out[0] = "bot_name";
    out[1] = initiate->bot_name;
    out[2] = "bot_company";
    out[3] = initiate->bot_company;
    out[4] = NULL;
}

void call_prepare_prompts(const call_t *self)
{
    const char *values[PROMPT_VALUES];
    prompt_values(self, values);
    prompts_prepare(self->prompts, call_lang(self), values);
}

static void fill_prompt(call_t *self, prompt_t id, char *out, size_t bytes)
{
    const char *values[PROMPT_VALUES];
    prompt_values(self, values);
    prompts_say(self->prompts, call_lang(self), id, self->seed++, values, out, bytes);
}

void call_say_prompt(call_t *self, call_now_t now, prompt_t id, bool stored, effects_t *fx)
{
    char text[PROMPT_BYTES];
    fill_prompt(self, id, text, sizeof text);
    call_turn_begin(self, 0);
    if (stored) {
        self->turn.message =
            call_add_message(self, now.wall_ms, PL__ACTION__TALK, PL__PERSONA__ASSISTANT, text, fx);
    }
    (void)call_turn_add(self, text, PL__STYLE__NONE, fx);
    call_transcript(self, self->turn.message, PL__PERSONA__ASSISTANT, text, false, fx);
    call_send_listen(self, fx);
    call_turn_close(self, fx);
    if (self->state == CALL_ENDING) return;
    call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
}

void call_say_goodbye(call_t *self, call_now_t now, prompt_t id, effects_t *fx)
{
    call_cancel_thought(self, fx);
    call_stop_turn(self, fx);
    if (!self->speech[0]) {
        call_hang_up(self, now, "goodbye", fx);
        return;
    }
    self->after = AFTER_HANGUP;
    call_enter(self, CALL_ENDING, NO_DEADLINE);
    call_say_prompt(self, now, id, true, fx);
    self->deadline_ms = call_speech_deadline(self, now);
}

void call_add_goodbye(call_t *self, call_now_t now, prompt_t id, effects_t *fx)
{
    uint64_t said_ms = self->deadline_ms > now.mono_ms ? self->deadline_ms - now.mono_ms : 0;
    self->after = AFTER_HANGUP;
    call_enter(self, CALL_ENDING, NO_DEADLINE);
    call_say_prompt(self, now, id, true, fx);
    self->deadline_ms = call_speech_deadline(self, now) + said_ms;
}

void call_turn_cut(call_t *self, uint32_t number, const char *heard, bool estimated, effects_t *fx)
{
    Pl__Message *message = call_message(self, number);
    if (!message) return;
    call_put_text(&message->content, heard);
    message->interrupted = true;
    message->heard_estimated = estimated;
    call_transcript(self, number, PL__PERSONA__ASSISTANT, heard, false, fx);
    call_store_message(self, message, fx);
}

void call_say_filler(call_t *self, call_now_t now, effects_t *fx)
{
    bool making = self->turn.count && !self->turn.over && !self->turn.closed &&
                  self->turn.thought == self->thought;
    call_filler_said(self);
    self->soft_said = true;
    if (self->state == CALL_THINKING) {
        call_say_prompt(self, now, PROMPT_STILL_WORKING, false, fx);
    } else if (self->state == CALL_SPEAKING && making) {
        char text[PROMPT_BYTES];
        fill_prompt(self, PROMPT_STILL_WORKING, text, sizeof text);
        if (!call_turn_add(self, text, PL__STYLE__NONE, fx)) return;
        self->turn.sentences[self->turn.count - 1].aside = true;
        self->deadline_ms = call_speech_deadline(self, now);
    }
}

/* The newest turn that speech may still have to say; 0: none. */
static uint32_t newest_open(const call_t *self)
{
    if (self->turn.number && self->turn.count && !self->turn.over) return self->turn.number;
    for (int i = 0; i < PAST_TURNS; i++) {
        if (self->past[i].number && !self->past[i].over) return self->past[i].number;
    }
    return 0;
}

void call_stop_turn(call_t *self, effects_t *fx)
{
    turn_t *turn = &self->turn;
    uint32_t open = newest_open(self);
    if (open && self->speech[0]) {
        Pl__SayStop body = PL__SAY_STOP__INIT;
        Pl__Envelope env;
        call_envelope(self, &env);
        body.turn = open;
        env.body_case = PL__ENVELOPE__BODY_SAY_STOP;
        env.say_stop = &body;
        (void)fx_event(fx, self->speech, &env);
    }
    /* What was stopped before it began is told by nobody. */
    for (int i = 0; open && i < PAST_TURNS; i++) {
        past_turn_t *past = &self->past[i];
        if (!past->over && !past->started) call_turn_cut(self, past->message, "", false, fx);
        past->over = true;
    }
    if (!turn->number || turn->over) return;
    turn->over = true;
    if (turn->count && !turn->started) call_turn_cut(self, turn->message, "", false, fx);
}

void call_listen(call_t *self, call_now_t now)
{
    call_enter(self, CALL_LISTENING, now.mono_ms + call_menu_wait_ms(self));
}

/* ---- the stream ---- */

/* The same words under a new number: the former stream took the old one with it. */
static void say_again(call_t *self, call_now_t now, effects_t *fx)
{
    turn_t *turn = &self->turn;
    turn->number = ++self->turns;
    turn->started = false;
    for (size_t i = 0; i < turn->count; i++) {
        send_say(self, (uint32_t)i, &turn->sentences[i], fx);
    }
    if (turn->closed) call_turn_close(self, fx);
    self->deadline_ms = call_speech_deadline(self, now);
}

void call_open(call_t *self, call_now_t now, effects_t *fx)
{
    bool talked = self->continued && postcall_interaction(self->record);
    call_think(self, now, talked ? THINK_RESUMED : THINK_OPENING, "", 0, fx);
    if (talked) self->welcome = self->thought;
}

void call_stream_opened(call_t *self, call_now_t now, effects_t *fx)
{
    self->sound_ms = now.mono_ms;
    if (self->adopted) {
        call_go_on(self, now, fx);
        return;
    }
    if (self->state == CALL_GREETING) {
        call_send_listen(self, fx);
        if (!call_menu_open(self, now, fx)) call_open(self, now, fx);
        return;
    }
    call_send_listen(self, fx);
    bool pending = self->turn.number && !self->turn.over && self->turn.count;
    bool speaking =
        self->state == CALL_SPEAKING || (self->state == CALL_ENDING && !self->hangup_asked);
    if (speaking && pending) {
        say_again(self, now, fx);
    } else if (self->state == CALL_LISTENING && self->menu) {
        call_menu_silent(self, now, fx); /* says it again */
    } else if (self->state == CALL_LISTENING && self->turn.count) {
        char last[TEXT_MAX];
        snprintf(last, sizeof last, "%s", self->turn.sentences[self->turn.count - 1].text);
        char text[PROMPT_BYTES];
        fill_prompt(self, PROMPT_LINE_BACK, text, sizeof text);
        call_turn_begin(self, 0);
        (void)call_turn_add(self, text, PL__STYLE__NONE, fx);
        (void)call_turn_add(self, last, PL__STYLE__NONE, fx);
        call_turn_close(self, fx);
        call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
    }
}
