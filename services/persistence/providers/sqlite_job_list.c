/* sqlite_job_list.c - jobs as they are listed and counted. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/persistence/providers/sqlite.h"
#include "services/persistence/row.h"

enum { SQL_BYTES = 640, COUNTS_MAX = 256 };

/* ---- counts ---- */

static void add_count(Pl__Jobs *jobs, sqlite3_stmt *row)
{
    Pl__JobCount *count = malloc(sizeof *count);
    assert(count);
    pl__job_count__init(count);
    const unsigned char *kind = sqlite3_column_text(row, 0);
    count->kind = strdup(kind ? (const char *)kind : "");
    assert(count->kind);
    count->state = (Pl__JobState)sqlite3_column_int(row, 1);
    count->count = (uint64_t)sqlite3_column_int64(row, 2);
    jobs->counts[jobs->n_counts++] = count;
}

/* Done ones are left out: there are far more of them than anybody wants to wait for. */
static pl_err_t count_jobs(sqlite_store_t *self, Pl__Jobs *jobs, char detail[STORE_DETAIL_BYTES])
{
    static const char sql[] = "SELECT kind, state, count(*) FROM jobs WHERE state <> 2"
                              " GROUP BY kind, state ORDER BY kind, state LIMIT ?1";
    sqlite3_stmt *statement = NULL;
    jobs->counts = calloc(COUNTS_MAX, sizeof *jobs->counts);
    assert(jobs->counts);
    int rc = sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int(statement, 1, COUNTS_MAX);
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) add_count(jobs, statement);
    }
    pl_err_t err = rc == SQLITE_DONE ? PL_OK : sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

/* ---- lists ---- */

static void where(const Pl__JobList *query, char out[SQL_BYTES / 2])
{
    uint32_t wanted = 0;
    for (size_t i = 0; i < query->n_states; i++) wanted |= row_state_bit((int)query->states[i]);
    char states[SQLITE_STATES_BYTES] = "";
    if (query->n_states > 0) sqlite_states(wanted, states);
    (void)snprintf(out, SQL_BYTES / 2, "FROM jobs WHERE 1%s%s%s%s",
                   *query->key ? " AND key = ?1" : "", *query->kind ? " AND kind = ?2" : "",
                   *query->call_id ? " AND call_id = lower(?3) AND call_id <> ''" : "", states);
}

static int bind(sqlite3_stmt *statement, const Pl__JobList *query)
{
    const char *texts[] = {query->key, query->kind, query->call_id};
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < 3; i++) {
        if (*texts[i]) rc = sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    }
    return rc;
}

static pl_err_t list_total(sqlite_store_t *self, const Pl__JobList *query, Pl__Jobs *jobs,
                           char detail[STORE_DETAIL_BYTES])
{
    char from[SQL_BYTES / 2];
    char sql[SQL_BYTES];
    where(query, from);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) %s", from);
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL) == SQLITE_OK &&
        bind(statement, query) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        jobs->total = (uint32_t)sqlite3_column_int64(statement, 0);
    else
        err = sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

static pl_err_t list_rows(sqlite_store_t *self, sqlite3_stmt *statement, Pl__Jobs *jobs,
                          char detail[STORE_DETAIL_BYTES])
{
    size_t bytes = 0;
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const uint8_t *blob = sqlite3_column_blob(statement, 0);
        size_t size = (size_t)sqlite3_column_bytes(statement, 0);
        bytes += size;
        if (bytes > STORE_LIST_BYTES_MAX && jobs->n_jobs > 0) return PL_OK;
        Pl__Job *job = blob ? pl__job__unpack(NULL, size, blob) : NULL;
        if (job)
            jobs->jobs[jobs->n_jobs++] = job;
        else
            log_error("store.unreadable", "job=\"%s\"", sqlite3_column_text(statement, 1));
    }
    return rc == SQLITE_DONE ? PL_OK : sqlite_say_reader(self, detail);
}

static pl_err_t list_page(sqlite_store_t *self, const Pl__JobList *query, Pl__Jobs *jobs,
                          char detail[STORE_DETAIL_BYTES])
{
    char from[SQL_BYTES / 2];
    char sql[SQL_BYTES];
    where(query, from);
    (void)snprintf(sql, sizeof sql,
                   "SELECT j.snapshot, j.key FROM jobs j JOIN (SELECT id %s"
                   " ORDER BY changed_at DESC, id DESC LIMIT ?4 OFFSET ?5) AS page"
                   " ON page.id = j.id ORDER BY j.changed_at DESC, j.id DESC",
                   from);
    sqlite3_stmt *statement = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->reader, sql, -1, &statement, NULL) == SQLITE_OK &&
        bind(statement, query) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 4, query->limit) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 5, query->offset) == SQLITE_OK)
        err = list_rows(self, statement, jobs, detail);
    else
        err = sqlite_say_reader(self, detail);
    (void)sqlite3_finalize(statement);
    return err;
}

pl_err_t sqlite_job_list(void *store, const Pl__JobList *query, Pl__Jobs **out,
                         char detail[STORE_DETAIL_BYTES])
{
    sqlite_store_t *self = store;
    Pl__Jobs *jobs = malloc(sizeof *jobs);
    assert(jobs);
    pl__jobs__init(jobs);
    pl_err_t err = PL_OK;
    if (query->count) {
        err = count_jobs(self, jobs, detail);
        goto out;
    }
    jobs->jobs = calloc((size_t)query->limit + 1, sizeof(Pl__Job *));
    assert(jobs->jobs);
    if (sqlite3_exec(self->reader, "BEGIN", NULL, NULL, NULL)) { /* one view for page and total */
        err = sqlite_say_reader(self, detail);
        goto out;
    }
    err = list_total(self, query, jobs, detail);
    if (!err) err = list_page(self, query, jobs, detail);
    (void)sqlite3_exec(self->reader, "COMMIT", NULL, NULL, NULL);
out:
    if (err)
        pl__jobs__free_unpacked(jobs, NULL);
    else
        *out = jobs;
    return err;
}
