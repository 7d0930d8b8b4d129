#include <stdlib.h>
#include <string.h>

#include "services/gateway/api.h"
#include "services/gateway/call_json.h"
#include "services/gateway/http_range.h"
#include "services/gateway/phone_number.h"

/* A recording's bytes come from the telephony instance that keeps it, at most a MiB at a time. A
 * client that asks for ranges, as players do, gets a part and asks again; one that asks for the whole
 * gets it up to a size that may stand in memory. */
enum { PART_BYTES = 1 << 20, WHOLE_MAX_BYTES = 32 << 20, PARTS_MAX = 100 };

typedef struct {
    api_t *api;
    http_exchange_t *exchange;
    char call_id[37];
    uint32_t part; /* which of the call's recordings, from 1 */
    char *instance;
    uint32_t number;
    bool ranged;
    uint64_t total, first, last;
    text_t body;
} errand_t;

static void errand_free(errand_t *errand)
{
    text_free(&errand->body);
    free(errand->instance);
    free(errand);
}

static void not_found(errand_t *errand)
{
    api_error(errand->exchange, 404, "There is no such recording", NULL, NULL);
    errand_free(errand);
}

static void failed(errand_t *errand, const char *service, pl_err_t err, const Pl__Envelope *reply)
{
    api_failed(errand->exchange, "The recording could not be read", service,
               err == PL_OK ? PL_INTERNAL : err, reply);
    errand_free(errand);
}

static void ask_part(errand_t *errand, uint64_t offset, uint32_t length, pl_bus_reply_fn *then)
{
    Pl__RecordingGet get = PL__RECORDING_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    get.number = errand->number;
    get.offset = offset;
    get.length = length;
    env.call_id = errand->call_id;
    env.body_case = PL__ENVELOPE__BODY_RECORDING_GET;
    env.recording_get = &get;
    pl_bus_request(errand->api->bus, errand->instance, &env, errand->api->request_ms, then, errand);
}

/* Ends the errand with what telephony said when it was no part. */
static const Pl__RecordingPart *part_of(errand_t *errand, pl_err_t err, const Pl__Envelope *reply)
{
    if (err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_RECORDING_PART) {
        return reply->recording_part;
    }
    if (err == PL_NOT_FOUND)
        not_found(errand); /* deleted since, by age */
    else
        failed(errand, "telephony", err, reply);
    return NULL;
}

static void answer(errand_t *errand)
{
    http_response_t r = {.status = errand->ranged ? 206 : 200, .content_type = "audio/wav"};
    text_add(&r.headers, "Accept-Ranges: bytes\r\n");
    if (errand->ranged) {
        text_fmt(&r.headers, "Content-Range: bytes %llu-%llu/%llu\r\n",
                 (unsigned long long)errand->first, (unsigned long long)errand->last,
                 (unsigned long long)errand->total);
    }
    r.body = errand->body;
    errand->body = (text_t){0};
    http_respond(&errand->exchange, &r);
    errand_free(errand);
}

static void on_part(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    errand_t *errand = arg;
    const Pl__RecordingPart *part = part_of(errand, err, reply);
    if (!part) return;
    uint64_t want = errand->last - errand->first + 1;
    uint64_t left = want - errand->body.size;
    if (part->data.len == 0 || part->data.len > left) { /* it shrank under our hands */
        failed(errand, "telephony", PL_INTERNAL, NULL);
        return;
    }
    text_bytes(&errand->body, (const char *)part->data.data, part->data.len);
    left -= part->data.len;
    if (left == 0) {
        answer(errand);
        return;
    }
    ask_part(errand, errand->first + errand->body.size,
             left < PART_BYTES ? (uint32_t)left : PART_BYTES, on_part);
}

static void answer_head(errand_t *errand)
{
    http_response_t r = {.status = 200, .content_type = "audio/wav"};
    text_add(&r.headers, "Accept-Ranges: bytes\r\n");
    r.fixed = ""; /* only counted: the answer to HEAD has no body */
    r.fixed_bytes = (size_t)errand->total;
    http_respond(&errand->exchange, &r);
    errand_free(errand);
}

static void refuse_range(errand_t *errand)
{
    text_t headers = {0};
    text_fmt(&headers, "Content-Range: bytes */%llu\r\n", (unsigned long long)errand->total);
    api_error(errand->exchange, 416, "Range Not Satisfiable", NULL, &headers);
    errand_free(errand);
}

static void on_size(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    errand_t *errand = arg;
    const Pl__RecordingPart *part = part_of(errand, err, reply);
    if (!part) return;
    errand->total = part->total;
    const http_request_t *request = http_exchange_request(errand->exchange);
    if (strcmp(request->method, "HEAD") == 0) {
        answer_head(errand);
        return;
    }
    switch (http_range_parse(http_header(request, "range"), errand->total, &errand->first,
                             &errand->last)) {
    case HTTP_RANGE_UNSATISFIABLE:
        refuse_range(errand);
        return;
    case HTTP_RANGE_PART:
        errand->ranged = true;
        if (errand->last - errand->first >= PART_BYTES) {
            errand->last = errand->first + PART_BYTES - 1;
        }
        break;
    case HTTP_RANGE_NONE:
        if (errand->total > WHOLE_MAX_BYTES) {
            api_error(errand->exchange, 413, "Content Too Large",
                      "Ask for this recording in ranges", NULL);
            errand_free(errand);
            return;
        }
        errand->last = errand->total - 1;
        break;
    }
    uint64_t want = errand->last - errand->first + 1;
    ask_part(errand, errand->first, want < PART_BYTES ? (uint32_t)want : PART_BYTES, on_part);
}

static void on_call(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    errand_t *errand = arg;
    bool ok = err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL &&
              reply->store_call->call;
    if (!ok && err != PL_NOT_FOUND) {
        failed(errand, "persistence", err, reply);
        return;
    }
    const Pl__CallRecord *call = ok ? reply->store_call->call : NULL;
    const Pl__Recording *recording = NULL;
    if (call && errand->part <= call->n_recordings) recording = call->recordings[errand->part - 1];
    if (!recording || recording->number == 0 || !recording->instance[0]) {
        not_found(errand);
        return;
    }
    errand->number = recording->number;
    errand->instance = strdup(recording->instance);
    if (!errand->instance) abort();
    ask_part(errand, 0, 0, on_size);
}

void api_recording_get(api_t *api, http_exchange_t *x, const char *param)
{
    problems_t problems = {0};
    uint32_t part = api_number(http_exchange_request(x), "part", 1, PARTS_MAX, 1, &problems);
    if (problems.count > 0) {
        api_invalid(x, &problems);
        return;
    }
    errand_t *errand = calloc(1, sizeof *errand);
    if (!errand) abort();
    errand->api = api;
    errand->exchange = x;
    errand->part = part;
    if (!call_id_valid(param)) {
        not_found(errand);
        return;
    }
    for (size_t i = 0; i < sizeof errand->call_id - 1; i++) {
        bool upper = param[i] >= 'A' && param[i] <= 'F';
        errand->call_id[i] = upper ? (char)(param[i] + 'a' - 'A') : param[i];
    }
    Pl__StoreGet get = PL__STORE_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = errand->call_id;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &get;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, on_call, errand);
}
