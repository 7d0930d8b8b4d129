#include "services/dialogue/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "common/zone.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/postcall.h"

#define BIT(state) (1U << (CALL_##state))
#define LIVE (BIT(ENDING) | BIT(ENDED))
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const uint32_t legal[CALL_STATES] = {
    [CALL_CREATING] = BIT(DIALLING) | BIT(RINGING) | BIT(ENDED),
    [CALL_DIALLING] = BIT(RINGING) | BIT(GREETING) | LIVE,
    [CALL_RINGING] = BIT(GREETING) | LIVE,
    [CALL_GREETING] = BIT(SPEAKING) | BIT(LISTENING) | BIT(THINKING) | LIVE,
    [CALL_LISTENING] = BIT(THINKING) | BIT(SPEAKING) | LIVE,
    [CALL_THINKING] = BIT(SPEAKING) | BIT(LISTENING) | BIT(THINKING) | LIVE,
    [CALL_SPEAKING] = BIT(LISTENING) | BIT(THINKING) | BIT(SPEAKING) | BIT(TRANSFERRING) | LIVE,
    [CALL_TRANSFERRING] = BIT(THINKING) | LIVE,
    [CALL_ENDING] = BIT(ENDING) | BIT(ENDED),
    [CALL_ENDED] = 0,
};

#define CALL_STATE_NAME(name) #name,
static const char *const state_names[CALL_STATES] = {CALL_STATE_MAP(CALL_STATE_NAME)};

const char *call_state_name(call_state_t state)
{
    return state_names[state];
}

/* The only writer of state. Our own bug costs one call, not all of them. */
void call_enter(call_t *self, call_state_t next, uint64_t deadline_ms)
{
    if (!(legal[self->state] & (1U << next))) {
        log_error("call.illegal", "call=%s from=%s to=%s", call_id(self), state_names[self->state],
                  state_names[next]);
        next = self->state == CALL_ENDED ? CALL_ENDED : CALL_ENDING;
        deadline_ms = self->state == CALL_ENDED ? NO_DEADLINE : 0;
    }
    if (self->state != next) {
        log_info("call.state", "call=%s from=%s to=%s", call_id(self), state_names[self->state],
                 state_names[next]);
    }
    self->state = next;
    self->deadline_ms = deadline_ms;
}

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

static void set_text(char **out, const char *text)
{
    char *copy = text_copy(text);
    free(*out);
    *out = copy;
}

call_t *call_new(const Pl__CallRecord *record, const char *leg, const call_settings_t *settings,
                 const prompts_t *prompts)
{
    call_t *self = calloc(1, sizeof *self);
    assert(self);
    assert(record->initiate);
    self->record = pl_record_copy(record);
    self->settings = settings;
    self->prompts = prompts;
    self->state = CALL_CREATING;
    self->deadline_ms = NO_DEADLINE;
    self->early.due_ms = NO_DEADLINE;
    self->keys_due_ms = NO_DEADLINE;
    self->leg = text_copy(leg);
    self->rung_in = leg[0] != '\0';
    self->speech = text_copy("");
    for (const char *p = record->call_id; *p; p++) self->seed = self->seed * 31 + (unsigned char)*p;
    call_prepare_prompts(self);
    return self;
}

void call_destroy(call_t **self_p)
{
    call_t *self = *self_p;
    if (!self) return;
    call_turn_clear(&self->turn);
    call_floor_clear(self);
    call_early_clear(self);
    call_tools_clear(self);
    pl_record_free(&self->record);
    pl_record_free(&self->next);
    free(self->leg);
    free(self->speech);
    free(self);
    *self_p = NULL;
}

call_state_t call_state(const call_t *self)
{
    return self->state;
}

const Pl__CallRecord *call_record(const call_t *self)
{
    return self->record;
}

const char *call_id(const call_t *self)
{
    return self->record->call_id;
}

const char *call_leg(const call_t *self)
{
    return self->leg;
}

const char *call_lang(const call_t *self)
{
    const char *chosen = self->record->lang_short_code;
    return chosen[0] ? chosen : self->record->initiate->lang_default;
}

const char *call_zone(const call_t *self)
{
    return self->record->time_zone[0] ? self->record->time_zone : self->settings->timezone;
}

const char *call_zone_of(const call_settings_t *settings, const char *number)
{
    const char *zone = pl_zone_of_number(number);
    return zone && pl_zone_known(zone) ? zone : settings->timezone;
}

bool call_leg_up(const call_t *self)
{
    /* Of a caller who goes on with a call telephony may know the leg by its former id until then. */
    bool known = self->answered || !self->continued || !self->rung_in;
    return self->leg[0] && !self->leg_gone && known && self->state != CALL_ENDED;
}

bool call_resting(const call_t *self)
{
    return self->state == CALL_LISTENING && !self->voice_ms && !self->menu && !self->n_running &&
           self->speech[0];
}

bool call_continued(const call_t *self)
{
    return self->continued;
}

void call_envelope(const call_t *self, Pl__Envelope *env)
{
    pl__envelope__init(env);
    env->call_id = self->record->call_id;
    env->epoch = self->record->epoch;
}

/* ---- beginning ---- */

void call_begin(call_t *self, call_now_t now, effects_t *fx)
{
    self->deadline_ms = now.mono_ms + self->settings->create_ms;
    (void)fx_add(fx, FX_CREATE);
}

void call_begin_again(call_t *self, call_now_t now, const char *caller, effects_t *fx)
{
    Pl__LegEnded none = PL__LEG_ENDED__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    bool same = strcmp(caller, self->record->initiate->phone_number) == 0;
    self->continued = true;
    for (size_t i = 0; i < self->record->n_messages; i++) {
        uint32_t turn = self->record->messages[i]->turn; /* their numbers rise through the call */
        if (turn > self->turns) self->turns = turn;
    }
    change.change_case = PL__CALL_CHANGE__CHANGE_ENDED;
    change.ended = &none;
    call_apply(self, &change, fx);
    change.change_case = PL__CALL_CHANGE__CHANGE_CALLER_NUMBER;
    change.caller_number = same ? (char *)"" : (char *)caller;
    call_apply(self, &change, fx);
    change.change_case = PL__CALL_CHANGE__CHANGE_TIME_ZONE;
    change.time_zone = (char *)call_zone_of(self->settings, caller);
    call_apply(self, &change, fx);
    call_set_retry(self, 0, fx);
    call_created(self, now, PL_OK, fx);
}

static void refuse(call_t *self, pl_err_t err, const char *text, effects_t *fx)
{
    if (self->accepted) return;
    self->accepted = true;
    effect_t *effect = fx_add(fx, FX_REFUSED);
    effect->err = err;
    effect->text = text_copy(text);
}

static void started(call_t *self, effects_t *fx)
{
    if (self->accepted) return;
    self->accepted = true;
    (void)fx_add(fx, FX_STARTED);
}

static void over(call_t *self, effects_t *fx)
{
    if (self->over) return;
    self->over = true;
    (void)fx_add(fx, FX_OVER);
}

static void dial(call_t *self, call_now_t now, effects_t *fx)
{
    const Pl__Initiate *initiate = self->record->initiate;
    Pl__LegDial body = PL__LEG_DIAL__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.to = initiate->phone_number;
    body.from_name = initiate->bot_company;
    body.lang = (char *)call_lang(self);
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        const Pl__Language *lang = initiate->lang_available[i];
        if (strcmp(lang->short_code, call_lang(self)) == 0) body.voice = lang->voice;
    }
    body.ring_timeout_ms = self->settings->ring_ms;
    env.body_case = PL__ENVELOPE__BODY_LEG_DIAL;
    env.leg_dial = &body;
    fx_request(fx, "telephony", &env, self->settings->dial_ms, ASKED_DIAL, "");
    call_enter(self, CALL_DIALLING, now.mono_ms + self->settings->dial_ms + 1000);
}

void call_created(call_t *self, call_now_t now, pl_err_t err, effects_t *fx)
{
    if (self->state != CALL_CREATING) return;
    if (err) {
        refuse(self, err == PL_INVALID ? PL_INTERNAL : PL_UNAVAILABLE,
               "the call could not be stored", fx);
        call_enter(self, CALL_ENDED, NO_DEADLINE);
        over(self, fx);
    } else if (self->leg[0]) {
        started(self, fx); /* telephony answers the leg now */
        call_enter(self, CALL_RINGING, now.mono_ms + self->settings->ring_ms + 10000);
    } else {
        dial(self, now, fx);
    }
}

static void dial_reply(call_t *self, call_now_t now, pl_err_t err, const Pl__Envelope *env,
                       effects_t *fx)
{
    if (self->state == CALL_ENDED) return;
    if (!err) {
        if (env && env->sender[0] && !self->leg[0]) set_text(&self->leg, env->sender);
        started(self, fx);
        if (self->state == CALL_DIALLING) {
            call_enter(self, CALL_RINGING, now.mono_ms + self->settings->ring_ms + 10000);
        }
        return;
    }
    const char *detail = pl_err_text(err);
    if (env && env->body_case == PL__ENVELOPE__BODY_ERROR && env->error->detail[0]) {
        detail = env->error->detail;
    }
    refuse(self, err == PL_INTERNAL ? PL_UNAVAILABLE : err, detail, fx);
    if (self->state != CALL_DIALLING) return; /* a late time-out: the leg has shown itself */
    bool busy = err == PL_BUSY;
    call_end(self, now, busy ? PL__LEG_END__LEG_FAILED : PL__LEG_END__LEG_UNREACHABLE, detail, fx);
}

/* ---- legs ---- */

static pl_err_t on_ringing(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    (void)fx;
    if (self->state != CALL_DIALLING && self->state != CALL_RINGING) return PL_STALE;
    if (!self->leg[0]) set_text(&self->leg, env->sender);
    if (self->state == CALL_DIALLING) {
        call_enter(self, CALL_RINGING, now.mono_ms + self->settings->ring_ms + 10000);
    }
    return PL_OK;
}

/* The first answer opens the conversation. A later one says that the audio flows through another
 * stream now, because its speech process died or was restarted. */
static pl_err_t on_answered(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    const Pl__LegAnswered *body = env->leg_answered;
    if (self->state == CALL_ENDED || self->state == CALL_CREATING) return PL_STALE;
    if (env->sender[0]) set_text(&self->leg, env->sender);
    set_text(&self->speech, body->speech);
    self->leg_kind = body->kind;
    if (self->answered) {
        if (self->speech[0]) call_stream_opened(self, now, fx);
        return PL_OK;
    }
    self->answered = true;
    self->sound_ms = now.mono_ms;
    call_set_in_progress(self, true, fx);
    (void)call_add_message(self, now.wall_ms, PL__ACTION__CALL, PL__PERSONA__HUMAN, "", fx);
    call_set_interaction(self, now.wall_ms, fx);
    if (self->state == CALL_ENDING) { /* hung up in the meantime */
        return PL_OK;
    }
    call_enter(self, CALL_GREETING, now.mono_ms + self->settings->stream_ms);
    if (self->speech[0]) call_stream_opened(self, now, fx);
    return PL_OK;
}

static pl_err_t on_ended(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    if (self->state == CALL_ENDED) return PL_STALE;
    self->leg_gone = true;
    if (self->answered && env->leg_ended->stats) {
        Pl__CallChange change = PL__CALL_CHANGE__INIT;
        change.change_case = PL__CALL_CHANGE__CHANGE_VOICE;
        change.voice = env->leg_ended->stats;
        call_apply(self, &change, fx);
    }
    if (env->leg_ended->recording) {
        Pl__CallChange change = PL__CALL_CHANGE__INIT;
        change.change_case = PL__CALL_CHANGE__CHANGE_RECORDING;
        change.recording = env->leg_ended->recording;
        call_apply(self, &change, fx);
    }
    call_end(self, now, env->leg_ended->end, env->leg_ended->detail, fx);
    return PL_OK;
}

static pl_err_t on_stream_lost(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    (void)fx;
    bool current = strcmp(env->sender, self->speech) == 0 || !env->sender[0];
    if (self->state == CALL_ENDED || !current) return PL_STALE;
    log_warn("call.stream_lost", "call=%s speech=%s", call_id(self), self->speech);
    set_text(&self->speech, "");
    self->voice_ms = 0;
    if (self->state == CALL_LISTENING || self->state == CALL_SPEAKING) {
        self->deadline_ms = now.mono_ms + self->settings->stream_ms;
    }
    return PL_OK;
}

static pl_err_t on_transferred(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    if (self->state != CALL_TRANSFERRING) return PL_STALE;
    if (env->leg_transferred->ok) {
        self->deadline_ms = now.mono_ms + self->settings->hangup_ms; /* the leg ends by itself */
        return PL_OK;
    }
    call_think(self, now, THINK_TRANSFER_FAILED, "", 0, fx);
    return PL_OK;
}

void call_reply(call_t *self, call_now_t now, asked_t asked, const char *tool_id, pl_err_t err,
                const Pl__Envelope *env, effects_t *fx)
{
    bool of_tool = asked == ASKED_SEARCH || asked == ASKED_SMS || asked == ASKED_ALERT;
    if (self->state == CALL_ENDED && !of_tool) return;
    switch (asked) {
    case ASKED_DIAL:
        dial_reply(self, now, err, env, fx);
        break;
    case ASKED_HANGUP:
        /* Telephony does not know the leg: there is none to wait for. */
        if (err == PL_STALE) {
            call_lost(self, fx);
        } else if (err == PL_NOT_FOUND) {
            self->leg_gone = true;
            call_end(self, now, PL__LEG_END__LEG_BYE_LOCAL, "", fx);
        }
        break;
    case ASKED_TRANSFER:
        if (err && self->state == CALL_TRANSFERRING) {
            call_think(self, now, THINK_TRANSFER_FAILED, "", 0, fx);
        }
        break;
    case ASKED_SEARCH:
        call_searched(self, tool_id, err, env, fx);
        break;
    case ASKED_PASSAGES:
        call_early_found(self, tool_id, err, env, fx);
        break;
    case ASKED_SMS:
        call_sms_sent(self, now, tool_id, err, env, fx);
        break;
    case ASKED_MOVE:
        call_leg_moved(self, tool_id, err, env, fx);
        break;
    case ASKED_ALERT:
        call_alerted(self, tool_id, err, env, fx);
        break;
    }
}

/* ---- ending ---- */

/* Asks telephony to end the leg, once, and waits for its end. */
void call_hang_up(call_t *self, call_now_t now, const char *reason, effects_t *fx)
{
    call_cancel_thought(self, fx);
    if (self->state != CALL_ENDING) call_enter(self, CALL_ENDING, NO_DEADLINE);
    self->deadline_ms = now.mono_ms + self->settings->hangup_ms;
    if (self->hangup_asked) return;
    self->hangup_asked = true;
    if (self->leg_gone || !self->leg[0]) return;
    Pl__LegHangup body = PL__LEG_HANGUP__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.reason = (char *)reason;
    env.body_case = PL__ENVELOPE__BODY_LEG_HANGUP;
    env.leg_hangup = &body;
    fx_request(fx, self->leg, &env, self->settings->hangup_ms, ASKED_HANGUP, "");
}

/* Closes the record: how it ended, and what the conversation came to. */
void call_end(call_t *self, call_now_t now, Pl__LegEnd end, const char *detail, effects_t *fx)
{
    if (self->state == CALL_ENDED) return;
    refuse(self, PL_UNAVAILABLE, detail[0] ? detail : "the leg ended", fx);
    call_cancel_thought(self, fx);
    call_tools_ended(self, fx);
    call_abandon_next(self, fx);
    size_t first = fx->count;
    if (self->answered) {
        call_set_in_progress(self, false, fx);
        (void)call_add_message(self, now.wall_ms, PL__ACTION__HANGUP, PL__PERSONA__HUMAN, "", fx);
    }
    postcall_end(self->record, end, detail, self->answered, fx);
    fx_join(fx, first); /* an end without its jobs would leave them undone */
    self->deadline_ms = NO_DEADLINE;
    call_enter(self, CALL_ENDED, NO_DEADLINE);
    over(self, fx);
}

void call_shut_down(call_t *self, call_now_t now, effects_t *fx)
{
    if (self->state == CALL_ENDED || self->state == CALL_ENDING) return;
    if (!self->answered || !self->speech[0]) {
        call_abort(self, now, fx);
        return;
    }
    call_say_goodbye(self, now, PROMPT_SHUTDOWN, fx);
}

void call_abort(call_t *self, call_now_t now, effects_t *fx)
{
    if (self->state == CALL_ENDED) return;
    if (self->state == CALL_CREATING) {
        refuse(self, PL_UNAVAILABLE, "shutting down", fx);
        call_enter(self, CALL_ENDED, NO_DEADLINE);
        over(self, fx);
        return;
    }
    call_hang_up(self, now, "shutting down", fx);
    call_end(self, now, PL__LEG_END__LEG_BYE_LOCAL, "shutting down", fx);
}

void call_lost(call_t *self, effects_t *fx)
{
    if (self->state == CALL_ENDED) return;
    call_cancel_thought(self, fx);
    refuse(self, PL_STALE, "another instance owns the call", fx);
    self->leg_gone = true;
    call_enter(self, CALL_ENDED, NO_DEADLINE);
    over(self, fx);
}

/* ---- messages ---- */

/* Telephony knows a later owner. */
static pl_err_t on_lost(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    (void)now;
    if (self->state == CALL_ENDED || env->epoch == self->record->epoch) return PL_STALE;
    log_warn("call.lost", "call=%s epoch=%u owner=%s", call_id(self), env->epoch,
             env->call_lost->owner);
    call_lost(self, fx);
    return PL_OK;
}

typedef pl_err_t handler_fn(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);

static handler_fn *const dispatch[] = {
    [PL__ENVELOPE__BODY_LEG_RINGING] = on_ringing,
    [PL__ENVELOPE__BODY_LEG_ANSWERED] = on_answered,
    [PL__ENVELOPE__BODY_LEG_ENDED] = on_ended,
    [PL__ENVELOPE__BODY_LEG_TRANSFERRED] = on_transferred,
    [PL__ENVELOPE__BODY_LEG_DTMF] = call_on_dtmf,
    [PL__ENVELOPE__BODY_LEG_HELD] = call_on_held,
    [PL__ENVELOPE__BODY_SPEECH_STARTED] = call_on_speech_started,
    [PL__ENVELOPE__BODY_PARTIAL] = call_on_partial,
    [PL__ENVELOPE__BODY_UTTERANCE] = call_on_utterance,
    [PL__ENVELOPE__BODY_BARGE_IN] = call_on_barge_in,
    [PL__ENVELOPE__BODY_TURN_STARTED] = call_on_turn_started,
    [PL__ENVELOPE__BODY_TURN_SPOKEN] = call_on_turn_spoken,
    [PL__ENVELOPE__BODY_STREAM_LOST] = on_stream_lost,
    [PL__ENVELOPE__BODY_CALL_LOST] = on_lost,
};

pl_err_t call_handle(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    size_t body = (size_t)env->body_case;
    if (body >= COUNT(dispatch) || !dispatch[body]) return PL_UNSUPPORTED;
    if (env->epoch < self->record->epoch) return PL_STALE;
    return dispatch[body](self, now, env, fx);
}
