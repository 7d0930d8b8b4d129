/* embed_test.c - an embeddings server's answers, what is kept by key, and what the key is made of. */
#include "services/rag/embed/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/rag/question_key.h"

static char detail[EMBED_DETAIL_BYTES];

/* ---- answers ---- */

static void reads(const char *body, size_t count, const float *expected, size_t dimensions)
{
    float *vectors = NULL;
    size_t size = 0;
    if (embed_answer_read(body, strlen(body), count, &vectors, &size, detail))
        fail_msg("%s", detail);
    assert_int_equal(size, dimensions);
    for (size_t i = 0; i < count * dimensions; i++) assert_true(vectors[i] == expected[i]);
    free(vectors);
}

static void refuses(const char *body, size_t count, const char *why)
{
    float *vectors = NULL;
    size_t size = 0;
    assert_int_equal(embed_answer_read(body, strlen(body), count, &vectors, &size, detail),
                     PL_INVALID);
    assert_null(vectors);
    if (!strstr(detail, why)) fail_msg("\"%s\" is not about \"%s\"", detail, why);
}

static void vectors_come_as_numbers_or_as_base64(void **state)
{
    (void)state;
    const float expected[] = {1, -0.5F, 0.25F, 2};
    reads("{\"data\":[{\"index\":0,\"embedding\":[1,-0.5]},{\"index\":1,\"embedding\":[0.25,2]}]}",
          2, expected, 2);
    reads("{\"data\":[{\"index\":1,\"embedding\":[0.25,2]},{\"index\":0,\"embedding\":[1,-0.5]}]}",
          2, expected, 2); /* in any order */
    reads("{\"data\":[{\"embedding\":[1,-0.5]},{\"embedding\":[0.25,2]}]}", 2, expected, 2);
    reads("{\"data\":[{\"index\":0,\"embedding\":\"AACAPwAAAL8=\"}]}", 1, expected, 2);
    reads("{\"data\":[{\"index\":0,\"embedding\":\"AACAPwAAAL8\"}]}", 1, expected, 2);
}

static void an_answer_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    refuses("", 1, "not JSON");
    refuses("<html>", 1, "not JSON");
    refuses("{}", 1, "no list");
    refuses("{\"data\":{}}", 1, "no list");
    refuses("{\"data\":[]}", 1, "another number");
    refuses("{\"data\":[]}", 0, "another number");
    refuses("{\"data\":[{\"embedding\":[1]},{\"embedding\":[1]}]}", 1, "another number");
    refuses("{\"data\":[{\"embedding\":[1]},{\"embedding\":[1,2]}]}", 2, "different sizes");
    refuses("{\"data\":[{\"index\":1,\"embedding\":[1]}]}", 1, "not asked for");
    refuses("{\"data\":[{\"index\":-1,\"embedding\":[1]}]}", 1, "not asked for");
    refuses("{\"data\":[{\"index\":0.5,\"embedding\":[1]}]}", 1, "not asked for");
    refuses("{\"data\":[{\"index\":1e300,\"embedding\":[1]}]}", 1, "not asked for");
    refuses("{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}", 2,
            "twice");
    refuses("{\"data\":[{\"embedding\":[]}]}", 1, "neither numbers");
    refuses("{\"data\":[{\"embedding\":[\"1\"]}]}", 1, "neither numbers");
    refuses("{\"data\":[{\"embedding\":null}]}", 1, "neither numbers");
    refuses("{\"data\":[{\"embedding\":\"AAC\"}]}", 1, "neither numbers");
    refuses("{\"data\":[{\"embedding\":\"A*CAPwAAAL8=\"}]}", 1, "neither numbers");
    refuses("{\"data\":[{\"embedding\":\"AADAfw==\"}]}", 1, "no number"); /* NaN */
    refuses("{\"data\":[{\"embedding\":[1e300]}]}", 1, "no number");
    refuses("{\"data\":[1]}", 1, "neither numbers");
    char *text = malloc(100000);
    assert_non_null(text);
    char *to = stpcpy(text, "{\"data\":[{\"embedding\":[1");
    for (int i = 0; i < 5000; i++) to = stpcpy(to, ",1");
    (void)stpcpy(to, "]}]}");
    refuses(text, 1, "neither numbers"); /* more dimensions than there are models */
    free(text);
}

static void an_errors_words_are_read_whatever_their_form(void **state)
{
    (void)state;
    const struct {
        const char *body, *words;
    } cases[] = {{"{\"error\":{\"message\":\"Too \\\"long\\\"\\n\"}}", "Too 'long''"},
                 {"{\"error\":\"model not found\"}", "model not found"},
                 {"{\"error\":{}}", ""},
                 {"<html>", ""},
                 {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        embed_answer_error(cases[i].body, strlen(cases[i].body), detail);
        assert_string_equal(detail, cases[i].words);
    }
}

/* ---- keys ---- */

static char *key_of(const char *text, const char *lang, uint32_t top_n, double strictness)
{
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    search_defaults_t defaults = {.top_n = 5, .strictness = 2, .texts = 10};
    query.text = (char *)text;
    query.lang = (char *)lang;
    query.top_n = top_n;
    query.strictness = strictness;
    search_t *search = search_new(&query, &defaults);
    char *key = question_key(search, 7);
    search_destroy(&search);
    return key;
}

static void same(const char *a, const char *b, bool expected)
{
    char *x = key_of(a, "en", 0, -1);
    char *y = key_of(b, "en", 0, -1);
    if ((strcmp(x, y) == 0) != expected) fail_msg("\"%s\" and \"%s\"", a, b);
    free(x);
    free(y);
}

static void texts_that_differ_in_signs_alone_have_one_key(void **state)
{
    (void)state;
    same("My printer is jammed.", "my  printer is jammed", true);
    same("", " ?! ", true);
    same("a b", "ab", false);
    same("caf\u00e9", "cafe", false);
    same("Zoë", "zoë", true);
    same("it's", "it s", true);
    char *plain = key_of("x", "en", 0, -1);
    char *others[] = {key_of("x", "fr", 0, -1), key_of("x", "en", 6, -1), key_of("x", "en", 0, 3)};
    for (size_t i = 0; i < 3; i++) {
        assert_string_not_equal(plain, others[i]);
        free(others[i]);
    }
    char *told = key_of("x", "en", 5, 2); /* what the configuration says, said */
    assert_string_equal(plain, told);
    free(told);
    free(plain);
}

static void keys_are_bounded(void **state)
{
    (void)state;
    char *text = malloc(100001);
    assert_non_null(text);
    memset(text, 'a', 100000);
    text[100000] = '\0';
    char *key = key_of(text, text, 0, -1);
    assert_true(strlen(key) < 9000);
    free(key);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_as_numbers_or_as_base64),
        cmocka_unit_test(an_answer_that_makes_no_sense_is_refused),
        cmocka_unit_test(an_errors_words_are_read_whatever_their_form),
        cmocka_unit_test(texts_that_differ_in_signs_alone_have_one_key),
        cmocka_unit_test(keys_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
