/* postgresql_test.c - the PostgreSQL provider on a real server: the contract of every store, several
 * instances at once, a server that goes and comes back. */
#include "tests/unit/persistence/postgresql_fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "tests/unit/persistence/contract_calls.h"

static void settings_that_make_no_sense_are_named(void **state)
{
    (void)state;
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_with("postgres ql", "", &store, detail), PL_INVALID);
    assert_non_null(strstr(detail, "persistence.postgresql.url"));
    assert_int_equal(open_with("host=/nowhere", "", &store, detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "/nowhere"));
    assert_null(store);
}

static void a_schema_of_a_newer_version_is_refused_and_left_alone(void **state)
{
    (void)state;
    open_store();
    provider->close(&store);
    execute("INSERT INTO parley_schema (version) VALUES (77)");
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_with(server.url, "", &store, detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "newer Parley (schema 77"));
    assert_int_equal(query_int("SELECT max(version) FROM parley_schema"), 77);
}

/* ---- two instances of persistence, at work at once on the same calls and jobs ---- */

enum { ROUNDS = 60, SHARED_JOBS = 40 };

typedef struct {
    void *store;
    unsigned number, created, adopted, jobs;
    bool failed;
} instance_t;

static pl_err_t write_by(void *at, const Pl__Envelope *env, unsigned *jobs)
{
    store_stats_t stats = {0};
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (write_new(&write, env, 1000, detail)) return PL_INTERNAL;
    provider->write(at, &write, 1, &stats);
    pl_err_t err = write->err;
    if (jobs && write->taken) *jobs += (unsigned)write->taken->n_jobs;
    write_destroy(&write);
    return err;
}

static void work_on(instance_t *self, unsigned i)
{
    char id[64];
    char owner[32];
    char key[32];
    create_t create;
    adopt_t adopt;
    put_t put;
    take_t take;
    (void)snprintf(id, sizeof id, "00000000-0000-4000-8000-0000000000%02u", i);
    (void)snprintf(owner, sizeof owner, "dialogue-%u", self->number + 1);
    (void)snprintf(key, sizeof key, "job/%u", i % SHARED_JOBS);
    self->created += write_by(self->store, make_create(&create, id, "+1", 5000), NULL) == PL_OK;
    pl_err_t adopted = write_by(self->store, make_adopt(&adopt, id, 1, owner), NULL);
    self->adopted += adopted == PL_OK;
    pl_err_t put_in = write_by(self->store, make_put(&put, "", key, "report", 1), NULL);
    pl_err_t taken =
        write_by(self->store, make_take(&take, "report", owner, 60000, 1), &self->jobs);
    bool well = (!adopted || adopted == PL_STALE) && !put_in && !taken;
    self->failed = self->failed || !well;
}

static void *work(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) work_on(arg, i);
    return NULL;
}

static void two_instances_share_a_server(void **state)
{
    (void)state;
    instance_t instances[2] = {{.number = 0}, {.number = 1}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) open_another(&instances[i].store);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &instances[i]), 0);
    for (size_t i = 0; i < 2; i++) (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        provider->close(&instances[i].store);
        assert_false(instances[i].failed);
        assert_int_equal(instances[i].created, ROUNDS); /* the same content: acknowledged to both */
    }
    /* Each call has one new owner, each job went to one worker, and nothing is there twice. */
    assert_int_equal(instances[0].adopted + instances[1].adopted, ROUNDS);
    assert_int_equal(instances[0].jobs + instances[1].jobs, SHARED_JOBS);
    assert_int_equal(query_int("SELECT count(*) FROM calls WHERE epoch = 2 AND version = 2"),
                     ROUNDS);
    assert_int_equal(query_int("SELECT count(*) FROM events"), 2 * ROUNDS);
}

/* ---- what somebody else holds ---- */

static void what_is_held_for_too_long_fails_alone(void **state)
{
    (void)state;
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_with(server.url, "    timeout_ms: 400\n", &store, detail), PL_OK);
    create(CALL_1, "+15550100", 5000);
    create(CALL_2, "+15550100", 5000);
    PGconn *holder = hold_calls(CALL_1);
    apply_t a;
    apply_t b;
    write_t *writes[] = {made(make_message(&a, CALL_1, 1, 1, "held")),
                         made(make_message(&b, CALL_2, 1, 1, "free"))};
    store_stats_t stats = {0};
    provider->write(store, writes, 2, &stats);
    assert_int_equal(writes[0]->err, PL_UNAVAILABLE);
    assert_int_equal(writes[1]->err, PL_OK);
    for (size_t i = 0; i < 2; i++) write_destroy(&writes[i]);
    PQfinish(holder);
    assert_int_equal(say(CALL_1, 1, "held"), PL_OK);
}

/* ---- a server that goes ---- */

static void a_server_that_goes_is_told_and_used_again_when_it_is_back(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    assert_int_equal(say(CALL_1, 1, "before"), PL_OK);
    postgres_down(&server, SIGQUIT); /* connections end without a word */
    apply_t apply;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(write_one(make_message(&apply, CALL_1, 1, 2, "during"), NULL, detail),
                     PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "postgresql: "));
    Pl__StoreGet query = PL__STORE_GET__INIT;
    Pl__CallRecord *record = NULL;
    assert_int_equal(provider->get(store, CALL_1, &query, &record, detail), PL_UNAVAILABLE);
    assert_int_equal(postgres_up(&server), 0);
    pl_err_t err = PL_UNAVAILABLE;
    for (int i = 0; i < 200 && err; i++) { /* the server is not asked all the time */
        (void)usleep(20 * 1000);
        err = say(CALL_1, 2, "during");
    }
    assert_int_equal(err, PL_OK);
    /* A connection that ended while nothing was asked costs nothing. */
    postgres_down(&server, SIGQUIT);
    assert_int_equal(postgres_up(&server), 0);
    assert_int_equal(say(CALL_1, 3, "after"), PL_OK);
    for (int i = 0; i < 200 && provider->get(store, CALL_1, &query, &record, detail); i++)
        (void)usleep(20 * 1000);
    assert_non_null(record);
    assert_int_equal(record->n_messages, 3);
    assert_int_equal(record->version, 4);
    pl_record_free(&record);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CONTRACT_CALLS(TEST),
        TEST(settings_that_make_no_sense_are_named),
        TEST(a_schema_of_a_newer_version_is_refused_and_left_alone),
        TEST(two_instances_share_a_server),
        TEST(what_is_held_for_too_long_fails_alone),
        TEST(a_server_that_goes_is_told_and_used_again_when_it_is_back),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
