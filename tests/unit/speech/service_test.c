/* service_test.c - speech as a whole: real bus, real lane, real recogniser and voices. */
#include "tests/unit/speech/service.h"

static bool has_utterance(const void *arg)
{
    const call_t *c = arg;
    return c->utterances > 0;
}

static bool turn_is_spoken(const void *arg)
{
    const call_t *c = arg;
    return c->turns_spoken > 0;
}

static bool never(const void *arg)
{
    (void)arg;
    return false;
}

static void what_the_caller_says_becomes_an_utterance(void **state)
{
    (void)state;
    call_t *c = open_call();
    caller_says(c, "slt", "my laptop screen is broken");
    assert_true(wait_for(has_utterance, c, 15000));
    assert_string_equal(c->text, "my laptop screen is broken");
    assert_int_equal(c->started, 1);
    assert_true(c->partials > 0);
    assert_int_equal(c->endpointing_ms, 500);
    assert_in_range(c->speech_ms, 1000, 3000);
    assert_int_equal(close_stream(c), PL_OK);
}

static void a_turn_is_played_and_told(void **state)
{
    (void)state;
    call_t *c = open_call();
    say(c, 1, 0, "Hello, this is Amelia.", false);
    say(c, 1, 1, "How can I help you?", true);
    assert_true(wait_for(turn_is_spoken, c, 15000));
    assert_int_equal(c->turns_started, 1);
    assert_false(c->interrupted);
    assert_string_equal(c->heard_text, "Hello, this is Amelia. How can I help you?");
    assert_in_range(c->spoken_ms, 2000, 5000);
    assert_in_range(c->heard_ms, c->spoken_ms - 20, c->spoken_ms);
    assert_in_range(c->heard_samples * 1000 / PL_FRAME_HZ, c->spoken_ms - 20, c->spoken_ms + 20);
    assert_int_equal(close_stream(c), PL_OK);
}

static void a_voice_over_the_bot_stops_it_and_is_heard(void **state)
{
    (void)state;
    call_t *c = open_call();
    world.frames_a_tick = 1;
    say(c, 1, 0,
        "This is a very long sentence that nobody would ever want to hear to its end,"
        " because it goes on and on, and on, without saying anything of interest.",
        true);
    (void)wait_for(never, NULL, 1000);
    caller_says(c, "rms", "goodbye");
    assert_true(wait_for(has_utterance, c, 15000));
    assert_true(wait_for(turn_is_spoken, c, 5000));
    assert_int_equal(c->barge_ins, 1);
    assert_true(c->interrupted);
    assert_int_equal(c->flushed, 1);
    assert_true(c->heard_ms < c->spoken_ms);
    assert_int_equal(strncmp(c->heard_text, "This is a", 9), 0);
    assert_true(strlen(c->heard_text) < 100);
    assert_string_equal(c->text, "goodbye");
    world.frames_a_tick = FRAMES_A_TICK;
    assert_int_equal(close_stream(c), PL_OK);
}

static bool all_have_utterances(const void *arg)
{
    const call_t *first = arg;
    for (size_t i = (size_t)(first - world.calls); i < world.count; i++) {
        if (world.calls[i].utterances == 0) return false;
    }
    return true;
}

/* Words at the same places. */
static unsigned alike(const char *a, const char *b)
{
    unsigned same = 0;
    while (*a && *b) {
        size_t x = strcspn(a, " "), y = strcspn(b, " ");
        same += x == y && memcmp(a, b, x) == 0;
        a += x + strspn(a + x, " ");
        b += y + strspn(b + y, " ");
    }
    return same;
}

static void ten_callers_at_once_do_not_mix(void **state)
{
    (void)state;
    static const char *const words[] = {"zero", "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    world.count = 0;
    char said[10][128];
    for (size_t i = 0; i < 10; i++) {
        call_t *c = open_call();
        (void)snprintf(said[i], sizeof said[i], "%s %s %s %s %s %s %s", words[i],
                       words[(i + 3) % 10], words[(i * 7 + 1) % 10], words[i], words[(i + 6) % 10],
                       words[(9 - i) % 10], words[i]);
        listen_for(c, PL__EXPECT__DIGITS);
        caller_says(c, "rms", said[i]);
    }
    assert_true(wait_for(all_have_utterances, &world.calls[0], 60000));
    (void)wait_for(never, NULL, 300);
    /* A synthetic digit may be misheard; what must never happen is another caller's number. */
    for (size_t i = 0; i < 10; i++) {
        const call_t *c = &world.calls[i];
        assert_int_equal(c->utterances, 1);
        unsigned own = alike(c->text, said[i]);
        if (own < 6) fail_msg("said \"%s\" heard \"%s\"", said[i], c->text);
        for (size_t j = 0; j < 10; j++) assert_true(j == i || alike(c->text, said[j]) < own);
    }
    for (size_t i = 0; i < 10; i++) assert_int_equal(close_stream(&world.calls[i]), PL_OK);
}

static void what_cannot_be_opened_is_refused(void **state)
{
    (void)state;
    world.count = 0;
    call_t *c = open_call();
    assert_int_equal(ask_stream(c, world.lane_number), PL_OK); /* asked twice */
    assert_int_equal(ask_stream(c, 77), PL_NOT_FOUND);
    call_t *other = new_call();
    other->slot = c->slot;
    assert_int_equal(ask_stream(other, world.lane_number), PL_BUSY);
    other->slot = 1u << 30;
    assert_int_equal(ask_stream(other, world.lane_number), PL_INVALID);
    other->slot = 1;
    other->id[0] = '\0';
    assert_int_equal(ask_stream(other, world.lane_number), PL_INVALID);
    c->epoch = 0;
    c->generation++;
    assert_int_equal(ask_stream(c, world.lane_number), PL_STALE);
    c->epoch = 1;
    assert_int_equal(ask_stream(c, world.lane_number), PL_OK); /* replaces the former stream */
    assert_int_equal(close_stream(c), PL_OK);
    assert_int_equal(close_stream(c), PL_OK);
}

static void frames_of_a_former_generation_are_dropped(void **state)
{
    (void)state;
    world.count = 0;
    call_t *c = open_call();
    uint32_t right = c->generation;
    c->generation = right - 1;
    caller_says(c, "slt", "nobody must hear this");
    (void)wait_for(never, NULL, 1500);
    c->generation = right;
    assert_int_equal(c->started, 0);
    assert_int_equal(c->utterances, 0);
    assert_int_equal(close_stream(c), PL_OK);
}

static void a_former_owners_orders_are_ignored(void **state)
{
    (void)state;
    world.count = 0;
    call_t *c = open_call();
    call_t former = *c;
    former.epoch = 0;
    say(&former, 1, 0, "I am the former owner.", true);
    (void)wait_for(never, NULL, 500);
    assert_int_equal(c->heard_samples, 0);
    assert_int_equal(close_stream(c), PL_OK);
}

static pl_err_t move_stream(const call_t *c, const char *to)
{
    Pl__StreamMove move = PL__STREAM_MOVE__INIT;
    move.call_id = (char *)to;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)c->id;
    env.epoch = c->epoch;
    env.body_case = PL__ENVELOPE__BODY_STREAM_MOVE;
    env.stream_move = &move;
    return request(&env);
}

static void a_stream_goes_on_as_another_calls(void **state)
{
    (void)state;
    world.count = 0;
    call_t *c = open_call();
    assert_int_equal(move_stream(c, ""), PL_INVALID);
    call_t nobody = *c;
    (void)snprintf(nobody.id, sizeof nobody.id, "nobody");
    assert_int_equal(move_stream(&nobody, "other"), PL_NOT_FOUND);
    nobody = *c;
    nobody.epoch = 0;
    assert_int_equal(move_stream(&nobody, "other"), PL_STALE);
    call_t former = *c;
    say(c, 1, 0, "One moment, please.", true); /* it is being said while the call changes */
    assert_int_equal(move_stream(c, "the-other-call"), PL_OK);
    assert_int_equal(move_stream(c, "the-other-call"), PL_OK); /* asked again */
    (void)snprintf(c->id, sizeof c->id, "the-other-call");
    assert_true(wait_for(turn_is_spoken, c, 15000)); /* told under the new id */
    assert_string_equal(c->heard_text, "One moment, please.");
    c->turns_spoken = 0;
    say(&former, 2, 0, "Sent before.", true); /* an order that crossed the change */
    assert_true(wait_for(turn_is_spoken, c, 15000));
    assert_string_equal(c->heard_text, "Sent before.");
    caller_says(c, "slt", "my laptop screen is broken");
    assert_true(wait_for(has_utterance, c, 15000));
    assert_int_equal(close_stream(c), PL_OK);
}

static bool is_lost(const void *arg)
{
    const call_t *c = arg;
    return c->lost > 0;
}

/* Last: it breaks the lane. */
static void a_broken_lane_is_told_to_the_owners(void **state)
{
    (void)state;
    world.count = 0;
    call_t *c = open_call();
    world.lane_broken = true; /* for the clock */
    pl_lane_destroy(&world.lane);
    assert_true(wait_for(is_lost, c, 5000));
    open_lane();
    assert_int_equal(ask_stream(c, world.lane_number), PL_OK);
    caller_says(c, "slt", "yes that is right");
    assert_true(wait_for(has_utterance, c, 15000));
    assert_string_equal(c->text, "yes that is right");
}

static int start(void **state)
{
    (void)state;
    static const char *const settings[] = {"speech.stt.sphinx.decoders=3", NULL};
    start_service(settings);
    return 0;
}

static int end(void **state)
{
    (void)state;
    end_service();
    return 0;
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_caller_says_becomes_an_utterance),
        cmocka_unit_test(a_turn_is_played_and_told),
        cmocka_unit_test(a_voice_over_the_bot_stops_it_and_is_heard),
        cmocka_unit_test(ten_callers_at_once_do_not_mix),
        cmocka_unit_test(what_cannot_be_opened_is_refused),
        cmocka_unit_test(frames_of_a_former_generation_are_dropped),
        cmocka_unit_test(a_former_owners_orders_are_ignored),
        cmocka_unit_test(a_stream_goes_on_as_another_calls),
        cmocka_unit_test(a_broken_lane_is_told_to_the_owners),
    };
    return cmocka_run_group_tests(tests, start, end);
}
