/* pg_schema.c - the tables, and every statement that is said about them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/persistence/providers/postgresql.h"

/* Each step takes the schema from its number to the next. Steps are only ever added. Times are ms since the
 * epoch, snapshots and changes are packed protobuf; what the columns mean is said in sqlite_schema.c. */
static const char *const migrations[] = {
    "CREATE TABLE calls ("
    "  id BIGINT GENERATED ALWAYS AS IDENTITY,"
    "  call_id TEXT COLLATE \"C\" PRIMARY KEY,"
    "  created_at BIGINT NOT NULL,"
    "  phone_number TEXT NOT NULL,"
    "  policyholder_phone TEXT,"
    "  in_progress INTEGER NOT NULL,"
    "  epoch BIGINT NOT NULL,"
    "  owner TEXT NOT NULL,"
    "  version BIGINT NOT NULL,"
    "  snapshot BYTEA NOT NULL"
    ");"
    "CREATE INDEX calls_newest ON calls (created_at, id);"
    "CREATE INDEX calls_phone ON calls (phone_number, created_at, id);"
    "CREATE INDEX calls_policyholder ON calls (policyholder_phone, created_at, id)"
    "  WHERE policyholder_phone IS NOT NULL;"
    "CREATE INDEX calls_live ON calls (owner, created_at) WHERE in_progress = 1;"
    "CREATE TABLE events ("
    "  call_id TEXT COLLATE \"C\" NOT NULL REFERENCES calls ON DELETE CASCADE,"
    "  version BIGINT NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  epoch BIGINT NOT NULL,"
    "  write_id BIGINT NOT NULL,"
    "  at BIGINT NOT NULL,"
    "  change BYTEA NOT NULL,"
    "  PRIMARY KEY (call_id, version)"
    ");"
    "CREATE UNIQUE INDEX events_write ON events (call_id, epoch, write_id) WHERE kind = 1;"
    "CREATE TABLE jobs ("
    "  id BIGINT GENERATED ALWAYS AS IDENTITY,"
    "  key TEXT COLLATE \"C\" PRIMARY KEY,"
    "  kind TEXT NOT NULL,"
    "  call_id TEXT COLLATE \"C\" NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  due BIGINT NOT NULL,"
    "  changed_at BIGINT NOT NULL,"
    "  snapshot BYTEA NOT NULL"
    ");"
    "CREATE INDEX jobs_open ON jobs (due, kind) WHERE state IN (0, 1);"
    "CREATE INDEX jobs_changed ON jobs (changed_at, id);"
    "CREATE INDEX jobs_call ON jobs (call_id) WHERE call_id <> '';"
    "CREATE TABLE reminders ("
    "  call_id TEXT COLLATE \"C\" NOT NULL REFERENCES calls ON DELETE CASCADE,"
    "  title TEXT NOT NULL,"
    "  due_at BIGINT NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  snapshot BYTEA NOT NULL,"
    "  PRIMARY KEY (call_id, title)"
    ");"
    "CREATE INDEX reminders_due ON reminders (state, due_at);",
};
enum { SCHEMA = sizeof migrations / sizeof *migrations };

const char *const pg_write_sql[PG_WRITES] = {
    [PG_BEGIN] = "BEGIN",
    [PG_COMMIT] = "COMMIT",
    [PG_ROLLBACK] = "ROLLBACK",
    [PG_LOCK_CALLS] = "SELECT call_id, snapshot FROM calls WHERE call_id = ANY ($1::text[])"
                      " ORDER BY call_id FOR UPDATE",
    [PG_LOCK_JOBS] = "SELECT key, snapshot FROM jobs WHERE key = ANY ($1::text[])"
                     " ORDER BY key FOR UPDATE",
    [PG_FIRST_EVENT] = "SELECT version, change FROM events WHERE call_id = $1 AND version = 1",
    [PG_FIND_EVENT] = "SELECT version, change FROM events WHERE call_id = $1 AND epoch = $2"
                      " AND write_id = $3 AND kind = 1",
    [PG_INSERT_CALL] =
        "INSERT INTO calls (call_id, created_at, phone_number, policyholder_phone, in_progress,"
        " epoch, owner, version, snapshot) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [PG_UPDATE_CALL] = "UPDATE calls SET policyholder_phone = $2, in_progress = $3, epoch = $4,"
                       " owner = $5, version = $6, snapshot = $7 WHERE call_id = $1",
    [PG_INSERT_EVENT] = "INSERT INTO events (call_id, version, kind, epoch, write_id, at, change)"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [PG_DUE_JOBS] = "SELECT key, snapshot FROM jobs WHERE kind = ANY ($1::text[])"
                    " AND state IN (0, 1) AND due <= $2 ORDER BY due LIMIT $3"
                    " FOR UPDATE SKIP LOCKED",
    [PG_NEXT_JOB] = "SELECT due FROM jobs WHERE kind = ANY ($1::text[]) AND state IN (0, 1)"
                    " ORDER BY due LIMIT 1",
    [PG_INSERT_JOB] = "INSERT INTO jobs (key, kind, call_id, state, due, changed_at, snapshot)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [PG_UPDATE_JOB] = "UPDATE jobs SET kind = $2, call_id = $3, state = $4, due = $5,"
                      " changed_at = $6, snapshot = $7 WHERE key = $1",
    [PG_SWEEP_JOBS] = "DELETE FROM jobs WHERE key IN (SELECT key FROM jobs WHERE state = $1"
                      " AND changed_at < $2 LIMIT 500 FOR UPDATE SKIP LOCKED)",
    [PG_DROP_REMINDERS] = "DELETE FROM reminders WHERE call_id = $1",
    [PG_INSERT_REMINDER] = "INSERT INTO reminders (call_id, title, due_at, state, snapshot)"
                           " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
};

/* A page is cut where it would pass so many bytes, but holds a row if there is any: the last three
 * parameters are the limit, the offset and the bytes. */
#define PAGE(columns, from, order, limit, offset, bytes)                                           \
    "SELECT " columns " FROM (SELECT " columns                                                     \
    ", row_number() OVER w AS row, sum(octet_length(snapshot)) OVER w AS so_far FROM (SELECT * "   \
    "FROM " from " ORDER BY " order " LIMIT " limit " OFFSET " offset                              \
    ") AS page WINDOW w AS (ORDER BY " order ")) AS counted WHERE row = 1 OR so_far <= " bytes     \
    " ORDER BY row"

/* One look into an index each, which an OR of the two would not be. */
#define NEWEST_OF(column)                                                                          \
    "(SELECT snapshot, call_id, created_at, id FROM calls WHERE " column                           \
    " = $1 AND created_at >= $2 ORDER BY created_at DESC, id DESC LIMIT 1)"

#define CALLS_WHERE                                                                                \
    "calls WHERE ($1::text = '' OR phone_number = $1 OR policyholder_phone = $1)"                  \
    " AND ($2::int = 0 OR in_progress = 1) AND ($3::text = '' OR owner = $3)"
#define JOBS_WHERE                                                                                 \
    "jobs WHERE ($1::text = '' OR key = $1) AND ($2::text = '' OR kind = $2)"                      \
    " AND ($3::text = '' OR call_id = lower($3)) AND ($4::int[] IS NULL OR state = ANY ($4))"
#define REMINDERS_WHERE                                                                            \
    "reminders WHERE ($1::int[] IS NULL OR state = ANY ($1)) AND ($2::bigint = 0 OR due_at < $2)"

const char *const pg_read_sql[PG_READS] = {
    [PG_VIEW] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    /* These statements serve many filters: their plan is to fit the values. */
    [PG_VIEW_PLANS] = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)",
    [PG_VIEW_END] = "COMMIT",
    [PG_CALL_BY_ID] = "SELECT snapshot, call_id FROM calls WHERE call_id = lower($1)",
    [PG_CALL_BY_NUMBER] =
        "SELECT snapshot, call_id FROM (" NEWEST_OF("phone_number") " UNION ALL " NEWEST_OF(
            "policyholder_phone") ") AS found ORDER BY created_at DESC, id DESC LIMIT 1",
    [PG_COUNT_CALLS] = "SELECT count(*) FROM " CALLS_WHERE,
    [PG_LIST_CALLS] = PAGE("snapshot, call_id, created_at, id", CALLS_WHERE,
                           "created_at DESC, id DESC", "$4", "$5", "$6"),
    [PG_COUNT_JOBS] = "SELECT count(*) FROM " JOBS_WHERE,
    [PG_LIST_JOBS] = PAGE("snapshot, key, changed_at, id", JOBS_WHERE, "changed_at DESC, id DESC",
                          "$5", "$6", "$7"),
    [PG_JOB_COUNTS] = "SELECT kind, state, count(*) FROM jobs WHERE state <> 2"
                      " GROUP BY kind, state ORDER BY kind, state LIMIT $1",
    [PG_COUNT_REMINDERS] = "SELECT count(*) FROM " REMINDERS_WHERE,
    [PG_LIST_REMINDERS] = PAGE("snapshot, call_id, title, due_at", REMINDERS_WHERE,
                               "due_at, call_id, title", "$3", "$4", "$5"),
};

/* ---- bringing it up to date ---- */

static pg_outcome_t migrate(PGconn *conn, const char *schema, char detail[STORE_DETAIL_BYTES])
{
    PGresult *result = NULL;
    pg_outcome_t outcome =
        pg_run(conn,
               "CREATE TABLE IF NOT EXISTS parley_schema (version INTEGER NOT NULL);"
               "SELECT coalesce(max(version), 0) FROM parley_schema",
               &result, detail);
    if (outcome) return outcome;
    int version = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    if (version > SCHEMA) {
        (void)snprintf(detail, STORE_DETAIL_BYTES,
                       "persistence.postgresql.schema: \"%.60s\" was written by a newer Parley"
                       " (schema %d, this one knows %d)",
                       schema, version, SCHEMA);
        return PG_REFUSED;
    }
    for (; version < SCHEMA && !outcome; version++) {
        char stamp[96];
        (void)snprintf(stamp, sizeof stamp, "INSERT INTO parley_schema (version) VALUES (%d)",
                       version + 1);
        outcome = pg_run(conn, migrations[version], NULL, detail);
        if (!outcome) outcome = pg_run(conn, stamp, NULL, detail);
        if (!outcome) log_info("store.migrated", "schema=%s version=%d", schema, version + 1);
    }
    return outcome;
}

/* Makes the schema where there is none; who may only use it need not be allowed to make one. */
static pg_outcome_t enter(PGconn *conn, const char *name, char detail[STORE_DETAIL_BYTES])
{
    PGresult *result = PQexecParams(conn, "SELECT 1 FROM pg_namespace WHERE nspname = $1", 1, NULL,
                                    &name, NULL, NULL, 0);
    bool there = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    PQclear(result);
    char *schema = PQescapeIdentifier(conn, name, strlen(name));
    char sql[512];
    if (!schema) schema = PQescapeIdentifier(conn, "", 0); /* not to be made: refused by its name */
    size_t made = 0;
    if (!there) made = (size_t)snprintf(sql, sizeof sql, "CREATE SCHEMA %.200s; ", schema);
    (void)snprintf(sql + made, sizeof sql - made, "SET LOCAL search_path = %.200s", schema);
    PQfreemem(schema);
    return pg_run(conn, sql, NULL, detail);
}

pg_outcome_t pg_schema_update(void *store, PGconn *conn, char detail[STORE_DETAIL_BYTES])
{
    const pg_store_t *self = store;
    pg_outcome_t outcome =
        pg_run(conn, "BEGIN; SELECT pg_advisory_xact_lock(1347180883 /* PLYS */)", NULL, detail);
    if (!outcome) outcome = enter(conn, self->schema, detail);
    if (!outcome) outcome = migrate(conn, self->schema, detail);
    char ignored[STORE_DETAIL_BYTES];
    if (outcome)
        (void)pg_run(conn, "ROLLBACK", NULL, ignored);
    else
        outcome = pg_run(conn, "COMMIT", NULL, detail);
    return outcome;
}
