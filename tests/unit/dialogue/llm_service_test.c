/* llm_service_test.c - the whole dialogue process with a language model: the real client, and a server
 * that says what it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/llm_double.h"
#include "tests/unit/dialogue/service_world.h"

static llm_double_t llm;
static char endpoint[80];

static void begin(const char *script, const char *more)
{
    llm = llm_double_start(script);
    snprintf(endpoint, sizeof endpoint, "llm.fast.endpoint=http://127.0.0.1:%d/v1", llm.port);
    const char *const settings[] = {endpoint,
                                    "llm.fast.model=fast",
                                    "llm.probe_pause_ms=50",
                                    "llm.retry_pause_ms=10",
                                    "llm.fast.retries=1",
                                    more,
                                    NULL};
    world.when_asked = true;
    start(settings);
}

static int halt(void **state)
{
    (void)stop(state);
    if (llm.folder[0]) llm_double_stop(&llm);
    memset(&llm, 0, sizeof llm);
    return 0;
}

static const char *heard(void)
{
    return world.count ? world.seen[0].heard : "";
}

#define ASSERT_HEARD(part)                                                                         \
    do {                                                                                           \
        if (!strstr(heard(), part)) fail_msg("nobody heard \"%s\" but \"%s\"", part, heard());     \
    } while (0)

static const Pl__Message *said(const char *part)
{
    const Pl__CallRecord *record = world.seen[0].record;
    for (size_t i = 0; i < record->n_messages; i++) {
        if (strstr(record->messages[i]->content, part)) return record->messages[i];
    }
    fail_msg("nobody said \"%s\"", part);
    return NULL;
}

/* clang-format off */
static const char whole_call[] =
    "rules:\n"
    "  - when: {schema: '/./'}\n" /* work after the call */
    "    say: '{{sample}}'\n"
    "  - when: {not_offered: updated_claim}\n"
    "    say: 'A report.'\n"
    "  - when: {role: tool, user: laptop}\n"
    "    say: 'Thank you. When was it?'\n"
    "  - when: {role: tool, user: yesterday}\n"
    "    say: '[style=cheerful] Very good! And where are you?'\n"
    "  - when: {role: tool}\n"
    "    say: 'Thank you. Anything else?'\n"
    "  - when: {user: laptop}\n"
    "    say: 'I am sorry.'\n"
    "    call:\n"
    "      - name: updated_claim\n"
    "        arguments: '{\"updates\":[{\"field\":\"hardware_info\",\"value\":\"Dell laptop\"}],"
    "\"customer_response\":\"I note it.\"}'\n"
    "  - when: {user: yesterday}\n"
    "    call:\n"
    "      - name: updated_claim\n"
    "        arguments: '{\"updates\":[{\"field\":\"first_seen\",\"value\":\"2026-11-21 09:00\"}],"
    "\"customer_response\":\"I note that, too.\"}'\n"
    "  - when: {user: building}\n"
    "    call:\n"
    "      - name: updated_claim\n"
    "        arguments: '{\"updates\":[{\"field\":\"building_location\",\"value\":\"building 4\"}],"
    "\"customer_response\":\"Noted.\"}'\n"
    "  - when: {user: goodbye}\n"
    "    say: 'Goodbye, and have a nice day.'\n"
    "    call:\n"
    "      - {name: end_call, arguments: '{}'}\n";
/* clang-format on */

static void a_model_leads_the_whole_call(void **state)
{
    (void)state;
    static const char *const lines[] = {"my dell laptop does not start",
                                        "yesterday at nine in the morning", "building four",
                                        "no that is all, goodbye", NULL};
    world.lines = lines;
    begin(whole_call, NULL);
    post_call("+33699999999");
    assert_true(wait_for(all_closed));
    const seen_t *s = &world.seen[0];
    assert_string_equal(value(s, "hardware_info"), "Dell laptop");
    assert_string_equal(value(s, "first_seen"), "2026-11-21T09:00:00");
    assert_string_equal(value(s, "building_location"), "building 4");
    ASSERT_HEARD("How can I help you? I am sorry. I note it. Thank you. When was it? I note that, "
                 "too. Very good! And where are you? Noted. Thank you. Anything else? Goodbye, and "
                 "have a nice day. ");
    assert_true(s->hung_up);
    assert_int_equal(said("Very good")->style, PL__STYLE__CHEERFUL);
    assert_int_equal(said("I am sorry. I note it.")->n_tool_calls, 1);
    assert_int_equal(llm_double_count(&llm, "\"tools\""), 7);
}

static bool script_took_over(void)
{
    return strstr(heard(), "Could you tell me") || strstr(heard(), "Please tell me");
}

static bool model_is_back(void)
{
    return strstr(heard(), "The model again") != NULL;
}

static void utter(const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)text;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    to_dialogue(&env, world.seen[0].id);
}

static bool greeted(void)
{
    return strstr(heard(), "How can I help you?") != NULL;
}

static bool answered_first(void)
{
    return strstr(heard(), "First answer.") != NULL;
}

static void pass_ms(uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(world.loop, ms, 0, look, NULL);
    pl_loop_run(world.loop);
    pl_timer_stop(&timer);
}

static bool hardware_is_known(void)
{
    return value(&world.seen[0], "hardware_info")[0] != '\0';
}

static void a_lost_model_is_stood_in_for_until_it_is_back(void **state)
{
    (void)state;
    begin("rules:\n"
          "  - when: {user: back}\n"
          "    say: 'The model again.'\n"
          "  - say: 'First answer.'\n",
          "llm.failures_most=1");
    post_call("+33699999999");
    assert_true(wait_for(greeted));
    utter("hello");
    assert_true(wait_for(answered_first));
    llm_double_halt(&llm);
    utter("hello again");
    assert_true(wait_for(script_took_over)); /* within the very turn */
    pass_ms(50);
    utter("a laptop that does not start");
    assert_true(wait_for(hardware_is_known));
    assert_string_equal(value(&world.seen[0], "hardware_info"), "a laptop that does not start");
    llm_double_run(&llm);
    /* It is probed; until that is answered the script goes on. */
    for (int i = 0; i < 100 && !model_is_back(); i++) {
        utter("are you back");
        pass_ms(50);
    }
    assert_true(model_is_back());
}

static bool finished_sentence(void)
{
    return strstr(heard(), "On Sundays we are closed.") != NULL;
}

static void a_connection_reset_in_mid_sentence_is_not_heard(void **state)
{
    (void)state;
    begin("rules:\n"
          "  - count: 1\n"
          "    say: 'We open at eight in the morning. On Sundays we rest'\n"
          "    pace: {tokens_per_s: 100}\n"
          "    fault: {kind: reset, after_bytes: 45}\n"
          "  - when: {user: 'cut off here'}\n"
          "    say: 'On Sundays we are closed.'\n",
          NULL);
    post_call("+33699999999");
    assert_true(wait_for(greeted));
    utter("when do you open");
    assert_true(wait_for(finished_sentence));
    ASSERT_HEARD("We open at eight in the morning. On Sundays we are closed. ");
    assert_null(strstr(heard(), "rest"));
}

static bool said_two_answers(void)
{
    return strstr(heard(), "Answer two.") != NULL;
}

static bool said_one_answer(void)
{
    return strstr(heard(), "Answer one.") != NULL;
}

static void partial(const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Partial body = PL__PARTIAL__INIT;
    body.text = (char *)text;
    env.body_case = PL__ENVELOPE__BODY_PARTIAL;
    env.partial = &body;
    to_dialogue(&env, world.seen[0].id);
}

static bool saving_is_stored(void)
{
    const Pl__CallRecord *record = world.seen[0].record;
    return record->messages[record->n_messages - 1]->speculation_ms > 0;
}

static void an_early_start_saves_the_model_s_time(void **state)
{
    (void)state;
    begin("pace: {first_ms: 250}\n"
          "rules:\n"
          "  - when: {user: second}\n"
          "    say: 'Answer two.'\n"
          "  - say: 'Answer one.'\n",
          "dialogue.llm.speculate_after_ms=10");
    post_call("+33699999999");
    assert_true(wait_for(greeted));
    partial("the first");
    pass_ms(300);
    assert_false(said_one_answer()); /* nothing before the final text */
    uint64_t from_ms = pl_clock_ms();
    utter("The first.");
    assert_true(wait_for(said_one_answer));
    assert_true(pl_clock_ms() - from_ms < 200);
    assert_true(wait_for(saving_is_stored));
    partial("the sec");
    pass_ms(50);
    from_ms = pl_clock_ms();
    utter("the second");
    assert_true(wait_for(said_two_answers));
    assert_true(pl_clock_ms() - from_ms >= 250); /* the guess was wrong */
    assert_null(strstr(heard(), "Answer one. Answer one."));
}

static bool said_before_the_tool(void)
{
    return strstr(heard(), "I note that.") != NULL;
}

static void a_sentence_is_not_held_back_by_the_tool_call_behind_it(void **state)
{
    (void)state;
    begin("rules:\n"
          "  - when: {role: tool}\n"
          "    say: 'Done.'\n"
          "  - say: 'I note that.'\n"
          "    fault: {kind: stall, ms: 1500, after_bytes: 12}\n"
          "    call:\n"
          "      - {name: speech_speed, arguments: '{\"speed\":0.9}'}\n",
          NULL);
    post_call("+33699999999");
    assert_true(wait_for(greeted));
    uint64_t from_ms = pl_clock_ms();
    utter("slower");
    assert_true(wait_for(said_before_the_tool));
    assert_true(pl_clock_ms() - from_ms < 1200);
    assert_null(strstr(heard(), "Done."));
}

static void a_manager_without_its_model_is_refused(void **state)
{
    (void)state;
    char error[256];
    server_t *server = NULL;
    pl_config_t *cfg = pl_config_parse("dialogue", dialogue_config_keys, "parley.yaml",
                                       "dialogue:\n  manager: llm\n", error, sizeof error);
    assert_non_null(cfg);
    FILE *kept = stderr;
    char text[512] = "";
    stderr = fmemopen(text, sizeof text, "w");
    pl_err_t err = server_new(&server, cfg);
    fclose(stderr);
    stderr = kept;
    assert_int_equal(err, PL_INVALID);
    assert_non_null(strstr(text, "dialogue.manager: \"llm\" needs llm.fast or llm.slow"));
    pl_config_destroy(&cfg);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_model_leads_the_whole_call, halt),
        cmocka_unit_test_teardown(a_lost_model_is_stood_in_for_until_it_is_back, halt),
        cmocka_unit_test_teardown(a_connection_reset_in_mid_sentence_is_not_heard, halt),
        cmocka_unit_test_teardown(an_early_start_saves_the_model_s_time, halt),
        cmocka_unit_test_teardown(a_sentence_is_not_held_back_by_the_tool_call_behind_it, halt),
        cmocka_unit_test(a_manager_without_its_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
