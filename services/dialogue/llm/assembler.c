#include "services/dialogue/llm/assembler.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/llm/spoken_text.h"

enum {
    CALLS_MOST = 32,
    NAME_BYTES = 128,
    ID_BYTES = 128,
    ARGUMENTS_MOST = 64 * 1024,
    TEXT_MOST = 1024 * 1024,
    DETAIL_BYTES = 200,
    CODE_BYTES = 64,
    NO_INDEX = -1,
};

typedef struct {
    int index; /* as the server counts, or NO_INDEX */
    char id[ID_BYTES], name[NAME_BYTES];
    char *arguments;
    size_t bytes, room;
    bool cut; /* incomplete: never told */
} call_t;

struct assembler {
    uint64_t salt;
    spoken_text_t *text;
    size_t text_bytes;
    call_t *calls;
    size_t n_calls, told;
    assembler_state_t state;
    char error_code[CODE_BYTES];
    char detail[DETAIL_BYTES];
};

assembler_t *assembler_new(uint64_t salt)
{
    assembler_t *self = calloc(1, sizeof *self);
    assert(self);
    self->salt = salt;
    self->text = spoken_text_new();
    self->state.empty = true;
    self->state.error_code = self->error_code;
    return self;
}

void assembler_destroy(assembler_t **self_p)
{
    assembler_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->n_calls; i++) free(self->calls[i].arguments);
    free(self->calls);
    spoken_text_destroy(&self->text);
    free(self);
}

/* Always false, so that a check can end with it. */
static bool wrong(assembler_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(assembler_t *self, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(self->detail, sizeof self->detail, fmt, args);
    va_end(args);
    return false;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *string_of(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* ---- tool calls ---------------------------------------------------------------------------- */

static call_t *find_call(assembler_t *self, int index, const char *id)
{
    for (size_t i = self->n_calls; i-- > 0;) {
        call_t *call = &self->calls[i];
        if (index != NO_INDEX && call->index == index) {
            /* Another id under the same index is another call. */
            bool other = *id && *call->id && strcmp(call->id, id) != 0;
            return other ? NULL : call;
        }
        if (index == NO_INDEX && (!*id || strcmp(call->id, id) == 0)) return call;
    }
    return NULL;
}

static bool add_arguments(assembler_t *self, call_t *call, const char *text)
{
    size_t more = strlen(text);
    if (call->bytes + more > ARGUMENTS_MOST) return wrong(self, "a tool's arguments are too large");
    if (call->bytes + more + 1 > call->room) {
        call->room = 2 * (call->bytes + more + 1);
        call->arguments = realloc(call->arguments, call->room);
        assert(call->arguments);
    }
    memcpy(call->arguments + call->bytes, text, more + 1);
    call->bytes += more;
    return true;
}

static bool take_call(assembler_t *self, const cJSON *fragment)
{
    const cJSON *number = member(fragment, "index");
    const cJSON *function = member(fragment, "function");
    const cJSON *arguments = member(function, "arguments");
    const char *id = string_of(fragment, "id");
    const char *name = string_of(function, "name");
    int index = cJSON_IsNumber(number) ? number->valueint : NO_INDEX;
    call_t *call = find_call(self, index, id);
    if (!call) {
        if (index == NO_INDEX && !*id && !*name) return true; /* of no call: nothing to do */
        if (self->n_calls == CALLS_MOST) return wrong(self, "too many tool calls");
        self->calls = realloc(self->calls, (self->n_calls + 1) * sizeof *self->calls);
        assert(self->calls);
        call = &self->calls[self->n_calls++];
        *call = (call_t){.index = index};
    }
    if (strlen(id) >= ID_BYTES || strlen(name) >= NAME_BYTES) {
        return wrong(self, "a tool call's id or name is too long");
    }
    self->state.begun = true;
    if (*id) (void)snprintf(call->id, sizeof call->id, "%s", id);
    if (*name) (void)snprintf(call->name, sizeof call->name, "%s", name);
    if (cJSON_IsString(arguments)) return add_arguments(self, call, arguments->valuestring);
    if (!cJSON_IsObject(arguments)) return true;
    char *printed = cJSON_PrintUnformatted(arguments);
    assert(printed);
    bool ok = add_arguments(self, call, printed);
    cJSON_free(printed);
    return ok;
}

static bool is_object(const char *json)
{
    cJSON *parsed = cJSON_Parse(json);
    bool ok = cJSON_IsObject(parsed);
    cJSON_Delete(parsed);
    return ok;
}

/* The model has finished: its calls can be told. One that the limit of tokens cut is none. */
static void close_calls(assembler_t *self)
{
    for (size_t i = 0; i < self->n_calls; i++) {
        call_t *call = &self->calls[i];
        if (!call->bytes) (void)add_arguments(self, call, "{}");
        if (!*call->id) {
            (void)snprintf(call->id, sizeof call->id, "call_%016" PRIx64 "_%zu", self->salt, i);
        }
        bool last = i + 1 == self->n_calls;
        call->cut = !*call->name || self->state.finish == LLM_FILTERED ||
                    (last && self->state.finish == LLM_LENGTH && !is_object(call->arguments));
        if (!call->cut) self->state.empty = false;
    }
}

/* ---- chunks -------------------------------------------------------------------------------- */

static void finish(assembler_t *self, llm_finish_t how)
{
    if (self->state.finished) {
        if (how == LLM_FILTERED) self->state.finish = how; /* Azure's filter may say so later */
        return;
    }
    self->state.finished = true;
    if (how == LLM_STOP && self->n_calls) how = LLM_TOOL_CALLS;
    if (how == LLM_TOOL_CALLS && !self->n_calls) how = LLM_STOP;
    self->state.finish = how;
    spoken_text_end(self->text);
    close_calls(self);
}

static llm_finish_t finish_of(const char *reason)
{
    if (strcmp(reason, "length") == 0) return LLM_LENGTH;
    if (strcmp(reason, "tool_calls") == 0) return LLM_TOOL_CALLS;
    if (strcmp(reason, "content_filter") == 0) return LLM_FILTERED;
    return LLM_STOP; /* "stop", and what servers invent: "eos", "end_turn" */
}

/* Does a filter's result, an object of categories, say that something was filtered? */
static bool is_filtered(const cJSON *results)
{
    const cJSON *category;
    cJSON_ArrayForEach(category, results)
    {
        if (cJSON_IsTrue(member(category, "filtered"))) return true;
    }
    return false;
}

static bool take_text(assembler_t *self, const char *text)
{
    size_t size = strlen(text);
    self->text_bytes += size;
    if (self->text_bytes > TEXT_MOST) return wrong(self, "the answer is too long");
    if (size) self->state.begun = true;
    spoken_text_add(self->text, text, size);
    return true;
}

/* After the end nothing more is said; only a filter may still object. */
static bool take_words(assembler_t *self, const cJSON *delta)
{
    if (self->state.finished) return true;
    if (!take_text(self, string_of(delta, "content"))) return false;
    const cJSON *fragment;
    cJSON_ArrayForEach(fragment, member(delta, "tool_calls"))
    {
        if (!take_call(self, fragment)) return false;
    }
    return true;
}

static bool take_choice(assembler_t *self, const cJSON *choice)
{
    const cJSON *delta = member(choice, "delta");
    const cJSON *reason = member(choice, "finish_reason");
    if (!delta) delta = member(choice, "message");
    if (!take_words(self, delta)) return false;
    if (*string_of(delta, "refusal")) {
        self->state.begun = true;
        (void)wrong(self, "the model refused");
        finish(self, LLM_FILTERED);
    }
    if (is_filtered(member(choice, "content_filter_results"))) finish(self, LLM_FILTERED);
    if (cJSON_IsString(reason)) finish(self, finish_of(reason->valuestring));
    return true;
}

static uint32_t count_of(const cJSON *usage, const char *name)
{
    const cJSON *count = member(usage, name);
    bool fits = cJSON_IsNumber(count) && count->valuedouble >= 0 && count->valuedouble < 1e9;
    return fits ? (uint32_t)count->valuedouble : 0;
}

static void take_error(assembler_t *self, const cJSON *error)
{
    const char *message = cJSON_IsString(error) ? error->valuestring : string_of(error, "message");
    const char *code = string_of(error, "code");
    self->state.failed = true;
    (void)snprintf(self->error_code, sizeof self->error_code, "%s", code);
    (void)wrong(self, "%s", *message ? message : "an error without words");
}

static bool take_object(assembler_t *self, const cJSON *chunk)
{
    const cJSON *error = member(chunk, "error");
    if (!error && strcmp(string_of(chunk, "object"), "error") == 0) error = chunk;
    if (error && !cJSON_IsNull(error)) {
        take_error(self, error);
        return true;
    }
    const cJSON *usage = member(chunk, "usage");
    if (cJSON_IsObject(usage)) {
        self->state.prompt_tokens = count_of(usage, "prompt_tokens");
        self->state.answer_tokens = count_of(usage, "completion_tokens");
    }
    const cJSON *choice;
    cJSON_ArrayForEach(choice, member(chunk, "choices"))
    {
        const cJSON *index = member(choice, "index");
        if (cJSON_IsNumber(index) && index->valueint != 0) continue; /* one answer was asked for */
        if (!take_choice(self, choice)) return false;
    }
    return true;
}

bool assembler_take(assembler_t *self, const char *data)
{
    if (strcmp(data, "[DONE]") == 0) {
        finish(self, LLM_STOP);
        return true;
    }
    cJSON *chunk = cJSON_Parse(data);
    bool ok = cJSON_IsObject(chunk) ? take_object(self, chunk)
                                    : wrong(self, "a part of the answer is no JSON object");
    cJSON_Delete(chunk);
    return ok;
}

assembled_t assembler_next(assembler_t *self)
{
    const char *text = spoken_text_take(self->text);
    if (text) {
        self->state.empty = false;
        return (assembled_t){.kind = ASSEMBLED_TEXT, .text = text};
    }
    while (self->state.finished && self->told < self->n_calls) {
        const call_t *call = &self->calls[self->told++];
        if (call->cut) continue;
        return (assembled_t){.kind = ASSEMBLED_TOOL,
                             .call = {call->id, call->name, call->arguments}};
    }
    return (assembled_t){.kind = ASSEMBLED_NOTHING};
}

assembler_state_t assembler_state(const assembler_t *self)
{
    return self->state;
}

const char *assembler_detail(const assembler_t *self)
{
    return self->detail;
}
