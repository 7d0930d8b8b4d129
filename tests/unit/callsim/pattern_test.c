#include "tools/callsim/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void key_words_are_matched_as_cues(void **state)
{
    (void)state;
    assert_true(pattern_match("Which laptop is it?", "phone|laptop"));
    assert_false(pattern_match("Which laptops are they?", "phone|laptop"));
    assert_true(pattern_match(NULL, "any"));
}

static void an_expression_is_searched_for_whatever_the_case(void **state)
{
    (void)state;
    assert_true(pattern_match("Policy number B 42.", "/policy number [a-z] ?4[0-9]/"));
    assert_false(pattern_match("Policy number B 52.", "/policy number [a-z] ?4[0-9]/"));
    assert_true(pattern_match("Votre NUMÉRO", "/numéro/"));
    assert_true(pattern_match("请告诉我您的保单号码。", "/保单(号码)?/"));
    assert_false(pattern_match(NULL, "/.*/"));
}

static void a_broken_expression_is_told_and_matches_nothing(void **state)
{
    (void)state;
    char why[128] = "";
    assert_false(pattern_valid("/a(b/", why, sizeof why));
    assert_true(why[0] != '\0');
    assert_false(pattern_match("a(b", "/a(b/"));
    assert_false(pattern_valid("/unfinished", why, sizeof why));
    assert_false(pattern_valid("//", why, sizeof why));
    assert_true(pattern_valid("/a|b/", why, sizeof why));
    assert_true(pattern_valid("any", why, sizeof why));
    char endless[PATTERN_BYTES + 8];
    memset(endless, 'a', sizeof endless - 1);
    endless[0] = endless[sizeof endless - 2] = '/';
    endless[sizeof endless - 1] = '\0';
    assert_false(pattern_valid(endless, why, sizeof why));
    assert_false(pattern_match("a", endless));
}

int main(void)
{
    pattern_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_words_are_matched_as_cues),
        cmocka_unit_test(an_expression_is_searched_for_whatever_the_case),
        cmocka_unit_test(a_broken_expression_is_told_and_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
