/* query_test.c - what a caller said, made into a search. */
#include "services/rag/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/rag/encoding.h"

static void becomes(const char *text, const char *lang, const char *expression)
{
    query_t query;
    (void)query_parse(&query, text, lang);
    assert_string_equal(query.expression, expression);
}

static void words_that_say_something_are_searched_for(void **state)
{
    (void)state;
    becomes("What are your opening hours, please?", "en-US", "\"opening\" * OR \"hours\" *");
    becomes("My VPN doesn't connect", "en-US", "\"vpn\" OR \"connect\" *");
    becomes("VPN vpn VpN", "", "\"vpn\"");
    becomes("form CT-4711", "en", "\"form\" OR \"ct\" OR \"4711\"");
}

static void stop_words_are_those_of_the_language(void **state)
{
    (void)state;
    becomes("quels sont vos horaires", "fr-FR", "\"horaires\" *");
    becomes("wie sind die Zeiten", "de-DE", "\"zeiten\" *");
    becomes("cuál es el horario", "es-ES", "\"horario\" *");
    becomes("die", "en-US", "\"die\""); /* a stop word in German only */
    becomes("the", "xx", "");           /* unknown: English */
}

static void nothing_to_search_for_is_no_search(void **state)
{
    (void)state;
    const char *empty[] = {"",      " ",  "?!",         "um, the, of...", "\"\"\"\"",
                           "* * *", "()", "NOT AND OR", "- + ^ : { }",    "\xff\xfe\x80"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        query_t query;
        assert_int_equal(query_parse(&query, empty[i], "en"), 0);
        assert_string_equal(query.expression, "");
    }
}

static void signs_of_the_query_language_never_get_through(void **state)
{
    (void)state;
    becomes("title:\"x\" OR content:y*", "en", "\"title\" * OR \"x\" OR \"content\" * OR \"y\"");
    becomes("x\" OR \"y", "en", "\"x\" OR \"y\"");
    becomes("NEAR(laptop printer, 5) AND NOT vpn^2", "en",
            "\"near\" OR \"laptop\" * OR \"printer\" * OR \"5\" OR \"vpn\" OR \"2\"");
    becomes("x'); DROP TABLE passages;--", "en",
            "\"x\" OR \"drop\" OR \"table\" * OR \"passages\" *");
}

static void prefixes_count_characters_not_bytes(void **state)
{
    (void)state;
    becomes("caf\xc3\xa9", "en", "\"caf\xc3\xa9\"");     /* four */
    becomes("caf\xc3\xa9s", "en", "\"caf\xc3\xa9s\" *"); /* five */
    becomes("\xe6\xbc\xa2\xe5\xad\x97", "zh", "\"\xe6\xbc\xa2\xe5\xad\x97\"");
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    enum { BYTES = 100 * 1024 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    memset(text, 'a', BYTES);
    text[BYTES] = '\0';
    query_t query;
    assert_int_equal(query_parse(&query, text, "en"), 0); /* nobody says such a word */

    for (size_t i = 0; i + 7 <= BYTES; i += 7) { /* thousands of different words */
        char word[8];
        (void)snprintf(word, sizeof word, "w%05u ", (unsigned)(i / 7));
        memcpy(text + i, word, 7);
    }
    assert_int_equal(query_parse(&query, text, "en"), QUERY_WORDS);
    assert_true(strlen(query.expression) < sizeof query.expression - 1);

    memset(query.word, 'b', sizeof query.word); /* the longest words, each with star and quotes */
    size_t size = 0;
    for (unsigned i = 0; i < QUERY_WORDS; i++) {
        size += (size_t)sprintf(text + size, "%02u", i);
        memset(text + size, 'c', QUERY_WORD_BYTES - 3);
        size += QUERY_WORD_BYTES - 3;
        text[size++] = ' ';
    }
    text[size] = '\0';
    assert_int_equal(query_parse(&query, text, "en"), QUERY_WORDS);
    assert_string_equal(query.expression + strlen(query.expression) - 4, "c\" *");
    free(text);
}

/* Any bytes at all give words in quotes, joined by OR, valid UTF-8. */
static void any_bytes_make_a_safe_expression(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (int round = 0; round < 5000; round++) {
        char text[200];
        size_t size = 0;
        for (; size < sizeof text - 1; size++) {
            seed = seed * 1664525u + 1013904223u;
            char c = (char)(seed >> 24);
            text[size] = c ? c : ' ';
        }
        text[size] = '\0';
        query_t query;
        (void)query_parse(&query, text, round % 2 ? "fr" : "en");
        assert_true(utf8_valid(query.expression, strlen(query.expression)));
        size_t quotes = 0;
        for (const char *c = query.expression; *c; c++) quotes += *c == '"';
        assert_int_equal(quotes, 2 * query.words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_say_something_are_searched_for),
        cmocka_unit_test(stop_words_are_those_of_the_language),
        cmocka_unit_test(nothing_to_search_for_is_no_search),
        cmocka_unit_test(signs_of_the_query_language_never_get_through),
        cmocka_unit_test(prefixes_count_characters_not_bytes),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(any_bytes_make_a_safe_expression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
