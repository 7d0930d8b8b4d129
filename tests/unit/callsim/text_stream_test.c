#include "tools/callsim/text_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What the stream told, as a line of short words: "speech started" is "S", "partial a" is "P(a)". */
static char told[4096];
static text_stream_t *stream;
static uint32_t speak_after_words; /* the caller begins then; 0: never */

static void write_down(const char *what, const char *text, uint32_t number)
{
    size_t used = strlen(told);
    char turn[16] = "";
    if (number) snprintf(turn, sizeof turn, "%u", number);
    snprintf(told + used, sizeof told - used, text ? "%s(%s)%s " : "%s%s%s ", what,
             text ? text : "", turn);
}

static void on_event(void *arg, Pl__Envelope *env)
{
    (void)arg;
    switch ((int)env->body_case) {
    case PL__ENVELOPE__BODY_SPEECH_STARTED:
        write_down("S", NULL, 0);
        break;
    case PL__ENVELOPE__BODY_PARTIAL:
        write_down("P", env->partial->text, 0);
        break;
    case PL__ENVELOPE__BODY_UTTERANCE:
        write_down(env->utterance->backchannel ? "u" : "U", env->utterance->text, 0);
        break;
    case PL__ENVELOPE__BODY_BARGE_IN:
        write_down("B", NULL, env->barge_in->turn);
        break;
    case PL__ENVELOPE__BODY_TURN_STARTED:
        write_down("T", NULL, env->turn_started->turn);
        break;
    case PL__ENVELOPE__BODY_TURN_SPOKEN:
        write_down(env->turn_spoken->interrupted ? "C" : "E", env->turn_spoken->heard_text,
                   env->turn_spoken->turn);
        break;
    default:
        fail_msg("an event of kind %d", (int)env->body_case);
    }
}

static void on_bot_started(void *arg, uint64_t at_us)
{
    (void)arg;
    (void)at_us;
}

static void on_bot_word(void *arg, uint64_t at_us, const char *heard, uint32_t words)
{
    (void)arg;
    (void)heard;
    if (words == speak_after_words) text_stream_speak(stream, at_us, "wait", 0);
}

static char asked[256], heard[256], lang[16];
static bool started;

static void on_bot_over(void *arg, uint64_t at_us, const text_turn_t *turn)
{
    (void)arg;
    (void)at_us;
    snprintf(asked, sizeof asked, "%s", turn->asked);
    snprintf(heard, sizeof heard, "%s", turn->heard);
    snprintf(lang, sizeof lang, "%s", turn->lang);
    started = turn->started;
}

static uint64_t said_us;

static void on_said(void *arg, uint64_t at_us)
{
    (void)arg;
    said_us = at_us;
}

static int begin(void **state)
{
    (void)state;
    text_stream_sink_t sink = {on_event, on_bot_started, on_bot_word, on_bot_over, on_said, NULL};
    told[0] = '\0';
    speak_after_words = 0;
    stream = text_stream_new(10, "en-US", &sink);
    return 0;
}

static int end(void **state)
{
    (void)state;
    text_stream_destroy(&stream);
    return 0;
}

static pl_err_t say(uint64_t now_us, uint32_t turn, uint32_t index, const char *text, bool last)
{
    Pl__Say body = PL__SAY__INIT;
    body.turn = turn;
    body.index = index;
    body.text = (char *)text;
    body.last = last;
    body.lang = "fr-FR";
    return text_stream_say(stream, now_us, &body);
}

static uint64_t run_to(uint64_t until_us)
{
    uint64_t last_us = 0;
    while (text_stream_due_us(stream) <= until_us) last_us = text_stream_step(stream);
    return last_us;
}

static void a_turn_is_started_at_its_first_word_and_over_after_its_last(void **state)
{
    (void)state;
    assert_int_equal(say(1000, 1, 0, "Hello there.", false), PL_OK);
    assert_string_equal(told, "T1 ");
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "T1 "); /* it may go on */
    assert_int_equal(say(900000, 1, 1, "Bye.", true), PL_OK);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "T1 E(Hello there. Bye.)1 ");
    assert_string_equal(asked, "Hello there. Bye.");
    assert_string_equal(lang, "fr-FR");
}

static void words_take_the_time_of_their_letters_at_the_given_speed(void **state)
{
    (void)state;
    say(0, 1, 0, "abcde abcde", true);
    assert_int_equal(run_to(UINT64_MAX - 1), 62000); /* 10 letters of 62 ms, 10 times faster */
}

static void a_faster_rate_takes_less_time(void **state)
{
    (void)state;
    Pl__Say body = PL__SAY__INIT;
    body.turn = 1;
    body.text = "abcdefghij";
    body.last = true;
    body.rate = 1.25;
    assert_int_equal(text_stream_say(stream, 0, &body), PL_OK);
    assert_int_equal(run_to(UINT64_MAX - 1), 49600);
}

static void who_speaks_after_a_word_has_heard_exactly_that_much(void **state)
{
    (void)state;
    speak_after_words = 3;
    say(0, 1, 0, "One two three four five.", false);
    say(0, 1, 1, "Six.", true);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "T1 S B1 C(One two three)1 P(wait) U(wait) ");
    assert_string_equal(asked, "One two three four five. Six.");
    assert_string_equal(heard, "One two three");
}

static void each_character_of_chinese_is_a_word_to_be_heard_or_not(void **state)
{
    (void)state;
    speak_after_words = 2;
    say(0, 1, 0, "您好，请问", true);
    run_to(UINT64_MAX - 1);
    assert_string_equal(heard, "您好，");
}

static void a_sentence_that_may_not_be_interrupted_is_heard_to_its_end(void **state)
{
    (void)state;
    Pl__Say body = PL__SAY__INIT;
    body.turn = 1;
    body.text = "Goodbye my friend.";
    body.last = true;
    body.not_interruptible = true;
    text_stream_say(stream, 0, &body);
    text_stream_speak(stream, 10, "wait", 0);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "T1 S P(wait) U(wait) E(Goodbye my friend.)1 ");
}

static void a_turn_that_starts_under_a_voice_is_cut_after_the_cutoff(void **state)
{
    (void)state;
    text_stream_speak(stream, 0, "I would like to tell you a very long story", 0);
    say(1000, 4, 0, "Incomprehensibilities and more", true);
    assert_int_equal(run_to(26000), 26000); /* 250 ms, 10 times faster */
    assert_non_null(strstr(told, "B4 C()4"));
}

static void an_utterance_ends_after_the_silence_that_listen_names(void **state)
{
    (void)state;
    Pl__Listen listen = PL__LISTEN__INIT;
    listen.vad_silence_timeout_ms = 1000;
    listen.lang = "es-ES";
    listen.expect = PL__EXPECT__DIGITS;
    text_stream_listen(stream, &listen);
    assert_int_equal(text_stream_expect(stream), PL__EXPECT__DIGITS);
    assert_string_equal(text_stream_lang(stream), "es-ES");
    text_stream_speak(stream, 0, "no", 0);
    run_to(UINT64_MAX - 1);
    assert_int_equal(said_us, 12400);
    assert_string_equal(told, "S P(no) U(no) ");
}

static void speaking_on_before_the_end_makes_one_utterance(void **state)
{
    (void)state;
    text_stream_speak(stream, 0, "plus one", 0);
    run_to(60000); /* voice over, utterance not yet */
    text_stream_speak(stream, 60000, "two", 0);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "S P(plus) P(plus one) P(plus one two) U(plus one two) ");
}

static void a_mumble_is_an_utterance_without_words(void **state)
{
    (void)state;
    text_stream_speak(stream, 0, "", 800);
    assert_int_equal(run_to(80000), 80000);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "S U() ");
}

static void listening_along_and_mumbling_do_not_take_the_floor(void **state)
{
    (void)state;
    say(0, 1, 0, "One two three four five six seven.", true);
    run_to(20000);
    text_stream_speak(stream, 20000, "mhm", 0);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "T1 S P(mhm) u(mhm) E(One two three four five six seven.)1 ");
    told[0] = '\0';
    say(0, 2, 0, "Eight.", true);
    text_stream_speak(stream, 10, "", 20);
    run_to(UINT64_MAX - 1);
    assert_string_equal(told, "T2 S E(Eight.)2 U() ");
}

static void say_stop_cuts_what_is_said_and_drops_what_waits(void **state)
{
    (void)state;
    say(0, 1, 0, "One two three four.", true);
    say(0, 2, 0, "Five.", true);
    say(0, 3, 0, "Six.", true);
    run_to(19000); /* one word, and a part of the second */
    assert_int_equal(text_stream_say_stop(stream, 20000, 2), PL_OK);
    assert_string_equal(told, "T1 C(One)1 C()2 T3 ");
    assert_int_equal(text_stream_say_stop(stream, 20000, 2), PL_STALE);
    run_to(UINT64_MAX - 1);
    assert_non_null(strstr(told, "E(Six.)3"));
}

static void stale_and_wrong_sentences_are_refused(void **state)
{
    (void)state;
    static char big[TEXT_STREAM_TEXT_MAX + 2];
    memset(big, 'a', sizeof big - 1);
    assert_int_equal(say(0, 2, 0, big, true), PL_INVALID);
    assert_int_equal(say(0, 2, TEXT_STREAM_SENTENCES_MAX, "x", true), PL_INVALID);
    assert_int_equal(say(0, 2, 0, "x", false), PL_OK);
    assert_int_equal(say(0, 2, 0, "x", false), PL_STALE);
    assert_int_equal(say(0, 1, 0, "x", true), PL_STALE);
    assert_int_equal(say(0, 2, 1, "", true), PL_OK);
    assert_int_equal(say(0, 2, 2, "x", true), PL_STALE);
    run_to(UINT64_MAX - 1);
    assert_int_equal(say(0, 2, 3, "x", true), PL_STALE);
}

static void a_turn_without_words_is_over_at_once_and_was_not_started(void **state)
{
    (void)state;
    started = true;
    say(0, 1, 0, "", true);
    assert_string_equal(told, "E()1 ");
    assert_false(started);
}

static void when_the_leg_is_gone_the_owner_is_told_what_was_heard(void **state)
{
    (void)state;
    say(0, 1, 0, "One two three.", true);
    run_to(19000);
    told[0] = '\0';
    text_stream_end(stream, 20000);
    assert_string_equal(told, "C(One)1 ");
    assert_string_equal(heard, "One");
    assert_true(text_stream_due_us(stream) == UINT64_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_turn_is_started_at_its_first_word_and_over_after_its_last),
        TEST(words_take_the_time_of_their_letters_at_the_given_speed),
        TEST(a_faster_rate_takes_less_time),
        TEST(who_speaks_after_a_word_has_heard_exactly_that_much),
        TEST(each_character_of_chinese_is_a_word_to_be_heard_or_not),
        TEST(a_sentence_that_may_not_be_interrupted_is_heard_to_its_end),
        TEST(a_turn_that_starts_under_a_voice_is_cut_after_the_cutoff),
        TEST(an_utterance_ends_after_the_silence_that_listen_names),
        TEST(speaking_on_before_the_end_makes_one_utterance),
        TEST(a_mumble_is_an_utterance_without_words),
        TEST(listening_along_and_mumbling_do_not_take_the_floor),
        TEST(say_stop_cuts_what_is_said_and_drops_what_waits),
        TEST(stale_and_wrong_sentences_are_refused),
        TEST(a_turn_without_words_is_over_at_once_and_was_not_started),
        TEST(when_the_leg_is_gone_the_owner_is_told_what_was_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
