/* adopting_test.c - a call whose owner was lost goes on here: from its record, once, under a later
 * epoch; and who has been replaced lets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/service_world.h"

#define NUMBER "+33699999999"

static const char *const one_line[] = {"a dell laptop that does not turn on", NULL};
static const char *const the_rest[] = {"", "yesterday at nine in the morning", NULL};

static struct {
    unsigned accepted, refused;
    pl_err_t err;
    uint32_t epoch;
} offer;

static void offer_call(const char *id, Pl__LegEnded *ended);
static bool offered_released;
static Pl__LegEnded *offered_end;

/* While the former life of the call ends here it is BUSY: asked again, as telephony does. */
static void on_offer(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    offer.err = err;
    if (err == PL_BUSY) {
        offer_call(arg, offered_end);
        return;
    }
    if (err) {
        offer.refused++;
        return;
    }
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_CALL_ACCEPTED);
    offer.accepted++;
    offer.epoch = reply->call_accepted->epoch;
}

static void offer_call(const char *id, Pl__LegEnded *ended)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallOrphaned body = PL__CALL_ORPHANED__INIT;
    body.kind = PL__LEG_KIND__SIP;
    body.ended = offered_end = ended;
    body.released = offered_released;
    env.call_id = (char *)id;
    env.epoch = epoch_of(id);
    env.body_case = PL__ENVELOPE__BODY_CALL_ORPHANED;
    env.call_orphaned = &body;
    pl_bus_request(world.telephony, "dialogue", &env, 3000, on_offer, (void *)id);
}

/* Telephony knows another owner. */
static void lose_call(const char *id, uint32_t epoch)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallLost body = PL__CALL_LOST__INIT;
    body.owner = (char *)"dialogue-7";
    env.call_id = (char *)id;
    env.epoch = epoch;
    env.body_case = PL__ENVELOPE__BODY_CALL_LOST;
    env.call_lost = &body;
    assert_int_equal(pl_bus_event(world.telephony, "dialogue-0", &env), PL_OK);
}

static bool first_noted(void)
{
    return world.count && value(&world.seen[0], "hardware_info")[0] != '\0';
}

static bool second_noted(void)
{
    return value(&world.seen[0], "first_seen")[0] != '\0';
}

static bool let_go(void)
{
    pl_peer_t peer;
    return pl_bus_pick(world.telephony, "dialogue", &peer) && peer.load == 0;
}

static bool accepted(void)
{
    return offer.accepted > 0;
}

static bool refused(void)
{
    return offer.refused > 0;
}

static bool excused(void)
{
    return strstr(world.seen[0].heard, "the line was interrupted") != NULL;
}

static bool closed(void)
{
    const Pl__CallRecord *record = world.seen[0].record;
    return !record->in_progress && record->ended != PL__LEG_END__LEG_NOT_ENDED;
}

static size_t human_lines(const Pl__CallRecord *record)
{
    size_t n = 0;
    for (size_t i = 0; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        n += message->action == PL__ACTION__TALK && message->persona == PL__PERSONA__HUMAN;
    }
    return n;
}

/* A call of which the first field is known, and which its owner has lost. */
static const char *begin_and_lose(void)
{
    memset(&offer, 0, sizeof offer);
    offered_released = false;
    world.lines = one_line;
    start(NULL);
    post_call(NUMBER);
    assert_true(wait_for(first_noted));
    lose_call(world.seen[0].id, 2);
    assert_true(wait_for(let_go));
    return world.seen[0].id;
}

static void who_has_been_replaced_lets_go_and_leaves_leg_and_record_alone(void **state)
{
    (void)state;
    (void)begin_and_lose();
    assert_false(world.seen[0].hung_up);
    assert_true(world.seen[0].record->in_progress);
    assert_int_equal(world.seen[0].record->ended, PL__LEG_END__LEG_NOT_ENDED);
}

static void a_call_without_owner_goes_on_from_its_record(void **state)
{
    (void)state;
    const char *id = begin_and_lose();
    size_t before = human_lines(world.seen[0].record);
    world.seen[0].heard[0] = '\0';
    world.seen[0].line = 0;
    world.lines = the_rest;
    offer_call(id, NULL);
    assert_true(wait_for(accepted));
    assert_int_equal(offer.epoch, 2);
    assert_int_equal(world.seen[0].record->epoch, 2);
    answer_leg(id, PL__LEG_KIND__SIP);
    assert_true(wait_for(excused));
    assert_true(wait_for(second_noted));
    const Pl__CallRecord *record = world.seen[0].record;
    assert_string_equal(value(&world.seen[0], "hardware_info"),
                        "a dell laptop that does not turn on");
    assert_true(human_lines(record) > before); /* nothing lost, nothing doubled: */
    for (size_t i = 1; i < record->n_messages; i++) {
        assert_true(record->messages[i]->number > record->messages[i - 1]->number);
    }
    offer.accepted = 0;
    offer_call(id, NULL); /* it has an owner, who says so and stays the owner */
    assert_true(wait_for(accepted));
    assert_int_equal(offer.epoch, 2);
}

static void what_a_new_owner_is_told_again_is_noted_once(void **state)
{
    (void)state;
    const char *id = begin_and_lose();
    Pl__CallRecord *record = world.seen[0].record;
    size_t before = human_lines(record);
    for (size_t i = 0; i < record->n_messages; i++) {
        if (record->messages[i]->persona == PL__PERSONA__HUMAN) record->messages[i]->heard_id = 77;
    }
    offer_call(id, NULL);
    assert_true(wait_for(accepted));
    answer_leg(id, PL__LEG_KIND__SIP);
    assert_true(wait_for(excused));
    Pl__Utterance said = PL__UTTERANCE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    said.text = (char *)"a dell laptop that does not turn on";
    said.heard_id = 77;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &said;
    to_dialogue(&env, id);
    said.text = (char *)"yesterday at nine in the morning";
    said.heard_id = 78; /* the former owner was lost before it noted this */
    to_dialogue(&env, id);
    to_dialogue(&env, id);
    assert_true(wait_for(second_noted));
    assert_int_equal(human_lines(world.seen[0].record), before + 1);
}

static void who_takes_over_from_an_owner_that_stops_in_order_only_listens(void **state)
{
    (void)state;
    const char *id = begin_and_lose();
    size_t said = strlen(world.seen[0].heard);
    offered_released = true;
    offer_call(id, NULL);
    assert_true(wait_for(accepted));
    answer_leg(id, PL__LEG_KIND__SIP);
    Pl__Utterance answer = PL__UTTERANCE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    answer.text = (char *)"yesterday at nine in the morning";
    answer.heard_id = 5;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &answer;
    to_dialogue(&env, id);
    assert_true(wait_for(second_noted)); /* it knows what was asked */
    assert_false(excused());
    assert_true(strlen(world.seen[0].heard) >= said);
}

static void a_caller_who_hung_up_while_nobody_owned_the_call_has_hung_up(void **state)
{
    (void)state;
    const char *id = begin_and_lose();
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    ended.end = PL__LEG_END__LEG_BYE_REMOTE;
    ended.detail = (char *)"they hung up";
    offer_call(id, &ended);
    assert_true(wait_for(closed));
    const Pl__CallRecord *record = world.seen[0].record;
    assert_int_equal(record->ended, PL__LEG_END__LEG_BYE_REMOTE);
    assert_int_equal(record->messages[record->n_messages - 1]->action, PL__ACTION__HANGUP);
    assert_true(wait_for(let_go));
    offer_call(id, &ended); /* told twice, it is closed once */
    assert_true(wait_for(refused));
    assert_int_equal(offer.err, PL_STALE);
    assert_int_equal(record->epoch, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_has_been_replaced_lets_go_and_leaves_leg_and_record_alone,
                                  stop),
        cmocka_unit_test_teardown(a_call_without_owner_goes_on_from_its_record, stop),
        cmocka_unit_test_teardown(what_a_new_owner_is_told_again_is_noted_once, stop),
        cmocka_unit_test_teardown(who_takes_over_from_an_owner_that_stops_in_order_only_listens,
                                  stop),
        cmocka_unit_test_teardown(a_caller_who_hung_up_while_nobody_owned_the_call_has_hung_up,
                                  stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
