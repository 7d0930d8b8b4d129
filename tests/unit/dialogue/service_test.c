/* service_test.c - the whole process on a thread; telephony, speech, rag and persistence are bus
 * instances on the test's loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/service_world.h"

static const char *const three_answers[] = {"a dell laptop that does not turn on",
                                            "on the third of march twenty twenty six at nine",
                                            "yes",
                                            "building for second floor",
                                            "no thank you",
                                            NULL};

static void a_call_is_made_and_its_claim_filled(void **state)
{
    (void)state;
    world.lines = three_answers;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(one_reply));
    assert_int_equal(world.errors, 0);
    assert_int_equal(strlen(world.last_id), 36);
    assert_int_equal(world.last_id[14], '4');
    assert_true(wait_for(all_closed));
    const seen_t *s = &world.seen[0];
    assert_string_equal(value(s, "hardware_info"), "a dell laptop that does not turn on");
    assert_string_equal(value(s, "first_seen"), "2026-03-03T09:00:00");
    assert_string_equal(value(s, "building_location"), "building four, second floor");
    assert_true(s->hung_up);
    assert_false(s->record->in_progress);
    assert_int_equal(s->record->ended, PL__LEG_END__LEG_BYE_LOCAL);
    assert_int_equal(s->record->synthesis->satisfaction, PL__SATISFACTION__HIGH);
    assert_int_equal(s->record->messages[0]->action, PL__ACTION__CALL);
    assert_int_equal(s->record->messages[s->record->n_messages - 1]->action, PL__ACTION__HANGUP);
}

static void nothing_leaks_from_one_call_to_another(void **state)
{
    (void)state;
    static const char *const lines[] = {"a laptop", "yesterday at nine", "yes",
                                        "%",        "no thanks",         NULL};
    world.lines = lines;
    start(NULL);
    for (unsigned i = 0; i < 20; i++) {
        char number[32];
        snprintf(number, sizeof number, "+3369999%04u", 9000 + i);
        post_call(number);
    }
    assert_true(wait_for(all_closed));
    assert_int_equal(world.count, 20);
    for (size_t i = 0; i < world.count; i++) {
        char want[64];
        snprintf(want, sizeof want, "room %s", world.seen[i].number + 8);
        assert_string_equal(value(&world.seen[i], "building_location"), want);
    }
}

static void a_busy_number_ends_the_record(void **state)
{
    (void)state;
    world.dial_outcome = PL__LEG_END__LEG_BUSY;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(all_closed));
    assert_int_equal(world.seen[0].record->ended, PL__LEG_END__LEG_BUSY);
    assert_string_equal(world.seen[0].record->ended_detail, "test");
    assert_int_equal(world.seen[0].says, 0);
    assert_null(world.seen[0].record->synthesis);
}

static void a_wrong_start_is_refused_and_nothing_stored(void **state)
{
    (void)state;
    start(NULL);
    post_call("0699999999");
    assert_true(wait_for(one_reply));
    assert_int_equal(world.last_error, PL_INVALID);
    assert_non_null(strstr(world.last_detail, "phone_number"));
    assert_int_equal(world.count, 0);
}

static void a_call_that_cannot_be_stored_is_not_dialled(void **state)
{
    (void)state;
    world.store_refuses_create = true;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(one_reply));
    assert_int_equal(world.last_error, PL_UNAVAILABLE);
    assert_int_equal(world.count, 0);
}

static bool two_replies(void)
{
    return world.replies >= 2;
}

static void more_calls_than_allowed_are_refused_as_busy(void **state)
{
    (void)state;
    static const char *const settings[] = {"dialogue.max_calls=1", NULL};
    start(settings);
    post_call("+33699999999");
    assert_true(wait_for(one_reply));
    post_call("+33699999998");
    assert_true(wait_for(two_replies));
    assert_int_equal(world.errors, 1);
    assert_int_equal(world.last_error, PL_BUSY);
}

static void writes_survive_a_store_that_fails_for_a_while(void **state)
{
    (void)state;
    world.lines = three_answers;
    world.store_failures = 4;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(all_closed));
    assert_string_equal(value(&world.seen[0], "building_location"), "building four, second floor");
    for (size_t i = 0; i < world.seen[0].record->n_messages; i++) {
        assert_int_equal(world.seen[0].record->messages[i]->number, i + 1);
    }
}

static const char *const two_claims[] = {"a dell laptop that does not turn on",
                                         "yesterday at nine",
                                         "yes",
                                         "building four",
                                         "yes i have another problem",
                                         "yes please",
                                         "a printer",
                                         "yesterday at ten",
                                         "yes",
                                         "building five",
                                         "no thank you",
                                         NULL};

static bool both_closed(void)
{
    for (size_t i = 0; i < world.count; i++) {
        const Pl__CallRecord *r = world.seen[i].record;
        if (r->ended == PL__LEG_END__LEG_NOT_ENDED || r->in_progress) return false;
        if (!r->next || !r->synthesis) return false;
    }
    return world.count == 2 && world.seen[1].hung_up;
}

static void a_new_claim_goes_on_as_another_call(void **state)
{
    (void)state;
    world.lines = two_claims;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(both_closed));
    assert_int_equal(world.moves, 1);
    const Pl__CallRecord *former = world.seen[0].record;
    const Pl__CallRecord *present = world.seen[1].record;
    assert_int_equal(former->ended, PL__LEG_END__LEG_MOVED);
    assert_string_equal(former->continued_as, present->call_id);
    assert_string_equal(present->continues, former->call_id);
    assert_string_equal(value(&world.seen[0], "building_location"), "building four");
    assert_string_equal(value(&world.seen[1], "hardware_info"), "a printer");
    assert_string_equal(value(&world.seen[1], "building_location"), "building five");
    assert_false(world.seen[0].hung_up); /* the line was taken along */
    assert_int_equal(present->ended, PL__LEG_END__LEG_BYE_LOCAL);
    for (size_t i = 0; i < present->n_messages; i++) {
        assert_int_equal(present->messages[i]->number, i + 1);
    }
}

static bool caller_heard_the_goodbye(void)
{
    return world.count && world.seen[0].hung_up && all_closed();
}

static void an_incoming_call_is_answered(void **state)
{
    (void)state;
    static const char *const lines[] = {"when does the desk open", "goodbye", NULL};
    static const char *const settings[] = {"conversation.initiate.bot_name=Ada", NULL};
    world.lines = lines;
    start(settings);
    ring_in("11111111-2222-4333-8444-555555555555", "sip:somebody");
    assert_true(wait_for(caller_heard_the_goodbye));
    assert_int_equal(world.accepted, 1);
    assert_string_equal(world.seen[0].number, "anonymous");
    assert_false(world.seen[0].record->outbound);
    assert_non_null(strstr(world.seen[0].heard, "Ada"));
    assert_non_null(strstr(world.seen[0].heard, "The desk opens at eight."));
}

static bool in_progress(void)
{
    return world.count && world.seen[0].record && world.seen[0].record->in_progress;
}

static void a_leg_answered_before_its_speech_is_seen_is_greeted_when_it_is(void **state)
{
    (void)state;
    static const char *const lines[] = {"goodbye", NULL};
    world.lines = lines;
    world.speech_is_late = true;
    start(NULL);
    ring_in("11111111-2222-4333-8444-555555555555", "sip:somebody");
    assert_true(wait_for(in_progress));
    open_speech();
    assert_true(wait_for(caller_heard_the_goodbye));
    assert_non_null(strstr(world.seen[0].heard, "Hello"));
}

static bool kept_alive(void)
{
    return world.count && world.seen[0].keep_alives >= 2;
}

static void live_legs_are_kept_alive(void **state)
{
    (void)state;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(kept_alive));
}

static bool orphan_closed(void)
{
    return world.count && world.seen[0].record && world.seen[0].record->synthesis;
}

static void calls_of_a_former_run_are_closed(void **state)
{
    (void)state;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    Pl__Message message = PL__MESSAGE__INIT;
    Pl__Message *messages[] = {&message};
    message.number = 7;
    message.persona = PL__PERSONA__HUMAN;
    message.content = (char *)"hello";
    initiate.phone_number = (char *)"+33699999999";
    record.call_id = (char *)"c-orphan";
    record.created_at_ms = 1000;
    record.in_progress = true;
    record.initiate = &initiate;
    record.epoch = 1;
    record.owner = (char *)"dialogue-0";
    record.messages = messages;
    record.n_messages = 1;
    world.orphan = pl_record_copy(&record);
    start(NULL);
    assert_true(wait_for(orphan_closed));
    const Pl__CallRecord *closed = world.seen[0].record;
    assert_int_equal(world.adopted, 1);
    assert_int_equal(closed->epoch, 2);
    assert_false(closed->in_progress);
    assert_int_equal(closed->ended, PL__LEG_END__LEG_OWNER_LOST);
    assert_int_equal(closed->n_messages, 2);
    assert_int_equal(closed->messages[1]->number, 8);
    assert_int_equal(closed->messages[1]->action, PL__ACTION__HANGUP);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_call_is_made_and_its_claim_filled, stop),
        cmocka_unit_test_teardown(nothing_leaks_from_one_call_to_another, stop),
        cmocka_unit_test_teardown(a_busy_number_ends_the_record, stop),
        cmocka_unit_test_teardown(a_wrong_start_is_refused_and_nothing_stored, stop),
        cmocka_unit_test_teardown(a_call_that_cannot_be_stored_is_not_dialled, stop),
        cmocka_unit_test_teardown(more_calls_than_allowed_are_refused_as_busy, stop),
        cmocka_unit_test_teardown(writes_survive_a_store_that_fails_for_a_while, stop),
        cmocka_unit_test_teardown(a_new_claim_goes_on_as_another_call, stop),
        cmocka_unit_test_teardown(an_incoming_call_is_answered, stop),
        cmocka_unit_test_teardown(a_leg_answered_before_its_speech_is_seen_is_greeted_when_it_is,
                                  stop),
        cmocka_unit_test_teardown(live_legs_are_kept_alive, stop),
        cmocka_unit_test_teardown(calls_of_a_former_run_are_closed, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
