/* bus_odd_peer_test.c - peers that do not do as they should: made by hand on plain ROUTERs. */
#include "tests/unit/common/bus_node.h"

#include <czmq.h>

#include "common/bus_wire.h"
#include "common/metrics.h"

static const char *const speech_peer[] = {"speech", NULL};
static pl_loop_t *loop;

/* ---- the odd peer: answers heartbeats, keeps the last request ------------------------------- */

typedef struct {
    zsock_t *router;
    pl_watch_t *watch;
    pl_arena_t *arena;
    const char *instance;
    uint64_t started;
    bus_received_t asked; /* its envelope is gone; the identity stays */
    uint64_t correlation; /* of the last request; 0: none yet */
} odd_t;

static void reply_with(odd_t *odd, const bus_received_t *to, uint64_t correlation,
                       Pl__Envelope *reply)
{
    reply->correlation = correlation;
    reply->sender = (char *)odd->instance;
    reply->is_reply = true;
    assert_int_equal(
        bus_wire_send(zsock_resolve(odd->router), to->identity, to->identity_bytes, reply), PL_OK);
    pl_watch_check(odd->watch);
}

static bool odd_receive(void *arg)
{
    odd_t *odd = arg;
    bus_received_t got;
    if (bus_wire_receive(zsock_resolve(odd->router), true, odd->arena, &got) == BUS_WIRE_NONE) {
        return false;
    }
    assert_non_null(got.env);
    if (got.env->body_case != PL__ENVELOPE__BODY_HEARTBEAT) {
        odd->asked = got;
        odd->correlation = got.env->correlation;
        return true;
    }
    assert_string_equal(got.env->heartbeat->instance, "dialogue-0");
    Pl__HeartbeatReply beat = PL__HEARTBEAT_REPLY__INIT;
    beat.service = "speech";
    beat.instance = (char *)odd->instance;
    beat.started = odd->started;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_HEARTBEAT_REPLY;
    reply.heartbeat_reply = &beat;
    reply_with(odd, &got, got.env->correlation, &reply);
    return true;
}

static void odd_open(odd_t *odd, const char *instance)
{
    *odd = (odd_t){.instance = instance, .started = 1};
    odd->router = zsock_new(ZMQ_ROUTER);
    assert_non_null(odd->router);
    assert_int_equal(zsock_bind(odd->router, "ipc://%s/%s.ipc", run_dir, instance), 0);
    odd->arena = pl_arena_new(4096, 1 << 20);
    odd->watch = pl_watch_zmq(loop, zsock_resolve(odd->router), odd_receive, odd);
}

static void odd_close(odd_t *odd)
{
    pl_watch_stop(&odd->watch);
    zsock_destroy(&odd->router);
    pl_arena_destroy(&odd->arena);
}

static bool was_asked(void *arg)
{
    return ((const odd_t *)arg)->correlation != 0;
}

/* ---- dialogue ------------------------------------------------------------------------------ */

static int open_loop(void **state)
{
    loop = pl_loop_new();
    return make_run_dir(state);
}

static int close_loop(void **state)
{
    pl_loop_destroy(&loop);
    return remove_run_dir(state);
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    node_t *node = arg;
    (void)reply;
    node->replies++;
    node->err = err;
}

static bool replied(void *arg)
{
    return ((const node_t *)arg)->replies > 0;
}

static void ask(node_t *from, const char *to, odd_t *odd)
{
    Pl__LaneOpen body = PL__LANE_OPEN__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &body;
    from->replies = 0;
    odd->correlation = 0;
    pl_bus_request(from->bus, to, &env, 5000, on_reply, from);
    assert_true(run_until(loop, 1000, was_asked, odd));
}

static Pl__Envelope done(void)
{
    static Pl__Done body = PL__DONE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_DONE;
    env.done = &body;
    return env;
}

static void count_changes(void *arg, const pl_peer_t *peer)
{
    node_t *node = arg;
    if (peer->up)
        node->events++;
    else
        node->requests++;
}

static bool changed_twice(void *arg)
{
    const node_t *node = arg;
    return node->requests == 1 && node->events == 2;
}

static void another_start_behind_the_same_connection_is_down_then_up(void **state)
{
    (void)state;
    odd_t odd;
    odd_open(&odd, "speech-0");
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    pl_bus_on_peer(dialogue->bus, count_changes, dialogue);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    ask(dialogue, "speech", &odd);
    odd.started = 2;
    assert_true(run_until(loop, 1000, changed_twice, dialogue));
    assert_int_equal(dialogue->replies, 1);
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    node_close(&dialogue);
    odd_close(&odd);
}

static void only_the_peer_that_was_asked_can_answer_and_only_once(void **state)
{
    (void)state;
    odd_t right, other;
    odd_open(&right, "speech-0");
    odd_open(&other, "speech-1");
    char endpoints[2][160];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(endpoints[i], sizeof endpoints[i],
                       "bus.endpoints.speech[%d]=ipc://%s/speech-%d.ipc", i, run_dir, i);
    }
    const char *settings[] = {endpoints[0], endpoints[1], NULL};
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, settings);
    assert_true(wait_up(dialogue, "speech", 2, 1000));
    ask(dialogue, "speech-1", &other); /* so that it knows the connection to answer on */
    bus_received_t way = other.asked;
    ask(dialogue, "speech-0", &right);

    const pl_metric_t *late = pl_metric_counter("parley_bus_late_replies_total", NULL, "");
    double before = pl_metric_value(late);
    dialogue->replies = 0;
    Pl__Envelope reply = done();
    reply_with(&other, &way, right.correlation, &reply); /* guessed the other's number */
    run_for(loop, 50);
    assert_int_equal(dialogue->replies, 0);
    reply_with(&right, &right.asked, right.correlation, &reply);
    reply_with(&right, &right.asked, right.correlation, &reply); /* twice */
    run_for(loop, 50);
    assert_int_equal(dialogue->replies, 1);
    assert_int_equal(dialogue->err, PL_OK);
    assert_true(pl_metric_value(late) == before + 2);
    node_close(&dialogue);
    odd_close(&right);
    odd_close(&other);
}

static pl_err_t answered_with(odd_t *odd, node_t *dialogue, uint32_t code)
{
    ask(dialogue, "speech", odd);
    Pl__Error error = PL__ERROR__INIT;
    error.code = code;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_ERROR;
    reply.error = &error;
    reply_with(odd, &odd->asked, odd->correlation, &reply);
    assert_true(run_until(loop, 1000, replied, dialogue));
    return dialogue->err;
}

static void errors_of_other_versions_are_still_errors(void **state)
{
    (void)state;
    odd_t odd;
    odd_open(&odd, "speech-0");
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    assert_int_equal(answered_with(&odd, dialogue, PL_BUSY), PL_BUSY);
    assert_int_equal(answered_with(&odd, dialogue, 0), PL_INTERNAL);   /* an error that is none */
    assert_int_equal(answered_with(&odd, dialogue, 999), PL_INTERNAL); /* a code of the future */
    node_close(&dialogue);
    odd_close(&odd);
}

static void malformed_replies_and_requests_the_wrong_way_are_counted(void **state)
{
    (void)state;
    odd_t odd;
    odd_open(&odd, "speech-0");
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    ask(dialogue, "speech", &odd);
    const pl_metric_t *malformed = pl_metric_counter("parley_bus_malformed_total", NULL, "");
    double before = pl_metric_value(malformed);
    void *router = zsock_resolve(odd.router);
    zmq_send(router, odd.asked.identity, odd.asked.identity_bytes, ZMQ_SNDMORE);
    zmq_send(router, "\xff\xff", 2, 0);
    zmq_send(router, odd.asked.identity, odd.asked.identity_bytes, ZMQ_SNDMORE);
    zmq_send(router, "a", 1, ZMQ_SNDMORE);
    zmq_send(router, "b", 1, 0);
    Pl__Envelope event = done();
    assert_int_equal(bus_wire_send(router, odd.asked.identity, odd.asked.identity_bytes, &event),
                     PL_OK);
    run_for(loop, 50);
    assert_true(pl_metric_value(malformed) == before + 3);
    assert_int_equal(dialogue->replies, 0);
    Pl__Envelope reply = done(); /* and it still works */
    reply_with(&odd, &odd.asked, odd.correlation, &reply);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_OK);
    node_close(&dialogue);
    odd_close(&odd);
}

int main(void)
{
    pl_signals_init();
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(another_start_behind_the_same_connection_is_down_then_up),
        ON_A_LOOP(only_the_peer_that_was_asked_can_answer_and_only_once),
        ON_A_LOOP(errors_of_other_versions_are_still_errors),
        ON_A_LOOP(malformed_replies_and_requests_the_wrong_way_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
