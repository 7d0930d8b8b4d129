/* pg_write.c - a batch of writes as one transaction: two round trips and a commit. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/persistence/providers/postgresql.h"
#include "services/persistence/row.h"

enum { TRIES = 8 }; /* of a batch that came into another instance's way */

/* ---- sending ---- */

static void send_reminder(pg_link_t *link, const Pl__CallRecord *record, Pl__Reminder *reminder)
{
    size_t size;
    int reminder_state;
    uint8_t *bytes = row_reminder(record, reminder, &size, &reminder_state);
    pg_value_t values[] = {pg_text(record->call_id), pg_text(reminder->title),
                           pg_int(reminder->due_at_ms), pg_int(reminder_state),
                           pg_blob(bytes, size)};
    pg_link_send(link, PG_INSERT_REMINDER, values, 5);
    free(bytes);
}

static void send_reminders(pg_link_t *link, const Pl__CallRecord *record)
{
    pg_value_t values[] = {pg_text(record->call_id)};
    pg_link_send(link, PG_DROP_REMINDERS, values, 1);
    for (size_t i = 0; i < record->n_reminders; i++)
        send_reminder(link, record, record->reminders[i]);
}

static void send_call(const pg_batch_t *self, pg_call_t *call)
{
    pg_link_t *link = self->store->writer;
    const Pl__CallRecord *record = call->record;
    const char *phone = row_policyholder(record);
    size_t size;
    uint8_t *bytes = row_pack(&record->base, &size);
    pg_value_t id = pg_text(call->call_id);
    pg_value_t policyholder = phone ? pg_text(phone) : pg_null();
    pg_value_t in_progress = pg_int(record->in_progress ? 1 : 0);
    pg_value_t epoch = pg_int(record->epoch);
    pg_value_t owner = pg_text(record->owner);
    pg_value_t version = pg_int((int64_t)record->version);
    pg_value_t snapshot = pg_blob(bytes, size);
    if (call->stored) {
        pg_value_t values[] = {id, policyholder, in_progress, epoch, owner, version, snapshot};
        pg_link_send(link, PG_UPDATE_CALL, values, 7);
    } else {
        pg_value_t number = pg_text(row_number(record));
        pg_value_t values[] = {id,          pg_int(record->created_at_ms),
                               number,      policyholder,
                               in_progress, epoch,
                               owner,       version,
                               snapshot};
        pg_link_send(link, PG_INSERT_CALL, values, 9);
    }
    free(bytes);
    if (call->reminders_changed) send_reminders(link, record);
    call->stored = true;
    call->changed = call->reminders_changed = false;
}

static void send_event(pg_link_t *link, const write_t *write, const pg_call_t *call)
{
    pg_value_t values[] = {pg_text(call->call_id),
                           pg_int((int64_t)write->version),
                           pg_int(write->kind),
                           pg_int(call->record->epoch),
                           pg_int((int64_t)write->write_id),
                           pg_int(write->at_ms),
                           pg_blob(write->content, write->content_bytes)};
    pg_link_send(link, PG_INSERT_EVENT, values, 7);
}

static void send_sweep(pg_link_t *link, const write_t *write)
{
    pg_value_t done[] = {pg_int(PL__JOB_STATE__JOB_DONE), pg_int(write->done_before_ms)};
    pg_value_t dead[] = {pg_int(PL__JOB_STATE__JOB_DEAD), pg_int(write->dead_before_ms)};
    pg_link_send(link, PG_SWEEP_JOBS, done, 2);
    pg_link_send(link, PG_SWEEP_JOBS, dead, 2);
}

/* ---- one write ---- */

/* Of an earlier write of this batch, which is not stored yet, else of the store. */
static write_trace_t trace_of(const pg_batch_t *self, size_t index)
{
    const write_t *write = self->writes[index];
    if (self->traces[index].content) return self->traces[index];
    for (size_t i = 0; i < index; i++) {
        const write_t *earlier = self->writes[i];
        bool same = earlier->kind == write->kind && !earlier->err && !earlier->repeated &&
                    strcmp(earlier->call_id, write->call_id) == 0 &&
                    (write->kind == WRITE_CREATE ||
                     (earlier->epoch == write->epoch && earlier->write_id == write->write_id));
        if (same)
            return (write_trace_t){earlier->content, earlier->content_bytes, earlier->version};
    }
    return (write_trace_t){0};
}

static pg_outcome_t set_next(const pg_batch_t *self, write_t *write,
                             char detail[STORE_DETAIL_BYTES])
{
    int64_t next_ms = INT64_MAX;
    pg_results_t results;
    pg_outcome_t outcome = pg_ask_next(self->store->writer, write_take(write), &results, detail);
    if (outcome) return outcome;
    const PGresult *rows = results.items[results.count - 1];
    if (PQntuples(rows) > 0) next_ms = pg_column_int(rows, 0, 0);
    pg_results_free(&results);
    write_set_next(write, next_ms);
    return PG_DONE;
}

static pg_outcome_t store_scene(pg_batch_t *self, write_t *write, pg_call_t *call,
                                write_scene_t *scene, char detail[STORE_DETAIL_BYTES])
{
    if (scene->call_changed) {
        call->changed = true;
        call->reminders_changed = call->reminders_changed || scene->reminders_changed;
        if (!call->stored) send_call(self, call); /* its events need the row */
        send_event(self->store->writer, write, call);
    }
    pg_scene_store(self, scene);
    return write->kind == WRITE_JOB_TAKE ? set_next(self, write, detail) : PG_DONE;
}

static bool unreadable(const pg_batch_t *self, write_t *write, const pg_call_t *call)
{
    if (call && call->unreadable) {
        (void)write_fail(write, PL_UNAVAILABLE,
                         "postgresql: the record of call %.60s cannot be read", call->call_id);
        return true;
    }
    size_t jobs = write_job_count(write);
    for (size_t i = 0; i < jobs; i++) {
        const pg_job_t *job = pg_batch_job((pg_batch_t *)self, write_job_key(write, i));
        if (!job->unreadable) continue;
        (void)write_fail(write, PL_UNAVAILABLE, "postgresql: the job %.60s cannot be read",
                         job->key);
        return true;
    }
    return false;
}

static pg_outcome_t do_write(pg_batch_t *self, size_t index, char detail[STORE_DETAIL_BYTES])
{
    write_t *write = self->writes[index];
    if (write->kind == WRITE_JOB_SWEEP) {
        send_sweep(self->store->writer, write);
        return PG_DONE;
    }
    pg_call_t *call = write_wants_call(write) ? pg_batch_call(self, write->call_id) : NULL;
    if (unreadable(self, write, call)) return PG_DONE;
    write_scene_t scene = {0};
    pg_outcome_t outcome = pg_scene_load(self, write, &scene, detail);
    if (!outcome) {
        scene.trace = trace_of(self, index);
        if (call) scene.record = call->record;
        (void)write_decide(write, &scene);
        if (call) call->record = scene.record;
        if (!write->err && !write->repeated)
            outcome = store_scene(self, write, call, &scene, detail);
    }
    pg_scene_free(&scene);
    return outcome;
}

/* ---- a batch ---- */

static pg_outcome_t commit(pg_batch_t *self, char detail[STORE_DETAIL_BYTES])
{
    for (size_t i = 0; i < self->n_calls; i++) {
        if (self->calls[i].changed) send_call(self, &self->calls[i]);
    }
    pg_results_t results;
    pg_link_send(self->store->writer, PG_COMMIT, NULL, 0);
    pg_outcome_t outcome = pg_link_sync(self->store->writer, &results, detail);
    pg_results_free(&results);
    return outcome;
}

/* *began: the server had answered, so that the connection was good. */
static pg_outcome_t transact(pg_store_t *store, write_t *const *writes, size_t count, bool *began,
                             char detail[STORE_DETAIL_BYTES])
{
    pg_outcome_t outcome = pg_link_up(store->writer, detail);
    if (outcome) return PG_AWAY;
    pg_batch_t batch = {.store = store, .writes = writes, .count = count};
    for (size_t i = 0; i < count; i++) write_reset(writes[i]);
    outcome = pg_batch_load(&batch, detail);
    *began = !outcome;
    for (size_t i = 0; i < count && !outcome; i++) outcome = do_write(&batch, i, detail);
    if (!outcome) outcome = commit(&batch, detail);
    if (outcome) pg_link_leave(store->writer, PG_ROLLBACK);
    pg_batch_clear(&batch);
    return outcome;
}

static pg_outcome_t persevere(pg_store_t *store, write_t *const *writes, size_t count,
                              char detail[STORE_DETAIL_BYTES])
{
    bool began = false;
    pg_outcome_t outcome = transact(store, writes, count, &began, detail);
    /* A connection that had ended while nothing was asked: nothing has been done yet. */
    if (outcome == PG_AWAY && !began) outcome = transact(store, writes, count, &began, detail);
    for (int i = 1; i < TRIES && outcome == PG_AGAIN; i++)
        outcome = transact(store, writes, count, &began, detail);
    return outcome;
}

void pg_write(void *store, write_t *const *writes, size_t count, store_stats_t *stats)
{
    char detail[STORE_DETAIL_BYTES] = "";
    uint64_t started_us = pl_clock_us();
    pg_outcome_t outcome = persevere(store, writes, count, detail);
    bool alone = outcome == PG_AWAY || count == 1;
    for (size_t i = 0; i < count && outcome; i++) {
        /* One of them is bad and took the others with it: each on its own, then. */
        pg_outcome_t own = alone ? outcome : persevere(store, &writes[i], 1, detail);
        if (!own) continue;
        write_reset(writes[i]);
        (void)write_fail(writes[i], own == PG_REFUSED ? PL_INTERNAL : PL_UNAVAILABLE, "%s", detail);
    }
    stats->commit_us = pl_clock_us() - started_us;
    stats->bytes = 0; /* the server's business */
    if (outcome)
        log_error("store.write_failed", "writes=%zu outcome=%d detail=\"%s\"", count, (int)outcome,
                  detail);
}
