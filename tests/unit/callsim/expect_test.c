#include "tools/callsim/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static time_t at(const char *iso)
{
    time_t time = expect_iso_time(iso);
    assert_true(time > 0);
    return time;
}

static void iso_times_are_read_with_and_without_zone(void **state)
{
    (void)state;
    assert_int_equal(expect_iso_time("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(expect_iso_time("2026-11-22T08:05:09.123Z"), 1795334709);
    assert_int_equal(expect_iso_time("2026-11-22T09:05:09+01:00"), 1795334709);
    assert_int_equal(expect_iso_time("2026-11-22T02:35:09-0530"), 1795334709);
    assert_int_equal(expect_iso_time("2026-11-22 08:05"), 1795334700);
    static const char *const malformed[] = {"",
                                            "x",
                                            "2026-11-22",
                                            "2026-11-22T08",
                                            "2026-11-22T08:05+1",
                                            "2026-11-22T08:05Zx",
                                            "2026/11/22T08:05"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        assert_int_equal(expect_iso_time(malformed[i]), -1);
    }
    assert_int_equal(expect_iso_time(NULL), -1);
}

static void days_count_from_the_call_in_the_zone_of_the_stored_time(void **state)
{
    (void)state;
    expect_call_t call = {at("2026-11-22T23:30:00Z"), NULL};
    const char *wanted = "yesterday 09:00";
    assert_true(expect_met(EXPECT_DATETIME, wanted, "2026-11-21T09:00:00Z", &call));
    assert_false(expect_met(EXPECT_DATETIME, wanted, "2026-11-22T09:00:00Z", &call));
    assert_false(expect_met(EXPECT_DATETIME, wanted, "2026-11-21T09:01:00Z", &call));
    assert_false(expect_met(EXPECT_DATETIME, wanted, "2026-11-21T21:00:00Z", &call));
    /* in Paris the call was on the 23rd */
    assert_true(expect_met(EXPECT_DATETIME, wanted, "2026-11-22T09:00:00+01:00", &call));
    assert_false(expect_met(EXPECT_DATETIME, wanted, "2026-11-21T09:00:00+01:00", &call));
    assert_true(expect_met(EXPECT_DATETIME, "-3 18:30", "2026-11-19T18:30Z", &call));
    assert_true(expect_met(EXPECT_DATETIME, "10:00", "2026-11-22T10:00:00Z", &call));
    assert_true(expect_met(EXPECT_DATETIME, "2026-03-01 07:15", "2026-03-01 07:15", &call));
}

static void a_time_without_zone_is_the_callers(void **state)
{
    (void)state;
    expect_call_t call = {at("2026-11-22T12:30:00Z"), "Pacific/Auckland"}; /* the 23rd there */
    assert_true(expect_met(EXPECT_DATETIME, "yesterday 09:00", "2026-11-22T09:00", &call));
    assert_false(expect_met(EXPECT_DATETIME, "yesterday 09:00", "2026-11-21T09:00", &call));
    call.zone = NULL;
    assert_true(expect_met(EXPECT_DATETIME, "yesterday 09:00", "2026-11-21T09:00", &call));
    assert_false(expect_met(EXPECT_DATETIME, "yesterday 09:00", "2026-11-22T09:00", &call));
}

static void texts_numbers_and_addresses_are_compared_each_in_their_way(void **state)
{
    (void)state;
    const expect_call_t none = {0, NULL};
    assert_true(expect_met(EXPECT_TEXT, "Dell laptop", "it is a dell laptop", &none));
    assert_false(expect_met(EXPECT_TEXT, "Dell laptop", NULL, &none));
    assert_true(expect_met(EXPECT_PHONE_NUMBER, "+1555 0107", "+15550107", &none));
    assert_false(expect_met(EXPECT_PHONE_NUMBER, "+15550107", "+155501070", &none));
    assert_true(expect_met(EXPECT_EMAIL, "John@Example.com", "john@example.com", &none));
    assert_false(expect_met(EXPECT_EMAIL, "john@example.com", "jon@example.com", &none));
}

static void an_expectation_that_can_never_be_met_is_refused(void **state)
{
    (void)state;
    assert_true(expect_valid(EXPECT_DATETIME, "yesterday 09:00"));
    assert_true(expect_valid(EXPECT_DATETIME, "-12 23:59"));
    assert_false(expect_valid(EXPECT_DATETIME, "yesterday"));
    assert_false(expect_valid(EXPECT_DATETIME, "tomorrow 09:00"));
    assert_false(expect_valid(EXPECT_DATETIME, "24:00"));
    assert_false(expect_valid(EXPECT_DATETIME, "-x 09:00"));
    assert_false(expect_valid(EXPECT_DATETIME, "yesterdayyesterdayyesterdayyesterdayyes 09:00"));
    assert_true(expect_valid(EXPECT_TEXT, "a"));
    assert_false(expect_valid(EXPECT_TEXT, " . "));
    expect_kind_t kind;
    assert_true(expect_kind_parse("phone_number", &kind));
    assert_int_equal(kind, EXPECT_PHONE_NUMBER);
    assert_false(expect_kind_parse("date", &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_times_are_read_with_and_without_zone),
        cmocka_unit_test(days_count_from_the_call_in_the_zone_of_the_stored_time),
        cmocka_unit_test(a_time_without_zone_is_the_callers),
        cmocka_unit_test(texts_numbers_and_addresses_are_compared_each_in_their_way),
        cmocka_unit_test(an_expectation_that_can_never_be_met_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
