#include "tools/callsim/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char why[1024];

static scenario_t *parsed(const char *yaml)
{
    scenario_t *scenario = NULL;
    pl_err_t err = scenario_parse(&scenario, "s.yaml", yaml, why, sizeof why);
    if (err) print_error("%s\n", why);
    assert_int_equal(err, PL_OK);
    return scenario;
}

static void refused(const char *yaml, const char *because)
{
    scenario_t *scenario = NULL;
    assert_int_equal(scenario_parse(&scenario, "s.yaml", yaml, why, sizeof why), PL_INVALID);
    assert_null(scenario);
    if (!strstr(why, because)) print_error("\"%s\" lacks \"%s\"\n", why, because);
    assert_non_null(strstr(why, because));
}

static void a_scenario_is_read_with_its_defaults(void **state)
{
    (void)state;
    scenario_t *scenario = parsed("name: test\n"
                                  "caller: {number: \"+1555{n4}\", delay_ms: 40}\n"
                                  "steps:\n"
                                  "  - {cue: hello, say: \"I am caller {n}\"}\n"
                                  "  - {cue: any, say: bye, delay_ms: 0, hang_up_after_ms: 300}\n"
                                  "  - {after_silence_ms: 800, hang_up: true, optional: true}\n"
                                  "expect:\n"
                                  "  - {field: a, value: \"caller {n}\"}\n"
                                  "  - {field: b, type: datetime, value: \"yesterday 09:00\"}\n");
    assert_string_equal(scenario->name, "test");
    assert_string_equal(scenario->voice, "rms");
    assert_int_equal(scenario->answer, ANSWER_YES);
    assert_int_equal(scenario->end, END_ANY);
    assert_int_equal(scenario->step_count, 3);
    assert_int_equal(scenario->steps[0].delay_ms, 40);
    assert_int_equal(scenario->steps[0].times, 3);
    assert_int_equal(scenario->steps[1].delay_ms, 0);
    assert_int_equal(scenario->steps[1].times, 1);
    assert_int_equal(scenario->steps[1].hang_up_after_ms, 300);
    assert_true(scenario->steps[2].hang_up);
    assert_true(scenario->steps[2].optional);
    assert_int_equal(scenario->expect_count, 2);
    assert_int_equal(scenario->expects[1].kind, EXPECT_DATETIME);
    scenario_destroy(&scenario);
    assert_null(scenario);
    scenario_destroy(&scenario);
}

static void wrong_scenarios_are_refused_with_the_reason(void **state)
{
    (void)state;
    refused("steps:\n  - {cue: a, sya: b}\n", "s.yaml:2: steps[0].sya: unknown key");
    refused("caller: {voice: [a]}\n", "caller.voice");
    refused("caller: {answer: perhaps}\n", "caller.answer: must not be \"perhaps\"");
    refused("end: never\n", "s.yaml:1: end: must not be");
    refused("steps:\n  - {say: b}\n", "s.yaml:2: steps[0]: needs one of cue");
    refused("steps:\n  - {cue: a}\n", "steps[0]: needs one of say");
    refused("steps:\n  - {cue: a, say: b, hang_up: true}\n", "steps[0]: needs one of say");
    refused("steps:\n  - {cue: a, say: b}\n  - {cue: a, dtmf: 1x}\n", "s.yaml:3: steps[1].dtmf");
    refused("steps:\n  - {cue: a, hang_up: true, hang_up_after_ms: 5}\n", "hang_up_after_ms");
    refused("steps:\n  - {cue: a, say: \"{x}\"}\n", "placeholder");
    refused("expect:\n  - {value: a}\n", "s.yaml: expect[0].field: missing");
    refused("expect:\n  - {field: a, value: b, type: colour}\n", "expect[0].type");
    refused("expect:\n  - {field: a, value: tomorrow, type: datetime}\n", "expect[0].value");
    refused("deadline_s: 0\n", "deadline_s");
    refused("steps: [\n", "s.yaml:");
}

static void what_a_caller_by_text_can_do_more_is_read(void **state)
{
    (void)state;
    scenario_t *scenario = parsed("speed: 50\ntransfer: refuse\nsms: fails\nrung: true\n"
                                  "steps:\n"
                                  "  - {cue: /polic(y|ies)/, interrupt_after_words: 3, say: stop}\n"
                                  "  - {interrupt_after_ms: 300, say: stop}\n"
                                  "checks:\n"
                                  "  - {tool: end_call, times: 1, manager: llm}\n"
                                  "  - {turns: 2-9}\n"
                                  "  - {record: claim.x, absent: true, call: 2}\n");
    assert_true(scenario->speed > 49 && scenario->speed < 51);
    assert_int_equal(scenario->transfer, TRANSFER_REFUSE);
    assert_int_equal(scenario->sms, SMS_FAILS);
    assert_true(scenario->rung);
    assert_true(scenario->steps[0].interrupts && scenario->steps[1].interrupts);
    assert_int_equal(scenario->steps[0].interrupt_after_words, 3);
    assert_int_equal(scenario->check_count, 3);
    assert_int_equal(scenario->checks[0].kind, CHECK_TOOL);
    assert_string_equal(scenario->checks[0].what, "end_call");
    assert_string_equal(scenario->checks[0].manager, "llm");
    assert_int_equal(scenario->checks[1].times.most, 9);
    assert_true(scenario->checks[2].absent);
    assert_int_equal(scenario->checks[2].call, 2);
    assert_null(scenario_text_only(scenario));
    scenario_destroy(&scenario);
    scenario = parsed("steps:\n  - {cue: any, mumble_ms: 500}\n");
    assert_string_equal(scenario_text_only(scenario), "mumble_ms");
    scenario_destroy(&scenario);
    scenario = parsed("steps:\n  - {cue: any, hang_up: true}\n  - {ring: true}\n");
    assert_string_equal(scenario_text_only(scenario), "ring");
    scenario_destroy(&scenario);
}

static void wrong_cues_and_checks_are_refused_with_the_reason(void **state)
{
    (void)state;
    refused("steps:\n  - {cue: \"/a(/\", say: x}\n", "s.yaml:2: steps[0].cue");
    refused("steps:\n  - {ring: true, cue: any}\n", "ring has no cue");
    refused("steps:\n  - {interrupt_after_ms: 3, interrupt_after_words: 2, say: x}\n",
            "in more than one way");
    refused("steps:\n  - {interrupt_after_words: 2, after_silence_ms: 5, say: x}\n",
            "in more than one way");
    refused("steps:\n  - {cue: any, say: x, mumble_ms: 5}\n", "needs one of say");
    refused("checks:\n  - {said: a, tool: b}\n", "checks[0]: needs one of said");
    refused("checks:\n  - {times: 2}\n", "checks[0]: needs one of said");
    refused("checks:\n  - {said: a, times: few}\n", "checks[0].times");
    refused("checks:\n  - {turns: some}\n", "checks[0].turns");
    refused("checks:\n  - {said: \"/[/\"}\n", "checks[0].said");
    refused("checks:\n  - {message: \"\"}\n", "must not be empty");
    refused("checks:\n  - {record: a, is: \"/[/\"}\n", "checks[0].is");
    refused("checks:\n  - {record: a, iss: b}\n", "unknown key");
    refused("transfer: perhaps\n", "transfer");
}

static void the_system_it_wants_is_printed_a_line_each(void **state)
{
    (void)state;
    scenario_t *scenario =
        parsed("lang: fr-FR\n"
               "system:\n"
               "  config: insurance.yaml\n"
               "  set: [\"features.answer_soft_timeout_sec=1\", \"log.level=debug\"]\n"
               "  managers: [script, llm]\n"
               "  model: rules.yaml\n");
    char text[512] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    scenario_print_system(scenario, out);
    (void)fclose(out);
    assert_string_equal(text, "lang fr-FR\nconfig insurance.yaml\nmodel rules.yaml\n"
                              "set features.answer_soft_timeout_sec=1\nset log.level=debug\n"
                              "manager script\nmanager llm\n");
    scenario_destroy(&scenario);
}

static void too_many_steps_are_refused(void **state)
{
    (void)state;
    char yaml[8192] = "steps:\n";
    for (int i = 0; i <= SCENARIO_MAX_STEPS; i++) strcat(yaml, "  - {cue: any, say: b}\n");
    refused(yaml, "steps: at most 64");
}

static void placeholders_stand_for_the_callers_number(void **state)
{
    (void)state;
    char out[128];
    assert_int_equal(scenario_expand("+1555{n4}", 7, out, sizeof out), PL_OK);
    assert_string_equal(out, "+15550007");
    assert_int_equal(scenario_expand("{n}, {s3}!", 42, out, sizeof out), PL_OK);
    assert_string_equal(out, "42, zero four two!");
    assert_int_equal(scenario_expand("", 1, out, sizeof out), PL_OK);
    assert_string_equal(out, "");
    static const char *const wrong[] = {"{", "{n", "{}", "{nn}", "{n12}", "a {q} b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(scenario_expand(wrong[i], 1, out, sizeof out), PL_INVALID);
        assert_string_equal(out, "");
    }
    char tight[4];
    assert_int_equal(scenario_expand("abcd", 1, tight, sizeof tight), PL_INVALID);
    assert_int_equal(scenario_expand("abc", 1, tight, sizeof tight), PL_OK);
    assert_int_equal(scenario_expand("{s9}", 1, tight, sizeof tight), PL_INVALID);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    scenario_t *scenario = NULL;
    assert_int_equal(scenario_load(&scenario, "/nonexistent/s.yaml", why, sizeof why),
                     PL_NOT_FOUND);
    assert_non_null(strstr(why, "/nonexistent/s.yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scenario_is_read_with_its_defaults),
        cmocka_unit_test(wrong_scenarios_are_refused_with_the_reason),
        cmocka_unit_test(too_many_steps_are_refused),
        cmocka_unit_test(placeholders_stand_for_the_callers_number),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(the_system_it_wants_is_printed_a_line_each),
        cmocka_unit_test(wrong_cues_and_checks_are_refused_with_the_reason),
        cmocka_unit_test(what_a_caller_by_text_can_do_more_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
