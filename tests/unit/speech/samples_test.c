/* samples_test.c - trimming and resampling of a synthesiser's audio. */
#include "services/speech/trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "services/speech/resample.h"

enum { KEPT = 320 };

typedef struct {
    int16_t pcm[200000];
    size_t samples;
} out_t;

static out_t out;

static void take(void *arg, const int16_t *pcm, size_t samples)
{
    (void)arg;
    assert_true(samples > 0);
    assert_true(out.samples + samples <= sizeof out.pcm / sizeof *out.pcm);
    memcpy(out.pcm + out.samples, pcm, samples * sizeof *pcm);
    out.samples += samples;
}

static int setup(void **state)
{
    (void)state;
    out.samples = 0;
    return 0;
}

/* Silence, a sound, silence, a sound, silence; fed in blocks of that size. */
static void trim_in_blocks(size_t block)
{
    static int16_t pcm[16000];
    memset(pcm, 0, sizeof pcm);
    for (size_t i = 4000; i < 6000; i++) pcm[i] = 5000;
    for (size_t i = 9000; i < 11000; i++) pcm[i] = -5000;
    out.samples = 0;
    trim_t *trim = trim_new(take, NULL);
    for (size_t at = 0; at < 16000; at += block)
        trim_feed(trim, pcm + at, 16000 - at < block ? 16000 - at : block);
    trim_end(trim);
    trim_destroy(&trim);
    assert_int_equal(out.samples, 7000 + 2 * KEPT);
    assert_memory_equal(out.pcm, pcm + 4000 - KEPT, out.samples * sizeof *pcm);
}

static void silence_at_the_ends_is_dropped_and_within_kept(void **state)
{
    (void)state;
    trim_in_blocks(16000);
    trim_in_blocks(320);
    trim_in_blocks(7);
    trim_in_blocks(1);
}

static void silence_alone_is_nothing(void **state)
{
    (void)state;
    int16_t pcm[1000] = {0};
    trim_t *trim = trim_new(take, NULL);
    trim_feed(trim, pcm, 1000);
    trim_end(trim);
    assert_int_equal(out.samples, 0);
    pcm[0] = 10000; /* and it begins anew after an end */
    trim_feed(trim, pcm, 1000);
    trim_end(trim);
    assert_int_equal(out.samples, 1 + KEPT);
    trim_destroy(&trim);
}

static void a_tone_keeps_its_pitch_and_length(void **state)
{
    (void)state;
    static int16_t pcm[22050];
    for (int i = 0; i < 22050; i++) pcm[i] = (int16_t)(8000 * sin(2 * M_PI * 500 * i / 22050.0));
    resample_t *r = resample_new(22050, take, NULL);
    for (size_t at = 0; at < 22050; at += 441) resample_feed(r, pcm + at, 441);
    resample_end(r);
    resample_destroy(&r);
    assert_in_range(out.samples, 15950, 16100);
    unsigned crossings = 0;
    for (size_t i = 1; i < 16000; i++) crossings += (out.pcm[i - 1] < 0) != (out.pcm[i] < 0);
    assert_in_range(crossings, 990, 1010);
}

static void the_same_rate_passes_through(void **state)
{
    (void)state;
    int16_t pcm[100];
    for (int i = 0; i < 100; i++) pcm[i] = (int16_t)i;
    resample_t *r = resample_new(16000, take, NULL);
    resample_feed(r, pcm, 100);
    resample_end(r);
    resample_destroy(&r);
    assert_int_equal(out.samples, 100);
    assert_memory_equal(out.pcm, pcm, sizeof pcm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silence_at_the_ends_is_dropped_and_within_kept, setup),
        cmocka_unit_test_setup(silence_alone_is_nothing, setup),
        cmocka_unit_test_setup(a_tone_keeps_its_pitch_and_length, setup),
        cmocka_unit_test_setup(the_same_rate_passes_through, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
