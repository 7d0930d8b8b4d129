#include "tools/parley/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_first_death_is_mended_at_once_and_later_ones_ever_more_slowly(void **state)
{
    (void)state;
    static const uint32_t waits[] = {0, 500, 1000, 2000, 5000, 5000, 5000};
    backoff_t backoff = {0};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        assert_int_equal(backoff_died(&backoff, 100), waits[i]);
    }
}

static void a_steady_run_forgets_former_deaths(void **state)
{
    (void)state;
    backoff_t backoff = {0};
    assert_int_equal(backoff_died(&backoff, 0), 0);
    assert_int_equal(backoff_died(&backoff, 29999), 500);
    assert_int_equal(backoff_died(&backoff, 30000), 0);
    assert_int_equal(backoff_died(&backoff, 0), 500);
}

static void it_never_overflows(void **state)
{
    (void)state;
    backoff_t backoff = {.deaths = UINT32_MAX};
    assert_int_equal(backoff_died(&backoff, 0), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_death_is_mended_at_once_and_later_ones_ever_more_slowly),
        cmocka_unit_test(a_steady_run_forgets_former_deaths),
        cmocka_unit_test(it_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
