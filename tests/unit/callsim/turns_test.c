#include "tools/callsim/turns.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A voice-like tone for whole frames, or silence with a little noise. */
static void frame(int16_t out[TURNS_FRAME_SAMPLES], bool voice)
{
    for (int i = 0; i < TURNS_FRAME_SAMPLES; i++) {
        double noise = (double)((i * 7919) % 31) - 15;
        out[i] = (int16_t)(voice ? 6000 * sin(i * 0.13) : noise);
    }
}

static turns_event_t seen; /* in the last run */

/* ms of both directions. */
static void run(turns_t *turns, uint32_t ms, bool caller, bool bot)
{
    int16_t a[TURNS_FRAME_SAMPLES];
    int16_t b[TURNS_FRAME_SAMPLES];
    frame(a, caller);
    frame(b, bot);
    seen = (turns_event_t){0};
    for (uint32_t t = 0; t < ms; t += TURNS_FRAME_MS) {
        turns_event_t event = turns_frame(turns, a, b);
        seen.bot_started |= event.bot_started;
        seen.bot_ended |= event.bot_ended;
    }
}

static void latency_is_from_the_end_of_one_voice_to_the_start_of_the_other(void **state)
{
    (void)state;
    turns_t *turns = turns_new(700);
    run(turns, 500, false, false);
    run(turns, 2000, false, true);
    assert_true(seen.bot_started);
    run(turns, 1000, false, false);
    assert_true(seen.bot_ended);
    turns_heard(turns, "hello");
    turns_say(turns, 3, "hi");
    run(turns, 1000, true, false);
    run(turns, 840, false, false);
    run(turns, 600, false, true);
    turns_finish(turns);
    assert_int_equal(turns_count(turns), 3);
    const turn_t *first = turns_at(turns, 0);
    assert_false(first->caller);
    assert_int_equal(first->start_ms, 500);
    assert_int_equal(first->end_ms, 2500);
    assert_int_equal(first->latency_ms, TURNS_NONE); /* nobody had spoken before */
    assert_string_equal(first->text, "hello");
    const turn_t *second = turns_at(turns, 1);
    assert_true(second->caller);
    assert_int_equal(second->step, 3);
    assert_string_equal(second->text, "hi");
    assert_false(second->interrupts);
    assert_int_equal(turns_at(turns, 2)->latency_ms, 840);
    assert_int_equal(turns_at(turns, 2)->end_ms, turns_at(turns, 2)->start_ms + 600);
    turns_destroy(&turns);
    assert_null(turns);
    turns_destroy(&turns);
}

static void an_answer_faster_than_the_callers_own_pause_has_its_latency(void **state)
{
    (void)state;
    turns_t *turns = turns_new(700);
    run(turns, 400, false, false);
    run(turns, 800, true, false);
    run(turns, 200, false, false); /* shorter than what ends the caller's turn */
    run(turns, 800, false, true);
    turns_finish(turns);
    assert_int_equal(turns_count(turns), 2);
    assert_int_equal(turns_at(turns, 1)->latency_ms, 200);
    turns_destroy(&turns);
}

static void an_interruption_tells_how_long_the_bot_went_on(void **state)
{
    (void)state;
    turns_t *turns = turns_new(700);
    run(turns, 200, false, false);
    run(turns, 1000, false, true);
    run(turns, 320, true, true);
    run(turns, 900, true, false);
    run(turns, 700, false, false);
    turns_finish(turns);
    assert_int_equal(turns_count(turns), 2);
    assert_true(turns_at(turns, 0)->interrupted);
    assert_true(turns_at(turns, 1)->interrupts);
    assert_int_equal(turns_at(turns, 1)->stop_ms, 320);
    assert_int_equal(turns_at(turns, 1)->latency_ms, TURNS_NONE);
    turns_destroy(&turns);
}

static void a_caller_who_speaks_in_the_bots_trailing_quiet_interrupts_nothing(void **state)
{
    (void)state;
    turns_t *turns = turns_new(700);
    run(turns, 200, false, false);
    run(turns, 1000, false, true);
    run(turns, 400, false, false); /* the bot's turn is not over yet for an ear */
    run(turns, 600, true, false);
    run(turns, 1000, false, false);
    turns_finish(turns);
    assert_false(turns_at(turns, 0)->interrupted);
    assert_false(turns_at(turns, 1)->interrupts);
    turns_destroy(&turns);
}

static void pauses_shorter_than_quiet_do_not_split_a_turn(void **state)
{
    (void)state;
    turns_t *turns = turns_new(700);
    run(turns, 200, false, false);
    for (int i = 0; i < 3; i++) {
        run(turns, 600, false, true);
        run(turns, 500, false, false);
    }
    run(turns, 400, false, false);
    assert_true(seen.bot_ended);
    assert_int_equal(turns_count(turns), 1);
    turns_destroy(&turns);
}

static void clicks_and_noise_are_no_voice(void **state)
{
    (void)state;
    turns_t *turns = turns_new(700);
    int16_t quiet[TURNS_FRAME_SAMPLES];
    int16_t click[TURNS_FRAME_SAMPLES] = {0};
    frame(quiet, false);
    click[3] = 20000; /* one sample */
    for (int i = 0; i < 500; i++) (void)turns_frame(turns, quiet, i % 50 == 0 ? click : quiet);
    assert_int_equal(turns_count(turns), 0);
    turns_destroy(&turns);
}

static void words_belong_to_the_last_turn_that_is_over(void **state)
{
    (void)state;
    turns_t *turns = turns_new(300);
    turns_heard(turns, "nobody spoke"); /* harmless */
    run(turns, 200, false, false);
    run(turns, 600, false, true);
    run(turns, 400, false, false);
    run(turns, 600, false, true); /* speaks again while the words of before arrive */
    turns_heard(turns, "one");
    run(turns, 400, false, false);
    turns_heard(turns, "two");
    turns_heard(turns, "three"); /* there is no turn left without words */
    assert_string_equal(turns_at(turns, 0)->text, "one");
    assert_string_equal(turns_at(turns, 1)->text, "two");
    turns_destroy(&turns);
}

static void percentiles_are_nearest_ranks(void **state)
{
    (void)state;
    uint32_t values[100];
    for (uint32_t i = 0; i < 100; i++) values[i] = 100 - i;
    latency_t latency = latency_of(values, 100);
    assert_int_equal(latency.least, 1);
    assert_int_equal(latency.p50, 50);
    assert_int_equal(latency.p95, 95);
    assert_int_equal(latency.p99, 99);
    assert_int_equal(latency.most, 100);
    uint32_t one[] = {7};
    latency = latency_of(one, 1);
    assert_int_equal(latency.p50, 7);
    assert_int_equal(latency.p99, 7);
    assert_int_equal(latency_of(NULL, 0).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_is_from_the_end_of_one_voice_to_the_start_of_the_other),
        cmocka_unit_test(an_answer_faster_than_the_callers_own_pause_has_its_latency),
        cmocka_unit_test(an_interruption_tells_how_long_the_bot_went_on),
        cmocka_unit_test(a_caller_who_speaks_in_the_bots_trailing_quiet_interrupts_nothing),
        cmocka_unit_test(pauses_shorter_than_quiet_do_not_split_a_turn),
        cmocka_unit_test(clicks_and_noise_are_no_voice),
        cmocka_unit_test(words_belong_to_the_last_turn_that_is_over),
        cmocka_unit_test(percentiles_are_nearest_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
