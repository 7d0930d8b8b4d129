/* returning_test.c - a caller who rings back goes on with their call; so does a call out begun with
 * the same initiate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/service_world.h"

#define FIRST "11111111-2222-4333-8444-555555555555"
#define SECOND "66666666-2222-4333-8444-555555555555"
#define NUMBER "+33699999999"

static const char *const two_lines[] = {"a dell laptop that does not turn on",
                                        "yesterday at nine in the morning", NULL};

/* One field is filled when the caller has said two lines and the bot reads the second back. */
static bool said_two_lines(void)
{
    return world.count && world.seen[0].line == 2 &&
           strstr(world.seen[0].heard, "Is that right?") != NULL;
}

static bool first_closed(void)
{
    const seen_t *s = &world.seen[0];
    return s->ended && s->record->ended != PL__LEG_END__LEG_NOT_ENDED && !s->record->in_progress &&
           s->record->n_messages && s->record->next && s->record->synthesis;
}

/* The process has let go of it: its last write was acknowledged. */
static bool let_go(void)
{
    pl_peer_t peer;
    return pl_bus_pick(world.telephony, "dialogue", &peer) && peer.load == 0;
}

static bool accepted(void)
{
    return world.accepted > 0;
}

static bool welcomed(void)
{
    return strstr(world.seen[0].heard, "Welcome back") != NULL;
}

static bool greeted_anew(void)
{
    return world.count == 2 && strstr(world.seen[1].heard, "Hello") != NULL;
}

/* A call out that was cut off after two answers. */
static void call_and_cut(const char *const *settings)
{
    world.lines = two_lines;
    start(settings);
    post_call(NUMBER);
    assert_true(wait_for(said_two_lines));
    end_leg(world.seen[0].id, PL__LEG_END__LEG_MEDIA_LOST);
    assert_true(wait_for(first_closed));
    assert_true(wait_for(one_reply));
    assert_true(wait_for(let_go));
    world.lines = NULL;
    world.seen[0].heard[0] = '\0';
}

static void who_rings_back_goes_on_with_the_call(void **state)
{
    (void)state;
    call_and_cut(NULL);
    const Pl__CallRecord *record = world.seen[0].record;
    assert_string_equal(record->time_zone, "Europe/Paris"); /* as the number says */
    size_t messages = record->n_messages;
    uint32_t last = record->messages[messages - 1]->number;
    ring_in(FIRST, NUMBER);
    assert_true(wait_for(welcomed));
    assert_int_equal(world.count, 1); /* no other record */
    assert_string_equal(world.accepted_as, world.seen[0].id);
    assert_int_equal(record->epoch, 2);
    assert_true(record->in_progress);
    assert_true(record->outbound); /* as it was at first */
    assert_int_equal(record->ended, PL__LEG_END__LEG_NOT_ENDED);
    assert_string_equal(record->caller_number, "");
    assert_true(record->n_messages > messages);
    assert_int_equal(record->messages[messages]->number, last + 1);
    assert_int_equal(record->messages[messages]->action, PL__ACTION__CALL);
    assert_string_equal(value(&world.seen[0], "hardware_info"),
                        "a dell laptop that does not turn on");
    assert_non_null(strstr(world.seen[0].heard, "So far I have noted"));
    assert_non_null(strstr(world.seen[0].heard, "a dell laptop"));
    int64_t age_ms = pl_clock_wall_ms() - world.not_before_ms;
    assert_true(age_ms >= 3 * 3600000LL && age_ms < 3 * 3600000LL + 10000);
}

static bool told_where(void)
{
    return value(&world.seen[0], "building_location")[0] != '\0';
}

static const char *tool_id(const Pl__CallRecord *record, size_t index)
{
    for (size_t i = 0; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        if (index < message->n_tool_calls) return message->tool_calls[index]->tool_id;
        index -= message->n_tool_calls;
    }
    return NULL;
}

static void tool_calls_after_ringing_back_have_ids_of_their_own(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "", "building four, second floor", NULL};
    call_and_cut(NULL);
    world.lines = lines;
    ring_in(FIRST, NUMBER);
    assert_true(wait_for(told_where));
    const Pl__CallRecord *record = world.seen[0].record;
    assert_non_null(tool_id(record, 1));
    for (size_t i = 0; tool_id(record, i); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(tool_id(record, i), tool_id(record, k));
        }
    }
}

static void zero_hours_means_never(void **state)
{
    (void)state;
    static const char *const settings[] = {"features.callback_timeout_hour=0", NULL};
    call_and_cut(settings);
    ring_in(FIRST, NUMBER);
    assert_true(wait_for(greeted_anew));
    assert_string_equal(world.accepted_as, "");
    assert_int_equal(world.gets, 0);
    assert_null(strstr(world.seen[1].heard, "Welcome back"));
}

static void a_live_call_is_not_handed_to_a_second_caller(void **state)
{
    (void)state;
    world.lines = two_lines;
    start(NULL);
    post_call(NUMBER);
    assert_true(wait_for(said_two_lines));
    ring_in(FIRST, NUMBER);
    assert_true(wait_for(greeted_anew));
    assert_string_equal(world.accepted_as, "");
    assert_int_equal(world.adopted, 0);
    assert_false(world.seen[0].ended);
}

static void a_call_that_another_instance_has_is_left_alone(void **state)
{
    (void)state;
    call_and_cut(NULL);
    Pl__CallRecord *record = world.seen[0].record;
    free(record->owner);
    record->owner = strdup("dialogue-1");
    record->in_progress = true;
    ring_in(FIRST, NUMBER);
    assert_true(wait_for(greeted_anew));
    assert_int_equal(world.adopted, 0);
}

static void of_two_who_take_over_one_begins_anew(void **state)
{
    (void)state;
    call_and_cut(NULL);
    ring_in(FIRST, NUMBER);
    ring_in(SECOND, NUMBER);
    assert_true(wait_for(greeted_anew));
    assert_int_equal(world.accepted, 2);
    assert_int_equal(world.seen[0].record->epoch, 2);
    assert_true(wait_for(welcomed));
}

static void a_caller_known_by_the_claims_number_goes_on_under_their_own(void **state)
{
    (void)state;
    static const char other[] = "+81311111111";
    call_and_cut(NULL);
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__ClaimValue phone = PL__CLAIM_VALUE__INIT;
    phone.name = (char *)"policyholder_phone";
    phone.value = (char *)other;
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &phone;
    assert_int_equal(pl_record_apply(world.seen[0].record, &change), PL_OK);
    ring_in(FIRST, other);
    assert_true(wait_for(welcomed));
    assert_string_equal(pl_record_caller(world.seen[0].record), other);
    assert_string_equal(world.seen[0].record->initiate->phone_number, NUMBER);
    assert_string_equal(world.seen[0].record->time_zone, "Asia/Tokyo");
}

static void a_hidden_number_is_not_looked_up(void **state)
{
    (void)state;
    start(NULL);
    ring_in(FIRST, "anonymous");
    assert_true(wait_for(accepted));
    assert_int_equal(world.gets, 0);
}

static bool again(void)
{
    return world.replies == 2;
}

static void a_call_out_with_the_same_initiate_goes_on(void **state)
{
    (void)state;
    call_and_cut(NULL);
    char id[64];
    snprintf(id, sizeof id, "%s", world.last_id);
    world.seen[0].record->prosody_rate = 0.85; /* the caller had asked for it */
    post_call(NUMBER);
    assert_true(wait_for(again));
    assert_true(wait_for(welcomed));
    assert_string_equal(world.last_id, id);
    assert_int_equal(world.count, 1);
    assert_true(world.seen[0].record->outbound);
}

static void a_call_out_with_another_initiate_begins_anew(void **state)
{
    (void)state;
    call_and_cut(NULL);
    Pl__Initiate *initiate = world.seen[0].record->initiate;
    free(initiate->task);
    initiate->task = strdup("Something else");
    post_call(NUMBER);
    assert_true(wait_for(greeted_anew));
    assert_int_equal(world.adopted, 0);
}

static void an_unanswered_attempt_to_go_on_changes_no_result(void **state)
{
    (void)state;
    call_and_cut(NULL);
    Pl__CallRecord *record = world.seen[0].record;
    free(record->synthesis->brief);
    record->synthesis->brief = strdup("as it was");
    world.dial_outcome = PL__LEG_END__LEG_BUSY;
    post_call(NUMBER);
    assert_true(wait_for(again));
    assert_true(wait_for(first_closed));
    assert_int_equal(record->ended, PL__LEG_END__LEG_BUSY);
    assert_string_equal(record->synthesis->brief, "as it was");
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_rings_back_goes_on_with_the_call, stop),
        cmocka_unit_test_teardown(tool_calls_after_ringing_back_have_ids_of_their_own, stop),
        cmocka_unit_test_teardown(zero_hours_means_never, stop),
        cmocka_unit_test_teardown(a_live_call_is_not_handed_to_a_second_caller, stop),
        cmocka_unit_test_teardown(a_call_that_another_instance_has_is_left_alone, stop),
        cmocka_unit_test_teardown(of_two_who_take_over_one_begins_anew, stop),
        cmocka_unit_test_teardown(a_caller_known_by_the_claims_number_goes_on_under_their_own,
                                  stop),
        cmocka_unit_test_teardown(a_hidden_number_is_not_looked_up, stop),
        cmocka_unit_test_teardown(a_call_out_with_the_same_initiate_goes_on, stop),
        cmocka_unit_test_teardown(a_call_out_with_another_initiate_begins_anew, stop),
        cmocka_unit_test_teardown(an_unanswered_attempt_to_go_on_changes_no_result, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
