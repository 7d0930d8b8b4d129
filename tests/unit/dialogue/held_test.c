/* held_test.c - what reaches outside waits until the store knows that it was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "services/dialogue/held.h"

static effect_t *made(effects_t *fx, fx_kind_t kind, asked_t asked, const char *tool_id)
{
    effect_t *effect = fx_add(fx, kind);
    effect->asked = asked;
    effect->tool_id = strdup(tool_id);
    return fx_take(fx);
}

static void only_what_cannot_be_taken_back_waits(void **state)
{
    (void)state;
    static const struct {
        fx_kind_t kind;
        asked_t asked;
        bool waits;
    } cases[] = {
        {FX_POST, ASKED_DIAL, true},       {FX_REQUEST, ASKED_SMS, true},
        {FX_REQUEST, ASKED_ALERT, true},   {FX_REQUEST, ASKED_SEARCH, false},
        {FX_REQUEST, ASKED_HANGUP, false}, {FX_EVENT, ASKED_DIAL, false},
        {FX_STORE, ASKED_DIAL, false},
    };
    effects_t fx = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        effect_t *effect = made(&fx, cases[i].kind, cases[i].asked, "t");
        assert_int_equal(held_wants(effect), cases[i].waits);
        fx_free(&effect);
    }
}

static void they_keep_their_order_and_are_late_after_three_seconds(void **state)
{
    (void)state;
    effects_t fx = {0};
    held_t *held = held_new();
    assert_true(held_due_ms(held) == UINT64_MAX);
    assert_null(held_take_late(held, UINT64_MAX));
    effect_t *one = made(&fx, FX_POST, ASKED_DIAL, "1");
    effect_t *two = made(&fx, FX_POST, ASKED_DIAL, "2");
    held_add(held, &one, 1000);
    held_add(held, &two, 1500);
    assert_null(one);
    assert_true(held_due_ms(held) == 1000 + HELD_MS);
    assert_null(held_take_late(held, 999 + HELD_MS));
    effect_t *effect = held_take_late(held, 1000 + HELD_MS);
    assert_string_equal(effect->tool_id, "1");
    fx_free(&effect);
    effect = held_take(held);
    assert_string_equal(effect->tool_id, "2");
    held_add(held, &effect, 9000);
    assert_true(held_due_ms(held) == 9000 + HELD_MS);
    held_destroy(&held); /* with one in it */
    held_destroy(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_cannot_be_taken_back_waits),
        cmocka_unit_test(they_keep_their_order_and_are_late_after_three_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
