/* sms_http.h - text messages that are sent by one HTTP request each: what carriers' providers share.
 *
 * A request has a connection of its own, so that none is repeated behind our back. One that may have
 * reached the carrier without an answer that says what became of it ends with PL_TIMEOUT.
 *
 * Threads: the loop's.
 */
#ifndef PL_TELEPHONY_SMS_HTTP_H
#define PL_TELEPHONY_SMS_HTTP_H

#include <cjson/cJSON.h>

#include "common/http.h"
#include "services/telephony/sms.h"

typedef struct sms_http sms_http_t;

typedef struct {
    const char *name; /* of the provider, for the log */
    /* An answer with 2xx; json is NULL when it is none. Sets *code to the carrier's own on failure. */
    pl_err_t (*taken)(const cJSON *json, sms_outcome_t *outcome, int *code);
    /* The carrier's code in any other answer; 0: none. May be NULL. */
    int (*refused)(const cJSON *json);
} sms_carrier_t;

sms_http_t *sms_http_new(pl_loop_t *loop, const sms_carrier_t *carrier); /* borrows carrier */
void sms_http_destroy(sms_http_t **self_p); /* who waits is not called any more */

/* POST of body with these headers, NULL at their end; all is copied. done as in sms_provider_t. */
void sms_http_post(sms_http_t *self, const char *call_id, const char *url,
                   const char *const *headers, const char *body, sms_done_fn *done, void *arg);

/* What a refused request means: may it be tried again? */
pl_err_t sms_http_refused(long status);

/* Says on standard error what is wrong with a setting. Returns PL_INVALID. */
pl_err_t sms_http_wrong(const pl_config_t *cfg, const char *path, const char *what);

#endif
