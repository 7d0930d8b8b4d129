#include "tools/parley/jobs_view.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum { STATES = 4, KEY_COLUMNS = 36, KIND_COLUMNS = 12, SPAN_COLUMNS = 12, LEAST_ERROR = 16 };

static const char *const state_names[STATES] = {"waiting", "leased", "done", "dead"};

const char *jobs_state_name(Pl__JobState state)
{
    return (unsigned)state < STATES ? state_names[state] : "unknown";
}

bool jobs_state(const char *name, Pl__JobState *out)
{
    for (unsigned i = 0; i < STATES; i++) {
        if (strcmp(state_names[i], name) != 0) continue;
        *out = (Pl__JobState)i;
        return true;
    }
    return false;
}

char *jobs_span(int64_t at_ms, int64_t now_ms, char out[JOBS_SPAN_BYTES])
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    bool ahead = at_ms > now_ms;
    int64_t seconds = (ahead ? at_ms - now_ms : now_ms - at_ms) / 1000;
    (void)snprintf(out, JOBS_SPAN_BYTES, "now");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds < units[i].seconds) continue;
        (void)snprintf(out, JOBS_SPAN_BYTES, "%s%" PRId64 " %s%s", ahead ? "in " : "",
                       seconds / units[i].seconds, units[i].unit, ahead ? "" : " ago");
        break;
    }
    return out;
}

/* When something happens or happened: the next attempt, the lease's end, or the end of the work. */
static int64_t moment(const Pl__Job *job, int64_t now_ms)
{
    if (job->state == PL__JOB_STATE__JOB_WAITING)
        return job->run_at_ms > now_ms ? job->run_at_ms : now_ms;
    return job->state == PL__JOB_STATE__JOB_LEASED ? job->lease_until_ms : job->changed_at_ms;
}

/* What comes from a store may hold anything: a terminal gets one line of it, without controls. */
static void put_text(FILE *out, const char *text, size_t bytes_max)
{
    size_t size = strlen(text);
    bool cut = bytes_max > 0 && size > bytes_max;
    if (cut) size = bytes_max - 3;
    while (cut && size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        (void)fputc(c < ' ' || c == 0x7F ? ' ' : c, out);
    }
    if (cut) (void)fputs("...", out);
}

/* ---- the table ---- */

static void put_row(FILE *out, const Pl__Job *job, int64_t now_ms, unsigned width)
{
    char span[JOBS_SPAN_BYTES];
    char attempts[32];
    (void)snprintf(attempts, sizeof attempts, "%" PRIu32 "/%" PRIu32, job->attempts,
                   job->max_attempts);
    int used = fprintf(out, "%-*s  %-*s  %-7s  %8s  %-*s", KEY_COLUMNS, job->key, KIND_COLUMNS,
                       job->kind, jobs_state_name(job->state), attempts, SPAN_COLUMNS,
                       jobs_span(moment(job, now_ms), now_ms, span));
    if (*job->last_error) {
        size_t left = LEAST_ERROR;
        if (used >= 0 && (unsigned)used + 2 + LEAST_ERROR < width)
            left = width - (unsigned)used - 2;
        (void)fputs("  ", out);
        put_text(out, job->last_error, width ? left : 0);
    }
    (void)fputc('\n', out);
}

void jobs_table(FILE *out, const Pl__Jobs *jobs, uint32_t offset, int64_t now_ms, unsigned width)
{
    if (jobs->n_jobs == 0) {
        (void)fprintf(out, jobs->total ? "none here, of %" PRIu32 " in all\n" : "no jobs\n",
                      jobs->total);
        return;
    }
    (void)fprintf(out, "%-*s  %-*s  %-7s  %8s  %-*s  %s\n", KEY_COLUMNS, "KEY", KIND_COLUMNS,
                  "KIND", "STATE", "ATTEMPTS", SPAN_COLUMNS, "WHEN", "ERROR");
    for (size_t i = 0; i < jobs->n_jobs; i++) put_row(out, jobs->jobs[i], now_ms, width);
    if (jobs->total > jobs->n_jobs)
        (void)fprintf(out, "%" PRIu32 " to %" PRIu32 " of %" PRIu32 "\n", offset + 1,
                      offset + (uint32_t)jobs->n_jobs, jobs->total);
}

/* ---- one job ---- */

static bool is_text(const ProtobufCBinaryData *bytes)
{
    for (size_t i = 0; i < bytes->len; i++) {
        if (bytes->data[i] < ' ' || bytes->data[i] == 0x7F) return false;
    }
    return true;
}

static char *bytes_text(const ProtobufCBinaryData *bytes)
{
    bool text = is_text(bytes);
    char *out = malloc(2 * bytes->len + 1);
    assert(out);
    for (size_t i = 0; i < bytes->len && !text; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes->data[i]);
    if (text && bytes->len) memcpy(out, bytes->data, bytes->len);
    out[text ? bytes->len : 2 * bytes->len] = '\0';
    return out;
}

static void put_line(FILE *out, const char *name, const char *text)
{
    if (!*text) return;
    (void)fprintf(out, "%-14s ", name);
    put_text(out, text, 0);
    (void)fputc('\n', out);
}

static void put_moment(FILE *out, const char *name, int64_t at_ms, int64_t now_ms)
{
    char iso[PL_CLOCK_ISO_BYTES];
    char span[JOBS_SPAN_BYTES];
    if (at_ms <= 0) return;
    (void)fprintf(out, "%-14s %s (%s)\n", name, pl_clock_iso(at_ms, iso),
                  jobs_span(at_ms, now_ms, span));
}

void jobs_details(FILE *out, const Pl__Job *job, int64_t now_ms)
{
    put_line(out, "key", job->key);
    put_line(out, "kind", job->kind);
    put_line(out, "state", jobs_state_name(job->state));
    put_line(out, "call", job->call_id);
    (void)fprintf(out, "%-14s %" PRIu32 " of %" PRIu32 "\n", "attempts", job->attempts,
                  job->max_attempts);
    put_line(out, "last error", job->last_error);
    if (job->state == PL__JOB_STATE__JOB_WAITING)
        put_moment(out, "next attempt", job->run_at_ms, now_ms);
    put_line(out, "worker", job->worker);
    put_moment(out, "leased until", job->lease_until_ms, now_ms);
    put_moment(out, "asked for", job->asked_at_ms, now_ms);
    put_moment(out, "created", job->created_at_ms, now_ms);
    put_moment(out, "changed", job->changed_at_ms, now_ms);
    char *payload = bytes_text(&job->payload);
    char *progress = bytes_text(&job->progress);
    put_line(out, "payload", payload);
    put_line(out, "progress", progress);
    free(payload);
    free(progress);
}

static void add_moment(cJSON *object, const char *name, int64_t at_ms)
{
    char iso[PL_CLOCK_ISO_BYTES];
    if (at_ms > 0)
        (void)cJSON_AddStringToObject(object, name, pl_clock_iso(at_ms, iso));
    else
        (void)cJSON_AddNullToObject(object, name);
}

void jobs_json(FILE *out, const Pl__Job *job)
{
    cJSON *object = cJSON_CreateObject();
    char *payload = bytes_text(&job->payload);
    (void)cJSON_AddStringToObject(object, "key", job->key);
    (void)cJSON_AddStringToObject(object, "kind", job->kind);
    (void)cJSON_AddStringToObject(object, "state", jobs_state_name(job->state));
    (void)cJSON_AddStringToObject(object, "call_id", job->call_id);
    (void)cJSON_AddNumberToObject(object, "attempts", job->attempts);
    (void)cJSON_AddNumberToObject(object, "max_attempts", job->max_attempts);
    (void)cJSON_AddStringToObject(object, "last_error", job->last_error);
    (void)cJSON_AddStringToObject(object, "worker", job->worker);
    (void)cJSON_AddStringToObject(object, "payload", payload);
    add_moment(object, "run_at", job->run_at_ms);
    add_moment(object, "lease_until", job->lease_until_ms);
    add_moment(object, "created_at", job->created_at_ms);
    add_moment(object, "changed_at", job->changed_at_ms);
    char *text = cJSON_PrintUnformatted(object);
    assert(text);
    (void)fprintf(out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(object);
    free(payload);
}
