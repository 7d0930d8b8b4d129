#include "services/persistence/write.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

enum { OWNER_BYTES_MAX = 128, CHANGES_MAX = 1000 };

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

static void set_owner(Pl__CallRecord *record, const char *owner)
{
    if (record->owner != (char *)protobuf_c_empty_string) free(record->owner);
    record->owner = strdup(owner);
    assert(record->owner);
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
    if (!*copy->owner && strlen(env->sender) <= OWNER_BYTES_MAX) set_owner(copy, env->sender);
    copy->version = 1;
    w->epoch = copy->epoch;
    w->body = &copy->base;
    return PL_OK;
}

static pl_err_t take_apply(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    const Pl__StoreApply *apply = env->store_apply;
    if (!take_call_id(w->call_id, env->call_id)) return refuse(detail, "call_id: not a UUID");
    if (apply->write_id == 0 || apply->write_id > INT64_MAX)
        return refuse(detail, "write_id: must be 1 or more");
    if (apply->n_changes == 0) return refuse(detail, "changes: none");
    if (apply->n_changes > CHANGES_MAX) return refuse(detail, "changes: more than 1000");
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

static pl_err_t take_body(write_t *w, const Pl__Envelope *env, char detail[STORE_DETAIL_BYTES])
{
    if (env->body_case == PL__ENVELOPE__BODY_STORE_CREATE) {
        w->kind = WRITE_CREATE;
        return take_create(w, env, detail);
    }
    if (env->body_case == PL__ENVELOPE__BODY_STORE_APPLY) {
        w->kind = WRITE_APPLY;
        return take_apply(w, env, detail);
    }
    assert(env->body_case == PL__ENVELOPE__BODY_STORE_ADOPT);
    w->kind = WRITE_ADOPT;
    return take_adopt(w, env, detail);
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

void write_reset(write_t *self)
{
    self->err = PL_OK;
    self->version = 0;
    self->repeated = false;
    self->detail[0] = '\0';
    pl_record_free(&self->record);
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

/* ---- decisions ---- */

pl_err_t write_fail(write_t *self, pl_err_t err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(self->detail, sizeof self->detail, fmt, args);
    va_end(args);
    self->err = err;
    return err;
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

static pl_err_t decide_create(write_t *self, Pl__CallRecord **record_p, const write_trace_t *trace)
{
    if (*record_p) {
        if (trace->content && same_content(self, trace)) return repeated(self, trace->version);
        return write_fail(self, PL_INVALID, "call %s exists with other content", self->call_id);
    }
    *record_p = (Pl__CallRecord *)pl_message_copy(self->body);
    self->version = (*record_p)->version;
    return PL_OK;
}

/* All of the changes or none: whatever may be refused is looked for before the first is made. */
static pl_err_t check_all(write_t *self, const Pl__CallRecord *record)
{
    enum { OVERHEAD_BYTES = 16 }; /* of a change, in tags and lengths */
    const Pl__StoreApply *apply = (const Pl__StoreApply *)self->body;
    for (size_t i = 0; i < apply->n_changes; i++) {
        if (pl_record_check(apply->changes[i]) == PL_OK) continue;
        return write_fail(self, PL_INVALID, "changes[%zu]: unknown to this build, or names nothing",
                          i);
    }
    size_t most = pl__call_record__get_packed_size(record) + self->content_bytes +
                  apply->n_changes * OVERHEAD_BYTES;
    if (most > RECORD_BYTES_MAX)
        return write_fail(self, PL_INVALID, "record: would be larger than %d bytes",
                          RECORD_BYTES_MAX);
    return PL_OK;
}

static pl_err_t decide_apply(write_t *self, Pl__CallRecord *record, const write_trace_t *trace)
{
    if (self->epoch < record->epoch)
        return write_fail(self, PL_STALE,
                          "epoch %" PRIu32 " is over: %s owns the call with %" PRIu32, self->epoch,
                          record->owner, record->epoch);
    if (self->epoch > record->epoch)
        return write_fail(self, PL_INVALID,
                          "epoch %" PRIu32 " was never granted: the call has %" PRIu32, self->epoch,
                          record->epoch);
    if (trace->content) {
        if (same_content(self, trace)) return repeated(self, trace->version);
        return write_fail(self, PL_INVALID, "write_id %" PRIu64 " was used for other changes",
                          self->write_id);
    }
    if (check_all(self, record)) return self->err;
    const Pl__StoreApply *apply = (const Pl__StoreApply *)self->body;
    for (size_t i = 0; i < apply->n_changes; i++) {
        pl_err_t err = pl_record_apply(record, apply->changes[i]);
        assert(err == PL_OK); /* checked */
        (void)err;
    }
    self->version = ++record->version;
    return PL_OK;
}

static pl_err_t decide_adopt(write_t *self, Pl__CallRecord *record)
{
    const Pl__StoreAdopt *adopt = (const Pl__StoreAdopt *)self->body;
    if (record->epoch == adopt->expected_epoch) {
        record->epoch++;
        record->version++;
        set_owner(record, adopt->owner);
        self->version = record->version;
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

pl_err_t write_decide(write_t *self, Pl__CallRecord **record_p, const write_trace_t *trace)
{
    if (self->kind == WRITE_CREATE) return decide_create(self, record_p, trace);
    if (!*record_p) return write_fail(self, PL_NOT_FOUND, "call %s is not known", self->call_id);
    return self->kind == WRITE_ADOPT ? decide_adopt(self, *record_p)
                                     : decide_apply(self, *record_p, trace);
}
