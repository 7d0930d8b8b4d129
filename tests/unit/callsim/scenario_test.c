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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
