#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "services/persistence/providers/sqlite.h"
#include "services/persistence/row.h"

static pl_err_t unreadable(const sqlite_store_t *self, sqlite3_stmt *row,
                           char detail[STORE_DETAIL_BYTES])
{
    const unsigned char *call_id = sqlite3_column_text(row, 1);
    (void)snprintf(detail, STORE_DETAIL_BYTES, "%.160s: the record of call %.40s cannot be read",
                   self->file, call_id ? (const char *)call_id : "");
    return PL_UNAVAILABLE;
}

/* ---- one call ---- */

pl_err_t sqlite_get(void *store, const char *call_id, const Pl__StoreGet *query,
                    Pl__CallRecord **out, char detail[STORE_DETAIL_BYTES])
{
    static const char by_id[] = "SELECT snapshot, call_id FROM calls WHERE call_id = lower(?1)";
    static const char by_number[] =
        "SELECT snapshot, call_id FROM calls"
        " WHERE (phone_number = ?1 OR policyholder_phone = ?1)"
        " AND created_at >= ?2 ORDER BY created_at DESC, id DESC LIMIT 1";
    sqlite_store_t *self = store;
    bool has_id = *call_id;
    if (!has_id && !row_is_number(query->phone_number)) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "no call without a number is found by number");
        return PL_NOT_FOUND;
    }
    sqlite3_stmt *statement = NULL;
    const char *key = has_id ? call_id : query->phone_number;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->reader, has_id ? by_id : by_number, -1, &statement, NULL))
        return sqlite_say_reader(self, detail);
    (void)sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (!has_id) (void)sqlite3_bind_int64(statement, 2, query->not_before_ms);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        *out = sqlite_column_record(statement, 0);
        if (!*out) err = unreadable(self, statement, detail);
    } else if (rc == SQLITE_DONE) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "no such call");
        err = PL_NOT_FOUND;
    } else {
        err = sqlite_say_reader(self, detail);
    }
    (void)sqlite3_finalize(statement);
    return err;
}

/* ---- many ---- */

enum { LIST_SQL_BYTES = 640 };

/* The query's conditions; the indexes fit each of them. */
static void list_where(const Pl__StoreList *query, char out[LIST_SQL_BYTES / 2])
{
    (void)snprintf(out, LIST_SQL_BYTES / 2, "FROM calls WHERE 1%s%s%s",
                   *query->phone_number ? " AND (phone_number = ?1 OR policyholder_phone = ?1)"
                                        : "",
                   query->in_progress_only ? " AND in_progress = 1" : "",
                   *query->owner ? " AND owner = ?2" : "");
}

static int list_bind(sqlite3_stmt *statement, const Pl__StoreList *query)
{
    int rc = SQLITE_OK;
    if (*query->phone_number)
        rc = sqlite3_bind_text(statement, 1, query->phone_number, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK && *query->owner)
        rc = sqlite3_bind_text(statement, 2, query->owner, -1, SQLITE_STATIC);
    return rc;
}

static pl_err_t list_total(sqlite_store_t *self, const Pl__StoreList *query, Pl__StoreCalls *calls,
                           char detail[STORE_DETAIL_BYTES])
{
    char where[LIST_SQL_BYTES / 2];
    char sql[LIST_SQL_BYTES];
    list_where(query, where);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) %s", where);
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL) == SQLITE_OK &&
        list_bind(statement, query) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        calls->total = (uint32_t)sqlite3_column_int64(statement, 0);
    else
        err = sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

static pl_err_t list_rows(sqlite_store_t *self, sqlite3_stmt *statement, Pl__StoreCalls *calls,
                          char detail[STORE_DETAIL_BYTES])
{
    size_t bytes = 0;
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        bytes += (size_t)sqlite3_column_bytes(statement, 0);
        if (bytes > STORE_LIST_BYTES_MAX && calls->n_calls > 0) return PL_OK;
        Pl__CallRecord *record = sqlite_column_record(statement, 0);
        if (record) {
            calls->calls[calls->n_calls++] = record;
            continue;
        }
        (void)unreadable(self, statement, detail); /* one damaged record must not hide the others */
        log_error("store.unreadable", "detail=\"%s\"", detail);
    }
    return rc == SQLITE_DONE ? PL_OK : sqlite_say_reader(self, detail);
}

static pl_err_t list_page(sqlite_store_t *self, const Pl__StoreList *query, Pl__StoreCalls *calls,
                          char detail[STORE_DETAIL_BYTES])
{
    char where[LIST_SQL_BYTES / 2];
    char sql[LIST_SQL_BYTES];
    list_where(query, where);
    /* The ids first, so that no record is sorted only to be left out. */
    (void)snprintf(sql, sizeof sql,
                   "SELECT c.snapshot, c.call_id FROM calls c JOIN (SELECT id %s"
                   " ORDER BY created_at DESC, id DESC LIMIT ?3 OFFSET ?4) AS page"
                   " ON page.id = c.id ORDER BY c.created_at DESC, c.id DESC",
                   where);
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL) == SQLITE_OK &&
        list_bind(statement, query) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 3, query->limit) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 4, query->offset) == SQLITE_OK)
        err = list_rows(self, statement, calls, detail);
    else
        err = sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

pl_err_t sqlite_list(void *store, const Pl__StoreList *query, Pl__StoreCalls **out,
                     char detail[STORE_DETAIL_BYTES])
{
    sqlite_store_t *self = store;
    Pl__StoreCalls *calls = malloc(sizeof *calls);
    assert(calls);
    pl__store_calls__init(calls);
    calls->calls = calloc((size_t)query->limit + 1, sizeof *calls->calls);
    assert(calls->calls);
    pl_err_t err = PL_OK;
    if (*query->phone_number && !row_is_number(query->phone_number)) goto out;

    if (sqlite3_exec(self->reader, "BEGIN", NULL, NULL, NULL)) { /* one view for page and total */
        err = sqlite_say_reader(self, detail);
        goto out;
    }
    err = list_total(self, query, calls, detail);
    if (!err && query->limit > 0) err = list_page(self, query, calls, detail);
    (void)sqlite3_exec(self->reader, "COMMIT", NULL, NULL, NULL);
out:
    if (err)
        pl__store_calls__free_unpacked(calls, NULL);
    else
        *out = calls;
    return err;
}
