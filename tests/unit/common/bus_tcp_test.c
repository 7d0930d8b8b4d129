/* bus_tcp_test.c - the bus over TCP: names, strangers, and two threads at full speed. */
#include "tests/unit/common/bus_node.h"

#include <czmq.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "common/bus_wire.h"
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

/* A port that is free now; the range is this test's. */
static unsigned free_port(void)
{
    static unsigned next = 21000;
    return next++;
}

/* Where speech listens, and where it is looked for. */
typedef struct {
    char bind_to[64], endpoint[96];
    const char *server[2], *client[2];
} setup_t;

static void setup_of(setup_t *setup, const char *bind_host, const char *host)
{
    unsigned port = free_port();
    (void)snprintf(setup->bind_to, sizeof setup->bind_to, "bus.bind=tcp://%s:%u", bind_host, port);
    (void)snprintf(setup->endpoint, sizeof setup->endpoint, "bus.endpoints.speech[0]=tcp://%s:%u",
                   host, port);
    setup->server[0] = setup->bind_to;
    setup->client[0] = setup->endpoint;
    setup->server[1] = setup->client[1] = NULL;
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

static void done(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    node_t *node = arg;
    (void)env;
    node->requests++;
    if (request) pl_request_done(&request);
}

static pl_err_t ask(node_t *from)
{
    Pl__LaneOpen body = PL__LANE_OPEN__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &body;
    from->replies = 0;
    pl_bus_request(from->bus, "speech", &env, 1000, on_reply, from);
    assert_true(run_until(loop, 2000, replied, from));
    return from->err;
}

static void works(const setup_t *setup)
{
    node_t *speech = node_open(loop, "speech", "0", NULL, setup->server);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, done, speech);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, setup->client);
    assert_true(wait_up(dialogue, "speech", 1, 3000));
    assert_int_equal(ask(dialogue), PL_OK);
    node_close(&speech);
    node_close(&dialogue);
}

/* ---- addresses and names ------------------------------------------------------------------- */

static void an_address_works(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "127.0.0.1");
    works(&setup);
    int v6 = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_v6 = v6 >= 0 && bind(v6, (struct sockaddr *)&here, sizeof here) == 0;
    if (v6 >= 0) close(v6);
    if (!has_v6) return; /* a machine without IPv6 */
    setup_of(&setup, "[::1]", "[::1]");
    works(&setup);
}

static void a_name_is_looked_up(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "localhost");
    works(&setup);
}

static void a_name_nobody_knows_is_no_peer_and_does_not_block(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "no-such-host.invalid");
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, setup.client);
    assert_int_equal(ask(dialogue), PL_UNAVAILABLE);
    pl_peer_t peer;
    assert_int_equal(pl_bus_peers(dialogue->bus, "speech", &peer, 1), 0);
    node_close(&dialogue); /* also while the look-up is under way */
}

static void a_taken_port_is_refused(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "127.0.0.1");
    node_t *speech = node_open(loop, "speech", "0", NULL, setup.server);
    pl_config_t *cfg = node_config("speech", "1", setup.server);
    pl_bus_t *second = NULL;
    assert_int_equal(pl_bus_new(&second, loop, cfg, NULL), PL_UNAVAILABLE);
    assert_null(second);
    pl_config_destroy(&cfg);
    node_close(&speech);
}

/* ---- strangers ----------------------------------------------------------------------------- */

static pl_metric_t *malformed(void)
{
    return pl_metric_counter("parley_bus_malformed_total", NULL, "");
}

typedef struct {
    double least;
} at_least_t;

static bool malformed_so_far(void *arg)
{
    return pl_metric_value(malformed()) >= ((const at_least_t *)arg)->least;
}

static void send_parts(zsock_t *stranger, const char *const *parts, const size_t *sizes, int count)
{
    for (int i = 0; i < count; i++) {
        zmq_send(zsock_resolve(stranger), parts[i], sizes[i], i + 1 < count ? ZMQ_SNDMORE : 0);
    }
}

static void malformed_messages_are_counted_and_hurt_nobody(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "127.0.0.1");
    node_t *speech = node_open(loop, "speech", "0", NULL, setup.server);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, done, speech);
    zsock_t *stranger = zsock_new_dealer(strstr(setup.endpoint, "tcp://"));
    assert_non_null(stranger);
    at_least_t want = {pl_metric_value(malformed()) + 6};
    send_parts(stranger, (const char *[]){"\xff\xff\xff\xff\xff"}, (size_t[]){5}, 1);
    send_parts(stranger,
               (const char *[]){"\x0a\x7f"
                                "x"},
               (size_t[]){3}, 1);                                        /* longer than it is */
    send_parts(stranger, (const char *[]){"", ""}, (size_t[]){0, 0}, 2); /* as a REQ would */
    send_parts(stranger, (const char *[]){"a", "b", "c"}, (size_t[]){1, 1, 1}, 3);
    send_parts(stranger, (const char *[]){"\x38\x01"}, (size_t[]){2}, 1); /* a reply, to us */
    char *noise = malloc(100000);
    assert_non_null(noise);
    for (size_t i = 0; i < 100000; i++) noise[i] = (char)(i * 2654435761u >> 13);
    send_parts(stranger, (const char *[]){noise}, (size_t[]){100000}, 1);
    free(noise);
    assert_true(run_until(loop, 2000, malformed_so_far, &want));
    assert_int_equal(speech->requests, 0);

    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, setup.client);
    assert_true(wait_up(dialogue, "speech", 1, 2000));
    assert_int_equal(ask(dialogue), PL_OK);
    zsock_destroy(&stranger);
    node_close(&dialogue);
    node_close(&speech);
}

static void an_oversize_message_ends_only_its_senders_connection(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "127.0.0.1");
    node_t *speech = node_open(loop, "speech", "0", NULL, setup.server);
    pl_bus_on(speech->bus, PL__ENVELOPE__BODY_LANE_OPEN, done, speech);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, setup.client);
    assert_true(wait_up(dialogue, "speech", 1, 2000));
    zsock_t *stranger = zsock_new_dealer(strstr(setup.endpoint, "tcp://"));
    size_t bytes = (size_t)BUS_MESSAGE_MAX_BYTES + 1;
    char *large = calloc(1, bytes);
    assert_non_null(large);
    zmq_send(zsock_resolve(stranger), large, bytes, 0);
    free(large);
    run_for(loop, 200);
    assert_int_equal(count_up(dialogue, "speech"), 1);
    assert_int_equal(ask(dialogue), PL_OK);
    zsock_destroy(&stranger);
    node_close(&dialogue);
    node_close(&speech);
}

/* A few bytes that claim very many list elements must not take very much memory. */
static void a_message_that_unpacks_to_too_much_is_given_up(void **state)
{
    (void)state;
    Pl__StoreCalls calls = PL__STORE_CALLS__INIT;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    size_t count = 1800000; /* two bytes each on the wire, some 200 in memory */
    Pl__CallRecord **list = malloc(count * sizeof *list);
    assert_non_null(list);
    for (size_t i = 0; i < count; i++) list[i] = &record;
    calls.n_calls = count;
    calls.calls = list;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_STORE_CALLS;
    env.store_calls = &calls;
    size_t bytes = pl__envelope__get_packed_size(&env);
    assert_true(bytes < BUS_MESSAGE_MAX_BYTES);
    uint8_t *packed = malloc(bytes);
    assert_non_null(packed);
    pl__envelope__pack(&env, packed);
    free(list);
    pl_arena_t *arena = pl_arena_new(1024, BUS_UNPACKED_MAX_BYTES);
    assert_null(pl__envelope__unpack(pl_arena_allocator(arena), bytes, packed));
    pl_arena_reset(arena);
    assert_null(pl_arena_alloc(arena, SIZE_MAX));
    assert_non_null(pl_arena_alloc(arena, 100));
    pl_arena_destroy(&arena);
    free(packed);
}

/* ---- two threads --------------------------------------------------------------------------- */

typedef struct {
    const setup_t *setup;
    pl_loop_t *loop;
    pthread_t thread;
    pl_config_t *cfg;
    unsigned answered;
} server_t;

static void answer(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *server = arg;
    (void)env;
    server->answered++;
    pl_request_done(&request);
}

static void *serve(void *arg)
{
    server_t *server = arg;
    pl_bus_t *bus = NULL;
    if (pl_bus_new(&bus, server->loop, server->cfg, NULL) != PL_OK) return NULL;
    pl_bus_on(bus, PL__ENVELOPE__BODY_LANE_OPEN, answer, server);
    pl_loop_run(server->loop);
    pl_bus_destroy(&bus);
    return server;
}

static void requests_between_threads_are_each_answered_once(void **state)
{
    (void)state;
    setup_t setup;
    setup_of(&setup, "127.0.0.1", "127.0.0.1");
    server_t server = {.setup = &setup, .loop = pl_loop_new()};
    server.cfg = node_config("speech", "0", setup.server);
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, setup.client);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    assert_true(wait_up(dialogue, "speech", 1, 3000));
    for (unsigned i = 1; i <= 500; i++) assert_int_equal(ask(dialogue), PL_OK);
    pl_loop_stop(server.loop);
    void *ok;
    pthread_join(server.thread, &ok);
    assert_non_null(ok);
    assert_int_equal(server.answered, 500);
    node_close(&dialogue);
    pl_config_destroy(&server.cfg);
    pl_loop_destroy(&server.loop);
}

int main(void)
{
    pl_signals_init();
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(an_address_works),
        ON_A_LOOP(a_name_is_looked_up),
        ON_A_LOOP(a_name_nobody_knows_is_no_peer_and_does_not_block),
        ON_A_LOOP(a_taken_port_is_refused),
        ON_A_LOOP(malformed_messages_are_counted_and_hurt_nobody),
        ON_A_LOOP(an_oversize_message_ends_only_its_senders_connection),
        ON_A_LOOP(a_message_that_unpacks_to_too_much_is_given_up),
        ON_A_LOOP(requests_between_threads_are_each_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
