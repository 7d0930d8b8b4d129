/* call_think.c - thoughts: what a manager is asked, what it says, and when it is given up. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/call_internal.h"
#include "services/dialogue/model/letters.h"
#include "services/dialogue/model/same.h"
#include "services/dialogue/model/sentences.h"
#include "services/dialogue/model/style.h"

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

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
    call_early_think(self, kind, text, message, fx);
    self->unheard = false;
}

void call_cancel_thought(call_t *self, effects_t *fx)
{
    if (!self->thinking) return;
    self->thinking = false;
    self->early.waiting = false;
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
    call_turn_ensure(self, now, fx);
    if (!call_turn_add(self, text, style, fx)) return PL_BUSY;
    call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
    return PL_OK;
}

/* Was it said already in this answer? Models like to say twice what they do. */
static bool said_already(const call_t *self, const char *text)
{
    const turn_t *turn = &self->turn;
    bool present = turn->number && turn->thought == self->thought;
    for (size_t i = 0; present && i < turn->count; i++) {
        if (same_words(turn->sentences[i].text, text)) return true;
    }
    return false;
}

void call_say_text(call_t *self, call_now_t now, const char *text, effects_t *fx)
{
    sentences_t *sentences = sentences_new(call_lang(self));
    const char *next = NULL;
    Pl__Style style = PL__STYLE__NONE;
    sentences_add(sentences, text);
    sentences_close(sentences);
    while ((next = sentences_next(sentences))) {
        char *sentence = text_copy(next);
        Pl__Style after = style;
        style_take(sentence, &style, &after);
        if (letters_any(sentence) && !said_already(self, sentence)) {
            (void)call_sentence(self, now, self->thought, sentence, style, fx);
        }
        style = after;
        free(sentence);
    }
    sentences_destroy(&sentences);
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
    call_turn_ensure(self, now, fx);
    call_run_tool(self, now, tool_id, name, arguments, fx);
    return PL_OK;
}

pl_err_t call_part(call_t *self, call_now_t now, uint32_t thought, effects_t *fx)
{
    if (!of_present_thought(self, thought)) return PL_STALE;
    bool open = self->turn.thought == thought && !self->turn.closed;
    if (open && !self->turn.count)
        self->turn.closed = true; /* tools alone: a message of their own */
    if (!open || !self->turn.count) return PL_OK;
    call_turn_store(self, fx);
    call_turn_close(self, fx);
    self->thought_ms = now.mono_ms; /* the caller has heard of us: the wait begins anew */
    self->soft_said = false;
    call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
    return PL_OK;
}

pl_err_t call_unsafe(call_t *self, uint32_t thought, uint32_t number, effects_t *fx)
{
    Pl__Message *message = call_message(self, number);
    if (thought != self->thought || !message) return PL_STALE;
    message->filtered = true;
    call_store_message(self, message, fx);
    return PL_OK;
}

pl_err_t call_saved(call_t *self, uint32_t thought, uint32_t saved_ms, effects_t *fx)
{
    bool present = self->turn.number && self->turn.thought == thought && thought == self->thought;
    Pl__Message *message = present ? call_message(self, self->turn.message) : NULL;
    if (!message) return PL_STALE;
    message->speculation_ms = saved_ms;
    call_store_message(self, message, fx);
    return PL_OK;
}

bool call_leaving(const call_t *self)
{
    return self->after != AFTER_LISTEN;
}

/* The thought ended without a word of its own. */
static void wordless(call_t *self, call_now_t now, pl_err_t err, effects_t *fx)
{
    bool speaking = self->state == CALL_SPEAKING;
    if (self->after == AFTER_HANGUP && speaking) {
        call_add_goodbye(self, now, PROMPT_GOODBYE, fx);
    } else if (self->after == AFTER_HANGUP) {
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
    if (self->turn.thought != thought || self->turn.count == 0 || self->turn.closed) {
        wordless(self, now, err, fx);
        return PL_OK;
    }
    call_turn_store(self, fx);
    call_send_listen(self, fx);
    call_turn_close(self, fx);
    call_state_t next = self->after == AFTER_HANGUP ? CALL_ENDING : CALL_SPEAKING;
    call_enter(self, next, call_speech_deadline(self, now));
    if (err && self->after == AFTER_LISTEN) call_say_prompt(self, now, PROMPT_ERROR, false, fx);
    return PL_OK;
}
