/* reminder_query_test.c - what clients ask of reminders. */
#include "services/gateway/reminder_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void moments_are_now_or_have_a_zone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"now", 7},
        {"2026-11-21T09:00:00Z", 1795251600000},
        {"2026-11-21t09:00:00.123z", 1795251600000},
        {"2026-11-21T09:00:00+01:00", 1795248000000},
        {"2026-11-21T09:00:00 01:00", 1795248000000}, /* a raw plus in a query */
        {"2026-11-21T09:00:00-00:30", 1795253400000},
        {"2026-11-21", -1},
        {"2026-11-21T09:00:00", -1},
        {"2026-11-21T09:00Z", -1},
        {"2026-13-21T09:00:00Z", -1},
        {"2026-11-21T24:00:00Z", -1},
        {"2026-11-21T09:00:00Zx", -1},
        {"2026-11-21T09:00:00+15:00", -1},
        {"-026-11-21T09:00:00Z", -1},
        {"", -1},
        {"soon", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        bool good = reminder_due_before(cases[i].text, 7, &ms);
        if (good != (cases[i].ms >= 0)) fail_msg("%s", cases[i].text);
        if (good) assert_int_equal(ms, cases[i].ms);
    }
}

static void states_are_known_by_name(void **state)
{
    (void)state;
    Pl__ReminderState states[REMINDER_STATES];
    size_t count = 9;
    assert_true(reminder_states("all", states, &count));
    assert_int_equal(count, 0);
    assert_true(reminder_states("ended", states, &count));
    assert_int_equal(count, 1);
    assert_int_equal(states[0], PL__REMINDER_STATE__REMINDER_ENDED);
    assert_false(reminder_states("closed", states, &count));
}

static void bodies_are_checked_by_field(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "7",
        "{}",
        "{\"call_id\":\"x\",\"title\":\"y\"}",
        "{\"call_id\":\"11111111-1111-4111-8111-111111111111\",\"title\":\"\"}",
        "{\"call_id\":\"11111111-1111-4111-8111-111111111111\",\"title\":[]}",
    };
    char *id = NULL;
    char *title = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        problems_t problems = {0};
        assert_int_equal(reminder_end_from_json(bad[i], strlen(bad[i]), &id, &title, &problems),
                         PL_INVALID);
        assert_true(problems.count > 0);
        problems_free(&problems);
    }
    problems_t problems = {0};
    static const char good[] =
        "{\"call_id\":\"11111111-1111-4111-8111-111111111111\",\"title\":\"Call\",\"more\":1}";
    assert_int_equal(reminder_end_from_json(good, sizeof good - 1, &id, &title, &problems), PL_OK);
    assert_string_equal(title, "Call");
    free(id);
    free(title);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_now_or_have_a_zone),
        cmocka_unit_test(states_are_known_by_name),
        cmocka_unit_test(bodies_are_checked_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
