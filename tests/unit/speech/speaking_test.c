/* speaking_test.c - turns: order, credit, pauses, what was heard, flushes; on a simulated clock. */
#include "services/speech/speaking.h"

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
    speaking_t *mouth;
    uint64_t now_us;
    /* synthesis */
    char asked[256];
    unsigned asks, cancels;
    bool refuse;
    /* lane */
    bool full;
    unsigned frames, lasts, empty_lasts, flushes;
    int16_t wire[8000]; /* the samples of its frames */
    uint32_t turn, seq, flushed;
    uint32_t order[16]; /* turns in the order of their first frames */
    size_t turns;
    /* owner */
    unsigned started, spoken;
    uint32_t synthesis_ms;
    Pl__TurnSpoken last;
    char heard[512];
} world_t;

static pl_err_t on_synthesise(void *arg, const Pl__Say *sentence)
{
    world_t *w = arg;
    w->asks++;
    (void)snprintf(w->asked, sizeof w->asked, "%s", sentence->text);
    return w->refuse ? PL_NOT_FOUND : PL_OK;
}

static void on_cancel(void *arg)
{
    world_t *w = arg;
    w->cancels++;
}

static pl_err_t on_frame(void *arg, Pl__LaneSayOut *frame)
{
    world_t *w = arg;
    if (w->full) return PL_BUSY;
    if (frame->turn != w->turn) {
        w->order[w->turns++] = frame->turn;
        assert_int_equal(frame->seq, 0);
    } else {
        assert_int_equal(frame->seq, w->seq + 1);
    }
    w->turn = frame->turn;
    if (frame->pcm.len > 0) w->seq = frame->seq;
    assert_true(frame->pcm.len == 0 || frame->pcm.len == PL_FRAME_BYTES);
    assert_true(frame->pcm.len > 0 || frame->last);
    if (frame->pcm.len > 0 &&
        w->frames * PL_FRAME_SAMPLES + PL_FRAME_SAMPLES <= sizeof w->wire / sizeof *w->wire)
        memcpy(w->wire + w->frames * PL_FRAME_SAMPLES, frame->pcm.data, frame->pcm.len);
    w->frames += frame->pcm.len > 0;
    w->lasts += frame->last ? 1 : 0;
    w->empty_lasts += frame->pcm.len == 0;
    return PL_OK;
}

static void on_flush(void *arg, uint32_t turn)
{
    world_t *w = arg;
    w->flushes++;
    w->flushed = turn;
}

static void on_started(void *arg, uint32_t turn, uint32_t synthesis_ms)
{
    world_t *w = arg;
    (void)turn;
    w->started++;
    w->synthesis_ms = synthesis_ms;
}

static void on_spoken(void *arg, const Pl__TurnSpoken *spoken)
{
    world_t *w = arg;
    w->spoken++;
    w->last = *spoken;
    (void)snprintf(w->heard, sizeof w->heard, "%s", spoken->heard_text);
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    speaking_sink_t sink = {on_synthesise, on_cancel, on_frame, on_flush, on_started, on_spoken, w};
    w->mouth = speaking_new(&sink);
    w->now_us = 1000000;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    speaking_destroy(&w->mouth);
    speaking_destroy(&w->mouth);
    free(w);
    return 0;
}

static pl_err_t say(world_t *w, uint32_t turn, uint32_t index, const char *text, bool last)
{
    Pl__Say body = PL__SAY__INIT;
    body.turn = turn;
    body.index = index;
    body.text = (char *)text;
    body.last = last;
    return speaking_say(w->mouth, w->now_us, &body);
}

static void audio(world_t *w, uint32_t ms)
{
    size_t samples = (size_t)ms * PL_FRAME_HZ / 1000;
    int16_t *pcm = calloc(samples, sizeof *pcm);
    clip_t *clip = clip_new(pcm, samples);
    speaking_audio(w->mouth, clip);
    clip_drop(&clip);
    free(pcm);
}

static void synthesised(world_t *w, uint32_t ms)
{
    audio(w, ms);
    speaking_synthesised(w->mouth);
}

static pl_err_t played(world_t *w, uint32_t turn, uint32_t heard_ms, bool finished)
{
    Pl__LanePlayed body = PL__LANE_PLAYED__INIT;
    body.turn = turn;
    body.heard_ms = heard_ms;
    body.started = heard_ms == 0;
    body.finished = finished;
    body.credit_ms = 400;
    return speaking_played(w->mouth, w->now_us, &body);
}

static void sentences_are_synthesised_one_by_one(void **state)
{
    world_t *w = *state;
    assert_int_equal(say(w, 1, 0, "one", false), PL_OK);
    assert_int_equal(say(w, 1, 1, "two", true), PL_OK);
    assert_int_equal(w->asks, 1);
    assert_string_equal(w->asked, "one");
    synthesised(w, 100);
    assert_int_equal(w->asks, 2);
    assert_string_equal(w->asked, "two");
}

static void the_first_frame_does_not_wait_for_the_whole_sentence(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "a long one", true);
    audio(w, 60);
    assert_int_equal(w->frames, 3);
    assert_int_equal(w->lasts, 0);
    audio(w, 50);
    assert_int_equal(w->frames, 5); /* ten ms wait for more */
    speaking_synthesised(w->mouth);
    assert_int_equal(w->frames, 6);
    assert_int_equal(w->lasts, 1);
}

static void no_more_than_the_credit_is_on_the_way(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "long", true);
    synthesised(w, 2000);
    assert_int_equal(w->frames, SPEAKING_CREDIT_MS / PL_FRAME_MS);
    (void)played(w, 1, 0, false);
    assert_int_equal(w->frames, 20);
    for (uint32_t heard = 100; heard <= 1600; heard += 100) {
        (void)played(w, 1, heard, false);
        assert_int_equal(w->frames, (heard + 400) / PL_FRAME_MS);
    }
    assert_int_equal(w->lasts, 1);
    (void)played(w, 1, 2000, true);
    assert_int_equal(w->spoken, 1);
    assert_int_equal(w->last.heard_ms, 2000);
    assert_int_equal(w->last.spoken_ms, 2000);
    assert_false(w->last.interrupted);
    assert_string_equal(w->heard, "long");
}

static void a_full_lane_is_tried_again(void **state)
{
    world_t *w = *state;
    w->full = true;
    (void)say(w, 1, 0, "x", true);
    synthesised(w, 100);
    assert_int_equal(w->frames, 0);
    w->full = false;
    speaking_tick(w->mouth, w->now_us);
    assert_int_equal(w->frames, 5);
}

static void sentences_are_parted_by_a_pause(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", false);
    synthesised(w, 100);
    (void)say(w, 1, 1, "two", true);
    synthesised(w, 80);
    assert_int_equal(w->frames, (100 + SPEAKING_PAUSE_MS + 80) / PL_FRAME_MS);
}

static void a_late_sentence_needs_no_pause(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", false);
    synthesised(w, 100);
    (void)played(w, 1, 100, false);
    (void)say(w, 1, 1, "two", true);
    synthesised(w, 80);
    assert_int_equal(w->frames, 9);
}

static void the_end_may_become_known_after_the_last_audio(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", false);
    synthesised(w, 100);
    assert_int_equal(w->lasts, 0);
    (void)say(w, 1, 1, "", true);
    assert_int_equal(w->lasts, 1);
    assert_int_equal(w->empty_lasts, 1);
    (void)played(w, 1, 100, true);
    assert_string_equal(w->heard, "one");
}

static void a_turn_without_a_word_is_over_at_once(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, " ", true);
    assert_int_equal(w->spoken, 1);
    assert_false(w->last.interrupted);
    assert_int_equal(w->frames + w->lasts, 0);
}

static void what_cannot_be_said_is_left_out(void **state)
{
    world_t *w = *state;
    w->refuse = true;
    (void)say(w, 1, 0, "bad", false);
    w->refuse = false;
    (void)say(w, 1, 1, "good", true);
    assert_string_equal(w->asked, "good");
    synthesised(w, 100);
    (void)played(w, 1, 100, true);
    assert_string_equal(w->heard, "good");
    w->refuse = true;
    (void)say(w, 2, 0, "bad", true);
    assert_int_equal(w->spoken, 2);
    assert_string_equal(w->heard, "");
}

static void turns_are_spoken_one_after_the_other(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", true);
    (void)say(w, 2, 0, "two", true);
    synthesised(w, 100);
    synthesised(w, 100);
    assert_int_equal(w->turns, 2);
    assert_int_equal(w->order[0], 1);
    assert_int_equal(w->order[1], 2);
    (void)played(w, 1, 100, true);
    (void)played(w, 2, 100, true);
    assert_int_equal(w->spoken, 2);
}

static void a_newer_turn_ends_one_that_was_left_open(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", false);
    synthesised(w, 100);
    (void)say(w, 2, 0, "two", true);
    assert_int_equal(w->lasts, 1);
    assert_int_equal(say(w, 1, 1, "late", true), PL_STALE);
}

static void stale_and_repeated_sentences_are_refused(void **state)
{
    world_t *w = *state;
    assert_int_equal(say(w, 0, 0, "no turn", true), PL_INVALID);
    (void)say(w, 5, 0, "five", false);
    assert_int_equal(say(w, 5, 0, "five", false), PL_STALE);
    assert_int_equal(say(w, 4, 0, "four", true), PL_STALE);
    assert_int_equal(say(w, 5, 1, "", true), PL_OK);
    assert_int_equal(say(w, 5, 2, "after the last", true), PL_STALE);
    synthesised(w, 100);
    (void)played(w, 5, 100, true);
    assert_int_equal(say(w, 5, 3, "over", true), PL_STALE);
}

static void limits_hold(void **state)
{
    world_t *w = *state;
    char *text = calloc(1, SPEAKING_TEXT_MAX + 2);
    memset(text, 'a', SPEAKING_TEXT_MAX + 1);
    assert_int_equal(say(w, 1, 0, text, true), PL_INVALID);
    free(text);
    for (uint32_t i = 0; i < SPEAKING_SENTENCES_MAX; i++)
        assert_int_equal(say(w, 1, i, "x", false), PL_OK);
    assert_int_equal(say(w, 1, SPEAKING_SENTENCES_MAX, "x", false), PL_INVALID);
    for (uint32_t t = 2; t <= SPEAKING_TURNS_MAX; t++)
        assert_int_equal(say(w, t, 0, "x", true), PL_OK);
    assert_int_equal(say(w, SPEAKING_TURNS_MAX + 1, 0, "x", true), PL_BUSY);
}

static void synthesis_does_not_run_too_far_ahead(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", false);
    (void)say(w, 1, 1, "two", false);
    (void)say(w, 1, 2, "three", true);
    synthesised(w, 5000);
    synthesised(w, 5000);
    assert_int_equal(w->asks, 2);
    for (uint32_t heard = 0; heard <= 3000; heard += 100) (void)played(w, 1, heard, false);
    assert_int_equal(w->asks, 3);
}

static void started_tells_how_long_the_first_sound_took(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", true);
    w->now_us += 35000;
    synthesised(w, 100);
    w->now_us += 7000;
    (void)played(w, 1, 0, false);
    assert_int_equal(w->started, 1);
    assert_int_equal(w->synthesis_ms, 42);
    (void)played(w, 1, 20, false);
    assert_int_equal(w->started, 1);
    assert_int_equal(speaking_audible(w->mouth), 1);
}

static void a_flushed_turn_tells_the_words_that_were_heard(void **state)
{
    world_t *w = *state;
    (void)say(w, 3, 0, "one two.", false);
    (void)say(w, 3, 1, "aaaa bbbb cccc dddd.", true);
    synthesised(w, 400);
    synthesised(w, 1600);
    (void)played(w, 3, 0, false);
    for (uint32_t heard = 100; heard <= 1400; heard += 100) (void)played(w, 3, heard, false);
    assert_int_equal(speaking_stop(w->mouth, w->now_us, 3), PL_OK);
    assert_int_equal(w->flushed, 3);
    assert_int_equal(speaking_audible(w->mouth), 0);
    assert_int_equal(w->spoken, 0); /* until the lane has told what was heard */
    (void)played(w, 3, 600 + 820, true);
    assert_int_equal(w->spoken, 1);
    assert_true(w->last.interrupted);
    assert_int_equal(w->last.heard_ms, 1420);
    assert_int_equal(w->last.spoken_ms, 2200);
    assert_string_equal(w->heard, "one two. aaaa bbbb");
    assert_int_equal(say(w, 3, 2, "late", true), PL_STALE);
    assert_int_equal(say(w, 2, 0, "later", true), PL_STALE);
    assert_int_equal(speaking_stop(w->mouth, w->now_us, 3), PL_STALE);
    assert_int_equal(say(w, 4, 0, "next", true), PL_OK);
}

/* Cuts a turn of one sentence, synthesised to 1000 ms, where so much was heard. */
static void cut_at(world_t *w, uint32_t turn, uint32_t heard_ms)
{
    (void)played(w, turn, 0, false);
    for (uint32_t ms = 100; ms < heard_ms; ms += 100) (void)played(w, turn, ms, false);
    (void)speaking_stop(w->mouth, w->now_us, turn);
    (void)played(w, turn, heard_ms, true);
}

static void when_the_leg_is_gone_every_turn_ends_with_what_was_heard(void **state)
{
    world_t *w = *state;
    (void)say(w, 3, 0, "one two.", false);
    (void)say(w, 3, 1, "aaaa bbbb cccc dddd.", true);
    (void)say(w, 4, 0, "never heard.", true);
    synthesised(w, 400);
    synthesised(w, 1600);
    (void)played(w, 3, 0, false);
    for (uint32_t heard = 100; heard <= 1400; heard += 100) (void)played(w, 3, heard, false);
    speaking_end(w->mouth);
    assert_int_equal(w->spoken, 2);
    assert_int_equal(w->last.turn, 4);
    assert_true(w->last.interrupted);
    assert_string_equal(w->heard, "");
    assert_int_equal(speaking_audible(w->mouth), 0);
    speaking_end(w->mouth);
    assert_int_equal(w->spoken, 2);
}

static void a_cut_sentence_ends_with_the_word_the_synthesiser_names(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one two three", true);
    audio(w, 1000);
    speaking_said(w->mouth, 3, 800 * 16); /* a slow one */
    speaking_said(w->mouth, 7, 900 * 16);
    speaking_said(w->mouth, 13, 1000 * 16);
    speaking_synthesised(w->mouth);
    cut_at(w, 1, 780);
    assert_string_equal(w->heard, ""); /* of which the end was not heard */
    assert_false(w->last.heard_estimated);
    (void)say(w, 2, 0, "one two three", true);
    audio(w, 1000);
    speaking_said(w->mouth, 3, 800 * 16);
    speaking_said(w->mouth, 7, 900 * 16);
    speaking_synthesised(w->mouth);
    cut_at(w, 2, 920);
    assert_string_equal(w->heard, "one two");
    assert_false(w->last.heard_estimated);
}

static void without_that_the_cut_is_an_estimate_and_called_one(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one two three", true);
    synthesised(w, 1000);
    cut_at(w, 1, 780);
    assert_string_equal(w->heard, "one two");
    assert_true(w->last.heard_estimated);
    (void)say(w, 2, 0, "one two three", true);
    synthesised(w, 1000);
    cut_at(w, 2, 1000); /* all of it */
    assert_string_equal(w->heard, "one two three");
    assert_false(w->last.heard_estimated);
}

static void words_count_from_their_own_sentence(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one two", false);
    (void)say(w, 1, 1, "three four", true);
    audio(w, 300);
    speaking_said(w->mouth, 3, 100 * 16);
    speaking_said(w->mouth, 7, 300 * 16);
    speaking_synthesised(w->mouth);
    audio(w, 300);
    speaking_said(w->mouth, 5, 100 * 16);
    speaking_said(w->mouth, 10, 300 * 16);
    speaking_synthesised(w->mouth);
    (void)played(w, 1, 0, false);
    (void)played(w, 1, 300, false);
    (void)speaking_stop(w->mouth, w->now_us, 1);
    (void)played(w, 1, 300 + SPEAKING_PAUSE_MS + 140, true);
    assert_string_equal(w->heard, "one two three");
    assert_false(w->last.heard_estimated);
}

static void a_flush_that_is_not_answered_ends_by_the_clock(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one two three", true);
    synthesised(w, 1000);
    (void)played(w, 1, 0, false);
    (void)played(w, 1, 300, false);
    (void)speaking_stop(w->mouth, w->now_us, 1);
    speaking_tick(w->mouth, w->now_us + SPEAKING_FLUSH_MS * 1000 - 1);
    assert_int_equal(w->spoken, 0);
    speaking_tick(w->mouth, w->now_us + SPEAKING_FLUSH_MS * 1000);
    assert_int_equal(w->spoken, 1);
    assert_int_equal(w->last.heard_ms, 300);
    assert_int_equal(played(w, 1, 320, true), PL_STALE); /* the answer, too late */
    assert_int_equal(w->spoken, 1);
}

static void what_was_never_sent_is_over_without_the_lane(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", true);
    (void)say(w, 2, 0, "two", true);
    assert_int_equal(speaking_stop(w->mouth, w->now_us, 2), PL_OK);
    assert_int_equal(w->cancels, 1);
    assert_int_equal(w->flushes, 0);
    assert_int_equal(w->spoken, 2);
    assert_true(w->last.interrupted);
    assert_string_equal(w->heard, "");
    audio(w, 100); /* a synthesiser that did not hear of it */
    assert_int_equal(w->frames, 0);
}

static void stopping_an_older_turn_leaves_the_newer(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", true);
    (void)say(w, 2, 0, "two", true);
    synthesised(w, 100);
    (void)played(w, 1, 0, false);
    (void)speaking_stop(w->mouth, w->now_us, 1);
    assert_int_equal(w->flushed, 1);
    synthesised(w, 100);
    assert_int_equal(w->order[1], 2);
    (void)played(w, 1, 40, true);
    (void)played(w, 2, 100, true);
    assert_int_equal(w->spoken, 2);
    assert_false(w->last.interrupted);
}

static void the_lane_may_lie_about_what_was_heard(void **state)
{
    world_t *w = *state;
    (void)say(w, 1, 0, "one", true);
    synthesised(w, 1000);
    (void)played(w, 1, UINT32_MAX, false);
    assert_int_equal(w->frames, 40); /* what was on the way, and as much again */
    (void)played(w, 1, 20, true);
    assert_true(w->last.heard_ms <= 1000);
    assert_int_equal(played(w, 99, 5, true), PL_STALE);
}

/* Samples first, first + 1, ... in pieces that fit no frame. */
static void counting(world_t *w, int16_t first, size_t samples, size_t piece)
{
    int16_t pcm[8000];
    for (size_t i = 0; i < samples; i++) pcm[i] = (int16_t)(first + (int)i);
    for (size_t at = 0; at < samples; at += piece) {
        clip_t *clip = clip_new(pcm + at, piece < samples - at ? piece : samples - at);
        speaking_audio(w->mouth, clip);
        clip_drop(&clip);
    }
    speaking_synthesised(w->mouth);
}

static void what_is_sent_is_what_was_synthesised(void **state)
{
    world_t *w = *state;
    enum { FIRST = 1000, PAUSE = SPEAKING_PAUSE_MS * 16, SECOND = 1333 };
    (void)say(w, 1, 0, "one", false);
    (void)say(w, 1, 1, "two", true);
    counting(w, 1, FIRST, 77);
    counting(w, 2001, SECOND, 501);
    for (uint32_t ms = 20; w->lasts == 0; ms += 20) (void)played(w, 1, ms, false);
    size_t at = 0;
    for (int i = 0; i < FIRST; i++) assert_int_equal(w->wire[at++], 1 + i);
    for (int i = 0; i < PAUSE; i++) assert_int_equal(w->wire[at++], 0);
    for (int i = 0; i < SECOND; i++) assert_int_equal(w->wire[at++], 2001 + i);
    assert_int_equal(w->frames, (at + PL_FRAME_SAMPLES - 1) / PL_FRAME_SAMPLES);
    for (; at < w->frames * PL_FRAME_SAMPLES; at++) assert_int_equal(w->wire[at], 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(sentences_are_synthesised_one_by_one),
        TEST(the_first_frame_does_not_wait_for_the_whole_sentence),
        TEST(no_more_than_the_credit_is_on_the_way),
        TEST(a_full_lane_is_tried_again),
        TEST(sentences_are_parted_by_a_pause),
        TEST(a_late_sentence_needs_no_pause),
        TEST(the_end_may_become_known_after_the_last_audio),
        TEST(a_turn_without_a_word_is_over_at_once),
        TEST(what_cannot_be_said_is_left_out),
        TEST(turns_are_spoken_one_after_the_other),
        TEST(a_newer_turn_ends_one_that_was_left_open),
        TEST(stale_and_repeated_sentences_are_refused),
        TEST(limits_hold),
        TEST(synthesis_does_not_run_too_far_ahead),
        TEST(started_tells_how_long_the_first_sound_took),
        TEST(a_flushed_turn_tells_the_words_that_were_heard),
        TEST(when_the_leg_is_gone_every_turn_ends_with_what_was_heard),
        TEST(a_cut_sentence_ends_with_the_word_the_synthesiser_names),
        TEST(without_that_the_cut_is_an_estimate_and_called_one),
        TEST(words_count_from_their_own_sentence),
        TEST(a_flush_that_is_not_answered_ends_by_the_clock),
        TEST(what_was_never_sent_is_over_without_the_lane),
        TEST(stopping_an_older_turn_leaves_the_newer),
        TEST(the_lane_may_lie_about_what_was_heard),
        TEST(what_is_sent_is_what_was_synthesised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
