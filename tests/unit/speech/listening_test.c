/* listening_test.c - endpointing, frame by frame. */
#include "services/speech/listening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "common/lane.h"

typedef struct {
    listening_t *ears;
    uint32_t seq;
    unsigned begun, voices, ended, dropped, pauses;
    uint32_t pause_ms; /* of the last one that ended in voice */
    size_t fed;        /* samples since begin */
    int16_t first;     /* first sample fed */
    listening_end_t end;
} world_t;

static void on_begin(void *arg)
{
    world_t *w = arg;
    w->begun++;
    w->fed = 0;
}

static void on_feed(void *arg, const int16_t *pcm, size_t samples)
{
    world_t *w = arg;
    if (w->fed == 0) w->first = pcm[0];
    w->fed += samples;
}

static void on_voice(void *arg)
{
    world_t *w = arg;
    w->voices++;
}

static void on_pause(void *arg)
{
    world_t *w = arg;
    w->pauses++;
}

static void on_resume(void *arg, uint32_t pause_ms)
{
    world_t *w = arg;
    w->pause_ms = pause_ms;
}

static void on_end(void *arg, const listening_end_t *end)
{
    world_t *w = arg;
    w->ended++;
    w->end = *end;
}

static void on_drop(void *arg)
{
    world_t *w = arg;
    w->dropped++;
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    listening_opts_t opts = {.silence_ms = 500};
    listening_sink_t sink = {on_begin, on_feed, on_voice, on_pause, on_resume, on_end, on_drop, w};
    w->ears = listening_new(&opts, &sink);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    listening_destroy(&w->ears);
    listening_destroy(&w->ears); /* twice is fine */
    free(w);
    return 0;
}

/* Every frame's first sample is its number. */
static void frames(world_t *w, uint32_t ms, bool voice)
{
    for (uint32_t i = 0; i < ms / PL_FRAME_MS; i++) {
        int16_t pcm[PL_FRAME_SAMPLES] = {(int16_t)w->seq};
        assert_true(listening_frame(w->ears, w->seq++, pcm, voice));
    }
}

static void lost(world_t *w, uint32_t ms)
{
    for (uint32_t i = 0; i < ms / PL_FRAME_MS; i++)
        assert_true(listening_frame(w->ears, w->seq++, NULL, false));
}

static void sixty_ms_of_voice_begin_an_utterance_with_what_came_before(void **state)
{
    world_t *w = *state;
    frames(w, 1000, false);
    frames(w, 40, true);
    assert_int_equal(w->begun, 0);
    frames(w, 20, true);
    assert_int_equal(w->begun, 1);
    /* Frames 50 to 52 hold the voice; 300 ms and the window before them are kept. */
    assert_int_equal(w->fed, 20 * PL_FRAME_SAMPLES);
    assert_int_equal(w->first, 33);
}

static void clicks_far_apart_are_no_onset(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < 20; i++) {
        frames(w, 40, true);
        frames(w, 100, false);
    }
    assert_int_equal(w->begun, 0);
}

static void an_utterance_ends_after_the_silence(void **state)
{
    world_t *w = *state;
    frames(w, 1000, true);
    frames(w, 480, false);
    assert_int_equal(w->ended, 0);
    frames(w, 20, false);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->end.speech_ms, 1000);
    assert_int_equal(w->end.endpointing_ms, 500);
    assert_false(w->end.cut);
    assert_int_equal(w->voices, 1);
    frames(w, 2000, false);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->begun, 1);
}

static void a_pause_within_a_sentence_does_not_end_it(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    frames(w, 480, false);
    frames(w, 400, true);
    frames(w, 500, false);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->end.speech_ms, 1280);
}

static void a_short_noise_is_nothing_at_all(void **state)
{
    world_t *w = *state;
    frames(w, 100, true);
    frames(w, 1000, false);
    assert_int_equal(w->begun, 1);
    assert_int_equal(w->voices, 0);
    assert_int_equal(w->ended, 0);
    assert_int_equal(w->dropped, 1);
    frames(w, 120, true);
    frames(w, 500, false);
    assert_int_equal(w->voices, 1);
    assert_int_equal(w->ended, 1);
}

static void lost_frames_are_no_silence(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    lost(w, 900);
    assert_int_equal(w->ended, 0);
    frames(w, 400, true);
    assert_int_equal(w->ended, 0);
    frames(w, 500, false);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->end.speech_ms, 1700);
}

static void a_jump_in_the_numbers_is_a_gap(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    w->seq += 45;
    frames(w, 20, true);
    assert_int_equal(w->ended, 0);
    frames(w, 500, false);
    assert_int_equal(w->end.speech_ms, 400 + 900 + 20);
}

static void a_line_that_went_dead_ends_the_utterance(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    lost(w, LISTENING_GAP_MAX_MS + 480);
    assert_int_equal(w->ended, 0);
    lost(w, 20);
    assert_int_equal(w->ended, 1);
}

static void a_former_number_is_ignored(void **state)
{
    world_t *w = *state;
    frames(w, 100, false);
    int16_t pcm[PL_FRAME_SAMPLES] = {0};
    assert_false(listening_frame(w->ears, w->seq - 1, pcm, true));
    assert_false(listening_frame(w->ears, w->seq - 3, pcm, true));
    assert_true(listening_frame(w->ears, w->seq, pcm, true));
}

static void numbers_may_wrap_around(void **state)
{
    world_t *w = *state;
    w->seq = UINT32_MAX - 10;
    frames(w, 1000, true);
    frames(w, 500, false);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->end.speech_ms, 1000);
}

static void a_monologue_is_cut_after_a_minute(void **state)
{
    world_t *w = *state;
    frames(w, LISTENING_UTTERANCE_MAX_MS + 1000, true);
    assert_int_equal(w->ended, 1);
    assert_true(w->end.cut);
    assert_int_equal(w->begun, 2); /* and the rest is the next */
}

static void a_wait_holds_for_one_silence(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    frames(w, 100, false);
    listening_wait(w->ears, 1100);
    frames(w, 980, false);
    assert_int_equal(w->ended, 0);
    frames(w, 200, true);
    frames(w, 500, false); /* as configured again */
    assert_int_equal(w->ended, 1);
    listening_wait(w->ears, 100); /* of no utterance */
    frames(w, 400, true);
    frames(w, 480, false);
    assert_int_equal(w->ended, 1);
    listening_wait(w->ears, 150); /* that long it has been silent already */
    frames(w, 20, false);
    assert_int_equal(w->ended, 2);
}

static void pauses_are_told_once_and_measured(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    frames(w, 80, false);
    assert_int_equal(w->pauses, 0);
    frames(w, 200, true); /* too short to be one */
    assert_int_equal(w->pause_ms, 0);
    frames(w, 300, false);
    assert_int_equal(w->pauses, 1);
    frames(w, 200, true);
    assert_int_equal(w->pause_ms, 300);
    frames(w, 500, false);
    assert_int_equal(w->pauses, 2);
    assert_int_equal(w->ended, 1);
}

static void silence_can_be_set_in_mid_utterance(void **state)
{
    world_t *w = *state;
    frames(w, 400, true);
    listening_opts_t opts = {.silence_ms = 200};
    listening_set(w->ears, &opts);
    frames(w, 200, false);
    assert_int_equal(w->ended, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(sixty_ms_of_voice_begin_an_utterance_with_what_came_before),
        TEST(clicks_far_apart_are_no_onset),
        TEST(an_utterance_ends_after_the_silence),
        TEST(a_pause_within_a_sentence_does_not_end_it),
        TEST(a_short_noise_is_nothing_at_all),
        TEST(lost_frames_are_no_silence),
        TEST(a_jump_in_the_numbers_is_a_gap),
        TEST(a_line_that_went_dead_ends_the_utterance),
        TEST(a_former_number_is_ignored),
        TEST(numbers_may_wrap_around),
        TEST(a_monologue_is_cut_after_a_minute),
        TEST(a_wait_holds_for_one_silence),
        TEST(pauses_are_told_once_and_measured),
        TEST(silence_can_be_set_in_mid_utterance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
