/* early_test.c - what is begun on transcripts that are not final: passages, and thoughts ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/conversation.h"

static struct {
    uint32_t thought;
    int thinks, partials;
    char text[256];     /* of the newest think or partial */
    char passages[256]; /* content of its first passage; "" none */
} seen;

static void *watcher_open(const manager_opts_t *opts, const manager_sink_t *sink, const char *seed)
{
    (void)opts;
    (void)sink;
    (void)seed;
    memset(&seen, 0, sizeof seen);
    return &seen;
}

static void see(const think_t *think)
{
    snprintf(seen.text, sizeof seen.text, "%s", think->text);
    snprintf(seen.passages, sizeof seen.passages, "%s",
             think->found ? think->found->passages[0]->content : "");
}

static void watcher_think(void *self, const think_t *think)
{
    (void)self;
    seen.thought = think->number;
    seen.thinks++;
    see(think);
}

static void watcher_partial(void *self, const think_t *think)
{
    (void)self;
    seen.partials++;
    see(think);
}

static void watcher_result(void *self, const tool_result_t *result)
{
    (void)self;
    (void)result;
}

static void watcher_cancel(void *self)
{
    (void)self;
}

static void watcher_close(void **self)
{
    *self = NULL;
}

static const manager_t watcher = {.name = "watcher",
                                  .open = watcher_open,
                                  .think = watcher_think,
                                  .tool_result = watcher_result,
                                  .cancel = watcher_cancel,
                                  .partial = watcher_partial,
                                  .close = watcher_close};

static void answer(conversation_t *c)
{
    (void)call_sentence(c->call, c->now, seen.thought, "Yes.", PL__STYLE__NONE, &c->fx);
    (void)call_thought(c->call, c->now, seen.thought, PL_OK, &c->fx);
    conversation_run(c);
}

static conversation_t *listening_call(bool speculate, uint32_t knowledge_ms)
{
    conversation_t *c = conversation_with(three_fields(), &watcher, (manager_opts_t){0});
    c->settings.speculate = speculate;
    c->settings.early_ms = 100;
    c->settings.knowledge_ms = knowledge_ms;
    conversation_open(c);
    answer(c);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    return c;
}

static void a_transcript_that_stands_still_is_thought_about(void **state)
{
    (void)state;
    conversation_t *c = listening_call(true, 0);
    conversation_partial(c, "my lap");
    conversation_tick(c, 60);
    conversation_partial(c, "my laptop");
    conversation_tick(c, 60);
    assert_int_equal(seen.partials, 0);
    conversation_partial(c, "My laptop."); /* the same words */
    assert_int_equal(call_deadline(c->call), c->now.mono_ms + 40);
    conversation_tick(c, 40);
    assert_int_equal(seen.partials, 1);
    assert_string_equal(seen.text, "my laptop");
    conversation_tick(c, 1000);
    assert_int_equal(seen.partials, 1);
    conversation_partial(c, "my laptop is");
    (void)conversation_utter(c, "my laptop is broken");
    assert_int_equal(seen.partials, 1); /* too late for that one */
    assert_string_equal(seen.text, "my laptop is broken");
    assert_int_equal(c->searches + c->prefetches, 0);
    conversation_partial(c, "while it thinks");
    conversation_tick(c, 200);
    assert_int_equal(seen.partials, 1);
    conversation_destroy(&c);
}

static void it_can_be_switched_off(void **state)
{
    (void)state;
    conversation_t *c = listening_call(false, 0);
    conversation_partial(c, "my laptop");
    conversation_tick(c, 500);
    assert_int_equal(seen.partials, 0);
    conversation_destroy(&c);
}

static void passages_are_there_before_the_final_text(void **state)
{
    (void)state;
    conversation_t *c = listening_call(true, 10);
    c->knowledge = "The desk opens at eight.";
    conversation_partial(c, "when do");
    conversation_partial(c, "when do you open");
    assert_int_equal(c->prefetches, 2);
    assert_int_equal(c->searches, 0);
    conversation_tick(c, 100);
    assert_int_equal(c->searches, 1);
    assert_int_equal(seen.partials, 1);
    assert_string_equal(seen.passages, "The desk opens at eight.");
    (void)conversation_utter(c, "When do you open?");
    assert_int_equal(c->searches, 1); /* nothing more to be asked */
    assert_int_equal(seen.thinks, 2);
    assert_string_equal(seen.passages, "The desk opens at eight.");
    answer(c);
    const Pl__Message *said = c->stored->messages[c->stored->n_messages - 1];
    assert_int_equal(said->n_passages, 1);
    assert_string_equal(said->passages[0]->title, "Guide");
    (void)conversation_utter(c, "thanks"); /* they are not those of the next one */
    assert_int_equal(c->searches, 2);
    conversation_destroy(&c);
}

static void the_answer_waits_for_passages_only_a_moment(void **state)
{
    (void)state;
    conversation_t *c = listening_call(true, 10);
    c->hold_search = true;
    c->knowledge = "The desk opens at eight.";
    (void)conversation_utter(c, "when do you open");
    assert_int_equal(seen.thinks, 1);
    assert_int_equal(call_state(c->call), CALL_THINKING);
    conversation_passages(c, "1"); /* of another thought */
    conversation_run(c);
    assert_int_equal(seen.thinks, 1);
    conversation_passages(c, c->passages_key);
    conversation_run(c);
    assert_int_equal(seen.thinks, 2);
    assert_string_equal(seen.passages, "The desk opens at eight.");
    conversation_passages(c, c->passages_key); /* twice */
    conversation_run(c);
    assert_int_equal(seen.thinks, 2);
    answer(c);
    c->search_error = PL_TIMEOUT; /* what the bus says when the moment is over */
    (void)conversation_utter(c, "and on sundays");
    conversation_passages(c, c->passages_key);
    conversation_run(c);
    assert_int_equal(seen.thinks, 3);
    assert_string_equal(seen.passages, "");
    conversation_destroy(&c);
}

static void a_thought_given_up_while_it_waits_is_not_begun(void **state)
{
    (void)state;
    conversation_t *c = listening_call(true, 10);
    c->hold_search = true;
    (void)conversation_utter(c, "when do you");
    char first[64];
    snprintf(first, sizeof first, "%s", c->passages_key);
    (void)conversation_utter(c, "open on mondays");
    conversation_passages(c, first);
    conversation_run(c);
    assert_int_equal(seen.thinks, 1);
    conversation_passages(c, c->passages_key);
    conversation_run(c);
    assert_int_equal(seen.thinks, 2);
    assert_string_equal(seen.text, "open on mondays");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
    conversation_passages(c, c->passages_key);
    conversation_run(c);
    assert_int_equal(seen.thinks, 2);
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transcript_that_stands_still_is_thought_about),
        cmocka_unit_test(it_can_be_switched_off),
        cmocka_unit_test(passages_are_there_before_the_final_text),
        cmocka_unit_test(the_answer_waits_for_passages_only_a_moment),
        cmocka_unit_test(a_thought_given_up_while_it_waits_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
