/* bus_peers_test.c - who is up, who is picked, who is given up: several instances, real processes
 * that are killed, stopped and restarted. This program is run again as such a process. */
#include "tests/unit/common/bus_node.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/clock.h"

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

/* ---- several instances on this loop -------------------------------------------------------- */

enum { INSTANCES = 3 };
static char listed[INSTANCES][128];
static const char *list[INSTANCES + 1];

static const char *const *endpoints(void)
{
    for (int i = 0; i < INSTANCES; i++) {
        (void)snprintf(listed[i], sizeof listed[i], "bus.endpoints.speech[%d]=ipc://%s/s%d", i,
                       run_dir, i);
        list[i] = listed[i];
    }
    return list;
}

static void refuse_all(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    node_t *node = arg;
    (void)env;
    node->requests++;
    pl_request_refuse(&request, PL_BUSY, 0, "no");
}

static void open_speeches(node_t *speech[INSTANCES])
{
    static const char *const numbers[] = {"0", "1", "2"};
    for (int i = 0; i < INSTANCES; i++) {
        speech[i] = node_open(loop, "speech", numbers[i], NULL, endpoints());
        pl_bus_on(speech[i]->bus, PL__ENVELOPE__BODY_LANE_OPEN, refuse_all, speech[i]);
    }
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    node_t *node = arg;
    (void)reply;
    node->replies++;
    node->err = err;
}

static void ask(node_t *from, const char *to, uint32_t timeout_ms)
{
    Pl__LaneOpen body = PL__LANE_OPEN__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &body;
    pl_bus_request(from->bus, to, &env, timeout_ms, on_reply, from);
}

typedef struct {
    const node_t *node;
    unsigned replies;
} count_t;

static bool has_replies(void *arg)
{
    const count_t *want = arg;
    return want->node->replies >= want->replies;
}

static bool wait_replies(const node_t *node, unsigned replies, unsigned ms)
{
    count_t want = {node, replies};
    return run_until(loop, ms, has_replies, &want);
}

static void ten_requests_at_once_spread_over_equal_instances(void **state)
{
    (void)state;
    node_t *speech[INSTANCES];
    open_speeches(speech);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, endpoints());
    assert_true(wait_up(dialogue, "speech", 3, 1000));
    for (int i = 0; i < 10; i++) ask(dialogue, "speech", 1000);
    assert_true(wait_replies(dialogue, 10, 1000));
    for (int i = 0; i < INSTANCES; i++) {
        assert_in_range(speech[i]->requests, 3, 4);
        node_close(&speech[i]);
    }
    node_close(&dialogue);
}

static void the_least_loaded_share_of_capacity_is_picked(void **state)
{
    (void)state;
    node_t *speech[INSTANCES];
    open_speeches(speech);
    pl_bus_load(speech[0]->bus, 4, 8);   /* half */
    pl_bus_load(speech[1]->bus, 30, 90); /* a third, though the number is larger */
    pl_bus_load(speech[2]->bus, 8, 8);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, endpoints());
    assert_true(wait_up(dialogue, "speech", 3, 1000));
    pl_peer_t peer;
    assert_true(pl_bus_pick(dialogue->bus, "speech", &peer));
    assert_string_equal(peer.instance, "speech-1");
    assert_int_equal(peer.load, 30);
    assert_int_equal(peer.capacity, 90);
    assert_true(pl_bus_pick(dialogue->bus, "speech-2", &peer)); /* by name it is that one */
    assert_string_equal(peer.instance, "speech-2");
    pl_bus_load(speech[1]->bus, 80, 90); /* told within two heartbeats */
    run_for(loop, 250);
    assert_true(pl_bus_pick(dialogue->bus, "speech", &peer));
    assert_string_equal(peer.instance, "speech-0");
    for (int i = 0; i < INSTANCES; i++) node_close(&speech[i]);
    node_close(&dialogue);
}

static void between_heartbeats_what_was_sent_counts_as_load(void **state)
{
    (void)state;
    node_t *speech[INSTANCES];
    open_speeches(speech);
    pl_bus_load(speech[0]->bus, 0, 10);
    pl_bus_load(speech[1]->bus, 0, 80);
    pl_bus_load(speech[2]->bus, 0, 10);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, endpoints());
    assert_true(wait_up(dialogue, "speech", 3, 1000));
    for (int i = 0; i < 100; i++) ask(dialogue, "speech", 1000); /* at once: no news of loads */
    assert_true(wait_replies(dialogue, 100, 1000));
    assert_in_range(speech[0]->requests, 9, 11);
    assert_in_range(speech[1]->requests, 79, 81);
    assert_in_range(speech[2]->requests, 9, 11);
    for (int i = 0; i < INSTANCES; i++) node_close(&speech[i]);
    node_close(&dialogue);
}

static void count_draining(void *arg, const pl_peer_t *peer)
{
    node_t *node = arg;
    if (peer->draining) node->events++;
    if (peer->draining) assert_string_equal(peer->instance, "speech-1");
}

static void a_draining_instance_gets_nothing_new_by_its_services_name(void **state)
{
    (void)state;
    node_t *speech[INSTANCES];
    open_speeches(speech);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, endpoints());
    pl_bus_on_peer(dialogue->bus, count_draining, dialogue);
    assert_true(wait_up(dialogue, "speech", 3, 1000));
    pl_bus_drain(speech[1]->bus);
    run_for(loop, 250);
    assert_int_equal(dialogue->events, 1); /* told once */
    for (int i = 0; i < 10; i++) ask(dialogue, "speech", 1000);
    assert_true(wait_replies(dialogue, 10, 1000));
    assert_int_equal(speech[1]->requests, 0);
    assert_int_equal(speech[0]->requests, 5);
    ask(dialogue, "speech-1", 1000); /* its own calls still reach it */
    assert_true(wait_replies(dialogue, 11, 1000));
    assert_int_equal(speech[1]->requests, 1);
    node_close(&speech[0]);
    node_close(&speech[2]);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    ask(dialogue, "speech", 1000); /* nobody else: it answers, or refuses */
    assert_true(wait_replies(dialogue, 12, 1000));
    assert_int_equal(dialogue->err, PL_BUSY);
    node_close(&speech[1]);
    node_close(&dialogue);
}

static void peers_are_listed_up_or_not(void **state)
{
    (void)state;
    node_t *speech = node_open(loop, "speech", "1", NULL, endpoints());
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, endpoints());
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    pl_peer_t peers[2];
    assert_int_equal(pl_bus_peers(dialogue->bus, "speech", peers, 2), 3);
    assert_false(peers[0].up);
    assert_string_equal(peers[0].instance, "");
    assert_true(peers[1].up);
    assert_string_equal(peers[1].instance, "speech-1");
    assert_int_equal(pl_bus_peers(dialogue->bus, "rag", peers, 2), 0);
    node_close(&speech);
    node_close(&dialogue);
}

static void an_endpoint_of_another_service_is_not_taken_for_it(void **state)
{
    (void)state;
    char wrong[160];
    (void)snprintf(wrong, sizeof wrong, "bus.endpoints.speech[0]=ipc://%s/rag-0.ipc", run_dir);
    const char *settings[] = {wrong, NULL};
    node_t *rag = node_open(loop, "rag", "0", NULL, NULL);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, settings);
    run_for(loop, 200);
    assert_int_equal(count_up(dialogue, "speech"), 0);
    node_close(&rag);
    node_close(&dialogue);
}

/* ---- processes ----------------------------------------------------------------------------- */

enum { HELD_MAX = 16 };
static pl_request_t *held[HELD_MAX];

static void hold_for_good(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    node_t *node = arg;
    (void)env;
    if (node->requests < HELD_MAX)
        held[node->requests++] = request;
    else
        pl_request_done(&request);
}

static void drain_and_end(void *arg, unsigned count)
{
    node_t *node = arg;
    (void)count;
    pl_loop_stop(node->loop);
}

static int speech_process(const char *dir)
{
    pl_signals_init();
    (void)snprintf(run_dir, sizeof run_dir, "%s", dir);
    pl_loop_t *own = pl_loop_new();
    node_t *node = node_open(own, "speech", "0", NULL, NULL);
    pl_bus_on(node->bus, PL__ENVELOPE__BODY_LANE_OPEN, hold_for_good, node);
    pl_loop_on_terminate(own, drain_and_end, node);
    pl_loop_run(own);
    node_close(&node);
    for (int i = 0; i < HELD_MAX; i++) {
        if (held[i]) pl_request_done(&held[i]); /* the bus has refused it */
    }
    pl_loop_destroy(&own);
    return 0;
}

static pid_t spawn_speech(void)
{
    extern char **environ;
    pid_t pid;
    char *argv[] = {"bus_peers_test", "speech", run_dir, NULL};
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    return pid;
}

static int end_of(pid_t pid, int signal)
{
    int status = -1;
    kill(pid, signal);
    waitpid(pid, &status, 0);
    return status;
}

static void a_killed_peer_fails_its_requests_at_once_and_comes_back(void **state)
{
    (void)state;
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    pid_t pid = spawn_speech();
    assert_true(wait_up(dialogue, "speech", 1, 5000));
    pl_peer_t before, after;
    assert_true(pl_bus_pick(dialogue->bus, "speech", &before));
    for (int i = 0; i < 5; i++) ask(dialogue, "speech", 60000);
    run_for(loop, 50);
    (void)end_of(pid, SIGKILL);
    uint64_t began = pl_clock_ms();
    assert_true(wait_replies(dialogue, 5, 1000));
    assert_true(pl_clock_ms() - began < 150); /* far sooner than three heartbeats */
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    assert_int_equal(count_up(dialogue, "speech"), 0);

    pid = spawn_speech(); /* over the stale socket and lock of the killed one */
    assert_true(wait_up(dialogue, "speech", 1, 5000));
    assert_true(pl_bus_pick(dialogue->bus, "speech", &after));
    assert_true(before.started != after.started);
    assert_int_equal(end_of(pid, SIGTERM), 0);
    node_close(&dialogue);
}

static void a_stopped_peer_is_down_after_three_heartbeats_and_up_when_it_goes_on(void **state)
{
    (void)state;
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    pid_t pid = spawn_speech();
    assert_true(wait_up(dialogue, "speech", 1, 5000));
    ask(dialogue, "speech", 60000);
    run_for(loop, 50);
    kill(pid, SIGSTOP);
    uint64_t began = pl_clock_ms();
    assert_true(wait_replies(dialogue, 1, 3000));
    assert_in_range(pl_clock_ms() - began, 200, 1000);
    assert_int_equal(dialogue->err, PL_UNAVAILABLE);
    kill(pid, SIGCONT);
    assert_true(wait_up(dialogue, "speech", 1, 3000));
    ask(dialogue, "speech", 50);
    assert_true(wait_replies(dialogue, 2, 1000));
    assert_int_equal(dialogue->err, PL_TIMEOUT); /* it got it, and holds it */
    assert_int_equal(end_of(pid, SIGTERM), 0);
    node_close(&dialogue);
}

static void count_changes(void *arg, const pl_peer_t *peer)
{
    node_t *node = arg;
    if (peer->up)
        node->events++;
    else
        node->requests++;
}

static void restarts_again_and_again_are_down_then_up(void **state)
{
    (void)state;
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    pl_bus_on_peer(dialogue->bus, count_changes, dialogue);
    for (unsigned i = 1; i <= 5; i++) {
        pid_t pid = spawn_speech();
        assert_true(wait_up(dialogue, "speech", 1, 5000));
        assert_int_equal(dialogue->events, i);
        (void)end_of(pid, i % 2 ? SIGKILL : SIGTERM);
        assert_true(wait_up(dialogue, "speech", 0, 3000));
        assert_int_equal(dialogue->requests, i);
    }
    node_close(&dialogue);
}

static void a_live_ipc_socket_of_another_process_is_not_replaced(void **state)
{
    (void)state;
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, NULL);
    pid_t pid = spawn_speech();
    assert_true(wait_up(dialogue, "speech", 1, 5000));
    pl_config_t *cfg = node_config("speech", "0", NULL);
    pl_bus_t *second = NULL;
    assert_int_equal(pl_bus_new(&second, loop, cfg, NULL), PL_UNAVAILABLE);
    run_for(loop, 500);
    assert_int_equal(count_up(dialogue, "speech"), 1);
    assert_int_equal(end_of(pid, SIGTERM), 0);
    pl_config_destroy(&cfg);
    node_close(&dialogue);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "speech") == 0) return speech_process(argv[2]);
    pl_signals_init();
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(ten_requests_at_once_spread_over_equal_instances),
        ON_A_LOOP(the_least_loaded_share_of_capacity_is_picked),
        ON_A_LOOP(between_heartbeats_what_was_sent_counts_as_load),
        ON_A_LOOP(a_draining_instance_gets_nothing_new_by_its_services_name),
        ON_A_LOOP(peers_are_listed_up_or_not),
        ON_A_LOOP(an_endpoint_of_another_service_is_not_taken_for_it),
        ON_A_LOOP(a_killed_peer_fails_its_requests_at_once_and_comes_back),
        ON_A_LOOP(a_stopped_peer_is_down_after_three_heartbeats_and_up_when_it_goes_on),
        ON_A_LOOP(restarts_again_and_again_are_down_then_up),
        ON_A_LOOP(a_live_ipc_socket_of_another_process_is_not_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
