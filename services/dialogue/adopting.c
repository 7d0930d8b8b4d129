#include "services/dialogue/adopting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/metrics.h"
#include "common/record.h"

enum { STORE_MS = 1500, RETRY_MS = 250 };

struct adopting {
    adopting_opts_t opts;
    size_t count; /* under way */
    bool draining;
    pl_metric_t *adopted;
};

/* One call on its way here. */
typedef struct {
    adopting_t *self;
    pl_request_t *request;
    Pl__Envelope *asked;
} orphan_t;

static void free_orphan(orphan_t *orphan)
{
    orphan->self->count--;
    if (orphan->request) {
        pl_request_refuse(&orphan->request, PL_UNAVAILABLE, RETRY_MS, "the call was not adopted");
    }
    pl__envelope__free_unpacked(orphan->asked, NULL);
    free(orphan);
}

/* The end that nobody was there to be told of. */
static void end_it(const orphan_t *orphan, actor_t *actor)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = orphan->asked->call_id;
    env.epoch = call_record(actor_call(actor))->epoch;
    env.sender = orphan->asked->sender;
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = orphan->asked->call_orphaned->ended;
    (void)actor_handle(actor, &env);
}

static void accept_again(orphan_t *orphan, const call_t *call)
{
    Pl__CallAccepted body = PL__CALL_ACCEPTED__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.lang = (char *)call_lang(call);
    body.call_id = (char *)call_id(call);
    body.epoch = call_record(call)->epoch;
    env.call_id = (char *)call_id(call);
    env.epoch = body.epoch;
    env.body_case = PL__ENVELOPE__BODY_CALL_ACCEPTED;
    env.call_accepted = &body;
    pl_request_reply(&orphan->request, &env);
}

/* True: it is this instance's, and the request is answered. */
static bool ours_already(orphan_t *orphan)
{
    actor_t *actor = calls_find(orphan->self->opts.calls, orphan->asked->call_id);
    if (!actor) return false;
    const call_t *call = actor_call(actor);
    bool live = call_state(call) != CALL_ENDED && call_record(call)->epoch >= orphan->asked->epoch;
    if (!live) {
        pl_request_refuse(&orphan->request, PL_BUSY, RETRY_MS,
                          "its former life here ends just now");
        return true;
    }
    accept_again(orphan, call);
    if (orphan->asked->call_orphaned->ended) end_it(orphan, actor);
    return true;
}

static void on_adopted(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    orphan_t *orphan = arg;
    const adopting_opts_t *opts = &orphan->self->opts;
    bool good = !err && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL &&
                reply->store_call->call && reply->store_call->call->initiate;
    if (!good) {
        err = err ? err : PL_INTERNAL;
        pl_request_refuse(&orphan->request, err, RETRY_MS, "the store: %s",
                          pl_bus_error_detail(err, reply));
    } else if (!ours_already(orphan)) { /* asked twice, and answered twice */
        actor_t *actor =
            actor_new(opts->desk, reply->store_call->call, orphan->asked->sender, &orphan->request);
        calls_add(opts->calls, actor);
        pl_metric_add(orphan->self->adopted, 1);
        opts->begun(opts->arg);
        actor_adopt(actor, orphan->asked->call_orphaned);
        if (orphan->asked->call_orphaned->ended) end_it(orphan, actor);
    }
    free_orphan(orphan);
}

static void on_got(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    orphan_t *orphan = arg;
    const adopting_opts_t *opts = &orphan->self->opts;
    const Pl__CallRecord *record =
        !err && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL ? reply->store_call->call
                                                                           : NULL;
    bool over = record && orphan->asked->call_orphaned->ended && !record->in_progress &&
                record->ended != PL__LEG_END__LEG_NOT_ENDED;
    if (!record || over) {
        err = over ? PL_STALE : err ? err : PL_NOT_FOUND;
        pl_request_refuse(&orphan->request, err, RETRY_MS, "%s",
                          over ? "it is closed already" : pl_bus_error_detail(err, reply));
        free_orphan(orphan);
        return;
    }
    if (ours_already(orphan)) {
        free_orphan(orphan);
        return;
    }
    Pl__StoreAdopt body = PL__STORE_ADOPT__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.expected_epoch = record->epoch;
    body.owner = (char *)pl_bus_instance(opts->desk->bus);
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    env.body_case = PL__ENVELOPE__BODY_STORE_ADOPT;
    env.store_adopt = &body;
    pl_bus_request(opts->desk->bus, "persistence", &env, STORE_MS, on_adopted, orphan);
}

void adopting_on_orphan(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    adopting_t *self = arg;
    if (!request) return;
    orphan_t *orphan = calloc(1, sizeof *orphan);
    assert(orphan);
    orphan->self = self;
    orphan->request = request;
    orphan->asked = (Pl__Envelope *)pl_message_copy(&env->base);
    self->count++;
    bool full = calls_count(self->opts.calls) + self->count > self->opts.max_calls;
    if (!env->call_id[0] || !env->sender[0]) {
        pl_request_refuse(&orphan->request, PL_INVALID, 0, "call_id: empty");
    } else if (!ours_already(orphan) && (self->draining || full)) {
        pl_request_refuse(&orphan->request, PL_BUSY, RETRY_MS, "%s",
                          self->draining ? "this instance is stopping"
                                         : "dialogue.max_calls calls are in progress");
    }
    if (!orphan->request) {
        free_orphan(orphan);
        return;
    }
    Pl__StoreGet body = PL__STORE_GET__INIT;
    Pl__Envelope get = PL__ENVELOPE__INIT;
    get.call_id = (char *)env->call_id;
    get.body_case = PL__ENVELOPE__BODY_STORE_GET;
    get.store_get = &body;
    pl_bus_request(self->opts.desk->bus, "persistence", &get, STORE_MS, on_got, orphan);
}

adopting_t *adopting_new(const adopting_opts_t *opts)
{
    adopting_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->adopted = pl_metric_counter("parley_calls_adopted_total", NULL,
                                      "Calls taken over from an owner that was lost");
    return self;
}

void adopting_drain(adopting_t *self)
{
    self->draining = true;
}

void adopting_free(adopting_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}
