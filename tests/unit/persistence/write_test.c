/* write_test.c - what a write does to a call's record, whatever store keeps it. */
#include "services/persistence/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/record.h"
#include "tests/unit/persistence/requests.h"

static const write_trace_t no_trace = {0};

/* Decides on a write that is about no jobs. */
static pl_err_t decided(write_t *write, Pl__CallRecord **record_p, const write_trace_t *trace)
{
    write_scene_t scene = {.record = *record_p, .trace = *trace};
    pl_err_t err = write_decide(write, &scene);
    *record_p = scene.record;
    return err;
}

static write_t *accepted(const Pl__Envelope *env)
{
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(write_new(&write, env, 1000, detail), PL_OK);
    return write;
}

static void refused(const Pl__Envelope *env, const char *field)
{
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(write_new(&write, env, 1000, detail), PL_INVALID);
    assert_null(write);
    if (!strstr(detail, field)) fail_msg("\"%s\" does not name %s", detail, field);
}

/* A record made by a create. */
static Pl__CallRecord *created(const char *call_id)
{
    create_t request;
    write_t *write = accepted(make_create(&request, call_id, "+15550100", 5000));
    Pl__CallRecord *record = NULL;
    assert_int_equal(decided(write, &record, &no_trace), PL_OK);
    assert_int_equal(write->version, 1);
    write_destroy(&write);
    assert_non_null(record);
    return record;
}

static void a_create_makes_version_one(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    assert_string_equal(record->call_id, CALL_1);
    assert_int_equal(record->version, 1);
    assert_int_equal(record->epoch, 1);
    assert_string_equal(record->owner, "dialogue-0");
    pl_record_free(&record);
}

static void a_create_without_owner_belongs_to_its_sender(void **state)
{
    (void)state;
    create_t request;
    make_create(&request, CALL_1, "+15550100", 5000);
    request.call.owner = "";
    request.call.epoch = 0;
    request.env.epoch = 0;
    write_t *write = accepted(&request.env);
    Pl__CallRecord *record = NULL;
    assert_int_equal(decided(write, &record, &no_trace), PL_OK);
    assert_string_equal(record->owner, "dialogue-0");
    assert_int_equal(record->epoch, 1);
    pl_record_free(&record);
    write_destroy(&write);
}

static void ids_are_kept_in_lower_case(void **state)
{
    (void)state;
    create_t request;
    write_t *write =
        accepted(make_create(&request, "ABCDEFAB-1111-4111-8111-111111111111", "+15550100", 1));
    assert_string_equal(write->call_id, "abcdefab-1111-4111-8111-111111111111");
    write_destroy(&write);
}

static void the_same_create_again_is_harmless_and_another_is_refused(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    create_t request;
    write_t *write = accepted(make_create(&request, CALL_1, "+15550100", 5000));
    write_trace_t trace = {write->content, write->content_bytes, 1};
    assert_int_equal(decided(write, &record, &trace), PL_OK);
    assert_true(write->repeated);
    assert_int_equal(write->version, 1);

    write_t *other = accepted(make_create(&request, CALL_1, "+15550199", 5000));
    assert_int_equal(decided(other, &record, &trace), PL_INVALID);
    assert_string_equal(record->initiate->phone_number, "+15550100");
    assert_non_null(strstr(other->detail, CALL_1));
    write_destroy(&write);
    write_destroy(&other);
    pl_record_free(&record);
}

static void creates_that_cannot_be_kept_are_refused_by_field(void **state)
{
    (void)state;
    create_t request;
    char long_owner[200];
    memset(long_owner, 'o', sizeof long_owner - 1);
    long_owner[sizeof long_owner - 1] = '\0';
    const char *bad_ids[] = {"",
                             "c-1",
                             "11111111-1111-4111-8111-11111111111",
                             "11111111-1111-4111-8111-1111111111111",
                             "11111111x1111-4111-8111-111111111111",
                             "g1111111-1111-4111-8111-111111111111",
                             "../../../../etc/passwd-aaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad_ids / sizeof *bad_ids; i++)
        refused(make_create(&request, bad_ids[i], "+15550100", 1), "call.call_id");
    make_create(&request, CALL_1, "+15550100", 1);
    request.env.call_id = CALL_2;
    refused(&request.env, "call.call_id");
    refused(make_create(&request, CALL_1, "+15550100", 0), "call.created_at_ms");
    refused(make_create(&request, CALL_1, "+15550100", -5), "call.created_at_ms");
    make_create(&request, CALL_1, "+15550100", 1);
    request.call.owner = long_owner;
    refused(&request.env, "call.owner");
    make_create(&request, CALL_1, "+15550100", 1);
    request.create.call = NULL;
    refused(&request.env, "call");
}

static void a_record_larger_than_the_limit_is_refused(void **state)
{
    (void)state;
    char *huge = malloc(RECORD_BYTES_MAX + 1);
    assert_non_null(huge);
    memset(huge, 'x', RECORD_BYTES_MAX);
    huge[RECORD_BYTES_MAX] = '\0';
    create_t request;
    make_create(&request, CALL_1, "+15550100", 1);
    request.initiate.task = huge;
    refused(&request.env, "larger");

    /* Many that are small enough each must not pass the limit together either. */
    huge[RECORD_BYTES_MAX / 2] = '\0';
    Pl__CallRecord *record = created(CALL_1);
    pl_err_t err = PL_OK;
    for (uint64_t i = 1; i <= 3 && !err; i++) {
        apply_t apply;
        write_t *write = accepted(make_message(&apply, CALL_1, 1, i, huge));
        err = decided(write, &record, &no_trace);
        assert_int_equal(err, i == 1 ? PL_OK : PL_INVALID);
        write_destroy(&write);
    }
    assert_int_equal(err, PL_INVALID);
    assert_int_equal(record->version, 2);
    assert_int_equal(record->n_messages, 1);
    pl_record_free(&record);
    free(huge);
}

static void an_apply_raises_the_version_by_one(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    for (uint64_t i = 1; i <= 3; i++) {
        apply_t apply;
        write_t *write = accepted(make_message(&apply, CALL_1, 1, i, "hello"));
        assert_int_equal(decided(write, &record, &no_trace), PL_OK);
        assert_int_equal(write->version, 1 + i);
        assert_false(write->repeated);
        write_destroy(&write);
    }
    assert_int_equal(record->version, 4);
    assert_int_equal(record->n_messages, 3);
    pl_record_free(&record);
}

static void an_apply_needs_the_epoch_that_owns_the_call(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    adopt_t adopt;
    write_t *write = accepted(make_adopt(&adopt, CALL_1, 1, "dialogue-1"));
    assert_int_equal(decided(write, &record, &no_trace), PL_OK);
    assert_int_equal(record->epoch, 2);
    write_destroy(&write);

    const struct {
        uint32_t epoch;
        pl_err_t err;
    } cases[] = {
        {0, PL_STALE}, {1, PL_STALE}, {2, PL_OK}, {3, PL_INVALID}, {UINT32_MAX, PL_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        apply_t apply;
        write = accepted(make_message(&apply, CALL_1, cases[i].epoch, 9, "x"));
        assert_int_equal(decided(write, &record, &no_trace), cases[i].err);
        write_destroy(&write);
    }
    assert_int_equal(record->n_messages, 1);
    pl_record_free(&record);
}

static void a_former_owner_is_stale_even_when_it_repeats_itself(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    record->epoch = 2;
    apply_t apply;
    write_t *write = accepted(make_message(&apply, CALL_1, 1, 1, "x"));
    write_trace_t trace = {write->content, write->content_bytes, 2};
    assert_int_equal(decided(write, &record, &trace), PL_STALE);
    write_destroy(&write);
    pl_record_free(&record);
}

static void a_repeated_write_is_acknowledged_with_its_version_and_not_done_twice(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    record->version = 40;
    apply_t apply;
    write_t *write = accepted(make_message(&apply, CALL_1, 1, 7, "x"));
    write_trace_t trace = {write->content, write->content_bytes, 8};
    assert_int_equal(decided(write, &record, &trace), PL_OK);
    assert_true(write->repeated);
    assert_int_equal(write->version, 8);
    assert_int_equal(record->version, 40);
    assert_int_equal(record->n_messages, 0);
    write_destroy(&write);
    pl_record_free(&record);
}

static void a_write_id_used_for_other_changes_is_refused_not_lost(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    apply_t apply;
    write_t *first = accepted(make_message(&apply, CALL_1, 1, 7, "x"));
    write_t *second = accepted(make_message(&apply, CALL_1, 1, 7, "y"));
    write_trace_t trace = {first->content, first->content_bytes, 8};
    assert_int_equal(decided(second, &record, &trace), PL_INVALID);
    assert_non_null(strstr(second->detail, "write_id 7"));
    write_destroy(&first);
    write_destroy(&second);
    pl_record_free(&record);
}

static void all_changes_of_a_write_or_none(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    apply_t good;
    make_message(&good, CALL_1, 1, 1, "good");
    Pl__CallChange unknown = PL__CALL_CHANGE__INIT;
    Pl__CallChange *changes[] = {&good.change, &unknown};
    good.apply.changes = changes;
    good.apply.n_changes = 2;
    write_t *write = accepted(&good.env);
    assert_int_equal(decided(write, &record, &no_trace), PL_INVALID);
    assert_non_null(strstr(write->detail, "changes[1]"));
    assert_int_equal(record->n_messages, 0);
    assert_int_equal(record->version, 1);
    write_destroy(&write);
    pl_record_free(&record);
}

static void applies_that_make_no_sense_are_refused_by_field(void **state)
{
    (void)state;
    apply_t apply;
    refused(make_message(&apply, "nonsense", 1, 1, "x"), "call_id");
    refused(make_message(&apply, CALL_1, 1, 0, "x"), "write_id");
    make_message(&apply, CALL_1, 1, 1, "x");
    apply.apply.write_id = UINT64_MAX; /* SQLite counts to INT64_MAX */
    refused(&apply.env, "write_id");
    make_message(&apply, CALL_1, 1, 1, "x");
    apply.apply.n_changes = 0;
    refused(&apply.env, "changes");
    Pl__CallChange *many[1001];
    for (size_t i = 0; i < 1001; i++) many[i] = &apply.change;
    apply.apply.changes = many;
    apply.apply.n_changes = 1001;
    refused(&apply.env, "changes");
}

static void a_call_nobody_created_is_not_found(void **state)
{
    (void)state;
    Pl__CallRecord *none = NULL;
    apply_t apply;
    adopt_t adopt;
    write_t *write = accepted(make_message(&apply, CALL_1, 1, 1, "x"));
    assert_int_equal(decided(write, &none, &no_trace), PL_NOT_FOUND);
    write_destroy(&write);
    write = accepted(make_adopt(&adopt, CALL_1, 1, "dialogue-1"));
    assert_int_equal(decided(write, &none, &no_trace), PL_NOT_FOUND);
    assert_null(none);
    write_destroy(&write);
}

static void of_two_adopters_one_wins_and_may_ask_again(void **state)
{
    (void)state;
    Pl__CallRecord *record = created(CALL_1);
    adopt_t adopt;
    write_t *first = accepted(make_adopt(&adopt, CALL_1, 1, "dialogue-1"));
    write_t *second = accepted(make_adopt(&adopt, CALL_1, 1, "dialogue-2"));
    assert_int_equal(decided(first, &record, &no_trace), PL_OK);
    assert_int_equal(first->record->epoch, 2);
    assert_string_equal(first->record->owner, "dialogue-1");
    assert_int_equal(decided(second, &record, &no_trace), PL_STALE);
    assert_null(second->record);

    write_reset(first);
    assert_int_equal(decided(first, &record, &no_trace), PL_OK);
    assert_true(first->repeated);
    assert_int_equal(first->record->epoch, 2);
    assert_int_equal(record->epoch, 2);
    assert_int_equal(record->version, 2);
    write_destroy(&first);
    write_destroy(&second);
    pl_record_free(&record);
}

static void adoptions_that_make_no_sense_are_refused_by_field(void **state)
{
    (void)state;
    adopt_t adopt;
    refused(make_adopt(&adopt, CALL_1, 1, ""), "owner");
    refused(make_adopt(&adopt, "", 1, "dialogue-1"), "call_id");
    refused(make_adopt(&adopt, CALL_1, UINT32_MAX, "dialogue-1"), "expected_epoch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_makes_version_one),
        cmocka_unit_test(a_create_without_owner_belongs_to_its_sender),
        cmocka_unit_test(ids_are_kept_in_lower_case),
        cmocka_unit_test(the_same_create_again_is_harmless_and_another_is_refused),
        cmocka_unit_test(creates_that_cannot_be_kept_are_refused_by_field),
        cmocka_unit_test(a_record_larger_than_the_limit_is_refused),
        cmocka_unit_test(an_apply_raises_the_version_by_one),
        cmocka_unit_test(an_apply_needs_the_epoch_that_owns_the_call),
        cmocka_unit_test(a_former_owner_is_stale_even_when_it_repeats_itself),
        cmocka_unit_test(a_repeated_write_is_acknowledged_with_its_version_and_not_done_twice),
        cmocka_unit_test(a_write_id_used_for_other_changes_is_refused_not_lost),
        cmocka_unit_test(all_changes_of_a_write_or_none),
        cmocka_unit_test(applies_that_make_no_sense_are_refused_by_field),
        cmocka_unit_test(a_call_nobody_created_is_not_found),
        cmocka_unit_test(of_two_adopters_one_wins_and_may_ask_again),
        cmocka_unit_test(adoptions_that_make_no_sense_are_refused_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
