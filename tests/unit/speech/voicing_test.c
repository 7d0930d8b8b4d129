/* voicing_test.c - one sentence by voices that fail, are late, break off or are slow. */
#include "services/speech/voicing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOICES = 3, MS = 16 };

typedef struct {
    tts_sink_t sink;
    char text[256], voice[32];
    unsigned asked, cancelled;
    pl_err_t answer; /* of say */
    bool at_work;
    breaker_t breaker;
} fake_t;

typedef struct {
    pl_loop_t *loop;
    fake_t fakes[VOICES];
    voices_choice_t choices[VOICES];
    voicing_t *voicing;
    size_t samples, bytes, at; /* of the last "said" */
    unsigned done;
    pl_err_t err;
    bool pure;
} world_t;

static pl_err_t fake_say(void *engine, void **job, const tts_say_t *say, const tts_sink_t *sink)
{
    fake_t *f = engine;
    f->asked++;
    if (f->answer) return f->answer;
    f->sink = *sink;
    f->at_work = true;
    (void)snprintf(f->text, sizeof f->text, "%s", say->text);
    (void)snprintf(f->voice, sizeof f->voice, "%s", say->voice);
    *job = f;
    return PL_OK;
}

static void fake_cancel(void **job)
{
    fake_t *f = *job;
    *job = NULL;
    if (!f) return;
    assert_true(f->at_work);
    f->at_work = false;
    f->cancelled++;
}

static const tts_provider_t fake = {.name = "fake", .say = fake_say, .cancel = fake_cancel};

static void sounds(fake_t *f, size_t ms)
{
    static const int16_t pcm[4000 * MS];
    assert_true(f->at_work);
    f->sink.audio(f->sink.arg, pcm, ms * MS);
}

static void ends(fake_t *f, pl_err_t err)
{
    assert_true(f->at_work);
    f->at_work = false;
    f->sink.done(f->sink.arg, err);
}

static void on_audio(void *arg, const int16_t *pcm, size_t samples)
{
    (void)pcm;
    ((world_t *)arg)->samples += samples;
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    world_t *w = arg;
    w->bytes = bytes;
    w->at = samples;
}

static void on_done(void *arg, pl_err_t err, bool pure)
{
    world_t *w = arg;
    w->done++;
    w->err = err;
    w->pure = pure;
    w->voicing = NULL;
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->loop = pl_loop_new();
    static const char *const names[VOICES] = {"one", "two", "three"};
    for (size_t i = 0; i < VOICES; i++)
        w->choices[i] = (voices_choice_t){
            .provider = &fake,
            .engine = &w->fakes[i],
            .voice = names[i],
            .breaker = &w->fakes[i].breaker,
            .failures = pl_metric_counter("test_failures_total", NULL, "of this test"),
            .replaced = pl_metric_counter("test_replaced_total", NULL, "of this test")};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    voicing_cancel(&w->voicing);
    voicing_cancel(&w->voicing);
    for (size_t i = 0; i < VOICES; i++) assert_false(w->fakes[i].at_work);
    pl_loop_destroy(&w->loop);
    free(w);
    return 0;
}

static void stop(void *arg)
{
    pl_loop_stop(arg);
}

static void run_ms(world_t *w, uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(w->loop, ms, 0, stop, w->loop);
    pl_loop_run(w->loop);
    pl_timer_stop(&timer);
}

static void say(world_t *w, const char *text, uint32_t first_audio_ms, bool hedge)
{
    w->samples = w->bytes = w->done = 0;
    voicing_opts_t opts = {first_audio_ms, hedge};
    tts_say_t what = {text, "en-US", "", 1.0, PL__STYLE__NONE};
    voicing_sink_t sink = {on_audio, on_said, on_done, w};
    w->voicing = voicing_new(w->loop, w->choices, VOICES, &opts, &what, &sink);
}

static void the_first_voice_says_it(void **state)
{
    world_t *w = *state;
    say(w, "hello there", 1000, false);
    assert_string_equal(w->fakes[0].voice, "one");
    sounds(&w->fakes[0], 100);
    w->fakes[0].sink.said(w->fakes[0].sink.arg, 5, 60 * MS);
    assert_int_equal(w->bytes, 5);
    ends(&w->fakes[0], PL_OK);
    assert_int_equal(w->done, 1);
    assert_true(w->pure);
    assert_int_equal(w->samples, 100 * MS);
    assert_int_equal(w->fakes[1].asked, 0);
}

static void one_that_fails_is_replaced_for_the_sentence(void **state)
{
    world_t *w = *state;
    double replaced = pl_metric_value(w->choices[0].replaced);
    say(w, "hello there", 1000, false);
    ends(&w->fakes[0], PL_UNAVAILABLE);
    run_ms(w, 5);
    assert_string_equal(w->fakes[1].text, "hello there");
    sounds(&w->fakes[1], 100);
    ends(&w->fakes[1], PL_OK);
    assert_int_equal(w->err, PL_OK);
    assert_false(w->pure);
    assert_int_equal(pl_metric_value(w->choices[0].replaced), replaced + 1);
    say(w, "and the next", 1000, false); /* which the first is asked for again */
    assert_int_equal(w->fakes[0].asked, 2);
    ends(&w->fakes[0], PL_OK);
}

static void one_that_refuses_at_once_is_replaced_too(void **state)
{
    world_t *w = *state;
    w->fakes[0].answer = PL_BUSY;
    say(w, "hello there", 1000, false);
    assert_int_equal(w->done, 0); /* never inside the call */
    run_ms(w, 5);
    assert_int_equal(w->fakes[1].asked, 1);
    ends(&w->fakes[1], PL_OK);
}

static void one_without_a_sound_in_time_is_replaced(void **state)
{
    world_t *w = *state;
    say(w, "hello there", 60, false);
    run_ms(w, 30);
    assert_int_equal(w->fakes[1].asked, 0);
    run_ms(w, 80);
    assert_int_equal(w->fakes[0].cancelled, 1);
    assert_int_equal(w->fakes[1].asked, 1);
    sounds(&w->fakes[1], 20);
    run_ms(w, 120); /* who has sounded has all the time */
    assert_true(w->fakes[1].at_work);
    ends(&w->fakes[1], PL_OK);
    assert_int_equal(w->done, 1);
}

static void the_last_one_has_no_deadline_and_its_failure_is_the_sentences(void **state)
{
    world_t *w = *state;
    say(w, "hello there", 30, false);
    run_ms(w, 200);
    assert_int_equal(w->fakes[0].cancelled + w->fakes[1].cancelled, 2);
    assert_true(w->fakes[2].at_work);
    ends(&w->fakes[2], PL_UNAVAILABLE);
    run_ms(w, 5);
    assert_int_equal(w->done, 1);
    assert_int_equal(w->err, PL_UNAVAILABLE);
}

static void one_that_breaks_off_is_followed_by_another_that_says_the_rest(void **state)
{
    world_t *w = *state;
    say(w, "one two three four", 1000, false);
    sounds(&w->fakes[0], 500);
    w->fakes[0].sink.said(w->fakes[0].sink.arg, 7, 480 * MS); /* by its own account */
    ends(&w->fakes[0], PL_TIMEOUT);
    run_ms(w, 5);
    assert_string_equal(w->fakes[1].text, " three four");
    sounds(&w->fakes[1], 400);
    w->fakes[1].sink.said(w->fakes[1].sink.arg, 6, 200 * MS);
    assert_int_equal(w->bytes, 13);
    assert_int_equal(w->at, 700 * MS);
    ends(&w->fakes[1], PL_OK);
    assert_false(w->pure);
    assert_int_equal(w->samples, 900 * MS);
}

static void without_an_account_the_rest_is_estimated(void **state)
{
    world_t *w = *state;
    say(w, "aaaa bbbb cccc dddd", 1000, false); /* 16 letters: about a second */
    sounds(&w->fakes[0], 550);
    ends(&w->fakes[0], PL_UNAVAILABLE);
    run_ms(w, 5);
    assert_string_equal(w->fakes[1].text, " cccc dddd");
    ends(&w->fakes[1], PL_OK);
}

static void nothing_to_say_is_no_failure(void **state)
{
    world_t *w = *state;
    w->fakes[0].answer = PL_INVALID;
    say(w, "...", 1000, false);
    run_ms(w, 5);
    assert_int_equal(w->done, 1);
    assert_int_equal(w->err, PL_INVALID);
    assert_int_equal(w->fakes[1].asked, 0);
    assert_int_equal(w->fakes[0].breaker.failures, 0);
}

static void one_that_keeps_failing_is_left_alone(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < BREAKER_FAILURES; i++) {
        say(w, "hello", 1000, false);
        ends(&w->fakes[0], PL_UNAVAILABLE);
        run_ms(w, 5);
        ends(&w->fakes[1], PL_OK);
    }
    say(w, "hello", 1000, false);
    assert_int_equal(w->fakes[0].asked, BREAKER_FAILURES);
    assert_true(w->fakes[1].at_work);
    ends(&w->fakes[1], PL_OK);
}

static void hedging_hears_who_sounds_first(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < BREAKER_TIMES_LEAST; i++) breaker_succeeded(&w->fakes[0].breaker, 20);
    say(w, "hello there", 1000, true);
    run_ms(w, 80);
    assert_true(w->fakes[0].at_work && w->fakes[1].at_work);
    sounds(&w->fakes[1], 50);
    assert_int_equal(w->fakes[0].cancelled, 1);
    ends(&w->fakes[1], PL_OK);
    assert_int_equal(w->samples, 50 * MS);
    say(w, "hello there", 1000, true);
    run_ms(w, 80);
    ends(&w->fakes[1], PL_UNAVAILABLE); /* the hedge fails: the first goes on */
    run_ms(w, 5);
    assert_int_equal(w->fakes[2].asked, 0);
    sounds(&w->fakes[0], 50);
    ends(&w->fakes[0], PL_OK);
    assert_true(w->pure);
}

static void a_sentence_may_be_cancelled_at_any_time(void **state)
{
    world_t *w = *state;
    say(w, "hello there", 1000, false);
    ends(&w->fakes[0], PL_UNAVAILABLE);
    voicing_cancel(&w->voicing); /* the next voice is about to be asked */
    run_ms(w, 5);
    assert_int_equal(w->fakes[1].asked, 0);
    say(w, "hello there", 1000, false);
    sounds(&w->fakes[0], 50);
    voicing_cancel(&w->voicing);
    assert_int_equal(w->done, 0);
}

int main(void)
{
    pl_signals_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_voice_says_it),
        TEST(one_that_fails_is_replaced_for_the_sentence),
        TEST(one_that_refuses_at_once_is_replaced_too),
        TEST(one_without_a_sound_in_time_is_replaced),
        TEST(the_last_one_has_no_deadline_and_its_failure_is_the_sentences),
        TEST(one_that_breaks_off_is_followed_by_another_that_says_the_rest),
        TEST(without_an_account_the_rest_is_estimated),
        TEST(nothing_to_say_is_no_failure),
        TEST(one_that_keeps_failing_is_left_alone),
        TEST(hedging_hears_who_sounds_first),
        TEST(a_sentence_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
