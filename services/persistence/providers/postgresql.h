/* postgresql.h - inside the PostgreSQL provider: its parts and what they share.
 *
 * Two connections: the writer's and the reader's, each used by one thread only. Several persistence
 * instances may work on one server at once: a batch locks the rows of its calls and jobs, in order, before
 * it decides anything; what another instance made meanwhile under the same key is seen by trying the batch again.
 *
 * Source: PostgreSQL 15, chapters 13.3 (row locks), 8.15 (arrays), and SKIP LOCKED of SELECT.
 */
#ifndef PERSISTENCE_PROVIDERS_POSTGRESQL_H
#define PERSISTENCE_PROVIDERS_POSTGRESQL_H

#include "services/persistence/providers/pg_link.h"
#include "services/persistence/store.h"

typedef enum { /* of the writer */
               PG_BEGIN,
               PG_COMMIT,
               PG_ROLLBACK,
               PG_LOCK_CALLS,
               PG_LOCK_JOBS,
               PG_FIRST_EVENT,
               PG_FIND_EVENT,
               PG_INSERT_CALL,
               PG_UPDATE_CALL,
               PG_INSERT_EVENT,
               PG_DUE_JOBS,
               PG_NEXT_JOB,
               PG_INSERT_JOB,
               PG_UPDATE_JOB,
               PG_SWEEP_JOBS,
               PG_DROP_REMINDERS,
               PG_INSERT_REMINDER,
               PG_WRITES
} pg_write_sql_t;

typedef enum {          /* of the reader */
               PG_VIEW, /* begins what sees one moment */
               PG_VIEW_PLANS,
               PG_VIEW_END,
               PG_CALL_BY_ID,
               PG_CALL_BY_NUMBER,
               PG_COUNT_CALLS,
               PG_LIST_CALLS,
               PG_COUNT_JOBS,
               PG_LIST_JOBS,
               PG_JOB_COUNTS,
               PG_COUNT_REMINDERS,
               PG_LIST_REMINDERS,
               PG_READS
} pg_read_sql_t;

extern const char *const pg_write_sql[PG_WRITES];
extern const char *const pg_read_sql[PG_READS];

typedef struct {
    char *url, *password, *schema;
    pg_link_t *writer, *reader;
} pg_store_t;

/* ---- pg_schema.c ---- */

/* Makes the schema, or brings it up to date, one instance at a time. */
pg_outcome_t pg_schema_update(void *store, PGconn *conn, char detail[STORE_DETAIL_BYTES]);

/* ---- pg_write.c, on the writer thread ---- */

void pg_write(void *store, write_t *const *writes, size_t count, store_stats_t *stats);

/* ---- pg_batch.c: what a batch of writes is about, and the jobs in it ---- */

typedef struct {
    const char *call_id; /* borrowed of a write */
    Pl__CallRecord *record;
    bool stored; /* there is a row of it */
    bool changed, reminders_changed, unreadable;
} pg_call_t;

typedef struct {
    char *key;
    Pl__Job *job; /* NULL: none of that key */
    bool stored, unreadable;
} pg_job_t;

typedef struct {
    pg_store_t *store;
    write_t *const *writes;
    size_t count;
    pg_call_t *calls; /* in order of call_id */
    size_t n_calls;
    pg_job_t *jobs; /* those that writes name, in order of key; then those that were taken */
    size_t n_jobs, n_named;
    write_trace_t *traces; /* of the writes, borrowed from found */
    pg_results_t found;
} pg_batch_t;

/* Begins the transaction, locks and reads all that the writes name. */
pg_outcome_t pg_batch_load(pg_batch_t *self, char detail[STORE_DETAIL_BYTES]);
void pg_batch_clear(pg_batch_t *self);
pg_call_t *pg_batch_call(pg_batch_t *self, const char *call_id);
pg_job_t *pg_batch_job(pg_batch_t *self, const char *key); /* NULL: nobody named it */

/* Fills in the scene's jobs (to be freed with pg_scene_free): copies of those the write names, or
 * those that are due. */
pg_outcome_t pg_scene_load(pg_batch_t *self, const write_t *write, write_scene_t *scene,
                           char detail[STORE_DETAIL_BYTES]);
/* When the next job of these kinds is due: a row with its time, or none. */
pg_outcome_t pg_ask_next(pg_link_t *link, const Pl__JobTake *take, pg_results_t *results,
                         char detail[STORE_DETAIL_BYTES]);
/* Sends those that were changed. */
void pg_scene_store(pg_batch_t *self, write_scene_t *scene);
void pg_scene_free(write_scene_t *scene);

/* ---- pg_read.c, pg_lists.c, on the reader thread ---- */

/* Sends a query and brings its results, by a second connection if the first has broken: a question
 * does no harm twice. */
enum { PG_VIEW_TOTAL = 2, PG_VIEW_PAGE = 3 }; /* of the results of a view */
void pg_view(pg_link_t *link);                /* begins one */
typedef void pg_ask_fn(pg_link_t *link, const void *query);
pl_err_t pg_ask(pg_store_t *self, pg_ask_fn *ask, const void *query, pg_results_t *results,
                char detail[STORE_DETAIL_BYTES]);
pl_err_t pg_get(void *store, const char *call_id, const Pl__StoreGet *query, Pl__CallRecord **out,
                char detail[STORE_DETAIL_BYTES]);
pl_err_t pg_list(void *store, const Pl__StoreList *query, Pl__StoreCalls **out,
                 char detail[STORE_DETAIL_BYTES]);
pl_err_t pg_job_list(void *store, const Pl__JobList *query, Pl__Jobs **out,
                     char detail[STORE_DETAIL_BYTES]);
pl_err_t pg_reminder_list(void *store, const Pl__ReminderList *query, Pl__Reminders **out,
                          char detail[STORE_DETAIL_BYTES]);

#endif
