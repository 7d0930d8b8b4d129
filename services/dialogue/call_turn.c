/* call_turn.c - turns: thinking, speaking, being interrupted, listening. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/nlu/intent.h"

enum {
    TEXT_MAX = 4000,
    MS_PER_CHARACTER = 110,
    SPEECH_MARGIN_MS = 8000,
    WORDS_MS = 600, /* a shorter voice without words is a noise */
};

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

void call_turn_clear(turn_t *turn)
{
    for (size_t i = 0; i < turn->count; i++) free(turn->sentences[i].text);
    *turn = (turn_t){0};
}

static const char *voice_of(const call_t *self)
{
    const Pl__Initiate *initiate = self->record->initiate;
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        const Pl__Language *lang = initiate->lang_available[i];
        if (strcmp(lang->short_code, call_lang(self)) == 0) return lang->voice;
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

static void send_say(call_t *self, uint32_t index, const char *text, bool last, Pl__Style style,
                     effects_t *fx)
{
    if (!self->speech[0]) return; /* said when the stream is open again */
    Pl__Say body = PL__SAY__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.turn = self->turn.number;
    body.index = index;
    body.text = (char *)text;
    body.last = last;
    body.lang = (char *)call_lang(self);
    body.voice = (char *)voice_of(self);
    body.rate = self->record->initiate->prosody_rate;
    body.style = style;
    body.not_interruptible = self->after != AFTER_LISTEN || call_floor_held(self);
    env.body_case = PL__ENVELOPE__BODY_SAY;
    env.say = &body;
    (void)fx_event(fx, self->speech, &env);
}

static void remember_past(call_t *self)
{
    if (!self->turn.number) return;
    memmove(&self->past[1], &self->past[0], (PAST_TURNS - 1) * sizeof self->past[0]);
    self->past[0] = (past_turn_t){self->turn.number, self->turn.message};
}

static void begin_turn(call_t *self, uint32_t thought)
{
    remember_past(self);
    call_turn_clear(&self->turn);
    self->turn.number = ++self->turns;
    self->turn.thought = thought;
}

/* The turn of the present thought, with its message in the history. */
static void ensure_turn(call_t *self, call_now_t now, effects_t *fx)
{
    if (self->turn.number && self->turn.thought == self->thought) return;
    begin_turn(self, self->thought);
    self->turn.message =
        call_add_message(self, now.wall_ms, PL__ACTION__TALK, PL__PERSONA__ASSISTANT, "", fx);
    Pl__Message *message = call_message(self, self->turn.message);
    message->turn = self->turn.number;
    message->endpointing_ms = self->endpointing_ms;
    message->recognition_ms = self->recognition_ms;
    message->thinking_ms = (uint32_t)(now.mono_ms - self->thought_ms);
    call_store_message(self, message, fx);
}

static bool add_sentence(call_t *self, const char *text, Pl__Style style, effects_t *fx)
{
    turn_t *turn = &self->turn;
    if (turn->count == SENTENCES_MAX || !text[0]) return false;
    turn->sentences[turn->count] = (sentence_t){.text = text_copy(text), .style = style};
    send_say(self, (uint32_t)turn->count, text, false, style, fx);
    turn->count++;
    return true;
}

static void join_sentences(const turn_t *turn, char *out, size_t bytes)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < turn->count && n < bytes; i++) {
        if (turn->sentences[i].aside) continue;
        n += (size_t)snprintf(out + n, bytes - n, "%s%s", n ? " " : "", turn->sentences[i].text);
    }
}

/* What was heard without what is not part of the conversation. */
static void drop_asides(const turn_t *turn, char *heard)
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

static void store_answer(call_t *self, effects_t *fx)
{
    char text[TEXT_MAX];
    Pl__Message *message = call_message(self, self->turn.message);
    if (!message) return;
    join_sentences(&self->turn, text, sizeof text);
    call_set_content(message, text);
    call_transcript(self, message->number, PL__PERSONA__ASSISTANT, text, false, fx);
    call_store_message(self, message, fx);
}

static void close_turn(call_t *self, effects_t *fx)
{
    send_say(self, (uint32_t)self->turn.count, "", true, PL__STYLE__NONE, fx);
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

static void fill_prompt(call_t *self, prompt_t id, char *out, size_t bytes)
{
    const Pl__Initiate *initiate = self->record->initiate;
    const char *values[] = {"bot_name", initiate->bot_name, "bot_company", initiate->bot_company,
                            NULL};
    prompts_say(self->prompts, call_lang(self), id, self->seed++, values, out, bytes);
}

void call_say_prompt(call_t *self, call_now_t now, prompt_t id, bool stored, effects_t *fx)
{
    char text[PROMPT_BYTES];
    fill_prompt(self, id, text, sizeof text);
    begin_turn(self, 0);
    if (stored) {
        self->turn.message =
            call_add_message(self, now.wall_ms, PL__ACTION__TALK, PL__PERSONA__ASSISTANT, text, fx);
    }
    (void)add_sentence(self, text, PL__STYLE__NONE, fx);
    call_transcript(self, self->turn.message, PL__PERSONA__ASSISTANT, text, false, fx);
    call_send_listen(self, fx);
    close_turn(self, fx);
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

/* What the caller has not heard of the turn is not part of the conversation. */
static void cut_message(call_t *self, uint32_t number, const char *heard, bool estimated,
                        effects_t *fx)
{
    Pl__Message *message = call_message(self, number);
    if (!message) return;
    call_set_content(message, heard);
    message->interrupted = true;
    message->heard_estimated = estimated;
    call_transcript(self, number, PL__PERSONA__ASSISTANT, heard, false, fx);
    call_store_message(self, message, fx);
}

void call_say_filler(call_t *self, call_now_t now, effects_t *fx)
{
    bool making = self->turn.count && !self->turn.over && self->turn.thought == self->thought;
    call_filler_said(self);
    self->soft_said = true;
    if (self->state == CALL_THINKING) {
        call_say_prompt(self, now, PROMPT_STILL_WORKING, false, fx);
    } else if (self->state == CALL_SPEAKING && making) {
        char text[PROMPT_BYTES];
        fill_prompt(self, PROMPT_STILL_WORKING, text, sizeof text);
        if (!add_sentence(self, text, PL__STYLE__NONE, fx)) return;
        self->turn.sentences[self->turn.count - 1].aside = true;
        self->deadline_ms = call_speech_deadline(self, now);
    }
}

void call_stop_turn(call_t *self, effects_t *fx)
{
    turn_t *turn = &self->turn;
    if (!turn->number || turn->over) return;
    turn->over = true;
    if (turn->count == 0) return;
    if (self->speech[0]) {
        Pl__SayStop body = PL__SAY_STOP__INIT;
        Pl__Envelope env;
        call_envelope(self, &env);
        body.turn = turn->number;
        env.body_case = PL__ENVELOPE__BODY_SAY_STOP;
        env.say_stop = &body;
        (void)fx_event(fx, self->speech, &env);
    }
    if (!turn->started) cut_message(self, turn->message, "", false, fx);
}

void call_listen(call_t *self, call_now_t now)
{
    call_enter(self, CALL_LISTENING, now.mono_ms + self->settings->silence_ms);
}

/* ---- thinking ---- */

void call_think(call_t *self, call_now_t now, think_kind_t kind, const char *text, uint32_t message,
                effects_t *fx)
{
    call_cancel_thought(self, fx);
    self->thought++;
    self->thinking = true;
    self->soft_said = false;
    self->thought_ms = now.mono_ms;
    self->after = AFTER_LISTEN;
    call_enter(self, CALL_THINKING, now.mono_ms + self->settings->soft_ms);
    effect_t *effect = fx_add(fx, FX_THINK);
    effect->think_kind = kind;
    effect->think = self->thought;
    effect->text = text_copy(text);
    effect->message = message;
    effect->unheard = self->unheard;
    self->unheard = false;
}

void call_cancel_thought(call_t *self, effects_t *fx)
{
    if (!self->thinking) return;
    self->thinking = false;
    call_tools_cancelled(self, fx);
    effect_t *effect = fx_add(fx, FX_CANCEL);
    effect->think = self->thought;
}

static bool of_present_thought(const call_t *self, uint32_t thought)
{
    bool state = self->state == CALL_THINKING || self->state == CALL_SPEAKING;
    return state && self->thinking && thought == self->thought;
}

pl_err_t call_sentence(call_t *self, call_now_t now, uint32_t thought, const char *text,
                       Pl__Style style, effects_t *fx)
{
    if (!of_present_thought(self, thought)) return PL_STALE;
    if (!text[0]) return PL_INVALID;
    ensure_turn(self, now, fx);
    if (!add_sentence(self, text, style, fx)) return PL_BUSY;
    call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
    return PL_OK;
}

pl_err_t call_expect(call_t *self, uint32_t thought, Pl__Expect expect)
{
    if (!of_present_thought(self, thought)) return PL_STALE;
    self->expect = expect;
    return PL_OK;
}

pl_err_t call_tool(call_t *self, call_now_t now, uint32_t thought, const char *tool_id,
                   const char *name, const char *arguments, effects_t *fx)
{
    if (!of_present_thought(self, thought)) return PL_STALE;
    ensure_turn(self, now, fx);
    call_run_tool(self, now, tool_id, name, arguments, fx);
    return PL_OK;
}

static void transfer(call_t *self, call_now_t now, effects_t *fx)
{
    Pl__LegTransfer body = PL__LEG_TRANSFER__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.to = self->record->initiate->agent_phone_number;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSFER;
    env.leg_transfer = &body;
    (void)fx_request(fx, self->leg, &env, self->settings->transfer_ms, ASKED_TRANSFER, "");
    call_enter(self, CALL_TRANSFERRING, now.mono_ms + self->settings->transfer_ms);
}

/* The thought ended without a word of its own. */
static void wordless(call_t *self, call_now_t now, pl_err_t err, effects_t *fx)
{
    if (self->after == AFTER_HANGUP) {
        call_say_goodbye(self, now, PROMPT_GOODBYE, fx);
    } else if (self->after == AFTER_TRANSFER) {
        call_say_prompt(self, now, PROMPT_HUMAN_TRANSFER, true, fx);
    } else if (err) {
        call_say_prompt(self, now, PROMPT_ERROR, false, fx);
    } else if (self->state == CALL_THINKING) {
        call_send_listen(self, fx);
        call_floor_give(self, now, fx);
    }
}

pl_err_t call_thought(call_t *self, call_now_t now, uint32_t thought, pl_err_t err, effects_t *fx)
{
    if (!of_present_thought(self, thought)) return PL_STALE;
    self->thinking = false;
    if (self->turn.thought != thought || self->turn.count == 0) {
        wordless(self, now, err, fx);
        return PL_OK;
    }
    store_answer(self, fx);
    call_send_listen(self, fx);
    close_turn(self, fx);
    call_state_t next = self->after == AFTER_HANGUP ? CALL_ENDING : CALL_SPEAKING;
    call_enter(self, next, call_speech_deadline(self, now));
    return PL_OK;
}

/* ---- the stream ---- */

/* The same words under a new number: the former stream took the old one with it. */
static void say_again(call_t *self, call_now_t now, effects_t *fx)
{
    turn_t *turn = &self->turn;
    turn->number = ++self->turns;
    turn->started = false;
    for (size_t i = 0; i < turn->count; i++) {
        send_say(self, (uint32_t)i, turn->sentences[i].text, false, turn->sentences[i].style, fx);
    }
    if (turn->closed) close_turn(self, fx);
    self->deadline_ms = call_speech_deadline(self, now);
}

void call_stream_opened(call_t *self, call_now_t now, effects_t *fx)
{
    self->sound_ms = now.mono_ms;
    if (self->state == CALL_GREETING) {
        call_send_listen(self, fx);
        call_think(self, now, THINK_OPENING, "", 0, fx);
        return;
    }
    call_send_listen(self, fx);
    bool pending = self->turn.number && !self->turn.over && self->turn.count;
    bool speaking =
        self->state == CALL_SPEAKING || (self->state == CALL_ENDING && !self->hangup_asked);
    if (speaking && pending) {
        say_again(self, now, fx);
    } else if (self->state == CALL_LISTENING && self->turn.count) {
        char last[TEXT_MAX];
        snprintf(last, sizeof last, "%s", self->turn.sentences[self->turn.count - 1].text);
        char text[PROMPT_BYTES];
        fill_prompt(self, PROMPT_LINE_BACK, text, sizeof text);
        begin_turn(self, 0);
        (void)add_sentence(self, text, PL__STYLE__NONE, fx);
        (void)add_sentence(self, last, PL__STYLE__NONE, fx);
        close_turn(self, fx);
        call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
    }
}

/* ---- events of speech ---- */

pl_err_t call_on_speech_started(call_t *self, call_now_t now, const Pl__Envelope *env,
                                effects_t *fx)
{
    (void)env;
    (void)fx;
    if (self->state == CALL_ENDED) return PL_STALE;
    self->sound_ms = now.mono_ms;
    return PL_OK;
}

pl_err_t call_on_partial(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    if (self->state == CALL_ENDED) return PL_STALE;
    self->sound_ms = now.mono_ms;
    call_transcript(self, 0, PL__PERSONA__HUMAN, env->partial->text, true, fx);
    return PL_OK;
}

static bool listens_along(const Pl__Utterance *said)
{
    words_t words;
    words_split(&words, said->text);
    return said->backchannel || intent_backchannel(&words);
}

static bool worth_an_answer(const call_t *self, const Pl__Utterance *said)
{
    bool noise = !said->text[0];
    if (self->state == CALL_LISTENING) /* a cough is nothing to ask back about */
        return !noise || !said->speech_ms || said->speech_ms >= WORDS_MS;
    if (noise || self->state != CALL_SPEAKING) return !noise;
    bool asked = self->expect == PL__EXPECT__YES_NO && self->turn.started;
    return asked || !listens_along(said);
}

pl_err_t call_on_utterance(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__Utterance *body = env->utterance;
    bool talking = self->state == CALL_LISTENING || self->state == CALL_THINKING ||
                   self->state == CALL_SPEAKING;
    bool leaving = self->state == CALL_ENDING || self->state == CALL_TRANSFERRING;
    if (!talking && !leaving) return PL_STALE;
    self->sound_ms = now.mono_ms;
    uint32_t message = 0;
    if (body->text[0]) {
        message = call_add_message(self, now.wall_ms, PL__ACTION__TALK, PL__PERSONA__HUMAN,
                                   body->text, fx);
        call_transcript(self, message, PL__PERSONA__HUMAN, body->text, false, fx);
        call_set_interaction(self, now.wall_ms, fx);
        call_set_retry(self, 0, fx);
    }
    if (self->after != AFTER_LISTEN || leaving) return PL_OK;
    if (!worth_an_answer(self, body)) return PL_OK;
    if (self->record->n_messages >= self->settings->messages_max) {
        call_say_goodbye(self, now, PROMPT_GOODBYE, fx);
        return PL_OK;
    }
    if (self->state == CALL_SPEAKING || self->state == CALL_THINKING) {
        if (call_floor_held(self)) {
            call_floor_defer(self, body->text, message);
            return PL_OK;
        }
        call_floor_cut(self);
        if (self->turn.count && !self->turn.over && !self->turn.started) self->unheard = true;
        call_stop_turn(self, fx);
    }
    self->endpointing_ms = body->endpointing_ms;
    self->recognition_ms = body->recognition_ms;
    call_think(self, now, THINK_UTTERANCE, body->text, message, fx);
    return PL_OK;
}

pl_err_t call_on_barge_in(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    bool current = self->state == CALL_SPEAKING && env->barge_in->turn == self->turn.number;
    if (!current || self->after != AFTER_LISTEN) return PL_STALE;
    self->sound_ms = now.mono_ms;
    bool prompt = self->thinking && self->turn.thought != self->thought;
    if (prompt) { /* they spoke over "one moment": the answer is still on its way */
        call_enter(self, CALL_THINKING, self->thought_ms + self->settings->hard_ms);
        return PL_OK;
    }
    if (self->turn.thought) call_floor_cut(self);
    call_cancel_thought(self, fx);
    call_listen(self, now);
    return PL_OK;
}

pl_err_t call_on_turn_started(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__TurnStarted *body = env->turn_started;
    if (self->state == CALL_ENDED || body->turn != self->turn.number) return PL_STALE;
    self->sound_ms = now.mono_ms;
    self->turn.started = true;
    Pl__Message *message = call_message(self, self->turn.message);
    if (!message || message->answer_latency_ms) return PL_OK;
    message->answer_latency_ms = body->answer_latency_ms;
    message->synthesis_ms = body->synthesis_ms;
    call_store_message(self, message, fx);
    return PL_OK;
}

/* Was the last sentence, which asks, cut before it was heard? */
static bool question_unheard(const turn_t *turn, const char *heard)
{
    size_t before = 0;
    if (turn->count == 0) return false;
    for (size_t i = 0; i + 1 < turn->count; i++) before += strlen(turn->sentences[i].text) + 1;
    return strlen(heard) <= before + 3;
}

static void after_speaking(call_t *self, call_now_t now, effects_t *fx)
{
    if (self->state == CALL_ENDING) {
        call_hang_up(self, now, "goodbye", fx);
        return;
    }
    if (self->state != CALL_SPEAKING) return;
    if (self->after == AFTER_TRANSFER) {
        transfer(self, now, fx);
    } else if (self->thinking) {
        uint64_t due = self->soft_said ? self->settings->hard_ms : self->settings->soft_ms;
        call_enter(self, CALL_THINKING, self->thought_ms + due);
    } else {
        call_floor_give(self, now, fx);
    }
}

pl_err_t call_on_turn_spoken(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__TurnSpoken *body = env->turn_spoken;
    if (self->state == CALL_ENDED) return PL_STALE;
    self->sound_ms = now.mono_ms;
    if (body->turn != self->turn.number || self->turn.over) {
        uint32_t number = body->turn == self->turn.number ? self->turn.message : 0;
        for (int i = 0; i < PAST_TURNS; i++) {
            if (self->past[i].number == body->turn) number = self->past[i].message;
        }
        if (!number || !body->interrupted) return PL_STALE;
        cut_message(self, number, body->heard_text, body->heard_estimated, fx);
        return PL_OK;
    }
    bool answering = self->thinking && self->turn.thought == self->thought;
    if (answering && !body->interrupted) return PL_STALE; /* it has not been closed yet */
    self->turn.over = true;
    if (body->interrupted) {
        char *heard = text_copy(body->heard_text);
        self->unheard = question_unheard(&self->turn, heard);
        drop_asides(&self->turn, heard);
        cut_message(self, self->turn.message, heard, body->heard_estimated, fx);
        free(heard);
        if (answering) call_cancel_thought(self, fx);
    } else if (self->turn.thought) {
        call_floor_finished(self);
    }
    after_speaking(self, now, fx);
    return PL_OK;
}
