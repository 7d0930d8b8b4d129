#include "services/telephony/cleaner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "services/telephony/echo_delay.h"
#include "services/telephony/vad.h"
#include "tests/support/echo_scene.h"

enum { FRAME_MS = 20, AGAIN = SCENE_S - SCENE_AGAIN_S };

static const cleaner_opts_t all = {.echo = true, .noise = true};
static const scene_opts_t room = {
    .delay_ms = 130, .echo_db = -15, .reverb_ms = 40, .noise_db = -65, .near_db = -24};

/* 20 ms of the scene as a leg hands them over: always at 16 kHz. */
static void take(SpeexResamplerState *wide, const scene_t *s, size_t f, int16_t *pcm)
{
    spx_uint32_t in = s->hz / 50, out = CODEC_FRAME_SAMPLES;
    if (s->hz == 16000)
        memcpy(pcm, s->mic + f * in, in * sizeof *pcm);
    else
        speex_resampler_process_int(wide, 0, s->mic + f * in, &in, pcm, &out);
}

typedef struct {
    double before[SCENE_S], after[SCENE_S]; /* energy of each second */
    unsigned alone, wrong;    /* frames of the bot alone; those taken for the caller */
    unsigned bursts, noticed; /* times the caller interrupts */
    unsigned slowest_ms;      /* from the burst's first sound to the voice decision */
    cleaner_stats_t stats;
} outcome_t;

static outcome_t run(const scene_t *s, const cleaner_opts_t *opts)
{
    outcome_t o = {.alone = 0};
    cleaner_t *cleaner = cleaner_new(s->hz, opts);
    SpeexResamplerState *wide = speex_resampler_init(1, s->hz, 16000, 3, NULL);
    vad_t vad;
    vad_init(&vad, 0.5);
    size_t frame = s->hz / 50;
    size_t spoke_f = 0, noticed_f = 0;
    for (size_t f = 0; (f + 1) * frame <= s->samples; f++) {
        int16_t pcm[CODEC_FRAME_SAMPLES];
        take(wide, s, f, pcm);
        size_t second = f / 50;
        o.before[second] += pow(10, scene_level_db(pcm, CODEC_FRAME_SAMPLES) / 10);
        float echo_db = cleaner_heard(cleaner, pcm, false);
        cleaner_played(cleaner, s->played + f * frame);
        o.after[second] += pow(10, scene_level_db(pcm, CODEC_FRAME_SAMPLES) / 10);
        bool voice = vad_frame_over(&vad, pcm, echo_db).voice;
        bool settled = (second >= 3 && second < SCENE_FAR_S) || second >= AGAIN + 4;
        o.alone += settled;
        o.wrong += settled && voice;
        bool both = second >= SCENE_FAR_S && second < SCENE_FAR_S + SCENE_DOUBLE_S;
        bool speaks = both && scene_level_db(s->near + f * frame, frame) > -35;
        if (speaks && f > spoke_f + 50) {
            o.bursts++;
            spoke_f = f;
        }
        if (both && voice && spoke_f > 0 && noticed_f < spoke_f) {
            noticed_f = f;
            o.noticed++;
            unsigned took_ms = (unsigned)(f - spoke_f) * FRAME_MS;
            if (took_ms > o.slowest_ms) o.slowest_ms = took_ms;
        }
        if (speaks) spoke_f = spoke_f > f - 50 ? spoke_f : f;
    }
    cleaner_stats(cleaner, &o.stats);
    cleaner_destroy(&cleaner);
    speex_resampler_destroy(wide);
    return o;
}

static double taken_db(const outcome_t *o, unsigned from_s, unsigned to_s)
{
    double before = 0, after = 0;
    for (unsigned i = from_s; i < to_s; i++) {
        before += o->before[i];
        after += o->after[i];
    }
    return 10 * log10(before / after);
}

static void the_echo_is_taken_away_and_an_interruption_noticed(void **state)
{
    (void)state;
    for (unsigned hz = 8000; hz <= 16000; hz += 8000) {
        scene_t s = scene_new(&room, hz, 12345);
        outcome_t o = run(&s, &all);
        double erle = taken_db(&o, 4, SCENE_FAR_S);
        print_message("%u Hz: %.1f dB taken away, %u of %u frames wrong, %u of %u interruptions "
                      "noticed within %u ms; told: delay %u ms, loss %.1f dB, enhanced %.1f dB\n",
                      hz, erle, o.wrong, o.alone, o.noticed, o.bursts, o.slowest_ms,
                      o.stats.delay_ms, (double)o.stats.return_db, (double)o.stats.enhance_db);
        assert_true(erle > 20);
        assert_true(o.wrong * 100 <= o.alone * 2);
        assert_int_equal(o.bursts, SCENE_DOUBLE_S / SCENE_EVERY_S);
        assert_int_equal(o.noticed, o.bursts);
        assert_true(o.slowest_ms <= 120);
        assert_true(o.stats.heard_echo);
        assert_in_range(o.stats.delay_ms, 115, 145);
        assert_true(fabs((double)o.stats.return_db - 15) < 6);
        assert_true(o.stats.enhance_db > 15);
        scene_free(&s);
    }
}

static void an_echo_that_moves_is_found_again(void **state)
{
    (void)state;
    scene_opts_t moving = room;
    moving.delay_again_ms = 320;
    scene_t s = scene_new(&moving, 8000, 99);
    outcome_t o = run(&s, &all);
    print_message("after the move %.1f dB, %u of %u frames wrong\n",
                  taken_db(&o, AGAIN + 6, SCENE_S), o.wrong, o.alone);
    assert_true(taken_db(&o, AGAIN + 6, SCENE_S) > 15);
    assert_true(o.wrong * 100 <= o.alone * 3);
    assert_in_range(o.stats.delay_ms, 305, 335);
    scene_free(&s);
}

static void without_an_echo_none_is_found_and_the_voice_stays(void **state)
{
    (void)state;
    scene_opts_t quiet = room;
    quiet.echo_db = -120;
    scene_t s = scene_new(&quiet, 16000, 5);
    outcome_t o = run(&s, &all);
    assert_false(o.stats.heard_echo);
    unsigned near = SCENE_FAR_S + SCENE_DOUBLE_S;
    double lost_db = taken_db(&o, near + 1, near + SCENE_NEAR_S);
    print_message("the caller alone: %.1f dB\n", -lost_db);
    assert_true(fabs(lost_db) < 3);
    scene_free(&s);
}

static void noise_is_suppressed_also_without_echo_cancellation(void **state)
{
    (void)state;
    cleaner_t *cleaner = cleaner_new(16000, &(cleaner_opts_t){.noise = true});
    uint32_t seed = 7;
    double before = 0, after = 0;
    for (int f = 0; f < 250; f++) {
        int16_t pcm[CODEC_FRAME_SAMPLES];
        for (int i = 0; i < CODEC_FRAME_SAMPLES; i++)
            pcm[i] = scene_clip(300 * scene_random(&seed));
        if (f >= 100) before += scene_level_db(pcm, CODEC_FRAME_SAMPLES);
        assert_true(cleaner_heard(cleaner, pcm, false) <= CLEANER_SILENCE_DB);
        cleaner_played(cleaner, NULL);
        if (f >= 100) after += scene_level_db(pcm, CODEC_FRAME_SAMPLES);
    }
    print_message("noise: %.1f dB less\n", (before - after) / 150);
    assert_true((before - after) / 150 > 12);
    cleaner_destroy(&cleaner);
}

/* Steps of a voice over hardly any noise: what comes out is what went in, 10 ms later. */
static void on_a_clean_line_a_voice_is_left_as_it_is(void **state)
{
    (void)state;
    enum { LATE = 160, FRAMES = 400 };
    cleaner_t *cleaner = cleaner_new(16000, &(cleaner_opts_t){.noise = true});
    static int16_t in[FRAMES * CODEC_FRAME_SAMPLES], out[FRAMES * CODEC_FRAME_SAMPLES];
    uint32_t seed = 3;
    for (size_t i = 0; i < FRAMES * CODEC_FRAME_SAMPLES; i++) {
        bool voice = i / CODEC_FRAME_SAMPLES % 50 > 20;
        in[i] = scene_clip((voice ? 3000 : 8) * scene_random(&seed));
    }
    memcpy(out, in, sizeof out);
    for (size_t f = 0; f < FRAMES; f++) {
        (void)cleaner_heard(cleaner, out + f * CODEC_FRAME_SAMPLES, false);
        cleaner_played(cleaner, NULL);
    }
    size_t from = FRAMES / 2 * CODEC_FRAME_SAMPLES;
    assert_memory_equal(out + from, in + from - LATE, sizeof in / 4);
    cleaner_destroy(&cleaner);
}

static void a_soft_caller_is_brought_up_where_that_is_asked_for(void **state)
{
    (void)state;
    scene_opts_t soft = room;
    soft.echo_db = -120;
    soft.near_db = -40;
    scene_t s = scene_new(&soft, 16000, 5);
    outcome_t o = run(&s, &(cleaner_opts_t){.noise = true, .gain = true});
    unsigned near = SCENE_FAR_S + SCENE_DOUBLE_S;
    double gained_db = -taken_db(&o, near + 1, near + SCENE_NEAR_S);
    print_message("brought up by %.1f dB\n", gained_db);
    assert_true(gained_db > 4 && gained_db < 14);
    scene_free(&s);
}

static void nothing_to_do_is_no_cleaner(void **state)
{
    (void)state;
    assert_null(cleaner_new(16000, &(cleaner_opts_t){.echo = false}));
    cleaner_t *none = NULL;
    cleaner_destroy(&none);
}

static void missing_frames_are_left_alone_and_left_out_ticks_keep_the_alignment(void **state)
{
    (void)state;
    scene_t s = scene_new(&room, 8000, 12345);
    cleaner_t *cleaner = cleaner_new(8000, &all);
    SpeexResamplerState *wide = speex_resampler_init(1, 8000, 16000, 3, NULL);
    double before = 0, after = 0;
    for (size_t f = 0; f < 50 * SCENE_FAR_S; f++) {
        int16_t pcm[CODEC_FRAME_SAMPLES];
        take(wide, &s, f, pcm);
        if (f % 100 == 57) { /* this thread slept */
            cleaner_skip(cleaner, 1);
            continue;
        }
        bool missing = f % 40 == 13;
        int16_t copy[CODEC_FRAME_SAMPLES];
        memcpy(copy, pcm, sizeof copy);
        if (f >= 250 && !missing) before += pow(10, scene_level_db(pcm, CODEC_FRAME_SAMPLES) / 10);
        (void)cleaner_heard(cleaner, pcm, missing);
        if (missing) assert_memory_equal(copy, pcm, sizeof copy);
        cleaner_played(cleaner, s.played + f * 160);
        if (f >= 250 && !missing) after += pow(10, scene_level_db(pcm, CODEC_FRAME_SAMPLES) / 10);
    }
    print_message("with gaps %.1f dB\n", 10 * log10(before / after));
    assert_true(10 * log10(before / after) > 8);
    cleaner_skip(cleaner, 1000000); /* a day's sleep is no longer than a second's */
    cleaner_destroy(&cleaner);
    speex_resampler_destroy(wide);
    scene_free(&s);
}

/* Two legs in turn on one thread: what one hears must not depend on the other. */
static void a_leg_does_not_hear_another(void **state)
{
    (void)state;
    scene_t a = scene_new(&room, 16000, 12345);
    scene_opts_t other = room;
    other.delay_ms = 60;
    scene_t b = scene_new(&other, 16000, 54321);
    cleaner_t *alone = cleaner_new(16000, &all);
    cleaner_t *beside = cleaner_new(16000, &all);
    cleaner_t *stranger = cleaner_new(16000, &all);
    for (size_t f = 0; f < 50 * 12; f++) {
        int16_t one[CODEC_FRAME_SAMPLES], two[CODEC_FRAME_SAMPLES], three[CODEC_FRAME_SAMPLES];
        memcpy(one, a.mic + f * CODEC_FRAME_SAMPLES, sizeof one);
        memcpy(two, one, sizeof two);
        memcpy(three, b.mic + f * CODEC_FRAME_SAMPLES, sizeof three);
        float db = cleaner_heard(alone, one, false);
        (void)cleaner_heard(stranger, three, false);
        assert_true(cleaner_heard(beside, two, false) == db);
        assert_memory_equal(one, two, sizeof one);
        cleaner_played(alone, a.played + f * CODEC_FRAME_SAMPLES);
        cleaner_played(stranger, b.played + f * CODEC_FRAME_SAMPLES);
        cleaner_played(beside, a.played + f * CODEC_FRAME_SAMPLES);
    }
    cleaner_destroy(&alone);
    cleaner_destroy(&beside);
    cleaner_destroy(&stranger);
    scene_free(&a);
    scene_free(&b);
}

static void a_delay_is_found_soon_and_only_where_there_is_one(void **state)
{
    (void)state;
    static const unsigned delays_ms[] = {20, 45, 200, 560, 0};
    for (size_t i = 0; i < sizeof delays_ms / sizeof *delays_ms; i++) {
        scene_opts_t opts = room;
        opts.delay_ms = delays_ms[i] ? delays_ms[i] : 100;
        if (!delays_ms[i]) opts.echo_db = -120;
        scene_t s = scene_new(&opts, 8000, 77);
        echo_delay_t *delay = echo_delay_new(8000);
        size_t found = 0;
        for (size_t f = 0; f < 50 * 20; f++) {
            echo_delay_heard(delay, s.mic + f * 160);
            echo_delay_played(delay, s.played + f * 160);
            if (!found && echo_delay_ms(delay) >= 0) found = f;
        }
        print_message("%u ms: %d, after %zu ms\n", delays_ms[i], echo_delay_ms(delay),
                      found * FRAME_MS);
        if (delays_ms[i]) {
            assert_true(abs(echo_delay_ms(delay) - (int)delays_ms[i]) <= 15);
            assert_in_range(found, 1, 50 * 5);
        } else {
            assert_int_equal(echo_delay_ms(delay), -1);
        }
        echo_delay_reset(delay);
        assert_int_equal(echo_delay_ms(delay), -1);
        echo_delay_destroy(&delay);
        scene_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_echo_is_taken_away_and_an_interruption_noticed),
        cmocka_unit_test(an_echo_that_moves_is_found_again),
        cmocka_unit_test(without_an_echo_none_is_found_and_the_voice_stays),
        cmocka_unit_test(noise_is_suppressed_also_without_echo_cancellation),
        cmocka_unit_test(on_a_clean_line_a_voice_is_left_as_it_is),
        cmocka_unit_test(a_soft_caller_is_brought_up_where_that_is_asked_for),
        cmocka_unit_test(nothing_to_do_is_no_cleaner),
        cmocka_unit_test(missing_frames_are_left_alone_and_left_out_ticks_keep_the_alignment),
        cmocka_unit_test(a_leg_does_not_hear_another),
        cmocka_unit_test(a_delay_is_found_soon_and_only_where_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
