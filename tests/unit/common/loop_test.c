/* loop_test.c - the event loop: timers, posts, ZeroMQ's edges, descriptors, signals, clean ends. */
#include "common/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <czmq.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

typedef struct {
    pl_loop_t *loop;
    pl_timer_t *timer;
    pl_watch_t *watch;
    void *in, *out;
    unsigned count, limit;
    unsigned others;
    bool in_order;
} bench_t;

static void stop(void *arg)
{
    pl_loop_stop(((bench_t *)arg)->loop);
}

/* Runs the loop; a test that does not stop it within five seconds fails. */
static void too_late(void *arg)
{
    (void)arg;
    fail_msg("%s", "the loop was not stopped in time");
}

static void run(bench_t *b)
{
    pl_timer_t *guard = pl_timer_start(b->loop, 5000, 0, too_late, NULL);
    pl_loop_run(b->loop);
    pl_timer_stop(&guard);
}

/* ---- timers -------------------------------------------------------------------------------- */

static void count_to_limit(void *arg)
{
    bench_t *b = arg;
    if (++b->count == b->limit) {
        pl_timer_stop(&b->timer); /* inside its own callback */
        assert_null(b->timer);
        pl_timer_stop(&b->timer); /* twice is fine */
        pl_timer_start(b->loop, 20, 0, stop, b);
    }
}

static void a_repeating_timer_may_stop_itself(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 3};
    b.timer = pl_timer_start(b.loop, 1, 2, count_to_limit, &b);
    run(&b);
    assert_int_equal(b.count, 3);
    pl_loop_destroy(&b.loop);
    assert_null(b.loop);
    pl_loop_destroy(&b.loop);
}

static void stop_the_other(void *arg)
{
    bench_t *b = arg;
    b->count++;
    pl_timer_stop(&b->timer);
    pl_timer_start(b->loop, 10, 0, stop, b);
}

static void never(void *arg)
{
    (void)arg;
    fail_msg("%s", "a stopped timer was called");
}

static void a_timer_due_in_the_same_round_is_not_called_once_stopped(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new()};
    pl_timer_start(b.loop, 0, 0, stop_the_other, &b);
    b.timer = pl_timer_start(b.loop, 0, 0, never, &b);
    run(&b);
    assert_int_equal(b.count, 1);
    pl_loop_destroy(&b.loop);
}

static void delays_count_from_the_call_though_libuvs_clock_stands(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new()};
    usleep(30 * 1000);
    uint64_t began_us = pl_clock_us();
    pl_timer_start(b.loop, 25, 0, stop, &b);
    run(&b);
    assert_true(pl_clock_us() - began_us >= 24 * 1000);
    pl_loop_destroy(&b.loop);
}

/* ---- posts --------------------------------------------------------------------------------- */

enum { POSTERS = 4, POSTS = 5000 };

typedef struct {
    bench_t *b;
    unsigned poster, number;
} item_t;

static unsigned last_seen[POSTERS];

static void receive_item(void *arg)
{
    item_t *item = arg;
    bench_t *b = item->b;
    if (item->number != last_seen[item->poster] + 1) b->in_order = false;
    last_seen[item->poster] = item->number;
    if (++b->count == POSTERS * POSTS) pl_loop_stop(b->loop);
    free(item);
}

typedef struct {
    bench_t *b;
    unsigned poster;
} poster_t;

static void *post_many(void *arg)
{
    const poster_t *p = arg;
    for (unsigned i = 1; i <= POSTS; i++) {
        item_t *item = malloc(sizeof *item);
        assert_non_null(item);
        *item = (item_t){p->b, p->poster, i};
        pl_loop_post(p->b->loop, receive_item, item);
    }
    return NULL;
}

static void posts_of_many_threads_all_arrive_each_threads_in_order(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .in_order = true};
    pthread_t threads[POSTERS];
    poster_t posters[POSTERS];
    memset(last_seen, 0, sizeof last_seen);
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (poster_t){&b, i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
    }
    run(&b);
    for (unsigned i = 0; i < POSTERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(b.count, POSTERS * POSTS);
    assert_true(b.in_order);
    pl_loop_destroy(&b.loop);
}

static void count_one(void *arg)
{
    ((bench_t *)arg)->count++;
}

static void post_another(void *arg)
{
    bench_t *b = arg;
    pl_loop_post(b->loop, count_one, b);
}

static void posts_left_at_destroy_are_run(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new()};
    pl_loop_post(b.loop, count_one, &b);
    pl_loop_post(b.loop, post_another, &b);
    assert_int_equal(b.count, 0); /* never inside the call */
    pl_loop_t *loop = b.loop;
    pl_loop_destroy(&loop);
    assert_int_equal(b.count, 2);
}

static void *stop_from_outside(void *arg)
{
    usleep(20 * 1000);
    stop(arg);
    return NULL;
}

static void any_thread_may_stop_the_loop_and_it_may_run_again(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new()};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_from_outside, &b), 0);
    run(&b);
    pthread_join(thread, NULL);
    pl_loop_stop(b.loop); /* before the run: it returns at once */
    run(&b);
    pl_timer_start(b.loop, 1, 0, stop, &b);
    run(&b);
    pl_loop_destroy(&b.loop);
}

/* ---- ZeroMQ -------------------------------------------------------------------------------- */

static void pair_open(bench_t *b, const char *endpoint)
{
    b->in = zmq_socket(zsys_init(), ZMQ_PAIR);
    b->out = zmq_socket(zsys_init(), ZMQ_PAIR);
    int unlimited = 0;
    zmq_setsockopt(b->in, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(b->out, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    assert_int_equal(zmq_bind(b->in, endpoint), 0);
    assert_int_equal(zmq_connect(b->out, endpoint), 0);
}

static void pair_close(bench_t *b)
{
    pl_watch_stop(&b->watch);
    int none = 0; /* linger */
    zmq_setsockopt(b->in, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(b->out, ZMQ_LINGER, &none, sizeof none);
    zmq_close(b->in);
    zmq_close(b->out);
    pl_loop_destroy(&b->loop);
}

static bool receive_number(void *arg)
{
    bench_t *b = arg;
    unsigned number;
    if (zmq_recv(b->in, &number, sizeof number, ZMQ_DONTWAIT) < 0) return false;
    if (number != b->count) b->in_order = false;
    if (++b->count == b->limit) pl_loop_stop(b->loop);
    return true;
}

static void send_numbers(bench_t *b, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        assert_int_equal(zmq_send(b->out, &i, sizeof i, ZMQ_DONTWAIT), (int)sizeof i);
    }
}

static void messages_from_before_the_watch_are_seen(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 1000, .in_order = true};
    pair_open(&b, "inproc://loop-before");
    send_numbers(&b, 0, 1000); /* one edge for all, many batches */
    int events = 0;
    size_t size = sizeof events;
    zmq_getsockopt(b.in, ZMQ_EVENTS, &events, &size); /* and even that edge is taken */
    b.watch = pl_watch_zmq(b.loop, b.in, receive_number, &b);
    assert_int_equal(b.count, 0);
    run(&b);
    assert_int_equal(b.count, 1000);
    assert_true(b.in_order);
    pair_close(&b);
}

static void *send_in_bursts(void *arg)
{
    bench_t *b = arg;
    for (unsigned i = 0; i < b->limit; i++) {
        zmq_send(b->out, &i, sizeof i, 0);
        if (i % 97 == 0) usleep(200);
    }
    return NULL;
}

static void no_message_is_stranded_between_edges(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 50000, .in_order = true};
    pair_open(&b, "inproc://loop-edges");
    b.watch = pl_watch_zmq(b.loop, b.in, receive_number, &b);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_in_bursts, &b), 0);
    run(&b);
    pthread_join(thread, NULL);
    assert_int_equal(b.count, 50000);
    assert_true(b.in_order);
    pair_close(&b);
}

static void send_on_the_watched_socket(void *arg)
{
    bench_t *b = arg;
    /* The numbers come and their edge is taken within one callback: the poll never sees it, and
     * without the check nobody would look again. */
    send_numbers(b, 0, 10);
    int events = 0;
    size_t size = sizeof events;
    zmq_getsockopt(b->in, ZMQ_EVENTS, &events, &size);
    assert_int_equal(zmq_send(b->in, "x", 1, ZMQ_DONTWAIT), 1); /* as a send may, too */
    pl_watch_check(b->watch);
}

static void a_send_that_takes_the_edge_strands_nothing(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 10, .in_order = true};
    pair_open(&b, "inproc://loop-send");
    b.watch = pl_watch_zmq(b.loop, b.in, receive_number, &b);
    pl_timer_t *settle = pl_timer_start(b.loop, 5, 0, stop, &b);
    run(&b);
    pl_loop_post(b.loop, send_on_the_watched_socket, &b);
    run(&b);
    assert_int_equal(b.count, 10);
    pl_timer_stop(&settle);
    pair_close(&b);
}

static void count_other(void *arg)
{
    ((bench_t *)arg)->others++;
}

static void feed_back(bench_t *b)
{
    unsigned number = b->count;
    zmq_send(b->out, &number, sizeof number, ZMQ_DONTWAIT);
}

static bool receive_and_feed(void *arg)
{
    bench_t *b = arg;
    feed_back(b); /* never dry */
    return receive_number(arg);
}

static void a_flooded_socket_does_not_starve_timers(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = UINT32_MAX};
    pair_open(&b, "inproc://loop-flood");
    feed_back(&b);
    b.watch = pl_watch_zmq(b.loop, b.in, receive_and_feed, &b);
    pl_timer_t *other = pl_timer_start(b.loop, 1, 1, count_other, &b);
    pl_timer_start(b.loop, 100, 0, stop, &b);
    run(&b);
    assert_true(b.others >= 20);
    assert_true(b.count > 1000);
    pl_timer_stop(&other);
    pair_close(&b);
}

static bool receive_one_and_stop_watching(void *arg)
{
    bench_t *b = arg;
    assert_true(receive_number(b));
    pl_watch_stop(&b->watch);
    pl_timer_start(b->loop, 20, 0, stop, b);
    return true;
}

static void a_watch_may_be_stopped_by_its_own_reader(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 1000};
    pair_open(&b, "inproc://loop-own");
    send_numbers(&b, 0, 100);
    b.watch = pl_watch_zmq(b.loop, b.in, receive_one_and_stop_watching, &b);
    run(&b);
    assert_int_equal(b.count, 1);
    pair_close(&b);
}

static void an_idle_loop_sleeps(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = UINT32_MAX};
    pair_open(&b, "inproc://loop-idle");
    b.watch = pl_watch_zmq(b.loop, b.in, receive_number, &b);
    send_numbers(&b, 0, 64); /* exactly one batch */
    pl_timer_start(b.loop, 300, 0, stop, &b);
    clock_t began = clock();
    run(&b);
    assert_true(clock() - began < CLOCKS_PER_SEC / 10); /* it would spin for 0.3 s of CPU */
    assert_int_equal(b.count, 64);
    pair_close(&b);
}

/* ---- descriptors, signals, ends ------------------------------------------------------------ */

static int pipe_ends[2];

static void read_byte(void *arg)
{
    bench_t *b = arg;
    char byte;
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    if (++b->count == b->limit) pl_loop_stop(b->loop);
}

static void a_descriptor_is_watched_by_level(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 5};
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(write(pipe_ends[1], "abcde", 5), 5);
    b.watch = pl_watch_fd(b.loop, pipe_ends[0], read_byte, &b);
    run(&b);
    assert_int_equal(b.count, 5);
    pl_watch_stop(&b.watch);
    pl_watch_stop(&b.watch);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pl_loop_destroy(&b.loop);
}

static void on_terminate(void *arg, unsigned count)
{
    bench_t *b = arg;
    assert_int_equal(count, b->count + 1);
    b->count = count;
    if (count == 1) kill(getpid(), SIGINT);
    if (count == 2) pl_loop_stop(b->loop);
}

static void sigterm_and_sigint_come_as_events(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new()};
    pl_loop_on_terminate(b.loop, on_terminate, &b);
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGPIPE); /* ignored */
    run(&b);
    assert_int_equal(b.count, 2);
    assert_int_equal(zsys_interrupted, 0); /* CZMQ has no handler that would end every poll */
    pl_loop_destroy(&b.loop);
}

static void destroy_closes_what_was_left_on_the_loop(void **state)
{
    (void)state;
    bench_t b = {.loop = pl_loop_new(), .limit = 100};
    pair_open(&b, "inproc://loop-left");
    send_numbers(&b, 0, 10);
    pl_watch_zmq(b.loop, b.in, receive_number, &b);
    pl_timer_start(b.loop, 1000, 1000, count_one, &b);
    pl_timer_start(b.loop, 0, 0, count_one, &b);
    pl_loop_on_terminate(b.loop, on_terminate, &b);
    pair_close(&b);
    assert_int_equal(b.count, 0);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeating_timer_may_stop_itself),
        cmocka_unit_test(a_timer_due_in_the_same_round_is_not_called_once_stopped),
        cmocka_unit_test(delays_count_from_the_call_though_libuvs_clock_stands),
        cmocka_unit_test(posts_of_many_threads_all_arrive_each_threads_in_order),
        cmocka_unit_test(posts_left_at_destroy_are_run),
        cmocka_unit_test(any_thread_may_stop_the_loop_and_it_may_run_again),
        cmocka_unit_test(messages_from_before_the_watch_are_seen),
        cmocka_unit_test(no_message_is_stranded_between_edges),
        cmocka_unit_test(a_send_that_takes_the_edge_strands_nothing),
        cmocka_unit_test(a_flooded_socket_does_not_starve_timers),
        cmocka_unit_test(a_watch_may_be_stopped_by_its_own_reader),
        cmocka_unit_test(an_idle_loop_sleeps),
        cmocka_unit_test(a_descriptor_is_watched_by_level),
        cmocka_unit_test(sigterm_and_sigint_come_as_events),
        cmocka_unit_test(destroy_closes_what_was_left_on_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
