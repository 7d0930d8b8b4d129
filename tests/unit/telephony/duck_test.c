/* duck_test.c - the bot's voice while the caller makes a sound over it. */
#include "services/telephony/duck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { FULL = 10000, LOW = 2000 };

/* A frame of the caller, then one of the voice: its last sample, of a constant FULL. */
static int frame(duck_t *duck, bool sound, bool over_us)
{
    int16_t pcm[PL_FRAME_SAMPLES];
    for (int i = 0; i < PL_FRAME_SAMPLES; i++) pcm[i] = FULL;
    duck_heard(duck, sound, over_us);
    duck_apply(duck, pcm);
    return pcm[PL_FRAME_SAMPLES - 1];
}

static int frames(duck_t *duck, uint32_t ms, bool sound)
{
    int last = 0;
    for (uint32_t i = 0; i < ms / PL_FRAME_MS; i++) last = frame(duck, sound, true);
    return last;
}

static void the_voice_is_down_at_the_end_of_the_frame_a_sound_is_heard_in(void **state)
{
    (void)state;
    duck_t duck = {0};
    assert_int_equal(frames(&duck, 200, false), FULL);
    assert_int_equal(frame(&duck, true, true), LOW);
    assert_int_equal(frames(&duck, 1000, true), LOW);
}

static void it_falls_and_rises_without_a_jump(void **state)
{
    (void)state;
    duck_t duck = {0};
    int before = FULL;
    for (int f = 0; f < 40; f++) {
        int16_t pcm[PL_FRAME_SAMPLES];
        for (int i = 0; i < PL_FRAME_SAMPLES; i++) pcm[i] = FULL;
        duck_heard(&duck, f == 3, true);
        duck_apply(&duck, pcm);
        for (int i = 0; i < PL_FRAME_SAMPLES; i++) {
            int step = pcm[i] > before ? pcm[i] - before : before - pcm[i];
            assert_in_range(step, 0, FULL / 60);
            before = pcm[i];
        }
    }
    assert_int_equal(before, FULL);
}

static void a_click_lowers_it_for_a_moment_only(void **state)
{
    (void)state;
    duck_t duck = {0};
    assert_int_equal(frame(&duck, true, true), LOW);
    (void)frames(&duck, DUCK_AFTER_CLICK_MS, false);
    assert_int_equal(frames(&duck, DUCK_RISE_MS, false), FULL);
}

static void after_a_word_it_waits_for_a_decision(void **state)
{
    (void)state;
    duck_t duck = {0};
    (void)frames(&duck, 300, true);
    assert_int_equal(frames(&duck, DUCK_AFTER_WORD_MS - 20, false), LOW);
    assert_int_equal(frames(&duck, 20 + DUCK_RISE_MS, false), FULL);
}

static void told_to_rise_it_does_and_ignores_the_rest_of_that_sound(void **state)
{
    (void)state;
    duck_t duck = {0};
    (void)frames(&duck, 300, true);
    duck_rise(&duck);
    assert_int_equal(frames(&duck, DUCK_RISE_MS, true), FULL);
    (void)frames(&duck, 200, false);
    assert_int_equal(frames(&duck, 200, true), FULL); /* a pause within it */
    (void)frames(&duck, DUCK_REARM_MS, false);
    assert_int_equal(frame(&duck, true, true), LOW); /* a new one */
}

static void it_rises_when_nobody_decides(void **state)
{
    (void)state;
    duck_t duck = {0};
    assert_int_equal(frames(&duck, DUCK_AT_MOST_MS - 20, true), LOW);
    assert_int_equal(frames(&duck, 20 + DUCK_RISE_MS, true), FULL);
}

static void what_may_not_be_interrupted_stays_loud(void **state)
{
    (void)state;
    duck_t duck = {0};
    for (int i = 0; i < 50; i++) assert_int_equal(frame(&duck, true, false), FULL);
    assert_int_equal(frame(&duck, true, true), LOW); /* the next sentence may */
    (void)frame(&duck, true, false);
    for (int i = 0; i < 6; i++) (void)frame(&duck, true, false);
    assert_int_equal(frame(&duck, true, false), FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_voice_is_down_at_the_end_of_the_frame_a_sound_is_heard_in),
        cmocka_unit_test(it_falls_and_rises_without_a_jump),
        cmocka_unit_test(a_click_lowers_it_for_a_moment_only),
        cmocka_unit_test(after_a_word_it_waits_for_a_decision),
        cmocka_unit_test(told_to_rise_it_does_and_ignores_the_rest_of_that_sound),
        cmocka_unit_test(it_rises_when_nobody_decides),
        cmocka_unit_test(what_may_not_be_interrupted_stays_loud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
