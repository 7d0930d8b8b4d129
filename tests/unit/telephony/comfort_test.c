#include "services/telephony/comfort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/telephony/tone.h"

static void noise_has_the_level_that_was_asked_for(void **state)
{
    (void)state;
    static int16_t pcm[100 * CODEC_FRAME_SAMPLES];
    static const int levels_db[] = {-40, -55, -65};
    for (size_t i = 0; i < 3; i++) {
        comfort_t c;
        comfort_init(&c, levels_db[i], 42);
        memset(pcm, 0, sizeof pcm);
        for (size_t f = 0; f < 100; f++) comfort_add(&c, pcm + f * CODEC_FRAME_SAMPLES);
        double level = tone_level_db(pcm, sizeof pcm / sizeof *pcm);
        print_message("%d dB: %.1f dB\n", levels_db[i], level);
        assert_true(fabs(level - levels_db[i]) < 1);
    }
}

static void none_is_silence_and_a_full_scale_voice_does_not_wrap(void **state)
{
    (void)state;
    comfort_t c;
    int16_t pcm[CODEC_FRAME_SAMPLES] = {0}, silence[CODEC_FRAME_SAMPLES] = {0};
    comfort_init(&c, 0, 1);
    comfort_add(&c, pcm);
    assert_memory_equal(pcm, silence, sizeof pcm);
    comfort_init(&c, -20, 1);
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) pcm[i] = i % 2 ? INT16_MAX : INT16_MIN;
    comfort_add(&c, pcm);
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) assert_true((pcm[i] > 0) == (i % 2));
}

static void two_legs_do_not_hum_in_step(void **state)
{
    (void)state;
    comfort_t a, b;
    int16_t one[CODEC_FRAME_SAMPLES] = {0}, two[CODEC_FRAME_SAMPLES] = {0};
    comfort_init(&a, -50, 2);
    comfort_init(&b, -50, 4);
    comfort_add(&a, one);
    comfort_add(&b, two);
    assert_memory_not_equal(one, two, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_has_the_level_that_was_asked_for),
        cmocka_unit_test(none_is_silence_and_a_full_scale_voice_does_not_wrap),
        cmocka_unit_test(two_legs_do_not_hum_in_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
