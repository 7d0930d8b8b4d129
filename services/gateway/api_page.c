#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/api.h"
#include "services/gateway/assets.h"
#include "services/gateway/json_check.h"
#include "services/gateway/page.h"
#include "services/gateway/phone_number.h"

/* Pages and scripts change with the program only: clients keep them and ask again. */
static void respond_asset(http_exchange_t *x, const asset_t *asset)
{
    http_response_t r = {.status = 200, .content_type = asset->content_type, .cache = "no-cache"};
    const char *known = http_header(http_exchange_request(x), "if-none-match");
    text_fmt(&r.headers, "ETag: %s\r\n", asset->etag);
    if (strncmp(asset->content_type, "text/html", 9) == 0) page_headers(&r.headers, true);
    if (known && strstr(known, asset->etag)) {
        r.status = 304;
    } else {
        r.fixed = asset->bytes;
        r.fixed_bytes = asset->size;
    }
    http_respond(&x, &r);
}

static void respond_own(http_exchange_t *x, const char *name)
{
    const asset_t *asset = asset_find(name);
    assert(asset); /* part of this program */
    respond_asset(x, asset);
}

void api_start_page(api_t *api, http_exchange_t *x, const char *param)
{
    (void)api;
    (void)param;
    respond_own(x, "start.html");
}

void api_phone_page(api_t *api, http_exchange_t *x, const char *param)
{
    (void)api;
    (void)param;
    respond_own(x, "phone.html");
}

void api_openapi(api_t *api, http_exchange_t *x, const char *param)
{
    (void)api;
    (void)param;
    respond_own(x, "openapi.json");
}

void api_asset(api_t *api, http_exchange_t *x, const char *param)
{
    (void)api;
    const asset_t *asset = asset_find(param);
    if (asset) {
        respond_asset(x, asset);
    } else {
        api_error(x, 404, "Not Found", NULL, NULL);
    }
}

/* ---- POST /phone/ticket ---- */

static void ticket_got(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    http_exchange_t *x = arg;
    if (err != PL_OK || !reply || reply->body_case != PL__ENVELOPE__BODY_PHONE_TICKET) {
        api_failed(x, "The phone is not available", "telephony", err == PL_OK ? PL_INTERNAL : err,
                   reply);
        return;
    }
    const Pl__PhoneTicket *ticket = reply->phone_ticket;
    text_t body = {0};
    text_add(&body, "{\"token\":");
    text_json(&body, ticket->token);
    text_add(&body, ",\"url\":");
    text_json(&body, ticket->url);
    text_fmt(&body, ",\"port\":%u,\"lifetime_ms\":%u}", ticket->port, ticket->lifetime_ms);
    api_json(x, 201, &body);
}

/* The body may be empty, or {"phone_number": "+33..."}. */
static void read_ticket_body(const http_request_t *request, char number[PHONE_NUMBER_BYTES],
                             problems_t *problems)
{
    json_fault_t fault;
    if (request->body_bytes == 0) return;
    if (json_check(request->body, request->body_bytes, &fault) != PL_OK) {
        problems_add(problems, "body: not JSON: line %zu, column %zu: %s", fault.line, fault.column,
                     fault.what);
        return;
    }
    cJSON *root = cJSON_ParseWithLength(request->body, request->body_bytes);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, "phone_number");
    if (!cJSON_IsObject(root)) {
        problems_add(problems, "body: must be an object");
    } else if (cJSON_IsString(value) && strcmp(value->valuestring, "anonymous") == 0) {
        number[0] = '\0';
    } else if (value && !cJSON_IsNull(value) &&
               !(cJSON_IsString(value) && phone_number_parse(value->valuestring, number))) {
        problems_add(problems, "phone_number: must be E.164, e.g. +33612345678");
    }
    cJSON_Delete(root);
}

void api_phone_ticket(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    problems_t problems = {0};
    char number[PHONE_NUMBER_BYTES] = "";
    read_ticket_body(http_exchange_request(x), number, &problems);
    if (problems.count > 0) {
        api_invalid(x, &problems);
        return;
    }
    Pl__PhoneTicketGet get = PL__PHONE_TICKET_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    get.phone_number = number;
    env.body_case = PL__ENVELOPE__BODY_PHONE_TICKET_GET;
    env.phone_ticket_get = &get;
    pl_bus_request(api->bus, "telephony", &env, api->request_ms, ticket_got, x);
}
