/* crash_test.c - the real process killed in the middle of a stream of writes, again and again:
 * what it acknowledged is there, nothing is there by half, and the file is sound.
 *
 * Every fourth write puts a job, and workers take the jobs and report them, each with a result for a second
 * call. Each job is there exactly when its write is, and has left its result exactly once or not yet.
 *
 * PARLEY_CRASH_ROUNDS sets how often (20).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include <cmocka.h>

#include "common/record.h"
#include "services/persistence/job.h"
#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"

enum { CALLS = 8, IN_FLIGHT = 3, ROUNDS = 20, WORKERS = 4, LEASE_MS = 1000 };

#define RESULTS "99999999-0000-4000-8000-000000000000" /* the call that results go to */

/* One owner: sends its writes in order, IN_FLIGHT at once, and again what was not acknowledged. */
typedef struct {
    char call_id[40];
    uint64_t sent, acknowledged; /* highest write_id; all below are acknowledged, too */
    unsigned open;
    bool failed; /* in this round: nothing more is sent */
} writer_t;

typedef struct {
    writer_t *writer;
    uint64_t write_id;
} flight_t;

static process_t process;
static writer_t writers[CALLS];
static unsigned long acknowledged_in_all, results_in_all;
static bool working; /* workers go on */

static void content_of(const writer_t *writer, uint64_t write_id, char out[64])
{
    (void)snprintf(out, 64, "%.8s says %llu", writer->call_id, (unsigned long long)write_id);
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply);

static void send_next(writer_t *writer)
{
    while (!writer->failed && writer->open < IN_FLIGHT) {
        flight_t *flight = malloc(sizeof *flight);
        assert_non_null(flight);
        *flight = (flight_t){writer, ++writer->sent};
        writer->open++;
        apply_t apply;
        Pl__JobSpec spec;
        Pl__JobSpec *specs[] = {&spec};
        char content[64];
        content_of(writer, flight->write_id, content);
        Pl__Envelope *env = make_message(&apply, writer->call_id, 1, flight->write_id, content);
        start_spec(&spec, content, "echo", "");
        spec.call_id = RESULTS;
        spec.max_attempts = JOB_ATTEMPTS_MAX;
        apply.apply.jobs = specs;
        apply.apply.n_jobs = flight->write_id % 4 == 0;
        pl_bus_request(process.bus, "persistence", env, 10000, on_reply, flight);
    }
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    flight_t *flight = arg;
    writer_t *writer = flight->writer;
    writer->open--;
    if (err == PL_OK) {
        /* The create is version 1, and write n makes version n + 1: always in order. */
        assert_int_equal(reply->store_ack->version, flight->write_id + 1);
        assert_int_equal(flight->write_id, writer->acknowledged + 1);
        writer->acknowledged = flight->write_id;
        acknowledged_in_all++;
        send_next(writer);
    } else {
        if (err != PL_UNAVAILABLE)
            fail_msg("%s: %s", pl_err_name(err), pl_bus_error_detail(err, reply));
        writer->failed = true;
    }
    free(flight);
}

/* ---- workers ---- */

static unsigned worker_requests;

static void worker_go_on(void);

static void on_result(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    worker_requests--;
    /* STALE: the process was away for so long that the lease ran out, and another has it. */
    if (err && err != PL_UNAVAILABLE && err != PL_STALE)
        fail_msg("%s: %s", pl_err_name(err), pl_bus_error_detail(err, reply));
    if (!err) results_in_all++;
    worker_go_on();
}

static void on_taken(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    worker_requests--;
    if (err) return;
    for (size_t i = 0; i < reply->job_taken->n_jobs; i++) {
        const Pl__Job *job = reply->job_taken->jobs[i];
        outcome_t outcome;
        worker_requests++;
        pl_bus_request(process.bus, "persistence",
                       make_done(&outcome, RESULTS, job->key, job->lease, job->key), 10000,
                       on_result, NULL);
    }
    if (reply->job_taken->n_jobs == 0) worker_go_on();
}

static void worker_go_on(void)
{
    if (!working || worker_requests >= WORKERS) return;
    take_t take;
    worker_requests++;
    pl_bus_request(process.bus, "persistence", make_take(&take, "echo", "dialogue-0", LEASE_MS, 1),
                   10000, on_taken, NULL);
}

static unsigned open_requests(void)
{
    unsigned open = worker_requests;
    for (size_t i = 0; i < CALLS; i++) open += writers[i].open;
    return open;
}

/* ---- what is on the disk ---- */

/* A copy, so that the process finds the file as it was left and recovers it itself. */
static void copy_store(char out[PROCESS_PATH_BYTES])
{
    char command[4 * PROCESS_PATH_BYTES];
    (void)snprintf(out, PROCESS_PATH_BYTES, "%s/copy/parley.db", process.folder);
    (void)snprintf(command, sizeof command, "rm -rf %s/copy && cp -r %s/data %s/copy",
                   process.folder, process.folder, process.folder);
    assert_int_equal(system(command), 0);  // NOLINT(concurrency-mt-unsafe): one thread
}

static void expect_text(sqlite3 *db, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), expected);
    (void)sqlite3_finalize(statement);
}

static void check_record(const writer_t *writer, const Pl__CallRecord *record)
{
    if (record->n_messages < writer->acknowledged)
        fail_msg("%s: %llu writes acknowledged, %zu there", writer->call_id,
                 (unsigned long long)writer->acknowledged, record->n_messages);
    assert_true(record->n_messages <= writer->sent);
    assert_int_equal(record->version, record->n_messages + 1);
    for (size_t i = 0; i < record->n_messages; i++) {
        char content[64];
        content_of(writer, i + 1, content);
        assert_int_equal(record->messages[i]->number, i + 1);
        assert_string_equal(record->messages[i]->content, content);
    }
}

/* Each result stands once, as the store counted them, and is that of a job that is done. */
static size_t check_results(sqlite3 *db, const Pl__CallRecord *record)
{
    sqlite3_stmt *row = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT state FROM jobs WHERE key = ?1", -1, &row, NULL), SQLITE_OK);
    for (size_t i = 0; i < record->n_messages; i++) {
        const char *key = record->messages[i]->content;
        for (size_t k = 0; k < i && i < 200;
             k++) /* all pairs of the first, neighbours of the rest */
            assert_string_not_equal(record->messages[k]->content, key);
        (void)sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(row), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(row, 0), PL__JOB_STATE__JOB_DONE);
        (void)sqlite3_reset(row);
    }
    (void)sqlite3_finalize(row);
    return record->n_messages;
}

static void check_jobs(sqlite3 *db, size_t results)
{
    char expected[32];
    (void)snprintf(expected, sizeof expected, "%zu", results);
    assert_true(results >= results_in_all); /* whatever was acknowledged is there */
    expect_text(db, "SELECT count(*) FROM jobs WHERE state = 2", expected);
    expect_text(db, "SELECT count(*) FROM jobs WHERE state = 3", "0");
    /* A write and its job: both or neither. */
    expect_text(db,
                "SELECT (SELECT count(*) FROM jobs) -"
                " (SELECT count(*) FROM events WHERE kind = 1 AND write_id % 4 = 0)",
                "0");
}

static void check_disk(void)
{
    char copy[PROCESS_PATH_BYTES];
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    copy_store(copy);
    assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
    expect_text(db, "PRAGMA integrity_check", "ok");
    expect_text(db,
                "SELECT count(*) FROM calls c WHERE version <>"
                " (SELECT count(*) FROM events e WHERE e.call = c.id)",
                "0");
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT snapshot FROM calls ORDER BY call_id", -1, &rows, NULL),
        SQLITE_OK);
    size_t found = 0;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        Pl__CallRecord *record = pl__call_record__unpack(
            NULL, (size_t)sqlite3_column_bytes(rows, 0), sqlite3_column_blob(rows, 0));
        assert_non_null(record);
        if (found == CALLS) {
            assert_string_equal(record->call_id, RESULTS);
            check_jobs(db, check_results(db, record));
            found++;
        } else {
            assert_string_equal(record->call_id, writers[found].call_id);
            check_record(&writers[found++], record);
        }
        pl_record_free(&record);
    }
    assert_int_equal(found, CALLS + 1);
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(db);
}

/* ---- rounds ---- */

static void start(void)
{
    process_start(&process, NULL);
    process_await_up(&process);
}

static void create_calls(void)
{
    create_t results;
    assert_int_equal(process_ask(&process, make_create(&results, RESULTS, "+15550199", 1000), NULL),
                     PL_OK);
    for (size_t i = 0; i < CALLS; i++) {
        create_t create;
        (void)snprintf(writers[i].call_id, sizeof writers[i].call_id,
                       "0000000%zu-0000-4000-8000-000000000000", i);
        assert_int_equal(process_ask(&process,
                                     make_create(&create, writers[i].call_id, "+15550100", 1000),
                                     NULL),
                         PL_OK);
    }
}

static void crash_after_ms(uint64_t ms)
{
    for (size_t i = 0; i < CALLS; i++) { /* what was not acknowledged is sent again */
        writers[i].failed = false;
        writers[i].sent = writers[i].acknowledged;
        send_next(&writers[i]);
    }
    working = true;
    for (int i = 0; i < WORKERS; i++) worker_go_on();
    process_run_ms(&process, ms);
    working = false;
    uint64_t sent[CALLS]; /* what was in flight may be stored, though never acknowledged */
    assert_int_equal(process_stop(&process, SIGKILL), 256 + SIGKILL);
    uint64_t until_ms = pl_clock_ms() + PROCESS_UP_MS;
    for (size_t i = 0; i < CALLS; i++) sent[i] = writers[i].sent;
    while (open_requests() > 0) { /* those that are lost fail by themselves */
        assert_true(pl_clock_ms() < until_ms);
        process_run_ms(&process, 5);
    }
    for (size_t i = 0; i < CALLS; i++) {
        if (writers[i].sent < sent[i]) writers[i].sent = sent[i];
    }
}

static void finish_the_stream(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        writers[i].failed = false;
        writers[i].sent = writers[i].acknowledged;
        send_next(&writers[i]);
    }
    process_run_ms(&process, 100);
    for (size_t i = 0; i < CALLS; i++) writers[i].failed = true; /* no more */
    while (open_requests() > 0) process_run_ms(&process, 5);
}

static uint64_t open_jobs(void)
{
    keyed_t keyed;
    Pl__Envelope *reply = NULL;
    Pl__Envelope *env = make_job_list(&keyed, "");
    keyed.list.count = 1;
    assert_int_equal(process_ask(&process, env, &reply), PL_OK);
    uint64_t count = 0;
    for (size_t i = 0; i < reply->jobs->n_counts; i++) count += reply->jobs->counts[i]->count;
    pl__envelope__free_unpacked(reply, NULL);
    return count;
}

/* All jobs come to be done: those that were taken by a killed process's clients, too. */
static void finish_the_jobs(void)
{
    uint64_t until_ms = pl_clock_ms() + 60000;
    while (open_jobs() > 0) {
        assert_true(pl_clock_ms() < until_ms);
        working = true;
        for (int i = 0; i < WORKERS; i++) worker_go_on();
        process_run_ms(&process, 100);
        working = false;
        while (open_requests() > 0) process_run_ms(&process, 5);
    }
}

static void acknowledged_writes_survive_being_killed(void **state)
{
    (void)state;
    const char *rounds_text = getenv("PARLEY_CRASH_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
    long rounds = rounds_text ? strtol(rounds_text, NULL, 10) : ROUNDS;
    uint32_t seed = 20261122;
    start();
    create_calls();
    unsigned long productive = 0;
    for (long round = 0; round < rounds; round++) {
        unsigned long before = acknowledged_in_all;
        seed = seed * 1664525u + 1013904223u;
        crash_after_ms(20 + (seed >> 16) % 100);
        check_disk();
        start();
        productive += acknowledged_in_all > before;
    }
    assert_true(productive * 2 > (unsigned long)rounds); /* else it was killed before any work */
    finish_the_stream();
    finish_the_jobs();
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    check_disk();
    for (size_t i = 0; i < CALLS; i++) assert_int_equal(writers[i].acknowledged, writers[i].sent);
    print_message("%lu writes and %lu results acknowledged over %ld crashes\n", acknowledged_in_all,
                  results_in_all, rounds);
}

static int setup(void **state)
{
    (void)state;
    pl_signals_init();
    process_make_folder(&process, "persistence");
    process.settings[0] = "bus.heartbeat_ms=50";
    process_connect(&process);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    process_clean_up(&process);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(acknowledged_writes_survive_being_killed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
