#include "tools/parley/readiness.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { QUICK_MS = 20, SLOW_MS = 250, TIMEOUT_MS = 2000 };

struct readiness {
    pl_loop_t *loop;
    pl_http_t *http;
    char url[256];
    readiness_fn *changed;
    void *arg;
    pl_timer_t *timer;
    pl_http_call_t *call;
    bool known, ready;
    char why[256];
};

static void ask(void *arg);

void readiness_why(const char *body, char *out, size_t out_bytes)
{
    out[0] = '\0';
    cJSON *json = cJSON_Parse(body);
    const cJSON *check = NULL;
    size_t used = 0;
    cJSON_ArrayForEach(check, cJSON_GetObjectItemCaseSensitive(json, "checks"))
    {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(check, "id"));
        const char *status =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(check, "status"));
        if (!id || !status || strcmp(status, "ok") == 0 || used >= out_bytes) continue;
        int length = snprintf(out + used, out_bytes - used, "%s%s", used ? ", " : "", id);
        used += length > 0 ? (size_t)length : 0;
    }
    cJSON_Delete(json);
}

static void again(readiness_t *self)
{
    pl_timer_stop(&self->timer);
    uint64_t wait_ms = self->known && self->ready ? SLOW_MS : QUICK_MS;
    self->timer = pl_timer_start(self->loop, wait_ms, 0, ask, self);
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    readiness_t *self = arg;
    self->call = NULL;
    char why[256] = "the gateway does not answer";
    bool ready = !err && answer->status == 200;
    if (!err) readiness_why(answer->body, why, sizeof why);
    if (!err && !ready && !why[0]) snprintf(why, sizeof why, "HTTP %ld", answer->status);
    bool changed = !self->known || ready != self->ready || (!ready && strcmp(why, self->why) != 0);
    self->known = true;
    self->ready = ready;
    snprintf(self->why, sizeof self->why, "%s", why);
    again(self);
    if (changed) self->changed(self->arg, ready, ready ? "" : self->why);
}

static void ask(void *arg)
{
    readiness_t *self = arg;
    if (self->call) return;
    char url[320];
    snprintf(url, sizeof url, "%s/health/readiness", self->url);
    pl_http_opts_t opts = {.url = url, .timeout_ms = TIMEOUT_MS, .connect_timeout_ms = TIMEOUT_MS};
    self->call = pl_http_send(self->http, &opts, on_answer, self);
}

readiness_t *readiness_new(pl_loop_t *loop, pl_http_t *http, const char *url, readiness_fn *changed,
                           void *arg)
{
    readiness_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->http = http;
    self->changed = changed;
    self->arg = arg;
    snprintf(self->url, sizeof self->url, "%s", url);
    again(self);
    return self;
}

void readiness_destroy(readiness_t **self_p)
{
    readiness_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    if (self->call) pl_http_cancel(&self->call);
    free(self);
}

void readiness_doubt(readiness_t *self)
{
    self->known = false;
    if (!self->call) again(self);
}
