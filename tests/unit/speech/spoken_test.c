/* spoken_test.c - what is written, as it is said; and the small text helpers around it. */
#include "services/speech/spoken.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "services/speech/clause.h"
#include "services/speech/heard.h"
#include "services/speech/plain.h"

static void says(const char *text, const char *expected)
{
    char *said = spoken_text(text, "en-US", NULL);
    assert_string_equal(said, expected);
    free(said);
}

static void plain_sentences_stay_as_they_are(void **state)
{
    (void)state;
    says("Hello, this is Amelia. How can I help?", "Hello, this is Amelia. How can I help?");
    says("It's John's, isn't it?", "It's John's, isn't it?");
    says("  two   spaces \n and a line ", "two spaces and a line");
    says("", "");
}

static void telephone_numbers_are_read_digit_by_digit(void **state)
{
    (void)state;
    says("Call +33612345678 now.",
         "Call plus three three six, one two three, four five six, seven eight now.");
    says("+1 555-010-9988", "plus one, five five five, zero one zero, nine nine eight eight");
    says("06 12 34 56 78.", "zero six, one two, three four, five six, seven eight.");
    says("0612345678", "zero six one, two three four, five six seven eight");
    says("from 12 to 13", "from twelve to thirteen");
}

static void times_sound_like_times(void **state)
{
    (void)state;
    says("at 9:05", "at nine oh five");
    says("at 9:00.", "at nine o'clock.");
    says("at 14:30", "at fourteen thirty");
    says("at 9:30 AM", "at nine thirty A M");
    says("at 9am", "at nine A M");
    says("at 5 p.m. today", "at five P M today");
    says("at 25:00", "at twenty five:00");
}

static void dates_sound_like_dates(void **state)
{
    (void)state;
    says("since 2026-11-21.", "since November twenty first, twenty twenty six.");
    says("2026-03-03T09:05", "March third, twenty twenty six at nine oh five");
    says("2026-03-03T09:05:00Z", "March third, twenty twenty six at nine oh five");
    says("on the 3rd", "on the third");
    says("the 21st of May 1984", "the twenty first of May nineteen eighty four");
    says("in 2005", "in two thousand five");
    says("2026-13-45", "two thousand twenty six- thirteen- forty five");
}

static void numbers_are_words(void **state)
{
    (void)state;
    says("7 laptops", "seven laptops");
    says("105", "one hundred and five");
    says("1,234,567", "one million two hundred and thirty four thousand five hundred and sixty "
                      "seven");
    says("3.14", "three point one four");
    says("50% off", "fifty percent off");
    says("$25", "twenty five dollars");
    says("$1", "one dollar");
    says("\xe2\x82\xac"
         "30",
         "thirty euros");
    says("007", "zero zero seven");
    says("18446744073709551615999", "one eight four four six seven four four zero seven three "
                                    "seven zero nine five five one six one five nine nine nine");
}

static void addresses_are_spoken(void **state)
{
    (void)state;
    says("john.smith@example.com", "john dot smith at example dot com");
    says("Write to j_s-2@mail.org.", "Write to j underscore s dash two at mail dot org.");
    says("See https://www.example.com/help/.", "See w w w dot example dot com slash help.");
    says("at example.com today", "at example dot com today");
    says("e.g. this", "for example this");
    says("policy AB12C", "policy a b one two c");
}

static void markup_is_not_spoken(void **state)
{
    (void)state;
    says("**Bold** and `code`", "Bold and code");
    says("# Title\n- one\n- two", "Title one two");
    says("<speak>Hello<break time=\"1s\"/> you</speak>", "Hello you");
    says("see [the page](https://example.com)", "see the page");
    says("3 < 4", "three four");
    says("you & me", "you and me");
    says("and/or", "and or");
}

static void other_languages_keep_their_figures(void **state)
{
    (void)state;
    char *said = spoken_text("Rendez-vous \xc3\xa0 9:05, **demain**", "fr-FR", NULL);
    assert_string_equal(said, "Rendez-vous \xc3\xa0 9:05, demain");
    free(said);
}

static void no_input_breaks_it(void **state)
{
    (void)state;
    static const char alphabet[] = "+0123456789:.-@/$%#*<>()[]aT mM,_\xc3\xa9\xe2\x82\xac\n";
    uint32_t seed = 12345;
    for (int i = 0; i < 20000; i++) {
        char text[40];
        size_t bytes = (size_t)(i % (int)sizeof text);
        for (size_t c = 0; c < bytes; c++) {
            seed = seed * 1664525u + 1013904223u;
            text[c] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        text[bytes < sizeof text ? bytes : sizeof text - 1] = '\0';
        char *said = spoken_text(text, "en", NULL);
        assert_non_null(said);
        free(said);
    }
}

static void long_sentences_are_cut_at_clauses(void **state)
{
    (void)state;
    const char *brief = "A short sentence, with a comma.";
    assert_int_equal(clause_bytes(brief), strlen(brief));
    const char *text = "This is a long sentence with a clause, and another clause that makes it "
                       "longer than the eighty characters, which it is now.";
    size_t first = clause_bytes(text);
    assert_int_equal(first, strlen("This is a long sentence with a clause,"));
    assert_int_equal(clause_bytes(""), 0);
    char endless[2000];
    memset(endless, 'a', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    for (const char *rest = endless; *rest;) {
        size_t bytes = clause_bytes(rest);
        assert_in_range(bytes, 1, CLAUSE_MOST_BYTES);
        rest += bytes;
    }
}

/* What of the text was said with the first words of what is spoken. */
static void assert_source(const char *text, const char *words, const char *source)
{
    size_t *map = NULL;
    char *said = spoken_text(text, "en-US", &map);
    const char *found = strstr(said, words);
    if (!found) fail_msg("%s", said);
    size_t bytes = map[(size_t)(found - said) + strlen(words) - 1];
    if (strlen(source) != bytes || strncmp(text, source, bytes) != 0)
        fail_msg("\"%.*s\" of \"%s\"", (int)bytes, text, text);
    free(said);
    free(map);
}

static void what_is_spoken_is_known_to_be_which_part_of_the_text(void **state)
{
    (void)state;
    assert_source("Hello there, friend.", "Hello there", "Hello there");
    assert_source("Hello there, friend.", "friend.", "Hello there, friend.");
    assert_source("It is **very** late.", "very", "It is **very**");
    assert_source("It is **very** late.", "late.", "It is **very** late.");
    assert_source("Room 25 is free", "twenty five", "Room 25");
    assert_source("Room 25 is free", "is", "Room 25 is");
    assert_source("It costs 20% more, a lot", "percent", "It costs 20%");
    assert_source("It costs 20% more, a lot", "a lot", "It costs 20% more, a lot");
    size_t *map = NULL;
    char *said = spoken_text("", "en-US", &map);
    assert_string_equal(said, "");
    free(said);
    free(map);
}

static void words_are_heard_whole(void **state)
{
    (void)state;
    const char *text = "Call +33 612 345 678, or write";
    assert_int_equal(heard_whole_words(text, 4), 4);
    assert_int_equal(heard_whole_words(text, 5), 4);
    assert_int_equal(heard_whole_words(text, 10), 8); /* within a group */
    assert_int_equal(heard_whole_words(text, 12), 12);
    assert_int_equal(heard_whole_words(text, strlen(text)), strlen(text));
    assert_int_equal(heard_whole_words(text, 9999), strlen(text));
    assert_int_equal(heard_whole_words("a@b.org now", 5), 0);
    const char *chinese = "\xe4\xbd\xa0\xe5\xa5\xbd"; /* two characters */
    assert_int_equal(heard_whole_words(chinese, 3), 3);
    assert_int_equal(heard_whole_words(chinese, 4), 3);
    assert_int_equal(heard_whole_words("", 0), 0);
}

static void words_are_heard_by_their_share_of_the_audio(void **state)
{
    (void)state;
    const char *text = "aaaa bbbb cccc dddd";
    assert_int_equal(heard_bytes(text, 0, 1600), 0);
    assert_int_equal(heard_bytes(text, 399, 1600), 0);
    assert_int_equal(heard_bytes(text, 400, 1600), 4);
    assert_int_equal(heard_bytes(text, 1100, 1600), 9);
    assert_int_equal(heard_bytes(text, 1600, 1600), strlen(text));
    assert_int_equal(heard_bytes(text, 5000, 1600), strlen(text));
    assert_int_equal(heard_bytes("", 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_sentences_stay_as_they_are),
        cmocka_unit_test(telephone_numbers_are_read_digit_by_digit),
        cmocka_unit_test(times_sound_like_times),
        cmocka_unit_test(dates_sound_like_dates),
        cmocka_unit_test(numbers_are_words),
        cmocka_unit_test(addresses_are_spoken),
        cmocka_unit_test(markup_is_not_spoken),
        cmocka_unit_test(other_languages_keep_their_figures),
        cmocka_unit_test(no_input_breaks_it),
        cmocka_unit_test(long_sentences_are_cut_at_clauses),
        cmocka_unit_test(what_is_spoken_is_known_to_be_which_part_of_the_text),
        cmocka_unit_test(words_are_heard_whole),
        cmocka_unit_test(words_are_heard_by_their_share_of_the_audio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
