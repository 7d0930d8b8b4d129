#include "tools/callsim/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/callsim/pattern.h"

static scenario_t *scenario;
static minutes_t *minutes;
static cJSON *calls;
static char failed[2048]; /* "check: detail" of each that does not hold, a line each */

static void on_verdict(void *arg, const char *check, bool holds, const char *detail)
{
    (void)arg;
    if (holds) return;
    size_t used = strlen(failed);
    snprintf(failed + used, sizeof failed - used, "%s: %s\n", check, detail);
}

static int begin(void **state)
{
    (void)state;
    minutes = minutes_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    minutes_destroy(&minutes);
    scenario_destroy(&scenario);
    cJSON_Delete(calls);
    calls = NULL;
    return 0;
}

static void bot(const char *text, const char *heard, const char *lang)
{
    minutes_add(minutes, &(minute_t){.kind = MINUTE_BOT,
                                     .text = text,
                                     .heard = heard,
                                     .lang = lang,
                                     .step = -1,
                                     .interrupted = strcmp(text, heard) != 0});
}

/* Judges by these checks; how many do not hold. */
static size_t judged(const char *checks)
{
    char yaml[4096];
    char why[512] = "";
    snprintf(yaml, sizeof yaml, "steps:\n  - {cue: any, hang_up: true}\nchecks:\n%s", checks);
    scenario_destroy(&scenario);
    pl_err_t err = scenario_parse(&scenario, "s.yaml", yaml, why, sizeof why);
    if (err) print_error("%s\n", why);
    assert_int_equal(err, PL_OK);
    failed[0] = '\0';
    case_t of = {.scenario = scenario,
                 .n = 1,
                 .manager = "llm",
                 .minutes = minutes,
                 .listens = "fr-FR",
                 .calls = calls};
    size_t wrong = judge(&of, false, on_verdict, NULL);
    if (calls) wrong += judge(&of, true, on_verdict, NULL);
    return wrong;
}

static void record(const char *json)
{
    cJSON_Delete(calls);
    calls = cJSON_Parse(json);
    assert_non_null(calls);
}

static void what_was_heard_is_looked_for_turn_by_turn(void **state)
{
    (void)state;
    bot("Hello. How can I help?", "Hello. How can", "en-US");
    bot("Bonjour, je vous écoute.", "Bonjour, je vous écoute.", "fr-FR");
    assert_int_equal(judged("  - {said: hello}\n"
                            "  - {said: /vous ÉCOUTE/, lang: fr-FR}\n"
                            "  - {said: \"hello|bonjour\", times: 2}\n"
                            "  - {turns: 2-3}\n"
                            "  - {listens: fr-FR}\n"
                            "  - {never_said: goodbye}\n"),
                     0);
    assert_int_equal(judged("  - {said: help}\n"), 1); /* wanted, not heard */
    assert_non_null(strstr(failed, "[fr-FR] \"Bonjour, je vous écoute.\""));
    assert_int_equal(judged("  - {said: hello, lang: fr-FR}\n"), 1);
    assert_int_equal(judged("  - {never_said: help}\n"), 1);
    assert_non_null(strstr(failed, "How can I help?"));
    assert_int_equal(judged("  - {turns: 3-}\n"), 1);
    assert_int_equal(judged("  - {listens: en-US}\n"), 1);
}

static void markers_are_never_spoken_whether_checked_or_not(void **state)
{
    (void)state;
    bot("style=sad I am sorry.", "", "en-US");
    assert_int_equal(judged("  - {turns: 0}\n"), 1);
    assert_non_null(strstr(failed, "no markers are spoken"));
}

static void messages_and_transfers_out_are_counted(void **state)
{
    (void)state;
    minutes_add(minutes, &(minute_t){.kind = MINUTE_SMS, .text = "Your case 42", .to = "+1"});
    minutes_add(minutes, &(minute_t){.kind = MINUTE_TRANSFER, .text = "+33612345678"});
    assert_int_equal(judged("  - {sms: case, times: 1}\n  - {sms: reminder, times: 0}\n"
                            "  - {transfer: \"+33612345678\"}\n"),
                     0);
    assert_int_equal(judged("  - {sms: case, times: 2}\n"), 1);
    assert_int_equal(judged("  - {transfer: \"+33612345679\"}\n"), 1);
}

static const char one[] =
    "[{\"call_id\":\"b\",\"in_progress\":false,\"claim\":{\"location\":\"Lyon\"},"
    "\"initiate\":{\"claim\":[{\"name\":\"location\"}]},"
    "\"ended\":{\"reason\":\"bye_local\"},\"next\":null,"
    "\"reminders\":[{\"title\":\"Call the expert\",\"due_date_time\":\"2026-11-25T10:00\","
    "\"owner\":\"assistant\"}],"
    "\"messages\":["
    "{\"action\":\"talk\",\"persona\":\"human\",\"content\":\"in Lyon\",\"tool_calls\":[]},"
    "{\"action\":\"talk\",\"persona\":\"assistant\",\"content\":\"I note\",\"interrupted\":true,"
    "\"tool_calls\":[{\"tool_id\":\"t1\",\"function_name\":\"updated_claim\","
    "\"function_arguments\":\"{\\\"a\\\":1}\",\"content\":\"location: updated\"}]}]},"
    "{\"call_id\":\"a\",\"in_progress\":false,\"claim\":{},\"messages\":[]}]";

static void the_record_is_looked_into(void **state)
{
    (void)state;
    record(one);
    assert_int_equal(
        judged("  - {tool: updated_claim, times: 1, result: updated, arguments: /a.:1/}\n"
               "  - {tool: end_call, times: 0}\n"
               "  - {message: lyon, persona: human}\n"
               "  - {message: /^I note$/, interrupted: true, persona: assistant}\n"
               "  - {message: lyon, persona: assistant, times: 0}\n"
               "  - {record: ended.reason, is: bye_local}\n"
               "  - {record: messages.0.content, is: /Lyon/}\n"
               "  - {record: in_progress, is: /false/}\n"
               "  - {record: next, absent: true}\n"
               "  - {record: claim.policy, absent: true}\n"
               "  - {record: claim, absent: true, call: 1}\n"
               "  - {reminder: expert, due: /T10:00/, owner: assistant}\n"
               "  - {calls: 2}\n"
               "  - {record: claim.location, is: Paris, manager: script}\n"),
        0);
    assert_int_equal(judged("  - {record: claim.location, is: Paris}\n"), 1);
    assert_non_null(strstr(failed, "it is Lyon"));
    assert_int_equal(judged("  - {record: claim.location, absent: true}\n"), 1);
    assert_int_equal(judged("  - {record: claim.location, call: 3}\n"), 1);
    assert_int_equal(judged("  - {tool: updated_claim, result: rejected}\n"), 1);
    assert_non_null(strstr(failed, "location: updated"));
    assert_int_equal(judged("  - {reminder: expert, owner: customer}\n"), 1);
    assert_int_equal(judged("  - {calls: 1}\n"), 1);
}

static void a_tool_call_without_its_result_is_found(void **state)
{
    (void)state;
    record("[{\"in_progress\":false,\"messages\":[{\"tool_calls\":[{\"tool_id\":\"t1\","
           "\"function_name\":\"send_sms\",\"content\":\"\"}]}]}]");
    assert_int_equal(judged("  - {calls: 1}\n"), 1);
    assert_non_null(strstr(failed, "each tool call has one result: send_sms"));
}

static void two_tool_calls_of_one_name_are_found(void **state)
{
    (void)state;
    record("[{\"in_progress\":false,\"messages\":[{\"tool_calls\":["
           "{\"tool_id\":\"t1\",\"function_name\":\"a\",\"content\":\"x\"}]},"
           "{\"tool_calls\":[{\"tool_id\":\"t1\",\"function_name\":\"b\",\"content\":\"y\"}]}]}]");
    assert_int_equal(judged("  - {calls: 1}\n"), 1);
}

static void a_claim_outside_its_schema_and_a_call_still_open_are_found(void **state)
{
    (void)state;
    record("[{\"in_progress\":true,\"claim\":{\"colour\":\"red\",\"policyholder_name\":\"Ann\"},"
           "\"initiate\":{\"claim\":[]},\"messages\":[]}]");
    assert_int_equal(judged("  - {calls: 1}\n"), 2);
    assert_non_null(strstr(failed, "colour"));
    assert_null(strstr(failed, "policyholder"));
}

static void ranges_are_read_and_hold(void **state)
{
    (void)state;
    check_range_t range;
    assert_true(check_range_parse("", &range));
    assert_false(check_range_holds(&range, 0));
    assert_true(check_range_holds(&range, 1000));
    assert_true(check_range_parse("0", &range));
    assert_true(check_range_holds(&range, 0));
    assert_false(check_range_holds(&range, 1));
    assert_true(check_range_parse("2-4", &range));
    assert_false(check_range_holds(&range, 1));
    assert_true(check_range_holds(&range, 4));
    assert_false(check_range_holds(&range, 5));
    assert_false(check_range_parse("4-2", &range));
    assert_false(check_range_parse("x", &range));
    assert_false(check_range_parse("1-2-3", &range));
    assert_false(check_range_parse("99999999999999999999", &range));
}

int main(void)
{
    pattern_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_was_heard_is_looked_for_turn_by_turn),
        TEST(markers_are_never_spoken_whether_checked_or_not),
        TEST(messages_and_transfers_out_are_counted),
        TEST(the_record_is_looked_into),
        TEST(a_tool_call_without_its_result_is_found),
        TEST(two_tool_calls_of_one_name_are_found),
        TEST(a_claim_outside_its_schema_and_a_call_still_open_are_found),
        cmocka_unit_test(ranges_are_read_and_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
