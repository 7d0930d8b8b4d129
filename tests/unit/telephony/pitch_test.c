/* pitch_test.c - a human voice is periodic, noise is not. */
#include "services/telephony/pitch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/telephony/tone.h"

enum { FRAMES = 200, FRAME = CODEC_FRAME_SAMPLES };
static const float vowel = 0.62f; /* as voice activity takes it */

static unsigned vowels(const int16_t *pcm)
{
    pitch_t pitch;
    unsigned count = 0;
    memset(&pitch, 0, sizeof pitch);
    for (int f = 0; f < FRAMES; f++)
        count += pitch_frame(&pitch, pcm + (size_t)f * FRAME, true) >= vowel;
    return count;
}

/* A voice: the pulses of the vocal cords, rising a little, through a formant. */
static void fill_voice(int16_t *pcm, double hz)
{
    double phase = 0;
    double y1 = 0;
    double y2 = 0;
    for (size_t i = 0; i < (size_t)FRAMES * FRAME; i++) {
        phase += (hz + hz * 0.1 * (double)i / (FRAMES * FRAME)) / 16000;
        double pulse = 0;
        if (phase >= 1) {
            phase -= 1;
            pulse = 6000;
        }
        double y = pulse + 1.8 * y1 * 0.96 - 0.9216 * y2;
        y2 = y1;
        y1 = y;
        pcm[i] = (int16_t)(y > 32767 ? 32767 : y < -32768 ? -32768 : y);
    }
}

static void voices_low_and_high_are_periodic(void **state)
{
    (void)state;
    int16_t *pcm = calloc((size_t)FRAMES * FRAME, sizeof *pcm);
    assert_non_null(pcm);
    static const double voices_hz[] = {80, 110, 180, 250, 350};
    for (size_t i = 0; i < sizeof voices_hz / sizeof *voices_hz; i++) {
        fill_voice(pcm, voices_hz[i]);
        if (vowels(pcm) < FRAMES * 9 / 10) fail_msg("%.0f Hz: %u", voices_hz[i], vowels(pcm));
    }
    free(pcm);
}

static void noise_is_not_whatever_its_level(void **state)
{
    (void)state;
    int16_t *pcm = calloc((size_t)FRAMES * FRAME, sizeof *pcm);
    assert_non_null(pcm);
    for (int db = -60; db <= -10; db += 10) {
        uint32_t random = 7;
        tone_noise(pcm, (size_t)FRAMES * FRAME, db, &random);
        if (vowels(pcm) > FRAMES / 50) fail_msg("%d dB: %u", db, vowels(pcm));
    }
    free(pcm);
}

static void silence_and_an_offset_are_nothing(void **state)
{
    (void)state;
    int16_t *pcm = calloc((size_t)FRAMES * FRAME, sizeof *pcm);
    assert_non_null(pcm);
    assert_int_equal(vowels(pcm), 0);
    for (size_t i = 0; i < (size_t)FRAMES * FRAME; i++) pcm[i] = 900;
    pitch_t pitch;
    memset(&pitch, 0, sizeof pitch);
    float strength = 1;
    for (int f = 0; f < 20; f++) strength = pitch_frame(&pitch, pcm, true);
    assert_true(strength < vowel);
    assert_true(pitch_frame(&pitch, pcm, false) == 0); /* not asked for */
    free(pcm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voices_low_and_high_are_periodic),
        cmocka_unit_test(noise_is_not_whatever_its_level),
        cmocka_unit_test(silence_and_an_offset_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
