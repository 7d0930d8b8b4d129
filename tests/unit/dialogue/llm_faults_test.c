/* llm_faults_test.c - the language-model client against each way in which a server can fail. */
#include "tests/unit/dialogue/llm_asker.h"

#define FAST "  fast: {endpoint: 'http://127.0.0.1:%d', model: nano,"
#define SLOW "  slow: {endpoint: 'http://127.0.0.1:%d', model: large,"
#define LIMITS " first_timeout_ms: 150, stall_timeout_ms: 150, retries: 1}\n"
#define QUICK "  connections: 0\n  retry_pause_ms: 5\n"

/* One model, little patience. */
static const char one[] = QUICK FAST LIMITS;
/* Two, of which the fast one has the fault. */
static const char two[] = QUICK FAST LIMITS SLOW LIMITS;

static void a_slow_first_token_is_a_timeout(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: late, fault: {kind: slow_first, ms: 2000}}]", one);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_TIMEOUT);
    assert_string_equal(asker.text, "");
    assert_int_equal(asker.end.first_ms, 0);
    assert_string_equal(asker.detail, "no first piece in time");
    assert_in_range(asker.end.whole_ms, 290, 1500); /* two tries */
    asker_await_log(&asker, "\"how\":\"cancelled\"", 2);
    asker_close(&asker);
}

static void a_slow_model_is_left_for_the_other_at_once(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {when: {model: nano}, say: late,"
                               " fault: {kind: slow_first, ms: 2000}}\n"
                               "  - say: \"in time\"\n",
                               two);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "in time");
    assert_string_equal(asker.model, "large");
    assert_in_range(asker.end.first_ms, 140, 1000); /* from the request, not from the last try */
    assert_int_equal(llm_double_count(&asker.server, "\"model\":\"nano\",\"body\""), 1);
    asker_close(&asker);
}

static void a_stall_in_mid_stream_ends_with_what_was_said(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: 'one two three four', fault:"
                               " {kind: stall, after_bytes: 7, ms: 3000}}]",
                               two);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_TIMEOUT);
    assert_string_equal(asker.text, "one two"); /* and it is not said again by another */
    assert_string_equal(asker.detail, "it stalled in the middle");
    assert_int_equal(llm_double_count(&asker.server, "\"event\":\"request\""), 1);
    asker_close(&asker);
}

static void a_pause_shorter_than_a_stall_is_borne(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: 'one two three four', fault:"
                               " {kind: stall, after_bytes: 7, ms: 60}}]",
                               one);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "one two three four");
    asker_close(&asker);
}

static void a_rate_limit_is_waited_for_when_it_is_short(void **state)
{
    (void)state;
    asker_t asker =
        asker_open("rules:\n"
                   "  - {count: 1, fault: {kind: status, status: 429, retry_after_s: 0.2}}\n"
                   "  - say: \"{{model}}\"\n",
                   two);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "nano");
    assert_in_range(asker.end.first_ms, 195, 1500);
    assert_true(llm_well(asker.llm));
    asker_close(&asker);
}

static void a_long_rate_limit_leaves_the_request_to_the_other_model(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {when: {model: nano}, fault:"
                               " {kind: status, status: 429, retry_after_s: 20}}\n"
                               "  - say: \"{{model}}\"\n",
                               two);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "large");
    asker_say(&asker, LLM_FAST, "again"); /* for 20 s it is not even asked */
    assert_string_equal(asker.text, "large");
    assert_int_equal(llm_double_count(&asker.server, "\"model\":\"nano\",\"body\""), 1);
    asker_close(&asker);
}

static void a_rate_limit_without_another_model_is_busy(void **state)
{
    (void)state;
    asker_t asker =
        asker_open("rules: [{fault: {kind: status, status: 429, retry_after_s: 20}}]",
                   QUICK "  fast: {endpoint: 'http://127.0.0.1:%d', model: m, timeout_ms: 1000}\n");
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_BUSY);
    assert_true(asker.end.whole_ms < 500); /* waiting would have been in vain */
    assert_false(llm_well(asker.llm));
    asker_close(&asker);
}

static void an_ill_server_is_tried_again_then_the_other(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {when: {user: once}, count: 1, fault: {kind: status}}\n"
                               "  - {when: {user: once}, say: \"well again\"}\n"
                               "  - {when: {model: nano}, fault: {kind: status, status: 503}}\n"
                               "  - say: \"{{model}}\"\n",
                               two);
    asker_say(&asker, LLM_FAST, "once");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "well again");
    assert_string_equal(asker.model, "nano");
    asker_say(&asker, LLM_FAST, "hello");
    assert_string_equal(asker.text, "large");
    assert_int_equal(llm_double_count(&asker.server, "\"model\":\"nano\",\"body\""), 4);
    asker_close(&asker);
}

static void a_reset_after_half_a_sentence_is_not_said_twice(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: 'Your claim is open.', fault:"
                               " {kind: reset, after_bytes: 10}}]",
                               two);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_UNAVAILABLE);
    assert_string_equal(asker.text, "Your claim");
    assert_int_equal(llm_double_count(&asker.server, "\"event\":\"request\""), 1);
    asker_close(&asker);
}

static void a_reset_before_the_first_piece_is_tried_again(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {count: 1, say: 'x', fault: {kind: hangup}}\n"
                               "  - {count: 1, say: 'x', fault: {kind: reset}}\n"
                               "  - say: \"there\"\n",
                               QUICK FAST " retries: 2}\n");
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "there");
    asker_close(&asker);
}

static void calls_of_a_broken_answer_are_not_made(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {count: 1, say: 'x', call: [{name: end_call}], fault:"
                               " {kind: error_event, after_bytes: 1}}\n"
                               "  - {call: [{name: end_call}], say: ''}\n",
                               one);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_UNAVAILABLE);
    assert_string_equal(asker.text, "x");
    assert_int_equal(asker.tools, 0);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_int_equal(asker.tools, 1);
    assert_int_equal(asker.end.finish, LLM_TOOL_CALLS);
    asker_close(&asker);
}

static void garbage_makes_no_sense_and_is_tried_again_if_nothing_was_said(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {count: 1, say: 'x', fault: {kind: garbage}}\n"
                               "  - {count: 1, say: 'sense', fault: {kind: garbage,"
                               " after_bytes: 5}}\n",
                               one);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_INVALID);
    assert_string_equal(asker.text, "sense");
    assert_string_equal(asker.detail, "a part of the answer is no JSON object");
    asker_close(&asker);
}

static void a_line_of_a_megabyte_is_refused(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: 'Well, this is long', fault: {kind: huge_line,"
                               " after_bytes: 5}}]",
                               two);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_INVALID);
    assert_string_equal(asker.text, "Well,");
    assert_string_equal(asker.detail, "one event of the stream is too large");
    asker_close(&asker);
}

static void an_empty_answer_is_asked_for_again(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules:\n"
                               "  - {count: 1, fault: {kind: empty}}\n"
                               "  - {when: {user: once}, say: words}\n"
                               "  - {fault: {kind: empty}}\n",
                               one);
    asker_say(&asker, LLM_FAST, "once");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "words");
    asker_say(&asker, LLM_FAST, "always");
    assert_int_equal(asker.err, PL_INVALID);
    assert_string_equal(asker.detail, "the answer is empty");
    asker_close(&asker);
}

static void a_content_filter_is_an_end_and_not_a_failure(void **state)
{
    (void)state;
    asker_t asker =
        asker_open("rules:\n"
                   "  - {when: {user: prompt}, fault: {kind: filter_prompt}}\n"
                   "  - {when: {user: answer}, say: 'I would', fault: {kind: filter_answer}}\n"
                   "  - {when: {user: silent}, call: [{name: end_call}],"
                   " fault: {kind: filter_answer}}\n",
                   two);
    asker_say(&asker, LLM_FAST, "prompt");
    assert_int_equal(asker.err, PL_OK);
    assert_int_equal(asker.end.finish, LLM_FILTERED);
    assert_string_equal(asker.text, "");
    asker_say(&asker, LLM_FAST, "answer");
    assert_int_equal(asker.err, PL_OK);
    assert_int_equal(asker.end.finish, LLM_FILTERED);
    assert_string_equal(asker.text, "I would");
    asker_say(&asker, LLM_FAST, "silent");
    assert_int_equal(asker.end.finish, LLM_FILTERED);
    assert_int_equal(asker.tools, 0);
    assert_int_equal(llm_double_count(&asker.server, "\"event\":\"request\""), 3); /* never twice */
    assert_true(llm_well(asker.llm));
    asker_close(&asker);
}

static void an_answer_cut_by_its_length_says_so_and_cuts_no_call_in_half(void **state)
{
    (void)state;
    asker_t asker = asker_open(
        "rules:\n"
        "  - {when: {user: text}, say: 'one two three four five six'}\n"
        "  - when: {user: call}\n"
        "    say: 'Yes.'\n"
        "    call: [{name: send_sms, arguments: '{\"message\":\"a long text, very long\"}'}]\n"
        "  - {when: {user: broken}, call: [{name: send_sms, arguments:"
        " '{\"message\":\"x\"}'}], fault: {kind: truncated_json}}\n",
        one);
    llm_message_t message = {.role = LLM_USER, .content = "text"};
    llm_request_t request = {.messages = &message, .n_messages = 1, .max_tokens = 3};
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_OK);
    assert_int_equal(asker.end.finish, LLM_LENGTH);
    assert_string_equal(asker.text, "one two three");
    message.content = "call";
    request.max_tokens = 4;
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.end.finish, LLM_LENGTH);
    assert_string_equal(asker.text, "Yes.");
    assert_int_equal(asker.tools, 0);
    asker_say(&asker, LLM_FAST, "broken"); /* the model itself ended it so: its caller must look */
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.arguments, "{\"messa;");
    asker_close(&asker);
}

static void a_refused_request_is_invalid_and_the_model_stays_well(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{fault: {kind: status, status: 400,"
                               " code: context_length_exceeded, message: 'too long'}}]",
                               two);
    for (int i = 0; i < 5; i++) {
        asker_say(&asker, LLM_FAST, "hello");
        assert_int_equal(asker.err, PL_INVALID);
    }
    assert_non_null(strstr(asker.detail, "context_length_exceeded too long"));
    assert_true(llm_well(asker.llm));
    asker_close(&asker);
}

static void a_wrong_key_is_found_at_once_and_never_shown(void **state)
{
    (void)state;
    asker_t asker = asker_open("api_key: right\n"
                               "rules: [{fault: {kind: status, status: 400,"
                               " message: 'You sent secret-key as key'}}]",
                               QUICK FAST " api_key: secret-key}\n");
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_UNAVAILABLE);
    assert_false(llm_well(asker.llm));
    assert_int_equal(llm_double_count(&asker.server, "\"status\":401"), 1);
    asker_close(&asker);

    asker = asker_open("rules: [{fault: {kind: status, status: 400,"
                       " message: 'You sent secret-key as key'}}]",
                       QUICK FAST " api_key: secret-key}\n");
    asker_say(&asker, LLM_FAST, "hello");
    assert_null(strstr(asker.detail, "secret"));
    assert_non_null(strstr(asker.detail, "You sent * as key"));
    asker_close(&asker);
}

static void a_server_that_is_gone_makes_the_model_unwell_until_a_probe_is_answered(void **state)
{
    (void)state;
    asker_t asker =
        asker_open("rules: [{say: back}]", QUICK "  failures_most: 2\n  probe_pause_ms: 20\n"
                                                 "  probe_pause_most_ms: 40\n" FAST LIMITS);
    asker_say(&asker, LLM_FAST, "hello");
    assert_string_equal(asker.text, "back");
    llm_double_halt(&asker.server);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_UNAVAILABLE);
    assert_false(llm_well(asker.llm));
    uint64_t began_ms = pl_clock_ms();
    asker_say(&asker, LLM_FAST, "hello"); /* nobody is kept waiting for a model that is down */
    assert_int_equal(asker.err, PL_UNAVAILABLE);
    assert_true(pl_clock_ms() - began_ms < 20);
    asker_run_ms(&asker, 100); /* probes in vain */
    assert_false(llm_well(asker.llm));
    llm_double_run(&asker.server);
    asker_await_well(&asker, true);
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "back");
    asker_close(&asker);
}

static void a_request_has_no_more_time_than_it_was_given(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: late, fault: {kind: slow_first, ms: 3000}}]",
                               QUICK FAST "}\n" SLOW "}\n");
    llm_message_t message = {.role = LLM_USER, .content = "hello"};
    asker_request(&asker, LLM_FAST,
                  &(llm_request_t){.messages = &message, .n_messages = 1, .timeout_ms = 120});
    assert_int_equal(asker.err, PL_TIMEOUT);
    assert_in_range(asker.end.whole_ms, 110, 600);
    assert_true(llm_well(asker.llm)); /* one failure is not yet an illness */
    asker_close(&asker);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_first_token_is_a_timeout),
        cmocka_unit_test(a_slow_model_is_left_for_the_other_at_once),
        cmocka_unit_test(a_stall_in_mid_stream_ends_with_what_was_said),
        cmocka_unit_test(a_pause_shorter_than_a_stall_is_borne),
        cmocka_unit_test(a_rate_limit_is_waited_for_when_it_is_short),
        cmocka_unit_test(a_long_rate_limit_leaves_the_request_to_the_other_model),
        cmocka_unit_test(a_rate_limit_without_another_model_is_busy),
        cmocka_unit_test(an_ill_server_is_tried_again_then_the_other),
        cmocka_unit_test(a_reset_after_half_a_sentence_is_not_said_twice),
        cmocka_unit_test(a_reset_before_the_first_piece_is_tried_again),
        cmocka_unit_test(calls_of_a_broken_answer_are_not_made),
        cmocka_unit_test(garbage_makes_no_sense_and_is_tried_again_if_nothing_was_said),
        cmocka_unit_test(a_line_of_a_megabyte_is_refused),
        cmocka_unit_test(an_empty_answer_is_asked_for_again),
        cmocka_unit_test(a_content_filter_is_an_end_and_not_a_failure),
        cmocka_unit_test(an_answer_cut_by_its_length_says_so_and_cuts_no_call_in_half),
        cmocka_unit_test(a_refused_request_is_invalid_and_the_model_stays_well),
        cmocka_unit_test(a_wrong_key_is_found_at_once_and_never_shown),
        cmocka_unit_test(a_server_that_is_gone_makes_the_model_unwell_until_a_probe_is_answered),
        cmocka_unit_test(a_request_has_no_more_time_than_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
