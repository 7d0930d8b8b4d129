/* sphinx_test.c - the recogniser on Flite's speech: what it must hear, by kind of answer; and its
 * narrow models. The figures for many sentences are in docs/decisions/0005. */
#include "services/speech/providers/sphinx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/speech/phrases.h"
#include "services/speech/providers/flite_voice.h"
#include "services/speech/trigram.h"

static sphinx_t *ears;

static int open_ears(void **state)
{
    (void)state;
    return sphinx_new(&ears, NULL) == PL_OK ? 0 : -1;
}

static int close_ears(void **state)
{
    (void)state;
    sphinx_destroy(&ears);
    sphinx_destroy(&ears);
    return 0;
}

/* 300 ms of near silence before and behind; borrowed until the next call. */
static const char *hear_pcm(Pl__Expect expect, const int16_t *pcm, size_t samples)
{
    static int16_t quiet[4800];
    for (size_t i = 0; i < 4800; i++) quiet[i] = (int16_t)(i * 7919 % 9);
    assert_int_equal(sphinx_begin(ears, expect, NULL, false), PL_OK);
    assert_int_equal(sphinx_feed(ears, quiet, 4800), PL_OK);
    for (size_t at = 0; at + 320 <= samples; at += 320)
        assert_int_equal(sphinx_feed(ears, pcm + at, 320), PL_OK);
    assert_int_equal(sphinx_feed(ears, quiet, 4800), PL_OK);
    double confidence = -1;
    const char *heard = sphinx_end(ears, &confidence);
    assert_true(confidence >= 0 && confidence <= 1.001);
    return heard;
}

static const char *hear(const char *voice, Pl__Expect expect, const char *text)
{
    int16_t *pcm = NULL;
    size_t samples = 0;
    assert_int_equal(flite_voice_say(voice, 1.0, text, &pcm, &samples), PL_OK);
    const char *heard = hear_pcm(expect, pcm, samples);
    free(pcm);
    return heard;
}

static void any_sentence_is_heard(void **state)
{
    (void)state;
    assert_string_equal(hear("slt", PL__EXPECT__ANYTHING, "my laptop screen is broken"),
                        "my laptop screen is broken");
    assert_string_equal(hear("rms", PL__EXPECT__ANYTHING, "i want to talk to a human"),
                        "i want to talk to a human");
}

static void digits_are_heard_without_an_error(void **state)
{
    (void)state;
    static const char *const numbers[] = {"zero six one two three four five six seven eight",
                                          "five five five one two three four",
                                          "double five triple seven nine oh one"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_string_equal(hear("rms", PL__EXPECT__DIGITS, numbers[i]), numbers[i]);
        assert_string_equal(hear("kal16", PL__EXPECT__DIGITS, numbers[i]), numbers[i]);
    }
}

static void another_answer_than_the_expected_is_heard_too(void **state)
{
    (void)state;
    static const Pl__Expect kinds[] = {PL__EXPECT__DIGITS, PL__EXPECT__DATE_TIME,
                                       PL__EXPECT__SPELLING, PL__EXPECT__YES_NO};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_string_equal(hear("slt", kinds[i], "goodbye"), "goodbye");
        assert_string_equal(hear("slt", kinds[i], "my laptop screen is broken"),
                            "my laptop screen is broken");
    }
}

static void dates_and_yes_are_heard(void **state)
{
    (void)state;
    assert_string_equal(hear("slt", PL__EXPECT__DATE_TIME, "yesterday afternoon at three thirty"),
                        "yesterday afternoon at three thirty");
    assert_string_equal(hear("slt", PL__EXPECT__YES_NO, "yes that is right"), "yes that is right");
    assert_string_equal(hear("rms", PL__EXPECT__YES_NO, "no"), "no");
}

static void silence_has_no_words(void **state)
{
    (void)state;
    int16_t quiet[16000] = {0};
    for (int expect = PL__EXPECT__ANYTHING; expect <= PL__EXPECT__YES_NO; expect++) {
        assert_int_equal(sphinx_begin(ears, (Pl__Expect)expect, NULL, false), PL_OK);
        assert_int_equal(sphinx_feed(ears, quiet, 16000), PL_OK);
        assert_string_equal(sphinx_partial(ears, NULL), "");
        assert_string_equal(sphinx_end(ears, NULL), "");
    }
    assert_int_equal(sphinx_begin(ears, (Pl__Expect)99, NULL, false), PL_OK); /* of a newer peer */
    assert_string_equal(sphinx_end(ears, NULL), "");
}

/* Flite's voices are a little different each time, so the same samples. */
static void nothing_of_an_utterance_stays(void **state)
{
    (void)state;
    int16_t *pcm = NULL;
    size_t samples = 0;
    const char *text = "it started on monday morning";
    assert_int_equal(flite_voice_say("slt", 1.0, text, &pcm, &samples), PL_OK);
    char first[256];
    (void)snprintf(first, sizeof first, "%s", hear_pcm(PL__EXPECT__ANYTHING, pcm, samples));
    (void)hear("awb", PL__EXPECT__DIGITS, "nine nine nine eight eight eight");
    (void)hear("kal16", PL__EXPECT__ANYTHING, "building four second floor");
    assert_string_equal(hear_pcm(PL__EXPECT__ANYTHING, pcm, samples), first);
    free(pcm);
}

static void a_model_that_is_not_there_is_told(void **state)
{
    (void)state;
    sphinx_t *none = NULL;
    assert_int_equal(sphinx_new(&none, "/nonexistent"), PL_UNAVAILABLE);
    assert_null(none);
}

static void voices_are_known_by_name(void **state)
{
    (void)state;
    int16_t *pcm = NULL;
    size_t samples = 0, slow = 0;
    assert_int_equal(flite_voice_say("nobody", 1.0, "hi", &pcm, &samples), PL_NOT_FOUND);
    assert_int_equal(flite_voice_say("slt", 1.0, "  ", &pcm, &samples), PL_INVALID);
    assert_int_equal(flite_voice_say("", 1.0, "hello there", &pcm, &samples), PL_OK);
    free(pcm);
    assert_int_equal(flite_voice_say(NULL, 0.75, "hello there", &pcm, &slow), PL_OK);
    free(pcm);
    assert_in_range(slow * 100 / samples, 120, 145);
    assert_true(flite_voice_known("awb"));
    assert_false(flite_voice_known("fr-FR-VivienneMultilingualNeural"));
}

/* ---- narrow models ---- */

static void phrases_are_the_same_for_the_same_seed(void **state)
{
    (void)state;
    phrases_t *a = phrases_new(7), *b = phrases_new(7);
    for (int i = 0; i < 1000; i++) {
        phrase_word_t x[PHRASES_WORDS_MAX], y[PHRASES_WORDS_MAX];
        Pl__Expect kind = (Pl__Expect)(i % 5);
        size_t n = phrases_draw(a, kind, x);
        assert_int_equal(phrases_draw(b, kind, y), n);
        assert_in_range(n, 1, PHRASES_WORDS_MAX);
        for (size_t w = 0; w < n; w++) {
            assert_ptr_equal(x[w].text, y[w].text);
            assert_true(x[w].bytes > 0);
            for (size_t c = 0; c < x[w].bytes; c++)
                assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz'", x[w].text[c]));
        }
    }
    phrases_destroy(&a);
    phrases_destroy(&b);
}

static void sentence(trigram_t *model, const char *text)
{
    for (; *text; text += strspn(text, " ")) {
        size_t bytes = strcspn(text, " ");
        trigram_word(model, text, bytes);
        text += bytes;
    }
    trigram_sentence_end(model);
}

/* In a model's text: 10 to the number before that n-gram. */
static double probability(const char *arpa, const char *gram)
{
    char line[64];
    (void)snprintf(line, sizeof line, " %s", gram);
    for (const char *at = arpa; (at = strstr(at, line)); at++) {
        const char *begin = at;
        while (begin > arpa && begin[-1] != '\n') begin--;
        char *end = NULL;
        double value = strtod(begin, &end);
        char after = at[strlen(line)];
        if (end == at && (after == ' ' || after == '\n')) return pow(10, value);
    }
    return -1;
}

static void a_model_has_the_probabilities_of_its_text(void **state)
{
    (void)state;
    trigram_t *model = trigram_new();
    sentence(model, "a b");
    sentence(model, "a b");
    sentence(model, "a c");
    sentence(model, "b");
    char *arpa = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&arpa, &bytes);
    trigram_write(model, out);
    (void)fclose(out);
    /* 11 words and ends of sentences: 3 a, 3 b, 1 c, 4 ends. */
    assert_true(fabs(probability(arpa, "a") - 3.0 / 11) < 1e-3);
    assert_true(fabs(probability(arpa, "</s>") - 4.0 / 11) < 1e-3);
    /* After a: b twice, c once, two kinds; Witten-Bell: (2 + 2 P(b)) / (3 + 2). */
    assert_true(fabs(probability(arpa, "a b") - (2 + 2 * 3.0 / 11) / 5) < 1e-3);
    /* After <s> a: the same counts, the pair's probability below. */
    assert_true(fabs(probability(arpa, "<s> a b") - (2 + 2 * (2 + 6.0 / 11) / 5) / 5) < 1e-3);
    assert_int_equal(trigram_words(model), 3);
    assert_string_equal(trigram_word_at(model, 0), "a");
    assert_non_null(strstr(arpa, "ngram 1=5\n"));
    free(arpa);
    trigram_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_are_the_same_for_the_same_seed),
        cmocka_unit_test(a_model_has_the_probabilities_of_its_text),
        cmocka_unit_test(any_sentence_is_heard),
        cmocka_unit_test(digits_are_heard_without_an_error),
        cmocka_unit_test(another_answer_than_the_expected_is_heard_too),
        cmocka_unit_test(dates_and_yes_are_heard),
        cmocka_unit_test(silence_has_no_words),
        cmocka_unit_test(nothing_of_an_utterance_stays),
        cmocka_unit_test(a_model_that_is_not_there_is_told),
        cmocka_unit_test(voices_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, open_ears, close_ears);
}
