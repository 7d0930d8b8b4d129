#include "services/persistence/write.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/persistence/write_parts.h"

enum {
    OWNER_BYTES_MAX = 128,
    CHANGES_MAX = 1000,
    SPECS_MAX = 100,
    KINDS_MAX = 16,
    TAKE_MAX = 16, /* as many as the bus can carry, each with the largest payload and progress */
};

static pl_err_t refuse(char detail[STORE_DETAIL_BYTES], const char *text)
{
    (void)snprintf(detail, STORE_DETAIL_BYTES, "%s", text);
    return PL_INVALID;
}

/* Takes the text of a UUID in lower case. */
static bool take_call_id(char out[CALL_ID_BYTES], const char *text)
{
    if (strlen(text) != CALL_ID_BYTES - 1) return false;
    for (size_t i = 0; i < CALL_ID_BYTES - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) return false;
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    out[CALL_ID_BYTES - 1] = '\0';
    return true;
}

/* ---- from an envelope ---- */

static pl_err_t take_create(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__CallRecord *call = env->store_create->call;
    if (!call) return refuse(detail, "call: missing");
    if (!take_call_id(w->call_id, call->call_id)) return refuse(detail, "call.call_id: not a UUID");
    char routed[CALL_ID_BYTES];
    if (*env->call_id && (!take_call_id(routed, env->call_id) || strcmp(routed, w->call_id) != 0))
        return refuse(detail, "call.call_id: differs from the envelope's call_id");
    if (call->created_at_ms <= 0) return refuse(detail, "call.created_at_ms: missing");
    if (strlen(call->owner) > OWNER_BYTES_MAX) return refuse(detail, "call.owner: too long");

    Pl__CallRecord *copy = pl_record_copy(call);
    memcpy(copy->call_id, w->call_id, CALL_ID_BYTES);
    if (!copy->epoch) copy->epoch = env->epoch ? env->epoch : 1;
    if (!*copy->owner && strlen(env->sender) <= OWNER_BYTES_MAX) write_set_owner(copy, env->sender);
    copy->version = 1;
    w->epoch = copy->epoch;
    w->body = &copy->base;
    return PL_OK;
}

/* ---- jobs ---- */

bool write_spec_call(const Pl__JobSpec *spec, const char *call_id, char out[CALL_ID_BYTES])
{
    if (*spec->call_id) return take_call_id(out, spec->call_id);
    (void)snprintf(out, CALL_ID_BYTES, "%s", call_id);
    return true;
}

static pl_err_t check_specs(Pl__JobSpec *const *specs, size_t count, const char *call_id,
                            char detail[STORE_DETAIL_BYTES])
{
    if (count > SPECS_MAX) return refuse(detail, "jobs: more than 100");
    for (size_t i = 0; i < count; i++) {
        char why[JOB_DETAIL_BYTES] = "call_id: not a UUID";
        char id[CALL_ID_BYTES];
        bool bad = !write_spec_call(specs[i], call_id, id) || job_check(specs[i], why) != PL_OK;
        for (size_t k = 0; !bad && k < i; k++) {
            if (strcmp(specs[k]->key, specs[i]->key) != 0) continue;
            (void)snprintf(why, sizeof why, "key: the same as that of jobs[%zu]", k);
            bad = true;
        }
        if (!bad) continue;
        (void)snprintf(detail, STORE_DETAIL_BYTES, "jobs[%zu].%.200s", i, why);
        return PL_INVALID;
    }
    return PL_OK;
}

static bool is_key(const char *text)
{
    return *text && strlen(text) <= JOB_KEY_BYTES_MAX;
}

static pl_err_t take_apply(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__StoreApply *apply = env->store_apply;
    if (!take_call_id(w->call_id, env->call_id)) return refuse(detail, "call_id: not a UUID");
    if (apply->write_id == 0 || apply->write_id > INT64_MAX)
        return refuse(detail, "write_id: must be 1 or more");
    if (apply->n_changes == 0 && apply->n_jobs == 0) return refuse(detail, "changes: none");
    if (apply->n_changes > CHANGES_MAX) return refuse(detail, "changes: more than 1000");
    pl_err_t err = check_specs(apply->jobs, apply->n_jobs, w->call_id, detail);
    if (err) return err;
    w->epoch = env->epoch;
    w->write_id = apply->write_id;
    w->body = pl_message_copy(&apply->base);
    return PL_OK;
}

static pl_err_t take_adopt(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__StoreAdopt *adopt = env->store_adopt;
    if (!take_call_id(w->call_id, env->call_id)) return refuse(detail, "call_id: not a UUID");
    if (!*adopt->owner) return refuse(detail, "owner: missing");
    if (strlen(adopt->owner) > OWNER_BYTES_MAX) return refuse(detail, "owner: too long");
    if (adopt->expected_epoch == UINT32_MAX) return refuse(detail, "expected_epoch: out of range");
    w->epoch = adopt->expected_epoch;
    w->body = pl_message_copy(&adopt->base);
    return PL_OK;
}

static pl_err_t take_put(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__JobPut *put = env->job_put;
    if (*env->call_id && !take_call_id(w->call_id, env->call_id))
        return refuse(detail, "call_id: not a UUID");
    if (put->n_jobs == 0) return refuse(detail, "jobs: none");
    pl_err_t err = check_specs(put->jobs, put->n_jobs, w->call_id, detail);
    if (!err) w->body = pl_message_copy(&put->base);
    return err;
}

static pl_err_t take_take(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__JobTake *take = env->job_take;
    if (take->n_kinds == 0 || take->n_kinds > KINDS_MAX)
        return refuse(detail, "kinds: not 1 to 16 of them");
    for (size_t i = 0; i < take->n_kinds; i++) {
        if (*take->kinds[i] && strlen(take->kinds[i]) <= JOB_KIND_BYTES_MAX) continue;
        return refuse(detail, "kinds: one is not 1 to 32 bytes long");
    }
    if (!*take->worker) return refuse(detail, "worker: missing");
    if (strlen(take->worker) > OWNER_BYTES_MAX) return refuse(detail, "worker: too long");
    if (take->lease_ms < JOB_LEASE_MS_MIN || take->lease_ms > JOB_LEASE_MS_MAX)
        return refuse(detail, "lease_ms: not between 1000 and 3600000");
    if (take->limit == 0 || take->limit > TAKE_MAX)
        return refuse(detail, "limit: not between 1 and 16");
    w->body = pl_message_copy(&take->base);
    return PL_OK;
}

static pl_err_t take_renew(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__JobRenew *renew = env->job_renew;
    if (!is_key(renew->key)) return refuse(detail, "key: not 1 to 200 bytes long");
    if (renew->lease_ms < JOB_LEASE_MS_MIN || renew->lease_ms > JOB_LEASE_MS_MAX)
        return refuse(detail, "lease_ms: not between 1000 and 3600000");
    if (renew->progress.len > JOB_PAYLOAD_BYTES_MAX)
        return refuse(detail, "progress: larger than 64 KiB");
    w->body = pl_message_copy(&renew->base);
    return PL_OK;
}

/* A job's outcome: what it changes, under which lease. */
static pl_err_t take_outcome(write_t *w, const Pl__Envelope *env, const char *key, uint64_t lease,
                             size_t changes, char detail[STORE_DETAIL_BYTES])
{
    if (!is_key(key)) return refuse(detail, "key: not 1 to 200 bytes long");
    if (lease == 0 || lease > INT64_MAX) return refuse(detail, "lease: must be 1 or more");
    if (changes > CHANGES_MAX) return refuse(detail, "changes: more than 1000");
    if (*env->call_id && !take_call_id(w->call_id, env->call_id))
        return refuse(detail, "call_id: not a UUID");
    if (changes > 0 && !*w->call_id) return refuse(detail, "call_id: missing, of the changes");
    w->write_id = lease;
    return PL_OK;
}

static pl_err_t take_done(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__JobDone *done = env->job_done;
    pl_err_t err = take_outcome(w, env, done->key, done->lease, done->n_changes, detail);
    if (!err) err = check_specs(done->jobs, done->n_jobs, w->call_id, detail);
    for (size_t i = 0; !err && i < done->n_jobs; i++) {
        if (strcmp(done->jobs[i]->key, done->key) == 0)
            err = refuse(detail, "jobs: one has the key of the job that is done");
    }
    if (!err) w->body = pl_message_copy(&done->base);
    return err;
}

static pl_err_t take_fail(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__JobFail *fail = env->job_fail;
    pl_err_t err = take_outcome(w, env, fail->key, fail->lease, fail->n_changes, detail);
    if (!err && fail->retry_after_ms > JOB_LEASE_MS_MAX * 24U)
        err = refuse(detail, "retry_after_ms: more than a day");
    if (!err) w->body = pl_message_copy(&fail->base);
    return err;
}

static pl_err_t take_retry(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    if (!is_key(env->job_retry->key)) return refuse(detail, "key: not 1 to 200 bytes long");
    w->body = pl_message_copy(&env->job_retry->base);
    return PL_OK;
}

typedef pl_err_t take_fn(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES]);

static const struct {
    Pl__Envelope__BodyCase body;
    write_kind_t kind;
    take_fn *take;
} requests[] = {
    {PL__ENVELOPE__BODY_STORE_CREATE, WRITE_CREATE, take_create},
    {PL__ENVELOPE__BODY_STORE_APPLY, WRITE_APPLY, take_apply},
    {PL__ENVELOPE__BODY_STORE_ADOPT, WRITE_ADOPT, take_adopt},
    {PL__ENVELOPE__BODY_JOB_PUT, WRITE_JOB_PUT, take_put},
    {PL__ENVELOPE__BODY_JOB_TAKE, WRITE_JOB_TAKE, take_take},
    {PL__ENVELOPE__BODY_JOB_RENEW, WRITE_JOB_RENEW, take_renew},
    {PL__ENVELOPE__BODY_JOB_DONE, WRITE_JOB_DONE, take_done},
    {PL__ENVELOPE__BODY_JOB_FAIL, WRITE_JOB_FAIL, take_fail},
    {PL__ENVELOPE__BODY_JOB_RETRY, WRITE_JOB_RETRY, take_retry},
};

static pl_err_t take_body(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    size_t i = 0;
    while (i < sizeof requests / sizeof *requests && requests[i].body != env->body_case) i++;
    assert(i < sizeof requests / sizeof *requests); /* the caller asks only for these */
    w->kind = requests[i].kind;
    return requests[i].take(w, env, detail);
}

pl_err_t write_new(write_t **out, const Pl__Envelope *env, int64_t now_ms,
                   char detail[STORE_DETAIL_BYTES])
{
    write_t *w = calloc(1, sizeof *w);
    assert(w);
    w->at_ms = now_ms;
    pl_err_t err = take_body(w, env, detail);
    if (err) goto out;
    w->content_bytes = protobuf_c_message_get_packed_size(w->body);
    if (w->content_bytes > RECORD_BYTES_MAX) {
        err = refuse(detail, "message: larger than a call's record may be (2 MiB)");
        goto out;
    }
    w->content = malloc(w->content_bytes + 1);
    assert(w->content);
    (void)protobuf_c_message_pack(w->body, w->content);
    *out = w;
    return PL_OK;
out:
    write_destroy(&w);
    return err;
}

write_t *write_new_sweep(int64_t done_before_ms, int64_t dead_before_ms)
{
    write_t *w = calloc(1, sizeof *w);
    assert(w);
    w->kind = WRITE_JOB_SWEEP;
    w->done_before_ms = done_before_ms;
    w->dead_before_ms = dead_before_ms;
    return w;
}

void write_reset(write_t *self)
{
    self->err = PL_OK;
    self->version = 0;
    self->repeated = false;
    self->detail[0] = '\0';
    free(self->notes);
    self->notes = NULL;
    self->n_notes = 0;
    pl_record_free(&self->record);
    if (self->taken) pl__job_taken__free_unpacked(self->taken, NULL);
    self->taken = NULL;
}

void write_destroy(write_t **self_p)
{
    write_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    write_reset(self);
    if (self->body) protobuf_c_message_free_unpacked(self->body, NULL);
    free(self->content);
    free(self);
}

/* ---- what it is about ---- */

write_parts_t write_parts(const write_t *self)
{
    const ProtobufCMessage *body = self->body;
    switch (self->kind) {
    case WRITE_APPLY: {
        const Pl__StoreApply *apply = (const Pl__StoreApply *)body;
        return (write_parts_t){.changes = apply->changes,
                               .n_changes = apply->n_changes,
                               .specs = apply->jobs,
                               .n_specs = apply->n_jobs};
    }
    case WRITE_JOB_DONE: {
        const Pl__JobDone *done = (const Pl__JobDone *)body;
        return (write_parts_t){.key = done->key,
                               .changes = done->changes,
                               .n_changes = done->n_changes,
                               .specs = done->jobs,
                               .n_specs = done->n_jobs};
    }
    case WRITE_JOB_FAIL: {
        const Pl__JobFail *fail = (const Pl__JobFail *)body;
        return (write_parts_t){
            .key = fail->key, .changes = fail->changes, .n_changes = fail->n_changes};
    }
    case WRITE_JOB_PUT: {
        const Pl__JobPut *put = (const Pl__JobPut *)body;
        return (write_parts_t){.specs = put->jobs, .n_specs = put->n_jobs};
    }
    case WRITE_JOB_RENEW:
        return (write_parts_t){.key = ((const Pl__JobRenew *)body)->key};
    case WRITE_JOB_RETRY:
        return (write_parts_t){.key = ((const Pl__JobRetry *)body)->key};
    case WRITE_CREATE:
    case WRITE_ADOPT:
    case WRITE_JOB_TAKE:
    case WRITE_JOB_SWEEP:
        break;
    }
    return (write_parts_t){0};
}

bool write_wants_call(const write_t *self)
{
    switch (self->kind) {
    case WRITE_CREATE:
    case WRITE_APPLY:
    case WRITE_ADOPT:
        return true;
    case WRITE_JOB_DONE:
    case WRITE_JOB_FAIL:
        return write_parts(self).n_changes > 0;
    case WRITE_JOB_PUT:
    case WRITE_JOB_TAKE:
    case WRITE_JOB_RENEW:
    case WRITE_JOB_RETRY:
    case WRITE_JOB_SWEEP:
        break;
    }
    return false;
}

size_t write_job_count(const write_t *self)
{
    write_parts_t parts = write_parts(self);
    return parts.n_specs + (parts.key ? 1 : 0);
}

const char *write_job_key(const write_t *self, size_t i)
{
    write_parts_t parts = write_parts(self);
    if (parts.key && i == 0) return parts.key;
    return parts.specs[parts.key ? i - 1 : i]->key;
}

const Pl__JobTake *write_take(const write_t *self)
{
    return self->kind == WRITE_JOB_TAKE ? (const Pl__JobTake *)self->body : NULL;
}

void write_set_next(write_t *self, int64_t due_ms)
{
    if (!self->taken || due_ms == INT64_MAX) return;
    int64_t wait = due_ms - self->at_ms;
    if (wait < 1) wait = 1; /* 0 means none */
    self->taken->next_ms = wait < UINT32_MAX ? (uint32_t)wait : UINT32_MAX;
}

pl_err_t write_fail(write_t *self, pl_err_t err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(self->detail, sizeof self->detail, fmt, args);
    va_end(args);
    self->err = err;
    return err;
}
