/* api_reminders.c - GET /reminders, POST /reminders/end. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/record.h"
#include "services/gateway/api.h"
#include "services/gateway/call_json.h"
#include "services/gateway/reminder_query.h"

enum {
    LIST_LIMIT = 100,
    LIST_LIMIT_MAX = 1000,
    OFFSET_MAX = 1000000,
    KEY_BYTES = 160,
    HASH_BYTES = 8
};

/* ---- GET /reminders ---- */

static void one(text_t *out, const Pl__CallReminder *row)
{
    text_add(out, out->data[out->size - 1] == '[' ? "{\"call_id\":" : ",{\"call_id\":");
    text_json(out, row->call_id);
    text_add(out, ",\"phone_number\":");
    text_json(out, row->phone_number);
    text_add(out, ",\"bot_company\":");
    text_json(out, row->bot_company);
    reminder_json(out, row->reminder);
    text_add(out, "}");
}

static void listed(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    http_exchange_t *x = arg;
    if (err || reply->body_case != PL__ENVELOPE__BODY_REMINDERS) {
        api_failed(x, "The reminders could not be read", "persistence", err ? err : PL_INTERNAL,
                   reply);
        return;
    }
    http_response_t r = {.status = 200, .content_type = "application/json"};
    text_fmt(&r.headers, "X-Total-Count: %u\r\n", reply->reminders->total);
    text_add(&r.body, "[");
    for (size_t i = 0; i < reply->reminders->n_reminders; i++)
        one(&r.body, reply->reminders->reminders[i]);
    text_add(&r.body, "]");
    http_respond(&x, &r);
}

void api_reminder_list(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    const http_request_t *request = http_exchange_request(x);
    problems_t problems = {0};
    Pl__ReminderState states[REMINDER_STATES] = {PL__REMINDER_STATE__REMINDER_OPEN};
    Pl__ReminderList list = PL__REMINDER_LIST__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    char *state = http_query(request, "state");
    char *due = http_query(request, "due");
    list.states = states;
    list.n_states = 1;
    if (state && !reminder_states(state, states, &list.n_states))
        problems_add(&problems, "state: \"%.40s\" is neither open, upcoming, ended nor all", state);
    if (due && !reminder_due_before(due, pl_clock_wall_ms(), &list.due_before_ms))
        problems_add(&problems, "due: \"%.40s\" is neither now nor like 2026-11-21T09:00:00Z", due);
    free(state);
    free(due);
    list.limit = api_number(request, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT, &problems);
    list.offset = api_number(request, "offset", 0, OFFSET_MAX, 0, &problems);
    if (problems.count > 0) {
        api_invalid(x, &problems);
        return;
    }
    env.body_case = PL__ENVELOPE__BODY_REMINDER_LIST;
    env.reminder_list = &list;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, listed, x);
}

/* ---- POST /reminders/end ---- */

typedef struct {
    api_t *api;
    http_exchange_t *exchange;
    char *call_id, *title;
} ending_t;

static void free_ending(ending_t *ending)
{
    free(ending->call_id);
    free(ending->title);
    free(ending);
}

static void put(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    ending_t *ending = arg;
    http_exchange_t *x = ending->exchange;
    free_ending(ending);
    if (err) {
        api_failed(x, "The reminder could not be ended", "persistence", err, reply);
        return;
    }
    text_t body = {0};
    text_add(&body, "{\"status\":\"accepted\"}");
    api_json(x, 202, &body);
}

/* Work for dialogue, which owns what calls hold: done within moments, also when dialogue is away now.
 * Each asking is work of its own; ending twice does no harm. */
static void put_job(ending_t *ending)
{
    char key[KEY_BYTES];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    Pl__JobPut body = PL__JOB_PUT__INIT;
    Pl__JobSpec spec = PL__JOB_SPEC__INIT;
    Pl__JobSpec *specs[] = {&spec};
    Pl__Envelope env = PL__ENVELOPE__INIT;
    (void)SHA256((const uint8_t *)ending->title, strlen(ending->title), hash);
    int n = snprintf(key, sizeof key, "reminder_end/%s/%" PRId64 "/", ending->call_id,
                     pl_clock_wall_ms());
    for (size_t i = 0; i < HASH_BYTES; i++, n += 2)
        (void)snprintf(key + n, sizeof key - (size_t)n, "%02x", hash[i]);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "title", ending->title);
    char *payload = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (!payload) abort();
    spec.key = key;
    spec.kind = "reminder_end";
    spec.call_id = ending->call_id;
    spec.payload.data = (uint8_t *)payload;
    spec.payload.len = strlen(payload);
    body.jobs = specs;
    body.n_jobs = 1;
    env.call_id = ending->call_id;
    env.body_case = PL__ENVELOPE__BODY_JOB_PUT;
    env.job_put = &body;
    pl_bus_request(ending->api->bus, "persistence", &env, ending->api->request_ms, put, ending);
    cJSON_free(payload);
}

static bool is_there(const Pl__CallRecord *call, const char *title)
{
    for (size_t i = 0; call && i < call->n_reminders; i++) {
        const Pl__Reminder *reminder = call->reminders[i];
        if (strcmp(reminder->title, title) == 0 && !reminder->ended_at_ms) return true;
    }
    return false;
}

static void found(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    ending_t *ending = arg;
    bool read = !err && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL;
    if (read && is_there(reply->store_call->call, ending->title)) {
        put_job(ending);
        return;
    }
    if (read || err == PL_NOT_FOUND)
        api_error(ending->exchange, 404, "There is no such reminder that is not ended", NULL, NULL);
    else
        api_failed(ending->exchange, "The reminder could not be ended", "persistence",
                   err ? err : PL_INTERNAL, reply);
    free_ending(ending);
}

void api_reminder_end(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    const http_request_t *request = http_exchange_request(x);
    problems_t problems = {0};
    ending_t *ending = calloc(1, sizeof *ending);
    if (!ending) abort();
    ending->api = api;
    ending->exchange = x;
    if (reminder_end_from_json(request->body ? request->body : "", request->body_bytes,
                               &ending->call_id, &ending->title, &problems)) {
        free_ending(ending);
        api_invalid(x, &problems);
        return;
    }
    for (char *c = ending->call_id; *c; c++) {
        if (*c >= 'A' && *c <= 'F') *c = (char)(*c + 'a' - 'A');
    }
    Pl__StoreGet get = PL__STORE_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = ending->call_id;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &get;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, found, ending);
}
