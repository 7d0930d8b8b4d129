#include "services/dialogue/llm/exchange.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "services/dialogue/llm/assembler.h"
#include "common/retry.h"
#include "services/dialogue/llm/sse.h"

enum {
    EVENT_MOST_BYTES = 512 * 1024,
    ANSWER_MOST_BYTES = 16 * 1024 * 1024,
    DETAIL_BYTES = 240,
    HEADER_BYTES = 8192, /* tokens of Entra ID are at most 8000 */
};

static const char scope[] = "https://cognitiveservices.azure.com/.default";

struct exchange {
    exchange_world_t world;
    const model_t *model;
    exchange_sink_t sink;
    char *body;
    size_t body_bytes;
    uint32_t whole_ms;
    pl_entra_wait_t *wait;
    pl_http_call_t *call;
    pl_timer_t *timer;
    uint64_t began_ms, moved_ms;
    bool *gone;     /* set by a cancel from within the sink */
    bool is_stream; /* server-sent events; else one JSON text */
    sse_t *sse;
    assembler_t *assembler;
    char *whole; /* what came, when it is no stream */
    size_t whole_bytes;
    exchange_end_t end;
    char detail[DETAIL_BYTES];
};

/* ---- the end ------------------------------------------------------------------------------- */

static void exchange_free(exchange_t *self)
{
    if (self->gone) *self->gone = true;
    pl_timer_stop(&self->timer);
    pl_entra_cancel(&self->wait);
    pl_http_cancel(&self->call);
    sse_destroy(&self->sse);
    assembler_destroy(&self->assembler);
    free(self->whole);
    free(self->body);
    free(self);
}

void exchange_cancel(exchange_t **self_p)
{
    if (!*self_p) return;
    exchange_free(*self_p);
    *self_p = NULL;
}

/* Words of a server may hold what it was sent: the key goes, and what would break a log line. */
static void keep_detail(exchange_t *self, const char *words)
{
    char *to = self->detail;
    const char *last = self->detail + sizeof self->detail - 1;
    size_t key = strlen(self->model->api_key);
    while (*words && to < last) {
        if (key && strncmp(words, self->model->api_key, key) == 0) {
            words += key;
            *to++ = '*';
        } else {
            *to++ = (unsigned char)*words < ' ' || *words == '"' ? ' ' : *words;
            words++;
        }
    }
    *to = '\0';
}

static void finish(exchange_t *self, exchange_result_t result, const char *detail)
{
    exchange_sink_t sink = self->sink;
    assembler_state_t state = assembler_state(self->assembler);
    keep_detail(self, detail);
    char said[DETAIL_BYTES];
    memcpy(said, self->detail, sizeof said);
    exchange_end_t end = self->end;
    end.result = result;
    end.prompt_tokens = state.prompt_tokens;
    end.answer_tokens = state.answer_tokens;
    end.finished = state.finished;
    if (end.first_ms) {
        uint64_t whole_ms = pl_clock_ms() - self->began_ms;
        end.since_first_ms = whole_ms > end.first_ms ? (uint32_t)(whole_ms - end.first_ms) : 0;
    }
    end.detail = said;
    exchange_free(self);
    sink.end(sink.arg, &end);
}

static void filtered(exchange_t *self)
{
    self->end.finish = LLM_FILTERED;
    finish(self, EXCHANGE_ANSWERED, "a content filter refused");
}

static bool is_filter_code(const char *code)
{
    return strcmp(code, "content_filter") == 0 || strcmp(code, "content_policy_violation") == 0 ||
           strcmp(code, "ResponsibleAIPolicyViolation") == 0;
}

/* ---- the clock ----------------------------------------------------------------------------- */

static void on_time(void *arg);

static void watch(exchange_t *self, uint64_t now_ms)
{
    uint32_t most_ms = self->end.first_ms ? self->model->stall_ms : self->model->first_ms;
    uint64_t due_ms = self->moved_ms + most_ms;
    pl_timer_stop(&self->timer);
    self->timer =
        pl_timer_start(self->world.loop, due_ms > now_ms ? due_ms - now_ms : 0, 0, on_time, self);
}

static void on_time(void *arg)
{
    exchange_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    uint32_t most_ms = self->end.first_ms ? self->model->stall_ms : self->model->first_ms;
    if (now_ms - self->moved_ms < most_ms) {
        watch(self, now_ms);
        return;
    }
    finish(self, EXCHANGE_TIMEOUT,
           self->end.first_ms ? "it stalled in the middle" : "no first piece in time");
}

/* Something of the answer came: the first piece ends one wait and begins the other. */
static void moved(exchange_t *self)
{
    uint64_t now_ms = pl_clock_ms();
    bool begins = !self->end.first_ms && assembler_state(self->assembler).begun;
    if (!begins && !self->end.first_ms) return;
    self->moved_ms = now_ms;
    if (!begins) return;
    uint64_t first_ms = now_ms - self->began_ms;
    self->end.first_ms = first_ms ? (uint32_t)first_ms : 1;
    watch(self, now_ms);
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* Tells what is complete; false when the sink has cancelled us. */
static bool tell(exchange_t *self, const bool *gone)
{
    for (;;) {
        assembled_t next = assembler_next(self->assembler);
        if (next.kind == ASSEMBLED_NOTHING) return true;
        self->end.told = true;
        if (next.kind == ASSEMBLED_TEXT) {
            self->sink.text(self->sink.arg, next.text);
        } else {
            self->sink.tool(self->sink.arg, &next.call);
        }
        if (*gone) return false;
    }
}

/* Takes one event and tells it; false when the exchange is over. */
static bool take(exchange_t *self, const char *data, const bool *gone)
{
    bool ok = assembler_take(self->assembler, data);
    moved(self);
    if (!tell(self, gone)) return false;
    if (ok) return true;
    finish(self, EXCHANGE_SENSELESS, assembler_detail(self->assembler));
    return false;
}

static void on_head(void *arg, const pl_http_answer_t *head)
{
    exchange_t *self = arg;
    const char *type = pl_http_header(head, "content-type");
    self->is_stream = !type || strncasecmp(type, "application/json", 16) != 0;
    self->end.retry_after_ms =
        pl_retry_after_ms(pl_http_header(head, "retry-after-ms"),
                          pl_http_header(head, "retry-after"), pl_clock_wall_ms());
}

static void on_piece(void *arg, const char *bytes, size_t size)
{
    exchange_t *self = arg;
    if (!self->is_stream) {
        self->whole = realloc(self->whole, self->whole_bytes + size + 1);
        assert(self->whole);
        memcpy(self->whole + self->whole_bytes, bytes, size);
        self->whole_bytes += size;
        self->whole[self->whole_bytes] = '\0';
        return;
    }
    bool gone = false;
    self->gone = &gone;
    bool fits = sse_feed(self->sse, bytes, size);
    for (const char *data; (data = sse_next(self->sse));) {
        if (!take(self, data, &gone)) return;
    }
    self->gone = NULL;
    if (!fits) finish(self, EXCHANGE_SENSELESS, "one event of the stream is too large");
}

/* The stream has ended: all of it is taken, was it an answer? */
static void conclude(exchange_t *self)
{
    assembler_state_t state = assembler_state(self->assembler);
    if (state.failed) {
        if (is_filter_code(state.error_code)) {
            filtered(self);
            return;
        }
        finish(self, EXCHANGE_DOWN, assembler_detail(self->assembler));
    } else if (!state.finished) {
        finish(self, EXCHANGE_DOWN, "the stream ended before the answer did");
    } else if (state.empty && state.finish != LLM_FILTERED) {
        finish(self, EXCHANGE_SENSELESS, "the answer is empty");
    } else {
        self->end.finish = state.finish;
        finish(self, EXCHANGE_ANSWERED, assembler_detail(self->assembler));
    }
}

static void read_to_end(exchange_t *self)
{
    bool gone = false;
    self->gone = &gone;
    if (self->is_stream) {
        sse_end(self->sse);
        for (const char *data; (data = sse_next(self->sse));) {
            if (!take(self, data, &gone)) return;
        }
    } else if (!take(self, self->whole ? self->whole : "", &gone)) {
        return;
    }
    self->gone = NULL;
    conclude(self);
}

/* ---- refusals ------------------------------------------------------------------------------ */

typedef struct {
    char code[64], message[DETAIL_BYTES];
} refusal_t;

static void copy_string(const cJSON *object, const char *name, char *out, size_t bytes)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (cJSON_IsString(item)) (void)snprintf(out, bytes, "%s", item->valuestring);
}

static refusal_t read_refusal(const char *body)
{
    refusal_t out = {0};
    cJSON *parsed = cJSON_Parse(body);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(parsed, "error");
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(error, "innererror");
    if (cJSON_IsString(error))
        (void)snprintf(out.message, sizeof out.message, "%s", error->valuestring);
    copy_string(cJSON_IsObject(error) ? error : parsed, "message", out.message, sizeof out.message);
    copy_string(error, "code", out.code, sizeof out.code);
    if (!is_filter_code(out.code)) copy_string(inner, "code", out.code, sizeof out.code);
    cJSON_Delete(parsed);
    return out;
}

static exchange_result_t result_of(long status)
{
    switch (status) {
    case 401:
    case 403:
    case 404:
        return EXCHANGE_HOPELESS;
    case 408:
    case 409:
        return EXCHANGE_DOWN;
    case 429:
        return EXCHANGE_BUSY;
    default:
        return status >= 500 || status < 400 ? EXCHANGE_DOWN : EXCHANGE_REFUSED;
    }
}

static void refuse(exchange_t *self, const pl_http_answer_t *answer)
{
    refusal_t refusal = read_refusal(answer->body);
    if (is_filter_code(refusal.code)) {
        filtered(self);
        return;
    }
    if (answer->status == 401 && self->model->auth == MODEL_ENTRA) {
        pl_entra_forget(self->world.entra, scope);
    }
    char detail[sizeof refusal.code + sizeof refusal.message + 32];
    (void)snprintf(detail, sizeof detail, "status %ld %s %s", answer->status, refusal.code,
                   refusal.message);
    finish(self, result_of(answer->status), detail);
}

static void on_done(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    exchange_t *self = arg;
    self->call = NULL;
    if (err == PL_TIMEOUT) {
        finish(self, EXCHANGE_TIMEOUT, answer->detail);
    } else if (err == PL_INVALID) {
        finish(self, EXCHANGE_SENSELESS, answer->detail);
    } else if (err) {
        finish(self, EXCHANGE_DOWN, answer->detail);
    } else if (answer->status < 200 || answer->status >= 300) {
        refuse(self, answer);
    } else {
        read_to_end(self);
    }
}

/* ---- the request --------------------------------------------------------------------------- */

static void send_request(exchange_t *self, const char *token)
{
    static const pl_http_stream_t stream = {.head = on_head, .piece = on_piece};
    char auth[HEADER_BYTES];
    const char *headers[] = {"Content-Type: application/json", "Accept: text/event-stream", NULL,
                             NULL};
    if (token) {
        bool key = self->model->auth == MODEL_API_KEY;
        int length = snprintf(auth, sizeof auth, "%s%s",
                              key ? "api-key: " : "Authorization: Bearer ", token);
        assert(length > 0 && (size_t)length < sizeof auth); /* keys and tokens are bounded */
        (void)length;
        headers[2] = auth;
    }
    self->call = pl_http_send(self->world.http,
                              &(pl_http_opts_t){.method = "POST",
                                                .url = self->model->url,
                                                .headers = headers,
                                                .body = self->body,
                                                .body_bytes = self->body_bytes,
                                                .connect_timeout_ms = self->model->connect_ms,
                                                .timeout_ms = self->whole_ms,
                                                .max_bytes = ANSWER_MOST_BYTES,
                                                .stream = &stream},
                              on_done, self);
    memset(auth, 0, sizeof auth);
    free(self->body);
    self->body = NULL;
}

static void on_token(void *arg, pl_err_t err, const char *token, const char *detail)
{
    exchange_t *self = arg;
    self->wait = NULL;
    if (err) {
        finish(self, err == PL_TIMEOUT ? EXCHANGE_TIMEOUT : EXCHANGE_DOWN, detail);
    } else {
        send_request(self, token);
    }
}

exchange_t *exchange_new(const exchange_world_t *world, const model_t *model, char *body,
                         size_t body_bytes, uint32_t whole_ms, uint64_t salt,
                         const exchange_sink_t *sink)
{
    exchange_t *self = calloc(1, sizeof *self);
    assert(self);
    self->world = *world;
    self->model = model;
    self->sink = *sink;
    self->body = body;
    self->body_bytes = body_bytes;
    self->whole_ms = whole_ms;
    self->is_stream = true;
    self->end.retry_after_ms = -1;
    self->sse = sse_new(EVENT_MOST_BYTES);
    self->assembler = assembler_new(salt);
    self->began_ms = self->moved_ms = pl_clock_ms();
    watch(self, self->began_ms);
    const char *token = model->auth == MODEL_NO_AUTH ? NULL : model->api_key;
    if (model->auth == MODEL_ENTRA) token = pl_entra_token(world->entra, scope);
    if (model->auth == MODEL_ENTRA && !token) {
        self->wait = pl_entra_ask(world->entra, scope, on_token, self);
    } else {
        send_request(self, token);
    }
    return self;
}
