/* sqlite.h - inside the SQLite provider: its parts and what they share.
 *
 * One file in WAL mode, two connections: the writer's and the reader's, each used by one thread
 * only, so neither needs a mutex (SQLITE_OPEN_NOMUTEX) and reads never wait for a commit. A lock
 * file beside it keeps a second process out.
 *
 * Source: https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html
 */
#ifndef PERSISTENCE_PROVIDERS_SQLITE_H
#define PERSISTENCE_PROVIDERS_SQLITE_H

#include <sqlite3.h>

#include "services/persistence/store.h"

enum { SQLITE_STORE_FILE_BYTES = 4096 };

/* The writer's statements, prepared once. */
typedef enum {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_LOAD,        /* a call's record */
    SQL_FIND_EVENT,  /* by epoch and write_id */
    SQL_FIRST_EVENT, /* the creation */
    SQL_INSERT_CALL,
    SQL_UPDATE_CALL,
    SQL_INSERT_EVENT,
    SQL_LOAD_JOB,       /* by key */
    SQL_DUE_JOBS,       /* of a kind */
    SQL_NEXT_JOB,       /* when the next of a kind is due */
    SQL_STORE_JOB,      /* a new one or the same again */
    SQL_SWEEP_JOBS,     /* some that were over before a time */
    SQL_DROP_REMINDERS, /* of a call */
    SQL_INSERT_REMINDER,
    SQL_COUNT
} sqlite_sql_t;

typedef struct {
    char file[SQLITE_STORE_FILE_BYTES];
    int lock_fd;
    sqlite3 *writer, *reader;
    sqlite3_stmt *sql[SQL_COUNT];
} sqlite_store_t;

/* ---- sqlite_schema.c: the file itself ---- */

/* Opens or creates the file: checks that it is ours, brings its schema up to date, looks for
 * damage for at most check_ms. synchronous is "full" or "normal". */
pl_err_t sqlite_schema_open(sqlite_store_t *self, const char *synchronous, int64_t check_ms,
                            char detail[STORE_DETAIL_BYTES]);

/* ---- sqlite_write.c, on the writer thread ---- */

pl_err_t sqlite_write_prepare(sqlite_store_t *self, char detail[STORE_DETAIL_BYTES]);
void sqlite_write(void *store, write_t *const *writes, size_t count, store_stats_t *stats);

/* ---- sqlite_jobs.c, on the writer thread, within its transaction; they return SQLite's codes ---- */

/* Fills in the scene's jobs, which are to be freed with sqlite_jobs_free in any case. unreadable:
 * one is damaged, the write cannot be done. */
int sqlite_jobs_load(sqlite_store_t *self, const write_t *write, write_scene_t *scene,
                     bool *unreadable);
int sqlite_jobs_store(sqlite_store_t *self, const write_scene_t *scene);
int sqlite_jobs_next(sqlite_store_t *self, write_t *write); /* after a take was stored */
int sqlite_jobs_sweep(sqlite_store_t *self, const write_t *write);
void sqlite_jobs_free(write_scene_t *scene);
int sqlite_run(sqlite_store_t *self, sqlite_sql_t which); /* a statement that gives no rows */

/* ---- sqlite_reminders.c ---- */

/* On the writer thread, within its transaction: makes the rows of a call's reminders anew. */
int sqlite_reminders_store(sqlite_store_t *self, int64_t call, const Pl__CallRecord *record);
/* On the reader thread. */
pl_err_t sqlite_reminder_list(void *store, const Pl__ReminderList *query, Pl__Reminders **out,
                              char detail[STORE_DETAIL_BYTES]);

/* ---- sqlite_job_list.c, on the reader thread ---- */

pl_err_t sqlite_job_list(void *store, const Pl__JobList *query, Pl__Jobs **out,
                         char detail[STORE_DETAIL_BYTES]);

/* ---- sqlite_read.c, on the reader thread ---- */

pl_err_t sqlite_get(void *store, const char *call_id, const Pl__StoreGet *query,
                    Pl__CallRecord **out, char detail[STORE_DETAIL_BYTES]);
pl_err_t sqlite_list(void *store, const Pl__StoreList *query, Pl__StoreCalls **out,
                     char detail[STORE_DETAIL_BYTES]);

/* ---- sqlite.c: errors, conditions, columns ---- */

/* "data/parley.db: database or disk is full (No space left on device)" */
void sqlite_say(const sqlite_store_t *self, sqlite3 *db, char detail[STORE_DETAIL_BYTES]);
/* The same of the reader's connection. Returns PL_UNAVAILABLE. */
pl_err_t sqlite_say_reader(const sqlite_store_t *self, char detail[STORE_DETAIL_BYTES]);

/* Of a list's condition: the states to be listed as bits, and " AND state IN (...)" of them. A state
 * that does not exist has no bit; none at all lists nothing. */
enum { SQLITE_STATES_BYTES = 64 };
void sqlite_states(uint32_t wanted, char out[SQLITE_STATES_BYTES]);

/* A record from a column. NULL: its bytes cannot be read. */
Pl__CallRecord *sqlite_column_record(sqlite3_stmt *statement, int column);

#endif
