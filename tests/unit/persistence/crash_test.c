/* crash_test.c - the real process killed in the middle of a stream of writes, again and again:
 * what it acknowledged is there, nothing is there by half, and the file is sound.
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
#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"

enum { CALLS = 8, IN_FLIGHT = 3, ROUNDS = 20 };

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
static unsigned long acknowledged_in_all;

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
        char content[64];
        content_of(writer, flight->write_id, content);
        pl_bus_request(process.bus, "persistence",
                       make_message(&apply, writer->call_id, 1, flight->write_id, content), 10000,
                       on_reply, flight);
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

static unsigned open_requests(void)
{
    unsigned open = 0;
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
        assert_string_equal(record->call_id, writers[found].call_id);
        check_record(&writers[found++], record);
        pl_record_free(&record);
    }
    assert_int_equal(found, CALLS);
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
    process_run_ms(&process, ms);
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
    for (size_t i = 0; i < CALLS; i++) { /* in the end the whole stream is there, once */
        writers[i].failed = false;
        writers[i].sent = writers[i].acknowledged;
        send_next(&writers[i]);
    }
    process_run_ms(&process, 100);
    for (size_t i = 0; i < CALLS; i++) writers[i].failed = true; /* no more */
    while (open_requests() > 0) process_run_ms(&process, 5);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    check_disk();
    for (size_t i = 0; i < CALLS; i++) assert_int_equal(writers[i].acknowledged, writers[i].sent);
    print_message("%lu writes acknowledged over %ld crashes\n", acknowledged_in_all, rounds);
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
