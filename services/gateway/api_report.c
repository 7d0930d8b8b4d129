#include <stdlib.h>
#include <string.h>

#include "services/gateway/api.h"
#include "services/gateway/page.h"
#include "services/gateway/phone_number.h"
#include "services/gateway/report.h"

enum { LIST_LIMIT = 50, OFFSET_MAX = 1000000 };

typedef struct {
    http_exchange_t *exchange;
    char number[PHONE_NUMBER_BYTES];
    uint32_t offset;
} errand_t;

static void respond_page(http_exchange_t *x, int status, text_t *page)
{
    http_response_t r = {.status = status, .content_type = "text/html; charset=utf-8"};
    r.body = *page;
    *page = (text_t){0};
    page_headers(&r.headers, false);
    http_respond(&x, &r);
}

void report_error(http_exchange_t *x, int status, const char *title, const char *detail)
{
    text_t page = {0};
    page_error(&page, status, title, detail);
    respond_page(x, status, &page);
}

/* What another process answered instead of a result, as a page. */
static void failed(http_exchange_t *x, pl_err_t err, const Pl__Envelope *reply)
{
    uint32_t retry_s = 0;
    int status = api_status(err == PL_OK ? PL_INTERNAL : err, reply, &retry_s);
    text_t reason = {0};
    api_reason(&reason, "persistence", err, reply);
    report_error(x, status, "The calls cannot be read right now", reason.data);
    text_free(&reason);
}

static void calls_listed(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    errand_t *errand = arg;
    if (err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALLS) {
        text_t page = {0};
        report_list(&page, reply->store_calls, errand->number, errand->offset, LIST_LIMIT);
        respond_page(errand->exchange, 200, &page);
    } else {
        failed(errand->exchange, err, reply);
    }
    free(errand);
}

void api_report_list(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    const http_request_t *request = http_exchange_request(x);
    errand_t *errand = calloc(1, sizeof *errand);
    if (!errand) abort();
    problems_t problems = {0};
    char *number = http_query(request, "phone_number");
    bool bad = number && number[0] && !phone_number_lookup(number, errand->number);
    free(number);
    errand->exchange = x;
    errand->offset = api_number(request, "offset", 0, OFFSET_MAX, 0, &problems);
    problems_free(&problems); /* a wrong offset in a page's address shows the first page */
    if (bad) {
        free(errand);
        report_error(x, 422, "That is not a phone number",
                     "Write it with its country code, e.g. +33612345678.");
        return;
    }
    Pl__StoreList list = PL__STORE_LIST__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    list.phone_number = errand->number;
    list.limit = LIST_LIMIT;
    list.offset = errand->offset;
    env.body_case = PL__ENVELOPE__BODY_STORE_LIST;
    env.store_list = &list;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, calls_listed, errand);
}

static void call_got(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    http_exchange_t *x = arg;
    if (err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL &&
        reply->store_call->call) {
        text_t page = {0};
        report_call(&page, reply->store_call->call);
        respond_page(x, 200, &page);
    } else if (err == PL_NOT_FOUND) {
        report_error(x, 404, "There is no such call", "The address may be old or mistyped.");
    } else {
        failed(x, err, reply);
    }
}

void api_report_get(api_t *api, http_exchange_t *x, const char *param)
{
    char number[PHONE_NUMBER_BYTES] = "", *id = NULL;
    if (call_id_valid(param)) {
        id = strdup(param);
    } else if (!phone_number_lookup(param, number)) {
        report_error(x, 404, "There is no such call", "The address may be old or mistyped.");
        return;
    }
    for (char *c = id; c && *c; c++) {
        if (*c >= 'A' && *c <= 'F') *c = (char)(*c + 'a' - 'A');
    }
    Pl__StoreGet get = PL__STORE_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    if (id) env.call_id = id;
    get.phone_number = number;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &get;
    pl_bus_request(api->bus, "persistence", &env, api->request_ms, call_got, x);
    free(id);
}
