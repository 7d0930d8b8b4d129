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

#endif
