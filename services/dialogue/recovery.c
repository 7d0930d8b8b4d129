#include "services/dialogue/recovery.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "services/dialogue/postcall.h"

enum { BATCH = 100, RETRY_MS = 2000, EFFECTS_MAX = 16 };

struct recovery {
    pl_loop_t *loop;
    pl_bus_t *bus;
    recovery_opts_t opts;
    pl_timer_t *timer;
    bool waited, listing, done;
    int64_t started_ms; /* calls made since belong to this run */
};

/* One record being closed. */
typedef struct {
    recovery_t *self;
    Pl__CallRecord *record;
} closing_t;

recovery_t *recovery_new(pl_loop_t *loop, pl_bus_t *bus, const recovery_opts_t *opts)
{
    recovery_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->bus = bus;
    self->opts = *opts;
    self->started_ms = pl_clock_wall_ms();
    return self;
}

void recovery_destroy(recovery_t **self_p)
{
    recovery_t *self = *self_p;
    if (!self) return;
    pl_timer_stop(&self->timer);
    free(self);
    *self_p = NULL;
}

static void free_closing(closing_t *closing)
{
    pl_record_free(&closing->record);
    free(closing);
}

static void on_closed(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    closing_t *closing = arg;
    if (err) {
        log_warn("recovery.not_closed", "call=%s err=%s detail=\"%s\"", closing->record->call_id,
                 pl_err_name(err), pl_bus_error_detail(err, reply));
    } else {
        log_info("recovery.closed", "call=%s epoch=%u", closing->record->call_id,
                 closing->record->epoch);
    }
    free_closing(closing);
}

/* in_progress, the hangup message, the end and the post-call work, as one write. */
static void close_record(closing_t *closing)
{
    Pl__CallRecord *record = closing->record;
    effects_t fx = {0};
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_IN_PROGRESS;
    change.in_progress = false;
    (void)pl_record_apply(record, &change);
    (void)fx_store(&fx, &change);
    Pl__Message message = PL__MESSAGE__INIT;
    for (size_t i = 0; i < record->n_messages; i++) {
        if (record->messages[i]->number > message.number)
            message.number = record->messages[i]->number;
    }
    message.number++;
    message.created_at_ms = pl_clock_wall_ms();
    message.action = PL__ACTION__HANGUP;
    message.persona = PL__PERSONA__HUMAN;
    change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
    change.message = &message;
    (void)pl_record_apply(record, &change);
    (void)fx_store(&fx, &change);
    postcall_end(record, PL__LEG_END__LEG_OWNER_LOST, "the dialogue process was restarted", true,
                 &fx);

    Pl__StoreApply write = PL__STORE_APPLY__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallChange *changes[EFFECTS_MAX];
    Pl__JobSpec *jobs[EFFECTS_MAX];
    effect_t *effects[EFFECTS_MAX];
    size_t n = 0;
    effect_t *effect = NULL;
    while ((effect = fx_take(&fx))) {
        assert(n < EFFECTS_MAX && (effect->change || effect->job));
        effects[n++] = effect;
        if (effect->change) changes[write.n_changes++] = effect->change;
        if (effect->job) jobs[write.n_jobs++] = effect->job;
    }
    write.write_id = 1;
    write.changes = changes;
    write.jobs = jobs;
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    env.body_case = PL__ENVELOPE__BODY_STORE_APPLY;
    env.store_apply = &write;
    pl_bus_request(closing->self->bus, "persistence", &env, closing->self->opts.store_timeout_ms,
                   on_closed, closing);
    for (size_t i = 0; i < n; i++) fx_free(&effects[i]);
}

static void on_adopted(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    closing_t *closing = arg;
    if (err || !reply || reply->body_case != PL__ENVELOPE__BODY_STORE_CALL ||
        !reply->store_call->call || !reply->store_call->call->initiate) {
        log_warn("recovery.not_adopted", "call=%s err=%s", closing->record->call_id,
                 pl_err_name(err));
        free_closing(closing);
        return;
    }
    pl_record_free(&closing->record);
    closing->record = pl_record_copy(reply->store_call->call);
    close_record(closing);
}

static void adopt(recovery_t *self, const Pl__CallRecord *record)
{
    closing_t *closing = calloc(1, sizeof *closing);
    assert(closing);
    closing->self = self;
    closing->record = pl_record_copy(record);
    Pl__StoreAdopt body = PL__STORE_ADOPT__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.expected_epoch = record->epoch;
    body.owner = (char *)pl_bus_instance(self->bus);
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    env.body_case = PL__ENVELOPE__BODY_STORE_ADOPT;
    env.store_adopt = &body;
    pl_bus_request(self->bus, "persistence", &env, self->opts.store_timeout_ms, on_adopted,
                   closing);
}

static void list(void *arg);

static void on_listed(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    recovery_t *self = arg;
    self->listing = false;
    if (err || !reply || reply->body_case != PL__ENVELOPE__BODY_STORE_CALLS) {
        pl_timer_stop(&self->timer);
        self->timer = pl_timer_start(self->loop, RETRY_MS, 0, list, self);
        return;
    }
    size_t left = 0;
    for (size_t i = 0; i < reply->store_calls->n_calls; i++) {
        const Pl__CallRecord *record = reply->store_calls->calls[i];
        if (record->created_at_ms >= self->started_ms) continue;
        if (self->opts.live(self->opts.arg, record->call_id)) continue;
        left++;
        adopt(self, record);
    }
    if (left < BATCH) {
        self->done = true;
        log_info("recovery.done", "calls=%zu", left);
        return;
    }
    pl_timer_stop(&self->timer); /* there may be more than one batch */
    self->timer = pl_timer_start(self->loop, RETRY_MS, 0, list, self);
}

static void list(void *arg)
{
    recovery_t *self = arg;
    if (self->done || self->listing) return;
    self->listing = true;
    Pl__StoreList body = PL__STORE_LIST__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.in_progress_only = true;
    body.owner = (char *)pl_bus_instance(self->bus);
    body.limit = BATCH;
    env.body_case = PL__ENVELOPE__BODY_STORE_LIST;
    env.store_list = &body;
    pl_bus_request(self->bus, "persistence", &env, self->opts.store_timeout_ms, on_listed, self);
}

void recovery_store_up(recovery_t *self)
{
    if (self->waited) {
        list(self);
        return;
    }
    self->waited = true;
    pl_timer_stop(&self->timer);
    self->timer = pl_timer_start(self->loop, self->opts.wait_ms, 0, list, self);
}
