/* move_test.c - a new claim: the conversation goes on as another call, or stays where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/by_hand.h"
#include "tests/unit/dialogue/conversation.h"

static const char consent[] = "{\"customer_response\":\"I am opening a new file.\"}";

/* A conversation with something in its claim, and a thought that asks for a new one. */
static uint32_t ask(conversation_t *c, char *result, size_t bytes)
{
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    c->hold = true; /* what is being said takes its time */
    uint32_t thought = begin_thought(c, "I have another problem");
    c->reply[0] = '\0';
    (void)call_tool(c->call, c->now, thought, "t-1", "new_claim", consent, &c->fx);
    run_by_hand(c, result, bytes);
    return thought;
}

static const Pl__ToolCall *tool_call(const Pl__CallRecord *record)
{
    for (size_t i = record->n_messages; i-- > 0;) {
        if (record->messages[i]->n_tool_calls) {
            const Pl__Message *m = record->messages[i];
            return m->tool_calls[m->n_tool_calls - 1];
        }
    }
    return NULL;
}

static void the_former_call_keeps_what_was_recorded_of_it(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    Pl__Recording recording = PL__RECORDING__INIT;
    recording.number = 1;
    recording.instance = (char *)"telephony-0";
    recording.duration_ms = 61000;
    Pl__LegMoved moved = PL__LEG_MOVED__INIT;
    moved.recording = &recording;
    c->moved = &moved;
    (void)ask(c, result, sizeof result);
    assert_int_equal(c->left->ended, PL__LEG_END__LEG_MOVED);
    assert_int_equal(c->left->n_recordings, 1);
    assert_int_equal(c->left->recordings[0]->duration_ms, 61000);
    assert_int_equal(c->stored->n_recordings, 0); /* the new one's own comes at its end */
    conversation_destroy(&c);
}

static void the_conversation_goes_on_as_another_call(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    uint32_t thought = ask(c, result, sizeof result);
    assert_int_equal(c->moves, 1);
    assert_non_null(c->left);
    assert_non_null(strstr(result, "t-1=A new claim is open"));
    assert_string_equal(call_id(c->call), "c-2");

    assert_false(c->left->in_progress);
    assert_int_equal(c->left->ended, PL__LEG_END__LEG_MOVED);
    assert_string_equal(c->left->ended_detail, "continued as c-2");
    assert_string_equal(c->left->continued_as, "c-2");
    assert_int_equal(c->left->n_claim, 1);
    assert_non_null(strstr(tool_call(c->left)->content, "A new claim is open"));
    assert_true(c->jobs > 0); /* its post-call work */
    const Pl__Message *last = c->left->messages[c->left->n_messages - 1];
    assert_string_equal(last->content, "I am opening a new file.");

    assert_true(c->stored->in_progress);
    assert_string_equal(c->stored->continues, "c-1");
    assert_int_equal(c->stored->epoch, c->left->epoch);
    assert_int_equal(c->stored->n_claim, 0);
    assert_int_equal(c->stored->n_messages, 2);
    assert_int_equal(c->stored->messages[0]->action, PL__ACTION__CALL);
    const Pl__Message *opener = c->stored->messages[1];
    assert_string_equal(opener->content, "I have another problem");
    assert_int_equal(opener->persona, PL__PERSONA__HUMAN);
    assert_int_equal(opener->number, 2);

    (void)call_sentence(c->call, c->now, thought, "What has happened?", 0, &c->fx);
    (void)call_thought(c->call, c->now, thought, PL_OK, &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_string_equal(c->say_call, "c-2");
    assert_int_equal(c->stored->n_messages, 3);
    assert_string_equal(c->stored->messages[2]->content, "What has happened?");
    assert_int_equal(c->stored->messages[2]->number, 3);
    conversation_destroy(&c);
}

static void what_speech_tells_of_the_former_call_changes_no_message(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    uint32_t thought = ask(c, result, sizeof result);
    uint32_t former = c->turn;
    (void)call_sentence(c->call, c->now, thought, "What has happened?", 0, &c->fx);
    (void)call_thought(c->call, c->now, thought, PL_OK, &c->fx);
    run_by_hand(c, result, sizeof result);
    uint32_t present = c->turn;
    assert_true(present > former);
    c->turn = former;
    conversation_turn_started(c);
    conversation_spoken(c, true, "I am");
    assert_int_equal(c->stored->messages[0]->action, PL__ACTION__CALL);
    assert_string_equal(c->stored->messages[2]->content, "What has happened?");
    assert_int_equal(c->stored->messages[2]->answer_latency_ms, 0);
    c->turn = present;
    c->hold = false;
    conversation_turn_started(c);
    conversation_spoken(c, false, "");
    (void)conversation_say(c, "a printer");
    assert_string_equal(c->stored->messages[3]->content, "a printer");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
    assert_int_equal(c->stored->ended, PL__LEG_END__LEG_BYE_REMOTE);
    assert_int_equal(c->left->ended, PL__LEG_END__LEG_MOVED);
    conversation_destroy(&c);
}

static void a_new_claim_that_cannot_be_stored_leaves_all_as_it_was(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    c->split_error = PL_UNAVAILABLE;
    (void)ask(c, result, sizeof result);
    assert_non_null(strstr(result, "could not be stored"));
    assert_int_equal(c->moves, 0);
    assert_int_equal(c->abandoned, 0);
    assert_string_equal(call_id(c->call), "c-1");
    assert_true(c->stored->in_progress);
    conversation_destroy(&c);
}

static void a_leg_that_cannot_be_moved_leaves_all_as_it_was(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    c->move_error = PL_NOT_FOUND;
    (void)ask(c, result, sizeof result);
    assert_non_null(strstr(result, "could not be moved"));
    assert_int_equal(c->abandoned, 1);
    assert_string_equal(call_id(c->call), "c-1");
    assert_null(c->left);
    conversation_destroy(&c);
}

static void a_move_without_an_answer_is_asked_for_again(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    c->hold_move = true;
    (void)ask(c, result, sizeof result);
    call_reply(c->call, c->now, ASKED_MOVE, c->tool, PL_TIMEOUT, NULL, &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_int_equal(c->moves, 2);
    call_reply(c->call, c->now, ASKED_MOVE, c->tool, PL_OK, NULL, &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_string_equal(call_id(c->call), "c-2");
    conversation_destroy(&c);
}

static void a_move_never_answered_is_given_up(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    c->move_error = PL_TIMEOUT;
    (void)ask(c, result, sizeof result);
    assert_int_equal(c->moves, 3);
    assert_int_equal(c->abandoned, 1);
    assert_non_null(strstr(result, "could not be moved"));
    conversation_destroy(&c);
}

static void a_caller_who_goes_on_speaking_meanwhile_stays_in_their_claim(void **state)
{
    (void)state;
    char result[512];
    char key[64];
    conversation_t *c = conversation_new(three_fields());
    c->hold_split = true;
    (void)ask(c, result, sizeof result);
    (void)snprintf(key, sizeof key, "%s", c->tool);
    (void)begin_thought(c, "no wait");
    call_next_created(c->call, key, PL_OK, &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_int_equal(c->moves, 0);
    assert_int_equal(c->abandoned, 1);
    assert_non_null(strstr(tool_call(c->stored)->content, "went on speaking"));
    assert_string_equal(call_id(c->call), "c-1");
    conversation_destroy(&c);
}

static void a_call_that_ends_meanwhile_takes_its_new_claim_along(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    c->hold_move = true;
    (void)ask(c, result, sizeof result);
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
    assert_int_equal(c->abandoned, 1);
    assert_int_equal(c->stored->ended, PL__LEG_END__LEG_BYE_REMOTE);
    call_reply(c->call, c->now, ASKED_MOVE, c->tool, PL_OK, NULL, &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_string_equal(call_id(c->call), "c-1");
    conversation_destroy(&c);
}

static void tools_that_still_run_are_left_with_a_result(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    uint32_t thought = begin_thought(c, "send me that and begin anew");
    (void)call_tool(c->call, c->now, thought, "t-0", "send_sms", "{\"message\":\"hi\"}", &c->fx);
    (void)call_tool(c->call, c->now, thought, "t-1", "new_claim", "{}", &c->fx);
    run_by_hand(c, result, sizeof result);
    const Pl__Message *m = c->left->messages[c->left->n_messages - 1];
    assert_int_equal(m->n_tool_calls, 2);
    assert_non_null(strstr(m->tool_calls[0]->content, "a new claim was begun"));
    assert_int_equal(c->stored->n_messages, 2);
    conversation_destroy(&c);
}

static void only_one_at_a_time_and_not_for_ever(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    c->hold_split = true;
    uint32_t thought = ask(c, result, sizeof result);
    (void)call_tool(c->call, c->now, thought, "t-2", "new_claim", "{}", &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_non_null(strstr(result, "being opened already"));
    conversation_destroy(&c);
}

static void the_script_asks_for_consent_and_begins_anew(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "yesterday at nine");
    (void)conversation_say(c, "yes");
    (void)conversation_say(c, "building four");
    assert_non_null(strstr(conversation_say(c, "yes I have another problem"), "new file"));
    assert_int_equal(c->expect, PL__EXPECT__YES_NO);
    assert_int_equal(c->moves, 0);
    const char *reply = conversation_say(c, "yes please");
    assert_int_equal(c->moves, 1);
    assert_non_null(strstr(reply, "I have opened a new file"));
    assert_non_null(strstr(reply, "hardware info"));
    assert_string_equal(pl_record_claim(c->left, "building_location")->value, "building four");
    (void)conversation_say(c, "a printer");
    assert_string_equal(conversation_value(c, "hardware_info"), "a printer");
    assert_string_equal(pl_record_claim(c->left, "hardware_info")->value, "a laptop");
    conversation_destroy(&c);
}

static void the_script_goes_on_when_the_caller_does_not_want_it(void **state)
{
    (void)state;
    static const field_t one[] = {{"hardware_info", PL__CLAIM_TYPE__TEXT, ""}, {NULL, 0, NULL}};
    conversation_t *c = conversation_new(one);
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "there is another issue");
    assert_non_null(strstr(conversation_say(c, "no"), "anything else"));
    (void)conversation_say(c, "another issue");
    c->split_error = PL_UNAVAILABLE;
    assert_non_null(strstr(conversation_say(c, "yes"), "cannot open a new file"));
    assert_string_equal(call_id(c->call), "c-1");
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_former_call_keeps_what_was_recorded_of_it),
        cmocka_unit_test(the_conversation_goes_on_as_another_call),
        cmocka_unit_test(what_speech_tells_of_the_former_call_changes_no_message),
        cmocka_unit_test(a_new_claim_that_cannot_be_stored_leaves_all_as_it_was),
        cmocka_unit_test(a_leg_that_cannot_be_moved_leaves_all_as_it_was),
        cmocka_unit_test(a_move_without_an_answer_is_asked_for_again),
        cmocka_unit_test(a_move_never_answered_is_given_up),
        cmocka_unit_test(a_caller_who_goes_on_speaking_meanwhile_stays_in_their_claim),
        cmocka_unit_test(a_call_that_ends_meanwhile_takes_its_new_claim_along),
        cmocka_unit_test(tools_that_still_run_are_left_with_a_result),
        cmocka_unit_test(only_one_at_a_time_and_not_for_ever),
        cmocka_unit_test(the_script_asks_for_consent_and_begins_anew),
        cmocka_unit_test(the_script_goes_on_when_the_caller_does_not_want_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
