#include "services/dialogue/actor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/zone.h"
#include "services/dialogue/actor_internal.h"
#include "services/dialogue/held.h"
#include "services/dialogue/ledger.h"
#include "services/dialogue/uuid.h"

/* A request of ours: the call may be gone when its reply comes. */
typedef struct {
    const desk_t *desk;
    char *call_id;
    asked_t asked;
    char *tool_id;
} asking_t;

call_now_t actor_now(void)
{
    return (call_now_t){pl_clock_ms(), pl_clock_wall_ms()};
}

static asking_t *asking_for(const actor_t *self, const char *id, asked_t asked, const char *tool_id)
{
    asking_t *asking = calloc(1, sizeof *asking);
    assert(asking);
    asking->desk = self->desk;
    asking->asked = asked;
    asking->call_id = strdup(id);
    asking->tool_id = strdup(tool_id);
    assert(asking->call_id && asking->tool_id);
    return asking;
}

static asking_t *asking_new(const actor_t *self, asked_t asked, const char *tool_id)
{
    return asking_for(self, call_id(self->call), asked, tool_id);
}

/* The actor it belongs to, NULL when it is gone; the asking is spent. */
static actor_t *asking_end(asking_t **asking_p)
{
    asking_t *asking = *asking_p;
    actor_t *self = asking->desk->find(asking->desk->arg, asking->call_id);
    free(asking->call_id);
    free(asking->tool_id);
    free(asking);
    *asking_p = NULL;
    return self;
}

/* ---- what waits for the store ---- */

/* Not done, and said so: what has been held until now_ms for too long. */
static void give_up_held(actor_t *self, uint64_t now_ms)
{
    effect_t *effect = NULL;
    while ((effect = held_take_late(self->held, now_ms))) {
        posted_t posted = {
            .err = PL_UNAVAILABLE, .body = "", .detail = "the store does not answer"};
        if (effect->kind == FX_POST)
            call_posted(self->call, actor_now(), effect->tool_id, &posted, &self->effects);
        else
            call_reply(self->call, actor_now(), effect->asked, effect->tool_id, PL_UNAVAILABLE,
                       NULL, &self->effects);
        fx_free(&effect);
    }
}

/* ---- replies ---- */

static void on_created(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asking_t *asking = arg;
    actor_t *self = asking_end(&asking);
    if (!self) return;
    if (err) {
        log_warn("call.not_stored", "call=%s err=%s detail=\"%s\"", call_id(self->call),
                 pl_err_name(err), pl_bus_error_detail(err, reply));
    }
    call_created(self->call, actor_now(), err, &self->effects);
    actor_run(self);
}

static void on_written(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asking_t *asking = arg;
    char *id = strdup(asking->call_id);
    assert(id);
    actor_t *self = asking_end(&asking);
    if (self) {
        bool present = strcmp(id, call_id(self->call)) == 0;
        bool kept = ledgers_answered(self->ledgers, id, pl_clock_ms(), err);
        if (!kept) {
            log_error("call.write_lost", "call=%s err=%s detail=\"%s\"", id, pl_err_name(err),
                      pl_bus_error_detail(err, reply));
            give_up_held(self, UINT64_MAX); /* what led to it is not stored */
        }
        if (err == PL_STALE && present) call_lost(self->call, &self->effects);
        actor_run(self);
    }
    free(id);
}

static void on_next_created(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asking_t *asking = arg;
    char *tool_id = strdup(asking->tool_id);
    assert(tool_id);
    actor_t *self = asking_end(&asking);
    if (self) {
        if (err) {
            log_warn("call.next_not_stored", "call=%s err=%s detail=\"%s\"", call_id(self->call),
                     pl_err_name(err), pl_bus_error_detail(err, reply));
        }
        call_next_created(self->call, tool_id, err, &self->effects);
        actor_run(self);
    }
    free(tool_id);
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asking_t *asking = arg;
    asked_t asked = asking->asked;
    char *tool_id = strdup(asking->tool_id);
    assert(tool_id);
    actor_t *self = asking_end(&asking);
    if (self) {
        call_reply(self->call, actor_now(), asked, tool_id, err, reply, &self->effects);
        actor_run(self);
    }
    free(tool_id);
}

static void on_posted(void *arg, pl_err_t err, const webhook_answer_t *answer)
{
    asking_t *asking = arg;
    char *tool_id = strdup(asking->tool_id);
    assert(tool_id);
    actor_t *self = asking_end(&asking);
    if (self) {
        posted_t posted = {err, answer->status, answer->body, answer->detail};
        call_posted(self->call, actor_now(), tool_id, &posted, &self->effects);
        actor_run(self);
    }
    free(tool_id);
}

/* ---- effects ---- */

static void create(actor_t *self, const Pl__CallRecord *record, pl_bus_reply_fn *on_reply_fn,
                   asking_t *asking)
{
    Pl__StoreCreate body = PL__STORE_CREATE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    body.call = (Pl__CallRecord *)record;
    env.body_case = PL__ENVELOPE__BODY_STORE_CREATE;
    env.store_create = &body;
    pl_bus_request(self->desk->bus, "persistence", &env, self->desk->store_timeout_ms, on_reply_fn,
                   asking);
}

/* The id is known here from now on: what telephony and speech say under it comes to this call. */
static void split(actor_t *self, const effect_t *effect)
{
    char id[UUID_BYTES];
    const Pl__CallRecord *record = call_next(self->call, uuid_draw(id), actor_now());
    self->desk->alias(self->desk->arg, self, id);
    create(self, record, on_next_created, asking_new(self, ASKED_DIAL, effect->tool_id));
}

static void abandon(actor_t *self, const char *id)
{
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    ledger_t *ledger = ledgers_open(self->ledgers, id, call_record(self->call)->epoch, false);
    change.change_case = PL__CALL_CHANGE__CHANGE_IN_PROGRESS;
    (void)outbox_add(ledger_outbox(ledger), &change, 0);
    ended.end = PL__LEG_END__LEG_FAILED;
    ended.detail = (char *)"the conversation did not go on as this call";
    change.change_case = PL__CALL_CHANGE__CHANGE_ENDED;
    change.ended = &ended;
    (void)outbox_add(ledger_outbox(ledger), &change, 0);
}

static void answer_start(actor_t *self)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallStarted body = PL__CALL_STARTED__INIT;
    const Pl__CallRecord *record = call_record(self->call);
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    body.call = (Pl__CallRecord *)record;
    env.body_case = PL__ENVELOPE__BODY_CALL_STARTED;
    env.call_started = &body;
    pl_request_reply(&self->request, &env);
}

static void answer_incoming(actor_t *self)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallAccepted body = PL__CALL_ACCEPTED__INIT;
    const Pl__CallRecord *record = call_record(self->call);
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    if (call_continued(self->call)) body.call_id = record->call_id;
    body.epoch = record->epoch;
    body.lang = (char *)call_lang(self->call);
    for (size_t i = 0; i < record->initiate->n_lang_available; i++) {
        const Pl__Language *lang = record->initiate->lang_available[i];
        if (strcmp(lang->short_code, body.lang) == 0) body.voice = lang->voice;
    }
    env.body_case = PL__ENVELOPE__BODY_CALL_ACCEPTED;
    env.call_accepted = &body;
    pl_request_reply(&self->request, &env);
}

static think_t think_of(const actor_t *self, const effect_t *effect)
{
    return (think_t){
        .number = effect->think,
        .kind = effect->think_kind,
        .text = effect->text,
        .message = effect->message,
        .unheard = effect->unheard,
        .takes_over = effect->takes_over,
        .record = call_record(self->call),
        .now = civil_in(call_zone(self->call), pl_clock_wall_ms()),
        .zone = call_zone(self->call),
        .found = effect->found,
    };
}

static void think(actor_t *self, const effect_t *effect)
{
    think_t turn = think_of(self, effect);
    self->desk->manager->think(self->mind, &turn);
}

static void think_ahead(actor_t *self, const effect_t *effect)
{
    think_t turn = think_of(self, effect);
    turn.kind = THINK_UTTERANCE;
    if (self->desk->manager->partial) self->desk->manager->partial(self->mind, &turn);
}

static void give_result(actor_t *self, const effect_t *effect)
{
    tool_result_t result = {.tool_id = effect->tool_id,
                            .content = effect->text,
                            .leaving = call_leaving(self->call),
                            .record = call_record(self->call)};
    self->desk->manager->tool_result(self->mind, &result);
}

static void send_event(actor_t *self, effect_t *effect)
{
    pl_err_t err = pl_bus_event(self->desk->bus, effect->to, effect->env);
    if (err) {
        log_warn("call.event_lost", "call=%s to=%s body=%d err=%s", call_id(self->call), effect->to,
                 (int)effect->env->body_case, pl_err_name(err));
    }
}

static void post(actor_t *self, const effect_t *effect)
{
    webhook_t hook = {.url = effect->post.url,
                      .secret = effect->post.secret,
                      .event_id = effect->post.event_id,
                      .body = effect->text,
                      .timeout_ms = effect->timeout_ms,
                      .idempotent = effect->post.idempotent};
    webhook_post(self->desk->webhooks, &hook, on_posted,
                 asking_new(self, effect->asked, effect->tool_id));
}

/* Who asked for the call. */
static void answer(actor_t *self, const effect_t *effect)
{
    if (effect->kind == FX_REFUSED) {
        pl_request_refuse(&self->request, effect->err, pl_err_retry(effect->err) ? 1000 : 0, "%s",
                          effect->text);
    } else if (self->incoming) {
        answer_incoming(self);
    } else {
        answer_start(self);
    }
}

static void tell_started(actor_t *self, pl_err_t err, const char *detail)
{
    actor_started_fn *started = self->started;
    self->started = NULL;
    if (started) started(self->started_arg, err, detail);
}

void actor_on_started(actor_t *self, actor_started_fn *started, void *arg)
{
    self->started = started;
    self->started_arg = arg;
}

static outbox_t *present(const actor_t *self)
{
    return ledger_outbox(ledgers_present(self->ledgers));
}

static void carry_out(actor_t *self, effect_t *effect)
{
    switch (effect->kind) {
    case FX_CREATE:
        create(self, call_record(self->call), on_created, asking_new(self, ASKED_DIAL, ""));
        break;
    case FX_SPLIT:
        split(self, effect);
        break;
    case FX_SWITCH:
        (void)ledgers_open(self->ledgers, call_id(self->call), call_record(self->call)->epoch,
                           true);
        break;
    case FX_ABANDON:
        abandon(self, effect->text);
        break;
    case FX_STORE:
        if (outbox_add(present(self), effect->change, effect->group) != PL_OK)
            log_error("call.outbox_full", "call=%s", call_id(self->call));
        break;
    case FX_JOB:
        outbox_add_job(present(self), effect->job, effect->group);
        break;
    case FX_EVENT:
        send_event(self, effect);
        break;
    case FX_REQUEST:
        pl_bus_request(self->desk->bus, effect->to, effect->env, effect->timeout_ms, on_reply,
                       asking_new(self, effect->asked, effect->tool_id));
        break;
    case FX_POST:
        post(self, effect);
        break;
    case FX_STARTED:
    case FX_REFUSED:
        if (self->request) answer(self, effect);
        tell_started(self, effect->err, effect->text ? effect->text : "");
        break;
    case FX_THINK:
        think(self, effect);
        break;
    case FX_PARTIAL:
        think_ahead(self, effect);
        break;
    case FX_TOOL_RESULT:
        give_result(self, effect);
        break;
    case FX_CANCEL:
        self->desk->manager->cancel(self->mind);
        break;
    case FX_OVER:
        self->over = true;
        self->over_ms = pl_clock_ms();
        break;
    }
}

/* ---- running ---- */

static void send_write(void *arg, const char *id, uint32_t epoch, const Pl__StoreApply *write)
{
    actor_t *self = arg;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)id;
    env.epoch = epoch;
    env.body_case = PL__ENVELOPE__BODY_STORE_APPLY;
    env.store_apply = (Pl__StoreApply *)write;
    pl_bus_request(self->desk->bus, "persistence", &env, self->desk->store_timeout_ms, on_written,
                   asking_for(self, id, ASKED_DIAL, ""));
}

static void on_timer(void *arg)
{
    actor_t *self = arg;
    self->armed_ms = UINT64_MAX;
    give_up_held(self, pl_clock_ms());
    call_tick(self->call, actor_now(), &self->effects);
    actor_run(self);
}

static void tell_over(void *arg)
{
    actor_t *self = arg;
    self->desk->over(self->desk->arg, self);
}

/* True when the actor has nothing left to do. */
static bool finished(actor_t *self)
{
    if (!self->over) return false;
    bool written = ledgers_empty(self->ledgers);
    bool late = pl_clock_ms() >= self->over_ms + self->desk->store_retry_ms;
    if (!written && !late) return false;
    if (!written) log_error("call.writes_given_up", "call=%s", call_id(self->call));
    return true;
}

static void arm(actor_t *self)
{
    uint64_t due = call_deadline(self->call);
    uint64_t writes = ledgers_due_ms(self->ledgers);
    if (writes < due) due = writes;
    if (held_due_ms(self->held) < due) due = held_due_ms(self->held);
    if (due == self->armed_ms && self->timer) return;
    pl_timer_stop(&self->timer);
    self->armed_ms = due;
    if (due == UINT64_MAX) return;
    uint64_t at = pl_clock_ms();
    self->timer = pl_timer_start(self->desk->loop, due > at ? due - at : 0, 0, on_timer, self);
}

void actor_run(actor_t *self)
{
    if (self->running) return;
    self->running = true;
    effect_t *effect = NULL;
    while ((effect = fx_take(&self->effects))) {
        if (held_wants(effect))
            held_add(self->held, &effect, pl_clock_ms());
        else
            carry_out(self, effect);
        fx_free(&effect);
    }
    ledgers_send(self->ledgers, pl_clock_ms(), send_write, self);
    while (ledgers_empty(self->ledgers) && (effect = held_take(self->held))) {
        carry_out(self, effect);
        fx_free(&effect);
    }
    self->running = false;
    if (!finished(self)) {
        arm(self);
        return;
    }
    if (self->told) return;
    self->told = true;
    pl_timer_stop(&self->timer);
    self->timer = pl_timer_start(self->desk->loop, 0, 0, tell_over, self);
}

/* ---- outside ---- */

actor_t *actor_new(const desk_t *desk, const Pl__CallRecord *record, const char *leg,
                   pl_request_t **request_p)
{
    actor_t *self = calloc(1, sizeof *self);
    assert(self);
    self->desk = desk;
    self->request = *request_p;
    *request_p = NULL;
    self->incoming = leg[0] != '\0';
    self->armed_ms = UINT64_MAX;
    self->call = call_new(record, leg, &desk->settings, desk->prompts);
    self->held = held_new();
    self->ledgers = ledgers_new(record->call_id, record->epoch);
    manager_sink_t sink = actor_sink(self);
    self->mind = desk->manager->open(&desk->manager_opts, &sink, record->call_id);
    return self;
}

void actor_destroy(actor_t **self_p)
{
    actor_t *self = *self_p;
    if (!self) return;
    pl_timer_stop(&self->timer);
    self->desk->manager->close(&self->mind);
    if (self->request) {
        pl_request_refuse(&self->request, PL_UNAVAILABLE, 1000, "the call was given up");
    }
    tell_started(self, PL_TIMEOUT, "the call was given up");
    fx_clear(&self->effects);
    ledgers_destroy(&self->ledgers);
    held_destroy(&self->held);
    call_destroy(&self->call);
    free(self);
    *self_p = NULL;
}

void actor_begin(actor_t *self)
{
    call_begin(self->call, actor_now(), &self->effects);
    actor_run(self);
}

void actor_begin_again(actor_t *self, const char *caller)
{
    call_begin_again(self->call, actor_now(), caller, &self->effects);
    actor_run(self);
}

void actor_adopt(actor_t *self, const Pl__CallOrphaned *offered)
{
    call_adopt(self->call, actor_now(), offered, &self->effects);
    actor_run(self);
}

pl_err_t actor_handle(actor_t *self, const Pl__Envelope *env)
{
    pl_err_t err = call_handle(self->call, actor_now(), env, &self->effects);
    actor_run(self);
    return err;
}

void actor_release(actor_t *self, bool quiet)
{
    bool stored = ledgers_empty(self->ledgers) && held_due_ms(self->held) == UINT64_MAX;
    bool fit = quiet ? call_resting(self->call) : call_record(self->call)->in_progress;
    if (!call_leg_up(self->call) || !stored || !fit) return;
    Pl__LegRelease body = PL__LEG_RELEASE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    const Pl__CallRecord *record = call_record(self->call);
    body.quiet = quiet;
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    env.body_case = PL__ENVELOPE__BODY_LEG_RELEASE;
    env.leg_release = &body;
    (void)pl_bus_event(self->desk->bus, call_leg(self->call), &env); /* it is tried again */
}

void actor_shut_down(actor_t *self)
{
    call_shut_down(self->call, actor_now(), &self->effects);
    actor_run(self);
}

void actor_abort(actor_t *self)
{
    call_abort(self->call, actor_now(), &self->effects);
    actor_run(self);
}

const call_t *actor_call(const actor_t *self)
{
    return self->call;
}

bool actor_keep_alive(actor_t *self)
{
    if (!call_leg_up(self->call)) return true;
    Pl__LegKeepAlive body = PL__LEG_KEEP_ALIVE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    const Pl__CallRecord *record = call_record(self->call);
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    env.body_case = PL__ENVELOPE__BODY_LEG_KEEP_ALIVE;
    env.leg_keep_alive = &body;
    return pl_bus_event(self->desk->bus, call_leg(self->call), &env) != PL_UNAVAILABLE;
}
