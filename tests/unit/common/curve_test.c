/* curve_test.c - keys between hosts: who has the installation's pair comes in, nobody else.
 *
 * Refusals are logged by a thread that lives until the exit, so every configuration (which starts
 * the log) is loaded before the first key.
 */
#include "tests/unit/common/bus_node.h"

#include <czmq.h>

#include "common/curve.h"
#include "common/lane.h"
#include "common/metrics.h"

static const char *const speech_peer[] = {"speech", NULL};
static const char *const where[2] = {"tcp://127.0.0.1:21400", "tcp://127.0.0.1:21401"};
static char right_key[96], other_key[96];
static pl_loop_t *loop;
/* Of the first test, then of the second. */
static pl_config_t *server[2], *with_right, *with_other, *without;

static void make_key(const char *name, char out[96])
{
    (void)snprintf(out, 96, "%s/%s", run_dir, name);
    zcert_t *cert = zcert_new();
    assert_non_null(cert);
    assert_int_equal(zcert_save_secret(cert, out), 0);
    zcert_destroy(&cert);
}

static pl_config_t *config_of(const char *service, const char *number, int at, const char *key)
{
    char address[96], key_file[128];
    bool binds = strcmp(service, "speech") == 0;
    (void)snprintf(address, sizeof address, "%s=%s", binds ? "bus.bind" : "bus.endpoints.speech[0]",
                   where[at]);
    (void)snprintf(key_file, sizeof key_file, "bus.curve_key_file=%s", key);
    const char *const settings[] = {address, key_file, NULL};
    return node_config(service, number, settings);
}

static int load_all(void **state)
{
    if (make_run_dir(state) != 0) return -1;
    make_key("right", right_key);
    make_key("other", other_key);
    server[0] = config_of("speech", "0", 0, right_key);
    server[1] = config_of("speech", "0", 1, right_key);
    with_right = config_of("dialogue", "0", 0, right_key);
    with_other = config_of("dialogue", "1", 1, other_key);
    without = config_of("dialogue", "2", 1, "");
    return 0;
}

static int open_loop(void **state)
{
    (void)state;
    loop = pl_loop_new();
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    pl_loop_destroy(&loop);
    return 0;
}

static void the_same_key_pair_lets_in(void **state)
{
    (void)state;
    node_t *speech = node_open_with(loop, server[0], NULL);
    node_t *dialogue = node_open_with(loop, with_right, speech_peer);
    assert_true(wait_up(dialogue, "speech", 1, 3000));
    node_close(&dialogue);
    node_close(&speech);
}

static void another_key_no_key_and_only_the_public_key_do_not(void **state)
{
    (void)state;
    node_t *speech = node_open_with(loop, server[1], NULL);
    node_t *other = node_open_with(loop, with_other, speech_peer);
    node_t *in_clear = node_open_with(loop, without, speech_peer);

    /* Knows the server's public key, and has a pair of its own. */
    zcert_t *cert = zcert_load(right_key), *own = zcert_new();
    zsock_t *stranger = zsock_new(ZMQ_DEALER);
    zcert_apply(own, stranger);
    zsock_set_curve_serverkey(stranger, zcert_public_txt(cert));
    assert_int_equal(zsock_connect(stranger, "%s", where[1]), 0);
    const pl_metric_t *malformed = pl_metric_counter("parley_bus_malformed_total", NULL, "");
    const pl_metric_t *refused = pl_metric_counter("parley_curve_refused_total", NULL, "");
    double malformed_before = pl_metric_value(malformed), before = pl_metric_value(refused);
    zmq_send(zsock_resolve(stranger), "\xff\xff", 2, 0);

    run_for(loop, 700);
    assert_int_equal(count_up(other, "speech"), 0);
    assert_int_equal(count_up(in_clear, "speech"), 0);
    assert_true(pl_metric_value(malformed) == malformed_before); /* what it sent never came in */
    assert_true(pl_metric_value(refused) > before);
    zcert_destroy(&cert);
    zcert_destroy(&own);
    zsock_destroy(&stranger);
    node_close(&in_clear);
    node_close(&other);
    node_close(&speech);
}

static void a_key_file_without_a_secret_is_refused(void **state)
{
    (void)state;
    char missing[128], public_only[128];
    (void)snprintf(missing, sizeof missing, "%s/absent", run_dir);
    (void)snprintf(public_only, sizeof public_only, "%s/public", run_dir);
    zcert_t *cert = zcert_new();
    assert_int_equal(zcert_save_public(cert, public_only), 0);
    zcert_destroy(&cert);
    pl_curve_t *curve = NULL;
    assert_int_equal(pl_curve_load(&curve, missing), PL_INVALID);
    assert_int_equal(pl_curve_load(&curve, public_only), PL_INVALID);
    assert_null(curve);
    assert_int_equal(pl_curve_load(&curve, ""), PL_OK);
    assert_null(curve);
    assert_int_equal(pl_curve_load(&curve, NULL), PL_OK);
    assert_null(curve);
}

/* ---- lanes --------------------------------------------------------------------------------- */

typedef struct {
    unsigned ready, broken;
} end_t;

static void on_ready(void *arg)
{
    ((end_t *)arg)->ready++;
}

static void on_frame(void *arg, const Pl__LaneFrame *frame)
{
    (void)arg;
    (void)frame;
}

static void on_broken(void *arg, const char *why)
{
    (void)why;
    ((end_t *)arg)->broken++;
}

static void open_lane(const char *key, end_t *speech_end, end_t *telephony_end)
{
    static const uint8_t token[PL_LANE_TOKEN_BYTES] = "abc";
    pl_lane_sink_t at_speech = {on_ready, on_frame, on_broken, speech_end};
    pl_lane_sink_t at_telephony = {on_ready, on_frame, on_broken, telephony_end};
    pl_lane_t *speech, *telephony;
    assert_int_equal(
        pl_lane_listen(&speech, loop, "tcp://127.0.0.1:*", right_key, token, &at_speech), PL_OK);
    assert_int_equal(
        pl_lane_connect(&telephony, loop, pl_lane_endpoint(speech), key, token, &at_telephony),
        PL_OK);
    run_for(loop, 700);
    pl_lane_destroy(&telephony);
    pl_lane_destroy(&speech);
}

static void lanes_use_the_same_key(void **state)
{
    (void)state;
    end_t speech = {0}, telephony = {0};
    open_lane(right_key, &speech, &telephony);
    assert_int_equal(speech.ready, 1);
    assert_int_equal(telephony.ready, 1);
    assert_int_equal(telephony.broken, 0);
    open_lane(other_key, &speech, &telephony);
    assert_int_equal(speech.ready, 1); /* as before */
    assert_int_equal(telephony.ready, 1);
    assert_int_equal(telephony.broken, 1);
    open_lane("", &speech, &telephony);
    assert_int_equal(speech.ready, 1);
    assert_int_equal(telephony.broken, 2);
}

int main(void)
{
    pl_signals_init();
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(the_same_key_pair_lets_in),
        ON_A_LOOP(another_key_no_key_and_only_the_public_key_do_not),
        ON_A_LOOP(a_key_file_without_a_secret_is_refused),
        ON_A_LOOP(lanes_use_the_same_key),
    };
    return cmocka_run_group_tests(tests, load_all, remove_run_dir);
}
