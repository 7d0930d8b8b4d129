#include "services/telephony/voice_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>

#include <cmocka.h>

/* Known points of the E-model: R 93.2 is 4.41; see ITU-T G.107 annex B. */
static void the_score_falls_with_loss_and_with_delay(void **state)
{
    (void)state;
    assert_true(fabs(voice_stats_mos(0, 0) - 4.41) < 0.01);
    assert_true(fabs(voice_stats_mos(0, 150) - 4.33) < 0.03); /* R = 89.6 */
    assert_true(fabs(voice_stats_mos(5, 0) - 3.94) < 0.1);    /* R = 77.4 */
    double before = 5;
    for (double loss = 0; loss <= 100; loss += 5) {
        double now = voice_stats_mos(loss, 50);
        assert_true(now < before && now >= 1);
        before = now;
    }
    before = 5;
    for (double delay_ms = 0; delay_ms <= 1000; delay_ms += 50) {
        double now = voice_stats_mos(0, delay_ms);
        assert_true(now <= before && now >= 1);
        before = now;
    }
    assert_true(fabs(voice_stats_mos(100, 5000) - 1) < 0.001);
}

static void a_leg_without_packets_has_no_score(void **state)
{
    (void)state;
    media_stats_t media = {.duration_ms = 1000};
    Pl__LegStats v = voice_stats_of(&media);
    assert_int_equal(v.mos_heard, 0);
    assert_int_equal(v.mos_said, 0);
    assert_false(v.echo_heard);
}

static void every_counter_is_told_and_each_direction_judged_by_its_own(void **state)
{
    (void)state;
    media_stats_t media = {
        .duration_ms = 60000,
        .underruns = 9,
        .skipped_ticks = 2,
        .rtp = {.received = 2900,
                .lost = 100,
                .late = 50,
                .sent = 3000,
                .remote_lost = 3,
                .round_trip_us = 40000,
                .buffer_ms = 60,
                .jitter_us = 7000,
                .concealed_frames = 120,
                .clipped_frames = 4,
                .echo = {.heard_echo = true,
                         .delay_ms = 130,
                         .return_db = 14.66f,
                         .enhance_db = 25.5f}},
    };
    Pl__LegStats v = voice_stats_of(&media);
    assert_int_equal(v.rtp_sent, 3000);
    assert_int_equal(v.remote_lost, 3);
    assert_int_equal(v.underruns, 9);
    assert_int_equal(v.skipped_ticks, 2);
    assert_int_equal(v.clipped_frames, 4);
    assert_int_equal(v.buffer_ms, 60);
    assert_int_equal(v.echo_return_loss_cb, 147);
    assert_int_equal(v.echo_enhancement_cb, 255);
    assert_int_equal(v.mos_heard, lround(100 * voice_stats_mos(5, 100)));
    assert_int_equal(v.mos_said, lround(100 * voice_stats_mos(0.4, 80)));
    assert_true(v.mos_said > v.mos_heard);
}

static void a_voice_that_hits_full_scale_is_clipped(void **state)
{
    (void)state;
    int16_t pcm[CODEC_FRAME_SAMPLES] = {0};
    assert_false(codec_clips(pcm));
    pcm[7] = 32767; /* one click is none */
    assert_false(codec_clips(pcm));
    for (int i = 0; i < 20; i++) pcm[i] = i % 2 ? 32124 : -32124;
    assert_true(codec_clips(pcm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_score_falls_with_loss_and_with_delay),
        cmocka_unit_test(a_leg_without_packets_has_no_score),
        cmocka_unit_test(every_counter_is_told_and_each_direction_judged_by_its_own),
        cmocka_unit_test(a_voice_that_hits_full_scale_is_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
