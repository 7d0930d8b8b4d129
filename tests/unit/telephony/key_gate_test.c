#include "services/telephony/key_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void each_press_of_one_way_is_a_key(void **state)
{
    (void)state;
    key_gate_t gate = {0};
    assert_true(key_gate_passes(&gate, 1000, KEY_BY_MEDIA, '5'));
    assert_true(key_gate_passes(&gate, 1100, KEY_BY_MEDIA, '5'));
    assert_true(key_gate_passes(&gate, 1200, KEY_BY_MEDIA, '6'));
    gate = (key_gate_t){0};
    assert_true(key_gate_passes(&gate, 1000, KEY_BY_INFO, '5'));
    assert_true(key_gate_passes(&gate, 1100, KEY_BY_INFO, '5'));
}

static void a_key_told_in_both_ways_is_one(void **state)
{
    (void)state;
    key_gate_t gate = {0};
    assert_true(key_gate_passes(&gate, 1000, KEY_BY_MEDIA, '5'));
    assert_false(key_gate_passes(&gate, 1080, KEY_BY_INFO, '5'));
    assert_false(key_gate_passes(&gate, 1400, KEY_BY_MEDIA, '5')); /* pressed again */
    assert_true(key_gate_passes(&gate, 1480, KEY_BY_INFO, '5'));
    assert_true(key_gate_passes(&gate, 2000, KEY_BY_INFO, '5')); /* and once more */
    assert_false(key_gate_passes(&gate, 2080, KEY_BY_MEDIA, '5'));

    gate = (key_gate_t){0}; /* INFO first: it is sent when the key goes down */
    assert_true(key_gate_passes(&gate, 1000, KEY_BY_INFO, '1'));
    assert_false(key_gate_passes(&gate, 1900, KEY_BY_MEDIA, '1'));
    assert_true(key_gate_passes(&gate, 2000, KEY_BY_INFO, '1'));
    assert_false(key_gate_passes(&gate, 2900, KEY_BY_MEDIA, '1'));
}

static void another_way_much_later_is_another_press(void **state)
{
    (void)state;
    key_gate_t gate = {0};
    assert_true(key_gate_passes(&gate, 1000, KEY_BY_MEDIA, '5'));
    assert_true(key_gate_passes(&gate, 1000 + KEY_GATE_MS, KEY_BY_INFO, '5'));
    assert_true(key_gate_passes(&gate, 2600, KEY_BY_MEDIA, '7'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_press_of_one_way_is_a_key),
        cmocka_unit_test(a_key_told_in_both_ways_is_one),
        cmocka_unit_test(another_way_much_later_is_another_press),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
