/* openai_test.c - the OpenAI-compatible providers against a server that really hears and speaks,
 * with its errors and its slowness, and what stands in for it when it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http.h"
#include "services/speech/config.h"
#include "services/speech/providers/flite_voice.h"
#include "services/speech/recognition.h"
#include "services/speech/synthesis.h"
#include "tests/support/double.h"

enum { FRAME = 320, PATIENCE_MS = 20000 };

#define TRANSCRIPTIONS "/v1/audio/transcriptions"

static double_t server;

typedef struct {
    pl_loop_t *loop;
    pl_config_t *cfg;
    pl_http_t *http;
    recognisers_t *recognisers;
    recognition_t *recognition;
    synthesis_t *synthesis;
    char text[256], first_text[256], partial[256];
    size_t covered, samples;
    unsigned finals, done, gone, words;
    bool behaved;
    int loudest;
    pl_err_t err;
    uint64_t began_us, first_us;
} world_t;

static void on_partial(void *arg, const char *text, size_t samples)
{
    world_t *w = arg;
    (void)snprintf(w->partial, sizeof w->partial, "%s", text);
    w->covered = samples;
}

static void on_final(void *arg, const char *text, double confidence)
{
    world_t *w = arg;
    (void)confidence;
    if (w->finals++ == 0) (void)snprintf(w->first_text, sizeof w->first_text, "%s", text);
    (void)snprintf(w->text, sizeof w->text, "%s", text);
}

static void on_deaf(void *arg)
{
    ((world_t *)arg)->gone++;
}

static void on_audio(void *arg, clip_t *clip)
{
    world_t *w = arg;
    if (w->samples == 0) w->first_us = pl_clock_us();
    for (size_t i = 0; i < clip->samples; i++)
        if (abs(clip->pcm[i]) > w->loudest) w->loudest = abs(clip->pcm[i]);
    w->samples += clip->samples;
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    (void)bytes;
    (void)samples;
    ((world_t *)arg)->words++;
}

static void on_done(void *arg, pl_err_t err)
{
    ((world_t *)arg)->done++;
    ((world_t *)arg)->err = err;
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

static void wait_for(world_t *w, const unsigned *count, unsigned wanted)
{
    uint64_t until = pl_clock_ms() + PATIENCE_MS;
    while (*count < wanted && pl_clock_ms() < until) run_ms(w, 2);
    assert_int_equal(*count, wanted);
}

static void on_behaved(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    assert_int_equal(err, PL_OK);
    assert_int_equal(answer->status, 200);
    ((world_t *)arg)->behaved = true;
}

static void behave(world_t *w, const char *json)
{
    char url[96];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/double/behave", server.port);
    pl_http_opts_t opts = {.method = "PUT", .url = url, .body = json, .body_bytes = strlen(json)};
    w->behaved = false;
    (void)pl_http_send(w->http, &opts, on_behaved, w);
    for (int i = 0; i < 1000 && !w->behaved; i++) run_ms(w, 2);
    assert_true(w->behaved);
}

/* stt and tts: more settings of these, each beginning with a comma. */
static world_t *begin_with(int port, bool eager, const char *stt, const char *tts)
{
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    char yaml[1024];
    char error[256] = "";
    w->loop = pl_loop_new();
    (void)snprintf(yaml, sizeof yaml,
                   "speech:\n"
                   "  stt: {provider: openai, openai: {url: 'http://127.0.0.1:%d/v1/', "
                   "eager: %s}%s}\n"
                   "  tts: {openai: {url: 'http://127.0.0.1:%d/v1', stall_ms: 400}, voices: ["
                   "{lang: en, provider: openai, voice: nova}]%s}\n",
                   port, eager ? "true" : "false", stt, port, tts);
    w->cfg = pl_config_parse("speech", speech_config_keys, "test.yaml", yaml, error, sizeof error);
    if (!w->cfg) fail_msg("%s", error);
    w->http = pl_http_new(w->loop);
    assert_int_equal(recognisers_new(&w->recognisers, w->loop, w->cfg, on_deaf, w), PL_OK);
    recognition_sink_t sink = {on_partial, on_final, w};
    w->recognition = recognition_new(w->recognisers, &sink);
    assert_int_equal(synthesis_new(&w->synthesis, w->loop, w->cfg), PL_OK);
    if (port == server.port)
        behave(w, "{\"transcriptions\":{\"count\":0},\"speech\":{\"count\":0}}");
    return w;
}

static world_t *begin(int port, const char *stt, const char *tts)
{
    return begin_with(port, true, stt, tts);
}

static void end(world_t **w_p)
{
    world_t *w = *w_p;
    recognition_destroy(&w->recognition);
    recognisers_destroy(&w->recognisers);
    synthesis_destroy(&w->synthesis);
    pl_http_destroy(&w->http);
    pl_loop_destroy(&w->loop);
    pl_config_destroy(&w->cfg);
    free(w);
    *w_p = NULL;
}

/* ---- hearing --------------------------------------------------------------------------------------- */

static void feed(world_t *w, const char *text)
{
    int16_t *pcm = NULL;
    size_t samples = 0;
    assert_int_equal(flite_voice_say("slt", 1.0, text, &pcm, &samples), PL_OK);
    for (size_t at = 0; at + FRAME <= samples; at += FRAME)
        recognition_feed(w->recognition, pcm + at, FRAME);
    free(pcm);
}

static void silence(world_t *w, size_t frames)
{
    static const int16_t none[FRAME];
    for (size_t i = 0; i < frames; i++) recognition_feed(w->recognition, none, FRAME);
}

static void utter(world_t *w, const char *text)
{
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    feed(w, text);
    silence(w, 5);
    recognition_pause(w->recognition);
    silence(w, 20);
    recognition_end(w->recognition);
}

static void an_utterance_is_transcribed_by_one_request_sent_at_the_pause(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    unsigned before = double_requests(&server, TRANSCRIPTIONS);
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    feed(w, "hello there");
    silence(w, 5);
    recognition_pause(w->recognition);
    for (int i = 0; i < 5000 && !w->covered; i++) run_ms(w, 2);
    assert_string_equal(w->partial, "hello there"); /* while the caller still pauses */
    silence(w, 20);
    recognition_end(w->recognition);
    wait_for(w, &w->finals, 1);
    assert_string_equal(w->text, "hello there");
    assert_int_equal(double_requests(&server, TRANSCRIPTIONS), before + 1);
    end(&w);
}

static void who_goes_on_after_a_pause_is_heard_to_the_end(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    feed(w, "my laptop");
    silence(w, 5);
    recognition_pause(w->recognition);
    feed(w, "is broken");
    silence(w, 5);
    recognition_pause(w->recognition);
    recognition_end(w->recognition);
    wait_for(w, &w->finals, 1);
    assert_non_null(strstr(w->text, "broken"));
    end(&w);
}

static void without_eagerness_it_asks_at_the_end(void **state)
{
    (void)state;
    world_t *w = begin_with(server.port, false, "", "");
    unsigned before = double_requests(&server, TRANSCRIPTIONS);
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    for (int i = 0; i < 3; i++) {
        feed(w, "hello");
        silence(w, 5);
        recognition_pause(w->recognition);
    }
    run_ms(w, 100);
    assert_int_equal(double_requests(&server, TRANSCRIPTIONS), before);
    recognition_end(w->recognition);
    wait_for(w, &w->finals, 1);
    assert_int_equal(double_requests(&server, TRANSCRIPTIONS), before + 1);
    end(&w);
}

static void utterances_in_a_row_keep_their_order(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    behave(w, "{\"transcriptions\":{\"count\":1,\"delay_ms\":400}}");
    utter(w, "hello there");
    utter(w, "thank you goodbye");
    wait_for(w, &w->finals, 2);
    assert_string_equal(w->first_text, "hello there");
    assert_non_null(strstr(w->text, "goodbye"));
    end(&w);
}

static void a_server_that_errs_once_gets_the_audio_again(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    behave(w, "{\"transcriptions\":{\"count\":1,\"status\":503}}");
    utter(w, "hello there");
    wait_for(w, &w->finals, 1);
    assert_string_equal(w->text, "hello there");
    end(&w);
}

static void the_embedded_recogniser_takes_over_from_one_that_is_away(void **state)
{
    (void)state;
    world_t *w = begin(1, ", fallbacks: [sphinx], sphinx: {decoders: 1}", ""); /* nobody listens */
    for (unsigned i = 1; i <= 5; i++) { /* the breaker opens on the way */
        utter(w, "hello there");
        wait_for(w, &w->finals, i);
        assert_string_equal(w->text, "hello there");
    }
    assert_int_equal(w->gone, 0);
    assert_false(breaker_open(&recognisers_at(w->recognisers, 0)->breaker, pl_clock_ms()));
    end(&w);
}

static void a_server_past_the_deadline_is_not_waited_for(void **state)
{
    (void)state;
    world_t *w =
        begin(server.port, ", fallbacks: [sphinx], deadline_ms: 300, sphinx: {decoders: 1}", "");
    behave(w, "{\"transcriptions\":{\"delay_ms\":8000}}");
    utter(w, "hello there");
    wait_for(w, &w->finals, 1);
    assert_string_equal(w->text, "hello there");
    end(&w);
}

static void a_call_that_ends_cancels_its_requests(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    behave(w, "{\"transcriptions\":{\"delay_ms\":300}}");
    utter(w, "hello there");
    utter(w, "hello there");
    recognition_begin(w->recognition, PL__EXPECT__ANYTHING, "en-US");
    feed(w, "hello");
    recognition_pause(w->recognition);
    run_ms(w, 50);
    recognition_destroy(&w->recognition);
    run_ms(w, 500);
    assert_int_equal(w->finals, 0);
    end(&w);
}

/* ---- speaking -------------------------------------------------------------------------------------- */

static synthesis_job_t *say(world_t *w, const char *text)
{
    tts_say_t what = {text, "en-US", "", 1.0, PL__STYLE__NONE};
    synthesis_sink_t sink = {on_audio, on_said, on_done, w};
    synthesis_job_t *job = NULL;
    w->samples = w->done = w->words = 0;
    w->loudest = 0;
    w->began_us = pl_clock_us();
    assert_int_equal(synthesis_say(w->synthesis, &job, &what, &sink), PL_OK);
    return job;
}

static void a_sentence_streams_in_and_is_heard_before_it_ends(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    behave(w, "{\"speech\":{\"pace\":2}}");
    (void)say(w, "one two three four five six seven eight");
    wait_for(w, &w->done, 1);
    assert_int_equal(w->err, PL_OK);
    uint64_t all_ms = (pl_clock_us() - w->began_us) / 1000;
    uint64_t first_ms = (w->first_us - w->began_us) / 1000;
    print_message("%zu ms of audio, first after %llu ms, all after %llu ms\n", w->samples / 16,
                  (unsigned long long)first_ms, (unsigned long long)all_ms);
    assert_true(w->samples > 16 * 2000 && w->samples < 16 * 5000); /* at 16 kHz, not 24 */
    assert_true(w->loudest > 3000);
    assert_true(first_ms * 2 < all_ms);
    assert_int_equal(w->words, 0); /* it does not tell where words end */
    end(&w);
}

static void another_voice_says_it_when_the_server_errs_or_is_late(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", ", first_audio_ms: 300");
    behave(w, "{\"speech\":{\"count\":1,\"status\":500}}");
    (void)say(w, "one two three four");
    wait_for(w, &w->done, 1);
    assert_int_equal(w->err, PL_OK);
    assert_true(w->words >= 3); /* Flite's */
    behave(w, "{\"speech\":{\"count\":1,\"delay_ms\":5000}}");
    (void)say(w, "five six seven eight");
    wait_for(w, &w->done, 1);
    assert_int_equal(w->err, PL_OK);
    assert_true(w->words >= 3);
    (void)say(w, "nine ten eleven"); /* it is asked again for the next */
    wait_for(w, &w->done, 1);
    assert_int_equal(w->words, 0);
    end(&w);
}

static void the_rest_of_a_sentence_that_broke_off_is_said(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    (void)say(w, "one two three four five six seven eight");
    wait_for(w, &w->done, 1);
    size_t whole = w->samples;
    behave(w, "{\"speech\":{\"count\":1,\"cut_after_ms\":1000}}");
    (void)say(w, "one two three four five six seven, eight"); /* not the one that is kept */
    wait_for(w, &w->done, 1);
    assert_int_equal(w->err, PL_OK);
    print_message("%zu ms whole, %zu ms of two voices\n", whole / 16, w->samples / 16);
    assert_true(w->samples > whole / 2 && w->samples < whole * 3 / 2);
    assert_true(w->words > 0); /* the second half by Flite */
    end(&w);
}

static void a_cancelled_sentence_is_not_heard(void **state)
{
    (void)state;
    world_t *w = begin(server.port, "", "");
    behave(w, "{\"speech\":{\"pace\":1}}");
    synthesis_job_t *job = say(w, "one two three four five six seven eight");
    for (int i = 0; i < 2000 && w->samples == 0; i++) run_ms(w, 2);
    synthesis_cancel(&job);
    size_t samples = w->samples;
    run_ms(w, 400);
    assert_int_equal(w->samples, samples);
    assert_int_equal(w->done, 0);
    end(&w);
}

static void wrong_settings_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "speech: {stt: {provider: openai, openai: {url: 'ftp://example.org'}}}",
        "speech: {stt: {provider: openai, openai: {url: 'http://h', model: ''}}}",
        "speech: {stt: {provider: openai, openai: {url: 'http://h', api_key: \"a\\nb\"}}}"};
    for (size_t i = 0; i < 3; i++) {
        char error[256] = "";
        pl_loop_t *loop = pl_loop_new();
        pl_config_t *cfg = pl_config_parse("speech", speech_config_keys, "test.yaml", wrong[i],
                                           error, sizeof error);
        if (!cfg) fail_msg("%s", error);
        recognisers_t *recognisers = NULL;
        assert_int_equal(recognisers_new(&recognisers, loop, cfg, on_deaf, NULL), PL_INVALID);
        pl_loop_destroy(&loop);
        pl_config_destroy(&cfg);
    }
}

static int start_server(void **state)
{
    (void)state;
    double_start(&server, "speech-double");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    double_stop(&server);
    return 0;
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_utterance_is_transcribed_by_one_request_sent_at_the_pause),
        cmocka_unit_test(who_goes_on_after_a_pause_is_heard_to_the_end),
        cmocka_unit_test(without_eagerness_it_asks_at_the_end),
        cmocka_unit_test(utterances_in_a_row_keep_their_order),
        cmocka_unit_test(a_server_that_errs_once_gets_the_audio_again),
        cmocka_unit_test(the_embedded_recogniser_takes_over_from_one_that_is_away),
        cmocka_unit_test(a_server_past_the_deadline_is_not_waited_for),
        cmocka_unit_test(a_call_that_ends_cancels_its_requests),
        cmocka_unit_test(a_sentence_streams_in_and_is_heard_before_it_ends),
        cmocka_unit_test(another_voice_says_it_when_the_server_errs_or_is_late),
        cmocka_unit_test(the_rest_of_a_sentence_that_broke_off_is_said),
        cmocka_unit_test(a_cancelled_sentence_is_not_heard),
        cmocka_unit_test(wrong_settings_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
