#include "tools/callsim/api.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/body.h"

enum { URL_BYTES = 512, TIMEOUT_MS = 10000 };

typedef struct {
    api_done_fn *done;
    void *arg;
    char *body;
} request_t;

static void finish(request_t *request, long status, const cJSON *json, const char *why)
{
    request->done(request->arg, status, json, why);
    free(request->body);
    free(request);
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    request_t *request = arg;
    char why[512];
    if (err) {
        snprintf(why, sizeof why, "the gateway does not answer: %s",
                 answer && answer->detail ? answer->detail : pl_err_text(err));
        finish(request, 0, NULL, why);
        return;
    }
    cJSON *json = cJSON_ParseWithLength(answer->body, answer->body_bytes);
    bool ok = answer->status >= 200 && answer->status < 300;
    snprintf(why, sizeof why, "HTTP %ld: %.400s", answer->status, answer->body);
    finish(request, answer->status, json, ok && json ? NULL : why);
    cJSON_Delete(json);
}

static void send_request(pl_http_t *http, const char *url, char *body, api_done_fn *done, void *arg)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    request_t *request = calloc(1, sizeof *request);
    assert(request);
    *request = (request_t){.done = done, .arg = arg, .body = body};
    pl_http_opts_t opts = {.url = url,
                           .headers = body ? headers : NULL,
                           .body = body,
                           .body_bytes = body ? strlen(body) : 0,
                           .timeout_ms = TIMEOUT_MS};
    (void)pl_http_send(http, &opts, on_answer, request);
}

static void url_of(char out[URL_BYTES], const char *api, const char *path, const char *id)
{
    size_t length = strlen(api);
    while (length && api[length - 1] == '/') length--;
    int used = snprintf(out, URL_BYTES, "%.*s%s", (int)length, api, path);
    for (; *id && used < URL_BYTES - 4; id++) {
        if (*id == '+') {
            used += snprintf(out + used, 4, "%%2B");
        } else {
            out[used++] = *id;
            out[used] = '\0';
        }
    }
}

void api_start_call(pl_http_t *http, const char *api, const char *body, uint32_t n,
                    const char *number, api_done_fn *done, void *arg)
{
    char url[URL_BYTES];
    url_of(url, api, "/call", "");
    char *filled = body_fill(body, n);
    cJSON *json = cJSON_Parse(filled);
    free(filled);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        done(arg, 0, NULL, "the body is not a JSON object");
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json, "phone_number");
    cJSON_AddStringToObject(json, "phone_number", number);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    send_request(http, url, text, done, arg);
}

void api_ticket(pl_http_t *http, const char *api, const char *number, api_done_fn *done, void *arg)
{
    char url[URL_BYTES];
    url_of(url, api, "/phone/ticket", "");
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "phone_number", number);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    send_request(http, url, text, done, arg);
}

void api_get_call(pl_http_t *http, const char *api, const char *id, api_done_fn *done, void *arg)
{
    char url[URL_BYTES];
    url_of(url, api, "/call/", id);
    send_request(http, url, NULL, done, arg);
}

void api_list_calls(pl_http_t *http, const char *api, const char *number, api_done_fn *done,
                    void *arg)
{
    char url[URL_BYTES];
    url_of(url, api, "/call?phone_number=", number);
    send_request(http, url, NULL, done, arg);
}

void api_readiness(pl_http_t *http, const char *api, api_done_fn *done, void *arg)
{
    char url[URL_BYTES];
    url_of(url, api, "/health/readiness", "");
    send_request(http, url, NULL, done, arg);
}

bool api_call_settled(const cJSON *call)
{
    return cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(call, "in_progress")) &&
           cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(call, "synthesis")) &&
           cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(call, "next"));
}

size_t api_compare(const scenario_t *scenario, uint32_t n, const cJSON *call, char *why,
                   size_t why_bytes)
{
    size_t different = 0;
    const cJSON *claim = cJSON_GetObjectItemCaseSensitive(call, "claim");
    expect_call_t about = {
        expect_iso_time(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call, "created_at"))),
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call, "time_zone"))};
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const expectation_t *expect = &scenario->expects[i];
        char wanted[SCENARIO_TEXT_BYTES];
        (void)scenario_expand(expect->value, n, wanted, sizeof wanted);
        const char *stored =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(claim, expect->field));
        if (expect_met(expect->kind, wanted, stored, &about)) continue;
        if (different++ == 0 && why) {
            snprintf(why, why_bytes, "claim.%s is %s%s%s, expected \"%s\"", expect->field,
                     stored ? "\"" : "", stored ? stored : "not set", stored ? "\"" : "", wanted);
        }
    }
    return different;
}
