/* requests.h - store requests as the tests need them. Everything borrows: a request lives on the
 * stack of the test that makes it. Include after cmocka.h. */
#ifndef TESTS_PERSISTENCE_REQUESTS_H
#define TESTS_PERSISTENCE_REQUESTS_H

#include <stdio.h>
#include <string.h>

#include "envelope.pb-c.h"

#define CALL_1 "11111111-1111-4111-8111-111111111111"
#define CALL_2 "22222222-2222-4222-8222-222222222222"
#define CALL_3 "33333333-3333-4333-8333-333333333333"

typedef struct {
    Pl__Envelope env;
    Pl__StoreCreate create;
    Pl__CallRecord call;
    Pl__Initiate initiate;
} create_t;

static inline Pl__Envelope *make_create(create_t *c, const char *call_id, const char *number,
                                        int64_t created_at_ms)
{
    *c = (create_t){PL__ENVELOPE__INIT, PL__STORE_CREATE__INIT, PL__CALL_RECORD__INIT,
                    PL__INITIATE__INIT};
    c->initiate.phone_number = (char *)number;
    c->initiate.bot_company = "Contoso";
    c->call.call_id = (char *)call_id;
    c->call.created_at_ms = created_at_ms;
    c->call.in_progress = 1;
    c->call.owner = "dialogue-0";
    c->call.epoch = 1;
    c->call.initiate = &c->initiate;
    c->create.call = &c->call;
    c->env.call_id = (char *)call_id;
    c->env.epoch = 1;
    c->env.sender = "dialogue-0";
    c->env.body_case = PL__ENVELOPE__BODY_STORE_CREATE;
    c->env.store_create = &c->create;
    return &c->env;
}

typedef struct {
    Pl__Envelope env;
    Pl__StoreApply apply;
    Pl__CallChange change;
    Pl__CallChange *changes[1];
    Pl__Message message;
    Pl__ClaimValue claim;
} apply_t;

static inline void start_apply(apply_t *a, const char *call_id, uint32_t epoch, uint64_t write_id)
{
    *a = (apply_t){.env = PL__ENVELOPE__INIT,
                   .apply = PL__STORE_APPLY__INIT,
                   .change = PL__CALL_CHANGE__INIT,
                   .message = PL__MESSAGE__INIT,
                   .claim = PL__CLAIM_VALUE__INIT};
    a->changes[0] = &a->change;
    a->apply.changes = a->changes;
    a->apply.n_changes = 1;
    a->apply.write_id = write_id;
    a->env.call_id = (char *)call_id;
    a->env.epoch = epoch;
    a->env.sender = "dialogue-0";
    a->env.body_case = PL__ENVELOPE__BODY_STORE_APPLY;
    a->env.store_apply = &a->apply;
}

/* The message of number write_id says content. */
static inline Pl__Envelope *make_message(apply_t *a, const char *call_id, uint32_t epoch,
                                         uint64_t write_id, const char *content)
{
    start_apply(a, call_id, epoch, write_id);
    a->message.number = (uint32_t)write_id;
    a->message.content = (char *)content;
    a->change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
    a->change.message = &a->message;
    return &a->env;
}

static inline Pl__Envelope *make_claim(apply_t *a, const char *call_id, uint32_t epoch,
                                       uint64_t write_id, const char *name, const char *value)
{
    start_apply(a, call_id, epoch, write_id);
    a->claim.name = (char *)name;
    a->claim.value = (char *)value;
    a->change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    a->change.claim = &a->claim;
    return &a->env;
}

typedef struct {
    Pl__Envelope env;
    Pl__StoreAdopt adopt;
} adopt_t;

static inline Pl__Envelope *make_adopt(adopt_t *a, const char *call_id, uint32_t expected_epoch,
                                       const char *owner)
{
    *a = (adopt_t){PL__ENVELOPE__INIT, PL__STORE_ADOPT__INIT};
    a->adopt.expected_epoch = expected_epoch;
    a->adopt.owner = (char *)owner;
    a->env.call_id = (char *)call_id;
    a->env.body_case = PL__ENVELOPE__BODY_STORE_ADOPT;
    a->env.store_adopt = &a->adopt;
    return &a->env;
}

/* ---- jobs ---- */

typedef struct {
    Pl__Envelope env;
    Pl__JobPut put;
    Pl__JobSpec spec;
    Pl__JobSpec *specs[1];
} put_t;

static inline void start_spec(Pl__JobSpec *spec, const char *key, const char *kind,
                              const char *payload)
{
    *spec = (Pl__JobSpec)PL__JOB_SPEC__INIT;
    spec->key = (char *)key;
    spec->kind = (char *)kind;
    spec->payload.data = (uint8_t *)payload;
    spec->payload.len = strlen(payload);
}

static inline Pl__Envelope *make_put(put_t *p, const char *call_id, const char *key,
                                     const char *kind, int64_t run_at_ms)
{
    *p = (put_t){.env = PL__ENVELOPE__INIT, .put = PL__JOB_PUT__INIT};
    start_spec(&p->spec, key, kind, "payload");
    p->spec.run_at_ms = run_at_ms;
    p->specs[0] = &p->spec;
    p->put.jobs = p->specs;
    p->put.n_jobs = 1;
    p->env.call_id = (char *)call_id;
    p->env.body_case = PL__ENVELOPE__BODY_JOB_PUT;
    p->env.job_put = &p->put;
    return &p->env;
}

typedef struct {
    Pl__Envelope env;
    Pl__JobTake take;
    char *kinds[2];
} take_t;

static inline Pl__Envelope *make_take(take_t *t, const char *kind, const char *worker,
                                      uint32_t lease_ms, uint32_t limit)
{
    *t = (take_t){.env = PL__ENVELOPE__INIT, .take = PL__JOB_TAKE__INIT};
    t->kinds[0] = (char *)kind;
    t->take.kinds = t->kinds;
    t->take.n_kinds = 1;
    t->take.worker = (char *)worker;
    t->take.lease_ms = lease_ms;
    t->take.limit = limit;
    t->env.body_case = PL__ENVELOPE__BODY_JOB_TAKE;
    t->env.job_take = &t->take;
    return &t->env;
}

/* A job's outcome: its result is a message appended to its call. */
typedef struct {
    Pl__Envelope env;
    Pl__JobDone done;
    Pl__JobFail fail;
    Pl__CallChange change;
    Pl__CallChange *changes[1];
    Pl__Message message;
    Pl__JobSpec spec;
    Pl__JobSpec *specs[1];
} outcome_t;

static inline void start_outcome(outcome_t *o, const char *call_id, const char *content)
{
    *o = (outcome_t){.env = PL__ENVELOPE__INIT,
                     .done = PL__JOB_DONE__INIT,
                     .fail = PL__JOB_FAIL__INIT,
                     .change = PL__CALL_CHANGE__INIT,
                     .message = PL__MESSAGE__INIT};
    o->message.content = (char *)content;
    o->change.change_case = PL__CALL_CHANGE__CHANGE_APPENDED;
    o->change.appended = &o->message;
    o->changes[0] = &o->change;
    o->specs[0] = &o->spec;
    o->env.call_id = (char *)call_id;
}

/* content NULL: no change. */
static inline Pl__Envelope *make_done(outcome_t *o, const char *call_id, const char *key,
                                      uint64_t lease, const char *content)
{
    start_outcome(o, call_id, content);
    o->done.key = (char *)key;
    o->done.lease = lease;
    o->done.changes = o->changes;
    o->done.n_changes = content ? 1 : 0;
    o->env.body_case = PL__ENVELOPE__BODY_JOB_DONE;
    o->env.job_done = &o->done;
    return &o->env;
}

static inline Pl__Envelope *make_fail(outcome_t *o, const char *call_id, const char *key,
                                      uint64_t lease, const char *content)
{
    start_outcome(o, call_id, content);
    o->fail.key = (char *)key;
    o->fail.lease = lease;
    o->fail.reason = "not today";
    o->fail.changes = o->changes;
    o->fail.n_changes = content ? 1 : 0;
    o->env.body_case = PL__ENVELOPE__BODY_JOB_FAIL;
    o->env.job_fail = &o->fail;
    return &o->env;
}

typedef struct {
    Pl__Envelope env;
    Pl__JobRenew renew;
    Pl__JobRetry retry;
    Pl__JobList list;
} keyed_t;

static inline Pl__Envelope *make_renew(keyed_t *k, const char *key, uint64_t lease,
                                       uint32_t lease_ms)
{
    *k = (keyed_t){.env = PL__ENVELOPE__INIT, .renew = PL__JOB_RENEW__INIT};
    k->renew.key = (char *)key;
    k->renew.lease = lease;
    k->renew.lease_ms = lease_ms;
    k->env.body_case = PL__ENVELOPE__BODY_JOB_RENEW;
    k->env.job_renew = &k->renew;
    return &k->env;
}

static inline Pl__Envelope *make_retry(keyed_t *k, const char *key)
{
    *k = (keyed_t){.env = PL__ENVELOPE__INIT, .retry = PL__JOB_RETRY__INIT};
    k->retry.key = (char *)key;
    k->env.body_case = PL__ENVELOPE__BODY_JOB_RETRY;
    k->env.job_retry = &k->retry;
    return &k->env;
}

static inline Pl__Envelope *make_job_list(keyed_t *k, const char *key)
{
    *k = (keyed_t){.env = PL__ENVELOPE__INIT, .list = PL__JOB_LIST__INIT};
    k->list.key = (char *)key;
    k->env.body_case = PL__ENVELOPE__BODY_JOB_LIST;
    k->env.job_list = &k->list;
    return &k->env;
}

#endif
