#include "tests/doubles/llm/chat_reply.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/doubles/llm/sample.h"

enum { PIECE_LETTERS = 8, ARGUMENT_PIECE = 12 };

typedef struct {
    const chat_reply_t *of;
    plan_t *plan;
    uint64_t at_us, step_us;
    size_t said; /* bytes of text */
    uint32_t tokens;
    bool over; /* nothing more is said */
    bool faulted;
} teller_t;

/* ---- texts --------------------------------------------------------------------------------- */

static void add_value(text_t *out, const char *value, bool in_json)
{
    if (!in_json) {
        text_add(out, value);
        return;
    }
    text_t quoted = {0};
    text_json(&quoted, value);
    text_bytes(out, quoted.data + 1, quoted.size - 2); /* the quotes stand around the placeholder */
    text_free(&quoted);
}

static void add_placeholder(const chat_reply_t *self, const char *name, bool in_json, text_t *out)
{
    const chat_request_t *request = self->request;
    if (name[0] >= '0' && name[0] <= '9' && !name[1]) {
        const char *group = self->groups[name[0] - '0'];
        add_value(out, group ? group : "", in_json);
    } else if (strcmp(name, "user") == 0) {
        add_value(out, request->user, in_json);
    } else if (strcmp(name, "tool") == 0) {
        add_value(out, request->tool, in_json);
    } else if (strcmp(name, "model") == 0) {
        add_value(out, self->model, in_json);
    } else if (strcmp(name, "sample") == 0) {
        cJSON *sample = request->schema ? sample_of(request->schema) : cJSON_CreateObject();
        char *printed = cJSON_PrintUnformatted(sample);
        text_add(out, printed);
        cJSON_free(printed);
        cJSON_Delete(sample);
    } else {
        text_fmt(out, "{{%s}}", name);
    }
}

static void expand(const chat_reply_t *self, const char *text, bool in_json, text_t *out)
{
    text_add(out, "");
    while (*text) {
        const char *open = strstr(text, "{{");
        const char *close = open ? strstr(open, "}}") : NULL;
        char name[16];
        if (!close || (size_t)(close - open - 2) >= sizeof name) {
            text_add(out, text);
            return;
        }
        text_bytes(out, text, (size_t)(open - text));
        (void)snprintf(name, sizeof name, "%.*s", (int)(close - open - 2), open + 2);
        add_placeholder(self, name, in_json, out);
        text = close + 2;
    }
}

/* A token's worth: blanks, then some letters or one other character. */
static size_t piece_of(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && text[at] == ' ') at++;
    size_t from = at;
    while (at < size && at - from < PIECE_LETTERS && isalnum((unsigned char)text[at])) at++;
    if (at > from || at == size) return at;
    size_t length = utf8_length(text + at, size - at);
    return at + (length ? length : 1);
}

/* ---- events -------------------------------------------------------------------------------- */

static void begin_chunk(const chat_reply_t *self, text_t *out, const char *object)
{
    text_fmt(out, "{\"id\":\"chatcmpl-double-%llu\",\"object\":\"%s\",\"created\":%lld,\"model\":",
             (unsigned long long)self->number, object, (long long)self->created_s);
    text_json(out, self->model);
    text_add(out, ",\"system_fingerprint\":\"fp_double\"");
}

static void send_event(teller_t *self, const char *data)
{
    text_t event = {0};
    text_fmt(&event, "data: %s\n\n", data);
    plan_chunk(self->plan, event.data, event.size, self->at_us);
    text_free(&event);
}

/* delta: the JSON object, finish: NULL or the reason. */
static void send_delta(teller_t *self, const char *delta, const char *finish)
{
    text_t chunk = {0};
    begin_chunk(self->of, &chunk, "chat.completion.chunk");
    text_fmt(&chunk,
             ",\"choices\":[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":", delta);
    if (finish) {
        text_json(&chunk, finish);
    } else {
        text_add(&chunk, "null");
    }
    if (self->of->azure) text_add(&chunk, ",\"content_filter_results\":{}");
    text_fmt(&chunk, "}]%s}", self->of->request->usage ? ",\"usage\":null" : "");
    send_event(self, chunk.data);
    text_free(&chunk);
}

static void usage_of(const teller_t *self, text_t *out)
{
    uint32_t prompt = count_tokens(self->of->request->all);
    text_fmt(out, "{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u}", prompt,
             self->tokens, prompt + self->tokens);
}

/* ---- faults in mid-stream ------------------------------------------------------------------ */

static void send_huge_line(teller_t *self, size_t bytes)
{
    char *line = malloc(bytes + 3);
    if (!line) abort();
    memset(line, 'x', bytes);
    memcpy(line, "\"", 1);
    memcpy(line + bytes, "\"}", 3);
    text_t delta = {0};
    text_fmt(&delta, "{\"content\":%s", line);
    send_delta(self, delta.data, NULL);
    text_free(&delta);
    free(line);
}

static void break_off(teller_t *self, plan_end_t end)
{
    self->over = true;
    self->plan->end = end;
    self->plan->end_us = self->at_us;
}

/* Called before each piece of text, and at its end: the fault happens once its place is reached. */
static void maybe_fault(teller_t *self, bool at_end)
{
    const fault_t *fault = &self->of->rule->fault;
    if (self->faulted || self->over || (self->said < fault->after_bytes && !at_end)) return;
    self->faulted = true;
    switch (fault->kind) {
    case FAULT_STALL:
        self->at_us += 1000ULL * fault->ms;
        break;
    case FAULT_RESET:
        break_off(self, PLAN_RESET);
        break;
    case FAULT_GARBAGE:
        send_event(self, "{\"choices\":[{\"del\x01\xff\xfe");
        plan_chunk(self->plan, "\x16\x03\x01\n\n\n?", 7, self->at_us);
        break_off(self, PLAN_CLOSE);
        break;
    case FAULT_HUGE_LINE:
        send_huge_line(self, fault->bytes);
        break;
    case FAULT_ERROR_EVENT:
        send_event(self, "{\"error\":{\"message\":\"The server had an error while processing your "
                         "request\",\"type\":\"server_error\",\"param\":null,\"code\":null}}");
        break_off(self, PLAN_CLOSE);
        break;
    case FAULT_NONE:
    case FAULT_SLOW_FIRST:
    case FAULT_HANGUP:
    case FAULT_STATUS:
    case FAULT_TRUNCATED_JSON:
    case FAULT_EMPTY:
    case FAULT_FILTER_PROMPT:
    case FAULT_FILTER_ANSWER:
    case FAULT_FINISH_LENGTH:
        break; /* shown elsewhere, or not in the stream */
    }
}

/* ---- streaming ----------------------------------------------------------------------------- */

/* May a token more be said? */
static bool take_token(teller_t *self)
{
    uint32_t most = self->of->request->max_tokens;
    if (most && self->tokens == most) return false;
    self->tokens++;
    return true;
}

static bool tell_text(teller_t *self, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        maybe_fault(self, false);
        if (self->over) return true;
        if (!take_token(self)) return false;
        size_t length = piece_of(text + at, size - at);
        text_t piece = {0};
        text_t delta = {0};
        text_bytes(&piece, text + at, length);
        text_add(&delta, "{\"content\":");
        text_json(&delta, piece.data);
        text_add(&delta, "}");
        send_delta(self, delta.data, NULL);
        text_free(&piece);
        text_free(&delta);
        at += length;
        self->said += length;
        self->at_us += self->step_us;
    }
    return true;
}

static void send_call(teller_t *self, size_t index, const char *id, const char *name,
                      const char *arguments)
{
    text_t delta = {0};
    text_fmt(&delta, "{\"tool_calls\":[{\"index\":%zu,", index);
    if (id) {
        text_add(&delta, "\"id\":");
        text_json(&delta, id);
        text_add(&delta, ",\"type\":\"function\",");
    }
    text_add(&delta, "\"function\":{");
    if (name) {
        text_add(&delta, "\"name\":");
        text_json(&delta, name);
        text_add(&delta, ",");
    }
    text_add(&delta, "\"arguments\":");
    text_json(&delta, arguments);
    text_add(&delta, "}}]}");
    send_delta(self, delta.data, NULL);
    text_free(&delta);
}

/* Of call number at: its id, and its arguments with the placeholders filled in. */
static void call_texts(const chat_reply_t *self, size_t at, text_t *id, text_t *arguments)
{
    const rule_call_t *call = &self->rule->calls[at];
    expand(self, call->arguments, true, arguments);
    bool last = at + 1 == self->rule->n_calls;
    if (last && self->rule->fault.kind == FAULT_TRUNCATED_JSON)
        arguments->data[arguments->size / 2] = '\0';
    if (*call->id) {
        text_add(id, call->id);
    } else {
        text_fmt(id, "call_%llu_%zu", (unsigned long long)self->number, at);
    }
}

static bool tell_call(teller_t *self, size_t at)
{
    text_t id = {0};
    text_t arguments = {0};
    call_texts(self->of, at, &id, &arguments);
    bool room = take_token(self);
    if (room) send_call(self, at, id.data, self->of->rule->calls[at].name, "");
    const char *rest = arguments.data;
    size_t left = strlen(rest);
    while (room && left && (room = take_token(self))) {
        size_t length = 0;
        do { /* whole characters only */
            size_t more = utf8_length(rest + length, left - length);
            length += more ? more : 1;
        } while (length < left && length < ARGUMENT_PIECE);
        char *piece = strndup(rest, length);
        if (!piece) abort();
        self->at_us += self->step_us;
        send_call(self, at, NULL, NULL, piece);
        free(piece);
        rest += length;
        left -= length;
    }
    text_free(&id);
    text_free(&arguments);
    return room;
}

static const char *finish_of(const chat_reply_t *self, bool cut)
{
    if (cut || self->rule->fault.kind == FAULT_FINISH_LENGTH) return "length";
    if (self->rule->fault.kind == FAULT_FILTER_ANSWER) return "content_filter";
    return self->rule->n_calls && self->rule->fault.kind != FAULT_EMPTY ? "tool_calls" : "stop";
}

static void tell_end(teller_t *self, bool cut)
{
    send_delta(self, "{}", finish_of(self->of, cut));
    if (self->of->request->usage) {
        text_t chunk = {0};
        begin_chunk(self->of, &chunk, "chat.completion.chunk");
        text_add(&chunk, ",\"choices\":[],\"usage\":");
        usage_of(self, &chunk);
        text_add(&chunk, "}");
        send_event(self, chunk.data);
        text_free(&chunk);
    }
    send_event(self, "[DONE]");
    plan_last_chunk(self->plan, self->at_us);
}

static void tell_stream(teller_t *self, const text_t *say)
{
    const chat_reply_t *of = self->of;
    plan_head(self->plan, "text/event-stream; charset=utf-8", self->at_us);
    if (of->azure) {
        send_event(self, "{\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",\"choices\":[],"
                         "\"prompt_filter_results\":[{\"prompt_index\":0,"
                         "\"content_filter_results\":{\"hate\":{\"filtered\":false,"
                         "\"severity\":\"safe\"}}}]}");
    }
    send_delta(self, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", NULL);
    bool whole = tell_text(self, say->data, say->size);
    maybe_fault(self, true);
    bool calls = of->rule->fault.kind != FAULT_EMPTY;
    for (size_t i = 0; calls && whole && !self->over && i < of->rule->n_calls; i++) {
        whole = tell_call(self, i);
    }
    if (!self->over) tell_end(self, !whole);
}

/* ---- in one piece -------------------------------------------------------------------------- */

static void add_calls(const chat_reply_t *self, text_t *out)
{
    if (!self->rule->n_calls || self->rule->fault.kind == FAULT_EMPTY) return;
    text_add(out, ",\"tool_calls\":[");
    for (size_t i = 0; i < self->rule->n_calls; i++) {
        text_t id = {0};
        text_t arguments = {0};
        call_texts(self, i, &id, &arguments);
        text_add(out, i ? ",{\"id\":" : "{\"id\":");
        text_json(out, id.data);
        text_add(out, ",\"type\":\"function\",\"function\":{\"name\":");
        text_json(out, self->rule->calls[i].name);
        text_add(out, ",\"arguments\":");
        text_json(out, arguments.data);
        text_add(out, "}}");
        text_free(&id);
        text_free(&arguments);
    }
    text_add(out, "]");
}

/* As much of the text as max_tokens lets through. */
static size_t fit_tokens(teller_t *self, const text_t *say)
{
    size_t at = 0;
    while (at < say->size && take_token(self)) at += piece_of(say->data + at, say->size - at);
    return at;
}

/* The faults that a whole answer can have. */
static void spoil(teller_t *self)
{
    const fault_t *fault = &self->of->rule->fault;
    plan_t *plan = self->plan;
    if (fault->kind == FAULT_RESET || fault->kind == FAULT_GARBAGE) {
        plan->steps[0].upto = plan->bytes.size / 2;
        plan->end = fault->kind == FAULT_RESET ? PLAN_RESET : PLAN_CLOSE;
    }
    if (fault->kind == FAULT_STALL) {
        plan->steps[0].upto = plan->bytes.size / 2;
        plan_step(plan, self->at_us + 1000ULL * fault->ms);
    }
}

static void tell_whole(teller_t *self, text_t *say)
{
    const chat_reply_t *of = self->of;
    if (of->rule->fault.kind == FAULT_HUGE_LINE) {
        for (size_t i = 0; i < of->rule->fault.bytes; i++) text_bytes(say, "x", 1);
    }
    size_t fits = fit_tokens(self, say);
    bool cut = fits < say->size;
    say->data[fits] = '\0';
    text_t body = {0};
    begin_chunk(of, &body, "chat.completion");
    text_add(&body, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if (fits || !of->rule->n_calls) {
        text_json(&body, say->data);
    } else {
        text_add(&body, "null");
    }
    text_add(&body, ",\"refusal\":null");
    if (!cut) add_calls(of, &body);
    text_fmt(&body,
             "},\"logprobs\":null,\"finish_reason\":\"%s\"}],\"usage\":", finish_of(of, cut));
    usage_of(self, &body);
    text_add(&body, "}");
    self->at_us += self->step_us * self->tokens;
    plan_whole(self->plan, 200, "application/json", NULL, body.data, self->at_us);
    text_free(&body);
    spoil(self);
}

/* ---- the answer ---------------------------------------------------------------------------- */

void reply_error(plan_t *out, int status, const char *code, const char *param, const char *message,
                 const char *headers)
{
    text_t body = {0};
    text_add(&body, "{\"error\":{\"message\":");
    text_json(&body, message);
    text_fmt(&body, ",\"type\":\"%s\",\"param\":",
             status == 429  ? "requests"
             : status < 500 ? "invalid_request_error"
                            : "server_error");
    if (*param) {
        text_json(&body, param);
    } else {
        text_add(&body, "null");
    }
    text_add(&body, ",\"code\":");
    if (*code) {
        text_json(&body, code);
    } else {
        text_add(&body, "null");
    }
    text_add(&body, "}}");
    plan_whole(out, status, "application/json", headers, body.data, 0);
    text_free(&body);
}

static void refuse_prompt(plan_t *out)
{
    plan_whole(out, 400, "application/json", NULL,
               "{\"error\":{\"message\":\"The response was filtered due to the prompt triggering "
               "the content management policy.\",\"type\":null,\"param\":\"prompt\",\"code\":"
               "\"content_filter\",\"status\":400,\"innererror\":{\"code\":"
               "\"ResponsibleAIPolicyViolation\",\"content_filter_result\":{\"hate\":{\"filtered\":"
               "true,\"severity\":\"high\"},\"jailbreak\":{\"filtered\":false,\"detected\":false}}"
               "}}}",
               0);
}

static void fail(const fault_t *fault, plan_t *out)
{
    char headers[256] = "";
    if (fault->retry_after_s >= 0) {
        (void)snprintf(headers, sizeof headers,
                       "retry-after: %.0f\r\nretry-after-ms: %.0f\r\n"
                       "x-ratelimit-remaining-tokens: 0\r\n",
                       fault->retry_after_s, 1000 * fault->retry_after_s);
    }
    const char *message = fault->status == 429 ? "Rate limit reached" : "The server had an error";
    const char *code = fault->status == 429 ? "rate_limit_exceeded" : "";
    reply_error(out, fault->status, *fault->code ? fault->code : code, "",
                *fault->message ? fault->message : message, headers);
}

void chat_reply(const chat_reply_t *self, plan_t *out)
{
    const rule_t *rule = self->rule;
    const fault_t *fault = &rule->fault;
    if (fault->kind == FAULT_FILTER_PROMPT) {
        refuse_prompt(out);
        return;
    }
    if (fault->kind == FAULT_STATUS) {
        fail(fault, out);
        return;
    }
    if (fault->kind == FAULT_HANGUP) {
        out->end = PLAN_CLOSE;
        return;
    }
    uint32_t first_ms = fault->kind == FAULT_SLOW_FIRST ? fault->ms : rule->pace.first_ms;
    teller_t teller = {.of = self, .plan = out, .at_us = 1000ULL * first_ms};
    if (rule->pace.tokens_per_s > 0) teller.step_us = (uint64_t)(1e6 / rule->pace.tokens_per_s);
    text_t say = {0};
    expand(self, fault->kind == FAULT_EMPTY ? "" : rule->say, self->request->json, &say);
    if (fault->kind == FAULT_TRUNCATED_JSON && !rule->n_calls) say.size /= 2;
    say.data[say.size] = '\0';
    if (self->request->stream) {
        tell_stream(&teller, &say);
    } else {
        tell_whole(&teller, &say);
    }
    text_free(&say);
}
