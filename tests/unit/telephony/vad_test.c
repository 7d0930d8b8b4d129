#include "services/telephony/vad.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <flite/flite.h>

#include "tests/unit/telephony/tone.h"

cst_voice *register_cmu_us_slt(const char *);
cst_voice *register_cmu_us_awb(const char *);

enum { FRAME = CODEC_FRAME_SAMPLES, SECOND = 50 };

/* A sentence at that level over white noise of that level; returns frames, *pcm is the caller's. */
static size_t sentence(cst_voice *voice, double speech_db, double noise_db, int16_t **pcm,
                       int16_t **clean)
{
    cst_wave *wave = flite_text_to_wave(
        "My laptop does not start since Monday. The address is forty two Long Street.", voice);
    assert_non_null(wave);
    assert_int_equal(cst_wave_sample_rate(wave), 16000);
    size_t samples = (size_t)cst_wave_num_samples(wave);
    size_t frames = 2 * SECOND + samples / FRAME + SECOND;
    *pcm = calloc(frames * FRAME, sizeof **pcm);
    *clean = calloc(frames * FRAME, sizeof **clean);
    assert_true(*pcm && *clean);
    double gain = pow(10, (speech_db - tone_level_db(cst_wave_samples(wave), samples)) / 20);
    uint32_t random = 99;
    if (noise_db > -90) tone_noise(*pcm, frames * FRAME, noise_db, &random);
    for (size_t i = 0; i < samples; i++) {
        size_t at = (size_t)2 * SECOND * FRAME + i;
        double s = cst_wave_samples(wave)[i] * gain;
        (*clean)[at] = (int16_t)(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
        double sum = (*clean)[at] + (*pcm)[at];
        (*pcm)[at] = (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
    }
    delete_wave(wave);
    return frames;
}

static void speech_is_found_over_noise(void **state)
{
    (void)state;
    flite_init();
    cst_voice *voices[] = {register_cmu_us_slt(NULL), register_cmu_us_awb(NULL)};
    static const double noises_db[] = {-96, -70, -60, -50, -40};
    for (size_t v = 0; v < 2; v++) {
        for (size_t n = 0; n < 5; n++) {
            int16_t *pcm;
            int16_t *clean;
            size_t frames = sentence(voices[v], -20, noises_db[n], &pcm, &clean);
            vad_t vad;
            vad_init(&vad, 0.5);
            unsigned loud = 0, found = 0, before = 0, after = 0, longest_gap = 0, gap = 0;
            size_t spoken_end = frames - SECOND;
            for (size_t f = 0; f < frames; f++) {
                bool voice = vad_frame(&vad, pcm + f * FRAME).voice;
                if (f >= SECOND + 10 && f < 2 * SECOND) before += voice;
                if (f >= spoken_end + 10) after += voice;
                if (tone_level_db(clean + f * FRAME, FRAME) > -24) {
                    loud++;
                    found += voice;
                }
                if (f == 2 * SECOND + 15) gap = 0; /* it begins to speak before that */
                gap = voice ? 0 : gap + 1;
                if (f > 2 * SECOND + 15 && f < spoken_end - 25 && gap > longest_gap) {
                    longest_gap = gap;
                }
            }
            print_message("noise %.0f dB: %u of %u loud frames, gap %u ms, outside %u + %u\n",
                          noises_db[n], found, loud, longest_gap * 20, before, after);
            assert_true(loud > 60 && found * 100 >= loud * 98);
            assert_true(before + after == 0);
            assert_true(longest_gap * 20 < 450); /* pauses of the sentence; 500 would end it */
            free(pcm);
            free(clean);
        }
    }
}

static void steady_room_tone_is_ignored_after_a_second(void **state)
{
    (void)state;
    static const double levels_db[] = {-50, -40, -30};
    for (size_t n = 0; n < 3; n++) {
        for (int hum = 0; hum < 2; hum++) {
            vad_t vad;
            vad_init(&vad, 0.5);
            uint32_t random = 7;
            int16_t pcm[FRAME] = {0};
            for (int f = 0; f < SECOND; f++) assert_false(vad_frame(&vad, pcm).voice);
            for (size_t f = 0; f < 10 * SECOND; f++) {
                if (hum)
                    tone_fill(pcm, FRAME, f * FRAME, 237, levels_db[n]);
                else
                    tone_noise(pcm, FRAME, levels_db[n], &random);
                vad_result_t r = vad_frame(&vad, pcm);
                if (f > 60) {
                    assert_false(r.voice);
                    assert_true(abs(r.floor_cb - (int)(levels_db[n] * 10)) < 25);
                    assert_true(abs(r.level_cb - (int)(levels_db[n] * 10)) < 25);
                }
            }
        }
    }
}

static void the_floor_falls_at_once_when_the_noise_ends(void **state)
{
    (void)state;
    vad_t vad;
    vad_init(&vad, 0.5);
    uint32_t random = 7;
    int16_t pcm[FRAME];
    for (int f = 0; f < 3 * SECOND; f++) {
        tone_noise(pcm, FRAME, -30, &random);
        vad_frame(&vad, pcm);
    }
    int32_t floor = 0;
    for (int f = 0; f < 10; f++) {
        tone_noise(pcm, FRAME, -62, &random);
        floor = vad_frame(&vad, pcm).floor_cb;
    }
    assert_true(floor < -580);
    for (size_t f = 0; f < 3; f++) {
        tone_fill(pcm, FRAME, f * FRAME, 300, -35);
        bool voice = vad_frame(&vad, pcm).voice;
        if (f > 0) assert_true(voice);
    }
}

static void a_click_is_no_voice_and_a_short_gap_does_not_end_one(void **state)
{
    (void)state;
    vad_t vad;
    vad_init(&vad, 0.5);
    int16_t silence[FRAME] = {0};
    int16_t soft[FRAME];
    int16_t loud[FRAME];
    tone_fill(soft, FRAME, 0, 300, -45);
    tone_fill(loud, FRAME, 0, 300, -25);
    for (int f = 0; f < 20; f++) vad_frame(&vad, silence);
    assert_false(vad_frame(&vad, soft).voice);
    for (int f = 0; f < 5; f++) assert_false(vad_frame(&vad, silence).voice);
    assert_true(vad_frame(&vad, loud).voice); /* so loud that one is enough */
    unsigned held = 0;
    while (vad_frame(&vad, silence).voice) held++;
    assert_in_range(held * 20, 100, 150);
}

static void the_threshold_scales_what_is_wanted(void **state)
{
    (void)state;
    static const struct {
        double threshold, level_db;
        bool voice;
    } cases[] = {{0.1, -56, true},  {0.1, -62, false}, {0.5, -48, true},
                 {0.5, -52, false}, {1.0, -37, true},  {1.0, -43, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vad_t vad;
        vad_init(&vad, cases[i].threshold);
        int16_t pcm[FRAME] = {0};
        for (int f = 0; f < 20; f++) vad_frame(&vad, pcm);
        tone_fill(pcm, FRAME, 0, 400, cases[i].level_db);
        vad_frame(&vad, pcm);
        assert_int_equal(vad_frame(&vad, pcm).voice, cases[i].voice);
    }
}

static void what_may_be_our_own_voice_is_none(void **state)
{
    (void)state;
    vad_t vad;
    vad_init(&vad, 0.5);
    int16_t pcm[FRAME];
    for (size_t f = 0; f < SECOND; f++) {
        tone_fill(pcm, FRAME, f * FRAME, 440 + 20 * (double)(f % 7), -34);
        vad_result_t r = vad_frame_over(&vad, pcm, -30);
        assert_false(r.voice || r.sound);
    }
    tone_fill(pcm, FRAME, 0, 600, -20);
    assert_true(vad_frame_over(&vad, pcm, -30).sound);
    assert_true(vad_frame_over(&vad, pcm, -30).voice);
}

static void frames_that_did_not_arrive_leave_the_floor_alone(void **state)
{
    (void)state;
    vad_t vad;
    vad_init(&vad, 0.5);
    uint32_t random = 3;
    int16_t pcm[FRAME];
    int32_t floor = 0;
    for (int f = 0; f < 2 * SECOND; f++) {
        tone_noise(pcm, FRAME, -45, &random);
        floor = vad_frame(&vad, pcm).floor_cb;
    }
    for (int f = 0; f < 5 * SECOND; f++) {
        vad_result_t r = vad_frame(&vad, NULL);
        assert_int_equal(r.floor_cb, floor);
        assert_int_equal(r.level_cb, -960);
        assert_false(r.voice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_is_found_over_noise),
        cmocka_unit_test(steady_room_tone_is_ignored_after_a_second),
        cmocka_unit_test(the_floor_falls_at_once_when_the_noise_ends),
        cmocka_unit_test(a_click_is_no_voice_and_a_short_gap_does_not_end_one),
        cmocka_unit_test(the_threshold_scales_what_is_wanted),
        cmocka_unit_test(what_may_be_our_own_voice_is_none),
        cmocka_unit_test(frames_that_did_not_arrive_leave_the_floor_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
