#include "services/dialogue/webhook.h"

#include <assert.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/log.h"
#include "services/dialogue/signature.h"
#include "services/dialogue/uuid.h"

enum { PAUSE_MS = 200, PAUSE_JITTER_MS = 300, CONNECT_MS = 3000 };

struct webhooks {
    pl_loop_t *loop;
    pl_http_t *http;
    struct asking *all;
    bool closing;
};

typedef struct asking {
    struct asking *next, **at;
    webhooks_t *hooks;
    char *url, *secret, *event_id, *body;
    uint64_t until_ms;
    unsigned attempts, attempts_max;
    pl_timer_t *pause;
    webhook_done_fn *done;
    void *arg;
} asking_t;

static char *copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

static void end(asking_t *asking, pl_err_t err, const webhook_answer_t *answer)
{
    *asking->at = asking->next;
    if (asking->next) asking->next->at = asking->at;
    pl_timer_stop(&asking->pause);
    asking->done(asking->arg, err, answer);
    free(asking->url);
    free(asking->secret);
    free(asking->event_id);
    free(asking->body);
    free(asking);
}

static void attempt(void *arg);

static bool worth_another(const asking_t *asking, pl_err_t err, long status)
{
    bool failed =
        err == PL_UNAVAILABLE || err == PL_TIMEOUT || (!err && (status == 429 || status >= 500));
    return failed && !asking->hooks->closing && asking->attempts < asking->attempts_max;
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    asking_t *asking = arg;
    uint64_t now_ms = pl_clock_ms();
    log_info("webhook.answer", "event=%s attempt=%u err=%s status=%ld", asking->event_id,
             asking->attempts, pl_err_name(err), answer->status);
    uint32_t pause_ms = PAUSE_MS * asking->attempts + uuid_random(PAUSE_JITTER_MS);
    if (worth_another(asking, err, answer->status) && now_ms + pause_ms < asking->until_ms) {
        asking->pause = pl_timer_start(asking->hooks->loop, pause_ms, 0, attempt, asking);
        return;
    }
    webhook_answer_t out = {answer->status, answer->body, answer->detail, asking->attempts};
    end(asking, err, &out);
}

static void attempt(void *arg)
{
    asking_t *asking = arg;
    uint64_t now_ms = pl_clock_ms();
    int64_t unix_s = pl_clock_wall_ms() / 1000;
    char digits[SIGNATURE_BYTES];
    char time[64];
    char event[320];
    char sign[128];
    size_t bytes = strlen(asking->body);
    pl_timer_stop(&asking->pause);
    asking->attempts++;
    snprintf(time, sizeof time, SIGNATURE_TIME_HEADER ": %" PRId64, unix_s);
    snprintf(event, sizeof event, SIGNATURE_EVENT_HEADER ": %.256s", asking->event_id);
    snprintf(sign, sizeof sign, SIGNATURE_HEADER ": v1=%s",
             signature_of(asking->secret, unix_s, asking->body, bytes, digits));
    const char *const headers[] = {"Content-Type: application/json",
                                   "Accept: application/json, text/plain",
                                   time,
                                   event,
                                   sign,
                                   NULL};
    pl_http_opts_t opts = {
        .method = "POST",
        .url = asking->url,
        .headers = headers,
        .body = asking->body,
        .body_bytes = bytes,
        .connect_timeout_ms = CONNECT_MS,
        .timeout_ms = asking->until_ms > now_ms ? (uint32_t)(asking->until_ms - now_ms) : 1,
        .max_bytes = WEBHOOK_ANSWER_MAX,
    };
    (void)pl_http_send(asking->hooks->http, &opts, on_answer, asking);
}

void webhook_post(webhooks_t *self, const webhook_t *hook, webhook_done_fn *done, void *arg)
{
    asking_t *asking = calloc(1, sizeof *asking);
    assert(asking);
    asking->hooks = self;
    asking->url = copy(hook->url);
    asking->secret = copy(hook->secret);
    asking->event_id = copy(hook->event_id);
    asking->body = copy(hook->body);
    asking->until_ms = pl_clock_ms() + hook->timeout_ms;
    asking->attempts_max = hook->idempotent ? WEBHOOK_ATTEMPTS_MAX : 1;
    asking->done = done;
    asking->arg = arg;
    asking->next = self->all;
    asking->at = &self->all;
    if (asking->next) asking->next->at = &asking->next;
    self->all = asking;
    attempt(asking);
}

webhooks_t *webhooks_new(pl_loop_t *loop, bool allow_private, const char *ca_file)
{
    webhooks_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->http = pl_http_new(loop);
    pl_http_trust(self->http, ca_file);
    if (!allow_private) pl_http_public_only(self->http);
    return self;
}

void webhooks_destroy(webhooks_t **self_p)
{
    webhooks_t *self = *self_p;
    if (!self) return;
    self->closing = true;
    pl_http_destroy(&self->http); /* ends those that wait for an answer */
    while (self->all) {           /* and these wait for their next attempt */
        webhook_answer_t none = {.body = "", .detail = "closing", .attempts = self->all->attempts};
        end(self->all, PL_UNAVAILABLE, &none);
    }
    free(self);
    *self_p = NULL;
}

const char *webhook_url_wrong(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    char *user = NULL;
    assert(parsed);
    const char *why = NULL;
    if (strlen(url) > 2048) {
        why = "is longer than 2048 bytes";
    } else if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
               curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
        why = "is not a URL";
    } else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
        why = "must begin with https:// or http://";
    } else if (curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        why = "must not hold a user name";
    }
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(parsed);
    return why;
}
