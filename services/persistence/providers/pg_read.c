/* pg_read.c - calls as they are looked up and listed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/persistence/providers/postgresql.h"
#include "services/persistence/row.h"

pl_err_t pg_ask(pg_store_t *self, pg_ask_fn *ask, const void *query, pg_results_t *results,
                char detail[STORE_DETAIL_BYTES])
{
    for (int i = 0; i < 2; i++) {
        if (pg_link_up(self->reader, detail)) break;
        ask(self->reader, query);
        if (!pg_link_sync(self->reader, results, detail)) return PL_OK;
        if (!pg_link_is_up(self->reader)) continue;
        pg_link_leave(self->reader, PG_VIEW_END); /* that the query may have begun */
        break;
    }
    return PL_UNAVAILABLE;
}

void pg_view(pg_link_t *link)
{
    pg_link_send(link, PG_VIEW, NULL, 0); /* one view for page and total */
    pg_link_send(link, PG_VIEW_PLANS, NULL, 0);
}

static Pl__CallRecord *row_record(const PGresult *rows, int row, char detail[STORE_DETAIL_BYTES])
{
    size_t bytes;
    const uint8_t *snapshot = pg_column_blob(rows, row, 0, &bytes);
    Pl__CallRecord *record = pl__call_record__unpack(NULL, bytes, snapshot);
    if (!record)
        (void)snprintf(detail, STORE_DETAIL_BYTES,
                       "postgresql: the record of call %.40s cannot be read",
                       PQgetvalue(rows, row, 1));
    return record;
}

/* ---- one call ---- */

static void ask_by_id(pg_link_t *link, const void *query)
{
    pg_value_t values[] = {pg_text(query)};
    pg_link_send(link, PG_CALL_BY_ID, values, 1);
}

static void ask_by_number(pg_link_t *link, const void *query)
{
    const Pl__StoreGet *get = query;
    pg_value_t values[] = {pg_text(get->phone_number), pg_int(get->not_before_ms)};
    pg_link_send(link, PG_CALL_BY_NUMBER, values, 2);
}

pl_err_t pg_get(void *store, const char *call_id, const Pl__StoreGet *query, Pl__CallRecord **out,
                char detail[STORE_DETAIL_BYTES])
{
    if (!*call_id && !row_is_number(query->phone_number)) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "no call without a number is found by number");
        return PL_NOT_FOUND;
    }
    pg_results_t results;
    pl_err_t err = *call_id ? pg_ask(store, ask_by_id, call_id, &results, detail)
                            : pg_ask(store, ask_by_number, query, &results, detail);
    if (err) return err;
    if (PQntuples(results.items[0]) > 0) {
        *out = row_record(results.items[0], 0, detail);
        err = *out ? PL_OK : PL_UNAVAILABLE;
    } else {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "no such call");
        err = PL_NOT_FOUND;
    }
    pg_results_free(&results);
    return err;
}

/* ---- many ---- */

static void ask_list(pg_link_t *link, const void *query)
{
    const Pl__StoreList *list = query;
    pg_value_t where[] = {pg_text(list->phone_number), pg_int(list->in_progress_only ? 1 : 0),
                          pg_text(list->owner)};
    pg_value_t page[] = {pg_text(list->phone_number), pg_int(list->in_progress_only ? 1 : 0),
                         pg_text(list->owner),        pg_int(list->limit),
                         pg_int(list->offset),        pg_int(STORE_LIST_BYTES_MAX)};
    pg_view(link);
    pg_link_send(link, PG_COUNT_CALLS, where, 3);
    pg_link_send(link, PG_LIST_CALLS, page, 6);
    pg_link_send(link, PG_VIEW_END, NULL, 0);
}

static void take_calls(const PGresult *rows, Pl__StoreCalls *calls)
{
    char detail[STORE_DETAIL_BYTES];
    for (int i = 0; i < PQntuples(rows); i++) {
        Pl__CallRecord *record = row_record(rows, i, detail);
        if (record)
            calls->calls[calls->n_calls++] = record;
        else /* one damaged record must not hide the others */
            log_error("store.unreadable", "detail=\"%s\"", detail);
    }
}

pl_err_t pg_list(void *store, const Pl__StoreList *query, Pl__StoreCalls **out,
                 char detail[STORE_DETAIL_BYTES])
{
    pg_results_t results = {0};
    bool nobody = *query->phone_number && !row_is_number(query->phone_number);
    pl_err_t err = nobody ? PL_OK : pg_ask(store, ask_list, query, &results, detail);
    if (err) return err;
    Pl__StoreCalls *calls = malloc(sizeof *calls);
    assert(calls);
    pl__store_calls__init(calls);
    calls->calls = calloc((size_t)query->limit + 1, sizeof *calls->calls);
    assert(calls->calls);
    if (!nobody) {
        calls->total = (uint32_t)pg_column_int(results.items[PG_VIEW_TOTAL], 0, 0);
        take_calls(results.items[PG_VIEW_PAGE], calls);
    }
    pg_results_free(&results);
    *out = calls;
    return PL_OK;
}
