/* contract_jobs.h - jobs in every store: kept, taken in order, and done together with what they change, or not
 * at all. Time is an argument: no lease is waited for. Include after the provider's fixture.
 */
#ifndef TESTS_PERSISTENCE_CONTRACT_JOBS_H
#define TESTS_PERSISTENCE_CONTRACT_JOBS_H

#include "common/record.h"
#include "tests/unit/persistence/requests.h"

enum { NOW = 1000000, LEASE = 60000 };
#define KEY_1 "synthesis/" CALL_1

static Pl__JobTaken *got; /* of the last take */

static void forget(void)
{
    if (got) pl__job_taken__free_unpacked(got, NULL);
    got = NULL;
}

static int open_jobs(void **state)
{
    if (setup(state)) return -1;
    open_store();
    return 0;
}

static int close_jobs(void **state)
{
    forget();
    return teardown(state);
}

/* ---- asking ---- */

static write_t *made(const Pl__Envelope *env, int64_t now_ms)
{
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (write_new(&write, env, now_ms, detail)) fail_msg("%s", detail);
    return write;
}

static pl_err_t ask(const Pl__Envelope *env, int64_t now_ms)
{
    store_stats_t stats = {0};
    write_t *write = made(env, now_ms);
    provider->write(store, &write, 1, &stats);
    pl_err_t err = write->err;
    write_destroy(&write);
    return err;
}

static void put(const char *key, const char *kind, int64_t run_at_ms)
{
    put_t request;
    assert_int_equal(ask(make_put(&request, "", key, kind, run_at_ms), NOW), PL_OK);
}

/* How many were taken; they are in got. */
static size_t taken(const char *kind, uint32_t limit, int64_t now_ms)
{
    take_t request;
    store_stats_t stats = {0};
    write_t *write = made(make_take(&request, kind, "dialogue-0", LEASE, limit), now_ms);
    provider->write(store, &write, 1, &stats);
    assert_int_equal(write->err, PL_OK);
    forget();
    got = write->taken;
    write->taken = NULL;
    write_destroy(&write);
    return got->n_jobs;
}

static void create_call(void)
{
    create_t create;
    assert_int_equal(ask(make_create(&create, CALL_1, "+15550100", 5000), NOW), PL_OK);
}

static size_t messages(void)
{
    Pl__StoreGet query = PL__STORE_GET__INIT;
    Pl__CallRecord *record = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(provider->get(store, CALL_1, &query, &record, detail), PL_OK);
    size_t count = record->n_messages;
    pl_record_free(&record);
    return count;
}

static Pl__Jobs *listed(const Pl__JobList *query)
{
    Pl__Jobs *jobs = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (provider->jobs(store, query, &jobs, detail)) fail_msg("%s", detail);
    return jobs;
}

static Pl__JobState state_of(const char *key)
{
    Pl__JobList query = PL__JOB_LIST__INIT;
    query.key = (char *)key;
    query.limit = 1;
    Pl__Jobs *jobs = listed(&query);
    assert_int_equal(jobs->n_jobs, 1);
    Pl__JobState state = jobs->jobs[0]->state;
    pl__jobs__free_unpacked(jobs, NULL);
    return state;
}

/* ---- with the record, or not at all ---- */

static Pl__Envelope *end_call(apply_t *apply, Pl__JobSpec *spec, Pl__JobSpec **specs,
                              uint64_t write_id)
{
    Pl__Envelope *env = make_message(apply, CALL_1, 1, write_id, "bye");
    start_spec(spec, KEY_1, "synthesis", "1");
    specs[0] = spec;
    apply->apply.jobs = specs;
    apply->apply.n_jobs = 1;
    return env;
}

static void a_calls_end_and_its_jobs_are_one_commit(void **state)
{
    (void)state;
    create_call();
    apply_t apply;
    Pl__JobSpec spec;
    Pl__JobSpec *specs[1];
    refuse_inserts("jobs", NULL, "no jobs");
    assert_int_equal(ask(end_call(&apply, &spec, specs, 1), NOW), PL_INTERNAL);
    assert_int_equal(messages(), 0); /* neither */
    assert_int_equal(taken("synthesis", 1, NOW), 0);
    allow_inserts("jobs");
    assert_int_equal(ask(end_call(&apply, &spec, specs, 1), NOW), PL_OK);
    assert_int_equal(messages(), 1); /* both */
    assert_int_equal(taken("synthesis", 1, NOW), 1);
    assert_string_equal(got->jobs[0]->call_id, CALL_1);
    /* The same write again brings nothing back. */
    assert_int_equal(ask(end_call(&apply, &spec, specs, 1), NOW), PL_OK);
    assert_int_equal(taken("synthesis", 1, NOW), 0);
    /* A former owner's end makes no job. */
    adopt_t adopt;
    assert_int_equal(ask(make_adopt(&adopt, CALL_1, 1, "dialogue-1"), NOW), PL_OK);
    Pl__Envelope *env = end_call(&apply, &spec, specs, 2);
    spec.key = "synthesis/other";
    assert_int_equal(ask(env, NOW), PL_STALE);
    assert_int_equal(taken("synthesis", 1, NOW), 0);
}

static void a_refused_job_refuses_the_whole_write(void **state)
{
    (void)state;
    create_call();
    put(KEY_1, "other_kind", 0);
    apply_t apply;
    Pl__JobSpec spec;
    Pl__JobSpec *specs[1];
    assert_int_equal(ask(end_call(&apply, &spec, specs, 1), NOW), PL_INVALID);
    assert_int_equal(messages(), 0);
}

static void a_result_is_stored_exactly_once(void **state)
{
    (void)state;
    create_call();
    outcome_t outcome;
    put_t request;
    assert_int_equal(ask(make_put(&request, CALL_1, KEY_1, "synthesis", 0), NOW), PL_OK);
    assert_int_equal(taken("synthesis", 1, NOW), 1);
    uint64_t first = got->jobs[0]->lease;
    assert_int_equal(taken("synthesis", 1, NOW + LEASE - 1), 0);
    assert_int_equal(taken("synthesis", 1, NOW + LEASE), 1); /* its worker was killed, it seems */
    uint64_t second = got->jobs[0]->lease;
    assert_int_equal(got->jobs[0]->attempts, 2);

    Pl__Envelope *late = make_done(&outcome, CALL_1, KEY_1, first, "the former worker's");
    assert_int_equal(ask(late, NOW + LEASE), PL_STALE);
    assert_int_equal(messages(), 0);
    for (int i = 0; i < 3; i++) { /* the answer was lost twice */
        Pl__Envelope *env = make_done(&outcome, CALL_1, KEY_1, second, "the result");
        assert_int_equal(ask(env, NOW + LEASE), PL_OK);
        assert_int_equal(messages(), 1);
    }
    assert_int_equal(taken("synthesis", 1, NOW + 1000 * LEASE), 0);
    assert_int_equal(state_of(KEY_1), PL__JOB_STATE__JOB_DONE);
}

static void a_result_that_cannot_be_stored_leaves_the_job_to_be_done(void **state)
{
    (void)state;
    create_call();
    outcome_t outcome;
    put_t request;
    assert_int_equal(ask(make_put(&request, CALL_1, KEY_1, "synthesis", 0), NOW), PL_OK);
    (void)taken("synthesis", 1, NOW);
    uint64_t lease = got->jobs[0]->lease;
    refuse_inserts("events", NULL, "no");
    assert_int_equal(ask(make_done(&outcome, CALL_1, KEY_1, lease, "x"), NOW), PL_INTERNAL);
    allow_inserts("events");
    assert_int_equal(state_of(KEY_1), PL__JOB_STATE__JOB_LEASED);
    /* Nor does the result go to another call than the job's. */
    create_t create;
    assert_int_equal(ask(make_create(&create, CALL_2, "+15550101", 5000), NOW), PL_OK);
    assert_int_equal(ask(make_done(&outcome, CALL_2, KEY_1, lease, "x"), NOW), PL_INVALID);
    assert_int_equal(state_of(KEY_1), PL__JOB_STATE__JOB_LEASED);
    assert_int_equal(ask(make_done(&outcome, CALL_1, KEY_1, lease, "x"), NOW), PL_OK);
    assert_int_equal(messages(), 1);
}

static void a_failed_attempt_may_leave_what_stands_meanwhile(void **state)
{
    (void)state;
    create_call();
    outcome_t outcome;
    put_t request;
    assert_int_equal(ask(make_put(&request, CALL_1, KEY_1, "synthesis", 0), NOW), PL_OK);
    (void)taken("synthesis", 1, NOW);
    uint64_t lease = got->jobs[0]->lease;
    assert_int_equal(ask(make_fail(&outcome, CALL_1, KEY_1, lease, "by rule"), NOW), PL_OK);
    assert_int_equal(messages(), 1);
    assert_int_equal(ask(make_fail(&outcome, CALL_1, KEY_1, lease, "by rule"), NOW), PL_STALE);
    assert_int_equal(messages(), 1);
    assert_int_equal(taken("synthesis", 1, NOW + 2000), 1);
    assert_string_equal(got->jobs[0]->last_error, "not today");
}

static void work_that_follows_comes_with_the_result(void **state)
{
    (void)state;
    create_call();
    outcome_t outcome;
    put_t request;
    assert_int_equal(ask(make_put(&request, CALL_1, KEY_1, "synthesis", 0), NOW), PL_OK);
    (void)taken("synthesis", 1, NOW);
    Pl__Envelope *env = make_done(&outcome, CALL_1, KEY_1, got->jobs[0]->lease, "x");
    start_spec(&outcome.spec, "next/" CALL_1, "next", "");
    outcome.done.jobs = outcome.specs;
    outcome.done.n_jobs = 1;
    assert_int_equal(ask(env, NOW), PL_OK);
    assert_int_equal(taken("next", 1, NOW), 1);
    assert_string_equal(got->jobs[0]->call_id, CALL_1);
}

/* ---- taking ---- */

static void the_longest_waiting_are_taken_first_and_none_before_its_time(void **state)
{
    (void)state;
    put("c", "report", NOW - 10);
    put("a", "report", NOW - 30);
    put("later", "report", NOW + 5000);
    put("b", "report", NOW - 20);
    put("other", "reminder", 0);
    assert_int_equal(taken("report", 2, NOW), 2);
    assert_string_equal(got->jobs[0]->key, "a");
    assert_string_equal(got->jobs[1]->key, "b");
    assert_int_equal(got->next_ms, 1); /* there is one more, now */
    assert_int_equal(taken("report", 16, NOW), 1);
    assert_string_equal(got->jobs[0]->key, "c");
    assert_int_equal(got->next_ms, 5000);
    assert_int_equal(taken("report", 16, NOW + 4999), 0);
    assert_int_equal(got->next_ms, 1);
    assert_int_equal(taken("report", 16, NOW + 5000), 1);
    assert_int_equal(got->next_ms, LEASE - 5000); /* the first leases run out */
    assert_int_equal(taken("nothing", 16, NOW), 0);
    assert_int_equal(got->next_ms, 0);
}

static void of_several_kinds_the_longest_waiting_go_first(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "a%d", i);
        put(key, "a", NOW - 100 - i);
    }
    put("b0", "b", NOW - 105);
    take_t request;
    store_stats_t stats = {0};
    Pl__Envelope *env = make_take(&request, "b", "dialogue-0", LEASE, 6);
    request.kinds[1] = "a";
    request.take.n_kinds = 2;
    write_t *write = made(env, NOW);
    provider->write(store, &write, 1, &stats);
    const char *expected[] = {"a9", "a8", "a7", "a6", "a5", "b0"};
    assert_int_equal(write->taken->n_jobs, 6);
    for (size_t i = 0; i < 4; i++) assert_string_equal(write->taken->jobs[i]->key, expected[i]);
    bool found = false; /* a5 and b0 are due at the same time, in either order */
    for (size_t i = 4; i < 6; i++) {
        if (strcmp(write->taken->jobs[i]->key, "b0") == 0) found = true;
    }
    assert_true(found);
    write_destroy(&write);
}

static void in_one_batch_a_job_is_given_to_one_only(void **state)
{
    (void)state;
    enum { JOBS = 10, TAKES = 8 };
    for (int i = 0; i < JOBS; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        put(key, "report", 0);
    }
    take_t requests[TAKES];
    write_t *writes[TAKES];
    for (size_t i = 0; i < TAKES; i++)
        writes[i] = made(make_take(&requests[i], "report", "dialogue-0", LEASE, 2), NOW);
    store_stats_t stats = {0};
    provider->write(store, writes, TAKES, &stats);
    bool seen[JOBS] = {false};
    size_t count = 0;
    for (size_t i = 0; i < TAKES; i++) {
        for (size_t k = 0; k < writes[i]->taken->n_jobs; k++, count++) {
            int number = writes[i]->taken->jobs[k]->key[1] - '0';
            assert_false(seen[number]);
            seen[number] = true;
        }
        write_destroy(&writes[i]);
    }
    assert_int_equal(count, JOBS);
}

static void a_job_nobody_ever_finishes_is_given_up(void **state)
{
    (void)state;
    put_t request;
    (void)make_put(&request, "", "k", "report", 0);
    request.spec.max_attempts = 2;
    assert_int_equal(ask(&request.env, NOW), PL_OK);
    assert_int_equal(taken("report", 1, NOW), 1);
    assert_int_equal(taken("report", 1, NOW + LEASE), 1);
    assert_int_equal(taken("report", 1, NOW + 2 * LEASE), 0);
    assert_int_equal(state_of("k"), PL__JOB_STATE__JOB_DEAD);
    keyed_t keyed;
    assert_int_equal(ask(make_retry(&keyed, "k"), NOW + 2 * LEASE), PL_OK);
    assert_int_equal(taken("report", 1, NOW + 2 * LEASE), 1);
    assert_int_equal(got->jobs[0]->attempts, 1);
    assert_int_equal(ask(make_retry(&keyed, "unknown"), NOW), PL_NOT_FOUND);
    assert_int_equal(ask(make_renew(&keyed, "unknown", 1, LEASE), NOW), PL_NOT_FOUND);
    assert_int_equal(ask(make_renew(&keyed, "k", got->jobs[0]->lease, LEASE), NOW), PL_OK);
}

static void a_damaged_job_does_not_keep_the_others_waiting(void **state)
{
    (void)state;
    put("bad", "report", NOW - 10);
    put("good", "report", NOW - 5);
    damage("jobs", "key", "bad");
    assert_int_equal(taken("report", 16, NOW), 1);
    assert_string_equal(got->jobs[0]->key, "good");
    keyed_t keyed;
    assert_int_equal(ask(make_retry(&keyed, "bad"), NOW), PL_UNAVAILABLE);
}

/* ---- looking ---- */

static void lists_are_newest_change_first_and_filtered(void **state)
{
    (void)state;
    put_t request;
    for (int64_t i = 0; i < 5; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", (int)i);
        Pl__Envelope *env = make_put(&request, i < 2 ? CALL_1 : "", key, i % 2 ? "odd" : "even", 0);
        assert_int_equal(ask(env, NOW + i), PL_OK);
    }
    assert_int_equal(taken("odd", 1, NOW + 100), 1);
    Pl__JobList query = PL__JOB_LIST__INIT;
    query.limit = 2;
    Pl__Jobs *jobs = listed(&query);
    assert_int_equal(jobs->total, 5);
    assert_int_equal(jobs->n_jobs, 2);
    assert_string_equal(jobs->jobs[0]->key, "k1"); /* taken, lately */
    assert_string_equal(jobs->jobs[1]->key, "k4");
    pl__jobs__free_unpacked(jobs, NULL);

    Pl__JobState states[] = {PL__JOB_STATE__JOB_WAITING, PL__JOB_STATE__JOB_DEAD, (Pl__JobState)99};
    query.states = states;
    query.n_states = 3;
    query.limit = 100;
    query.kind = "odd";
    jobs = listed(&query);
    assert_int_equal(jobs->total, 1);
    assert_string_equal(jobs->jobs[0]->key, "k3");
    pl__jobs__free_unpacked(jobs, NULL);
    query = (Pl__JobList)PL__JOB_LIST__INIT;
    query.call_id = CALL_1;
    query.limit = 100;
    jobs = listed(&query);
    assert_int_equal(jobs->total, 2);
    pl__jobs__free_unpacked(jobs, NULL);
    query.call_id = "' OR 1=1 --";
    jobs = listed(&query);
    assert_int_equal(jobs->total, 0);
    pl__jobs__free_unpacked(jobs, NULL);
}

static uint64_t count_of(const char *kind, Pl__JobState state)
{
    Pl__JobList query = PL__JOB_LIST__INIT;
    query.count = 1;
    Pl__Jobs *jobs = listed(&query);
    uint64_t count = 0;
    for (size_t i = 0; i < jobs->n_counts; i++) {
        const Pl__JobCount *at = jobs->counts[i];
        if (strcmp(at->kind, kind) == 0 && at->state == state) count = at->count;
    }
    pl__jobs__free_unpacked(jobs, NULL);
    return count;
}

static void jobs_are_counted_by_kind_and_state(void **state)
{
    (void)state;
    put("a", "report", 0);
    put("b", "report", 0);
    put("c", "reminder", NOW + 1);
    (void)taken("report", 1, NOW);
    assert_int_equal(count_of("report", PL__JOB_STATE__JOB_WAITING), 1);
    assert_int_equal(count_of("report", PL__JOB_STATE__JOB_LEASED), 1);
    assert_int_equal(count_of("reminder", PL__JOB_STATE__JOB_WAITING), 1);
    assert_int_equal(count_of("reminder", PL__JOB_STATE__JOB_DEAD), 0);
}

static void what_is_over_for_long_is_forgotten(void **state)
{
    (void)state;
    outcome_t outcome;
    put("done", "report", 0);
    put("dead", "report", 0);
    put("waiting", "report", NOW + 5);
    (void)taken("report", 2, NOW);
    assert_int_equal(got->n_jobs, 2);
    assert_int_equal(ask(make_done(&outcome, "", "done", got->jobs[0]->lease, NULL), NOW), PL_OK);
    Pl__Envelope *env = make_fail(&outcome, "", "dead", got->jobs[1]->lease, NULL);
    outcome.fail.final = 1;
    assert_int_equal(ask(env, NOW), PL_OK);
    const struct {
        int64_t done_before_ms, dead_before_ms;
        uint32_t left;
    } sweeps[] = {{NOW, NOW, 3}, {NOW + 1, NOW, 2}, {NOW + 1, NOW + 1, 1}};
    for (size_t i = 0; i < 3; i++) {
        store_stats_t stats = {0};
        write_t *write = write_new_sweep(sweeps[i].done_before_ms, sweeps[i].dead_before_ms);
        provider->write(store, &write, 1, &stats);
        assert_int_equal(write->err, PL_OK);
        write_destroy(&write);
        Pl__JobList query = PL__JOB_LIST__INIT;
        query.limit = 10;
        Pl__Jobs *jobs = listed(&query);
        assert_int_equal(jobs->total, sweeps[i].left);
        pl__jobs__free_unpacked(jobs, NULL);
    }
    assert_int_equal(state_of("waiting"), PL__JOB_STATE__JOB_WAITING);
}

static void jobs_and_their_leases_are_there_after_a_restart(void **state)
{
    (void)state;
    put("a", "report", 0);
    (void)taken("report", 1, NOW);
    uint64_t lease = got->jobs[0]->lease;
    provider->close(&store);
    open_store();
    assert_int_equal(taken("report", 1, NOW + 1), 0);
    outcome_t outcome;
    assert_int_equal(ask(make_done(&outcome, "", "a", lease, NULL), NOW + 1), PL_OK);
    assert_int_equal(state_of("a"), PL__JOB_STATE__JOB_DONE);
}

#define CONTRACT_JOBS(TEST)                                                                        \
    TEST(a_calls_end_and_its_jobs_are_one_commit), TEST(a_refused_job_refuses_the_whole_write),    \
        TEST(a_result_is_stored_exactly_once),                                                     \
        TEST(a_result_that_cannot_be_stored_leaves_the_job_to_be_done),                            \
        TEST(a_failed_attempt_may_leave_what_stands_meanwhile),                                    \
        TEST(work_that_follows_comes_with_the_result),                                             \
        TEST(the_longest_waiting_are_taken_first_and_none_before_its_time),                        \
        TEST(of_several_kinds_the_longest_waiting_go_first),                                       \
        TEST(in_one_batch_a_job_is_given_to_one_only),                                             \
        TEST(a_job_nobody_ever_finishes_is_given_up),                                              \
        TEST(a_damaged_job_does_not_keep_the_others_waiting),                                      \
        TEST(lists_are_newest_change_first_and_filtered),                                          \
        TEST(jobs_are_counted_by_kind_and_state), TEST(what_is_over_for_long_is_forgotten),        \
        TEST(jobs_and_their_leases_are_there_after_a_restart)

#endif
