/* lru_test.c - what is kept, for how long, and what goes first. */
#include "common/lru.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void is_kept(pl_lru_t *lru, const char *key, uint64_t now_ms, const char *value)
{
    size_t size = 0;
    const char *got = pl_lru_get(lru, key, now_ms, &size);
    if (!value) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    assert_int_equal(size, strlen(value));
    assert_memory_equal(got, value, size);
}

static void put(pl_lru_t *lru, const char *key, const char *value, uint64_t until_ms)
{
    pl_lru_put(lru, key, value, strlen(value), until_ms);
}

static void what_was_used_least_goes_first(void **state)
{
    (void)state;
    pl_lru_t *lru = pl_lru_new(3, 100000);
    put(lru, "a", "1", 10);
    put(lru, "b", "2", 10);
    put(lru, "c", "3", 10);
    is_kept(lru, "a", 0, "1");
    put(lru, "d", "4", 10);
    is_kept(lru, "b", 0, NULL);
    is_kept(lru, "a", 0, "1");
    put(lru, "a", "again", 10);
    is_kept(lru, "a", 0, "again");
    assert_int_equal(pl_lru_count(lru), 3);
    pl_lru_destroy(&lru);
}

static void what_is_kept_ends_at_its_time(void **state)
{
    (void)state;
    pl_lru_t *lru = pl_lru_new(10, 100000);
    put(lru, "a", "1", 1000);
    is_kept(lru, "a", 999, "1");
    is_kept(lru, "a", 1000, NULL);
    assert_int_equal(pl_lru_count(lru), 0);
    put(lru, "", "", UINT64_MAX);
    is_kept(lru, "", 5, "");
    pl_lru_destroy(&lru);
}

static void bytes_are_bounded_too(void **state)
{
    (void)state;
    pl_lru_t *lru = pl_lru_new(1000, 10000);
    char value[1000];
    memset(value, 'x', sizeof value);
    for (int i = 0; i < 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%d", i);
        pl_lru_put(lru, key, value, sizeof value, 10);
    }
    assert_true(pl_lru_count(lru) > 5 && pl_lru_count(lru) < 10);
    char *large = calloc(1, 20000);
    assert_non_null(large);
    pl_lru_put(lru, "large", large, 20000, 10);
    is_kept(lru, "large", 0, NULL);
    free(large);
    pl_lru_destroy(&lru);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_used_least_goes_first),
        cmocka_unit_test(what_is_kept_ends_at_its_time),
        cmocka_unit_test(bytes_are_bounded_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
