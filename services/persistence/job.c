#include "services/persistence/job.h"

#include <assert.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pl_err_t refuse(char detail[JOB_DETAIL_BYTES], pl_err_t err, const char *text)
{
    (void)snprintf(detail, JOB_DETAIL_BYTES, "%s", text);
    return err;
}

/* ---- fields ---- */

static void set_text(char **out, const char *text)
{
    if (*out != (char *)protobuf_c_empty_string) free(*out);
    *out = (char *)protobuf_c_empty_string;
    size_t size = strnlen(text, JOB_REASON_BYTES_MAX);
    /* No character is cut in the middle: what follows the cut must begin one. */
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
    if (size == 0) return;
    *out = strndup(text, size);
    assert(*out);
}

static void set_bytes(ProtobufCBinaryData *out, const ProtobufCBinaryData *bytes)
{
    free(out->data);
    *out = (ProtobufCBinaryData){0};
    if (bytes->len == 0) return;
    out->data = malloc(bytes->len);
    assert(out->data);
    memcpy(out->data, bytes->data, bytes->len);
    out->len = bytes->len;
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void enter(Pl__Job *job, Pl__JobState state, int64_t now_ms)
{
    job->state = state;
    job->changed_at_ms = now_ms;
    if (state != PL__JOB_STATE__JOB_LEASED) job->lease_until_ms = 0;
}

/* A number no earlier holder has. Time is in it so that a job made anew under an old key, after the
 * former one was forgotten, does not repeat its numbers. */
static void new_lease(Pl__Job *job, int64_t now_ms)
{
    uint64_t at = now_ms > 0 ? (uint64_t)now_ms : 1;
    job->lease = job->lease >= at ? job->lease + 1 : at;
}

void job_free(Pl__Job **job_p)
{
    if (!*job_p) return;
    pl__job__free_unpacked(*job_p, NULL);
    *job_p = NULL;
}

const char *job_state_name(Pl__JobState state)
{
    switch (state) {
    case PL__JOB_STATE__JOB_WAITING:
        return "waiting";
    case PL__JOB_STATE__JOB_LEASED:
        return "leased";
    case PL__JOB_STATE__JOB_DONE:
        return "done";
    case PL__JOB_STATE__JOB_DEAD:
        return "dead";
    case _PL__JOB_STATE_IS_INT_SIZE:
        break;
    }
    return "unknown";
}

/* ---- put ---- */

static bool is_kind(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return size > 0 && size <= JOB_KIND_BYTES_MAX && !text[size];
}

pl_err_t job_check(const Pl__JobSpec *spec, char detail[JOB_DETAIL_BYTES])
{
    if (!*spec->key) return refuse(detail, PL_INVALID, "key: missing");
    if (strlen(spec->key) > JOB_KEY_BYTES_MAX)
        return refuse(detail, PL_INVALID, "key: longer than 200 bytes");
    if (!g_utf8_validate(spec->key, -1, NULL)) return refuse(detail, PL_INVALID, "key: not UTF-8");
    if (!is_kind(spec->kind))
        return refuse(detail, PL_INVALID, "kind: not 1 to 32 of a-z, 0-9 and _");
    if (spec->payload.len > JOB_PAYLOAD_BYTES_MAX)
        return refuse(detail, PL_INVALID, "payload: larger than 64 KiB");
    if (spec->run_at_ms < 0) return refuse(detail, PL_INVALID, "run_at_ms: before 1970");
    if (spec->max_attempts > JOB_ATTEMPTS_MAX)
        return refuse(detail, PL_INVALID, "max_attempts: more than 100");
    if (spec->mode > PL__JOB_MODE__JOB_DROP)
        return refuse(detail, PL_INVALID, "mode: unknown to this build");
    return PL_OK;
}

static void fill(Pl__Job *job, const Pl__JobSpec *spec, int64_t now_ms)
{
    static const ProtobufCBinaryData nothing = {0};
    set_bytes(&job->payload, &spec->payload);
    set_bytes(&job->progress, &nothing);
    set_text(&job->last_error, "");
    job->run_at_ms = job->asked_at_ms = spec->run_at_ms;
    job->max_attempts = spec->max_attempts ? spec->max_attempts : JOB_ATTEMPTS;
    job->attempts = 0;
    enter(job, PL__JOB_STATE__JOB_WAITING, now_ms);
}

static Pl__Job *job_new(const Pl__JobSpec *spec, const char *call_id, int64_t now_ms)
{
    Pl__Job *job = malloc(sizeof *job);
    assert(job);
    pl__job__init(job);
    set_text(&job->key, spec->key);
    set_text(&job->kind, spec->kind);
    set_text(&job->call_id, call_id);
    job->created_at_ms = now_ms;
    fill(job, spec, now_ms);
    return job;
}

static bool drop(Pl__Job *job, int64_t now_ms)
{
    if (job->state == PL__JOB_STATE__JOB_DONE) return false;
    set_text(&job->last_error, "dropped: no longer wanted");
    new_lease(job, now_ms);
    enter(job, PL__JOB_STATE__JOB_DONE, now_ms);
    return true;
}

pl_err_t job_put(Pl__Job **job_p, const Pl__JobSpec *spec, const char *call_id, int64_t now_ms,
                 bool *changed, char detail[JOB_DETAIL_BYTES])
{
    Pl__Job *job = *job_p;
    *changed = false;
    if (job && (strcmp(job->kind, spec->kind) != 0 || strcmp(job->call_id, call_id) != 0)) {
        (void)snprintf(detail, JOB_DETAIL_BYTES, "key: \"%.100s\" is a job of kind %s%s", spec->key,
                       job->kind, strcmp(job->call_id, call_id) != 0 ? " of another call" : "");
        return PL_INVALID;
    }
    switch (spec->mode) {
    case PL__JOB_MODE__JOB_KEEP:
        *changed = !job;
        break;
    case PL__JOB_MODE__JOB_REPLACE:
        *changed = !job || job->asked_at_ms != spec->run_at_ms ||
                   !same_bytes(&job->payload, &spec->payload);
        break;
    case PL__JOB_MODE__JOB_DROP:
        *changed = job && drop(job, now_ms);
        return PL_OK;
    case _PL__JOB_MODE_IS_INT_SIZE:
        break;
    }
    if (!*changed) return PL_OK;
    if (!job) {
        *job_p = job_new(spec, call_id, now_ms);
        return PL_OK;
    }
    new_lease(job, now_ms); /* who has it works for nothing */
    fill(job, spec, now_ms);
    return PL_OK;
}

/* ---- leases ---- */

int64_t job_due_ms(const Pl__Job *job)
{
    if (job->state == PL__JOB_STATE__JOB_WAITING) return job->run_at_ms;
    if (job->state == PL__JOB_STATE__JOB_LEASED) return job->lease_until_ms;
    return INT64_MAX;
}

static void bury(Pl__Job *job, int64_t now_ms, const char *reason)
{
    char text[JOB_REASON_BYTES_MAX];
    (void)snprintf(text, sizeof text, "%s", reason);
    set_text(&job->last_error, text);
    enter(job, PL__JOB_STATE__JOB_DEAD, now_ms);
}

bool job_take(Pl__Job *job, const char *worker, uint32_t lease_ms, int64_t now_ms)
{
    if (job->state == PL__JOB_STATE__JOB_LEASED) {
        char text[JOB_DETAIL_BYTES];
        (void)snprintf(text, sizeof text, "%.100s took it and never reported (attempt %" PRIu32 ")",
                       job->worker, job->attempts);
        if (job->attempts >= job->max_attempts) {
            bury(job, now_ms, text);
            return false;
        }
        set_text(&job->last_error, text);
    }
    job->attempts++;
    new_lease(job, now_ms);
    set_text(&job->worker, worker);
    enter(job, PL__JOB_STATE__JOB_LEASED, now_ms);
    job->lease_until_ms = now_ms + lease_ms;
    return true;
}

static pl_err_t check_lease(const Pl__Job *job, uint64_t lease, char detail[JOB_DETAIL_BYTES])
{
    if (job->state == PL__JOB_STATE__JOB_LEASED && job->lease == lease) return PL_OK;
    (void)snprintf(detail, JOB_DETAIL_BYTES,
                   "lease %" PRIu64 " is over: the job is %s with %" PRIu64, lease,
                   job_state_name(job->state), job->lease);
    return PL_STALE;
}

pl_err_t job_renew(Pl__Job *job, const Pl__JobRenew *renew, int64_t now_ms,
                   char detail[JOB_DETAIL_BYTES])
{
    pl_err_t err = check_lease(job, renew->lease, detail);
    if (err) return err;
    job->lease_until_ms = now_ms + renew->lease_ms;
    job->changed_at_ms = now_ms;
    if (renew->note) set_bytes(&job->progress, &renew->progress);
    return PL_OK;
}

/* ---- outcomes ---- */

pl_err_t job_done(Pl__Job *job, uint64_t lease, int64_t now_ms, bool *repeated,
                  char detail[JOB_DETAIL_BYTES])
{
    *repeated = job->state == PL__JOB_STATE__JOB_DONE && job->lease == lease;
    if (*repeated) return PL_OK;
    pl_err_t err = check_lease(job, lease, detail);
    if (err) return err;
    set_text(&job->last_error, "");
    enter(job, PL__JOB_STATE__JOB_DONE, now_ms);
    return PL_OK;
}

uint32_t job_pause_ms(uint32_t attempts, uint64_t chance)
{
    uint32_t doublings = attempts > 1 ? attempts - 1 : 0;
    uint32_t pause = JOB_PAUSE_MAX_MS;
    if (doublings < 16 && (uint32_t)JOB_PAUSE_FIRST_MS << doublings < pause)
        pause = (uint32_t)JOB_PAUSE_FIRST_MS << doublings;
    /* Multiplied by a large odd number the low bits of what differs little are spread. */
    uint64_t spread = (chance * UINT64_C(0x9E3779B97F4A7C15)) >> 33;
    return pause - (uint32_t)(spread % (pause / 2 + 1));
}

static uint64_t chance_of(const Pl__Job *job)
{
    uint64_t sum = job->lease;
    for (const char *p = job->key; *p; p++) sum = sum * 31 + (unsigned char)*p;
    return sum;
}

pl_err_t job_fail(Pl__Job *job, const Pl__JobFail *fail, int64_t now_ms,
                  char detail[JOB_DETAIL_BYTES])
{
    pl_err_t err = check_lease(job, fail->lease, detail);
    if (err) return err;
    if (fail->released) {
        job->attempts--;
        job->run_at_ms = now_ms;
        enter(job, PL__JOB_STATE__JOB_WAITING, now_ms);
        return PL_OK;
    }
    const char *reason = *fail->reason ? fail->reason : "no reason given";
    if (fail->final || job->attempts >= job->max_attempts) {
        bury(job, now_ms, reason);
        return PL_OK;
    }
    uint32_t pause = job_pause_ms(job->attempts, chance_of(job));
    if (pause < fail->retry_after_ms) pause = fail->retry_after_ms;
    set_text(&job->last_error, reason);
    job->run_at_ms = now_ms + pause;
    enter(job, PL__JOB_STATE__JOB_WAITING, now_ms);
    return PL_OK;
}

pl_err_t job_retry(Pl__Job *job, int64_t now_ms, char detail[JOB_DETAIL_BYTES])
{
    static const ProtobufCBinaryData nothing = {0};
    if (job->state == PL__JOB_STATE__JOB_DONE)
        return refuse(detail, PL_INVALID, "the job is done already");
    if (job->state == PL__JOB_STATE__JOB_LEASED) {
        (void)snprintf(detail, JOB_DETAIL_BYTES, "the job is under way at %.100s", job->worker);
        return PL_INVALID;
    }
    if (job->state == PL__JOB_STATE__JOB_DEAD) {
        job->attempts = 0;
        set_bytes(&job->progress, &nothing);
    }
    job->run_at_ms = now_ms;
    enter(job, PL__JOB_STATE__JOB_WAITING, now_ms);
    return PL_OK;
}
