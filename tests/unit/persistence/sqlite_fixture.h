/* sqlite_fixture.h - a store of the SQLite provider in a folder of its own for each test. What a provider's
 * fixture offers to the contract (contract_*.h): provider, store, setup and teardown (a clean store, not
 * opened), open_store, query_int and execute by a client of its own, each_event, refuse_inserts and
 * allow_inserts (the database's own refusal, with these words), damage (a snapshot that cannot be read).
 */
#ifndef TESTS_PERSISTENCE_SQLITE_FIXTURE_H
#define TESTS_PERSISTENCE_SQLITE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include <cmocka.h>

#include "services/persistence/config.h"
#include "services/persistence/store.h"
#include "tests/support/folder.h"

static char folder[64];
static char file[128];
static void *store;
static const store_provider_t *const provider = &store_sqlite;

static inline pl_err_t open_file(const char *path, const char *more,
                                 char detail[STORE_DETAIL_BYTES])
{
    char yaml[512];
    char error[256] = "";
    (void)snprintf(yaml, sizeof yaml, "persistence:\n  sqlite:\n    file: %s\n%s", path, more);
    pl_config_t *cfg = pl_config_parse("persistence", persistence_config_keys, "test.yaml", yaml,
                                       error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    detail[0] = '\0';
    pl_err_t err = provider->open(&store, cfg, detail);
    pl_config_destroy(&cfg);
    return err;
}

static inline void open_store(void)
{
    char detail[STORE_DETAIL_BYTES];
    if (open_file(file, "", detail) != PL_OK) fail_msg("%s", detail);
}

static inline int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/parley-store-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(file, sizeof file, "%s/data/deep/parley.db", folder); /* folders do not exist */
    store = NULL;
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    provider->close(&store);
    return folder_remove(folder);
}

/* ---- a client of its own ---- */

static inline int64_t query_int(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return value;
}

static inline void execute(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 1000);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL)) fail_msg("%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

typedef void event_fn(void *arg, int kind, const uint8_t *change, size_t bytes);

static inline void each_event(event_fn *fn, void *arg)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT kind, change FROM events ORDER BY version", -1, &rows, NULL),
        SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW)
        fn(arg, sqlite3_column_int(rows, 0), sqlite3_column_blob(rows, 1),
           (size_t)sqlite3_column_bytes(rows, 1));
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(db);
}

/* call_id NULL: of every call. */
static inline void refuse_inserts(const char *table, const char *call_id, const char *words)
{
    char when[160] = "";
    char sql[512];
    if (call_id)
        (void)snprintf(when, sizeof when,
                       "WHEN NEW.call = (SELECT id FROM calls WHERE call_id = '%s')", call_id);
    (void)snprintf(
        sql, sizeof sql,
        "CREATE TRIGGER no_%s BEFORE INSERT ON %s %s BEGIN SELECT RAISE(ABORT, '%s'); END", table,
        table, when, words);
    execute(sql);
}

static inline void allow_inserts(const char *table)
{
    char sql[64];
    (void)snprintf(sql, sizeof sql, "DROP TRIGGER no_%s", table);
    execute(sql);
}

static inline void damage(const char *table, const char *column, const char *key)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql, "UPDATE %s SET snapshot = x'ffffff' WHERE %s = '%s'", table,
                   column, key);
    execute(sql);
}

#endif
