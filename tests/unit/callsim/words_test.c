#include "tools/callsim/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void punctuation_case_and_number_words_do_not_matter(void **state)
{
    (void)state;
    char out[128];
    assert_string_equal(words_normal("Building FOUR,  second-floor!", out, sizeof out),
                        "building 4 2nd floor");
    assert_string_equal(words_normal("it's a \"Dell\"", out, sizeof out), "its a dell");
    assert_string_equal(words_normal("  ...  ", out, sizeof out), "");
    assert_string_equal(words_normal("Am\xc3\xa9lie", out, sizeof out), "am\xc3\xa9lie");
}

static void a_text_that_does_not_fit_is_cut_between_words(void **state)
{
    (void)state;
    char out[8];
    assert_string_equal(words_normal("abc def ghi", out, sizeof out), "abc def");
    char tiny[1];
    assert_string_equal(words_normal("abc", tiny, sizeof tiny), "");
    char endless[300];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    char room[400];
    assert_true(strlen(words_normal(endless, room, sizeof room)) <= strlen(endless));
}

static void held_words_stand_in_order_and_side_by_side(void **state)
{
    (void)state;
    assert_true(words_hold("It is a Dell laptop, with a broken screen.", "dell laptop with a"));
    assert_true(words_hold("building 4 second floor", "Building four"));
    assert_false(words_hold("laptop dell", "dell laptop"));
    assert_false(words_hold("adell laptops", "dell laptop"));
    assert_false(words_hold(NULL, "dell"));
    assert_true(words_hold("anything", ""));
    assert_false(words_hold("14", "4"));
}

static void a_cue_matches_all_words_of_one_alternative(void **state)
{
    (void)state;
    assert_true(words_match_cue("when did you see it first", "first seen|see first"));
    assert_false(words_match_cue("when did you see it", "first seen|see first"));
    assert_true(words_match_cue("which building", "build*"));
    assert_false(words_match_cue("rebuild", "build*"));
    assert_true(words_match_cue(NULL, "any"));
    assert_false(words_match_cue(NULL, "anything"));
    assert_false(words_match_cue("some words", ""));
    assert_false(words_match_cue("some words", "|"));
    assert_true(words_match_cue("press 4", "four"));
}

static size_t spoken_words(const char *text)
{
    size_t count = 0;
    for (size_t at = 0, end; (end = words_spoken_end(text, at)) > at; at = end) count++;
    return count;
}

static void spoken_words_are_apart_by_blanks_and_chinese_ones_by_characters(void **state)
{
    (void)state;
    assert_int_equal(words_spoken_end("Hello, you.", 0), 6);
    assert_int_equal(words_spoken_end("Hello, you.", 6), 11);
    assert_int_equal(words_spoken_end("Hello, you.", 11), 11);
    assert_int_equal(words_spoken_end("", 0), 0);
    assert_int_equal(words_spoken_end("   ", 0), 0);
    assert_int_equal(spoken_words("您好，我是Parley的助手。"), 8);
    assert_int_equal(spoken_words("C'est noté : 12 h."), 5);
    assert_int_equal(spoken_words("\xff\xfe \xe4"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(punctuation_case_and_number_words_do_not_matter),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut_between_words),
        cmocka_unit_test(held_words_stand_in_order_and_side_by_side),
        cmocka_unit_test(a_cue_matches_all_words_of_one_alternative),
        cmocka_unit_test(spoken_words_are_apart_by_blanks_and_chinese_ones_by_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
