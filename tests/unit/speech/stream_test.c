/* stream_test.c - one call's machine: utterances, barge-in and its races, latencies. */
#include "services/speech/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"

typedef struct {
    stream_t *stream;
    uint64_t now_us;
    uint32_t seq;
    char log[1024]; /* what happened, a letter each: b begin, e end, d drop, S started, P partial,
                       U utterance, B barge-in, T turn started, X turn spoken, F flush, s say, R rise */
    Pl__Expect expect;
    char lang[16], text[128], heard[128], utterance_lang[16];
    Pl__Utterance utterance;
    Pl__TurnStarted started;
    Pl__TurnSpoken spoken;
    uint32_t barged;
} world_t;

static void note(world_t *w, char c)
{
    size_t at = strlen(w->log);
    assert_true(at + 1 < sizeof w->log);
    w->log[at] = c;
    w->log[at + 1] = '\0';
}

static void hear_begin(void *arg, Pl__Expect expect, const char *lang)
{
    world_t *w = arg;
    note(w, 'b');
    w->expect = expect;
    (void)snprintf(w->lang, sizeof w->lang, "%s", lang);
}

static void hear(void *arg, const int16_t *pcm, size_t samples)
{
    (void)arg;
    (void)pcm;
    assert_int_equal(samples, PL_FRAME_SAMPLES);
}

static void hear_pause(void *arg)
{
    (void)arg;
}

static void hear_end(void *arg)
{
    note(arg, 'e');
}

static void hear_drop(void *arg)
{
    note(arg, 'd');
}

static pl_err_t synthesise(void *arg, const Pl__Say *sentence)
{
    (void)sentence;
    note(arg, 's');
    return PL_OK;
}

static void synthesis_cancel(void *arg)
{
    note(arg, 'c');
}

static pl_err_t say_out(void *arg, Pl__LaneSayOut *frame)
{
    (void)arg;
    (void)frame;
    return PL_OK;
}

static void flush(void *arg, uint32_t turn)
{
    (void)turn;
    note(arg, 'F');
}

static void rise(void *arg, uint32_t turn)
{
    (void)turn;
    note(arg, 'R');
}

static void event(void *arg, Pl__Envelope *env)
{
    world_t *w = arg;
    switch (env->body_case) {
    case PL__ENVELOPE__BODY_SPEECH_STARTED:
        note(w, 'S');
        break;
    case PL__ENVELOPE__BODY_PARTIAL:
        note(w, 'P');
        break;
    case PL__ENVELOPE__BODY_UTTERANCE:
        note(w, 'U');
        w->utterance = *env->utterance;
        (void)snprintf(w->text, sizeof w->text, "%s", env->utterance->text);
        (void)snprintf(w->utterance_lang, sizeof w->utterance_lang, "%s", env->utterance->lang);
        break;
    case PL__ENVELOPE__BODY_BARGE_IN:
        note(w, 'B');
        w->barged = env->barge_in->turn;
        break;
    case PL__ENVELOPE__BODY_TURN_STARTED:
        note(w, 'T');
        w->started = *env->turn_started;
        break;
    case PL__ENVELOPE__BODY_TURN_SPOKEN:
        note(w, 'X');
        w->spoken = *env->turn_spoken;
        (void)snprintf(w->heard, sizeof w->heard, "%s", env->turn_spoken->heard_text);
        break;
    default:
        fail();
    }
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    stream_sink_t sink = {hear_begin,       hear,    hear_pause, hear_end, hear_drop, synthesise,
                          synthesis_cancel, say_out, flush,      rise,     event,     w};
    stream_opts_t opts = {"en-US", {{.silence_ms = 500}, .final_ms = 100}, .cutoff_ms = 250};
    w->stream = stream_new(&opts, &sink);
    w->now_us = 5000000;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    stream_destroy(&w->stream);
    free(w);
    return 0;
}

static void heard(world_t *w, uint32_t ms, bool voice)
{
    uint8_t pcm[PL_FRAME_BYTES] = {0};
    for (uint32_t i = 0; i < ms / PL_FRAME_MS; i++) {
        Pl__LaneHeardIn in = PL__LANE_HEARD_IN__INIT;
        in.seq = w->seq++;
        in.pcm = (ProtobufCBinaryData){sizeof pcm, pcm};
        in.voice = voice;
        w->now_us += PL_FRAME_MS * 1000;
        assert_int_equal(stream_heard(w->stream, w->now_us, &in), PL_OK);
    }
}

/* Words of which it is not known how much of the audio they are. */
static void partial(world_t *w, const char *text)
{
    stream_partial(w->stream, w->now_us, text, 0);
}

static pl_err_t say(world_t *w, uint32_t turn, uint32_t index, bool last, bool not_interruptible)
{
    Pl__Say body = PL__SAY__INIT;
    body.turn = turn;
    body.index = index;
    body.text = (char *)"one two three four";
    body.last = last;
    body.not_interruptible = not_interruptible;
    return stream_say(w->stream, w->now_us, &body);
}

static void synthesised(world_t *w, uint32_t ms)
{
    int16_t *pcm = calloc((size_t)ms * 16, sizeof *pcm);
    clip_t *clip = clip_new(pcm, (size_t)ms * 16);
    stream_audio(w->stream, w->now_us, clip);
    clip_drop(&clip);
    free(pcm);
    stream_synthesised(w->stream, w->now_us);
}

static void played(world_t *w, uint32_t turn, uint32_t heard_ms, bool finished, bool flushed)
{
    Pl__LanePlayed body = PL__LANE_PLAYED__INIT;
    body.turn = turn;
    body.heard_ms = heard_ms;
    body.started = heard_ms == 0;
    body.finished = finished;
    body.flushed = flushed;
    body.credit_ms = 400;
    (void)stream_played(w->stream, w->now_us, &body);
}

/* A turn of one second that is audible now. */
static void audible(world_t *w, uint32_t turn, bool not_interruptible)
{
    assert_int_equal(say(w, turn, 0, true, not_interruptible), PL_OK);
    synthesised(w, 1000);
    played(w, turn, 0, false, false);
}

/* The rest of it, wholly heard. */
static void played_out(world_t *w, uint32_t turn)
{
    for (uint32_t ms = 100; ms < 1000; ms += 100) played(w, turn, ms, false, false);
    played(w, turn, 1000, true, false);
}

static void an_utterance_goes_from_voice_to_text(void **state)
{
    world_t *w = *state;
    heard(w, 1000, true);
    partial(w, "my laptop");
    partial(w, "my laptop"); /* unchanged: not told again */
    heard(w, 500, false);
    w->now_us += 30000;
    stream_final(w->stream, w->now_us, "my laptop is broken", 0.5);
    assert_string_equal(w->log, "bSPeU");
    assert_string_equal(w->text, "my laptop is broken");
    assert_string_equal(w->utterance_lang, "en-US");
    assert_int_equal(w->utterance.speech_ms, 1000);
    assert_int_equal(w->utterance.endpointing_ms, 500);
    assert_int_equal(w->utterance.recognition_ms, 30);
}

static void noise_without_words_is_told_too(void **state)
{
    world_t *w = *state;
    heard(w, 200, true);
    heard(w, 500, false);
    stream_final(w->stream, w->now_us, "", 0);
    assert_string_equal(w->log, "bSeU");
    assert_string_equal(w->text, "");
}

static void listen_sets_language_expectation_and_silence(void **state)
{
    world_t *w = *state;
    Pl__Listen listen = PL__LISTEN__INIT;
    listen.expect = PL__EXPECT__DATE_TIME;
    listen.lang = (char *)"fr-FR";
    listen.vad_silence_timeout_ms = 200;
    stream_listen(w->stream, &listen);
    heard(w, 400, true);
    assert_int_equal(w->expect, PL__EXPECT__DATE_TIME);
    assert_string_equal(w->lang, "fr-FR");
    heard(w, 200, false);
    assert_string_equal(w->log, "bSe");
    Pl__Listen back = PL__LISTEN__INIT; /* zeros: as configured */
    stream_listen(w->stream, &back);
    heard(w, 400, true);
    heard(w, 480, false);
    assert_string_equal(w->log, "bSebS");
}

static void an_unfinished_number_is_waited_for(void **state)
{
    world_t *w = *state;
    Pl__Listen listen = PL__LISTEN__INIT;
    listen.expect = PL__EXPECT__DIGITS;
    stream_listen(w->stream, &listen);
    heard(w, 600, true);
    partial(w, "zero six one");
    heard(w, 900, false);
    assert_string_equal(w->log, "bSP");
    heard(w, 600, true);
    heard(w, 100, false);
    stream_partial(w->stream, w->now_us, "zero six one two three four five six seven eight", 99999);
    heard(w, 60, false);
    assert_string_equal(w->log, "bSPPe");
}

static void finals_come_in_order(void **state)
{
    world_t *w = *state;
    heard(w, 400, true);
    heard(w, 500, false);
    heard(w, 600, true);
    heard(w, 500, false);
    stream_final(w->stream, w->now_us, "first", 0);
    assert_int_equal(w->utterance.speech_ms, 400);
    stream_final(w->stream, w->now_us, "second", 0);
    assert_int_equal(w->utterance.speech_ms, 600);
    stream_final(w->stream, w->now_us, "of nothing", 0);
    assert_string_equal(w->log, "bSebSeUU");
}

static void words_over_the_bot_take_the_floor(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    played(w, 1, 300, false, false);
    heard(w, 240, true);
    partial(w, "stop");
    assert_string_equal(w->log, "sTbSP"); /* a word, but hardly a voice yet */
    heard(w, 20, true);
    assert_string_equal(w->log, "sTbSPFB");
    assert_int_equal(w->barged, 1);
    heard(w, 400, true); /* still speaking: no second one */
    partial(w, "stop it");
    played(w, 1, 340, true, true);
    assert_string_equal(w->log, "sTbSPFBPX");
    assert_true(w->spoken.interrupted);
    assert_int_equal(w->spoken.heard_ms, 340);
    assert_int_equal(say(w, 1, 1, true, false), PL_STALE); /* the model was still at it */
    heard(w, 500, false);
    stream_final(w->stream, w->now_us, "stop it", 0);
    assert_int_equal(w->utterance.speech_ms, 660); /* what was said before the flush counts */
    assert_false(w->utterance.backchannel);
}

static void the_flush_goes_out_with_the_words_that_decide(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    heard(w, 300, true);
    assert_string_equal(w->log, "sTbS");
    partial(w, "wait");
    assert_string_equal(w->log, "sTbSFBP");
}

static void listening_along_leaves_the_bot_its_turn(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    heard(w, 400, true);
    partial(w, "okay");
    heard(w, 200, false);
    assert_string_equal(w->log, "sTbSPR"); /* it rises before the utterance is over */
    heard(w, 300, false);
    stream_final(w->stream, w->now_us, "okay", 0);
    assert_string_equal(w->log, "sTbSPReU");
    assert_true(w->utterance.backchannel);
    played_out(w, 1);
    assert_false(w->spoken.interrupted);
}

static void a_word_too_short_to_be_seen_in_time_takes_the_floor_when_it_is_known(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    heard(w, 200, true);
    heard(w, 500, false);
    assert_null(strchr(w->log, 'B'));
    stream_final(w->stream, w->now_us, "no", 0);
    assert_string_equal(w->log, "sTbSeFBU");
}

static void a_cough_costs_no_reply(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    heard(w, 320, true); /* 200 ms and what the voice activity holds on to */
    partial(w, "");
    heard(w, 500, false);
    assert_string_equal(w->log, "sTbSe");
    stream_final(w->stream, w->now_us, "", 0);
    assert_string_equal(w->log, "sTbSeRU");
    played_out(w, 1);
    assert_false(w->spoken.interrupted);
}

static void a_click_lets_the_voice_rise_at_once(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    heard(w, 80, true);
    heard(w, 500, false);
    assert_string_equal(w->log, "sTbdR");
}

static void an_answer_over_the_question_is_one(void **state)
{
    world_t *w = *state;
    Pl__Listen listen = PL__LISTEN__INIT;
    listen.expect = PL__EXPECT__YES_NO;
    stream_listen(w->stream, &listen);
    audible(w, 1, false);
    heard(w, 300, true);
    partial(w, "yes");
    assert_string_equal(w->log, "sTbSFBP");
}

static void what_was_said_before_a_turn_does_not_interrupt_it(void **state)
{
    world_t *w = *state;
    heard(w, 600, true);
    partial(w, "and my number is");
    audible(w, 1, false);
    heard(w, 300, true);
    partial(w, "and my number is");
    assert_null(strchr(w->log, 'B'));
    partial(w, "and my number is no");
    assert_non_null(strchr(w->log, 'B'));
}

static void an_answer_that_comes_late_is_about_the_turn_it_was_said_over(void **state)
{
    world_t *w = *state;
    heard(w, 600, true);
    heard(w, 500, false);
    audible(w, 1, false); /* "one moment" */
    partial(w, "my number");
    stream_final(w->stream, w->now_us, "my number is six", 0);
    assert_null(strchr(w->log, 'B'));
}

static void voice_before_the_turn_is_audible_is_no_barge_in(void **state)
{
    world_t *w = *state;
    assert_int_equal(say(w, 1, 0, true, false), PL_OK);
    heard(w, 400, true);
    synthesised(w, 1000);
    heard(w, 200, true);
    played(w, 1, 0, false, false);
    heard(w, 640, true);
    assert_null(strchr(w->log, 'B'));
    heard(w, 20, true);
    assert_non_null(strchr(w->log, 'B'));
}

static void voice_after_the_turn_is_no_barge_in(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    heard(w, 200, true);
    played_out(w, 1);
    heard(w, 900, true);
    partial(w, "the printer");
    assert_null(strchr(w->log, 'B'));
    assert_false(w->spoken.interrupted);
}

static void what_may_not_be_interrupted_is_not(void **state)
{
    world_t *w = *state;
    assert_int_equal(say(w, 1, 0, false, true), PL_OK);
    synthesised(w, 1000);
    assert_int_equal(say(w, 1, 1, true, false), PL_OK);
    synthesised(w, 1000);
    played(w, 1, 0, false, false);
    played(w, 1, 400, false, false);
    heard(w, 400, true);
    partial(w, "stop that");
    assert_null(strchr(w->log, 'B'));
    for (uint32_t ms = 500; ms <= 1100; ms += 100) played(w, 1, ms, false, false);
    heard(w, 20, true); /* the second sentence is on */
    assert_non_null(strchr(w->log, 'B'));
}

static void say_stop_flushes(void **state)
{
    world_t *w = *state;
    audible(w, 4, false);
    assert_int_equal(stream_say_stop(w->stream, w->now_us, 4), PL_OK);
    played(w, 4, 100, true, true);
    assert_string_equal(w->log, "sTFX");
    assert_true(w->spoken.interrupted);
    assert_int_equal(stream_say_stop(w->stream, w->now_us, 4), PL_STALE);
}

static void a_flush_crossing_the_end_of_the_turn_is_harmless(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    for (uint32_t ms = 100; ms <= 900; ms += 100) played(w, 1, ms, false, false);
    heard(w, 260, true);
    partial(w, "stop");
    assert_non_null(strchr(w->log, 'B'));
    played(w, 1, 1000, true, false); /* it had ended before the flush came */
    assert_int_equal(w->spoken.heard_ms, 1000);
    played(w, 1, 1000, true, true); /* the answer to the flush */
    stream_tick(w->stream, w->now_us + 1000000);
    assert_string_equal(w->log, "sTbSFBPX");
}

static void latency_counts_from_the_last_voiced_frame(void **state)
{
    world_t *w = *state;
    audible(w, 1, false);
    assert_int_equal(w->started.answer_latency_ms, 0); /* nobody has asked anything */
    played_out(w, 1);
    heard(w, 400, true);
    heard(w, 500, false);
    stream_final(w->stream, w->now_us, "hello", 0);
    w->now_us += 20000;
    audible(w, 2, false);
    assert_int_equal(w->started.answer_latency_ms, 520);
    played_out(w, 2);
    audible(w, 3, false); /* says more, unasked */
    assert_int_equal(w->started.answer_latency_ms, 0);
}

static void malformed_frames_are_ignored(void **state)
{
    world_t *w = *state;
    uint8_t pcm[PL_FRAME_BYTES + 2] = {0};
    Pl__LaneHeardIn in = PL__LANE_HEARD_IN__INIT;
    in.voice = true;
    in.pcm = (ProtobufCBinaryData){PL_FRAME_BYTES + 2, pcm};
    assert_int_equal(stream_heard(w->stream, w->now_us, &in), PL_INVALID);
    in.pcm.len = 1;
    assert_int_equal(stream_heard(w->stream, w->now_us, &in), PL_INVALID);
    in.pcm.len = 0; /* lost */
    assert_int_equal(stream_heard(w->stream, w->now_us, &in), PL_OK);
    assert_int_equal(stream_heard(w->stream, w->now_us, &in), PL_STALE); /* again */
    assert_string_equal(w->log, "");
}

static void a_recogniser_that_stalls_costs_only_words(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < 20; i++) {
        heard(w, 400, true);
        heard(w, 500, false);
    }
    unsigned ends = 0, drops = 0;
    for (const char *c = w->log; *c; c++) {
        ends += *c == 'e';
        drops += *c == 'd';
    }
    assert_int_equal(ends, 16);
    assert_int_equal(drops, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_utterance_goes_from_voice_to_text),
        TEST(noise_without_words_is_told_too),
        TEST(listen_sets_language_expectation_and_silence),
        TEST(an_unfinished_number_is_waited_for),
        TEST(finals_come_in_order),
        TEST(words_over_the_bot_take_the_floor),
        TEST(the_flush_goes_out_with_the_words_that_decide),
        TEST(listening_along_leaves_the_bot_its_turn),
        TEST(a_word_too_short_to_be_seen_in_time_takes_the_floor_when_it_is_known),
        TEST(a_cough_costs_no_reply),
        TEST(a_click_lets_the_voice_rise_at_once),
        TEST(an_answer_over_the_question_is_one),
        TEST(what_was_said_before_a_turn_does_not_interrupt_it),
        TEST(an_answer_that_comes_late_is_about_the_turn_it_was_said_over),
        TEST(voice_before_the_turn_is_audible_is_no_barge_in),
        TEST(voice_after_the_turn_is_no_barge_in),
        TEST(what_may_not_be_interrupted_is_not),
        TEST(say_stop_flushes),
        TEST(a_flush_crossing_the_end_of_the_turn_is_harmless),
        TEST(latency_counts_from_the_last_voiced_frame),
        TEST(malformed_frames_are_ignored),
        TEST(a_recogniser_that_stalls_costs_only_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
