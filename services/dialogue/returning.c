#include "services/dialogue/returning.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"

typedef struct {
    pl_bus_t *bus;
    const Pl__Initiate *initiate;
    uint32_t timeout_ms;
    returning_live_fn *live;
    returning_found_fn *found;
    void *arg;
} search_t;

static void end(search_t *search, Pl__CallRecord *record)
{
    search->found(search->arg, &record);
    pl_record_free(&record);
    free(search);
}

/* Byte for byte: both were completed from the same defaults. */
static bool equal(const Pl__Initiate *a, const Pl__Initiate *b)
{
    size_t size = pl__initiate__get_packed_size(a);
    if (size != pl__initiate__get_packed_size(b)) return false;
    uint8_t *one = malloc(2 * size + 1);
    assert(one);
    (void)pl__initiate__pack(a, one);
    (void)pl__initiate__pack(b, one + size);
    bool same = memcmp(one, one + size, size) == 0;
    free(one);
    return same;
}

/* A call that has not ended may go on elsewhere, unless a former run of this process had it. */
static bool may_go_on(const search_t *search, const Pl__CallRecord *record)
{
    if (!record->initiate || search->live(search->arg, record->call_id)) return false;
    bool over = !record->in_progress && record->ended != PL__LEG_END__LEG_NOT_ENDED;
    bool ours = strcmp(record->owner, pl_bus_instance(search->bus)) == 0;
    if (!over && !ours) return false;
    return !search->initiate || equal(search->initiate, record->initiate);
}

static const Pl__CallRecord *call_of(pl_err_t err, const Pl__Envelope *reply)
{
    bool good = !err && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL;
    return good ? reply->store_call->call : NULL;
}

static void on_adopted(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    search_t *search = arg;
    const Pl__CallRecord *record = call_of(err, reply);
    if (!record || !record->initiate) {
        log_info("returning.not_adopted", "err=%s", pl_err_name(err));
        end(search, NULL);
        return;
    }
    if (search->live(search->arg, record->call_id)) { /* another call of theirs was quicker */
        log_info("returning.live", "call=%s", record->call_id);
        end(search, NULL);
        return;
    }
    log_info("returning.adopted", "call=%s epoch=%u", record->call_id, record->epoch);
    end(search, pl_record_copy(record));
}

static void on_got(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    search_t *search = arg;
    const Pl__CallRecord *record = call_of(err, reply);
    if (!record || !may_go_on(search, record)) {
        if (err && err != PL_NOT_FOUND) {
            log_warn("returning.not_looked_up", "err=%s", pl_err_name(err));
        }
        end(search, NULL);
        return;
    }
    Pl__StoreAdopt body = PL__STORE_ADOPT__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.expected_epoch = record->epoch;
    body.owner = (char *)pl_bus_instance(search->bus);
    env.call_id = record->call_id;
    env.epoch = record->epoch;
    env.body_case = PL__ENVELOPE__BODY_STORE_ADOPT;
    env.store_adopt = &body;
    pl_bus_request(search->bus, "persistence", &env, search->timeout_ms, on_adopted, search);
}

void returning_find(pl_bus_t *bus, const returning_query_t *query, returning_live_fn *live,
                    returning_found_fn *found, void *arg)
{
    search_t *search = calloc(1, sizeof *search);
    assert(search);
    *search = (search_t){bus, query->initiate, query->timeout_ms, live, found, arg};
    Pl__StoreGet body = PL__STORE_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.phone_number = (char *)query->phone_number;
    body.not_before_ms = query->not_before_ms;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &body;
    pl_bus_request(bus, "persistence", &env, query->timeout_ms, on_got, search);
}
