/* sqlite_jobs.c - jobs within the writer's transaction. */
#include <assert.h>
#include <stdlib.h>

#include "services/persistence/providers/sqlite.h"
#include "services/persistence/row.h"

static Pl__Job *column_job(sqlite3_stmt *statement, int column)
{
    const uint8_t *bytes = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    return bytes ? pl__job__unpack(NULL, size, bytes) : NULL;
}

static int finish(sqlite3_stmt *statement, int rc)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- by key ---- */

static int load_keyed(sqlite_store_t *self, const write_t *write, write_scene_t *scene,
                      bool *unreadable)
{
    sqlite3_stmt *statement = self->sql[SQL_LOAD_JOB];
    int rc = SQLITE_OK;
    scene->n_jobs = write_job_count(write);
    scene->jobs = calloc(scene->n_jobs + 1, sizeof *scene->jobs);
    assert(scene->jobs);
    for (size_t i = 0; rc == SQLITE_OK && i < scene->n_jobs; i++) {
        (void)sqlite3_bind_text(statement, 1, write_job_key(write, i), -1, SQLITE_STATIC);
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
            scene->jobs[i].job = column_job(statement, 0);
            *unreadable = *unreadable || !scene->jobs[i].job;
        }
        rc = finish(statement, rc);
    }
    return rc;
}

/* ---- due ---- */

/* Keeps the scene's jobs in order of their due time, and at most limit. */
static void insert_due(write_scene_t *scene, size_t limit, Pl__Job *job)
{
    size_t at = scene->n_jobs;
    while (at > 0 && job_due_ms(scene->jobs[at - 1].job) > job_due_ms(job)) at--;
    if (at == limit) {
        job_free(&job);
        return;
    }
    if (scene->n_jobs == limit)
        job_free(&scene->jobs[limit - 1].job);
    else
        scene->n_jobs++;
    for (size_t i = scene->n_jobs - 1; i > at; i--) scene->jobs[i] = scene->jobs[i - 1];
    scene->jobs[at] = (write_job_t){.job = job};
}

/* Those of one kind and state that are due before what has been found. A damaged one is left lying:
 * it must not keep the others from being done. */
static int load_kind(sqlite_store_t *self, const char *kind, Pl__JobState state, size_t limit,
                     int64_t now_ms, write_scene_t *scene)
{
    sqlite3_stmt *statement = self->sql[SQL_DUE_JOBS];
    (void)sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 2, (int)state);
    (void)sqlite3_bind_int64(statement, 3, now_ms);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)limit);
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t due_ms = sqlite3_column_int64(statement, 0);
        bool full = scene->n_jobs == limit;
        if (full && due_ms >= job_due_ms(scene->jobs[limit - 1].job)) break;
        Pl__Job *job = column_job(statement, 1);
        if (job) insert_due(scene, limit, job);
    }
    return finish(statement, rc);
}

static const Pl__JobState open_states[] = {PL__JOB_STATE__JOB_WAITING, PL__JOB_STATE__JOB_LEASED};

static int load_due(sqlite_store_t *self, const write_t *write, write_scene_t *scene)
{
    const Pl__JobTake *take = write_take(write);
    int rc = SQLITE_OK;
    scene->jobs = calloc(take->limit + 1, sizeof *scene->jobs);
    assert(scene->jobs);
    for (size_t i = 0; i < take->n_kinds; i++) {
        for (size_t s = 0; rc == SQLITE_OK && s < 2; s++)
            rc = load_kind(self, take->kinds[i], open_states[s], take->limit, write->at_ms, scene);
    }
    return rc;
}

int sqlite_jobs_load(sqlite_store_t *self, const write_t *write, write_scene_t *scene,
                     bool *unreadable)
{
    if (write_take(write)) return load_due(self, write, scene);
    return load_keyed(self, write, scene, unreadable);
}

int sqlite_jobs_next(sqlite_store_t *self, write_t *write)
{
    const Pl__JobTake *take = write_take(write);
    sqlite3_stmt *statement = self->sql[SQL_NEXT_JOB];
    int64_t next_ms = INT64_MAX;
    int rc = SQLITE_OK;
    for (size_t i = 0; i < 2 * take->n_kinds && rc == SQLITE_OK; i++) {
        (void)sqlite3_bind_text(statement, 1, take->kinds[i / 2], -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(statement, 2, (int)open_states[i % 2]);
        rc = sqlite3_step(statement);
        bool any = rc == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
        int64_t due_ms = any ? sqlite3_column_int64(statement, 0) : INT64_MAX;
        if (due_ms < next_ms) next_ms = due_ms;
        rc = finish(statement, rc);
    }
    write_set_next(write, next_ms);
    return rc;
}

/* ---- storing ---- */

static int store_job(sqlite_store_t *self, const Pl__Job *job)
{
    sqlite3_stmt *statement = self->sql[SQL_STORE_JOB];
    size_t size;
    uint8_t *bytes = row_pack(&job->base, &size);
    (void)sqlite3_bind_text(statement, 1, job->key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, job->kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, job->call_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 4, (int)job->state);
    (void)sqlite3_bind_int64(statement, 5, job_due_ms(job));
    (void)sqlite3_bind_int64(statement, 6, job->changed_at_ms);
    (void)sqlite3_bind_blob64(statement, 7, bytes, size, SQLITE_STATIC);
    int rc = sqlite_run(self, SQL_STORE_JOB);
    free(bytes);
    return rc;
}

int sqlite_jobs_store(sqlite_store_t *self, const write_scene_t *scene)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < scene->n_jobs; i++) {
        if (scene->jobs[i].changed) rc = store_job(self, scene->jobs[i].job);
    }
    return rc;
}

static int sweep(sqlite_store_t *self, Pl__JobState state, int64_t before_ms)
{
    sqlite3_stmt *statement = self->sql[SQL_SWEEP_JOBS];
    (void)sqlite3_bind_int(statement, 1, (int)state);
    (void)sqlite3_bind_int64(statement, 2, before_ms);
    return sqlite_run(self, SQL_SWEEP_JOBS);
}

int sqlite_jobs_sweep(sqlite_store_t *self, const write_t *write)
{
    int rc = sweep(self, PL__JOB_STATE__JOB_DONE, write->done_before_ms);
    return rc == SQLITE_OK ? sweep(self, PL__JOB_STATE__JOB_DEAD, write->dead_before_ms) : rc;
}

void sqlite_jobs_free(write_scene_t *scene)
{
    for (size_t i = 0; i < scene->n_jobs; i++) job_free(&scene->jobs[i].job);
    free(scene->jobs);
    scene->jobs = NULL;
    scene->n_jobs = 0;
}
