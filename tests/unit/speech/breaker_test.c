/* breaker_test.c - when a service that failed is asked again, and how long it usually takes. */
#include "services/speech/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_few_failures_in_a_row_open_it(void **state)
{
    (void)state;
    breaker_t b = {0};
    for (int i = 0; i < BREAKER_FAILURES - 1; i++) breaker_failed(&b, 1000);
    assert_true(breaker_open(&b, 1000));
    breaker_succeeded(&b, 50);
    for (int i = 0; i < BREAKER_FAILURES - 1; i++) breaker_failed(&b, 2000);
    assert_true(breaker_open(&b, 2000));
    breaker_failed(&b, 2000);
    assert_false(breaker_open(&b, 2000));
    assert_false(breaker_open(&b, 2000 + BREAKER_REST_MS - 1));
    assert_true(breaker_open(&b, 2000 + BREAKER_REST_MS));
}

static void one_try_at_a_time_decides_whether_it_is_back(void **state)
{
    (void)state;
    breaker_t b = {0};
    for (int i = 0; i < BREAKER_FAILURES; i++) breaker_failed(&b, 0);
    uint64_t now = BREAKER_REST_MS;
    breaker_asked(&b, now);
    assert_false(breaker_open(&b, now + 100)); /* the try is under way */
    breaker_failed(&b, now + 200);
    assert_false(breaker_open(&b, now + 200 + BREAKER_REST_MS)); /* twice as long */
    now = now + 200 + 2 * BREAKER_REST_MS;
    assert_true(breaker_open(&b, now));
    breaker_asked(&b, now);
    breaker_succeeded(&b, 40);
    assert_true(breaker_open(&b, now));
    breaker_failed(&b, now); /* and counts from the beginning */
    assert_true(breaker_open(&b, now));
}

static void a_try_whose_end_nobody_told_does_not_block_for_ever(void **state)
{
    (void)state;
    breaker_t b = {0};
    for (int i = 0; i < BREAKER_FAILURES; i++) breaker_failed(&b, 0);
    breaker_asked(&b, BREAKER_REST_MS);
    assert_false(breaker_open(&b, BREAKER_REST_MS + 10000));
    assert_true(breaker_open(&b, BREAKER_REST_MS + 60000));
    breaker_asked(&b, BREAKER_REST_MS + 60000);
    breaker_forgot(&b); /* cancelled */
    assert_true(breaker_open(&b, BREAKER_REST_MS + 60001));
}

static void the_rest_has_an_end(void **state)
{
    (void)state;
    breaker_t b = {0};
    uint64_t now = 0;
    for (int i = 0; i < 40; i++) breaker_failed(&b, now);
    assert_true(breaker_open(&b, now + BREAKER_REST_MAX_MS));
}

static void the_percentile_is_of_its_own_recent_times(void **state)
{
    (void)state;
    breaker_t b = {0};
    for (uint32_t i = 0; i < BREAKER_TIMES_LEAST - 1; i++) breaker_succeeded(&b, 100);
    assert_int_equal(breaker_p95_ms(&b), 0); /* too few */
    breaker_succeeded(&b, 900);
    assert_int_equal(breaker_p95_ms(&b), 100);
    breaker_succeeded(&b, 900);
    breaker_succeeded(&b, 900);
    assert_int_equal(breaker_p95_ms(&b), 900);
    for (uint32_t i = 0; i < BREAKER_TIMES; i++) breaker_succeeded(&b, 40); /* long ago */
    assert_int_equal(breaker_p95_ms(&b), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_failures_in_a_row_open_it),
        cmocka_unit_test(one_try_at_a_time_decides_whether_it_is_back),
        cmocka_unit_test(a_try_whose_end_nobody_told_does_not_block_for_ever),
        cmocka_unit_test(the_rest_has_an_end),
        cmocka_unit_test(the_percentile_is_of_its_own_recent_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
