/* The supervisor with real children of /bin/sh. Nothing here waits for a fixed time: each test ends
 * when what it waits for has happened, or fails after 10 s. */
#include "tools/parley/supervisor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"

static pl_loop_t *loop;
static supervisor_t *supervisor;
static pl_timer_t *watchdog;
static unsigned deaths, restarts, failures, stops;
static char failed_name[64], failed_why[256];
static bool stop_after_restart;

static void on_died(void *arg, const child_t *child)
{
    (void)arg;
    assert_int_equal(child->pid, 0);
    deaths++;
}

static void on_restarted(void *arg, const child_t *child)
{
    (void)arg;
    assert_true(child->pid > 0);
    restarts++;
    if (stop_after_restart) supervisor_stop(supervisor);
}

static void on_failed(void *arg, const child_t *child, const char *why)
{
    (void)arg;
    failures++;
    snprintf(failed_name, sizeof failed_name, "%s", child->name);
    snprintf(failed_why, sizeof failed_why, "%s", why);
}

static void on_stopped(void *arg)
{
    (void)arg;
    stops++;
    pl_loop_stop(loop);
}

static void give_up(void *arg)
{
    (void)arg;
    pl_loop_stop(loop);
}

static int begin(void **state)
{
    (void)state;
    deaths = restarts = failures = stops = 0;
    stop_after_restart = false;
    loop = pl_loop_new();
    supervisor_sink_t sink = {
        .died = on_died, .restarted = on_restarted, .failed = on_failed, .stopped = on_stopped};
    supervisor = supervisor_new(loop, &sink);
    watchdog = pl_timer_start(loop, 20000, 0, give_up, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    pl_timer_stop(&watchdog);
    supervisor_destroy(&supervisor);
    pl_loop_destroy(&loop);
    return 0;
}

static void add(const char *name, const char *script)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    supervisor_add(supervisor, name, argv, NULL);
}

static void kill_first(void *arg)
{
    (void)arg;
    assert_int_equal(kill(supervisor_at(supervisor, 0)->pid, SIGKILL), 0);
}

static void order_stop(void *arg)
{
    (void)arg;
    supervisor_stop(supervisor);
}

static void what_is_killed_is_started_again_and_the_others_go_on(void **state)
{
    (void)state;
    add("a", "exec sleep 100");
    add("b", "exec sleep 100");
    stop_after_restart = true;
    supervisor_start(supervisor);
    supervisor_settled(supervisor);
    pid_t first = supervisor_at(supervisor, 0)->pid;
    uint64_t began = pl_clock_ms();
    pl_timer_t *killer = pl_timer_start(loop, 0, 0, kill_first, NULL);
    pl_loop_run(loop);
    pl_timer_stop(&killer);
    assert_int_equal(stops, 1);
    assert_int_equal(deaths, 1);
    assert_int_equal(restarts, 1);
    assert_int_equal(failures, 0);
    assert_int_equal(supervisor_at(supervisor, 0)->restarts, 1);
    assert_int_equal(supervisor_at(supervisor, 1)->restarts, 0);
    assert_true(first > 0);
    assert_true(pl_clock_ms() - began < 2000);
}

static void a_death_before_all_are_ready_stops_everything(void **state)
{
    (void)state;
    add("good", "exec sleep 100");
    add("bad", "exit 78");
    supervisor_start(supervisor);
    pl_loop_run(loop);
    assert_int_equal(failures, 1);
    assert_int_equal(stops, 1);
    assert_string_equal(failed_name, "bad");
    assert_string_equal(failed_why, "exited with status 78");
    assert_int_equal(WEXITSTATUS(supervisor_at(supervisor, 1)->wait_status), 78);
    assert_int_equal(supervisor_at(supervisor, 0)->pid, 0);
}

static void a_program_that_is_not_there_is_named(void **state)
{
    (void)state;
    const char *argv[] = {"/nonexistent/program", NULL};
    supervisor_add(supervisor, "ghost", argv, NULL);
    supervisor_start(supervisor);
    pl_loop_run(loop);
    assert_int_equal(failures, 1);
    assert_string_equal(failed_name, "ghost");
    assert_non_null(strstr(failed_why, "/nonexistent/program"));
}

static void a_stop_lets_children_finish_and_a_second_one_kills(void **state)
{
    (void)state;
    char ready[] = "/tmp/parley-supervisor-XXXXXX";
    int fd = mkstemp(ready);
    assert_true(fd >= 0);
    close(fd);
    unlink(ready);
    char script[256];
    snprintf(script, sizeof script, "trap '' TERM; touch %s; while :; do sleep 0.05; done", ready);
    add("stubborn", script);
    supervisor_start(supervisor);
    supervisor_settled(supervisor);
    while (access(ready, F_OK) != 0) usleep(1000);
    unlink(ready);
    supervisor_stop(supervisor);
    assert_true(supervisor_at(supervisor, 0)->pid > 0);
    pl_timer_t *second = pl_timer_start(loop, 100, 0, order_stop, NULL);
    pl_loop_run(loop);
    pl_timer_stop(&second);
    assert_int_equal(stops, 1);
    assert_true(WIFSIGNALED(supervisor_at(supervisor, 0)->wait_status));
    assert_int_equal(WTERMSIG(supervisor_at(supervisor, 0)->wait_status), SIGKILL);
}

static void a_child_runs_without_our_blocked_signals(void **state)
{
    (void)state;
    /* kills itself by SIGTERM, which the supervisor's process may have blocked */
    add("a", "kill -TERM $$; sleep 100");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    supervisor_start(supervisor);
    pl_loop_run(loop);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    assert_int_equal(stops, 1);
    assert_string_equal(failed_why, "was killed by signal 15 (SIGTERM)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_killed_is_started_again_and_the_others_go_on, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_death_before_all_are_ready_stops_everything, begin, end),
        cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_stop_lets_children_finish_and_a_second_one_kills, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_child_runs_without_our_blocked_signals, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
