#include "tools/callsim/verdict.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tools/callsim/api.h"

enum { READ_EVERY_MS = 60, SETTLE_FOR_MS = 20000, HOLD_FOR_MS = 3000, FIRST_BYTES = 1600 };

struct verdict {
    verdict_opts_t opts;
    void (*done)(void *arg);
    void *arg;
    pl_timer_t *timer;
    uint64_t began_ms, settled_ms; /* settled_ms 0: not yet */
    size_t failed;
    char first[FIRST_BYTES];
    cJSON *list;
};

static void note(void *arg, const char *check, bool holds, const char *detail)
{
    verdict_t *self = arg;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "check", check);
    cJSON_AddBoolToObject(json, "holds", holds);
    if (!holds) cJSON_AddStringToObject(json, "detail", detail ? detail : "");
    cJSON_AddItemToArray(self->list, json);
    if (holds || self->first[0]) return;
    snprintf(self->first, sizeof self->first, "%s: %s", check, detail ? detail : "");
}

/* Judges anew, with these calls (NULL: without). */
static void judge_all(verdict_t *self, const cJSON *calls)
{
    cJSON_Delete(self->list);
    self->list = cJSON_CreateArray();
    self->first[0] = '\0';
    self->opts.of.calls = calls;
    self->failed = judge(&self->opts.of, false, note, self);
    if (calls) self->failed += judge(&self->opts.of, true, note, self);
}

static void finish(void *arg)
{
    verdict_t *self = arg;
    pl_timer_stop(&self->timer);
    self->done(self->arg);
}

/* Nobody spoke: then nothing follows the call. */
static bool wordless(const cJSON *call)
{
    const cJSON *message = NULL;
    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(call, "messages"))
    {
        const char *persona =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "persona"));
        const char *content =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "content"));
        if (persona && content && strcmp(persona, "human") == 0 && content[0]) return false;
    }
    return cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(call, "in_progress"));
}

static bool all_settled(const cJSON *calls)
{
    const cJSON *call = NULL;
    cJSON_ArrayForEach(call, calls)
    {
        if (!api_call_settled(call) && !wordless(call)) return false;
    }
    return cJSON_GetArraySize(calls) > 0;
}

static void read_calls(void *arg);

static void on_calls(void *arg, long status, const cJSON *json, const char *why)
{
    verdict_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    bool there = status == 200 && cJSON_IsArray(json);
    bool settled = there && all_settled(json);
    if (settled && !self->settled_ms) self->settled_ms = now_ms;
    bool late = now_ms - self->began_ms >= SETTLE_FOR_MS ||
                (self->settled_ms && now_ms - self->settled_ms >= HOLD_FOR_MS);
    judge_all(self, there ? json : NULL);
    if (settled && self->failed == 0) {
        finish(self);
    } else if (late) {
        if (!there) {
            self->failed++;
            note(self, "the calls can be read back", false, why);
        } else if (!settled) {
            self->failed++;
            note(self, "each call has its synthesis and next action", false, "one has not");
        }
        finish(self);
    } else {
        pl_timer_stop(&self->timer);
        self->timer = pl_timer_start(self->opts.loop, READ_EVERY_MS, 0, read_calls, self);
    }
}

static void read_calls(void *arg)
{
    verdict_t *self = arg;
    api_list_calls(self->opts.http, self->opts.api, self->opts.number, on_calls, self);
}

verdict_t *verdict_new(const verdict_opts_t *opts, void (*done)(void *arg), void *arg)
{
    verdict_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->done = done;
    self->arg = arg;
    self->began_ms = pl_clock_ms();
    judge_all(self, NULL);
    self->timer = pl_timer_start(opts->loop, 0, 0, opts->api ? read_calls : finish, self);
    return self;
}

void verdict_destroy(verdict_t **self_p)
{
    verdict_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    cJSON_Delete(self->list);
    free(self);
}

size_t verdict_failed(const verdict_t *self)
{
    return self->failed;
}

const char *verdict_first(const verdict_t *self)
{
    return self->first;
}

cJSON *verdict_json(const verdict_t *self)
{
    return cJSON_Duplicate(self->list, true);
}
