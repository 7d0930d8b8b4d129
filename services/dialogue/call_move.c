/* call_move.c - the tool new_claim: the conversation goes on as another call.
 *
 * In this order: the new record is stored, the leg and its stream are renamed, and then the machine
 * changes its record, which ends the former one. Until then everything is as it was; what fails
 * leaves the caller where they are, and the new record closed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/postcall.h"

enum { MOVE_TIMEOUT_MS = 3000, MOVE_ATTEMPTS = 3, MOVES_MAX = 10 };

#define RESULT_MOVED                                                                               \
    "A new claim is open, the former one is closed. Claim, reminders and history are empty now."
#define RESULT_NOT_STORED                                                                          \
    "Not possible now: the new claim could not be stored. Go on with this one."
#define RESULT_NOT_MOVED "Not possible now: the line could not be moved. Go on with this claim."
#define RESULT_GIVEN_UP "Not done: the caller went on speaking before it was."

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

const char *call_may_split(const call_t *self)
{
    if (self->next) return "a new claim is being opened already";
    if (!self->answered || self->leg_gone || !self->leg[0]) return "there is no line to take along";
    if (self->moves >= MOVES_MAX) return "there were ten new claims in this conversation";
    return NULL;
}

void call_split(const running_t *tool, effects_t *fx)
{
    fx_add(fx, FX_SPLIT)->tool_id = text_copy(tool->key);
}

/* The caller's number, language and speed go along, and the words that opened it; claim, reminders and
 * messages begin anew. */
const Pl__CallRecord *call_next(call_t *self, const char *id, call_now_t now)
{
    const Pl__CallRecord *from = self->record;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Message message = PL__MESSAGE__INIT;
    Pl__Message opener = PL__MESSAGE__INIT;
    Pl__Message *messages[] = {&message, &opener};
    const Pl__Message *said = call_newest_utterance(from);
    message.number = 1;
    message.created_at_ms = now.wall_ms;
    message.action = PL__ACTION__CALL;
    message.lang_short_code = (char *)call_lang(self);
    if (said && !said->filtered) {
        opener.number = 2;
        opener.created_at_ms = said->created_at_ms;
        opener.action = said->action;
        opener.persona = said->persona;
        opener.content = said->content;
        opener.lang_short_code = said->lang_short_code;
    }
    record.call_id = (char *)id;
    record.created_at_ms = now.wall_ms;
    record.last_interaction_at_ms = now.wall_ms;
    record.in_progress = true;
    record.initiate = from->initiate;
    record.lang_short_code = from->lang_short_code;
    record.time_zone = from->time_zone;
    record.caller_number = from->caller_number;
    record.prosody_rate = from->prosody_rate;
    record.epoch = from->epoch; /* the fences of leg and stream only ever rise */
    record.owner = from->owner;
    record.outbound = from->outbound;
    record.continues = from->call_id;
    record.messages = messages;
    record.n_messages = opener.number ? 2 : 1;
    self->next = pl_record_copy(&record);
    self->move_attempts = 0;
    return self->next;
}

/* The record that was made is not to be: the actor closes it. */
void call_abandon_next(call_t *self, effects_t *fx)
{
    if (!self->next) return;
    effect_t *effect = fx_add(fx, FX_ABANDON);
    effect->text = text_copy(self->next->call_id);
    pl_record_free(&self->next);
}

static void ask_move(call_t *self, const running_t *tool, effects_t *fx)
{
    Pl__LegMove body = PL__LEG_MOVE__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.call_id = self->next->call_id;
    env.body_case = PL__ENVELOPE__BODY_LEG_MOVE;
    env.leg_move = &body;
    (void)fx_request(fx, self->leg, &env, MOVE_TIMEOUT_MS, ASKED_MOVE, tool->key);
    self->move_attempts++;
}

static void give_up(call_t *self, running_t *tool, const char *result, effects_t *fx)
{
    log_warn("call.not_moved", "call=%s result=\"%s\"", call_id(self), result);
    call_abandon_next(self, fx);
    if (tool) call_give_result(self, tool, result, fx);
}

void call_next_created(call_t *self, const char *key, pl_err_t err, effects_t *fx)
{
    running_t *tool = call_running(self, key);
    if (!self->next) return;
    if (err) {
        pl_record_free(&self->next); /* it was never made */
        if (tool) call_give_result(self, tool, RESULT_NOT_STORED, fx);
    } else if (!tool || !self->thinking || tool->thought != self->thought) {
        give_up(self, tool, RESULT_GIVEN_UP, fx);
    } else {
        ask_move(self, tool, fx);
    }
}

/* ---- the change ---- */

static void end_former(call_t *self, effects_t *fx)
{
    char detail[96];
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    snprintf(detail, sizeof detail, "continued as %.64s", self->next->call_id);
    size_t first = fx->count;
    call_set_in_progress(self, false, fx);
    change.change_case = PL__CALL_CHANGE__CHANGE_CONTINUED_AS;
    change.continued_as = self->next->call_id;
    call_apply(self, &change, fx);
    postcall_end(self->record, PL__LEG_END__LEG_MOVED, detail, true, fx);
    fx_join(fx, first); /* an end without its jobs would leave them undone */
}

/* Numbers of messages are the former record's. What is being said is said to its end. */
static void leave_messages(call_t *self)
{
    if (!self->turn.count) call_turn_clear(&self->turn);
    self->turn.message = 0;
    for (int i = 0; i < PAST_TURNS; i++) self->past[i].message = 0;
    self->deferred_message = 0;
    self->welcome = 0;
}

static void change_record(call_t *self, running_t *tool, effects_t *fx)
{
    if (self->turn.count && !self->turn.closed) {
        call_turn_store(self, fx);
        call_turn_close(self, fx);
    }
    call_give_result(self, tool, RESULT_MOVED, fx);
    call_tools_left(self, fx);
    end_former(self, fx);
    log_info("call.moved", "call=%s former=%s", self->next->call_id, call_id(self));
    (void)fx_add(fx, FX_SWITCH);
    pl_record_free(&self->record);
    self->record = self->next;
    self->next = NULL;
    self->moves++;
    leave_messages(self);
}

/* The former call keeps what was recorded until here. */
static void keep_recording(call_t *self, const Pl__Envelope *reply, effects_t *fx)
{
    bool any = reply && reply->body_case == PL__ENVELOPE__BODY_LEG_MOVED &&
               reply->leg_moved->recording != NULL;
    if (!any) return;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_RECORDING;
    change.recording = reply->leg_moved->recording;
    call_apply(self, &change, fx);
}

void call_leg_moved(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *reply,
                    effects_t *fx)
{
    running_t *tool = call_running(self, key);
    if (!self->next || !tool) return;
    if (!err) {
        keep_recording(self, reply, fx);
        change_record(self, tool, fx);
    } else if (err == PL_TIMEOUT && self->move_attempts < MOVE_ATTEMPTS) {
        ask_move(self, tool, fx); /* it may have been done: asked again it says so */
    } else {
        give_up(self, tool, RESULT_NOT_MOVED, fx);
    }
}
