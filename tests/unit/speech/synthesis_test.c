/* synthesis_test.c - sentences to audio by the real voices, and out of the cache. */
#include "services/speech/synthesis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "services/speech/config.h"

enum { MOST = 20 * 16000, PATIENCE_MS = 20000 };

typedef struct {
    int16_t pcm[MOST];
    size_t samples, words, last_bytes;
    unsigned pieces, done;
    pl_err_t err;
    uint64_t began_us, first_us; /* of its first audio */
} heard_t;

typedef struct {
    pl_loop_t *loop;
    pl_config_t *cfg;
    synthesis_t *synthesis;
    heard_t a, b;
} world_t;

static void on_audio(void *arg, clip_t *clip)
{
    heard_t *h = arg;
    if (h->samples == 0) h->first_us = pl_clock_us();
    assert_true(h->samples + clip->samples <= MOST);
    memcpy(h->pcm + h->samples, clip->pcm, clip->samples * sizeof *clip->pcm);
    h->samples += clip->samples;
    h->pieces++;
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    heard_t *h = arg;
    assert_true(samples <= h->samples);
    h->words++;
    h->last_bytes = bytes;
}

static void on_done(void *arg, pl_err_t err)
{
    heard_t *h = arg;
    h->done++;
    h->err = err;
}

static double counted(const char *name)
{
    return pl_metric_value(pl_metric_counter(name, NULL, "the same one"));
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

static void wait_for(world_t *w, const heard_t *h)
{
    uint64_t until = pl_clock_ms() + PATIENCE_MS;
    while (!h->done && pl_clock_ms() < until) run_ms(w, 2);
    assert_int_equal(h->done, 1);
}

static world_t *begin(const char *yaml)
{
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    char error[256] = "";
    w->loop = pl_loop_new();
    w->cfg = pl_config_parse("speech", speech_config_keys, "test.yaml", yaml, error, sizeof error);
    if (!w->cfg) fail_msg("%s", error);
    assert_int_equal(synthesis_new(&w->synthesis, w->loop, w->cfg), PL_OK);
    return w;
}

static void end(world_t **w_p)
{
    world_t *w = *w_p;
    synthesis_destroy(&w->synthesis);
    pl_loop_destroy(&w->loop);
    pl_config_destroy(&w->cfg);
    free(w);
    *w_p = NULL;
}

static synthesis_job_t *ask(world_t *w, const char *text, double rate, heard_t *h)
{
    *h = (heard_t){.began_us = pl_clock_us()};
    tts_say_t say = {text, "en-US", "", rate, PL__STYLE__NONE};
    synthesis_sink_t sink = {on_audio, on_said, on_done, h};
    synthesis_job_t *job = NULL;
    assert_int_equal(synthesis_say(w->synthesis, &job, &say, &sink), PL_OK);
    assert_int_equal(h->pieces, 0); /* never inside the call */
    return job;
}

static void say(world_t *w, const char *text, double rate, heard_t *h)
{
    (void)ask(w, text, rate, h);
    wait_for(w, h);
    assert_int_equal(h->err, PL_OK);
}

static void what_is_said_for_the_third_time_comes_out_of_the_cache(void **state)
{
    (void)state;
    world_t *w = begin("");
    double hits = counted("parley_tts_cache_hits_total");
    say(w, "Good morning, how can I help you today?", 1.0, &w->b);
    say(w, "Good morning, how can I help you today?", 1.0, &w->a); /* this one is kept */
    assert_int_equal(counted("parley_tts_cache_hits_total"), hits);
    say(w, "Good morning, how can I help you today?", 1.0, &w->b);
    assert_int_equal(counted("parley_tts_cache_hits_total"), hits + 1);
    assert_int_equal(w->b.samples, w->a.samples);
    assert_memory_equal(w->b.pcm, w->a.pcm, w->a.samples * sizeof(int16_t));
    assert_int_equal(w->b.words, w->a.words);
    assert_int_equal(w->b.last_bytes, strlen("Good morning, how can I help you today?"));
    print_message("first audio after %u us, synthesised after %u us\n",
                  (unsigned)(w->b.first_us - w->b.began_us),
                  (unsigned)(w->a.first_us - w->a.began_us));
    say(w, "Good morning, how can I help you today?", 0.8, &w->b); /* slower is another */
    assert_true(w->b.samples > w->a.samples);
    end(&w);
}

static void what_was_warmed_is_there_the_first_time(void **state)
{
    (void)state;
    world_t *w = begin("");
    static const char *const phrases[] = {"One moment please.", "Are you still there?",
                                          "One moment please.", ""};
    double hits = counted("parley_tts_cache_hits_total");
    double misses = counted("parley_tts_cache_misses_total");
    for (size_t i = 0; i < 4; i++) {
        tts_say_t what = {phrases[i], "en-US", "", 1.0, PL__STYLE__NONE};
        synthesis_warm(w->synthesis, &what);
    }
    tts_say_t unspoken = {"hello", "tlh-QO", "", 1.0, PL__STYLE__NONE}; /* nobody speaks it */
    synthesis_warm(w->synthesis, &unspoken);
    pl_metric_t *bytes = pl_metric_gauge("parley_tts_cache_bytes", NULL, "the same one");
    for (int i = 0; i < 5000 && pl_metric_value(bytes) < 60000; i++) run_ms(w, 2);
    say(w, "Are you still there?", 1.0, &w->a);
    say(w, "One moment please.", 1.0, &w->b);
    assert_int_equal(counted("parley_tts_cache_hits_total"), hits + 2);
    assert_int_equal(counted("parley_tts_cache_misses_total"), misses);
    end(&w);
}

static void warming_can_be_off_and_so_can_the_cache(void **state)
{
    (void)state;
    world_t *w = begin("speech: {tts: {cache: {size_mb: 0}}}");
    double hits = counted("parley_tts_cache_hits_total");
    tts_say_t what = {"One moment please.", "en-US", "", 1.0, PL__STYLE__NONE};
    synthesis_warm(w->synthesis, &what);
    for (int i = 0; i < 4; i++) say(w, "One moment please.", 1.0, &w->a);
    assert_int_equal(counted("parley_tts_cache_hits_total"), hits);
    end(&w);
}

static void a_cancelled_sentence_is_not_heard_cached_or_not(void **state)
{
    (void)state;
    world_t *w = begin("");
    for (int i = 0; i < 2; i++) say(w, "Please hold the line.", 1.0, &w->b);
    synthesis_job_t *cached = ask(w, "Please hold the line.", 1.0, &w->a);
    synthesis_cancel(&cached);
    assert_null(cached);
    synthesis_cancel(&cached);
    synthesis_job_t *fresh = ask(w, "A sentence that was never said before.", 1.0, &w->b);
    synthesis_cancel(&fresh);
    run_ms(w, 300);
    assert_int_equal(w->a.pieces + w->a.done + w->b.pieces + w->b.done, 0);
    cached = ask(w, "Please hold the line.", 1.0, &w->a); /* and the end comes before it */
    synthesis_cancel(&cached);
    end(&w);
}

static void a_language_nobody_speaks_is_refused(void **state)
{
    (void)state;
    world_t *w = begin("");
    tts_say_t what = {"hello", "tlh-QO", "", 1.0, PL__STYLE__NONE};
    synthesis_sink_t sink = {on_audio, on_said, on_done, &w->a};
    synthesis_job_t *job = NULL;
    assert_int_equal(synthesis_say(w->synthesis, &job, &what, &sink), PL_NOT_FOUND);
    assert_null(job);
    end(&w);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_for_the_third_time_comes_out_of_the_cache),
        cmocka_unit_test(what_was_warmed_is_there_the_first_time),
        cmocka_unit_test(warming_can_be_off_and_so_can_the_cache),
        cmocka_unit_test(a_cancelled_sentence_is_not_heard_cached_or_not),
        cmocka_unit_test(a_language_nobody_speaks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
