#include "tests/doubles/llm/chat_request.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/text.h"

enum { PENDING_MOST = 64, NAME_MOST = 64 };

/* Always false, so that a check can end with it. */
static bool wrong(chat_problem_t *problem, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool wrong(chat_problem_t *problem, const char *param, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem->message, sizeof problem->message, fmt, args);
    va_end(args);
    (void)snprintf(problem->param, sizeof problem->param, "%s", param);
    return false;
}

static const char *string_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-') return false;
    }
    return length > 0 && length <= NAME_MOST;
}

uint32_t count_tokens(const char *text)
{
    uint32_t tokens = 0;
    unsigned letters = 0;
    for (size_t size = strlen(text); size;) {
        size_t length = utf8_length(text, size);
        if (length == 0) length = 1;
        bool ascii_letter = length == 1 && isalnum((unsigned char)*text);
        if (!ascii_letter || letters == 4) letters = 0;
        if (ascii_letter ? letters++ == 0 : *text != ' ') tokens++;
        text += length;
        size -= length;
    }
    return tokens;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The calls an assistant made which have no result yet. */
typedef struct {
    const char *id[PENDING_MOST], *name[PENDING_MOST];
    size_t count;
} pending_t;

static bool read_text(const cJSON *content, text_t *out)
{
    if (cJSON_IsString(content)) {
        text_add(out, content->valuestring);
        return true;
    }
    if (!cJSON_IsArray(content)) return false;
    const cJSON *part;
    cJSON_ArrayForEach(part, content)
    {
        if (strcmp(string_of(part, "type"), "text") != 0) return false;
        text_add(out, string_of(part, "text"));
    }
    return true;
}

static bool read_calls(const cJSON *calls, int at, pending_t *pending, chat_problem_t *problem)
{
    char param[48];
    (void)snprintf(param, sizeof param, "messages[%d].tool_calls", at);
    if (!cJSON_IsArray(calls) || cJSON_GetArraySize(calls) == 0) {
        return wrong(problem, param, "[] is too short - 'messages.%d.tool_calls'", at);
    }
    const cJSON *call;
    cJSON_ArrayForEach(call, calls)
    {
        const cJSON *function = cJSON_GetObjectItemCaseSensitive(call, "function");
        const char *id = string_of(call, "id");
        const char *name = string_of(function, "name");
        if (!*id || strcmp(string_of(call, "type"), "function") != 0 || !is_name(name) ||
            !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(function, "arguments"))) {
            return wrong(problem, param, "Invalid tool call in messages[%d]", at);
        }
        if (pending->count == PENDING_MOST) return wrong(problem, param, "Too many tool calls");
        pending->id[pending->count] = id;
        pending->name[pending->count++] = name;
    }
    return true;
}

static bool answer_call(const char *id, int at, pending_t *pending, const char **name,
                        chat_problem_t *problem)
{
    for (size_t i = 0; i < pending->count; i++) {
        if (strcmp(pending->id[i], id) != 0) continue;
        *name = pending->name[i];
        pending->count--;
        pending->id[i] = pending->id[pending->count];
        pending->name[i] = pending->name[pending->count];
        return true;
    }
    return wrong(problem, "messages",
                 "Invalid parameter: messages[%d] with role 'tool' must be a response to a "
                 "preceding message with 'tool_calls'.",
                 at);
}

static void keep(char **to, const text_t *text)
{
    free(*to);
    *to = strdup(text->data ? text->data : "");
    if (!*to) abort();
}

/* The texts a rule can look at. */
static void note(chat_request_t *self, const char *role, const text_t *text, text_t *system,
                 text_t *all)
{
    self->last_role = role;
    text_fmt(all, "%s: %s\n", role, text->data ? text->data : "");
    keep(&self->tool, strcmp(role, "tool") == 0 ? text : &(text_t){0});
    if (strcmp(role, "user") == 0) {
        keep(&self->user, text);
        self->turns++;
    }
    if (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0) {
        text_fmt(system, "%s\n", text->data ? text->data : "");
    }
}

static bool read_message(chat_request_t *self, const cJSON *message, int at, pending_t *pending,
                         text_t *text, chat_problem_t *problem)
{
    static const char *const roles[] = {"system", "developer", "user", "assistant", "tool"};
    const char *role = string_of(message, "role");
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(message, "content");
    const cJSON *calls = cJSON_GetObjectItemCaseSensitive(message, "tool_calls");
    bool known = false;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        known = known || strcmp(role, roles[i]) == 0;
    }
    if (!known) return wrong(problem, "messages", "Invalid value: '%.40s' as role", role);
    bool tool = strcmp(role, "tool") == 0;
    if (!tool && pending->count) {
        return wrong(problem, "messages",
                     "An assistant message with 'tool_calls' must be followed by tool messages "
                     "responding to each 'tool_call_id'. The following tool_call_ids did not have "
                     "response messages: %.60s",
                     pending->id[0]);
    }
    bool silent = calls && (!content || cJSON_IsNull(content));
    if (!silent && !read_text(content, text)) {
        return wrong(problem, "messages", "Invalid value for 'content' of messages[%d]", at);
    }
    if (calls && strcmp(role, "assistant") != 0) {
        return wrong(problem, "messages", "messages[%d] may not have 'tool_calls'", at);
    }
    if (calls && !read_calls(calls, at, pending, problem)) return false;
    self->tool_name = "";
    return !tool ||
           answer_call(string_of(message, "tool_call_id"), at, pending, &self->tool_name, problem);
}

static bool read_messages(chat_request_t *self, chat_problem_t *problem)
{
    const cJSON *messages = cJSON_GetObjectItemCaseSensitive(self->root, "messages");
    if (!cJSON_IsArray(messages) || cJSON_GetArraySize(messages) == 0) {
        return wrong(problem, "messages", "Missing required parameter: 'messages'.");
    }
    pending_t pending = {0};
    text_t system = {0};
    text_t all = {0};
    int at = 0;
    bool ok = true;
    const cJSON *message;
    cJSON_ArrayForEach(message, messages)
    {
        text_t text = {0};
        ok = read_message(self, message, at++, &pending, &text, problem);
        if (ok) note(self, string_of(message, "role"), &text, &system, &all);
        text_free(&text);
        if (!ok) break;
    }
    if (ok && pending.count) {
        ok = wrong(problem, "messages",
                   "An assistant message with 'tool_calls' must be followed by tool messages; "
                   "without: %.60s",
                   pending.id[0]);
    }
    keep(&self->system, &system);
    keep(&self->all, &all);
    text_free(&system);
    text_free(&all);
    return ok;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static bool read_tools(chat_request_t *self, chat_problem_t *problem)
{
    const cJSON *tools = cJSON_GetObjectItemCaseSensitive(self->root, "tools");
    const cJSON *choice = cJSON_GetObjectItemCaseSensitive(self->root, "tool_choice");
    if (!tools) {
        return !choice || wrong(problem, "tool_choice",
                                "'tool_choice' is only allowed when 'tools' are specified.");
    }
    if (!cJSON_IsArray(tools) || cJSON_GetArraySize(tools) == 0) {
        return wrong(problem, "tools", "Invalid 'tools': empty array.");
    }
    const cJSON *tool;
    cJSON_ArrayForEach(tool, tools)
    {
        const cJSON *function = cJSON_GetObjectItemCaseSensitive(tool, "function");
        const cJSON *schema = cJSON_GetObjectItemCaseSensitive(function, "parameters");
        const char *name = string_of(function, "name");
        if (strcmp(string_of(tool, "type"), "function") != 0 || !is_name(name)) {
            return wrong(problem, "tools", "Invalid tool '%.64s': does not match pattern", name);
        }
        if (schema && strcmp(string_of(schema, "type"), "object") != 0) {
            return wrong(problem, "tools",
                         "Invalid schema for function '%.64s': schema must be a JSON Schema of "
                         "'type: \"object\"'.",
                         name);
        }
    }
    self->tools = tools;
    return true;
}

static bool read_format(chat_request_t *self, chat_problem_t *problem)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(self->root, "response_format");
    const char *type = string_of(format, "type");
    if (!format || strcmp(type, "text") == 0) return true;
    self->json = true;
    if (strcmp(type, "json_object") == 0) {
        return strcasestr(self->all, "json") ||
               wrong(problem, "messages",
                     "'messages' must contain the word 'json' in some form, to use "
                     "'response_format' of type 'json_object'.");
    }
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(format, "json_schema");
    self->schema = cJSON_GetObjectItemCaseSensitive(spec, "schema");
    self->schema_name = string_of(spec, "name");
    if (strcmp(type, "json_schema") != 0 || !is_name(self->schema_name) ||
        !cJSON_IsObject(self->schema)) {
        return wrong(problem, "response_format", "Invalid 'response_format'.");
    }
    return true;
}

static bool read_numbers(chat_request_t *self, chat_problem_t *problem)
{
    static const char *const limits[] = {"max_tokens", "max_completion_tokens"};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const cJSON *limit = cJSON_GetObjectItemCaseSensitive(self->root, limits[i]);
        if (!limit || cJSON_IsNull(limit)) continue;
        if (!cJSON_IsNumber(limit) || limit->valueint < 1) {
            return wrong(problem, limits[i], "Invalid '%s': below minimum value.", limits[i]);
        }
        self->max_tokens = (uint32_t)limit->valueint;
    }
    const cJSON *heat = cJSON_GetObjectItemCaseSensitive(self->root, "temperature");
    if (heat && !(cJSON_IsNumber(heat) && heat->valuedouble >= 0 && heat->valuedouble <= 2)) {
        return wrong(problem, "temperature", "Invalid 'temperature'.");
    }
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(self->root, "stream_options");
    self->stream = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(self->root, "stream"));
    self->usage = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(options, "include_usage"));
    if (options && !self->stream) {
        return wrong(problem, "stream_options",
                     "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
    }
    return true;
}

bool chat_request_read(chat_request_t *out, const char *body, size_t bytes, bool named,
                       chat_problem_t *problem)
{
    chat_request_t self = {.root = cJSON_ParseWithLength(body, bytes),
                           .last_role = "",
                           .tool_name = "",
                           .schema_name = ""};
    *problem = (chat_problem_t){0};
    bool ok = cJSON_IsObject(self.root) ||
              wrong(problem, "", "We could not parse the JSON body of your request.");
    if (ok) {
        self.model = string_of(self.root, "model");
        ok = named || *self.model || wrong(problem, "", "you must provide a model parameter");
    }
    keep(&self.user, &(text_t){0});
    keep(&self.tool, &(text_t){0});
    ok = ok && read_messages(&self, problem) && read_tools(&self, problem) &&
         read_format(&self, problem) && read_numbers(&self, problem);
    if (!ok) {
        chat_request_free(&self);
        return false;
    }
    *out = self;
    return true;
}

void chat_request_free(chat_request_t *self)
{
    cJSON_Delete(self->root);
    free(self->system);
    free(self->user);
    free(self->tool);
    free(self->all);
    *self = (chat_request_t){0};
}

bool chat_request_offers(const chat_request_t *self, const char *tool)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, self->tools)
    {
        const cJSON *function = cJSON_GetObjectItemCaseSensitive(one, "function");
        if (strcmp(string_of(function, "name"), tool) == 0) return true;
    }
    return false;
}
