#include "services/telephony/sms_http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

enum { TIMEOUT_MS = 15000, ANSWER_BYTES = 64 * 1024, CALL_ID_BYTES = 80 };

typedef struct errand errand_t;

struct sms_http {
    pl_http_t *http;
    const sms_carrier_t *carrier;
    errand_t *errands;
};

struct errand {
    errand_t *next;
    sms_http_t *owner;
    pl_http_call_t *call;
    char call_id[CALL_ID_BYTES];
    sms_done_fn *done;
    void *arg;
};

sms_http_t *sms_http_new(pl_loop_t *loop, const sms_carrier_t *carrier)
{
    sms_http_t *self = calloc(1, sizeof *self);
    assert(self);
    self->carrier = carrier;
    self->http = pl_http_new(loop);
    return self;
}

void sms_http_destroy(sms_http_t **self_p)
{
    sms_http_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (errand_t *errand = self->errands; errand;) {
        errand_t *next = errand->next;
        pl_http_cancel(&errand->call);
        free(errand);
        errand = next;
    }
    pl_http_destroy(&self->http);
    free(self);
}

pl_err_t sms_http_refused(long status)
{
    if (status == 429 || status == 503) return PL_UNAVAILABLE; /* by HTTP's rules not looked at */
    if (status >= 500) return PL_TIMEOUT;
    if (status == 401 || status == 403 || status == 404) return PL_UNAVAILABLE; /* the account */
    return status >= 400 ? PL_INVALID : PL_TIMEOUT;
}

static pl_err_t read_answer(const sms_carrier_t *carrier, pl_err_t err,
                            const pl_http_answer_t *answer, sms_outcome_t *outcome, int *code)
{
    if (err) return answer->request_bytes ? PL_TIMEOUT : PL_UNAVAILABLE;
    cJSON *json = cJSON_ParseWithLength(answer->body, answer->body_bytes);
    if (answer->status >= 200 && answer->status < 300) {
        err = carrier->taken(json, outcome, code);
    } else {
        if (carrier->refused) *code = carrier->refused(json);
        err = sms_http_refused(answer->status);
    }
    cJSON_Delete(json);
    return err;
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    errand_t *errand = arg;
    const sms_carrier_t *carrier = errand->owner->carrier;
    errand_t **at = &errand->owner->errands;
    while (*at != errand) at = &(*at)->next;
    *at = errand->next;
    sms_outcome_t outcome = {0};
    int code = 0;
    err = read_answer(carrier, err, answer, &outcome, &code);
    if (err) {
        log_warn("sms.failed", "call=%s by=%s err=%s status=%ld code=%d detail=\"%.100s\"",
                 errand->call_id, carrier->name, pl_err_name(err), answer->status, code,
                 answer->detail);
    } else {
        log_info("sms.sent", "call=%s by=%s", errand->call_id, carrier->name);
    }
    errand->done(errand->arg, err, err ? NULL : &outcome);
    free(errand);
}

void sms_http_post(sms_http_t *self, const char *call_id, const char *url,
                   const char *const *headers, const char *body, sms_done_fn *done, void *arg)
{
    errand_t *errand = calloc(1, sizeof *errand);
    assert(errand);
    *errand = (errand_t){.next = self->errands, .owner = self, .done = done, .arg = arg};
    (void)snprintf(errand->call_id, sizeof errand->call_id, "%s", call_id);
    self->errands = errand;
    pl_http_opts_t opts = {.method = "POST",
                           .url = url,
                           .headers = headers,
                           .body = body,
                           .body_bytes = strlen(body),
                           .timeout_ms = TIMEOUT_MS,
                           .max_bytes = ANSWER_BYTES,
                           .fresh = true};
    errand->call = pl_http_send(self->http, &opts, on_answer, errand);
}

pl_err_t sms_http_wrong(const pl_config_t *cfg, const char *path, const char *what)
{
    const char *where = pl_config_where(cfg, path);
    fprintf(stderr, "%s%s%s: %s\n", where, *where ? ": " : "", path, what);
    return PL_INVALID;
}
