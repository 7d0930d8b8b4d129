/* lane_test.c - media lanes: the hello, frames both ways, and all the ways to break. */
#include "common/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <czmq.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"

static const uint8_t token[PL_LANE_TOKEN_BYTES] = "0123456789abcde";
static const uint8_t wrong_token[PL_LANE_TOKEN_BYTES] = "0123456789abcdf";
static char endpoint[100];
static pl_loop_t *loop;

typedef struct {
    pl_lane_t *lane;
    unsigned ready, frames, broken;
    unsigned stop_at_frames;
    uint32_t last_seq;
    bool in_order, echo, destroy_on_frame, destroy_on_broken;
    char why[64];
} end_t;

static void on_ready(void *arg)
{
    end_t *end = arg;
    end->ready++;
    pl_loop_stop(loop);
}

static void on_frame(void *arg, const Pl__LaneFrame *frame)
{
    end_t *end = arg;
    end->frames++;
    assert_int_equal(frame->body_case, PL__LANE_FRAME__BODY_IN);
    if (frame->in->seq != end->last_seq + 1) end->in_order = false;
    end->last_seq = frame->in->seq;
    assert_int_equal(frame->in->pcm.len, PL_FRAME_BYTES);
    assert_int_equal(frame->in->pcm.data[17], (uint8_t)frame->in->seq);
    if (end->echo) assert_int_equal(pl_lane_send(end->lane, (Pl__LaneFrame *)frame), PL_OK);
    if (end->destroy_on_frame) pl_lane_destroy(&end->lane);
    if (end->frames == end->stop_at_frames) pl_loop_stop(loop);
}

static void on_broken(void *arg, const char *why)
{
    end_t *end = arg;
    end->broken++;
    (void)snprintf(end->why, sizeof end->why, "%s", why);
    if (end->destroy_on_broken) pl_lane_destroy(&end->lane);
    pl_loop_stop(loop);
}

static pl_lane_sink_t sink_of(end_t *end)
{
    end->in_order = true;
    return (pl_lane_sink_t){on_ready, on_frame, on_broken, end};
}

static void listen_on(end_t *end, const char *where)
{
    pl_lane_sink_t sink = sink_of(end);
    assert_int_equal(pl_lane_listen(&end->lane, loop, where, NULL, token, &sink), PL_OK);
}

static void connect_to(end_t *end, const char *where, const uint8_t *shown)
{
    pl_lane_sink_t sink = sink_of(end);
    assert_int_equal(pl_lane_connect(&end->lane, loop, where, "", shown, &sink), PL_OK);
}

static void stop(void *arg)
{
    (void)arg;
    pl_loop_stop(loop);
}

static void run_for(unsigned ms)
{
    uint64_t until = pl_clock_ms() + ms;
    while (pl_clock_ms() < until) {
        pl_timer_t *timer = pl_timer_start(loop, until - pl_clock_ms(), 0, stop, NULL);
        pl_loop_run(loop);
        pl_timer_stop(&timer);
    }
}

/* Runs until *counter is at least count, or ms have passed. */
static bool run_until(const unsigned *counter, unsigned count, unsigned ms)
{
    uint64_t until = pl_clock_ms() + ms;
    while (*counter < count && pl_clock_ms() < until) {
        pl_timer_t *timer = pl_timer_start(loop, until - pl_clock_ms(), 0, stop, NULL);
        pl_loop_run(loop);
        pl_timer_stop(&timer);
    }
    return *counter >= count;
}

static pl_err_t send_seq(end_t *end, uint32_t seq)
{
    static uint8_t pcm[PL_FRAME_BYTES];
    pcm[17] = (uint8_t)seq;
    Pl__LaneHeardIn heard = PL__LANE_HEARD_IN__INIT;
    heard.seq = seq;
    heard.pcm = (ProtobufCBinaryData){PL_FRAME_BYTES, pcm};
    heard.level_cb = -300;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.slot = 7;
    frame.generation = 3;
    frame.body_case = PL__LANE_FRAME__BODY_IN;
    frame.in = &heard;
    return pl_lane_send(end->lane, &frame);
}

static void open_pair(end_t *speech, end_t *telephony)
{
    listen_on(speech, endpoint);
    connect_to(telephony, pl_lane_endpoint(speech->lane), token);
    assert_int_equal(telephony->ready + speech->ready, 0); /* never inside the call */
    assert_int_equal(send_seq(telephony, 1), PL_UNAVAILABLE);
    assert_true(run_until(&telephony->ready, 1, 400));
    assert_int_equal(speech->ready, 1);
}

static int open_loop(void **state)
{
    (void)state;
    static unsigned number;
    loop = pl_loop_new();
    (void)snprintf(endpoint, sizeof endpoint, "ipc:///tmp/parley-lane-%d-%u", (int)getpid(),
                   number++);
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    pl_loop_destroy(&loop);
    return access(endpoint + strlen("ipc://"), F_OK) == 0; /* nothing is left behind */
}

/* ---- working ------------------------------------------------------------------------------- */

static void frames_go_both_ways_after_the_hello(void **state)
{
    (void)state;
    end_t speech = {.echo = true}, telephony = {.stop_at_frames = 100};
    open_pair(&speech, &telephony);
    for (uint32_t seq = 1; seq <= 100; seq++) assert_int_equal(send_seq(&telephony, seq), PL_OK);
    assert_true(run_until(&telephony.frames, 100, 2000));
    assert_true(speech.in_order && telephony.in_order);
    assert_int_equal(speech.broken + telephony.broken, 0);
    run_for(600); /* the deadline of the hello does not come back */
    assert_int_equal(speech.broken + telephony.broken, 0);
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
    assert_null(speech.lane);
    pl_lane_destroy(&speech.lane);
}

static void a_tcp_lane_tells_the_port_it_got(void **state)
{
    (void)state;
    end_t speech = {.stop_at_frames = 1}, telephony = {0};
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:*");
    open_pair(&speech, &telephony);
    assert_null(strchr(pl_lane_endpoint(speech.lane), '*'));
    assert_int_equal(send_seq(&telephony, 1), PL_OK);
    assert_true(run_until(&speech.frames, 1, 2000));
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
}

static void a_stale_path_is_replaced(void **state)
{
    (void)state;
    FILE *stale = fopen(endpoint + strlen("ipc://"), "w");
    assert_non_null(stale);
    (void)fclose(stale);
    end_t speech = {0}, telephony = {0};
    open_pair(&speech, &telephony);
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
}

/* ---- the hello ----------------------------------------------------------------------------- */

static void a_wrong_token_is_not_answered(void **state)
{
    (void)state;
    end_t speech = {0}, telephony = {0};
    listen_on(&speech, endpoint);
    connect_to(&telephony, endpoint, wrong_token);
    assert_true(run_until(&speech.broken, 1, 1000));
    assert_string_equal(speech.why, "wrong token");
    assert_true(run_until(&telephony.broken, 1, 1000));
    assert_int_equal(speech.ready + telephony.ready, 0);
    assert_int_equal(send_seq(&telephony, 1), PL_UNAVAILABLE);
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
}

static void a_lane_nobody_answers_is_broken_in_half_a_second(void **state)
{
    (void)state;
    end_t telephony = {0};
    uint64_t began = pl_clock_ms();
    connect_to(&telephony, endpoint, token);
    assert_true(run_until(&telephony.broken, 1, 2000));
    assert_in_range(pl_clock_ms() - began, 490, 1200);
    assert_string_equal(telephony.why, "no answer to the hello");
    pl_lane_destroy(&telephony.lane);
}

static void a_second_peer_is_not_answered_and_does_not_hurt_the_first(void **state)
{
    (void)state;
    end_t speech = {.echo = true}, first = {0}, second = {0};
    open_pair(&speech, &first);
    connect_to(&second, endpoint, token);
    assert_true(run_until(&second.broken, 1, 2000));
    assert_int_equal(second.ready, 0);
    pl_lane_destroy(&second.lane); /* its connection ends: not the lane's */
    run_for(50);
    assert_int_equal(speech.broken, 0);
    assert_int_equal(send_seq(&first, 1), PL_OK);
    assert_true(run_until(&first.frames, 1, 1000));
    pl_lane_destroy(&first.lane);
    assert_true(run_until(&speech.broken, 1, 1000));
    pl_lane_destroy(&speech.lane);
}

static void a_stranger_who_comes_and_goes_does_not_hurt_the_peer(void **state)
{
    (void)state;
    end_t speech = {.echo = true}, telephony = {0};
    open_pair(&speech, &telephony);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", endpoint + strlen("ipc://"));
    for (int i = 0; i < 20; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
        assert_int_equal(write(fd, "no ZMTP", 7), 7);
        close(fd);
    }
    run_for(100);
    assert_int_equal(speech.broken, 0);
    assert_int_equal(send_seq(&telephony, 1), PL_OK);
    telephony.stop_at_frames = 1;
    assert_true(run_until(&telephony.frames, 1, 1000));
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
}

/* ---- hostile peers ------------------------------------------------------------------------- */

static zsock_t *raw_peer(void)
{
    zsock_t *raw = zsock_new(ZMQ_PAIR);
    assert_non_null(raw);
    assert_int_equal(zsock_connect(raw, "%s", endpoint), 0);
    return raw;
}

static void breaks_the_listener(const void *bytes, size_t size, bool more)
{
    end_t speech = {.destroy_on_broken = true};
    listen_on(&speech, endpoint);
    zsock_t *raw = raw_peer();
    zmq_send(zsock_resolve(raw), bytes, size, more ? ZMQ_SNDMORE : 0);
    if (more) zmq_send(zsock_resolve(raw), bytes, size, 0);
    assert_true(run_until(&speech.broken, 1, 1000));
    assert_null(speech.lane);
    char answer[8];
    assert_int_equal(zmq_recv(zsock_resolve(raw), answer, sizeof answer, ZMQ_DONTWAIT), -1);
    zsock_destroy(&raw);
}

static void malformed_hellos_break_the_lane(void **state)
{
    (void)state;
    breaks_the_listener("\xff\xff\xff\xff", 4, false);
    breaks_the_listener("", 0, false);
    breaks_the_listener("\x0a\x7f", 2, false);         /* a hello longer than its frame */
    breaks_the_listener("\x0a\x02\x0a\x00", 4, false); /* an empty token */
    breaks_the_listener("\x12\x00", 2, false);         /* ready instead of a hello */
    breaks_the_listener("\x1a\x00", 2, false);         /* a frame before the hello */
    uint8_t right[4 + PL_LANE_TOKEN_BYTES] = {0x0a, 18, 0x0a, 16};
    memcpy(right + 4, token, sizeof token);
    breaks_the_listener(right, sizeof right, true); /* two parts */
}

static void say_hello(zsock_t *raw)
{
    uint8_t hello[4 + PL_LANE_TOKEN_BYTES] = {0x0a, 18, 0x0a, 16};
    memcpy(hello + 4, token, sizeof token);
    zmq_send(zsock_resolve(raw), hello, sizeof hello, 0);
}

static void bad_messages_after_the_hello(void **state)
{
    (void)state;
    end_t speech = {0};
    listen_on(&speech, endpoint);
    zsock_t *raw = raw_peer();
    say_hello(raw);
    assert_true(run_until(&speech.ready, 1, 1000));
    zmq_send(zsock_resolve(raw), "\x7a\x01x", 3, 0); /* of a later version: ignored */
    run_for(30);
    assert_int_equal(speech.broken, 0);
    say_hello(raw);
    assert_true(run_until(&speech.broken, 1, 1000));
    assert_string_equal(speech.why, "a second hello");
    pl_lane_destroy(&speech.lane);
    zsock_destroy(&raw);
}

static void an_oversize_message_breaks_the_lane(void **state)
{
    (void)state;
    end_t speech = {0};
    listen_on(&speech, endpoint);
    zsock_t *raw = raw_peer();
    say_hello(raw);
    assert_true(run_until(&speech.ready, 1, 1000));
    char *large = calloc(1, 1 << 20);
    assert_non_null(large);
    zmq_send(zsock_resolve(raw), large, 1 << 20, 0);
    free(large);
    assert_true(run_until(&speech.broken, 1, 1000));
    assert_string_equal(speech.why, "the peer is gone");
    pl_lane_destroy(&speech.lane);
    zsock_destroy(&raw);
}

static void a_peer_gone_before_its_hello_is_read_is_found(void **state)
{
    (void)state;
    end_t speech = {0};
    listen_on(&speech, endpoint);
    zsock_t *raw = raw_peer();
    say_hello(raw);
    usleep(100 * 1000); /* the message and the end of the connection wait together */
    zsock_destroy(&raw);
    usleep(100 * 1000);
    assert_true(run_until(&speech.broken, 1, 1000));
    assert_string_equal(speech.why, "the peer is gone");
    pl_lane_destroy(&speech.lane);
}

/* ---- ends ---------------------------------------------------------------------------------- */

static void the_other_end_learns_of_a_destroyed_lane_quickly(void **state)
{
    (void)state;
    end_t speech = {0}, telephony = {.destroy_on_broken = true};
    open_pair(&speech, &telephony);
    pl_lane_destroy(&speech.lane);
    uint64_t began = pl_clock_ms();
    assert_true(run_until(&telephony.broken, 1, 1000));
    assert_true(pl_clock_ms() - began < 200);
    assert_string_equal(telephony.why, "the peer is gone");
    assert_null(telephony.lane);
}

static void a_lane_may_be_destroyed_in_its_frame_callback(void **state)
{
    (void)state;
    end_t speech = {.destroy_on_frame = true}, telephony = {0};
    open_pair(&speech, &telephony);
    for (uint32_t seq = 1; seq <= 10; seq++) send_seq(&telephony, seq);
    assert_true(run_until(&telephony.broken, 1, 1000));
    assert_int_equal(speech.frames, 1);
    assert_null(speech.lane);
    pl_lane_destroy(&telephony.lane);
}

static void a_full_lane_refuses_and_counts_and_keeps_its_order(void **state)
{
    (void)state;
    end_t speech = {0}, telephony = {0};
    open_pair(&speech, &telephony);
    pl_metric_t *dropped = pl_metric_counter("parley_lane_dropped_total", NULL, "");
    double before = pl_metric_value(dropped);
    unsigned accepted = 0, refused = 0;
    for (uint32_t seq = 1; refused == 0 && seq < 100000; seq++) {
        pl_err_t err = send_seq(&telephony, seq); /* nobody reads: the loop stands */
        accepted += err == PL_OK;
        refused += err == PL_BUSY;
    }
    assert_int_equal(refused, 1);
    assert_true(accepted < 10000); /* bounded */
    assert_true(pl_metric_value(dropped) == before + 1);
    speech.stop_at_frames = accepted;
    assert_true(run_until(&speech.frames, accepted, 5000));
    assert_true(speech.in_order);
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
}

/* ---- a killed peer: this program again, as telephony ---------------------------------------- */

static int telephony_process(const char *where)
{
    pl_signals_init();
    loop = pl_loop_new();
    end_t telephony = {0};
    pl_lane_sink_t sink = sink_of(&telephony);
    if (pl_lane_connect(&telephony.lane, loop, where, NULL, token, &sink) != PL_OK) return 1;
    for (;;) pl_loop_run(loop);
}

static void the_end_of_a_killed_peer_is_seen_at_once(void **state)
{
    (void)state;
    extern char **environ;
    end_t speech = {0};
    listen_on(&speech, endpoint);
    char *argv[] = {"lane_test", "telephony", endpoint, NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    assert_true(run_until(&speech.ready, 1, 5000));
    kill(pid, SIGKILL);
    uint64_t began = pl_clock_ms();
    assert_true(run_until(&speech.broken, 1, 2000));
    assert_true(pl_clock_ms() - began < 500);
    waitpid(pid, NULL, 0);
    pl_lane_destroy(&speech.lane);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "telephony") == 0) return telephony_process(argv[2]);
    pl_signals_init();
    pl_log_init("lane-test", PL_LOG_WARN);
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(frames_go_both_ways_after_the_hello),
        ON_A_LOOP(a_tcp_lane_tells_the_port_it_got),
        ON_A_LOOP(a_stale_path_is_replaced),
        ON_A_LOOP(a_wrong_token_is_not_answered),
        ON_A_LOOP(a_lane_nobody_answers_is_broken_in_half_a_second),
        ON_A_LOOP(a_second_peer_is_not_answered_and_does_not_hurt_the_first),
        ON_A_LOOP(a_stranger_who_comes_and_goes_does_not_hurt_the_peer),
        ON_A_LOOP(malformed_hellos_break_the_lane),
        ON_A_LOOP(bad_messages_after_the_hello),
        ON_A_LOOP(an_oversize_message_breaks_the_lane),
        ON_A_LOOP(a_peer_gone_before_its_hello_is_read_is_found),
        ON_A_LOOP(the_other_end_learns_of_a_destroyed_lane_quickly),
        ON_A_LOOP(a_lane_may_be_destroyed_in_its_frame_callback),
        ON_A_LOOP(a_full_lane_refuses_and_counts_and_keeps_its_order),
        ON_A_LOOP(the_end_of_a_killed_peer_is_seen_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
