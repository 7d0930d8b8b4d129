/* utterances_test.c - what is told once more to a new owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/speech/utterances.h"

static uint64_t keep(utterances_t *self, uint64_t now_ms, const char *text)
{
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)text;
    utterances_keep(self, now_ms, &utterance);
    return utterance.heard_id;
}

static void what_was_said_lately_is_kept_in_order_under_ids_of_its_own(void **state)
{
    (void)state;
    utterances_t *self = utterances_new();
    uint64_t first = keep(self, 1000, "building four");
    uint64_t none = keep(self, 2000, ""); /* a cough is told once */
    uint64_t second = keep(self, 3000, "yes");
    assert_true(first && none && second && first != none && second != none);
    size_t n = 0;
    Pl__Utterance *const *kept = utterances_recent(self, 4000, &n);
    assert_int_equal(n, 2);
    assert_string_equal(kept[0]->text, "building four");
    assert_true(kept[0]->heard_id == first && kept[1]->heard_id == second);
    (void)utterances_recent(self, 1000 + UTTERANCES_LIFE_MS, &n);
    assert_int_equal(n, 1); /* an owner that is lost now has long noted the first */
    utterances_destroy(&self);
    utterances_destroy(&self);
}

static void of_many_the_newest_are_kept(void **state)
{
    (void)state;
    utterances_t *self = utterances_new();
    for (int i = 0; i < 3 * UTTERANCES_MAX; i++) (void)keep(self, 1000, i < 20 ? "old" : "new");
    size_t n = 0;
    Pl__Utterance *const *kept = utterances_recent(self, 1000, &n);
    assert_int_equal(n, UTTERANCES_MAX);
    assert_string_equal(kept[0]->text, "old");
    assert_string_equal(kept[UTTERANCES_MAX - 1]->text, "new");
    utterances_destroy(&self);
}

static void ids_of_two_streams_differ(void **state)
{
    (void)state;
    utterances_t *one = utterances_new();
    utterances_t *two = utterances_new();
    assert_true(keep(one, 1, "a") != keep(two, 1, "a"));
    utterances_destroy(&one);
    utterances_destroy(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_lately_is_kept_in_order_under_ids_of_its_own),
        cmocka_unit_test(of_many_the_newest_are_kept),
        cmocka_unit_test(ids_of_two_streams_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
