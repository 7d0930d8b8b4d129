/* hearing_test.c - utterances from voice to text: how soon they end, and what their text is. */
#include "services/speech/hearing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/completeness.h"
#include "services/speech/endpoint.h"

typedef struct {
    hearing_t *hearing;
    uint64_t now_us;
    uint32_t seq, audible;
    size_t fed;
    unsigned begun, pauses, ended, told, noises;
    char text[256], lang[16];
    listening_end_t end;
    uint32_t recognition_ms;
} world_t;

static void on_begin(void *arg, Pl__Expect expect, const char *lang)
{
    (void)expect;
    (void)lang;
    ((world_t *)arg)->begun++;
    ((world_t *)arg)->fed = 0;
}

static void on_feed(void *arg, const int16_t *pcm, size_t samples)
{
    (void)pcm;
    ((world_t *)arg)->fed += samples;
}

static void on_pause(void *arg)
{
    ((world_t *)arg)->pauses++;
}

static void on_end(void *arg)
{
    ((world_t *)arg)->ended++;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void on_words(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

static void on_utterance(void *arg, const hearing_utterance_t *said)
{
    world_t *w = arg;
    w->told++;
    (void)snprintf(w->text, sizeof w->text, "%s", said->text);
    (void)snprintf(w->lang, sizeof w->lang, "%s", said->lang);
    w->end = said->end;
    w->recognition_ms = said->recognition_ms;
}

static void on_noise(void *arg)
{
    ((world_t *)arg)->noises++;
}

static uint32_t audible(void *arg)
{
    return ((world_t *)arg)->audible;
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    hearing_opts_t opts = {{.silence_ms = 500}, .final_ms = 100};
    hearing_sink_t sink = {on_begin, on_feed,  on_pause,     on_end,   nothing, nothing,
                           nothing,  on_words, on_utterance, on_noise, audible, w};
    w->hearing = hearing_new(&opts, "en-US", &sink);
    w->now_us = 1000000;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    hearing_destroy(&w->hearing);
    hearing_destroy(&w->hearing);
    free(w);
    return 0;
}

static void frames(world_t *w, uint32_t ms, bool voice)
{
    int16_t pcm[PL_FRAME_SAMPLES] = {0};
    for (uint32_t i = 0; i < ms / PL_FRAME_MS; i++) {
        w->now_us += PL_FRAME_MS * 1000;
        assert_true(hearing_frame(w->hearing, w->now_us, w->seq++, pcm, voice));
    }
}

/* Silence until the utterance ends; how long. */
static uint32_t silence_ms(world_t *w)
{
    unsigned ended = w->ended;
    uint32_t ms = 0;
    for (; w->ended == ended && ms < 5000; ms += PL_FRAME_MS) frames(w, PL_FRAME_MS, false);
    return ms;
}

/* The recogniser's words of all it was fed. */
static void words(world_t *w, const char *text)
{
    hearing_partial(w->hearing, w->now_us, text, w->fed);
}

static void expect(world_t *w, Pl__Expect kind)
{
    hearing_listen(w->hearing, kind, "", 0);
}

/* Voice, a pause of 100 ms in which the words become known, and the silence until the end. */
static uint32_t says(world_t *w, const char *text)
{
    frames(w, 600, true);
    frames(w, 100, false);
    words(w, text);
    uint32_t ms = 100 + silence_ms(w);
    hearing_final(w->hearing, w->now_us, text, 0);
    frames(w, 2000, false);
    return ms;
}

static void the_expected_answer_ends_after_150_ms(void **state)
{
    world_t *w = *state;
    expect(w, PL__EXPECT__YES_NO);
    assert_int_equal(says(w, "yes"), 160);
    assert_int_equal(says(w, "no thank you"), 160);
    expect(w, PL__EXPECT__DIGITS);
    assert_int_equal(says(w, "zero six one two three four five six seven eight"), 160);
    expect(w, PL__EXPECT__SPELLING);
    assert_int_equal(says(w, "john dot smith at example dot com"), 160);
    expect(w, PL__EXPECT__ANYTHING);
    assert_int_equal(says(w, "My laptop is broken."), 300);
    assert_int_equal(says(w, "my laptop is broken"), 500); /* could go on */
}

static void half_a_number_and_a_word_being_spelled_are_waited_for(void **state)
{
    world_t *w = *state;
    expect(w, PL__EXPECT__DIGITS);
    assert_int_equal(says(w, "zero six one two"), 1100);
    assert_int_equal(says(w, "plus three three six one two three four five six"), 1100);
    expect(w, PL__EXPECT__SPELLING);
    assert_int_equal(says(w, "s m i"), 1100);
    assert_int_equal(says(w, "john dot smith at"), 1100);
    expect(w, PL__EXPECT__ANYTHING);
    assert_int_equal(says(w, "my laptop and"), 1100);
}

static void words_that_are_not_known_yet_decide_nothing_but_that_it_goes_on(void **state)
{
    world_t *w = *state;
    expect(w, PL__EXPECT__YES_NO);
    frames(w, 300, true);
    words(w, "yes");
    frames(w, 400, true); /* more was said after it */
    assert_int_equal(silence_ms(w), 500);
    hearing_final(w->hearing, w->now_us, "yes it was", 0);
    expect(w, PL__EXPECT__DIGITS);
    frames(w, 300, true);
    words(w, "zero six");
    frames(w, 400, true);
    assert_int_equal(silence_ms(w), 1100);
    hearing_final(w->hearing, w->now_us, "zero six one", 0);
    frames(w, 400, true); /* the recogniser tells nothing at all */
    assert_int_equal(silence_ms(w), 1100);
}

static void a_number_said_in_groups_is_one_utterance(void **state)
{
    world_t *w = *state;
    expect(w, PL__EXPECT__DIGITS);
    static const char *const groups[] = {
        "zero six", "zero six one two", "zero six one two three four",
        "zero six one two three four five six", "zero six one two three four five six seven eight"};
    for (size_t i = 0; i < 5; i++) {
        frames(w, 500, true);
        frames(w, 100, false);
        words(w, groups[i]);
        if (i < 4) frames(w, 900, false);
    }
    assert_int_equal(w->begun, 1);
    assert_int_equal(100 + silence_ms(w), 160);
}

static void the_callers_own_pauses_set_the_time(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < 6; i++) { /* somebody fluent */
        frames(w, 600, true);
        frames(w, 120, false);
    }
    frames(w, 600, true);
    frames(w, 100, false);
    words(w, "the screen stays black");
    uint32_t fluent_ms = 100 + silence_ms(w);
    hearing_final(w->hearing, w->now_us, "the screen stays black", 0);
    assert_int_equal(fluent_ms, 300);
    for (int i = 0; i < 12; i++) { /* now slower */
        frames(w, 600, true);
        frames(w, 400, false);
    }
    frames(w, 100, true);
    frames(w, 100, false);
    words(w, "the screen stays black");
    assert_true(100 + silence_ms(w) >= 480);
}

static void an_end_that_came_too_soon_is_a_lesson(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < 4; i++) {
        frames(w, 600, true);
        frames(w, 120, false);
    }
    for (int i = 0; i < 4; i++) {
        frames(w, 600, true);
        frames(w, 100, false);
        words(w, "it is the");
        words(w, "building four");
        (void)silence_ms(w);
        frames(w, 60, false); /* and goes on */
        hearing_final(w->hearing, w->now_us, "building four", 0);
    }
    frames(w, 600, true);
    frames(w, 100, false);
    words(w, "building four");
    assert_int_equal(100 + silence_ms(w), 500);
}

static void a_final_text_that_is_late_is_replaced_by_words_that_are_known(void **state)
{
    world_t *w = *state;
    frames(w, 600, true);
    frames(w, 100, false);
    words(w, "building four");
    (void)silence_ms(w);
    frames(w, 80, false);
    assert_int_equal(w->told, 0);
    frames(w, 20, false);
    assert_int_equal(w->told, 1);
    assert_string_equal(w->text, "building four");
    assert_int_equal(w->recognition_ms, 100);
    hearing_partial(w->hearing, w->now_us, "building for you", w->fed); /* too late */
    hearing_final(w->hearing, w->now_us, "building for you", 0);
    assert_int_equal(w->told, 1);
    (void)says(w, "second floor"); /* the next one is its own */
    assert_int_equal(w->told, 2);
    assert_string_equal(w->text, "second floor");
}

static void words_that_are_not_known_are_waited_for_longer(void **state)
{
    world_t *w = *state;
    frames(w, 300, true);
    words(w, "building");
    frames(w, 300, true);
    (void)silence_ms(w);
    frames(w, 2000, false);
    assert_int_equal(w->told, 0);
    hearing_final(w->hearing, w->now_us, "building four", 0);
    assert_string_equal(w->text, "building four");
    frames(w, 600, true); /* and nothing at all of this one */
    (void)silence_ms(w);
    for (int i = 0; i < HEARING_FINAL_MAX_MS / 100; i++) {
        assert_int_equal(w->told, 1);
        w->now_us += 100000;
        hearing_tick(w->hearing, w->now_us);
    }
    assert_int_equal(w->told, 2);
    assert_string_equal(w->text, "");
}

static void a_second_utterance_waits_for_the_first(void **state)
{
    world_t *w = *state;
    frames(w, 600, true);
    (void)silence_ms(w);
    frames(w, 600, true);
    hearing_partial(w->hearing, w->now_us, "the first", 99999); /* of the one not final yet */
    assert_string_equal(hearing_words(w->hearing), "");
    frames(w, 40, false);
    assert_int_equal(w->told, 1);
    assert_string_equal(w->text, "the first");
    (void)silence_ms(w);
    hearing_final(w->hearing, w->now_us, "the first one", 0);
    assert_int_equal(w->told, 1);
    hearing_final(w->hearing, w->now_us, "the second", 0);
    assert_int_equal(w->told, 2);
    assert_string_equal(w->text, "the second");
}

static void completeness_by_language(void **state)
{
    (void)state;
    const Pl__Expect any = PL__EXPECT__ANYTHING;
    assert_int_equal(completeness("", "en-US", any), COMPLETE_NOTHING);
    assert_int_equal(completeness(" ... ", "en-US", any), COMPLETE_NOTHING);
    assert_int_equal(completeness("a", "en-US", any), COMPLETE_OPEN);
    assert_int_equal(completeness("that's all", "en-US", any), COMPLETE_SENTENCE);
    assert_int_equal(completeness("talk to a human please", "en-US", any), COMPLETE_SENTENCE);
    assert_int_equal(completeness("mon ordinateur et", "fr-FR", any), COMPLETE_NOT);
    assert_int_equal(completeness("Mein Laptop ist kaputt.", "de-DE", any), COMPLETE_SENTENCE);
    assert_int_equal(completeness("我的电脑坏了。", "zh-CN", any), COMPLETE_SENTENCE);
    assert_int_equal(completeness("sí", "es-ES", PL__EXPECT__YES_NO), COMPLETE_ANSWER);
    assert_int_equal(completeness("yes but", "en-US", PL__EXPECT__YES_NO), COMPLETE_NOT);
    assert_int_equal(completeness("yes the second one", "en-US", PL__EXPECT__YES_NO),
                     COMPLETE_OPEN);
    assert_int_equal(completeness("06 12 34 56 78", "fr-FR", PL__EXPECT__DIGITS), COMPLETE_ANSWER);
    assert_int_equal(completeness("06 12 34", "fr-FR", PL__EXPECT__DIGITS), COMPLETE_NOT);
    assert_int_equal(completeness("+33 6 12 34 56 78", "fr-FR", PL__EXPECT__DIGITS),
                     COMPLETE_ANSWER);
    assert_int_equal(completeness("goodbye", "en-US", PL__EXPECT__DIGITS), COMPLETE_SENTENCE);
    assert_int_equal(completeness("jean@exemple.fr", "fr-FR", PL__EXPECT__SPELLING),
                     COMPLETE_ANSWER);
    assert_int_equal(completeness("john dot", "en-US", PL__EXPECT__SPELLING), COMPLETE_NOT);
}

static void endless_words_are_read_to_their_end(void **state)
{
    (void)state;
    char text[4000];
    for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = i % 40 == 39 ? ' ' : 'x';
    memcpy(text + sizeof text - 5, " and", 5);
    assert_int_equal(completeness(text, "en-US", PL__EXPECT__ANYTHING), COMPLETE_NOT);
}

static void the_time_stays_between_150_ms_and_the_configured_one(void **state)
{
    (void)state;
    srand(3);
    for (int i = 0; i < 20000; i++) {
        pauses_t pauses = {0};
        for (int n = rand() % 20; n > 0; n--) pauses_add(&pauses, (uint32_t)rand() % 3000);
        uint32_t most = 100 + (uint32_t)rand() % 2000;
        completeness_t kind = (completeness_t)(rand() % (COMPLETE_NOT + 1));
        uint32_t ms = endpoint_ms(kind, rand() % 2, (Pl__Expect)(rand() % 5), &pauses, most);
        assert_in_range(ms, most < ENDPOINT_LEAST_MS ? most : ENDPOINT_LEAST_MS,
                        most + ENDPOINT_MORE_MS);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_expected_answer_ends_after_150_ms),
        TEST(half_a_number_and_a_word_being_spelled_are_waited_for),
        TEST(words_that_are_not_known_yet_decide_nothing_but_that_it_goes_on),
        TEST(a_number_said_in_groups_is_one_utterance),
        TEST(the_callers_own_pauses_set_the_time),
        TEST(an_end_that_came_too_soon_is_a_lesson),
        TEST(a_final_text_that_is_late_is_replaced_by_words_that_are_known),
        TEST(words_that_are_not_known_are_waited_for_longer),
        TEST(a_second_utterance_waits_for_the_first),
        cmocka_unit_test(completeness_by_language),
        cmocka_unit_test(endless_words_are_read_to_their_end),
        cmocka_unit_test(the_time_stays_between_150_ms_and_the_configured_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
