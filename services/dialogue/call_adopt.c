/* call_adopt.c - a call whose owner was lost goes on here, from its record.
 *
 * What the record does not hold is lost with the former owner: a thought, what was being said. So what
 * the caller said last is answered if it was not, else they are asked again what they were asked. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/model/letters.h"

/* The former owner may have begun as many turns that no message tells of. */
enum { TURNS_UNKNOWN = 1000 };

#define RESULT_OWNER_LOST                                                                          \
    "Interrupted: the process that ran this was lost. It may have been done or not. "              \
    "Do not do it again without asking the customer."

/* Tools that were running with the former owner: each gets a defined result, and none is run again. */
static void settle_tools(call_t *self, effects_t *fx)
{
    for (size_t i = 0; i < self->record->n_messages; i++) {
        Pl__Message *message = self->record->messages[i];
        bool changed = false;
        for (size_t k = 0; k < message->n_tool_calls; k++) {
            Pl__ToolCall *call = message->tool_calls[k];
            if (call->content[0]) continue;
            call_put_text(&call->content, RESULT_OWNER_LOST);
            changed = true;
        }
        if (changed) call_store_message(self, message, fx);
    }
}

void call_adopt(call_t *self, call_now_t now, const Pl__CallOrphaned *offered, effects_t *fx)
{
    log_info("call.adopted", "call=%s epoch=%u", call_id(self), self->record->epoch);
    for (size_t i = 0; i < self->record->n_messages; i++) {
        uint32_t turn = self->record->messages[i]->turn;
        if (turn > self->turns) self->turns = turn;
    }
    self->turns += TURNS_UNKNOWN;
    self->continued = true;
    self->leg_kind = offered->kind;
    self->released = offered->released;
    settle_tools(self, fx);
    call_created(self, now, PL_OK, fx);
    if (self->record->in_progress) { /* else it was not answered yet, or was closed meanwhile */
        self->answered = self->adopted = self->takes_over = true;
        self->sound_ms = now.mono_ms;
        call_enter(self, CALL_GREETING, now.mono_ms + self->settings->stream_ms);
        return;
    }
    Pl__LegEnded none = PL__LEG_ENDED__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_ENDED;
    change.ended = &none;
    call_apply(self, &change, fx);
}

/* The last thing said in this conversation, by either; NULL: nothing yet. */
static const Pl__Message *last_said(const call_t *self)
{
    for (size_t i = self->record->n_messages; i-- > 0;) {
        const Pl__Message *message = self->record->messages[i];
        if (message->action == PL__ACTION__CALL) return NULL;
        bool human = message->persona == PL__PERSONA__HUMAN;
        bool words = message->action == PL__ACTION__TALK && letters_any(message->content);
        if (words && !(human && message->filtered)) return message;
    }
    return NULL;
}

/* Was that tool asked for since the caller spoke last? Then it is what the call comes to. */
static bool asked_for(const call_t *self, tool_kind_t kind)
{
    for (size_t i = self->record->n_messages; i-- > 0;) {
        const Pl__Message *message = self->record->messages[i];
        if (message->persona == PL__PERSONA__HUMAN) return false;
        for (size_t k = 0; k < message->n_tool_calls; k++) {
            const tool_t *tool = tool_find(message->tool_calls[k]->function_name);
            if (tool && tool->kind == kind) return true;
        }
    }
    return false;
}

/* What the former owner had given to speech is said no more: it is repeated, or answered. */
static void stop_former(call_t *self, effects_t *fx)
{
    Pl__SayStop body = PL__SAY_STOP__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.turn = self->turns;
    env.body_case = PL__ENVELOPE__BODY_SAY_STOP;
    env.say_stop = &body;
    (void)fx_event(fx, self->speech, &env);
}

void call_go_on(call_t *self, call_now_t now, effects_t *fx)
{
    const Pl__Message *last = last_said(self);
    self->adopted = false;
    call_send_listen(self, fx);
    if (self->released && last && last->persona == PL__PERSONA__ASSISTANT) {
        call_listen(self, now); /* the caller notices nothing */
        return;
    }
    stop_former(self, fx);
    if (asked_for(self, TOOL_END_CALL)) {
        call_say_goodbye(self, now, PROMPT_GOODBYE, fx);
    } else if (asked_for(self, TOOL_TALK_TO_HUMAN)) {
        self->after = AFTER_TRANSFER;
        call_say_prompt(self, now, PROMPT_HUMAN_TRANSFER, true, fx);
    } else if (!last) {
        if (!call_menu_open(self, now, fx)) call_open(self, now, fx);
    } else if (last->persona == PL__PERSONA__HUMAN) {
        call_think(self, now, THINK_UTTERANCE, last->content, last->number, fx);
    } else {
        call_think(self, now, THINK_ADOPTED, last->content, 0, fx);
    }
}
