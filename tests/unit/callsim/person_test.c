#include "tools/callsim/person.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static scenario_t *scenario;
static person_t *person;
static act_t act;

static void begin(const char *yaml, bool hears_words)
{
    char why[512];
    scenario = NULL;
    pl_err_t err = scenario_parse(&scenario, "s.yaml", yaml, why, sizeof why);
    if (err) print_error("%s\n", why);
    assert_int_equal(err, PL_OK);
    person = person_new(scenario, 7, hears_words);
    person_up(person, 0);
}

static int end(void **state)
{
    (void)state;
    person_destroy(&person);
    scenario_destroy(&scenario);
    return 0;
}

/* The bot speaks from..to and is understood at once. */
static void bot_says(uint64_t from, uint64_t to, const char *words)
{
    person_bot_started(person, from);
    person_bot_quiet(person, to);
    person_bot_said(person, to, words);
}

static void says(uint64_t now_ms, const char *text)
{
    assert_true(person_next(person, now_ms, &act));
    assert_int_equal(act.kind, ACT_SAY);
    assert_string_equal(act.text, text);
    assert_false(person_next(person, now_ms, &act));
}

static void is_quiet(uint64_t now_ms)
{
    assert_false(person_next(person, now_ms, &act));
}

static const char three[] = "caller: {delay_ms: 200, patience_ms: 0}\n"
                            "steps:\n"
                            "  - {cue: \"hardware|device\", say: a laptop}\n"
                            "  - {cue: when, say: \"number {n}\"}\n"
                            "  - {cue: any, hang_up: true}\n";

static void an_answer_waits_for_cue_and_reaction_time(void **state)
{
    (void)state;
    begin(three, true);
    is_quiet(0);
    bot_says(100, 2000, "which device is it");
    is_quiet(2199);
    says(2200, "a laptop");
    assert_int_equal(person_waits_for(person), 1);
}

static void steps_fire_in_the_order_the_bot_asks(void **state)
{
    (void)state;
    begin(three, true);
    bot_says(0, 1000, "when was it");
    says(1200, "number 7");
    person_said(person, 2000);
    bot_says(2500, 3000, "and the hardware");
    says(3200, "a laptop");
    person_said(person, 4000);
    bot_says(4500, 5000, "bye");
    assert_true(person_next(person, 5200, &act));
    assert_int_equal(act.kind, ACT_HANG_UP);
    assert_int_equal(person_waits_for(person), 3);
}

static void any_waits_for_the_steps_before_it(void **state)
{
    (void)state;
    begin(three, true);
    bot_says(0, 1000, "good morning");
    is_quiet(60000);
}

static void a_question_asked_again_is_answered_again_but_not_for_ever(void **state)
{
    (void)state;
    begin(three, true);
    uint64_t now = 0;
    for (int i = 0; i < 3; i++, now += 10000) {
        bot_says(now, now + 1000, "which hardware");
        says(now + 1200, "a laptop");
        person_said(person, now + 2000);
    }
    bot_says(now, now + 1000, "which hardware");
    is_quiet(now + 9000);
}

static void a_new_question_wins_over_the_echo_of_the_last_answer(void **state)
{
    (void)state;
    begin(three, true);
    bot_says(0, 1000, "which hardware");
    says(1200, "a laptop");
    person_said(person, 2000);
    bot_says(3000, 4000, "hardware noted and when was it");
    says(4200, "number 7");
}

static void a_bot_that_goes_on_is_heard_to_the_end(void **state)
{
    (void)state;
    begin(three, true);
    bot_says(0, 1000, "about the hardware");
    person_bot_started(person, 1100); /* within the reaction time */
    is_quiet(1300);
    person_bot_quiet(person, 2000);
    is_quiet(2300); /* not understood yet */
    person_bot_said(person, 2400, "no more");
    says(2600, "a laptop");
}

static void without_words_steps_are_taken_in_order(void **state)
{
    (void)state;
    begin(three, false);
    bot_says(0, 1000, NULL);
    says(1200, "a laptop");
    person_said(person, 2000);
    bot_says(3000, 4000, NULL);
    says(4200, "number 7");
}

static void without_words_the_last_step_is_said_again_when_the_bot_asks_on(void **state)
{
    (void)state;
    begin("steps:\n"
          "  - {cue: any, say: first, delay_ms: 0}\n"
          "  - {cue: any, say: bye, delay_ms: 0, times: 2}\n",
          false);
    bot_says(0, 1000, NULL);
    says(1000, "first");
    person_said(person, 1500);
    bot_says(2000, 3000, NULL);
    says(3000, "bye");
    person_said(person, 3500);
    bot_says(4000, 5000, NULL);
    says(5000, "bye");
    person_said(person, 5500);
    bot_says(6000, 7000, NULL);
    is_quiet(8000);
}

static void an_interruption_does_not_wait_for_the_end(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 0}\n"
          "steps:\n"
          "  - {cue: any, say: first}\n"
          "  - {interrupt_after_ms: 600, say: stop}\n",
          false);
    bot_says(0, 1000, NULL);
    says(1250, "first");
    person_said(person, 1600);
    is_quiet(5000); /* nobody to interrupt */
    person_bot_started(person, 6000);
    is_quiet(6599);
    says(6600, "stop");
}

static void silence_fires_its_step_and_is_measured_from_the_last_voice(void **state)
{
    (void)state;
    begin("steps:\n  - {after_silence_ms: 1000, dtmf: \"12#\"}\n", true);
    is_quiet(999);
    person_bot_started(person, 900);
    is_quiet(2500);
    person_bot_quiet(person, 3000);
    is_quiet(4500); /* its words may still change everything */
    person_bot_said(person, 4600, "");
    assert_true(person_next(person, 4600, &act));
    assert_int_equal(act.kind, ACT_DTMF);
    assert_string_equal(act.text, "12#");
}

static void a_silent_caller_ignores_what_is_said(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 3000}\n"
          "steps:\n"
          "  - {cue: any, stay_silent_ms: 5000, delay_ms: 0}\n"
          "  - {cue: any, say: back, delay_ms: 0}\n",
          false);
    bot_says(0, 1000, NULL);
    is_quiet(1000);
    bot_says(2000, 3000, NULL);
    is_quiet(5999);
    bot_says(6500, 7000, NULL);
    says(7000, "back");
}

static void patience_ends_with_a_question_at_most_three_times(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 2000, lost: hello}\nsteps:\n  - {cue: never, say: x}\n", true);
    is_quiet(1999);
    uint64_t now = 2000;
    for (int i = 0; i < 3; i++) {
        says(now, "hello");
        assert_int_equal(act.step, PERSON_LOST);
        person_said(person, now + 500);
        now += 2500;
    }
    is_quiet(now + 60000);
}

static void hanging_up_in_mid_sentence_comes_after_its_time(void **state)
{
    (void)state;
    begin("steps:\n  - {cue: any, say: a long story, delay_ms: 0, hang_up_after_ms: 700}\n", false);
    bot_says(0, 1000, NULL);
    says(1000, "a long story");
    is_quiet(1699);
    assert_true(person_next(person, 1700, &act));
    assert_int_equal(act.kind, ACT_HANG_UP);
}

static void optional_steps_do_not_hold_up_the_end(void **state)
{
    (void)state;
    begin("steps:\n"
          "  - {cue: never, say: x, optional: true}\n"
          "  - {cue: any, hang_up: true, delay_ms: 0}\n",
          true);
    assert_int_equal(person_waits_for(person), 1);
    bot_says(0, 1000, "whatever");
    assert_true(person_next(person, 1000, &act));
    assert_int_equal(act.kind, ACT_HANG_UP);
    assert_int_equal(person_waits_for(person), 2);
}

static void very_long_speech_does_not_overflow_the_memory(void **state)
{
    (void)state;
    begin(three, true);
    char words[3000];
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    for (int i = 0; i < 5; i++) {
        person_bot_started(person, 0);
        person_bot_quiet(person, 1);
        person_bot_said(person, 1, words);
    }
    is_quiet(100000);
}

static void an_interruption_by_words_waits_for_its_cue_and_their_number(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 0}\n"
          "steps:\n  - {cue: /policy/, interrupt_after_words: 4, say: stop}\n",
          true);
    person_bot_started(person, 100);
    person_bot_words(person, 100, "", 0);
    person_bot_words(person, 200, "and now the weather today", 5);
    is_quiet(200); /* not what it waits for */
    person_bot_quiet(person, 300);
    person_bot_said(person, 300, "and now the weather today");
    is_quiet(9000);
    person_bot_started(person, 9000);
    person_bot_words(person, 9100, "your policy number", 3);
    is_quiet(9100);
    person_bot_words(person, 9200, "your policy number please", 4);
    says(9200, "stop");
}

static void where_words_come_too_late_a_word_counts_for_its_time(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 0}\nsteps:\n  - {interrupt_after_words: 5, say: stop}\n", true);
    person_bot_started(person, 1000);
    is_quiet(2999);
    says(3000, "stop");
}

static void a_persons_own_times_can_pass_faster_but_not_its_patience(void **state)
{
    (void)state;
    begin("caller: {delay_ms: 400, patience_ms: 3000, lost: hello}\n"
          "steps:\n  - {cue: device, say: a laptop}\n  - {cue: never, hang_up: true}\n",
          true);
    person_pace(person, 10);
    bot_says(100, 200, "which device");
    is_quiet(239);
    says(240, "a laptop");
    person_said(person, 300);
    is_quiet(3299);
    says(3300, "hello");
}

static void it_is_known_when_the_person_will_act_next(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 5000, delay_ms: 200}\n"
          "steps:\n"
          "  - {cue: device, say: a laptop, hang_up_after_ms: 700}\n",
          true);
    assert_true(person_due_ms(person) == 5000);
    person_bot_started(person, 1000);
    assert_true(person_due_ms(person) == UINT64_MAX);
    person_bot_quiet(person, 2000);
    person_bot_said(person, 2000, "which device");
    assert_true(person_due_ms(person) == 2200);
    says(2200, "a laptop");
    assert_true(person_due_ms(person) == 2900);
    person_down(person, 2500);
    assert_true(person_due_ms(person) == UINT64_MAX);
}

static void who_is_to_ring_again_does_so_after_the_call(void **state)
{
    (void)state;
    begin("caller: {patience_ms: 0}\n"
          "steps:\n"
          "  - {cue: any, hang_up: true, delay_ms: 0}\n"
          "  - {ring: true, after_silence_ms: 300}\n"
          "  - {cue: welcome, say: hello, delay_ms: 0}\n",
          true);
    bot_says(0, 1000, "good morning");
    assert_true(person_next(person, 1000, &act));
    assert_int_equal(act.kind, ACT_HANG_UP);
    is_quiet(60000); /* still in the call */
    person_down(person, 61000);
    is_quiet(61299);
    assert_true(person_due_ms(person) == 61300);
    assert_true(person_next(person, 61300, &act));
    assert_int_equal(act.kind, ACT_RING);
    person_up(person, 62000);
    bot_says(62000, 63000, "welcome back");
    says(63000, "hello");
    assert_int_equal(person_waits_for(person), 3);
}

static void a_mumble_is_said_without_words(void **state)
{
    (void)state;
    begin("steps:\n  - {cue: any, mumble_ms: 900, delay_ms: 0}\n", true);
    bot_says(0, 1000, "which device");
    assert_true(person_next(person, 1000, &act));
    assert_int_equal(act.kind, ACT_MUMBLE);
    assert_int_equal(act.mumble_ms, 900);
    is_quiet(1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_answer_waits_for_cue_and_reaction_time, end),
        cmocka_unit_test_teardown(steps_fire_in_the_order_the_bot_asks, end),
        cmocka_unit_test_teardown(any_waits_for_the_steps_before_it, end),
        cmocka_unit_test_teardown(a_question_asked_again_is_answered_again_but_not_for_ever, end),
        cmocka_unit_test_teardown(a_new_question_wins_over_the_echo_of_the_last_answer, end),
        cmocka_unit_test_teardown(a_bot_that_goes_on_is_heard_to_the_end, end),
        cmocka_unit_test_teardown(without_words_steps_are_taken_in_order, end),
        cmocka_unit_test_teardown(without_words_the_last_step_is_said_again_when_the_bot_asks_on,
                                  end),
        cmocka_unit_test_teardown(an_interruption_does_not_wait_for_the_end, end),
        cmocka_unit_test_teardown(silence_fires_its_step_and_is_measured_from_the_last_voice, end),
        cmocka_unit_test_teardown(a_silent_caller_ignores_what_is_said, end),
        cmocka_unit_test_teardown(patience_ends_with_a_question_at_most_three_times, end),
        cmocka_unit_test_teardown(hanging_up_in_mid_sentence_comes_after_its_time, end),
        cmocka_unit_test_teardown(optional_steps_do_not_hold_up_the_end, end),
        cmocka_unit_test_teardown(very_long_speech_does_not_overflow_the_memory, end),
        cmocka_unit_test_teardown(an_interruption_by_words_waits_for_its_cue_and_their_number, end),
        cmocka_unit_test_teardown(where_words_come_too_late_a_word_counts_for_its_time, end),
        cmocka_unit_test_teardown(a_persons_own_times_can_pass_faster_but_not_its_patience, end),
        cmocka_unit_test_teardown(it_is_known_when_the_person_will_act_next, end),
        cmocka_unit_test_teardown(who_is_to_ring_again_does_so_after_the_call, end),
        cmocka_unit_test_teardown(a_mumble_is_said_without_words, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
