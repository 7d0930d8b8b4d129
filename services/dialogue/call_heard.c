/* call_heard.c - what speech reports: the caller's words, their taking the floor, what was played. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/call_internal.h"
#include "services/dialogue/nlu/intent.h"

enum { WORDS_MS = 600 }; /* a shorter voice without words is a noise */

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

pl_err_t call_on_speech_started(call_t *self, call_now_t now, const Pl__Envelope *env,
                                effects_t *fx)
{
    (void)env;
    (void)fx;
    if (self->state == CALL_ENDED) return PL_STALE;
    self->sound_ms = self->voice_ms = now.mono_ms;
    return PL_OK;
}

/* The utterance was over before its text was known: silence counts from its last sound. */
static void fell_silent(call_t *self, call_now_t now, const Pl__Utterance *said)
{
    uint64_t passed_ms = (uint64_t)said->endpointing_ms + said->recognition_ms;
    uint64_t end_ms = now.mono_ms > passed_ms ? now.mono_ms - passed_ms : 0;
    self->voice_ms = 0;
    self->sound_ms = end_ms > self->said_ms ? end_ms : self->said_ms;
    if (self->state == CALL_LISTENING) self->deadline_ms = self->sound_ms + call_menu_wait_ms(self);
}

pl_err_t call_on_partial(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    if (self->state == CALL_ENDED) return PL_STALE;
    self->sound_ms = now.mono_ms;
    call_transcript(self, 0, PL__PERSONA__HUMAN, env->partial->text, true, fx);
    if (!self->menu) call_early_partial(self, now, env->partial->text, fx);
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

/* A new owner is told what the former one may not have noted any more. */
static bool noted(const call_t *self, const Pl__Utterance *said)
{
    for (size_t i = self->record->n_messages; said->heard_id && i-- > 0;) {
        if (self->record->messages[i]->heard_id == said->heard_id) return true;
    }
    return false;
}

pl_err_t call_on_utterance(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__Utterance *body = env->utterance;
    bool talking = self->state == CALL_LISTENING || self->state == CALL_THINKING ||
                   self->state == CALL_SPEAKING;
    bool leaving = self->state == CALL_ENDING || self->state == CALL_TRANSFERRING;
    if ((!talking && !leaving) || noted(self, body)) return PL_STALE;
    fell_silent(self, now, body);
    if (self->menu) {
        if (worth_an_answer(self, body)) call_menu_heard(self, now, body->text, fx);
        return PL_OK;
    }
    uint32_t message = 0;
    if (body->text[0]) {
        message = call_add_utterance(self, now.wall_ms, body, fx);
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

static past_turn_t *past_turn(call_t *self, uint32_t number)
{
    for (int i = 0; number && i < PAST_TURNS; i++) {
        if (self->past[i].number == number) return &self->past[i];
    }
    return NULL;
}

pl_err_t call_on_barge_in(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const past_turn_t *part = past_turn(self, env->barge_in->turn);
    bool current = env->barge_in->turn == self->turn.number;
    if (part && !part->over && part->thought && part->thought == self->turn.thought) current = true;
    if (!current || self->state != CALL_SPEAKING || self->after != AFTER_LISTEN) return PL_STALE;
    self->sound_ms = now.mono_ms;
    bool prompt = self->thinking && self->turn.thought != self->thought;
    if (prompt) { /* they spoke over "one moment": the answer is still on its way */
        call_enter(self, CALL_THINKING, self->thought_ms + self->settings->hard_ms);
        return PL_OK;
    }
    if (self->turn.thought) call_floor_cut(self);
    call_cancel_thought(self, fx);
    if (part) call_stop_turn(self, fx); /* speech has stopped the former part only */
    call_listen(self, now);
    return PL_OK;
}

pl_err_t call_on_turn_started(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__TurnStarted *body = env->turn_started;
    past_turn_t *past = past_turn(self, body->turn);
    bool current = body->turn == self->turn.number;
    if (self->state == CALL_ENDED || (!current && (!past || past->over))) return PL_STALE;
    self->sound_ms = self->said_ms = now.mono_ms;
    if (current) {
        self->turn.started = true;
    } else {
        past->started = true;
    }
    Pl__Message *message = call_message(self, current ? self->turn.message : past->message);
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

void call_after_speaking(call_t *self, call_now_t now, effects_t *fx)
{
    if (self->state == CALL_ENDING) {
        call_hang_up(self, now, "goodbye", fx);
        return;
    }
    if (self->state != CALL_SPEAKING) return;
    if (!self->thinking) {
        if (self->after == AFTER_TRANSFER) {
            transfer(self, now, fx);
        } else {
            call_floor_give(self, now, fx);
        }
        return;
    }
    uint64_t hard = self->thought_ms + self->settings->hard_ms;
    uint64_t soft = now.mono_ms + self->settings->soft_ms; /* of silence */
    call_enter(self, CALL_THINKING, self->soft_said || hard < soft ? hard : soft);
}

/* A turn before the present one, or one that was stopped. */
static pl_err_t past_spoken(call_t *self, call_now_t now, const Pl__TurnSpoken *body, effects_t *fx)
{
    past_turn_t *past = past_turn(self, body->turn);
    bool present = body->turn == self->turn.number;
    if (past) past->over = true;
    uint32_t number = past ? past->message : present ? self->turn.message : 0;
    if (number && body->interrupted) {
        call_turn_cut(self, number, body->heard_text, body->heard_estimated, fx);
        return PL_OK;
    }
    /* The next part has no words yet: the caller waits for it from now on. */
    bool waits = past && self->thinking && self->state == CALL_SPEAKING && !self->turn.count;
    if (!waits || past != &self->past[0]) return PL_STALE;
    call_after_speaking(self, now, fx);
    return PL_OK;
}

pl_err_t call_on_turn_spoken(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__TurnSpoken *body = env->turn_spoken;
    if (self->state == CALL_ENDED) return PL_STALE;
    self->sound_ms = self->said_ms = now.mono_ms;
    if (body->turn != self->turn.number || self->turn.over) {
        return past_spoken(self, now, body, fx);
    }
    bool answering = self->thinking && self->turn.thought == self->thought;
    if (answering && !body->interrupted && !self->turn.closed) return PL_STALE; /* more comes */
    self->turn.over = true;
    if (body->interrupted) {
        char *heard = text_copy(body->heard_text);
        self->unheard = question_unheard(&self->turn, heard);
        call_turn_drop_asides(&self->turn, heard);
        call_turn_cut(self, self->turn.message, heard, body->heard_estimated, fx);
        free(heard);
        if (answering) call_cancel_thought(self, fx);
    } else if (self->turn.thought) {
        call_floor_finished(self);
    }
    call_after_speaking(self, now, fx);
    return PL_OK;
}
