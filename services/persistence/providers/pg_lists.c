/* pg_lists.c - jobs and reminders as they are listed and counted. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/persistence/providers/postgresql.h"
#include "services/persistence/row.h"

enum { COUNTS_MAX = 256, STATES_BYTES = 64 };

/* The states to be listed as an array. */
static pg_value_t states_of(uint32_t wanted, char text[STATES_BYTES])
{
    size_t at = 0;
    for (int state = 0; state < ROW_STATES; state++) {
        if (wanted & row_state_bit(state))
            at += (size_t)snprintf(text + at, STATES_BYTES - at, "%c%d", at ? ',' : '{', state);
    }
    (void)snprintf(text + at, STATES_BYTES - at, at ? "}" : "{}");
    return pg_text(text);
}

/* ---- jobs ---- */

static void ask_counts(pg_link_t *link, const void *query)
{
    (void)query;
    pg_value_t values[] = {pg_int(COUNTS_MAX)};
    pg_link_send(link, PG_JOB_COUNTS, values, 1);
}

static void send_jobs(pg_link_t *link, const Pl__JobList *list, pg_read_sql_t which, size_t count)
{
    char states[STATES_BYTES];
    uint32_t wanted = 0;
    for (size_t i = 0; i < list->n_states; i++) wanted |= row_state_bit((int)list->states[i]);
    pg_value_t values[] = {
        pg_text(list->key),          pg_text(list->kind),
        pg_text(list->call_id),      list->n_states ? states_of(wanted, states) : pg_null(),
        pg_int(list->limit),         pg_int(list->offset),
        pg_int(STORE_LIST_BYTES_MAX)};
    pg_link_send(link, which, values, count);
}

static void ask_jobs(pg_link_t *link, const void *query)
{
    pg_view(link);
    send_jobs(link, query, PG_COUNT_JOBS, 4);
    send_jobs(link, query, PG_LIST_JOBS, 7);
    pg_link_send(link, PG_VIEW_END, NULL, 0);
}

static void take_counts(const PGresult *rows, Pl__Jobs *jobs)
{
    jobs->counts = calloc((size_t)PQntuples(rows) + 1, sizeof *jobs->counts);
    assert(jobs->counts);
    for (int i = 0; i < PQntuples(rows); i++) {
        Pl__JobCount *count = malloc(sizeof *count);
        assert(count);
        pl__job_count__init(count);
        count->kind = strdup(PQgetvalue(rows, i, 0));
        assert(count->kind);
        count->state = (Pl__JobState)pg_column_int(rows, i, 1);
        count->count = (uint64_t)pg_column_int(rows, i, 2);
        jobs->counts[jobs->n_counts++] = count;
    }
}

static void take_jobs(const PGresult *rows, Pl__Jobs *jobs)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        size_t bytes;
        const uint8_t *snapshot = pg_column_blob(rows, i, 0, &bytes);
        Pl__Job *job = pl__job__unpack(NULL, bytes, snapshot);
        if (job)
            jobs->jobs[jobs->n_jobs++] = job;
        else
            log_error("store.unreadable", "job=\"%s\"", PQgetvalue(rows, i, 1));
    }
}

pl_err_t pg_job_list(void *store, const Pl__JobList *query, Pl__Jobs **out,
                     char detail[STORE_DETAIL_BYTES])
{
    pg_results_t results;
    pl_err_t err = pg_ask(store, query->count ? ask_counts : ask_jobs, query, &results, detail);
    if (err) return err;
    Pl__Jobs *jobs = malloc(sizeof *jobs);
    assert(jobs);
    pl__jobs__init(jobs);
    if (query->count) {
        take_counts(results.items[0], jobs);
    } else {
        jobs->jobs = calloc((size_t)query->limit + 1, sizeof *jobs->jobs);
        assert(jobs->jobs);
        jobs->total = (uint32_t)pg_column_int(results.items[PG_VIEW_TOTAL], 0, 0);
        take_jobs(results.items[PG_VIEW_PAGE], jobs);
    }
    pg_results_free(&results);
    *out = jobs;
    return PL_OK;
}

/* ---- reminders ---- */

static void send_reminders(pg_link_t *link, const Pl__ReminderList *list, pg_read_sql_t which,
                           size_t count)
{
    char states[STATES_BYTES];
    uint32_t wanted = 0;
    for (size_t i = 0; i < list->n_states; i++) wanted |= row_state_bit((int)list->states[i]);
    pg_value_t values[] = {list->n_states ? states_of(wanted, states) : pg_null(),
                           pg_int(list->due_before_ms), pg_int(list->limit), pg_int(list->offset),
                           pg_int(STORE_LIST_BYTES_MAX)};
    pg_link_send(link, which, values, count);
}

static void ask_reminders(pg_link_t *link, const void *query)
{
    pg_view(link);
    send_reminders(link, query, PG_COUNT_REMINDERS, 2);
    send_reminders(link, query, PG_LIST_REMINDERS, 5);
    pg_link_send(link, PG_VIEW_END, NULL, 0);
}

static void take_reminders(const PGresult *rows, Pl__Reminders *reminders)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        size_t bytes;
        const uint8_t *snapshot = pg_column_blob(rows, i, 0, &bytes);
        Pl__CallReminder *row = pl__call_reminder__unpack(NULL, bytes, snapshot);
        if (row && row->reminder) {
            reminders->reminders[reminders->n_reminders++] = row;
            continue;
        }
        if (row) pl__call_reminder__free_unpacked(row, NULL);
        log_error("store.unreadable", "detail=\"a reminder cannot be read\"");
    }
}

pl_err_t pg_reminder_list(void *store, const Pl__ReminderList *query, Pl__Reminders **out,
                          char detail[STORE_DETAIL_BYTES])
{
    pg_results_t results;
    pl_err_t err = pg_ask(store, ask_reminders, query, &results, detail);
    if (err) return err;
    Pl__Reminders *reminders = malloc(sizeof *reminders);
    assert(reminders);
    pl__reminders__init(reminders);
    reminders->reminders = calloc((size_t)query->limit + 1, sizeof(Pl__CallReminder *));
    assert(reminders->reminders);
    reminders->total = (uint32_t)pg_column_int(results.items[PG_VIEW_TOTAL], 0, 0);
    take_reminders(results.items[PG_VIEW_PAGE], reminders);
    pg_results_free(&results);
    *out = reminders;
    return PL_OK;
}
