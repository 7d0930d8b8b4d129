/* worker_test.c - the worker: what it takes, keeps, reports and gives back. */
#include "services/dialogue/work/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/shop.h"

#define CALL "11111111-1111-4111-8111-111111111111"

static const worker_opts_t quick = {
    .concurrency = 2, .lease_ms = 60000, .poll_ms = 60000, .store_timeout_ms = 2000};

/* ---- kinds of the test ---- */

static work_t *held[SHOP_JOBS]; /* begun and not ended */
static size_t held_count, begun, cancelled;

static void hold(work_t *work)
{
    begun++;
    held[held_count++] = work;
}

static void let_go(work_t *work)
{
    size_t i = 0;
    while (held[i] != work) i++;
    held[i] = held[--held_count];
}

static void stopped(work_t *work)
{
    cancelled++;
    let_go(work);
}

static void do_at_once(work_t *work)
{
    begun++;
    work_done(&work, NULL);
}

static const work_kind_t slow = {"slow", false, hold, stopped};
static const work_kind_t prompt_kind = {"prompt", false, do_at_once, stopped};
static const work_kind_t about_call = {"about_call", true, hold, stopped};
static const work_kind_t *const kinds[] = {&slow, &prompt_kind, &about_call, NULL};

static void finish(size_t i)
{
    work_t *work = held[i];
    let_go(work);
    work_done(&work, NULL);
}

static int set_up(void **state)
{
    (void)state;
    held_count = begun = cancelled = 0;
    return 0;
}

/* ---- waiting ---- */

static bool all_done(void)
{
    for (size_t i = 0; i < shop.count; i++) {
        if (shop.jobs[i].done == 0) return false;
    }
    return true;
}

static bool two_held(void)
{
    return held_count == 2;
}

static bool one_held(void)
{
    return held_count == 1;
}

static bool none_held(void)
{
    return held_count == 0;
}

static bool is_idle(void)
{
    return shop.idle > 0;
}

static bool failure_told(void)
{
    return shop.jobs[0].failed > 0;
}

static bool renewed_thrice(void)
{
    return shop.jobs[0].renewed >= 3;
}

static bool refused_once(void)
{
    return shop.jobs[0].refused > 0;
}

static bool took(void)
{
    return shop.takes > 0;
}

/* ---- tests ---- */

static void all_that_waits_is_done_a_few_at_a_time(void **state)
{
    (void)state;
    const char *keys[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++) (void)shop_put(keys[i], "slow", "");
    shop_start(kinds, &quick);
    shop_run_ms(20);
    assert_int_equal(begun, 0); /* nobody has said that the store is there */
    worker_wake(shop.worker);
    for (size_t i = 0; i < 4; i++) {
        assert_true(shop_wait(two_held));
        shop_run_ms(10);
        assert_int_equal(held_count, 2); /* never more than concurrency */
        finish(0);
    }
    assert_true(shop_wait(one_held));
    finish(0);
    assert_true(shop_wait(all_done));
    assert_int_equal(begun, 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(shop.jobs[i].done, 1);
}

static void a_hint_that_comes_while_asking_is_not_lost(void **state)
{
    (void)state;
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    (void)shop_put("a", "prompt", "");
    worker_wake(shop.worker); /* the first question is still on its way */
    assert_true(shop_wait(all_done));
}

static void work_is_asked_for_without_a_hint_too(void **state)
{
    (void)state;
    worker_opts_t opts = quick;
    opts.poll_ms = 20;
    shop_start(kinds, &opts);
    worker_wake(shop.worker);
    assert_true(shop_wait(took));
    shop_run_ms(5);
    (void)shop_put("a", "prompt", ""); /* nobody tells */
    assert_true(shop_wait(all_done));
}

static void a_store_that_is_away_for_a_while_gets_the_result_once(void **state)
{
    (void)state;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    shop.store_failures = 3;
    finish(0);
    assert_true(shop_wait(all_done));
    shop_run_ms(50);
    assert_int_equal(shop.jobs[0].done, 1);
    assert_int_equal(begun, 1); /* not done again for that */
}

static void a_result_under_a_lost_lease_is_dropped(void **state)
{
    (void)state;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    shop.jobs[0].job->lease++; /* somebody else has it */
    finish(0);
    assert_true(shop_wait(refused_once));
    shop_run_ms(300);
    assert_int_equal(shop.jobs[0].refused, 1);
    assert_int_equal(shop.jobs[0].done, 0);
    assert_true(worker_idle(shop.worker));
}

static void a_result_the_store_will_not_take_ends_the_job_with_the_reason(void **state)
{
    (void)state;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    shop.refuse_results = PL_INVALID;
    finish(0);
    assert_true(shop_wait(failure_told));
    assert_true(shop.jobs[0].failure->final);
    assert_non_null(strstr(shop.jobs[0].failure->reason, "the result is refused"));
}

static void the_lease_of_slow_work_is_kept(void **state)
{
    (void)state;
    worker_opts_t opts = quick;
    opts.lease_ms = 60;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &opts);
    worker_wake(shop.worker);
    assert_true(shop_wait(renewed_thrice));
    assert_int_equal(held_count, 1);
    finish(0);
    assert_true(shop_wait(all_done));
    unsigned renewed = shop.jobs[0].renewed;
    shop_run_ms(100);
    assert_true(shop.jobs[0].renewed <= renewed + 1); /* one may have been on its way */
}

static void work_whose_lease_is_lost_is_stopped(void **state)
{
    (void)state;
    worker_opts_t opts = quick;
    opts.lease_ms = 60;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &opts);
    shop.refuse_renewals = PL_STALE;
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    assert_true(shop_wait(none_held));
    assert_int_equal(cancelled, 1);
    assert_int_equal(shop.jobs[0].done + shop.jobs[0].failed, 0);
}

static size_t noted;

static void on_noted(void *arg)
{
    (void)arg;
    noted++;
}

static bool noted_once(void)
{
    return noted == 1;
}

static void progress_is_noted_before_the_work_goes_on(void **state)
{
    (void)state;
    noted = 0;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    work_note(held[0], "sending", 7, on_noted, NULL);
    assert_int_equal(noted, 0);
    assert_true(shop_wait(noted_once));
    assert_int_equal(shop.jobs[0].job->progress.len, 7);
    finish(0);
    assert_true(shop_wait(all_done));
}

static void what_cannot_be_noted_is_not_gone_on_with(void **state)
{
    (void)state;
    noted = 0;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    shop.store_failures = 1;
    work_note(held[0], "sending", 7, on_noted, NULL);
    assert_true(shop_wait(none_held));
    assert_int_equal(noted, 0);
    assert_int_equal(cancelled, 1);
}

static void a_worker_that_stops_gives_back_what_it_has(void **state)
{
    (void)state;
    (void)shop_put("a", "slow", "");
    (void)shop_put("b", "slow", "");
    (void)shop_put("c", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(two_held));
    worker_drain(shop.worker);
    assert_int_equal(cancelled, 2);
    assert_int_equal(shop.idle, 0);
    assert_true(shop_wait(is_idle));
    assert_int_equal(shop.jobs[0].released, 1);
    assert_int_equal(shop.jobs[1].released, 1);
    assert_false(shop.jobs[2].taken);
    worker_wake(shop.worker);
    shop_run_ms(20);
    assert_false(shop.jobs[2].taken);
}

static void what_arrives_after_the_stop_is_given_back(void **state)
{
    (void)state;
    (void)shop_put("a", "slow", "");
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    worker_drain(shop.worker); /* the answer is on its way */
    assert_true(shop_wait(is_idle));
    assert_int_equal(begun, 0);
    assert_int_equal(shop.jobs[0].released, 1);
}

static void an_idle_worker_says_so_at_once(void **state)
{
    (void)state;
    shop_start(kinds, &quick);
    worker_drain(shop.worker);
    assert_int_equal(shop.idle, 0); /* not from within */
    assert_true(shop_wait(is_idle));
    shop_run_ms(10);
    assert_int_equal(shop.idle, 1);
}

static void work_about_a_call_gets_its_record(void **state)
{
    (void)state;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    record.call_id = CALL;
    record.initiate = &initiate;
    shop.record = pl_record_copy(&record);
    (void)shop_put("a", "about_call", CALL);
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    assert_string_equal(work_record(held[0])->call_id, CALL);
    assert_string_equal(work_job(held[0])->key, "a");
    finish(0);
    assert_true(shop_wait(all_done));
}

static void work_about_a_call_nobody_knows_is_given_up(void **state)
{
    (void)state;
    (void)shop_put("a", "about_call", CALL);
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    assert_true(shop_wait(failure_told));
    assert_true(shop.jobs[0].failure->final);
    assert_non_null(strstr(shop.jobs[0].failure->reason, "no such call"));
    assert_int_equal(begun, 0);
}

static void a_call_that_cannot_be_read_now_is_tried_later(void **state)
{
    (void)state;
    (void)shop_put("a", "about_call", CALL);
    shop_start(kinds, &quick);
    shop.get_failures = 1;
    worker_wake(shop.worker);
    assert_true(shop_wait(failure_told));
    assert_false(shop.jobs[0].failure->final);
}

static void a_worker_may_go_at_any_moment(void **state)
{
    (void)state;
    (void)shop_put("a", "slow", "");
    (void)shop_put("b", "about_call", CALL);
    shop_start(kinds, &quick);
    worker_wake(shop.worker);
    worker_destroy(&shop.worker); /* a question is open */
    shop_run_ms(20);
    assert_int_equal(begun, 0);
    shop.jobs[0].taken = shop.jobs[1].taken = false;
    shop.worker = worker_new(&shop.shop, kinds, &quick, shop_on_idle, NULL);
    worker_wake(shop.worker);
    assert_true(shop_wait(one_held));
    work_note(held[0], "x", 1, on_noted, NULL);
    worker_destroy(&shop.worker); /* work is held, a note and a look-up are under way */
    assert_int_equal(cancelled, 1);
    shop_run_ms(20);
}

int main(void)
{
    pl_signals_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, shop_clean_up)
    const struct CMUnitTest tests[] = {
        TEST(all_that_waits_is_done_a_few_at_a_time),
        TEST(a_hint_that_comes_while_asking_is_not_lost),
        TEST(work_is_asked_for_without_a_hint_too),
        TEST(a_store_that_is_away_for_a_while_gets_the_result_once),
        TEST(a_result_under_a_lost_lease_is_dropped),
        TEST(a_result_the_store_will_not_take_ends_the_job_with_the_reason),
        TEST(the_lease_of_slow_work_is_kept),
        TEST(work_whose_lease_is_lost_is_stopped),
        TEST(progress_is_noted_before_the_work_goes_on),
        TEST(what_cannot_be_noted_is_not_gone_on_with),
        TEST(a_worker_that_stops_gives_back_what_it_has),
        TEST(what_arrives_after_the_stop_is_given_back),
        TEST(an_idle_worker_says_so_at_once),
        TEST(work_about_a_call_gets_its_record),
        TEST(work_about_a_call_nobody_knows_is_given_up),
        TEST(a_call_that_cannot_be_read_now_is_tried_later),
        TEST(a_worker_may_go_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
