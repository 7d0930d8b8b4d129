/* parts_test.c - answers that come in parts: something is said, a tool works, the rest follows. The
 * manager is the test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/conversation.h"

static uint32_t thought;      /* the newest */
static uint32_t about;        /* the message it is to answer */
static char results[4][4096]; /* of tools, in order */
static size_t n_results;

static void *puppet_open(const manager_opts_t *opts, const manager_sink_t *sink, const char *seed)
{
    (void)opts;
    (void)sink;
    (void)seed;
    thought = 0;
    n_results = 0;
    return &thought;
}

static void puppet_think(void *self, const think_t *think)
{
    (void)self;
    thought = think->number;
    about = think->message;
}

static void puppet_result(void *self, const tool_result_t *result)
{
    (void)self;
    snprintf(results[n_results++ % 4], sizeof results[0], "%s", result->content);
}

static void puppet_cancel(void *self)
{
    (void)self;
}

static void puppet_close(void **self)
{
    *self = NULL;
}

static const manager_t puppet = {.name = "puppet",
                                 .open = puppet_open,
                                 .think = puppet_think,
                                 .tool_result = puppet_result,
                                 .cancel = puppet_cancel,
                                 .close = puppet_close};

static void say(conversation_t *c, const char *text)
{
    assert_int_equal(call_sentence(c->call, c->now, thought, text, PL__STYLE__NONE, &c->fx), PL_OK);
    conversation_run(c);
}

static void part(conversation_t *c)
{
    assert_int_equal(call_part(c->call, c->now, thought, &c->fx), PL_OK);
    conversation_run(c);
}

static void done(conversation_t *c, pl_err_t err)
{
    assert_int_equal(call_thought(c->call, c->now, thought, err, &c->fx), PL_OK);
    conversation_run(c);
}

static void tool(conversation_t *c, const char *id, const char *name, const char *arguments)
{
    assert_int_equal(call_tool(c->call, c->now, thought, id, name, arguments, &c->fx), PL_OK);
    conversation_run(c);
}

/* Answered and greeted; the caller has said something, and an answer is awaited. */
static conversation_t *waiting_call(void)
{
    conversation_t *c = conversation_with(three_fields(), &puppet, (manager_opts_t){0});
    conversation_open(c);
    say(c, "Hello.");
    done(c, PL_OK);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    c->hold = true;
    (void)conversation_say(c, "my laptop is broken");
    assert_int_equal(call_state(c->call), CALL_THINKING);
    return c;
}

static const Pl__Message *message(const conversation_t *c, size_t from_end)
{
    return c->stored->messages[c->stored->n_messages - 1 - from_end];
}

#define UPDATE "{\"updates\":[{\"field\":\"hardware_info\",\"value\":\"a laptop\"}]"
#define UPDATE_SAYING(text) UPDATE ",\"customer_response\":\"" text "\"}"

static void a_part_is_a_message_of_its_own(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    tool(c, "t1", "updated_claim", UPDATE_SAYING("I note that."));
    assert_string_equal(results[0], "Updated hardware_info. ");
    part(c);
    uint32_t first = c->turn;
    say(c, "When was it?");
    assert_int_equal(c->turn, first + 1);
    done(c, PL_OK);
    assert_string_equal(message(c, 1)->content, "I note that.");
    assert_int_equal(message(c, 1)->n_tool_calls, 1);
    assert_string_equal(message(c, 0)->content, "When was it?");
    assert_int_equal(message(c, 0)->n_tool_calls, 0);
    assert_string_equal(c->reply, "I note that. When was it?");
    c->turn = first;
    conversation_turn_started(c); /* what is told of the first part comes late */
    assert_int_equal(message(c, 1)->answer_latency_ms, 650);
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    c->turn = first + 1;
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void waiting_after_a_part_is_bridged_and_bounded(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    c->now.mono_ms += 3000;
    say(c, "One second, I look it up.");
    part(c);
    conversation_tick(c, 5000);
    assert_int_equal(call_state(c->call), CALL_SPEAKING); /* as far as we know */
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_THINKING);
    size_t stored = c->stored->n_messages;
    int says = c->says;
    conversation_tick(c, 3900);
    assert_int_equal(c->says, says);
    conversation_tick(c, 200); /* four seconds of silence */
    assert_int_equal(c->says, says + 2);
    conversation_spoken(c, false, "");
    conversation_tick(c, 15000);
    assert_int_equal(c->cancels, 1);
    assert_non_null(strstr(c->last, "sorry"));
    assert_int_equal(c->stored->n_messages, stored); /* neither is in the history */
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void a_tool_alone_in_the_next_part_waits_too(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "I note that.");
    part(c);
    tool(c, "t1", "updated_claim", UPDATE "}");
    conversation_spoken(c, false, ""); /* of the part */
    assert_int_equal(call_state(c->call), CALL_THINKING);
    say(c, "When was it?");
    done(c, PL_OK);
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    assert_string_equal(message(c, 0)->content, "When was it?");
    assert_int_equal(message(c, 0)->n_tool_calls, 1);
    conversation_destroy(&c);
}

static void a_barge_in_over_a_part_cancels_all_that_follows(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "I note that.");
    part(c);
    uint32_t first = c->turn;
    conversation_turn_started(c);
    say(c, "When was it?");
    assert_int_equal(conversation_barge_in(c, first), PL_OK);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    assert_int_equal(c->cancels, 1);
    assert_int_equal(c->stops, 1);
    assert_int_equal(call_sentence(c->call, c->now, thought, "More.", 0, &c->fx), PL_STALE);
    assert_int_equal(call_part(c->call, c->now, thought, &c->fx), PL_STALE);
    assert_int_equal(call_tool(c->call, c->now, thought, "t2", "end_call", "{}", &c->fx), PL_STALE);
    c->turn = first;
    conversation_spoken(c, true, "I note");
    assert_string_equal(message(c, 1)->content, "I note");
    assert_true(message(c, 1)->interrupted);
    assert_string_equal(message(c, 0)->content, ""); /* never heard */
    assert_true(message(c, 0)->interrupted);
    conversation_destroy(&c);
}

static void words_over_a_part_stop_it(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "I note that.");
    part(c);
    conversation_turn_started(c);
    tool(c, "t1", "updated_claim", UPDATE "}");
    int stops = c->stops;
    uint32_t before = thought;
    (void)conversation_say(c, "no it is a printer");
    assert_int_equal(c->stops, stops + 1);
    assert_int_equal(thought, before + 1);
    conversation_destroy(&c);
}

static void a_result_after_the_cut_is_stored_once_and_told_nobody(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    c->hold_search = true;
    c->knowledge = "The desk opens at eight.";
    tool(c, "t1", "search_document",
         "{\"queries\":[\"opening\"],\"customer_response\":\"I look it up.\"}");
    part(c);
    conversation_turn_started(c);
    assert_int_equal(conversation_barge_in(c, c->turn), PL_OK);
    assert_non_null(strstr(message(c, 0)->tool_calls[0]->content, "No result yet"));
    size_t told = n_results;
    conversation_answer_search(c, c->search_tool);
    conversation_run(c);
    assert_int_equal(n_results, told);
    assert_int_equal(message(c, 0)->n_tool_calls, 1);
    assert_non_null(strstr(message(c, 0)->tool_calls[0]->content, "opens at eight"));
    conversation_answer_search(c, c->search_tool); /* once more */
    conversation_run(c);
    assert_int_equal(message(c, 0)->n_tool_calls, 1);
    conversation_destroy(&c);
}

static void goodbye_comes_after_what_is_being_said(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "I note that.");
    part(c);
    uint32_t first = c->turn;
    tool(c, "t1", "end_call", "{}");
    done(c, PL_OK);
    assert_int_equal(call_state(c->call), CALL_ENDING);
    assert_int_equal(c->stops, 0);
    uint32_t last = c->turn;
    assert_true(last > first);
    c->turn = first;
    conversation_spoken(c, false, "");
    assert_int_equal(c->hangups, 0);
    c->turn = last;
    conversation_spoken(c, false, "");
    assert_int_equal(c->hangups, 1);
    conversation_destroy(&c);
}

static void an_error_after_some_words_apologises_and_stores_the_words_only(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "The desk opens");
    done(c, PL_UNAVAILABLE);
    assert_non_null(strstr(c->last, "sorry"));
    assert_string_equal(message(c, 0)->content, "The desk opens");
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void an_answer_that_stops_in_the_middle_is_given_up_in_time(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "The desk opens");
    conversation_turn_started(c);
    conversation_tick(c, 16000);
    assert_int_equal(c->cancels, 1);
    assert_string_equal(message(c, 0)->content, "The desk opens");
    assert_non_null(strstr(c->last, "sorry"));
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void what_a_tool_says_is_fit_to_be_spoken_and_said_once(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    say(c, "I note that.");
    tool(c, "t1", "updated_claim",
         UPDATE_SAYING("[style=cheerful] I note that! **All** is well.\\nOr [guide](http://x.y)?"));
    done(c, PL_OK);
    assert_string_equal(c->reply, "I note that. All is well. Or guide?");
    assert_int_equal(message(c, 0)->style, PL__STYLE__CHEERFUL);
    conversation_destroy(&c);
}

static void a_refused_utterance_is_marked_and_what_was_saved_is_noted(void **state)
{
    (void)state;
    conversation_t *c = waiting_call();
    uint32_t number = about;
    assert_int_equal(call_unsafe(c->call, thought, number, &c->fx), PL_OK);
    assert_int_equal(call_unsafe(c->call, thought, 99, &c->fx), PL_STALE);
    assert_int_equal(call_saved(c->call, thought, 240, &c->fx), PL_STALE); /* nothing said yet */
    say(c, "Let us stay with your laptop.");
    assert_int_equal(call_saved(c->call, thought, 240, &c->fx), PL_OK);
    done(c, PL_OK);
    assert_int_equal(message(c, 0)->speculation_ms, 240);
    assert_true(message(c, 1)->filtered);
    assert_int_equal(message(c, 1)->number, number);
    assert_string_equal(message(c, 1)->content, "my laptop is broken"); /* people still read it */
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_a_message_of_its_own),
        cmocka_unit_test(waiting_after_a_part_is_bridged_and_bounded),
        cmocka_unit_test(a_tool_alone_in_the_next_part_waits_too),
        cmocka_unit_test(a_barge_in_over_a_part_cancels_all_that_follows),
        cmocka_unit_test(words_over_a_part_stop_it),
        cmocka_unit_test(a_result_after_the_cut_is_stored_once_and_told_nobody),
        cmocka_unit_test(goodbye_comes_after_what_is_being_said),
        cmocka_unit_test(an_error_after_some_words_apologises_and_stores_the_words_only),
        cmocka_unit_test(an_answer_that_stops_in_the_middle_is_given_up_in_time),
        cmocka_unit_test(what_a_tool_says_is_fit_to_be_spoken_and_said_once),
        cmocka_unit_test(a_refused_utterance_is_marked_and_what_was_saved_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
