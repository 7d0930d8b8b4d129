/* postgresql_fixture.h - a store of the PostgreSQL provider for each test: a schema of its own on a real
 * server, which each test program starts for itself (tests/support/postgres.h). sqlite_fixture.h says what
 * a fixture offers.
 */
#ifndef TESTS_PERSISTENCE_POSTGRESQL_FIXTURE_H
#define TESTS_PERSISTENCE_POSTGRESQL_FIXTURE_H

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <cmocka.h>

#include "services/persistence/config.h"
#include "services/persistence/store.h"
#include "tests/support/postgres.h"

static postgres_t server;
static char schema[32];
static unsigned schemas;
static void *store;
static const store_provider_t *const provider = &store_postgresql;

static inline int start_server(void **state)
{
    (void)state;
    return postgres_start(&server, false);
}

static inline int stop_server(void **state)
{
    (void)state;
    postgres_end(&server);
    return 0;
}

static inline pl_err_t open_with(const char *url, const char *more, void **out,
                                 char detail[STORE_DETAIL_BYTES])
{
    char yaml[768];
    char error[256] = "";
    (void)snprintf(yaml, sizeof yaml,
                   "persistence:\n  postgresql:\n    url: \"%s\"\n    schema: \"%s\"\n%s", url,
                   schema, more);
    pl_config_t *cfg = pl_config_parse("persistence", persistence_config_keys, "test.yaml", yaml,
                                       error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    detail[0] = '\0';
    pl_err_t err = provider->open(out, cfg, detail);
    pl_config_destroy(&cfg);
    return err;
}

static inline void open_another(void **out)
{
    char detail[STORE_DETAIL_BYTES];
    if (open_with(server.url, "", out, detail) != PL_OK) fail_msg("%s", detail);
}

static inline void open_store(void)
{
    open_another(&store);
}

static inline int setup(void **state)
{
    (void)state;
    (void)snprintf(schema, sizeof schema, "Test \\\"%u\\\"",
                   ++schemas); /* a name that wants quotes */
    store = NULL;
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    provider->close(&store);
    return 0;
}

/* ---- a client of its own ---- */

static inline PGconn *connect_beside(void)
{
    char path[64];
    PGconn *conn = PQconnectdb(server.url);
    (void)snprintf(path, sizeof path, "SET search_path = \"Test \"\"%u\"\"\"", schemas);
    PQclear(PQexec(conn, path));
    return conn;
}

/* Locks a call's row until the connection is finished. */
static inline PGconn *hold_calls(const char *call_id)
{
    char sql[160];
    PGconn *conn = connect_beside();
    (void)snprintf(sql, sizeof sql, "BEGIN; SELECT 1 FROM calls WHERE call_id = '%s' FOR UPDATE",
                   call_id);
    PQclear(PQexec(conn, sql));
    return conn;
}

static inline PGresult *ask_server(const char *sql)
{
    PGconn *conn = connect_beside();
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQfinish(conn);
    return result;
}

static inline int64_t query_int(const char *sql)
{
    PGresult *result = ask_server(sql);
    int64_t value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return value;
}

static inline void execute(const char *sql)
{
    PQclear(ask_server(sql));
}

typedef void event_fn(void *arg, int kind, const uint8_t *change, size_t bytes);

static inline void each_event(event_fn *fn, void *arg)
{
    PGresult *rows = ask_server("SELECT kind, change FROM events ORDER BY version");
    for (int i = 0; i < PQntuples(rows); i++) {
        size_t bytes;
        unsigned char *change =
            PQunescapeBytea((const unsigned char *)PQgetvalue(rows, i, 1), &bytes);
        fn(arg, atoi(PQgetvalue(rows, i, 0)), change, bytes);
        PQfreemem(change);
    }
    PQclear(rows);
}

static inline void refuse_inserts(const char *table, const char *call_id, const char *words)
{
    char sql[640];
    char when[96] = "";
    if (call_id) (void)snprintf(when, sizeof when, "WHEN (NEW.call_id = '%s')", call_id);
    (void)snprintf(
        sql, sizeof sql,
        "CREATE FUNCTION no_%s() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '%s'; END $$;"
        "CREATE TRIGGER no_%s BEFORE INSERT ON %s FOR EACH ROW %s EXECUTE FUNCTION no_%s()",
        table, words, table, table, when, table);
    execute(sql);
}

static inline void allow_inserts(const char *table)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "DROP TRIGGER no_%s ON %s; DROP FUNCTION no_%s()", table, table,
                   table);
    execute(sql);
}

static inline void damage(const char *table, const char *column, const char *key)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql, "UPDATE %s SET snapshot = '\\xffffff' WHERE %s = '%s'", table,
                   column, key);
    execute(sql);
}

#endif
