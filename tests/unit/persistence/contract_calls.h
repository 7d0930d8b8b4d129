/* contract_calls.h - what every store does with calls, whatever keeps them: the tests, unchanged for each
 * provider. Include after the provider's fixture (sqlite_fixture.h says what it has to offer).
 */
#ifndef TESTS_PERSISTENCE_CONTRACT_CALLS_H
#define TESTS_PERSISTENCE_CONTRACT_CALLS_H

#include "common/record.h"
#include "tests/unit/persistence/requests.h"

/* ---- asking ---- */

static write_t *made(const Pl__Envelope *env)
{
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (write_new(&write, env, 1000, detail)) fail_msg("%s", detail);
    return write;
}

static pl_err_t write_one(const Pl__Envelope *env, uint64_t *version, char *detail)
{
    store_stats_t stats = {0};
    write_t *write = made(env);
    provider->write(store, &write, 1, &stats);
    pl_err_t err = write->err;
    if (version) *version = write->version;
    if (detail) memcpy(detail, write->detail, STORE_DETAIL_BYTES);
    write_destroy(&write);
    return err;
}

static void create(const char *call_id, const char *number, int64_t created_at_ms)
{
    create_t request;
    uint64_t version = 0;
    assert_int_equal(
        write_one(make_create(&request, call_id, number, created_at_ms), &version, NULL), PL_OK);
    assert_int_equal(version, 1);
}

static pl_err_t say(const char *call_id, uint64_t write_id, const char *content)
{
    apply_t apply;
    return write_one(make_message(&apply, call_id, 1, write_id, content), NULL, NULL);
}

static pl_err_t set_claim(const char *call_id, uint64_t write_id, const char *name,
                          const char *value)
{
    apply_t apply;
    return write_one(make_claim(&apply, call_id, 1, write_id, name, value), NULL, NULL);
}

static Pl__CallRecord *by_id(const char *call_id)
{
    Pl__StoreGet query = PL__STORE_GET__INIT;
    Pl__CallRecord *record = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    pl_err_t err = provider->get(store, call_id, &query, &record, detail);
    if (err) fail_msg("%s: %s", pl_err_name(err), detail);
    return record;
}

/* The id of the newest call of a number, "" when there is none. */
static const char *found(const char *number, int64_t not_before_ms)
{
    static char id[CALL_ID_BYTES];
    Pl__StoreGet query = PL__STORE_GET__INIT;
    query.phone_number = (char *)number;
    query.not_before_ms = not_before_ms;
    Pl__CallRecord *record = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    pl_err_t err = provider->get(store, "", &query, &record, detail);
    if (err == PL_NOT_FOUND) return "";
    assert_int_equal(err, PL_OK);
    memcpy(id, record->call_id, CALL_ID_BYTES);
    pl_record_free(&record);
    return id;
}

static Pl__StoreCalls *listed(const char *number, uint32_t limit, uint32_t offset, bool live,
                              const char *owner)
{
    Pl__StoreList query = PL__STORE_LIST__INIT;
    query.phone_number = (char *)number;
    query.limit = limit;
    query.offset = offset;
    query.in_progress_only = live;
    query.owner = (char *)owner;
    Pl__StoreCalls *calls = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (provider->list(store, &query, &calls, detail)) fail_msg("%s", detail);
    return calls;
}

/* ---- keeping ---- */

static void what_was_written_is_there_after_a_restart(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    assert_int_equal(say(CALL_1, 1, "my laptop is broken"), PL_OK);
    assert_int_equal(set_claim(CALL_1, 2, "location", "building four"), PL_OK);
    assert_int_equal(set_claim(CALL_1, 3, "location", "building five"), PL_OK);
    provider->close(&store);
    assert_null(store);
    open_store();
    Pl__CallRecord *record = by_id(CALL_1);
    assert_int_equal(record->version, 4);
    assert_int_equal(record->n_messages, 1);
    assert_string_equal(record->messages[0]->content, "my laptop is broken");
    assert_string_equal(pl_record_claim(record, "location")->value, "building five");
    assert_string_equal(pl_record_claim(record, "location")->earlier[0]->value, "building four");
    assert_string_equal(record->initiate->bot_company, "Contoso");
    pl_record_free(&record);
    record = by_id("11111111-1111-4111-8111-111111111111");
    pl_record_free(&record);
}

typedef struct {
    Pl__CallRecord *record;
} replay_t;

static void replay_event(void *arg, int kind, const uint8_t *bytes, size_t size)
{
    replay_t *replay = arg;
    if (kind == WRITE_CREATE) {
        replay->record = pl__call_record__unpack(NULL, size, bytes);
        return;
    }
    Pl__StoreApply *apply = pl__store_apply__unpack(NULL, size, bytes);
    assert_int_equal(pl_record_apply(replay->record, apply->changes[0]), PL_OK);
    replay->record->version++;
    pl__store_apply__free_unpacked(apply, NULL);
}

static void the_history_replays_to_the_record(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    for (uint64_t i = 1; i <= 20; i++)
        assert_int_equal(set_claim(CALL_1, i, i % 2 ? "a" : "b", i % 3 ? "x" : "y"), PL_OK);
    Pl__CallRecord *stored = by_id(CALL_1);
    replay_t replay = {0};
    each_event(replay_event, &replay);
    assert_int_equal(replay.record->version, 21);
    uint8_t a[4096];
    uint8_t b[4096];
    size_t size = pl__call_record__get_packed_size(stored);
    assert_true(size < sizeof a);
    assert_int_equal(pl__call_record__pack(stored, a), size);
    assert_int_equal(pl__call_record__pack(replay.record, b), size);
    assert_memory_equal(a, b, size);
    pl_record_free(&stored);
    pl_record_free(&replay.record);
}

static void repetitions_are_acknowledged_and_done_once_even_after_a_restart(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    apply_t apply;
    uint64_t version = 0;
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(write_one(make_message(&apply, CALL_1, 1, i, "x"), NULL, NULL), PL_OK);
    provider->close(&store);
    open_store();
    assert_int_equal(write_one(make_message(&apply, CALL_1, 1, 2, "x"), &version, NULL), PL_OK);
    assert_int_equal(version, 3);
    assert_int_equal(write_one(make_message(&apply, CALL_1, 1, 2, "other"), NULL, NULL),
                     PL_INVALID);
    create(CALL_1, "+15550100", 5000); /* its version then was 1 */
    create_t other;
    assert_int_equal(write_one(make_create(&other, CALL_1, "+15550100", 5001), NULL, NULL),
                     PL_INVALID);
    Pl__CallRecord *record = by_id(CALL_1);
    assert_int_equal(record->version, 4);
    assert_int_equal(record->n_messages, 3);
    pl_record_free(&record);
    assert_int_equal(query_int("SELECT count(*) FROM events"), 4);
}

static void a_later_epoch_fences_the_former_owner(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    assert_int_equal(say(CALL_1, 1, "x"), PL_OK);
    adopt_t adopt;
    store_stats_t stats = {0};
    write_t *write = made(make_adopt(&adopt, CALL_1, 1, "dialogue-1"));
    provider->write(store, &write, 1, &stats);
    assert_int_equal(write->err, PL_OK);
    assert_int_equal(write->record->epoch, 2);
    assert_int_equal(write->record->n_messages, 1);
    write_destroy(&write);
    assert_int_equal(say(CALL_1, 2, "the former owner is still talking"), PL_STALE);
    assert_int_equal(write_one(make_adopt(&adopt, CALL_1, 1, "dialogue-2"), NULL, NULL), PL_STALE);
    apply_t apply; /* write ids begin anew with each epoch */
    assert_int_equal(write_one(make_message(&apply, CALL_1, 2, 1, "y"), NULL, NULL), PL_OK);
    assert_int_equal(query_int("SELECT epoch FROM calls"), 2);
}

/* ---- batches ---- */

static void a_batch_holds_many_writes_of_one_call_in_order(void **state)
{
    (void)state;
    open_store();
    enum { WRITES = 101 };
    static create_t first;
    static apply_t applies[WRITES];
    write_t *writes[WRITES];
    writes[0] = made(make_create(&first, CALL_1, "+15550100", 5000));
    for (uint64_t i = 1; i < WRITES; i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "v%u", (unsigned)i);
        writes[i] = made(make_claim(&applies[i], CALL_1, 1, i, "x", value));
    }
    store_stats_t stats = {0};
    provider->write(store, writes, WRITES, &stats);
    for (uint64_t i = 0; i < WRITES; i++) {
        assert_int_equal(writes[i]->err, PL_OK);
        assert_int_equal(writes[i]->version, i + 1);
        write_destroy(&writes[i]);
    }
    Pl__CallRecord *record = by_id(CALL_1);
    assert_string_equal(pl_record_claim(record, "x")->value, "v100");
    assert_string_equal(pl_record_claim(record, "x")->earlier[9]->value, "v99");
    pl_record_free(&record);
    assert_int_equal(query_int("SELECT count(*) FROM events"), WRITES);
}

static void a_refused_write_fails_alone(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    apply_t a;
    apply_t b;
    apply_t c;
    write_t *writes[] = {made(make_message(&a, CALL_1, 1, 1, "one")),
                         made(make_message(&b, CALL_2, 1, 1, "nobody")),
                         made(make_message(&c, CALL_1, 1, 2, "two"))};
    store_stats_t stats = {0};
    provider->write(store, writes, 3, &stats);
    const pl_err_t expected[] = {PL_OK, PL_NOT_FOUND, PL_OK};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(writes[i]->err, expected[i]);
        write_destroy(&writes[i]);
    }
    Pl__CallRecord *record = by_id(CALL_1);
    assert_int_equal(record->n_messages, 2);
    pl_record_free(&record);
}

static void a_write_that_the_database_refuses_fails_alone(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    create(CALL_2, "+15550101", 5000);
    refuse_inserts("events", CALL_2, "not this one");
    apply_t a;
    apply_t b;
    apply_t c;
    write_t *writes[] = {made(make_message(&a, CALL_1, 1, 1, "one")),
                         made(make_message(&b, CALL_2, 1, 1, "bad")),
                         made(make_message(&c, CALL_1, 1, 2, "two"))};
    store_stats_t stats = {0};
    provider->write(store, writes, 3, &stats);
    assert_int_equal(writes[0]->err, PL_OK);
    assert_int_equal(writes[0]->version, 2);
    assert_int_equal(writes[1]->err, PL_INTERNAL);
    assert_non_null(strstr(writes[1]->detail, "not this one"));
    assert_int_equal(writes[2]->err, PL_OK);
    assert_int_equal(writes[2]->version, 3);
    for (size_t i = 0; i < 3; i++) write_destroy(&writes[i]);
    Pl__CallRecord *bad = by_id(CALL_2);
    assert_int_equal(bad->version, 1);
    assert_int_equal(bad->n_messages, 0);
    pl_record_free(&bad);
}

/* ---- finding ---- */

static void a_number_finds_its_newest_call(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    create(CALL_2, "+15550100", 7000);
    create(CALL_3, "+15550199", 9000);
    assert_string_equal(found("+15550100", 0), CALL_2);
    assert_string_equal(found("+15550100", 7000), CALL_2);
    assert_string_equal(found("+15550100", 7001), "");
    assert_string_equal(found("+15550111", 0), "");

    /* The policyholder's number finds the call as well, until it is withdrawn. */
    assert_int_equal(set_claim(CALL_3, 1, "policyholder_phone", "+15550100"), PL_OK);
    assert_string_equal(found("+15550100", 0), CALL_3);
    assert_int_equal(set_claim(CALL_3, 2, "policyholder_phone", ""), PL_OK);
    assert_string_equal(found("+15550100", 0), CALL_2);
}

static void callers_without_a_number_are_never_found_by_one(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "anonymous", 5000);
    assert_string_equal(found("anonymous", 0), "");
    assert_string_equal(found("", 0), "");
    Pl__StoreCalls *calls = listed("anonymous", 10, 0, false, "");
    assert_int_equal(calls->n_calls, 0);
    assert_int_equal(calls->total, 0);
    pl__store_calls__free_unpacked(calls, NULL);
    calls = listed("", 10, 0, false, ""); /* but they are in the list of all */
    assert_int_equal(calls->n_calls, 1);
    pl__store_calls__free_unpacked(calls, NULL);
}

static void hostile_numbers_and_ids_find_nothing(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    const char *hostile[] = {"' OR 1=1 --", "%",  "+1555010%", "+15550100'",
                             "\"",          "\\", "?1",        "+15550100; DROP TABLE calls",
                             "\xff\xfe"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        assert_string_equal(found(hostile[i], 0), "");
        Pl__StoreCalls *calls = listed(hostile[i], 10, 0, true, hostile[i]);
        assert_int_equal(calls->total, 0);
        pl__store_calls__free_unpacked(calls, NULL);
        Pl__StoreGet query = PL__STORE_GET__INIT;
        Pl__CallRecord *record = NULL;
        char detail[STORE_DETAIL_BYTES] = "";
        assert_int_equal(provider->get(store, hostile[i], &query, &record, detail), PL_NOT_FOUND);
    }
    assert_string_equal(found("+15550100", 0), CALL_1);
}

static void ids_are_found_in_any_case(void **state)
{
    (void)state;
    open_store();
    create("ABCDEFAB-1111-4111-8111-111111111111", "+15550100", 5000);
    Pl__CallRecord *record = by_id("AbCdEfAb-1111-4111-8111-111111111111");
    assert_string_equal(record->call_id, "abcdefab-1111-4111-8111-111111111111");
    pl_record_free(&record);
}

static void lists_are_newest_first_in_pages_with_a_total(void **state)
{
    (void)state;
    open_store();
    for (int i = 0; i < 25; i++) {
        char id[64];
        (void)snprintf(id, sizeof id, "00000000-0000-4000-8000-0000000000%02d", i);
        create(id, i % 5 ? "+15550100" : "+15550199", 1000 + i / 2); /* pairs share their time */
    }
    int64_t last_ms = INT64_MAX;
    size_t seen = 0;
    char ids[25][CALL_ID_BYTES];
    for (uint32_t offset = 0; offset < 30; offset += 10) {
        Pl__StoreCalls *calls = listed("", 10, offset, false, "");
        assert_int_equal(calls->total, 25);
        for (size_t i = 0; i < calls->n_calls; i++) {
            assert_true(calls->calls[i]->created_at_ms <= last_ms);
            last_ms = calls->calls[i]->created_at_ms;
            for (size_t k = 0; k < seen; k++)
                assert_string_not_equal(ids[k], calls->calls[i]->call_id);
            memcpy(ids[seen++], calls->calls[i]->call_id, CALL_ID_BYTES);
        }
        pl__store_calls__free_unpacked(calls, NULL);
    }
    assert_int_equal(seen, 25);
    assert_string_equal(ids[0], "00000000-0000-4000-8000-000000000024");
    Pl__StoreCalls *calls = listed("+15550199", 2, 0, false, "");
    assert_int_equal(calls->n_calls, 2);
    assert_int_equal(calls->total, 5);
    pl__store_calls__free_unpacked(calls, NULL);
    calls = listed("", 0, 0, false, "");
    assert_int_equal(calls->n_calls, 0);
    assert_int_equal(calls->total, 25);
    pl__store_calls__free_unpacked(calls, NULL);
    calls = listed("", 10, UINT32_MAX, false, "");
    assert_int_equal(calls->n_calls, 0);
    pl__store_calls__free_unpacked(calls, NULL);
}

static void live_calls_of_an_owner_are_listed_apart(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 1);
    create(CALL_2, "+15550100", 2);
    create(CALL_3, "+15550100", 3);
    apply_t over;
    start_apply(&over, CALL_1, 1, 1);
    over.change.change_case = PL__CALL_CHANGE__CHANGE_IN_PROGRESS;
    over.change.in_progress = 0;
    assert_int_equal(write_one(&over.env, NULL, NULL), PL_OK);
    adopt_t adopt;
    assert_int_equal(write_one(make_adopt(&adopt, CALL_2, 1, "dialogue-1"), NULL, NULL), PL_OK);

    const struct {
        bool live;
        const char *owner;
        uint32_t total;
        const char *newest;
    } cases[] = {{true, "", 2, CALL_3},
                 {true, "dialogue-0", 1, CALL_3},
                 {false, "dialogue-0", 2, CALL_3},
                 {true, "dialogue-1", 1, CALL_2},
                 {true, "dialogue-9", 0, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pl__StoreCalls *calls = listed("", 10, 0, cases[i].live, cases[i].owner);
        assert_int_equal(calls->total, cases[i].total);
        assert_int_equal(calls->n_calls, cases[i].total);
        if (cases[i].newest) assert_string_equal(calls->calls[0]->call_id, cases[i].newest);
        pl__store_calls__free_unpacked(calls, NULL);
    }
}

static void a_list_is_bounded_by_bytes_but_never_empty(void **state)
{
    (void)state;
    open_store();
    char *big = malloc(1024 * 1024 + 1);
    assert_non_null(big);
    memset(big, 'x', 1024 * 1024);
    big[1024 * 1024] = '\0';
    const char *ids[] = {CALL_1, CALL_2, CALL_3, "44444444-4444-4444-8444-444444444444"};
    for (size_t i = 0; i < 4; i++) {
        create(ids[i], "+15550100", (int64_t)i + 1);
        assert_int_equal(say(ids[i], 1, big), PL_OK);
    }
    Pl__StoreCalls *calls = listed("", 100, 0, false, "");
    assert_int_equal(calls->total, 4);
    assert_int_equal(calls->n_calls, 2); /* the third would pass 3 MiB */
    pl__store_calls__free_unpacked(calls, NULL);
    free(big);
}

/* ---- damage ---- */

static void a_damaged_record_is_answered_as_such_and_hides_no_other(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 1);
    create(CALL_2, "+15550100", 2);
    damage("calls", "call_id", CALL_2);
    Pl__StoreGet query = PL__STORE_GET__INIT;
    Pl__CallRecord *record = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(provider->get(store, CALL_2, &query, &record, detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, CALL_2));
    assert_null(record);
    assert_int_equal(say(CALL_2, 1, "x"), PL_UNAVAILABLE);
    assert_int_equal(say(CALL_1, 1, "x"), PL_OK);
    Pl__StoreCalls *calls = listed("", 10, 0, false, "");
    assert_int_equal(calls->n_calls, 1);
    assert_string_equal(calls->calls[0]->call_id, CALL_1);
    pl__store_calls__free_unpacked(calls, NULL);
}

#define CONTRACT_CALLS(TEST)                                                                       \
    TEST(what_was_written_is_there_after_a_restart), TEST(the_history_replays_to_the_record),      \
        TEST(repetitions_are_acknowledged_and_done_once_even_after_a_restart),                     \
        TEST(a_later_epoch_fences_the_former_owner),                                               \
        TEST(a_batch_holds_many_writes_of_one_call_in_order), TEST(a_refused_write_fails_alone),   \
        TEST(a_write_that_the_database_refuses_fails_alone), TEST(a_number_finds_its_newest_call), \
        TEST(callers_without_a_number_are_never_found_by_one),                                     \
        TEST(hostile_numbers_and_ids_find_nothing), TEST(ids_are_found_in_any_case),               \
        TEST(lists_are_newest_first_in_pages_with_a_total),                                        \
        TEST(live_calls_of_an_owner_are_listed_apart),                                             \
        TEST(a_list_is_bounded_by_bytes_but_never_empty),                                          \
        TEST(a_damaged_record_is_answered_as_such_and_hides_no_other)

#endif
