#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/gateway/api.h"
#include "services/gateway/call_json.h"
#include "services/gateway/initiate_json.h"
#include "services/gateway/phone_number.h"

enum { LIST_LIMIT = 100, LIST_LIMIT_MAX = 1000, OFFSET_MAX = 1000000 };

/* What a reply needs to know of its request. */
typedef struct {
    http_exchange_t *exchange;
    char number[PHONE_NUMBER_BYTES]; /* "" for all */
    uint32_t limit, offset;
} errand_t;

static errand_t *errand_new(http_exchange_t *x)
{
    errand_t *errand = calloc(1, sizeof *errand);
    if (!errand) abort();
    errand->exchange = x;
    return errand;
}

/* ---- POST /call ---- */

static void call_started(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    http_exchange_t *x = arg;
    bool ok = err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_CALL_STARTED &&
              reply->call_started->call;
    if (ok) {
        const Pl__CallRecord *call = reply->call_started->call;
        http_response_t r = {.status = 201, .content_type = "application/json"};
        text_add(&r.headers, "Location: /call/");
        text_url(&r.headers, call->call_id);
        text_add(&r.headers, "\r\n");
        call_json(&r.body, call);
        log_info("call.started", "call=%s", call->call_id);
        http_respond(&x, &r);
        return;
    }
    if (err == PL_OK) err = PL_INTERNAL;
    const char *detail = pl_bus_error_detail(err, reply);
    log_warn("call.refused", "err=%s", pl_err_name(err)); /* the detail may name the number */
    if (err == PL_INVALID) {
        problems_t problems = {0};
        problems_add(&problems, "%s", detail);
        api_invalid(x, &problems);
    } else if (err == PL_NOT_FOUND) { /* nobody to ring: telephony's answer, not an unknown route */
        api_error(x, 502, "The call could not be started", detail, NULL);
    } else {
        api_failed(x, "The call could not be started", "dialogue", err, reply);
    }
}

void api_call_post(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    const http_request_t *request = http_exchange_request(x);
    problems_t problems = {0};
    Pl__Initiate *initiate = NULL;
    if (initiate_from_json(request->body ? request->body : "", request->body_bytes, &initiate,
                           &problems) != PL_OK) {
        api_invalid(x, &problems);
        return;
    }
    char *trace = api_trace(request);
    Pl__CallStart start = PL__CALL_START__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    start.initiate = initiate;
    env.trace_parent = trace;
    env.body_case = PL__ENVELOPE__BODY_CALL_START;
    env.call_start = &start;
    pl_bus_request(api->bus, "dialogue", &env, api->call_start_ms, call_started, x);
    pl__initiate__free_unpacked(initiate, NULL);
    free(trace);
}

/* ---- GET /call ---- */

static void link_header(text_t *headers, const errand_t *errand, uint32_t offset, const char *rel)
{
    text_add(headers, headers->size ? ", </call?" : "Link: </call?");
    if (errand->number[0]) {
        text_add(headers, "phone_number=");
        text_url(headers, errand->number);
        text_add(headers, "&");
    }
    text_fmt(headers, "limit=%u&offset=%u>; rel=\"%s\"", errand->limit, offset, rel);
}

static void answer_list(errand_t *errand, const Pl__StoreCalls *list)
{
    http_response_t r = {.status = 200, .content_type = "application/json"};
    uint32_t next = errand->offset + errand->limit;
    if (next < list->total) link_header(&r.headers, errand, next, "next");
    if (errand->offset > 0) {
        uint32_t prev = errand->offset > errand->limit ? errand->offset - errand->limit : 0;
        link_header(&r.headers, errand, prev, "prev");
    }
    if (r.headers.size) text_add(&r.headers, "\r\n");
    text_fmt(&r.headers, "X-Total-Count: %u\r\n", list->total);
    text_add(&r.body, "[");
    for (size_t i = 0; i < list->n_calls; i++) {
        if (i > 0) text_add(&r.body, ",");
        call_json(&r.body, list->calls[i]);
    }
    text_add(&r.body, "]");
    http_respond(&errand->exchange, &r);
}

static void calls_listed(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    errand_t *errand = arg;
    bool ok = err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALLS;
    if (!ok) {
        api_failed(errand->exchange, "The calls could not be read", "persistence",
                   err == PL_OK ? PL_INTERNAL : err, reply);
    } else if (reply->store_calls->total == 0) { /* as the original answers it */
        text_t message = {0};
        text_fmt(&message, errand->number[0] ? "Call %s not found" : "No call found",
                 errand->number);
        api_error(errand->exchange, 404, message.data, NULL, NULL);
        text_free(&message);
    } else {
        answer_list(errand, reply->store_calls);
    }
    free(errand);
}

void api_call_list(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    const http_request_t *request = http_exchange_request(x);
    problems_t problems = {0};
    errand_t *errand = errand_new(x);
    char *number = http_query(request, "phone_number");
    if (number && !phone_number_lookup(number, errand->number)) {
        problems_add(&problems, "phone_number: \"%.40s\" is not E.164, e.g. +33612345678", number);
    }
    free(number);
    errand->limit = api_number(request, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT, &problems);
    errand->offset = api_number(request, "offset", 0, OFFSET_MAX, 0, &problems);
    if (problems.count > 0) {
        free(errand);
        api_invalid(x, &problems);
        return;
    }
    Pl__StoreList list = PL__STORE_LIST__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    list.phone_number = errand->number;
    list.limit = errand->limit;
    list.offset = errand->offset;
    env.body_case = PL__ENVELOPE__BODY_STORE_LIST;
    env.store_list = &list;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, calls_listed, errand);
}

/* ---- GET /call/{call_id_or_phone_number} ---- */

static void not_found(http_exchange_t *x, const char *which)
{
    text_t message = {0};
    text_fmt(&message, "Call %s not found", which);
    api_error(x, 404, message.data, NULL, NULL);
    text_free(&message);
}

static void call_got(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    http_exchange_t *x = arg;
    bool ok = err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL &&
              reply->store_call->call;
    if (ok) {
        text_t body = {0};
        call_json(&body, reply->store_call->call);
        api_json(x, 200, &body);
    } else if (err == PL_NOT_FOUND) {
        const char *path = http_exchange_request(x)->path;
        not_found(x, strrchr(path, '/') + 1);
    } else {
        api_failed(x, "The call could not be read", "persistence", err == PL_OK ? PL_INTERNAL : err,
                   reply);
    }
}

void api_call_get(api_t *api, http_exchange_t *x, const char *param)
{
    char number[PHONE_NUMBER_BYTES] = "", id[37] = "";
    Pl__StoreGet get = PL__STORE_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    if (call_id_valid(param)) {
        for (size_t i = 0; i < sizeof id - 1; i++) {
            id[i] = param[i] >= 'A' && param[i] <= 'F' ? (char)(param[i] + 'a' - 'A') : param[i];
        }
    } else if (!phone_number_lookup(param, number)) {
        not_found(x, param);
        return;
    }
    env.call_id = id;
    get.phone_number = number;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &get;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, call_got, x);
}
