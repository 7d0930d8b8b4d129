/* zone_test.c - wall clocks, and the zones of phone numbers. */
#include "common/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void shows(const char *zone, int64_t wall_ms, const char *want)
{
    char text[64];
    pl_zone_time_t at = pl_zone_time(zone, wall_ms);
    (void)snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d %d %s", at.year, at.month,
                   at.day, at.hour, at.minute, at.second, at.weekday, at.abbreviation);
    assert_string_equal(text, want);
}

static void a_moment_is_shown_as_the_wall_clock_of_its_zone(void **state)
{
    (void)state;
    int64_t winter = 1772528700000; /* 2026-03-03T09:05:00Z, a Tuesday */
    int64_t summer = 1782896400000; /* 2026-07-01T09:00:00Z */
    shows("Europe/Paris", winter, "2026-03-03 10:05:00 2 CET");
    shows("Europe/Paris", summer, "2026-07-01 11:00:00 3 CEST");
    shows("America/New_York", winter, "2026-03-03 04:05:00 2 EST");
    shows("Asia/Kathmandu", winter, "2026-03-03 14:50:00 2 +0545");
    shows("Pacific/Auckland", summer, "2026-07-01 21:00:00 3 NZST");
    shows("UTC", winter, "2026-03-03 09:05:00 2 UTC");
    shows("Pacific/Kiritimati", 1772528700000 + 14 * 3600000LL, "2026-03-04 13:05:00 3 +14");
    shows("UTC", -1000, "1969-12-31 23:59:59 3 UTC");
    shows("America/New_York", 0, "1969-12-31 19:00:00 3 EST");
}

static void an_unknown_zone_is_shown_as_utc_and_no_file_is_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",          "Mars/Olympus",   "/etc/passwd", "../etc/passwd",
        "Europe/..", "Europe/Paris\n", "Europe",      "a b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (pl_zone_known(wrong[i])) fail_msg("%s", wrong[i]);
        shows(wrong[i], 1772528700000, "2026-03-03 09:05:00 2 UTC");
    }
    assert_true(pl_zone_known("Europe/Paris"));
    assert_true(pl_zone_known("UTC"));
}

static void a_wall_clock_is_a_moment(void **state)
{
    (void)state;
    int64_t nine = 1772528700; /* 2026-03-03 09:05:00 on some wall */
    assert_int_equal(pl_zone_moment("UTC", nine), nine * 1000);
    assert_int_equal(pl_zone_moment("Europe/Paris", nine), (nine - 3600) * 1000);
    assert_int_equal(pl_zone_moment("America/New_York", nine), (nine + 5 * 3600) * 1000);
    /* 2026-03-29 02:30 does not exist in Paris, 2026-10-25 02:30 there is twice. */
    assert_int_equal(pl_zone_moment("Europe/Paris", 1774751400), 1774751400000 - 3600000);
    assert_int_equal(pl_zone_moment("Europe/Paris", 1792895400), 1792895400000 - 3600000);
    assert_int_equal(pl_zone_moment("Mars/Olympus", nine), nine * 1000);
}

static void more_zones_than_are_kept_are_still_right(void **state)
{
    (void)state;
    /* Two rounds through many numbers' zones. */
    for (int round = 0; round < 2; round++) {
        for (int code = 20; code < 1000; code++) {
            char number[24];
            (void)snprintf(number, sizeof number, "+%d55500000", code);
            const char *zone = pl_zone_of_number(number);
            if (zone) (void)pl_zone_time(zone, 1772528700000);
        }
    }
    shows("Europe/Paris", 1772528700000, "2026-03-03 10:05:00 2 CET");
}

static void numbers_are_where_their_country_is(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"+33612345678", "Europe/Paris"},        {"+442071838750", "Europe/London"},
        {"+4915112345678", "Europe/Berlin"},     {"+8613800138000", "Asia/Shanghai"},
        {"+35312345678", "Europe/Dublin"},       {"+351292123456", "Atlantic/Azores"},
        {"+262639123456", "Indian/Mayotte"},     {"+262692123456", "Indian/Reunion"},
        {"+74951234567", "Europe/Moscow"},       {"+77011234567", "Asia/Almaty"},
        {"+74232123456", "Asia/Vladivostok"},    {"+61892345678", "Australia/Perth"},
        {"+61312345678", "Australia/Melbourne"}, {"+61412345678", "Australia/Sydney"},
        {"+5592912345678", "America/Manaus"},    {"+5511912345678", "America/Sao_Paulo"},
        {"+12125550123", "America/New_York"},    {"+13125550123", "America/Chicago"},
        {"+13035550123", "America/Denver"},      {"+16025550123", "America/Phoenix"},
        {"+14155550123", "America/Los_Angeles"}, {"+19075550123", "America/Anchorage"},
        {"+18085550123", "Pacific/Honolulu"},    {"+14165550123", "America/Toronto"},
        {"+15145550123", "America/Toronto"},     {"+16045550123", "America/Vancouver"},
        {"+17095550123", "America/St_Johns"},    {"+17875550123", "America/Puerto_Rico"},
        {"+18765550123", "America/Jamaica"},     {"+11234567890", "America/New_York"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *zone = pl_zone_of_number(rows[i][0]);
        if (!zone || strcmp(zone, rows[i][1]) != 0) fail_msg("%s: %s", rows[i][0], zone);
    }
}

static void what_has_no_place_has_no_zone(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "anonymous",
                                       "33612345678",
                                       "+",
                                       "+33 612",
                                       "+18005550123",
                                       "+19005550123",
                                       "+15005550123",
                                       "+80012345678",
                                       "+881612345678",
                                       "+97912345678",
                                       "+999123456"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (pl_zone_of_number(rows[i])) fail_msg("%s: %s", rows[i], pl_zone_of_number(rows[i]));
    }
}

/* Every geographic country code of ITU-T E.164. */
static void every_country_has_a_zone_that_the_system_knows(void **state)
{
    (void)state;
    static const int codes[] = {
        1,   7,   20,  27,  30,  31,  32,  33,  34,  36,  39,  40,  41,  43,  44,  45,  46,  47,
        48,  49,  51,  52,  53,  54,  55,  56,  57,  58,  60,  61,  62,  63,  64,  65,  66,  81,
        82,  84,  86,  90,  91,  92,  93,  94,  95,  98,  211, 212, 213, 216, 218, 220, 221, 222,
        223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240,
        241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258,
        260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 290, 291, 297, 298, 299, 350, 351, 352,
        353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 380,
        381, 382, 383, 385, 386, 387, 389, 420, 421, 423, 500, 501, 502, 503, 504, 505, 506, 507,
        508, 509, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 670, 672, 673, 674, 675, 676,
        677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688, 689, 690, 691, 692, 850, 852, 853,
        855, 856, 880, 886, 960, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974,
        975, 976, 977, 992, 993, 994, 995, 996, 998};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        /* Numbers all over its plan. */
        for (int area = 0; area < 1000; area += 7) {
            char number[24];
            (void)snprintf(number, sizeof number, "+%d%03d5550", codes[i], area);
            const char *zone = pl_zone_of_number(number);
            bool free_number = codes[i] == 1 && !zone;
            if (!free_number && !zone) fail_msg("%s has no zone", number);
            if (zone && area % 70 == 0 && !pl_zone_known(zone)) fail_msg("%s is unknown", zone);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_shown_as_the_wall_clock_of_its_zone),
        cmocka_unit_test(an_unknown_zone_is_shown_as_utc_and_no_file_is_read),
        cmocka_unit_test(a_wall_clock_is_a_moment),
        cmocka_unit_test(more_zones_than_are_kept_are_still_right),
        cmocka_unit_test(numbers_are_where_their_country_is),
        cmocka_unit_test(what_has_no_place_has_no_zone),
        cmocka_unit_test(every_country_has_a_zone_that_the_system_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
