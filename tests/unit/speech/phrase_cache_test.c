/* phrase_cache_test.c - what is kept of what was said, and what goes. */
#include "services/speech/phrase_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static phrase_t *phrase(int16_t sample, size_t samples)
{
    phrase_t *p = phrase_new();
    for (size_t i = 0; i < samples; i += 100) {
        int16_t pcm[100];
        for (int k = 0; k < 100; k++) pcm[k] = sample;
        clip_t *clip = clip_new(pcm, 100);
        phrase_add(p, clip);
        clip_drop(&clip);
    }
    phrase_add_word(p, 4, samples);
    return p;
}

static void put(phrase_cache_t *cache, const char *key, int16_t sample, size_t samples)
{
    phrase_t *p = phrase(sample, samples);
    phrase_cache_put(cache, key, &p);
    assert_null(p);
}

static void a_sentence_said_twice_is_kept_with_its_words(void **state)
{
    (void)state;
    phrase_cache_t *cache = phrase_cache_new(1000000);
    assert_false(phrase_cache_wants(cache, "hello", false));
    assert_null(phrase_cache_find(cache, "hello"));
    assert_true(phrase_cache_wants(cache, "hello", false));
    put(cache, "hello", 7, 1000);
    const phrase_t *found = phrase_cache_find(cache, "hello");
    assert_non_null(found);
    assert_int_equal(found->samples, 1000);
    assert_int_equal(found->clips[9]->pcm[99], 7);
    assert_int_equal(found->word_count, 1);
    assert_int_equal(found->words[0].bytes, 4);
    assert_false(phrase_cache_wants(cache, "hello", false)); /* it is there */
    assert_null(phrase_cache_find(cache, "hell"));
    phrase_cache_destroy(&cache);
    phrase_cache_destroy(&cache);
}

static void what_will_be_said_again_is_kept_at_once(void **state)
{
    (void)state;
    phrase_cache_t *cache = phrase_cache_new(1000000);
    assert_true(phrase_cache_wants(cache, "one moment", true));
    phrase_cache_destroy(&cache);
}

static void it_stays_within_its_bytes_and_the_longest_unused_goes(void **state)
{
    (void)state;
    phrase_cache_t *cache = phrase_cache_new(10 * 2200);
    char key[16];
    for (int i = 0; i < 8; i++) {
        (void)snprintf(key, sizeof key, "phrase %d", i);
        put(cache, key, (int16_t)i, 1000);
    }
    assert_non_null(phrase_cache_find(cache, "phrase 0")); /* used again */
    for (int i = 8; i < 16; i++) {
        (void)snprintf(key, sizeof key, "phrase %d", i);
        put(cache, key, (int16_t)i, 1000);
        assert_true(phrase_cache_bytes(cache) <= 10 * 2200);
    }
    assert_non_null(phrase_cache_find(cache, "phrase 0"));
    assert_non_null(phrase_cache_find(cache, "phrase 15"));
    assert_null(phrase_cache_find(cache, "phrase 1"));
    phrase_cache_destroy(&cache);
}

static void what_does_not_fit_is_dropped(void **state)
{
    (void)state;
    phrase_cache_t *cache = phrase_cache_new(1000);
    put(cache, "long", 1, 1000);
    assert_int_equal(phrase_cache_count(cache), 0);
    phrase_cache_destroy(&cache);
    cache = phrase_cache_new(64000000);
    put(cache, "endless", 1, PHRASE_SAMPLES_MAX + 1000);
    put(cache, "silent", 1, 0);
    assert_int_equal(phrase_cache_count(cache), 0);
    put(cache, "twice", 1, 100);
    put(cache, "twice", 2, 100);
    assert_int_equal(phrase_cache_count(cache), 1);
    phrase_cache_destroy(&cache);
    cache = phrase_cache_new(0);
    assert_false(phrase_cache_wants(cache, "any", true));
    phrase_cache_destroy(&cache);
}

static void a_storm_of_sentences_leaves_it_whole(void **state)
{
    (void)state;
    phrase_cache_t *cache = phrase_cache_new(50000);
    srand(11);
    for (int i = 0; i < 20000; i++) {
        char key[32];
        int n = rand() % 3000;
        (void)snprintf(key, sizeof key, "phrase %d", n);
        const phrase_t *found = phrase_cache_find(cache, key);
        if (found)
            assert_int_equal(found->clips[0]->pcm[0], n);
        else if (phrase_cache_wants(cache, key, rand() % 2))
            put(cache, key, (int16_t)n, 100 * (size_t)(1 + rand() % 10));
        assert_true(phrase_cache_bytes(cache) <= 50000);
    }
    phrase_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_said_twice_is_kept_with_its_words),
        cmocka_unit_test(what_will_be_said_again_is_kept_at_once),
        cmocka_unit_test(it_stays_within_its_bytes_and_the_longest_unused_goes),
        cmocka_unit_test(what_does_not_fit_is_dropped),
        cmocka_unit_test(a_storm_of_sentences_leaves_it_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
