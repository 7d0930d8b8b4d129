/* call_time.c - what time alone does to a call: each state ends or speaks when its deadline has come. */
#include "common/log.h"
#include "services/dialogue/call_internal.h"

enum { VOICE_MAX_MS = 75000 }; /* the longest utterance, and its text */

uint64_t call_deadline(const call_t *self)
{
    uint64_t due = self->deadline_ms;
    uint64_t filler = call_filler_due(self);
    uint64_t early = call_early_due(self);
    if (filler < due) due = filler;
    if (self->keys_due_ms < due) due = self->keys_due_ms;
    return early < due ? early : due;
}

/* The caller has been silent for the whole time, and so have we. */
static void silent(call_t *self, call_now_t now, effects_t *fx)
{
    if (self->voice_ms && now.mono_ms < self->voice_ms + VOICE_MAX_MS) {
        self->deadline_ms = self->voice_ms + VOICE_MAX_MS; /* the utterance's end sets it anew */
        return;
    }
    uint64_t due = self->sound_ms + call_menu_wait_ms(self);
    if (due > now.mono_ms) { /* there was a sound since the deadline was set */
        self->deadline_ms = due;
        return;
    }
    if (!self->speech[0]) {
        call_hang_up(self, now, "no audio stream", fx);
    } else if (self->menu) {
        call_menu_silent(self, now, fx);
    } else if (self->record->recognition_retry >= self->settings->retry_max) {
        call_say_goodbye(self, now, PROMPT_SILENCE_GOODBYE, fx);
    } else {
        call_set_retry(self, self->record->recognition_retry + 1, fx);
        call_say_prompt(self, now, PROMPT_SILENCE, false, fx);
    }
}

static void thought_too_long(call_t *self, call_now_t now, effects_t *fx)
{
    if (now.mono_ms >= self->thought_ms + self->settings->hard_ms) {
        log_warn("call.thought_too_long", "call=%s", call_id(self));
        call_cancel_thought(self, fx);
        call_say_prompt(self, now, PROMPT_ERROR, false, fx);
        return;
    }
    self->soft_said = true;
    call_say_prompt(self, now, PROMPT_LOADING, false, fx);
}

/* The end of the turn was never reported: go on as if it had been. */
static void speech_overdue(call_t *self, call_now_t now, effects_t *fx)
{
    log_warn("call.speech_overdue", "call=%s turn=%u", call_id(self), self->turn.number);
    if (!self->speech[0]) {
        call_hang_up(self, now, "no audio stream", fx);
        return;
    }
    bool unfinished = self->thinking && self->turn.thought == self->thought && self->turn.count &&
                      !self->turn.closed;
    if (unfinished) { /* a manager that began to speak and then fell silent */
        call_cancel_thought(self, fx);
        call_turn_store(self, fx);
        call_turn_close(self, fx);
        call_say_prompt(self, now, PROMPT_ERROR, false, fx);
        return;
    }
    call_stop_turn(self, fx);
    call_after_speaking(self, now, fx);
}

/* Neither side can hear the other: silence means nothing, and what is being said waits in telephony,
 * whose limit for a call's length still holds. */
static bool waits_held(const call_t *self)
{
    return self->held && (self->state == CALL_LISTENING || self->state == CALL_SPEAKING);
}

pl_err_t call_on_held(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    (void)fx;
    bool held = env->leg_held->held;
    if (self->state == CALL_ENDED || held == self->held) return PL_STALE;
    log_info("call.held", "call=%s held=%d", call_id(self), held);
    self->held = held;
    if (held) return PL_OK;
    self->sound_ms = now.mono_ms;
    self->voice_ms = 0;
    if (self->state == CALL_LISTENING) self->deadline_ms = now.mono_ms + call_menu_wait_ms(self);
    if (self->state == CALL_SPEAKING) self->deadline_ms = call_speech_deadline(self, now);
    return PL_OK;
}

void call_tick(call_t *self, call_now_t now, effects_t *fx)
{
    if (now.mono_ms >= call_filler_due(self)) call_say_filler(self, now, fx);
    if (now.mono_ms >= call_early_due(self)) call_early_tick(self, fx);
    if (now.mono_ms >= self->keys_due_ms) call_keys_due(self, now, fx);
    if (now.mono_ms < self->deadline_ms) return;
    if (waits_held(self)) {
        self->deadline_ms = NO_DEADLINE;
        return;
    }
    switch (self->state) {
    case CALL_CREATING:
        call_created(self, now, PL_TIMEOUT, fx);
        break;
    case CALL_DIALLING:
    case CALL_RINGING:
        call_hang_up(self, now, "not answered", fx);
        call_end(self, now, PL__LEG_END__LEG_NO_ANSWER, "not answered", fx);
        break;
    case CALL_GREETING:
        call_hang_up(self, now, "no audio stream", fx);
        break;
    case CALL_LISTENING:
        silent(self, now, fx);
        break;
    case CALL_THINKING:
        thought_too_long(self, now, fx);
        break;
    case CALL_SPEAKING:
        speech_overdue(self, now, fx);
        break;
    case CALL_TRANSFERRING:
        call_think(self, now, THINK_TRANSFER_FAILED, "", 0, fx);
        break;
    case CALL_ENDING:
        if (!self->hangup_asked) {
            call_hang_up(self, now, "goodbye", fx);
        } else {
            call_end(self, now, PL__LEG_END__LEG_BYE_LOCAL, "", fx);
        }
        break;
    case CALL_ENDED:
    case CALL_STATES:
        self->deadline_ms = NO_DEADLINE;
        break;
    }
}
