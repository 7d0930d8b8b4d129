/* sqlite_reminders.c - reminders of all calls, by when they are due. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/record.h"
#include "services/persistence/providers/sqlite.h"
#include "services/persistence/row.h"

enum { SQL_BYTES = 512 };

/* ---- storing ---- */

static int store_one(sqlite_store_t *self, int64_t call, const Pl__CallRecord *record,
                     Pl__Reminder *reminder)
{
    size_t size;
    int state;
    uint8_t *bytes = row_reminder(record, reminder, &size, &state);
    sqlite3_stmt *statement = self->sql[SQL_INSERT_REMINDER];
    (void)sqlite3_bind_int64(statement, 1, call);
    (void)sqlite3_bind_text(statement, 2, reminder->title, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 3, reminder->due_at_ms);
    (void)sqlite3_bind_int(statement, 4, state);
    (void)sqlite3_bind_blob64(statement, 5, bytes, size, SQLITE_STATIC);
    int rc = sqlite_run(self, SQL_INSERT_REMINDER);
    free(bytes);
    return rc;
}

int sqlite_reminders_store(sqlite_store_t *self, int64_t call, const Pl__CallRecord *record)
{
    (void)sqlite3_bind_int64(self->sql[SQL_DROP_REMINDERS], 1, call);
    int rc = sqlite_run(self, SQL_DROP_REMINDERS);
    for (size_t i = 0; rc == SQLITE_OK && i < record->n_reminders; i++)
        rc = store_one(self, call, record, record->reminders[i]);
    return rc;
}

/* ---- listing ---- */

static void where(const Pl__ReminderList *query, char out[SQL_BYTES / 2])
{
    uint32_t wanted = 0;
    for (size_t i = 0; i < query->n_states; i++) wanted |= row_state_bit((int)query->states[i]);
    char states[SQLITE_STATES_BYTES] = "";
    if (query->n_states > 0) sqlite_states(wanted, states);
    (void)snprintf(out, SQL_BYTES / 2, "FROM reminders WHERE 1%s%s", states,
                   query->due_before_ms ? " AND due_at < ?1" : "");
}

static pl_err_t list_total(sqlite_store_t *self, const Pl__ReminderList *query,
                           Pl__Reminders *reminders, char detail[STORE_DETAIL_BYTES])
{
    char from[SQL_BYTES / 2];
    char sql[SQL_BYTES];
    where(query, from);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) %s", from);
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    int rc = sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK && query->due_before_ms)
        rc = sqlite3_bind_int64(statement, 1, query->due_before_ms);
    if (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        reminders->total = (uint32_t)sqlite3_column_int64(statement, 0);
    else
        err = sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

static pl_err_t list_rows(sqlite_store_t *self, sqlite3_stmt *statement, Pl__Reminders *reminders,
                          char detail[STORE_DETAIL_BYTES])
{
    size_t bytes = 0;
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const uint8_t *blob = sqlite3_column_blob(statement, 0);
        size_t size = (size_t)sqlite3_column_bytes(statement, 0);
        bytes += size;
        if (bytes > STORE_LIST_BYTES_MAX && reminders->n_reminders > 0) return PL_OK;
        Pl__CallReminder *row = blob ? pl__call_reminder__unpack(NULL, size, blob) : NULL;
        if (row && row->reminder) {
            reminders->reminders[reminders->n_reminders++] = row;
            continue;
        }
        if (row) pl__call_reminder__free_unpacked(row, NULL);
        log_error("store.unreadable", "detail=\"a reminder cannot be read\"");
    }
    return rc == SQLITE_DONE ? PL_OK : sqlite_say_reader(self, detail);
}

static pl_err_t list_page(sqlite_store_t *self, const Pl__ReminderList *query,
                          Pl__Reminders *reminders, char detail[STORE_DETAIL_BYTES])
{
    char from[SQL_BYTES / 2];
    char sql[SQL_BYTES];
    where(query, from);
    (void)snprintf(sql, sizeof sql,
                   "SELECT snapshot %s ORDER BY due_at, call, title LIMIT ?2 OFFSET ?3", from);
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    int rc = sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK && query->due_before_ms)
        rc = sqlite3_bind_int64(statement, 1, query->due_before_ms);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(statement, 2, query->limit);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(statement, 3, query->offset);
    err = rc == SQLITE_OK ? list_rows(self, statement, reminders, detail)
                          : sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

pl_err_t sqlite_reminder_list(void *store, const Pl__ReminderList *query, Pl__Reminders **out,
                              char detail[STORE_DETAIL_BYTES])
{
    sqlite_store_t *self = store;
    Pl__Reminders *reminders = malloc(sizeof *reminders);
    assert(reminders);
    pl__reminders__init(reminders);
    reminders->reminders = calloc((size_t)query->limit + 1, sizeof(Pl__CallReminder *));
    assert(reminders->reminders);
    pl_err_t err = PL_OK;
    if (sqlite3_exec(self->reader, "BEGIN", NULL, NULL, NULL)) { /* one view for page and total */
        err = sqlite_say_reader(self, detail);
        goto out;
    }
    err = list_total(self, query, reminders, detail);
    if (!err) err = list_page(self, query, reminders, detail);
    (void)sqlite3_exec(self->reader, "COMMIT", NULL, NULL, NULL);
out:
    if (err)
        pl__reminders__free_unpacked(reminders, NULL);
    else
        *out = reminders;
    return err;
}
