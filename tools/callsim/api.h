/* api.h - what a caller asks of the gateway over HTTP: to be rung, a ticket, its call's record.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_API_H
#define CALLSIM_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "common/http.h"
#include "tools/callsim/scenario.h"

/* Called once with the answer's JSON (borrowed; NULL when there is none) and, unless all is well,
 * the reason for people. */
typedef void api_done_fn(void *arg, long status, const cJSON *json, const char *why);

/* POST /call with the body's text, filled in for caller n (body.h), its phone_number replaced. */
void api_start_call(pl_http_t *http, const char *api, const char *body, uint32_t n,
                    const char *number, api_done_fn *done, void *arg);
/* POST /phone/ticket. */
void api_ticket(pl_http_t *http, const char *api, const char *number, api_done_fn *done, void *arg);
/* GET /call/{id or number}. */
void api_get_call(pl_http_t *http, const char *api, const char *id, api_done_fn *done, void *arg);

/* GET /call?phone_number=: the newest first. */
void api_list_calls(pl_http_t *http, const char *api, const char *number, api_done_fn *done,
                    void *arg);
/* GET /health/readiness: status 200 when all is there. */
void api_readiness(pl_http_t *http, const char *api, api_done_fn *done, void *arg);

/* Is the call over and worked up (synthesis and next action stored)? */
bool api_call_settled(const cJSON *call);

/* Compares the call's claim with what the scenario expects of caller n. Returns how many fields
 * differ; why (may be NULL) gets the first difference. */
size_t api_compare(const scenario_t *scenario, uint32_t n, const cJSON *call, char *why,
                   size_t why_bytes);

#endif
