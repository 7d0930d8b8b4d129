/* bus_test.c - requests, replies, events and refusals between instances on one loop. */
#include "tests/unit/common/bus_node.h"

#include "common/clock.h"
#include "common/metrics.h"

static const char *const speech_peer[] = {"speech", NULL};

static pl_loop_t *loop;

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

/* ---- the two ends -------------------------------------------------------------------------- */

static void answer_opened(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    node_t *node = arg;
    assert_non_null(request);
    assert_string_equal(env->call_id, "c-1");
    assert_string_equal(env->sender, "dialogue-0");
    assert_int_equal(env->epoch, 3);
    assert_string_equal(env->trace_parent, "00-aa-bb-01");
    node->requests++;
    assert_in_range(pl_request_time_left_ms(request), 1, 1000);
    Pl__LaneOpened opened = PL__LANE_OPENED__INIT;
    opened.endpoint = "ipc://x";
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_LANE_OPENED;
    reply.lane_opened = &opened;
    pl_request_reply(&request, &reply);
    assert_null(request);
}

static void take_opened(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    node_t *node = arg;
    node->replies++;
    node->err = err;
    assert_int_equal(err, PL_OK);
    assert_true(reply->is_reply);
    assert_string_equal(reply->sender, "speech-0");
    assert_string_equal(reply->call_id, "c-1");
    assert_int_equal(reply->epoch, 3);
    assert_string_equal(reply->trace_parent, "00-aa-bb-01");
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_LANE_OPENED);
    assert_string_equal(reply->lane_opened->endpoint, "ipc://x");
}

static void ignore_detail(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    node_t *node = arg;
    (void)reply;
    node->replies++;
    node->err = err;
}

static Pl__Envelope lane_open(void)
{
    static Pl__LaneOpen body = PL__LANE_OPEN__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = "c-1";
    env.epoch = 3;
    env.trace_parent = "00-aa-bb-01";
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &body;
    return env;
}

static bool replied(void *arg)
{
    return ((const node_t *)arg)->replies > 0;
}

static void ask(node_t *from, const char *to, uint32_t timeout_ms)
{
    Pl__Envelope env = lane_open();
    from->replies = 0;
    pl_bus_request(from->bus, to, &env, timeout_ms, ignore_detail, from);
    assert_int_equal(from->replies, 0); /* never inside the call */
}

static void open_two(node_t **dialogue, node_t **speech)
{
    *speech = node_open(loop, "speech", "0", NULL, NULL);
    *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    assert_true(wait_up(*dialogue, "speech", 1, 1000));
}

static void close_two(node_t **dialogue, node_t **speech)
{
    if (*dialogue) node_close(dialogue);
    if (*speech) node_close(speech);
}

/* ---- requests ------------------------------------------------------------------------------ */

static void a_request_is_answered_with_its_routing(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, answer_opened, speech);
    Pl__Envelope env = lane_open();
    pl_bus_request(dialogue->bus, "speech", &env, 1000, take_opened, dialogue);
    assert_true(run_until(loop, 1000, replied, dialogue));
    dialogue->replies = 0;
    pl_bus_request(dialogue->bus, "speech-0", &env, 1000, take_opened, dialogue);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(speech->requests, 2);
    run_for(loop, 20);
    assert_int_equal(dialogue->replies, 1); /* once */
    close_two(&dialogue, &speech);
}

static void an_unhandled_body_is_refused_as_unsupported(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    ask(dialogue, "speech", 1000);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_UNSUPPORTED);
    close_two(&dialogue, &speech);
}

static void refuse_busy(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    pl_request_refuse(&request, PL_BUSY, 250, "all %d recognisers are in use", 4);
}

static void take_busy(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    node_t *node = arg;
    node->replies++;
    assert_int_equal(err, PL_BUSY);
    assert_string_equal(pl_bus_error_detail(err, reply), "all 4 recognisers are in use");
    assert_string_equal(reply->error->origin, "speech-0");
    assert_int_equal(reply->error->retry_after_ms, 250);
}

static void a_refusal_says_why_and_when_to_come_back(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, refuse_busy, speech);
    Pl__Envelope env = lane_open();
    pl_bus_request(dialogue->bus, "speech", &env, 1000, take_busy, dialogue);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_string_equal(pl_bus_error_detail(PL_TIMEOUT, NULL), pl_err_text(PL_TIMEOUT));
    close_two(&dialogue, &speech);
}

static void hold(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    node_t *node = arg;
    (void)env;
    node->requests++;
    node->held = request;
}

static void silence_is_a_timeout_and_the_late_reply_is_only_counted(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    pl_metric_t *late = pl_metric_counter("parley_bus_late_replies_total", NULL, "");
    double late_before = pl_metric_value(late);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, hold, speech);
    uint64_t began = pl_clock_ms();
    ask(dialogue, "speech", 50);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_TIMEOUT);
    assert_in_range(pl_clock_ms() - began, 49, 500);
    run_for(loop, 20); /* its time was counted from its arrival */
    assert_int_equal(pl_request_time_left_ms(speech->held), 0);
    pl_request_done(&speech->held);
    run_for(loop, 20);
    assert_int_equal(dialogue->replies, 1);
    assert_true(pl_metric_value(late) == late_before + 1);
    close_two(&dialogue, &speech);
}

static void a_service_without_a_live_instance_is_unavailable_at_once(void **state)
{
    (void)state;
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    uint64_t began = pl_clock_ms();
    ask(dialogue, "speech", 5000);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    assert_true(pl_clock_ms() - began < 100);
    ask(dialogue, "nobody-7", 5000);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    Pl__Envelope env = lane_open();
    assert_int_equal(pl_bus_event(dialogue->bus, "speech", &env), PL_UNAVAILABLE);
    pl_peer_t peer;
    assert_false(pl_bus_pick(dialogue->bus, "speech", &peer));
    node_close(&dialogue);
}

static void a_message_too_large_for_any_peer_is_invalid(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    Pl__Envelope env = lane_open();
    char *large = malloc(5u << 20);
    assert_non_null(large);
    memset(large, 'x', 5u << 20);
    large[(5u << 20) - 1] = '\0';
    env.call_id = large;
    assert_int_equal(pl_bus_event(dialogue->bus, "speech", &env), PL_INVALID);
    dialogue->replies = 0;
    pl_bus_request(dialogue->bus, "speech", &env, 1000, ignore_detail, dialogue);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_INVALID);
    free(large);
    assert_int_equal(count_up(dialogue, "speech"), 1); /* the connection did not suffer */
    close_two(&dialogue, &speech);
}

/* ---- the end of a bus ---------------------------------------------------------------------- */

static void open_requests_end_when_the_answering_bus_ends(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, hold, speech);
    ask(dialogue, "speech", 10000);
    run_for(loop, 50);
    assert_non_null(speech->held);
    pl_request_t *held = speech->held;
    node_close(&speech);
    assert_true(run_until(loop, 1000, replied, dialogue));
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    pl_request_done(&held); /* its holder may still end it, in vain */
    assert_null(held);
    close_two(&dialogue, &speech);
}

static void open_requests_end_when_the_asking_bus_ends(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, hold, speech);
    ask(dialogue, "speech", 10000);
    pl_bus_destroy(&dialogue->bus);
    assert_int_equal(dialogue->replies, 1);
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    run_for(loop, 50);
    if (speech->held) pl_request_done(&speech->held); /* nobody is there to get it */
    run_for(loop, 20);
    close_two(&dialogue, &speech);
}

static void count_downs(void *arg, const pl_peer_t *peer)
{
    node_t *node = arg;
    if (!peer->up) node->events++;
}

static bool was_down_and_is_up(void *arg)
{
    const node_t *node = arg;
    return node->events == 1 && count_up(node, "speech") == 1;
}

static void a_taken_endpoint_is_refused_and_free_again_afterwards(void **state)
{
    (void)state;
    node_t *speech = node_open(loop, "speech", "0", NULL, NULL);
    pl_config_t *cfg = node_config("speech", "0", NULL);
    pl_bus_t *second = NULL;
    assert_int_equal(pl_bus_new(&second, loop, cfg, NULL), PL_UNAVAILABLE);
    assert_null(second);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    assert_true(wait_up(dialogue, "speech", 1, 1000)); /* the first one did not suffer */
    node_close(&speech);
    assert_int_equal(pl_bus_new(&second, loop, cfg, NULL), PL_OK);
    pl_bus_on_peer(dialogue->bus, count_downs, dialogue);
    assert_true(run_until(loop, 1000, was_down_and_is_up, dialogue));
    pl_bus_destroy(&second);
    pl_config_destroy(&cfg);
    node_close(&dialogue);
}

/* ---- events -------------------------------------------------------------------------------- */

static void count_in_order(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    node_t *node = arg;
    assert_null(request);
    assert_int_equal(env->epoch, node->events); /* none lost, none swapped */
    node->events++;
}

typedef struct {
    node_t *from, *to;
    unsigned sent, refused, total;
} flood_t;

static bool flooded(void *arg)
{
    flood_t *flood = arg;
    Pl__Envelope env = lane_open();
    while (flood->sent < flood->total) { /* until the queue is full: then the loop goes on */
        env.epoch = flood->sent;
        pl_err_t err = pl_bus_event(flood->from->bus, "speech", &env);
        if (err) {
            assert_int_equal(err, PL_BUSY);
            flood->refused++;
            break;
        }
        flood->sent++;
    }
    return flood->to->events == flood->total;
}

static void a_flood_of_events_is_refused_or_delivered_never_lost(void **state)
{
    (void)state;
    flood_t flood = {.total = 100000};
    open_two(&flood.from, &flood.to);
    pl_bus_on(flood.to->bus, PL__ENVELOPE__BODY_LANE_OPEN, count_in_order, flood.to);
    assert_true(run_until(loop, 30000, flooded, &flood));
    assert_true(flood.refused > 0); /* it did get full: nothing blocked */
    assert_int_equal(count_up(flood.from, "speech"), 1);
    close_two(&flood.from, &flood.to);
}

static void take_metrics(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    node_t *node = arg;
    node->replies++;
    assert_int_equal(err, PL_OK);
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_METRICS_REPLY);
    bool found = false;
    for (size_t i = 0; i < reply->metrics_reply->n_metrics; i++) {
        const Pl__Metric *m = reply->metrics_reply->metrics[i];
        found |= strcmp(m->name, "parley_bus_received_total") == 0 && m->value > 0;
    }
    assert_true(found);
}

static void every_instance_tells_its_metrics(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    Pl__MetricsGet get = PL__METRICS_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_METRICS_GET;
    env.metrics_get = &get;
    pl_bus_request(dialogue->bus, "speech", &env, 1000, take_metrics, dialogue);
    assert_true(run_until(loop, 1000, replied, dialogue));
    close_two(&dialogue, &speech);
}

static bool notes_a_limit(void *arg)
{
    const node_t *node = arg;
    pl_peer_t peer;
    return pl_bus_pick(node->bus, "speech", &peer) && strcmp(peer.note, "whispers only") == 0;
}

static bool notes_nothing(void *arg)
{
    const node_t *node = arg;
    pl_peer_t peer;
    return pl_bus_pick(node->bus, "speech", &peer) && *peer.note == '\0';
}

static void what_an_instance_cannot_do_is_told_to_its_peers(void **state)
{
    (void)state;
    node_t *dialogue, *speech;
    open_two(&dialogue, &speech);
    assert_true(notes_nothing(dialogue));
    pl_bus_note(speech->bus, "whispers only");
    assert_true(run_until(loop, 2000, notes_a_limit, dialogue));
    pl_bus_note(speech->bus, "");
    assert_true(run_until(loop, 2000, notes_nothing, dialogue));
    close_two(&dialogue, &speech);
}

int main(void)
{
    pl_signals_init();
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(a_request_is_answered_with_its_routing),
        ON_A_LOOP(an_unhandled_body_is_refused_as_unsupported),
        ON_A_LOOP(a_refusal_says_why_and_when_to_come_back),
        ON_A_LOOP(silence_is_a_timeout_and_the_late_reply_is_only_counted),
        ON_A_LOOP(a_service_without_a_live_instance_is_unavailable_at_once),
        ON_A_LOOP(a_message_too_large_for_any_peer_is_invalid),
        ON_A_LOOP(open_requests_end_when_the_answering_bus_ends),
        ON_A_LOOP(open_requests_end_when_the_asking_bus_ends),
        ON_A_LOOP(a_taken_endpoint_is_refused_and_free_again_afterwards),
        ON_A_LOOP(a_flood_of_events_is_refused_or_delivered_never_lost),
        ON_A_LOOP(every_instance_tells_its_metrics),
        ON_A_LOOP(what_an_instance_cannot_do_is_told_to_its_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
