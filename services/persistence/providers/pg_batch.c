/* pg_batch.c - what a batch of writes is about: read and locked at once, before anything is decided. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/persistence/providers/postgresql.h"
#include "services/persistence/row.h"

enum { DAMAGED_MAX = 16 }; /* jobs that cannot be read, and are passed over */

/* ---- an array as PostgreSQL reads it ---- */

typedef struct {
    char *text;
    size_t bytes, room;
} array_t;

static void put(array_t *self, char c)
{
    if (self->bytes + 2 > self->room) {
        self->room = 2 * self->room + 64;
        self->text = realloc(self->text, self->room);
        assert(self->text);
    }
    self->text[self->bytes++] = c;
    self->text[self->bytes] = '\0';
}

static void array_add(array_t *self, const char *item)
{
    put(self, self->bytes == 0 ? '{' : ',');
    put(self, '"');
    for (; *item; item++) {
        if (*item == '"' || *item == '\\') put(self, '\\');
        put(self, *item);
    }
    put(self, '"');
}

static void array_end(array_t *self)
{
    if (self->bytes == 0) put(self, '{');
    put(self, '}');
}

/* ---- finding in what was read ---- */

static int by_call_id(const void *a, const void *b)
{
    return strcmp(((const pg_call_t *)a)->call_id, ((const pg_call_t *)b)->call_id);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const pg_job_t *)a)->key, ((const pg_job_t *)b)->key);
}

pg_call_t *pg_batch_call(pg_batch_t *self, const char *call_id)
{
    pg_call_t wanted = {.call_id = call_id};
    return self->n_calls ? bsearch(&wanted, self->calls, self->n_calls, sizeof wanted, by_call_id)
                         : NULL;
}

pg_job_t *pg_batch_job(pg_batch_t *self, const char *key)
{
    pg_job_t wanted = {.key = (char *)key};
    pg_job_t *job =
        self->n_named ? bsearch(&wanted, self->jobs, self->n_named, sizeof wanted, by_key) : NULL;
    for (size_t i = self->n_named; i < self->n_jobs && !job; i++) {
        if (strcmp(self->jobs[i].key, key) == 0) job = &self->jobs[i];
    }
    return job;
}

/* ---- naming ---- */

static void name_calls(pg_batch_t *self)
{
    self->calls = calloc(self->count + 1, sizeof *self->calls);
    assert(self->calls);
    size_t named = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (write_wants_call(self->writes[i]))
            self->calls[named++].call_id = self->writes[i]->call_id;
    }
    qsort(self->calls, named, sizeof *self->calls, by_call_id);
    for (size_t i = 0; i < named; i++) {
        bool again = self->n_calls > 0 &&
                     strcmp(self->calls[self->n_calls - 1].call_id, self->calls[i].call_id) == 0;
        if (!again) self->calls[self->n_calls++] = self->calls[i];
    }
}

static void name_jobs(pg_batch_t *self)
{
    size_t named = 0;
    for (size_t i = 0; i < self->count; i++) {
        named += write_job_count(self->writes[i]);
    }
    self->jobs = calloc(named + 1, sizeof *self->jobs);
    assert(self->jobs);
    named = 0;
    for (size_t i = 0; i < self->count; i++) {
        size_t n = write_job_count(self->writes[i]);
        for (size_t k = 0; k < n; k++) {
            self->jobs[named].key = strdup(write_job_key(self->writes[i], k));
            assert(self->jobs[named].key);
            named++;
        }
    }
    qsort(self->jobs, named, sizeof *self->jobs, by_key);
    for (size_t i = 0; i < named; i++) {
        bool again =
            self->n_named > 0 && strcmp(self->jobs[self->n_named - 1].key, self->jobs[i].key) == 0;
        if (again)
            free(self->jobs[i].key);
        else
            self->jobs[self->n_named++] = self->jobs[i];
    }
    self->n_jobs = self->n_named;
}

/* ---- reading ---- */

static bool has_trace(const write_t *write)
{
    return write->kind == WRITE_CREATE || write->kind == WRITE_APPLY;
}

static void send_trace(pg_link_t *link, const write_t *write)
{
    pg_value_t values[] = {pg_text(write->call_id), pg_int(write->epoch),
                           pg_int((int64_t)write->write_id)};
    if (write->kind == WRITE_CREATE)
        pg_link_send(link, PG_FIRST_EVENT, values, 1);
    else
        pg_link_send(link, PG_FIND_EVENT, values, 3);
}

static void send_locks(const pg_batch_t *self)
{
    array_t ids = {0};
    array_t keys = {0};
    for (size_t i = 0; i < self->n_calls; i++) array_add(&ids, self->calls[i].call_id);
    for (size_t i = 0; i < self->n_named; i++) array_add(&keys, self->jobs[i].key);
    array_end(&ids);
    array_end(&keys);
    pg_value_t id_values[] = {pg_text(ids.text)};
    pg_value_t key_values[] = {pg_text(keys.text)};
    pg_link_send(self->store->writer, PG_LOCK_CALLS, id_values, 1);
    pg_link_send(self->store->writer, PG_LOCK_JOBS, key_values, 1);
    free(ids.text);
    free(keys.text);
}

static void take_calls(pg_batch_t *self, const PGresult *rows)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        pg_call_t *call = pg_batch_call(self, PQgetvalue(rows, i, 0));
        if (!call) continue;
        size_t bytes;
        const uint8_t *snapshot = pg_column_blob(rows, i, 1, &bytes);
        call->record = pl__call_record__unpack(NULL, bytes, snapshot);
        call->stored = true;
        call->unreadable = !call->record;
    }
}

static void take_jobs(pg_batch_t *self, const PGresult *rows)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        pg_job_t *job = pg_batch_job(self, PQgetvalue(rows, i, 0));
        if (!job) continue;
        size_t bytes;
        const uint8_t *snapshot = pg_column_blob(rows, i, 1, &bytes);
        job->job = pl__job__unpack(NULL, bytes, snapshot);
        job->stored = true;
        job->unreadable = !job->job;
    }
}

static void take_trace(write_trace_t *trace, const PGresult *rows)
{
    if (PQntuples(rows) == 0) return;
    trace->version = (uint64_t)pg_column_int(rows, 0, 0);
    trace->content = pg_column_blob(rows, 0, 1, &trace->content_bytes);
}

pg_outcome_t pg_batch_load(pg_batch_t *self, char detail[STORE_DETAIL_BYTES])
{
    pg_link_t *link = self->store->writer;
    name_calls(self);
    name_jobs(self);
    self->traces = calloc(self->count + 1, sizeof *self->traces);
    assert(self->traces);
    pg_link_send(link, PG_BEGIN, NULL, 0);
    send_locks(self);
    for (size_t i = 0; i < self->count; i++) {
        if (has_trace(self->writes[i])) send_trace(link, self->writes[i]);
    }
    pg_outcome_t outcome = pg_link_sync(link, &self->found, detail);
    if (outcome) return outcome;
    take_calls(self, self->found.items[1]);
    take_jobs(self, self->found.items[2]);
    size_t at = 3;
    for (size_t i = 0; i < self->count; i++) {
        if (has_trace(self->writes[i])) take_trace(&self->traces[i], self->found.items[at++]);
    }
    return PG_DONE;
}

void pg_batch_clear(pg_batch_t *self)
{
    for (size_t i = 0; i < self->n_calls; i++) {
        if (self->calls[i].record) pl__call_record__free_unpacked(self->calls[i].record, NULL);
    }
    for (size_t i = 0; i < self->n_jobs; i++) {
        job_free(&self->jobs[i].job);
        free(self->jobs[i].key);
    }
    free(self->calls);
    free(self->jobs);
    free(self->traces);
    pg_results_free(&self->found);
}

/* ---- the jobs of one write ---- */

static Pl__Job *job_copy(const Pl__Job *job)
{
    return job ? (Pl__Job *)pl_message_copy(&job->base) : NULL;
}

static char *kinds_of(const Pl__JobTake *take)
{
    array_t kinds = {0};
    for (size_t i = 0; i < take->n_kinds; i++) array_add(&kinds, take->kinds[i]);
    array_end(&kinds);
    return kinds.text;
}

pg_outcome_t pg_ask_next(pg_link_t *link, const Pl__JobTake *take, pg_results_t *results,
                         char detail[STORE_DETAIL_BYTES])
{
    char *kinds = kinds_of(take);
    pg_value_t values[] = {pg_text(kinds)};
    pg_link_send(link, PG_NEXT_JOB, values, 1);
    free(kinds);
    return pg_link_sync(link, results, detail);
}

static pg_outcome_t load_due(pg_batch_t *self, const Pl__JobTake *take, int64_t now_ms,
                             write_scene_t *scene, char detail[STORE_DETAIL_BYTES])
{
    char *kinds = kinds_of(take);
    /* A damaged one is left lying: it must not keep the others from being done. */
    pg_value_t values[] = {pg_text(kinds), pg_int(now_ms), pg_int(take->limit + DAMAGED_MAX)};
    pg_link_send(self->store->writer, PG_DUE_JOBS, values, 3);
    free(kinds);
    pg_results_t results;
    pg_outcome_t outcome = pg_link_sync(self->store->writer, &results, detail);
    if (outcome) return outcome;
    const PGresult *rows = results.items[results.count - 1];
    for (int i = 0; i < PQntuples(rows) && scene->n_jobs < take->limit; i++) {
        size_t bytes;
        const uint8_t *snapshot = pg_column_blob(rows, i, 1, &bytes);
        Pl__Job *job = pl__job__unpack(NULL, bytes, snapshot);
        if (job) scene->jobs[scene->n_jobs++].job = job;
    }
    pg_results_free(&results);
    return PG_DONE;
}

pg_outcome_t pg_scene_load(pg_batch_t *self, const write_t *write, write_scene_t *scene,
                           char detail[STORE_DETAIL_BYTES])
{
    const Pl__JobTake *take = write_take(write);
    size_t named = write_job_count(write);
    scene->jobs = calloc(named + (take ? take->limit : 0) + 1, sizeof *scene->jobs);
    assert(scene->jobs);
    if (take) return load_due(self, take, write->at_ms, scene, detail);
    for (size_t i = 0; i < named; i++) {
        const pg_job_t *job = pg_batch_job(self, write_job_key(write, i));
        scene->jobs[scene->n_jobs++].job = job_copy(job->job);
    }
    return PG_DONE;
}

/* The row of a job that a take has found, unless its key was named. */
static pg_job_t *add_job(pg_batch_t *self, const char *key)
{
    self->jobs = realloc(self->jobs, (self->n_jobs + 1) * sizeof *self->jobs);
    assert(self->jobs);
    pg_job_t *job = &self->jobs[self->n_jobs++];
    *job = (pg_job_t){.key = strdup(key), .stored = true};
    assert(job->key);
    return job;
}

static void send_job(const pg_batch_t *self, const pg_job_t *row)
{
    const Pl__Job *job = row->job;
    size_t bytes;
    uint8_t *packed = row_pack(&job->base, &bytes);
    pg_value_t values[] = {pg_text(job->key),       pg_text(job->kind),
                           pg_text(job->call_id),   pg_int(job->state),
                           pg_int(job_due_ms(job)), pg_int(job->changed_at_ms),
                           pg_blob(packed, bytes)};
    pg_link_send(self->store->writer, row->stored ? PG_UPDATE_JOB : PG_INSERT_JOB, values, 7);
    free(packed);
}

void pg_scene_store(pg_batch_t *self, write_scene_t *scene)
{
    for (size_t i = 0; i < scene->n_jobs; i++) {
        if (!scene->jobs[i].changed) continue;
        pg_job_t *row = pg_batch_job(self, scene->jobs[i].job->key);
        if (!row) row = add_job(self, scene->jobs[i].job->key);
        job_free(&row->job);
        row->job = job_copy(scene->jobs[i].job);
        send_job(self, row);
        row->stored = true;
    }
}

void pg_scene_free(write_scene_t *scene)
{
    for (size_t i = 0; i < scene->n_jobs; i++) job_free(&scene->jobs[i].job);
    free(scene->jobs);
    scene->jobs = NULL;
    scene->n_jobs = 0;
}
