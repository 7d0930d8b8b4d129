#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "services/persistence/providers/sqlite.h"
#include "services/persistence/row.h"

static const char *const sql_text[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_LOAD] = "SELECT id, snapshot FROM calls WHERE call_id = ?1",
    [SQL_FIND_EVENT] = "SELECT version, change FROM events"
                       " WHERE call = ?1 AND epoch = ?2 AND write_id = ?3 AND kind = 1",
    [SQL_FIRST_EVENT] = "SELECT version, change FROM events WHERE call = ?1 AND version = 1",
    [SQL_INSERT_CALL] =
        "INSERT INTO calls (call_id, created_at, phone_number, policyholder_phone, in_progress,"
        " epoch, owner, version, snapshot) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_UPDATE_CALL] =
        "UPDATE calls SET policyholder_phone = ?4, in_progress = ?5, epoch = ?6, owner = ?7,"
        " version = ?8, snapshot = ?9 WHERE call_id = ?1",
    [SQL_INSERT_EVENT] = "INSERT INTO events (call, version, kind, epoch, write_id, at, change)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_LOAD_JOB] = "SELECT snapshot FROM jobs WHERE key = ?1",
    /* "state <> 2" says what the planner cannot see in "state = ?2": that jobs_open will do. */
    [SQL_DUE_JOBS] = "SELECT due, snapshot FROM jobs WHERE kind = ?1 AND state = ?2"
                     " AND state <> 2 AND due <= ?3 ORDER BY due LIMIT ?4",
    [SQL_NEXT_JOB] = "SELECT min(due) FROM jobs WHERE kind = ?1 AND state = ?2 AND state <> 2",
    [SQL_STORE_JOB] = "INSERT INTO jobs (key, kind, call_id, state, due, changed_at, snapshot)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO UPDATE SET"
                      " state = excluded.state, due = excluded.due,"
                      " changed_at = excluded.changed_at, snapshot = excluded.snapshot",
    [SQL_SWEEP_JOBS] = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs"
                       " WHERE state = ?1 AND changed_at < ?2 LIMIT 500)",
    [SQL_DROP_REMINDERS] = "DELETE FROM reminders WHERE call = ?1",
    [SQL_INSERT_REMINDER] = "INSERT INTO reminders (call, title, due_at, state, snapshot)"
                            " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
};

pl_err_t sqlite_write_prepare(sqlite_store_t *self, char detail[STORE_DETAIL_BYTES])
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(self->writer, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->sql[i], NULL) == SQLITE_OK)
            continue;
        sqlite_say(self, self->writer, detail);
        return PL_UNAVAILABLE;
    }
    return PL_OK;
}

/* ---- calls touched by the transaction ---- */

/* A call written several times in a batch is read once and stored once. */
typedef struct {
    char call_id[CALL_ID_BYTES];
    int64_t id; /* of its row; 0: not stored yet */
    Pl__CallRecord *record;
    bool changed, reminders_changed;
    bool unreadable;
} touched_t;

typedef struct {
    sqlite_store_t *store;
    touched_t *calls; /* room for as many as there are writes */
    size_t count;
} batch_t;

static void batch_clear(batch_t *self)
{
    for (size_t i = 0; i < self->count; i++) pl_record_free(&self->calls[i].record);
    free(self->calls);
}

int sqlite_run(sqlite_store_t *self, sqlite_sql_t which)
{
    int rc = sqlite3_step(self->sql[which]);
    (void)sqlite3_reset(self->sql[which]);
    (void)sqlite3_clear_bindings(self->sql[which]);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int load(batch_t *self, touched_t *call)
{
    sqlite3_stmt *statement = self->store->sql[SQL_LOAD];
    (void)sqlite3_bind_text(statement, 1, call->call_id, -1, SQLITE_STATIC);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        call->id = sqlite3_column_int64(statement, 0);
        call->record = sqlite_column_record(statement, 1);
        call->unreadable = !call->record;
    }
    (void)sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int touch(batch_t *self, const char *call_id, touched_t **out)
{
    for (size_t i = self->count; i-- > 0;) {
        if (memcmp(self->calls[i].call_id, call_id, CALL_ID_BYTES) != 0) continue;
        *out = &self->calls[i];
        return SQLITE_OK;
    }
    touched_t *call = &self->calls[self->count++];
    memcpy(call->call_id, call_id, CALL_ID_BYTES);
    *out = call;
    return load(self, call);
}

/* ---- one write ---- */

/* The write's earlier trace, which borrows from the statement: reset it afterwards. */
static int find_trace(batch_t *self, const write_t *write, const touched_t *call,
                      sqlite3_stmt **statement_p, write_trace_t *out)
{
    if (!call->id || write->kind == WRITE_ADOPT) return SQLITE_OK;
    bool create = write->kind == WRITE_CREATE;
    sqlite3_stmt *statement = self->store->sql[create ? SQL_FIRST_EVENT : SQL_FIND_EVENT];
    *statement_p = statement;
    (void)sqlite3_bind_int64(statement, 1, call->id);
    if (!create) {
        (void)sqlite3_bind_int64(statement, 2, write->epoch);
        (void)sqlite3_bind_int64(statement, 3, (int64_t)write->write_id);
    }
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_DONE) return SQLITE_OK;
    if (rc != SQLITE_ROW) return rc;
    out->version = (uint64_t)sqlite3_column_int64(statement, 0);
    out->content = sqlite3_column_blob(statement, 1);
    out->content_bytes = (size_t)sqlite3_column_bytes(statement, 1);
    return SQLITE_OK;
}

static int store_call(batch_t *self, touched_t *call)
{
    const Pl__CallRecord *record = call->record;
    sqlite_sql_t which = call->id ? SQL_UPDATE_CALL : SQL_INSERT_CALL;
    sqlite3_stmt *statement = self->store->sql[which];
    const char *phone = row_policyholder(record);
    size_t size;
    uint8_t *bytes = row_pack(&record->base, &size);
    (void)sqlite3_bind_text(statement, 1, call->call_id, -1, SQLITE_STATIC);
    if (!call->id) {
        (void)sqlite3_bind_int64(statement, 2, record->created_at_ms);
        (void)sqlite3_bind_text(statement, 3, row_number(record), -1, SQLITE_STATIC);
    }
    if (phone) (void)sqlite3_bind_text(statement, 4, phone, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 5, record->in_progress ? 1 : 0);
    (void)sqlite3_bind_int64(statement, 6, record->epoch);
    (void)sqlite3_bind_text(statement, 7, record->owner, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 8, (int64_t)record->version);
    (void)sqlite3_bind_blob64(statement, 9, bytes, size, SQLITE_STATIC);
    int rc = sqlite_run(self->store, which);
    free(bytes);
    if (rc == SQLITE_OK && !call->id) call->id = sqlite3_last_insert_rowid(self->store->writer);
    if (rc == SQLITE_OK && call->reminders_changed)
        rc = sqlite_reminders_store(self->store, call->id, record);
    if (rc == SQLITE_OK) call->changed = call->reminders_changed = false;
    return rc;
}

static int store_event(batch_t *self, const write_t *write, const touched_t *call)
{
    sqlite3_stmt *statement = self->store->sql[SQL_INSERT_EVENT];
    (void)sqlite3_bind_int64(statement, 1, call->id);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)write->version);
    (void)sqlite3_bind_int(statement, 3, (int)write->kind);
    (void)sqlite3_bind_int64(statement, 4, call->record->epoch);
    (void)sqlite3_bind_int64(statement, 5, (int64_t)write->write_id);
    (void)sqlite3_bind_int64(statement, 6, write->at_ms);
    (void)sqlite3_bind_blob64(statement, 7, write->content, write->content_bytes, SQLITE_STATIC);
    return sqlite_run(self->store, SQL_INSERT_EVENT);
}

/* What the decision has made. */
static int store_scene(batch_t *self, write_t *write, touched_t *call, write_scene_t *scene)
{
    int rc = SQLITE_OK;
    if (scene->call_changed) {
        call->changed = true;
        call->reminders_changed = call->reminders_changed || scene->reminders_changed;
        if (!call->id) rc = store_call(self, call); /* its events need the row */
        if (rc == SQLITE_OK) rc = store_event(self, write, call);
    }
    if (rc == SQLITE_OK) rc = sqlite_jobs_store(self->store, scene);
    if (rc == SQLITE_OK && write->kind == WRITE_JOB_TAKE) rc = sqlite_jobs_next(self->store, write);
    return rc;
}

static int decide(batch_t *self, write_t *write, touched_t *call, write_scene_t *scene)
{
    sqlite3_stmt *trace_statement = NULL;
    int rc = SQLITE_OK;
    if (call) {
        rc = find_trace(self, write, call, &trace_statement, &scene->trace);
        scene->record = call->record;
    }
    if (rc == SQLITE_OK) (void)write_decide(write, scene);
    if (trace_statement) (void)sqlite3_reset(trace_statement);
    if (call) call->record = scene->record;
    return rc;
}

static pl_err_t unreadable(const batch_t *self, write_t *write, const char *what, const char *name)
{
    return write_fail(write, PL_UNAVAILABLE, "%.160s: %s %.60s cannot be read", self->store->file,
                      what, name);
}

/* SQLITE_OK also when the write was refused: only the database's own errors end the transaction. */
static int do_write(batch_t *self, write_t *write)
{
    if (write->kind == WRITE_JOB_SWEEP) return sqlite_jobs_sweep(self->store, write);
    touched_t *call = NULL;
    write_scene_t scene = {0};
    bool damaged = false;
    int rc = write_wants_call(write) ? touch(self, write->call_id, &call) : SQLITE_OK;
    if (rc == SQLITE_OK && call && call->unreadable) {
        (void)unreadable(self, write, "the record of call", write->call_id);
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK) rc = sqlite_jobs_load(self->store, write, &scene, &damaged);
    if (rc == SQLITE_OK && damaged)
        (void)unreadable(self, write, "a job of this write:",
                         write_job_count(write) ? write_job_key(write, 0) : "");
    else if (rc == SQLITE_OK)
        rc = decide(self, write, call, &scene);
    if (rc == SQLITE_OK && !write->err && !write->repeated)
        rc = store_scene(self, write, call, &scene);
    sqlite_jobs_free(&scene);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): transact frees the calls, whatever this returns */
    return rc;
}

/* ---- a batch ---- */

static int transact(sqlite_store_t *store, write_t *const *writes, size_t count,
                    char detail[STORE_DETAIL_BYTES])
{
    batch_t batch = {.store = store, .calls = calloc(count, sizeof *batch.calls)};
    assert(batch.calls);
    int rc = sqlite_run(store, SQL_BEGIN);
    for (size_t i = 0; rc == SQLITE_OK && i < count; i++) {
        write_reset(writes[i]);
        rc = do_write(&batch, writes[i]);
    }
    for (size_t i = 0; rc == SQLITE_OK && i < batch.count; i++) {
        if (batch.calls[i].changed) rc = store_call(&batch, &batch.calls[i]);
    }
    if (rc == SQLITE_OK) rc = sqlite_run(store, SQL_COMMIT);
    if (rc != SQLITE_OK) {
        sqlite_say(store, store->writer, detail); /* before the roll-back takes the message */
        /* A full disk has often rolled back already. */
        if (!sqlite3_get_autocommit(store->writer)) (void)sqlite_run(store, SQL_ROLLBACK);
    }
    batch_clear(&batch);
    return rc;
}

/* Did the file or the disk fail, so that the next write would fare no better? */
static bool is_environment(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_PERM:
        return true;
    default: /* SQLite's codes, not an enum of ours */
        return false;
    }
}

static uint64_t bytes_on_disk(const sqlite_store_t *self)
{
    static const char *const suffixes[] = {"", "-wal"};
    uint64_t bytes = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[SQLITE_STORE_FILE_BYTES + 8];
        struct stat info;
        (void)snprintf(path, sizeof path, "%s%s", self->file, suffixes[i]);
        if (stat(path, &info) == 0) bytes += (uint64_t)info.st_size;
    }
    return bytes;
}

void sqlite_write(void *store, write_t *const *writes, size_t count, store_stats_t *stats)
{
    sqlite_store_t *self = store;
    char detail[STORE_DETAIL_BYTES] = "";
    uint64_t started_us = pl_clock_us();
    int rc = transact(self, writes, count, detail);
    bool alone = rc == SQLITE_OK || is_environment(rc) || count == 1;
    for (size_t i = 0; i < count && rc != SQLITE_OK; i++) {
        /* One of them is bad and took the others with it: each on its own, then. */
        int own = alone ? rc : transact(self, &writes[i], 1, detail);
        if (own == SQLITE_OK) continue;
        write_reset(writes[i]);
        (void)write_fail(writes[i], is_environment(own) ? PL_UNAVAILABLE : PL_INTERNAL, "%s",
                         detail);
    }
    stats->commit_us = pl_clock_us() - started_us;
    stats->bytes = bytes_on_disk(self);
    if (rc != SQLITE_OK)
        log_error("store.write_failed", "writes=%zu sqlite=%d detail=\"%s\"", count, rc, detail);
}
