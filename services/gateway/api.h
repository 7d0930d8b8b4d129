/* api.h - what the handlers of all routes share: who to ask, how to answer.
 *
 * A handler owns its exchange and ends it once, now or when a reply from the bus comes. Errors have
 * one shape, {"error":{"message":...,"details":[...]}}, or are a page below /report.
 *
 * Threads: all on the loop's thread.
 */
#ifndef GATEWAY_API_H
#define GATEWAY_API_H

#include <stdint.h>

#include "common/bus.h"
#include "services/gateway/http_server.h"
#include "services/gateway/problems.h"

typedef struct {
    pl_bus_t *bus;
    uint32_t call_start_ms, request_ms; /* how long another process may take */
    bool draining;
} api_t;

/* param: the route's placeholder, decoded; "" for a route without one. Borrowed. */
typedef void api_handler_fn(api_t *api, http_exchange_t *x, const char *param);

api_handler_fn api_call_post, api_call_list, api_call_get;
api_handler_fn api_report_list, api_report_get, api_recording_get;
api_handler_fn api_reminder_list, api_reminder_end;
api_handler_fn api_start_page, api_phone_page, api_phone_ticket, api_asset, api_openapi;
api_handler_fn api_liveness, api_readiness, api_metrics;

/* Ends the exchange with JSON; takes body. */
void api_json(http_exchange_t *x, int status, text_t *body);

/* The error shape as text. */
void api_error_text(text_t *out, const char *message, const char *detail);

/* Ends the exchange with the error shape. detail may be NULL. headers (may be NULL) is taken. */
void api_error(http_exchange_t *x, int status, const char *message, const char *detail,
               text_t *headers);
/* 422, every problem a detail. Frees problems. */
void api_invalid(http_exchange_t *x, problems_t *problems);
/* What service answered instead of a result. what: "The call could not be started". */
void api_failed(http_exchange_t *x, const char *what, const char *service, pl_err_t err,
                const Pl__Envelope *reply);
/* The reason in one sentence: the service's own, or that it is away or late. */
void api_reason(text_t *out, const char *service, pl_err_t err, const Pl__Envelope *reply);
/* The HTTP status of such an answer, and its Retry-After in seconds (0: none). */
int api_status(pl_err_t err, const Pl__Envelope *reply, uint32_t *retry_s);

/* The valid traceparent header of the request, or "". */
char *api_trace(const http_request_t *request);

/* limit and offset (or another name) of a query: a whole number from min to max; fallback when
 * absent. Adds a problem when it is something else. */
uint32_t api_number(const http_request_t *request, const char *name, uint32_t min, uint32_t max,
                    uint32_t fallback, problems_t *problems);

#endif
