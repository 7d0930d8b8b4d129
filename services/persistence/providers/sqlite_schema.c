#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/persistence/providers/sqlite.h"
#include "services/persistence/providers/sqlite_id.h"

/* Each step takes the schema from its number to the next. Steps are only ever added. */
static const char *const migrations[] = {
    /* calls: one row a call, with its whole record; events: every write ever acknowledged. */
    "CREATE TABLE calls ("
    "  id INTEGER PRIMARY KEY,"
    "  call_id TEXT NOT NULL UNIQUE,"
    "  created_at INTEGER NOT NULL," /* ms since the epoch */
    "  phone_number TEXT NOT NULL,"  /* of the initiate */
    "  policyholder_phone TEXT,"     /* of the claim */
    "  in_progress INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL,"
    "  owner TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  snapshot BLOB NOT NULL" /* packed CallRecord */
    ") STRICT;"
    "CREATE INDEX calls_newest ON calls (created_at);"
    "CREATE INDEX calls_phone ON calls (phone_number, created_at);"
    "CREATE INDEX calls_policyholder ON calls (policyholder_phone, created_at)"
    "  WHERE policyholder_phone IS NOT NULL;"
    "CREATE INDEX calls_live ON calls (owner, created_at) WHERE in_progress = 1;"
    "CREATE TABLE events ("
    "  call INTEGER NOT NULL REFERENCES calls (id),"
    "  version INTEGER NOT NULL," /* of the record after it */
    "  kind INTEGER NOT NULL,"    /* 0 create, 1 apply, 2 adopt, 3 job done, 4 job failed */
    "  epoch INTEGER NOT NULL,"
    "  write_id INTEGER NOT NULL," /* of an apply; the lease of a job's outcome; else 0 */
    "  at INTEGER NOT NULL,"       /* ms since the epoch */
    "  change BLOB NOT NULL,"      /* packed CallRecord, StoreApply, StoreAdopt, JobDone, JobFail */
    "  PRIMARY KEY (call, version)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX events_write ON events (call, epoch, write_id) WHERE kind = 1;",
    /* jobs: one row a job, with the whole of it. */
    "CREATE TABLE jobs ("
    "  id INTEGER PRIMARY KEY,"
    "  key TEXT NOT NULL UNIQUE,"
    "  kind TEXT NOT NULL,"
    "  call_id TEXT NOT NULL,"       /* empty: about none */
    "  state INTEGER NOT NULL,"      /* 0 waiting, 1 leased, 2 done, 3 dead */
    "  due INTEGER NOT NULL,"        /* ms since the epoch: from when on it may be taken */
    "  changed_at INTEGER NOT NULL," /* ms since the epoch */
    "  snapshot BLOB NOT NULL"       /* packed Job */
    ") STRICT;"
    "CREATE INDEX jobs_open ON jobs (kind, state, due) WHERE state <> 2;"
    "CREATE INDEX jobs_changed ON jobs (changed_at);"
    "CREATE INDEX jobs_call ON jobs (call_id) WHERE call_id <> '';",
    /* reminders: those of all calls, made from the records. */
    "CREATE TABLE reminders ("
    "  call INTEGER NOT NULL REFERENCES calls (id),"
    "  title TEXT NOT NULL,"
    "  due_at INTEGER NOT NULL," /* ms since the epoch; 0: not known */
    "  state INTEGER NOT NULL,"  /* 0 upcoming, 1 open, 2 ended */
    "  snapshot BLOB NOT NULL,"  /* packed CallReminder */
    "  PRIMARY KEY (call, title)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX reminders_due ON reminders (state, due_at);",
};
enum { SCHEMA = sizeof migrations / sizeof *migrations };

static pl_err_t run(sqlite_store_t *self, const char *sql, char detail[STORE_DETAIL_BYTES])
{
    if (sqlite3_exec(self->writer, sql, NULL, NULL, NULL) == SQLITE_OK) return PL_OK;
    sqlite_say(self, self->writer, detail);
    return PL_UNAVAILABLE;
}

static pl_err_t query_int(sqlite_store_t *self, const char *sql, int64_t *out,
                          char detail[STORE_DETAIL_BYTES])
{
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->writer, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
    } else {
        sqlite_say(self, self->writer, detail);
        err = PL_UNAVAILABLE;
    }
    (void)sqlite3_finalize(statement);
    return err;
}

/* Ours, empty, or somebody else's? Nothing is written before that is known. */
static pl_err_t recognise(sqlite_store_t *self, int64_t *schema, char detail[STORE_DETAIL_BYTES])
{
    int64_t application = 0;
    int64_t objects = 0;
    pl_err_t err = query_int(self, "PRAGMA application_id", &application, detail);
    if (!err) err = query_int(self, "PRAGMA user_version", schema, detail);
    if (!err) err = query_int(self, "SELECT count(*) FROM sqlite_master", &objects, detail);
    if (err) return err;
    if (application != SQLITE_APPLICATION_ID && (objects > 0 || *schema != 0)) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "%.160s: not a store of Parley", self->file);
        return PL_UNAVAILABLE;
    }
    if (*schema < 0 || *schema > SCHEMA) {
        (void)snprintf(detail, STORE_DETAIL_BYTES,
                       "%.160s: written by a newer Parley (schema %" PRId64 ", this one knows %d)",
                       self->file, *schema, SCHEMA);
        return PL_UNAVAILABLE;
    }
    return PL_OK;
}

static pl_err_t migrate(sqlite_store_t *self, int64_t schema, char detail[STORE_DETAIL_BYTES])
{
    for (; schema < SCHEMA; schema++) {
        char stamp[96];
        (void)snprintf(stamp, sizeof stamp,
                       "PRAGMA application_id = %d; PRAGMA user_version = %" PRId64 "; COMMIT",
                       SQLITE_APPLICATION_ID, schema + 1);
        pl_err_t err = run(self, "BEGIN IMMEDIATE", detail);
        if (!err) err = run(self, migrations[schema], detail);
        if (!err) err = run(self, stamp, detail);
        if (err) {
            (void)sqlite3_exec(self->writer, "ROLLBACK", NULL, NULL, NULL);
            return err;
        }
        log_info("store.migrated", "file=\"%s\" schema=%" PRId64, self->file, schema + 1);
    }
    return PL_OK;
}

static int out_of_time(void *arg)
{
    const uint64_t *until_ms = arg;
    return pl_clock_ms() >= *until_ms;
}

/* Reads the whole file, or as much of it as the time allows: a big store must not delay the start
 * for minutes, and damage met later is answered as such. */
static pl_err_t look_for_damage(sqlite_store_t *self, int64_t check_ms,
                                char detail[STORE_DETAIL_BYTES])
{
    if (check_ms <= 0) return PL_OK;
    uint64_t started_ms = pl_clock_ms();
    uint64_t until_ms = started_ms + (uint64_t)check_ms;
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_UNAVAILABLE;
    sqlite3_progress_handler(self->writer, 10000, out_of_time, &until_ms);
    int rc = sqlite3_prepare_v2(self->writer, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(statement);
    const char *answer = "";
    if (rc == SQLITE_ROW) answer = (const char *)sqlite3_column_text(statement, 0);
    if (rc == SQLITE_ROW && answer && strcmp(answer, "ok") == 0) {
        err = PL_OK;
    } else if (rc == SQLITE_INTERRUPT) {
        log_warn("store.check_partial", "file=\"%s\" checked_ms=%" PRIu64, self->file,
                 pl_clock_ms() - started_ms);
        err = PL_OK;
    } else if (rc == SQLITE_ROW) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "%.100s: damaged: %.120s", self->file,
                       answer ? answer : "");
    } else {
        sqlite_say(self, self->writer, detail);
    }
    (void)sqlite3_finalize(statement);
    sqlite3_progress_handler(self->writer, 0, NULL, NULL);
    return err;
}

pl_err_t sqlite_schema_open(sqlite_store_t *self, const char *synchronous, int64_t check_ms,
                            char detail[STORE_DETAIL_BYTES])
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(self->file, &self->writer, flags, NULL) != SQLITE_OK) {
        sqlite_say(self, self->writer, detail);
        return PL_UNAVAILABLE;
    }
    (void)sqlite3_extended_result_codes(self->writer, 1);
    (void)sqlite3_busy_timeout(self->writer, 2000); /* for somebody's sqlite3 shell */
    int64_t schema = 0;
    pl_err_t err = recognise(self, &schema, detail);
    if (!err) err = run(self, "PRAGMA journal_mode = WAL", detail);
    if (!err) {
        bool full = strcmp(synchronous, "full") == 0;
        err = run(self, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", detail);
    }
    if (!err) err = look_for_damage(self, check_ms, detail);
    if (!err) err = migrate(self, schema, detail);
    return err;
}
