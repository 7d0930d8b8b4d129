/* recognition_test.c - utterances to text by recognisers that fail, are late, or are slow. */
#include "services/speech/recognition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "services/speech/config.h"

enum { STREAMS_MAX = 64, FRAME = 320 };

/* ---- two recognisers that do what the test says -------------------------------------------------- */

typedef struct fake fake_t;

typedef struct {
    fake_t *fake;
    stt_sink_t sink;
    size_t fed, pauses;
    int16_t first; /* sample */
    bool ended, closed, narrow;
    stt_memory_t *memory;
    Pl__Expect expect;
} fake_stream_t;

struct fake {
    fake_stream_t streams[STREAMS_MAX];
    size_t opened;
    bool refuses;
    stt_failed_fn *failed;
    void *failed_arg;
    bool closed;
};

static fake_t fakes[2];

static pl_err_t fake_engine(fake_t *fake, void **engine, stt_failed_fn *failed, void *arg)
{
    *fake = (fake_t){.failed = failed, .failed_arg = arg};
    *engine = fake;
    return PL_OK;
}

static pl_err_t a_engine(void **engine, pl_loop_t *loop, const pl_config_t *cfg,
                         stt_failed_fn *failed, void *arg)
{
    (void)loop;
    (void)cfg;
    return fake_engine(&fakes[0], engine, failed, arg);
}

static pl_err_t b_engine(void **engine, pl_loop_t *loop, const pl_config_t *cfg,
                         stt_failed_fn *failed, void *arg)
{
    (void)loop;
    (void)cfg;
    return fake_engine(&fakes[1], engine, failed, arg);
}

static void fake_close_engine(void **engine)
{
    ((fake_t *)*engine)->closed = true;
    *engine = NULL;
}

static pl_err_t fake_open(void *engine, void **stream, const stt_sink_t *sink)
{
    fake_t *fake = engine;
    if (fake->refuses) return PL_UNAVAILABLE;
    assert_true(fake->opened < STREAMS_MAX);
    fake_stream_t *s = &fake->streams[fake->opened++];
    *s = (fake_stream_t){.fake = fake, .sink = *sink};
    *stream = s;
    return PL_OK;
}

static void fake_listen(void *stream, Pl__Expect expect, const char *lang, bool narrow)
{
    ((fake_stream_t *)stream)->narrow = narrow;
    assert_string_equal(lang, "en-US");
    ((fake_stream_t *)stream)->expect = expect;
}

static pl_err_t fake_feed(void *stream, const int16_t *pcm, size_t samples)
{
    fake_stream_t *s = stream;
    assert_false(s->closed || s->ended);
    if (s->fed == 0) s->first = pcm[0];
    s->fed += samples;
    return PL_OK;
}

static void fake_pause(void *stream)
{
    ((fake_stream_t *)stream)->pauses++;
}

static void fake_end(void *stream)
{
    ((fake_stream_t *)stream)->ended = true;
}

static void fake_remember(void *stream, stt_memory_t *memory)
{
    ((fake_stream_t *)stream)->memory = memory;
}

static void fake_close(void **stream)
{
    ((fake_stream_t *)*stream)->closed = true;
    *stream = NULL;
}

static const stt_provider_t fake_a = {"a",         a_engine,      fake_close_engine, fake_open,
                                      fake_listen, fake_remember, fake_feed,         fake_pause,
                                      fake_end,    NULL,          fake_close};
static const stt_provider_t fake_b = {"b",         b_engine, fake_close_engine, fake_open,
                                      fake_listen, NULL,     fake_feed,         fake_pause,
                                      fake_end,    NULL,     fake_close};

static fake_stream_t *stream(int fake, size_t i)
{
    assert_true(i < fakes[fake].opened);
    return &fakes[fake].streams[i];
}

static void answers(fake_stream_t *s, const char *text)
{
    assert_false(s->closed);
    s->sink.final(s->sink.arg, text, 0.5);
}

static void fails(fake_stream_t *s)
{
    assert_false(s->closed);
    s->sink.failed(s->sink.arg, PL_UNAVAILABLE);
}

/* ---- the world ------------------------------------------------------------------------------------ */

typedef struct {
    pl_loop_t *loop;
    pl_config_t *cfg;
    recognisers_t *recognisers;
    recognition_t *recognition;
    char finals[512], partial[128];
    unsigned count, gone;
} world_t;

static void on_partial(void *arg, const char *text, size_t samples)
{
    world_t *w = arg;
    (void)samples;
    (void)snprintf(w->partial, sizeof w->partial, "%s", text);
}

static void on_final(void *arg, const char *text, double confidence)
{
    world_t *w = arg;
    (void)confidence;
    size_t at = strlen(w->finals);
    (void)snprintf(w->finals + at, sizeof w->finals - at, "%s|", text);
    w->count++;
}

static void on_deaf(void *arg)
{
    ((world_t *)arg)->gone++;
}

static world_t *begin(const char *yaml, bool both)
{
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    char error[256] = "";
    w->loop = pl_loop_new();
    w->cfg = pl_config_parse("speech", speech_config_keys, "test.yaml", yaml, error, sizeof error);
    if (!w->cfg) fail_msg("%s", error);
    const stt_provider_t *list[] = {&fake_a, both ? &fake_b : NULL, NULL};
    assert_int_equal(recognisers_new_of(&w->recognisers, w->loop, w->cfg, list, on_deaf, w), PL_OK);
    recognition_sink_t sink = {on_partial, on_final, w};
    w->recognition = recognition_new(w->recognisers, &sink);
    return w;
}

static void end(world_t **w_p)
{
    world_t *w = *w_p;
    recognition_destroy(&w->recognition);
    recognition_destroy(&w->recognition);
    for (int f = 0; f < 2; f++) {
        for (size_t i = 0; i < fakes[f].opened; i++) assert_true(fakes[f].streams[i].closed);
    }
    recognisers_destroy(&w->recognisers);
    pl_loop_destroy(&w->loop);
    pl_config_destroy(&w->cfg);
    memset(fakes, 0, sizeof fakes);
    free(w);
    *w_p = NULL;
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

static void feed(world_t *w, size_t frames, int16_t sample)
{
    int16_t pcm[FRAME];
    for (int i = 0; i < FRAME; i++) pcm[i] = sample;
    for (size_t i = 0; i < frames; i++) recognition_feed(w->recognition, pcm, FRAME);
}

static void utter(world_t *w, size_t frames, int16_t sample)
{
    recognition_begin(w->recognition, PL__EXPECT__DIGITS, "en-US");
    feed(w, frames, sample);
    recognition_pause(w->recognition);
    feed(w, 5, 0);
    recognition_end(w->recognition);
}

/* ---- tests ----------------------------------------------------------------------------------------- */

static void an_utterance_goes_to_the_first_recogniser(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    utter(w, 20, 7);
    assert_int_equal(fakes[0].opened, 1);
    assert_int_equal(fakes[1].opened, 0);
    assert_int_equal(stream(0, 0)->fed, 25 * FRAME);
    assert_int_equal(stream(0, 0)->pauses, 1);
    assert_int_equal(stream(0, 0)->expect, PL__EXPECT__DIGITS);
    assert_true(stream(0, 0)->ended);
    answers(stream(0, 0), "one two");
    assert_int_equal(w->count, 0); /* never inside a call */
    run_ms(w, 5);
    assert_string_equal(w->finals, "one two|");
    end(&w);
}

static void what_a_recogniser_learns_of_a_caller_stays_with_that_call(void **state)
{
    (void)state;
    world_t *w = begin("", false);
    utter(w, 20, 7);
    stream(0, 0)->memory->values[0] = 42;
    stream(0, 0)->memory->count = 1;
    answers(stream(0, 0), "one");
    run_ms(w, 5);
    recognition_narrow(w->recognition, true);
    utter(w, 20, 7);
    fake_stream_t *second = stream(0, fakes[0].opened - 1);
    assert_true(second->narrow);
    assert_int_equal((int)second->memory->values[0], 42); /* the same caller */
    answers(second, "two");
    run_ms(w, 5);
    recognition_t *other = NULL;
    recognition_sink_t sink = {on_partial, on_final, w};
    other = recognition_new(w->recognisers, &sink);
    recognition_begin(other, PL__EXPECT__ANYTHING, "en-US");
    int16_t pcm[FRAME] = {0};
    recognition_feed(other, pcm, FRAME);
    fake_stream_t *third = stream(0, fakes[0].opened - 1);
    assert_ptr_not_equal(third->memory, second->memory);
    assert_int_equal(third->memory->count, 0); /* another one */
    assert_false(third->narrow);
    recognition_destroy(&other);
    end(&w);
}

static void who_dies_in_mid_utterance_is_replaced_with_all_the_audio(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    recognition_begin(w->recognition, PL__EXPECT__DIGITS, "en-US");
    feed(w, 20, 7);
    fails(stream(0, 0));
    feed(w, 3, 8); /* meanwhile */
    run_ms(w, 5);
    assert_int_equal(fakes[1].opened, 1);
    assert_int_equal(stream(1, 0)->fed, 23 * FRAME);
    assert_int_equal(stream(1, 0)->first, 7);
    feed(w, 10, 9);
    assert_int_equal(stream(1, 0)->fed, 33 * FRAME);
    recognition_end(w->recognition);
    answers(stream(1, 0), "one two three");
    run_ms(w, 5);
    assert_string_equal(w->finals, "one two three|");
    end(&w);
}

static void a_lone_recogniser_gets_the_audio_again(void **state)
{
    (void)state;
    world_t *w = begin("", false);
    recognition_begin(w->recognition, PL__EXPECT__DIGITS, "en-US");
    feed(w, 20, 7);
    fails(stream(0, 0));
    run_ms(w, 5);
    assert_int_equal(fakes[0].opened, 2);
    assert_int_equal(stream(0, 1)->fed, 20 * FRAME);
    recognition_end(w->recognition);
    answers(stream(0, 1), "again");
    run_ms(w, 5);
    assert_string_equal(w->finals, "again|");
    end(&w);
}

static void who_fails_after_the_end_is_replaced_too(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    utter(w, 20, 7);
    fails(stream(0, 0));
    run_ms(w, 5);
    assert_int_equal(stream(1, 0)->fed, 25 * FRAME);
    assert_int_equal(stream(1, 0)->pauses, 1);
    assert_true(stream(1, 0)->ended);
    answers(stream(1, 0), "late but right");
    run_ms(w, 5);
    assert_string_equal(w->finals, "late but right|");
    end(&w);
}

static void a_recogniser_past_its_deadline_is_replaced(void **state)
{
    (void)state;
    world_t *w = begin("speech: {stt: {deadline_ms: 100}}", true);
    utter(w, 20, 7);
    run_ms(w, 60);
    assert_int_equal(fakes[1].opened, 0);
    run_ms(w, 90);
    assert_int_equal(fakes[1].opened, 1);
    assert_true(stream(0, 0)->closed);
    answers(stream(1, 0), "in time");
    run_ms(w, 5);
    assert_string_equal(w->finals, "in time|");
    end(&w);
}

static void the_last_one_is_waited_for(void **state)
{
    (void)state;
    world_t *w = begin("speech: {stt: {deadline_ms: 100}}", true);
    utter(w, 20, 7);
    run_ms(w, 150);
    assert_int_equal(fakes[1].opened, 1);
    run_ms(w, 300); /* it is slow, too, but nobody else would be sooner */
    assert_int_equal(fakes[0].opened, 1);
    assert_false(stream(1, 0)->closed);
    answers(stream(1, 0), "at last");
    run_ms(w, 5);
    assert_string_equal(w->finals, "at last|");
    end(&w);
}

static void when_all_fail_what_is_known_must_do(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    utter(w, 20, 7);
    stream(0, 0)->sink.partial(stream(0, 0)->sink.arg, "my number is", 3200);
    assert_string_equal(w->partial, "my number is");
    size_t failed = 0;
    for (int i = 0; i < 100 && w->count == 0; i++) {
        for (int f = 0; f < 2; f++) {
            size_t newest = fakes[f].opened;
            if (newest == 0 || stream(f, newest - 1)->closed) continue;
            fails(stream(f, newest - 1));
            failed++;
        }
        run_ms(w, 10);
    }
    assert_int_equal(failed, RECOGNITION_TRIES);
    assert_string_equal(w->finals, "my number is|");
    utter(w, 20, 7); /* the next utterance is tried all the same */
    answers(stream(0, fakes[0].opened - 1), "here I am");
    run_ms(w, 5);
    assert_string_equal(w->finals, "my number is|here I am|");
    end(&w);
}

static void a_recogniser_that_keeps_failing_is_left_alone(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    for (int i = 0; i < BREAKER_FAILURES; i++) {
        utter(w, 20, 7);
        fails(stream(0, (size_t)i));
        run_ms(w, 5);
        answers(stream(1, (size_t)i), "b");
        run_ms(w, 5);
    }
    size_t asked = fakes[0].opened;
    utter(w, 20, 7);
    assert_int_equal(fakes[0].opened, asked); /* not this time */
    answers(stream(1, BREAKER_FAILURES), "b");
    run_ms(w, 5);
    assert_int_equal(w->count, BREAKER_FAILURES + 1);
    end(&w);
}

static void texts_come_in_order_whoever_finds_them(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    utter(w, 20, 1);
    utter(w, 20, 2);
    utter(w, 20, 3);
    answers(stream(0, 2), "three");
    answers(stream(0, 1), "two");
    run_ms(w, 5);
    assert_int_equal(w->count, 0);
    stream(0, 0)->sink.partial(stream(0, 0)->sink.arg, "on", 99);
    fails(stream(0, 0));
    run_ms(w, 5);
    answers(stream(1, 0), "one");
    run_ms(w, 5);
    assert_string_equal(w->finals, "one|two|three|");
    end(&w);
}

static void partials_are_of_the_oldest_utterance_only(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    utter(w, 20, 1);
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    feed(w, 20, 2);
    stream(0, 1)->sink.partial(stream(0, 1)->sink.arg, "younger", 99);
    assert_string_equal(w->partial, "");
    answers(stream(0, 0), "older");
    run_ms(w, 5);
    stream(0, 1)->sink.partial(stream(0, 1)->sink.arg, "younger", 99);
    assert_string_equal(w->partial, "younger");
    recognition_drop(w->recognition);
    assert_true(stream(0, 1)->closed);
    assert_int_equal(w->count, 1);
    end(&w);
}

static void hedging_asks_another_past_the_usual_time_and_takes_who_is_first(void **state)
{
    (void)state;
    world_t *w = begin("speech: {stt: {hedge: true}}", true);
    for (size_t i = 0; i < BREAKER_TIMES_LEAST; i++) {
        utter(w, 20, 7);
        run_ms(w, 20);
        answers(stream(0, i), "a");
        run_ms(w, 2);
    }
    assert_int_equal(fakes[1].opened, 0);
    utter(w, 20, 7);
    run_ms(w, 150);
    assert_int_equal(fakes[1].opened, 1);
    fake_stream_t *slow = stream(0, BREAKER_TIMES_LEAST);
    assert_false(slow->closed); /* beside it, not instead */
    assert_int_equal(stream(1, 0)->fed, 25 * FRAME);
    answers(stream(1, 0), "b");
    assert_true(slow->closed);
    run_ms(w, 5);
    assert_int_equal(w->count, BREAKER_TIMES_LEAST + 1);
    assert_non_null(strstr(w->finals, "b|"));
    utter(w, 20, 7); /* and when the hedge fails, the first still answers */
    run_ms(w, 150);
    assert_int_equal(fakes[1].opened, 2);
    fails(stream(1, 1));
    answers(stream(0, BREAKER_TIMES_LEAST + 1), "still a");
    run_ms(w, 5);
    assert_non_null(strstr(w->finals, "still a|"));
    utter(w, 20, 7); /* or the other way round */
    run_ms(w, 150);
    assert_int_equal(fakes[1].opened, 3);
    fails(stream(0, BREAKER_TIMES_LEAST + 2));
    answers(stream(1, 2), "b again");
    run_ms(w, 5);
    assert_non_null(strstr(w->finals, "b again|"));
    end(&w);
}

static void an_engine_gone_for_good_is_passed_over_and_the_last_one_is_told(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    fakes[0].failed(fakes[0].failed_arg);
    assert_int_equal(w->gone, 0);
    utter(w, 20, 7);
    assert_int_equal(fakes[0].opened, 0);
    answers(stream(1, 0), "b");
    run_ms(w, 5);
    fakes[1].failed(fakes[1].failed_arg);
    assert_int_equal(w->gone, 1);
    end(&w);
}

static void a_recogniser_that_gives_no_stream_is_passed_over(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    fakes[0].refuses = true;
    utter(w, 20, 7);
    run_ms(w, 5);
    assert_int_equal(stream(1, 0)->fed, 25 * FRAME);
    answers(stream(1, 0), "b");
    run_ms(w, 5);
    assert_string_equal(w->finals, "b|");
    end(&w);
}

static void a_call_may_end_at_any_time(void **state)
{
    (void)state;
    world_t *w = begin("", true);
    utter(w, 20, 1);
    fails(stream(0, 0)); /* the retry is on its way */
    utter(w, 20, 2);
    answers(stream(0, 1), "never heard");
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    end(&w);
}

static void a_wrong_list_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"speech: {stt: {provider: nobody}}",
                                        "speech: {stt: {fallbacks: [sphinx]}}",
                                        "speech: {stt: {fallbacks: [openai]}}"};
    for (size_t i = 0; i < 3; i++) {
        char error[256] = "";
        pl_loop_t *loop = pl_loop_new();
        pl_config_t *cfg = pl_config_parse("speech", speech_config_keys, "test.yaml", wrong[i],
                                           error, sizeof error);
        if (!cfg) fail_msg("%s", error);
        recognisers_t *recognisers = NULL;
        assert_int_equal(recognisers_new(&recognisers, loop, cfg, on_deaf, NULL), PL_INVALID);
        assert_null(recognisers);
        pl_loop_destroy(&loop);
        pl_config_destroy(&cfg);
    }
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_utterance_goes_to_the_first_recogniser),
        cmocka_unit_test(what_a_recogniser_learns_of_a_caller_stays_with_that_call),
        cmocka_unit_test(who_dies_in_mid_utterance_is_replaced_with_all_the_audio),
        cmocka_unit_test(a_lone_recogniser_gets_the_audio_again),
        cmocka_unit_test(who_fails_after_the_end_is_replaced_too),
        cmocka_unit_test(a_recogniser_past_its_deadline_is_replaced),
        cmocka_unit_test(the_last_one_is_waited_for),
        cmocka_unit_test(when_all_fail_what_is_known_must_do),
        cmocka_unit_test(a_recogniser_that_keeps_failing_is_left_alone),
        cmocka_unit_test(texts_come_in_order_whoever_finds_them),
        cmocka_unit_test(partials_are_of_the_oldest_utterance_only),
        cmocka_unit_test(hedging_asks_another_past_the_usual_time_and_takes_who_is_first),
        cmocka_unit_test(an_engine_gone_for_good_is_passed_over_and_the_last_one_is_told),
        cmocka_unit_test(a_recogniser_that_gives_no_stream_is_passed_over),
        cmocka_unit_test(a_call_may_end_at_any_time),
        cmocka_unit_test(a_wrong_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
