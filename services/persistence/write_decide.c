/* What a write makes of a call's record and of jobs. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/persistence/write.h"
#include "services/persistence/write_parts.h"

void write_set_owner(Pl__CallRecord *record, const char *owner)
{
    if (record->owner != (char *)protobuf_c_empty_string) free(record->owner);
    record->owner = strdup(owner);
    assert(record->owner);
}

static bool same_content(const write_t *self, const write_trace_t *trace)
{
    return trace->content_bytes == self->content_bytes &&
           memcmp(trace->content, self->content, self->content_bytes) == 0;
}

static pl_err_t repeated(write_t *self, uint64_t version)
{
    self->repeated = true;
    self->version = version;
    return PL_OK;
}

static pl_err_t decide_create(write_t *self, write_scene_t *scene)
{
    const write_trace_t *trace = &scene->trace;
    if (scene->record) {
        if (trace->content && same_content(self, trace)) return repeated(self, trace->version);
        return write_fail(self, PL_INVALID, "call %s exists with other content", self->call_id);
    }
    scene->record = (Pl__CallRecord *)pl_message_copy(self->body);
    scene->call_changed = true;
    scene->reminders_changed = scene->record->n_reminders > 0;
    self->version = scene->record->version;
    return PL_OK;
}

/* ---- changes of a record ---- */

/* All of the changes or none: whatever may be refused is looked for before the first is made. */
static pl_err_t check_changes(write_t *self, const Pl__CallRecord *record,
                              const write_parts_t *parts)
{
    enum { OVERHEAD_BYTES = 16 }; /* of a change, in tags and lengths */
    for (size_t i = 0; i < parts->n_changes; i++) {
        if (pl_record_check(parts->changes[i]) == PL_OK) continue;
        return write_fail(self, PL_INVALID, "changes[%zu]: unknown to this build, or names nothing",
                          i);
    }
    size_t most = pl__call_record__get_packed_size(record) + self->content_bytes +
                  parts->n_changes * OVERHEAD_BYTES;
    if (most > RECORD_BYTES_MAX)
        return write_fail(self, PL_INVALID, "record: would be larger than %d bytes",
                          RECORD_BYTES_MAX);
    return PL_OK;
}

static void apply_changes(write_t *self, write_scene_t *scene, const write_parts_t *parts)
{
    for (size_t i = 0; i < parts->n_changes; i++) {
        const Pl__CallChange *change = parts->changes[i];
        pl_err_t err = pl_record_apply(scene->record, change);
        assert(err == PL_OK); /* checked */
        (void)err;
        if (change->change_case == PL__CALL_CHANGE__CHANGE_REMINDER ||
            change->change_case == PL__CALL_CHANGE__CHANGE_REMINDER_OUTCOME)
            scene->reminders_changed = true;
    }
    self->version = ++scene->record->version;
    scene->call_changed = true;
}

/* ---- jobs ---- */

static void note(write_t *self, job_note_kind_t what, const Pl__Job *job)
{
    self->notes = realloc(self->notes, (self->n_notes + 1) * sizeof *self->notes);
    assert(self->notes);
    job_note_t *at = &self->notes[self->n_notes++];
    at->note = what;
    (void)snprintf(at->kind, sizeof at->kind, "%s", job->kind);
}

static void note_ready(write_t *self, const Pl__Job *job)
{
    if (job->state == PL__JOB_STATE__JOB_WAITING && job->run_at_ms <= self->at_ms)
        note(self, JOB_NOTE_READY, job);
}

/* The scene's jobs from the first on are those of the specs. */
static pl_err_t put_jobs(write_t *self, write_scene_t *scene, size_t first,
                         const write_parts_t *parts)
{
    assert(scene->n_jobs == first + parts->n_specs);
    for (size_t i = 0; i < parts->n_specs; i++) {
        const Pl__JobSpec *spec = parts->specs[i];
        write_job_t *at = &scene->jobs[first + i];
        char call_id[CALL_ID_BYTES];
        char why[JOB_DETAIL_BYTES] = "";
        write_spec_call(spec, self->call_id, call_id);
        if (job_put(&at->job, spec, call_id, self->at_ms, &at->changed, why) != PL_OK)
            return write_fail(self, PL_INVALID, "jobs[%zu].%.200s", i, why);
        if (at->changed) note_ready(self, at->job);
    }
    return PL_OK;
}

static pl_err_t decide_apply(write_t *self, write_scene_t *scene)
{
    const Pl__CallRecord *record = scene->record;
    if (self->epoch < record->epoch)
        return write_fail(self, PL_STALE,
                          "epoch %" PRIu32 " is over: %s owns the call with %" PRIu32, self->epoch,
                          record->owner, record->epoch);
    if (self->epoch > record->epoch)
        return write_fail(self, PL_INVALID,
                          "epoch %" PRIu32 " was never granted: the call has %" PRIu32, self->epoch,
                          record->epoch);
    if (scene->trace.content) {
        if (same_content(self, &scene->trace)) return repeated(self, scene->trace.version);
        return write_fail(self, PL_INVALID, "write_id %" PRIu64 " was used for other changes",
                          self->write_id);
    }
    write_parts_t parts = write_parts(self);
    if (check_changes(self, record, &parts) || put_jobs(self, scene, 0, &parts)) return self->err;
    apply_changes(self, scene, &parts);
    return PL_OK;
}

static pl_err_t decide_take(write_t *self, write_scene_t *scene)
{
    const Pl__JobTake *take = write_take(self);
    Pl__JobTaken *taken = malloc(sizeof *taken);
    assert(taken);
    pl__job_taken__init(taken);
    self->taken = taken;
    taken->jobs = calloc(scene->n_jobs + 1, sizeof(Pl__Job *));
    assert(taken->jobs);
    for (size_t i = 0; i < scene->n_jobs && taken->n_jobs < take->limit; i++) {
        write_job_t *at = &scene->jobs[i];
        if (job_due_ms(at->job) > self->at_ms) continue;
        at->changed = true;
        if (!job_take(at->job, take->worker, take->lease_ms, self->at_ms)) {
            note(self, JOB_NOTE_DEAD, at->job);
            continue;
        }
        note(self, JOB_NOTE_TAKEN, at->job);
        taken->jobs[taken->n_jobs++] = (Pl__Job *)pl_message_copy(&at->job->base);
    }
    return PL_OK;
}

/* The change of a job's outcome: of the job's own call, which must be there. */
static pl_err_t check_outcome(write_t *self, const write_scene_t *scene, const Pl__Job *job,
                              const write_parts_t *parts)
{
    if (parts->n_changes == 0) return PL_OK;
    if (strcmp(job->call_id, self->call_id) != 0)
        return write_fail(self, PL_INVALID, "call_id: the job is not about call %s", self->call_id);
    if (!scene->record)
        return write_fail(self, PL_NOT_FOUND, "call %s is not known", self->call_id);
    return check_changes(self, scene->record, parts);
}

static pl_err_t decide_done(write_t *self, write_scene_t *scene, write_job_t *at)
{
    char why[JOB_DETAIL_BYTES] = "";
    bool again = false;
    write_parts_t parts = write_parts(self);
    pl_err_t err = job_done(at->job, self->write_id, self->at_ms, &again, why);
    if (err) return write_fail(self, err, "%s", why);
    if (again) return repeated(self, scene->record ? scene->record->version : 0);
    if (check_outcome(self, scene, at->job, &parts) || put_jobs(self, scene, 1, &parts))
        return self->err;
    at->changed = true;
    note(self, JOB_NOTE_DONE, at->job);
    if (parts.n_changes > 0) apply_changes(self, scene, &parts);
    return PL_OK;
}

static pl_err_t decide_fail(write_t *self, write_scene_t *scene, write_job_t *at)
{
    char why[JOB_DETAIL_BYTES] = "";
    const Pl__JobFail *fail = (const Pl__JobFail *)self->body;
    write_parts_t parts = write_parts(self);
    pl_err_t err = job_fail(at->job, fail, self->at_ms, why);
    if (err) return write_fail(self, err, "%s", why);
    if (check_outcome(self, scene, at->job, &parts)) return self->err;
    at->changed = true;
    if (at->job->state == PL__JOB_STATE__JOB_DEAD)
        note(self, JOB_NOTE_DEAD, at->job);
    else if (!fail->released)
        note(self, JOB_NOTE_FAILED, at->job);
    note_ready(self, at->job);
    if (parts.n_changes > 0) apply_changes(self, scene, &parts);
    return PL_OK;
}

static pl_err_t decide_lease(write_t *self, write_job_t *at)
{
    char why[JOB_DETAIL_BYTES] = "";
    pl_err_t err = PL_OK;
    if (self->kind == WRITE_JOB_RENEW)
        err = job_renew(at->job, (const Pl__JobRenew *)self->body, self->at_ms, why);
    else
        err = job_retry(at->job, self->at_ms, why);
    if (err) return write_fail(self, err, "%s", why);
    at->changed = true;
    note_ready(self, at->job);
    return PL_OK;
}

/* Those that are about one job, which must exist. */
static pl_err_t decide_job(write_t *self, write_scene_t *scene)
{
    assert(scene->n_jobs > 0);
    write_job_t *at = &scene->jobs[0];
    if (!at->job)
        return write_fail(self, PL_NOT_FOUND, "there is no job \"%.200s\"", write_job_key(self, 0));
    if (self->kind == WRITE_JOB_DONE) return decide_done(self, scene, at);
    if (self->kind == WRITE_JOB_FAIL) return decide_fail(self, scene, at);
    return decide_lease(self, at);
}

/* ---- owners ---- */

static pl_err_t decide_adopt(write_t *self, write_scene_t *scene)
{
    const Pl__StoreAdopt *adopt = (const Pl__StoreAdopt *)self->body;
    Pl__CallRecord *record = scene->record;
    if (record->epoch == adopt->expected_epoch) {
        record->epoch++;
        record->version++;
        write_set_owner(record, adopt->owner);
        self->version = record->version;
        scene->call_changed = true;
    } else if (record->epoch == adopt->expected_epoch + 1 &&
               strcmp(record->owner, adopt->owner) == 0) {
        (void)repeated(self, record->version); /* its first answer was lost on the way */
    } else {
        return write_fail(self, PL_STALE, "epoch is %" PRIu32 " (of %s), not %" PRIu32,
                          record->epoch, record->owner, adopt->expected_epoch);
    }
    self->record = pl_record_copy(record);
    return PL_OK;
}

static pl_err_t not_found(write_t *self)
{
    return write_fail(self, PL_NOT_FOUND, "call %s is not known", self->call_id);
}

pl_err_t write_decide(write_t *self, write_scene_t *scene)
{
    scene->call_changed = false;
    scene->reminders_changed = false;
    switch (self->kind) {
    case WRITE_CREATE:
        return decide_create(self, scene);
    case WRITE_APPLY:
        return scene->record ? decide_apply(self, scene) : not_found(self);
    case WRITE_ADOPT:
        return scene->record ? decide_adopt(self, scene) : not_found(self);
    case WRITE_JOB_PUT: {
        write_parts_t parts = write_parts(self);
        return put_jobs(self, scene, 0, &parts);
    }
    case WRITE_JOB_TAKE:
        return decide_take(self, scene);
    case WRITE_JOB_DONE:
    case WRITE_JOB_FAIL:
    case WRITE_JOB_RENEW:
    case WRITE_JOB_RETRY:
        return decide_job(self, scene);
    case WRITE_JOB_SWEEP:
        break; /* the provider does it all */
    }
    return PL_OK;
}
