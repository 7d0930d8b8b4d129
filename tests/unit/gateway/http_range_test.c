#include "services/gateway/http_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_part(const char *header, uint64_t first, uint64_t last)
{
    uint64_t a = 0, b = 0;
    assert_int_equal(http_range_parse(header, 1000, &a, &b), HTTP_RANGE_PART);
    assert_int_equal(a, first);
    assert_int_equal(b, last);
}

static void one_range_is_cut_to_what_there_is(void **state)
{
    (void)state;
    is_part("bytes=0-", 0, 999);
    is_part("bytes=0-0", 0, 0);
    is_part("bytes=10-19", 10, 19);
    is_part("bytes=990-5000", 990, 999);
    is_part("bytes=-1", 999, 999);
    is_part("bytes=-5000", 0, 999);
    is_part("Bytes=1-2", 1, 2);
    is_part("bytes=0-99999999999999999999999999", 0, 999);
}

static void what_lies_behind_the_end_cannot_be(void **state)
{
    (void)state;
    static const char *const bad[] = {"bytes=1000-", "bytes=1000-2000", "bytes=-0",
                                      "bytes=99999999999999999999999999-"};
    uint64_t a = 7, b = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(http_range_parse(bad[i], 1000, &a, &b), HTTP_RANGE_UNSATISFIABLE);
    }
    assert_int_equal(http_range_parse("bytes=0-", 0, &a, &b), HTTP_RANGE_UNSATISFIABLE);
    assert_int_equal(http_range_parse("bytes=-5", 0, &a, &b), HTTP_RANGE_UNSATISFIABLE);
}

static void what_is_no_single_range_of_bytes_is_passed_over(void **state)
{
    (void)state;
    static const char *const other[] = {"bytes=",     "bytes=-",   "bytes=a-b",     "bytes=1",
                                        "bytes=5-4",  "items=0-1", "bytes=0-1,3-4", "bytes= 0-1",
                                        "bytes=0-1 ", "bytes=--1", "bytes=1-2-3",   ""};
    uint64_t a = 7, b = 7;
    assert_int_equal(http_range_parse(NULL, 1000, &a, &b), HTTP_RANGE_NONE);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_int_equal(http_range_parse(other[i], 1000, &a, &b), HTTP_RANGE_NONE);
    }
    assert_int_equal(a, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_cut_to_what_there_is),
        cmocka_unit_test(what_lies_behind_the_end_cannot_be),
        cmocka_unit_test(what_is_no_single_range_of_bytes_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
