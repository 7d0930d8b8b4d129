/* interruption_test.c - who has the floor; and what is only listening along, language by language. */
#include "services/speech/interruption.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/lane.h"

static words_kind_t kind(const char *text, const char *lang)
{
    return words_kind(text, 0, lang, PL__EXPECT__ANYTHING);
}

static void backchannels_are_known_in_five_languages(void **state)
{
    (void)state;
    assert_int_equal(kind("mhm", "en-US"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("Uh-huh, okay.", "en-GB"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("D'accord.", "fr-FR"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("oui oui", "fr"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("Vale, muy bien", "es-ES"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("ja genau", "de-DE"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("嗯嗯", "zh-CN"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("好的，对。", "zh-CN"), WORDS_BACKCHANNEL);
    assert_int_equal(kind("okay", "sv-SE"), WORDS_BACKCHANNEL); /* as in English */
}

static void words_that_mean_something_are_not(void **state)
{
    (void)state;
    assert_int_equal(kind("no", "en-US"), WORDS_URGENT);
    assert_int_equal(kind("stop", "en-US"), WORDS_URGENT);
    assert_int_equal(kind("please stop it", "en-US"), WORDS_URGENT);
    assert_int_equal(kind("nobody", "en-US"), WORDS_REAL); /* begins like one */
    assert_int_equal(kind("ok but my name is", "en-US"), WORDS_REAL);
    assert_int_equal(kind("mhm mhm mhm mhm mhm", "en-US"), WORDS_REAL); /* wants to speak */
    assert_int_equal(kind("non", "fr-FR"), WORDS_URGENT);
    assert_int_equal(kind("oui mais", "fr-FR"), WORDS_REAL);
    assert_int_equal(kind("nein", "de-DE"), WORDS_URGENT);
    assert_int_equal(kind("jacke", "de-DE"), WORDS_REAL); /* begins like one */
    assert_int_equal(kind("好的我的电话", "zh-CN"), WORDS_REAL);
    assert_int_equal(kind("", "en-US"), WORDS_NONE);
    assert_int_equal(kind(" . ", "en-US"), WORDS_NONE);
}

static void yes_answers_where_yes_or_no_is_expected(void **state)
{
    (void)state;
    assert_int_equal(words_kind("yes", 0, "en-US", PL__EXPECT__YES_NO), WORDS_URGENT);
    assert_int_equal(words_kind("oui", 0, "fr-FR", PL__EXPECT__YES_NO), WORDS_URGENT);
    assert_int_equal(words_kind("mhm", 0, "en-US", PL__EXPECT__YES_NO), WORDS_BACKCHANNEL);
    assert_int_equal(words_kind("嗯", 0, "zh-CN", PL__EXPECT__YES_NO), WORDS_BACKCHANNEL);
}

static void words_from_before_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(words_kind("my number is", 3, "en-US", PL__EXPECT__ANYTHING), WORDS_NONE);
    assert_int_equal(words_kind("my number is ok", 3, "en-US", PL__EXPECT__ANYTHING),
                     WORDS_BACKCHANNEL);
    assert_int_equal(words_kind("my", 3, "en-US", PL__EXPECT__ANYTHING), WORDS_NONE);
}

/* The last verdict of so many frames. */
static floor_verdict_t frames(interruption_t *i, uint32_t ms, bool voice)
{
    floor_verdict_t last = FLOOR_KEEP;
    for (uint32_t n = 0; n < ms / PL_FRAME_MS && last == FLOOR_KEEP; n++)
        last = interruption_frame(i, voice, true);
    return last;
}

static floor_verdict_t words(interruption_t *i, const char *text)
{
    return interruption_words(i, text, "en-US", PL__EXPECT__ANYTHING, true);
}

static void a_voice_nobody_can_tell_the_words_of_takes_the_floor_by_its_length(void **state)
{
    (void)state;
    interruption_t *i = interruption_new(250);
    interruption_turn(i, 0);
    interruption_utterance(i);
    assert_int_equal(frames(i, 640, true), FLOOR_KEEP);
    assert_int_equal(frames(i, 20, true), FLOOR_YIELD);
    assert_int_equal(frames(i, 640, true), FLOOR_KEEP); /* counted anew */
    interruption_destroy(&i);
}

static void a_long_sound_without_words_does_not_while_the_recogniser_keeps_up(void **state)
{
    (void)state;
    interruption_t *i = interruption_new(250);
    interruption_turn(i, 0);
    interruption_utterance(i);
    for (int n = 0; n < 20; n++) { /* music */
        assert_int_equal(frames(i, 240, true), FLOOR_KEEP);
        assert_int_equal(words(i, ""), FLOOR_KEEP);
    }
    assert_int_equal(frames(i, INTERRUPTION_LOOK_MS - 20, true), FLOOR_KEEP);
    assert_int_equal(frames(i, 20, true), FLOOR_YIELD); /* now it is behind */
    interruption_destroy(&i);
}

static void pauses_between_syllables_do_not_reset_the_voice(void **state)
{
    (void)state;
    interruption_t *i = interruption_new(250);
    interruption_turn(i, 0);
    interruption_utterance(i);
    for (int n = 0; n < 8; n++) {
        assert_int_equal(frames(i, 80, true), FLOOR_KEEP);
        assert_int_equal(frames(i, 60, false), FLOOR_KEEP);
        if (n > 5) assert_int_equal(words(i, "my printer"), FLOOR_KEEP);
    }
    assert_int_equal(frames(i, 20, true), FLOOR_YIELD);
    interruption_destroy(&i);
}

static void words_that_only_one_look_has_found_do_not_count_yet(void **state)
{
    (void)state;
    interruption_t *i = interruption_new(250);
    interruption_turn(i, 0);
    interruption_utterance(i);
    for (int n = 0; n < 4; n++) {
        assert_int_equal(frames(i, 240, true), FLOOR_KEEP);
        assert_int_equal(words(i, n % 2 ? "" : "her printer"), FLOOR_KEEP);
    }
    assert_int_equal(words(i, "my printer"), FLOOR_KEEP);
    assert_int_equal(words(i, "my printer"), FLOOR_YIELD);
    interruption_destroy(&i);
}

static void a_brief_sound_takes_the_floor_with_urgent_words_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text, *lang;
        uint32_t ms;
        Pl__Expect expect;
        floor_verdict_t want;
    } rows[] = {
        {"stop", "en-US", 300, PL__EXPECT__ANYTHING, FLOOR_YIELD},
        {"no", "en-US", 240, PL__EXPECT__ANYTHING, FLOOR_YIELD},
        {"nein", "de-DE", 300, PL__EXPECT__ANYTHING, FLOOR_YIELD},
        {"attendez", "fr-FR", 400, PL__EXPECT__ANYTHING, FLOOR_YIELD},
        {"不是", "zh-CN", 300, PL__EXPECT__ANYTHING, FLOOR_YIELD},
        {"hello", "en-US", 320, PL__EXPECT__ANYTHING, FLOOR_RISE}, /* of a cough */
        {"a war", "en-US", 320, PL__EXPECT__ANYTHING, FLOOR_RISE},
        {"my printer", "en-US", 500, PL__EXPECT__ANYTHING, FLOOR_YIELD},
        {"yes", "en-US", 300, PL__EXPECT__YES_NO, FLOOR_YIELD},
        {"yes", "en-US", 300, PL__EXPECT__ANYTHING, FLOOR_RISE},
        {"six", "en-US", 300, PL__EXPECT__DIGITS, FLOOR_YIELD},
    };
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        interruption_t *i = interruption_new(250);
        interruption_turn(i, 0);
        interruption_utterance(i);
        assert_int_equal(frames(i, rows[n].ms, true), FLOOR_KEEP);
        if (interruption_end(i, rows[n].text, rows[n].lang, rows[n].expect, true) != rows[n].want)
            fail_msg("\"%s\" of %u ms", rows[n].text, rows[n].ms);
        interruption_destroy(&i);
    }
}

static void more_words_after_a_backchannel_take_the_floor(void **state)
{
    (void)state;
    interruption_t *i = interruption_new(250);
    interruption_turn(i, 0);
    interruption_utterance(i);
    (void)frames(i, 300, true);
    assert_int_equal(words(i, "okay"), FLOOR_KEEP);
    assert_int_equal(frames(i, 100, false), FLOOR_KEEP);
    assert_int_equal(frames(i, 200, true), FLOOR_KEEP);
    assert_int_equal(words(i, "okay but wait"), FLOOR_YIELD);
    interruption_destroy(&i);
}

static void the_voice_rises_once_and_only_if_it_was_down(void **state)
{
    (void)state;
    interruption_t *i = interruption_new(250);
    interruption_turn(i, 0);
    assert_int_equal(interruption_end(i, "", "en-US", PL__EXPECT__ANYTHING, true), FLOOR_KEEP);
    interruption_utterance(i);
    (void)frames(i, 200, true);
    assert_int_equal(words(i, "mhm"), FLOOR_KEEP);
    assert_int_equal(frames(i, 200, false), FLOOR_RISE);
    assert_int_equal(frames(i, 300, false), FLOOR_KEEP);
    assert_int_equal(interruption_end(i, "mhm", "en-US", PL__EXPECT__ANYTHING, true), FLOOR_KEEP);
    interruption_destroy(&i);
}

/* Whatever is heard, and in whatever order: voice over an open turn that has ended is decided. */
static void every_utterance_over_a_turn_ends_in_a_decision(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "mhm", "okay", "no", "my printer is broken"};
    srand(7);
    for (int round = 0; round < 2000; round++) {
        interruption_t *i = interruption_new(250);
        interruption_turn(i, 0);
        interruption_utterance(i);
        unsigned decided = 0;
        bool sounded = false;
        for (int n = rand() % 60; n > 0; n--) {
            bool voice = rand() % 2;
            sounded |= voice;
            decided += interruption_frame(i, voice, true) != FLOOR_KEEP;
            if (rand() % 8 == 0) decided += words(i, texts[rand() % 5]) != FLOOR_KEEP;
        }
        decided += interruption_end(i, texts[rand() % 5], "en-US", PL__EXPECT__ANYTHING, true) !=
                   FLOOR_KEEP;
        if (sounded) assert_true(decided > 0);
        interruption_destroy(&i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backchannels_are_known_in_five_languages),
        cmocka_unit_test(words_that_mean_something_are_not),
        cmocka_unit_test(yes_answers_where_yes_or_no_is_expected),
        cmocka_unit_test(words_from_before_are_left_out),
        cmocka_unit_test(a_voice_nobody_can_tell_the_words_of_takes_the_floor_by_its_length),
        cmocka_unit_test(a_long_sound_without_words_does_not_while_the_recogniser_keeps_up),
        cmocka_unit_test(words_that_only_one_look_has_found_do_not_count_yet),
        cmocka_unit_test(a_brief_sound_takes_the_floor_with_urgent_words_alone),
        cmocka_unit_test(pauses_between_syllables_do_not_reset_the_voice),
        cmocka_unit_test(more_words_after_a_backchannel_take_the_floor),
        cmocka_unit_test(the_voice_rises_once_and_only_if_it_was_down),
        cmocka_unit_test(every_utterance_over_a_turn_ends_in_a_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
