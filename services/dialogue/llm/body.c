#include "services/dialogue/llm/body.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 64 };

struct body {
    char *messages; /* JSON array without its closing bracket */
    char *tools;    /* JSON array; NULL: none */
    char *schema;   /* JSON object; NULL: free text is wanted */
    char *schema_name;
    bool strict; /* the schema fits what OpenAI calls strict */
    uint32_t max_tokens;
};

/* Always PL_INVALID. */
static pl_err_t wrong(char detail[BODY_DETAIL_BYTES], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static pl_err_t wrong(char detail[BODY_DETAIL_BYTES], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(detail, BODY_DETAIL_BYTES, fmt, args);
    va_end(args);
    return PL_INVALID;
}

static bool is_name(const char *name)
{
    size_t length = name ? strlen(name) : 0;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-') return false;
    }
    return length > 0 && length <= NAME_MOST;
}

/* How many bytes follow this first one of a character; -1 when none begins with it. */
static int following(unsigned char first)
{
    if (first < 0x80) return 0;
    if (first < 0xc2) return -1;
    if (first < 0xe0) return 1;
    if (first < 0xf0) return 2;
    return first < 0xf5 ? 3 : -1;
}

/* cJSON escapes what JSON demands and copies all else, so that a string which is not UTF-8 would
 * make a body which is none: its wrong bytes become "?". */
static void add_string(cJSON *object, const char *name, const char *text)
{
    cJSON *added = cJSON_AddStringToObject(object, name, text ? text : "");
    assert(added);
    for (unsigned char *at = (unsigned char *)added->valuestring; *at;) {
        int wanted = following(*at);
        int found = 0;
        while (found < wanted && (at[found + 1] & 0xc0) == 0x80) found++;
        if (found == wanted) {
            at += wanted + 1;
        } else {
            *at++ = '?';
        }
    }
}

/* ---- messages ------------------------------------------------------------------------------ */

static pl_err_t add_calls(cJSON *message, const llm_message_t *from, char detail[BODY_DETAIL_BYTES])
{
    cJSON *calls = cJSON_AddArrayToObject(message, "tool_calls");
    for (size_t i = 0; i < from->n_calls; i++) {
        const llm_tool_call_t *call = &from->calls[i];
        if (!is_name(call->name)) return wrong(detail, "a tool call's name is no name");
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(calls, one);
        add_string(one, "id", call->id);
        add_string(one, "type", "function");
        cJSON *function = cJSON_AddObjectToObject(one, "function");
        add_string(function, "name", call->name);
        add_string(function, "arguments",
                   call->arguments && *call->arguments ? call->arguments : "{}");
    }
    return PL_OK;
}

static pl_err_t add_message(cJSON *messages, const llm_message_t *from,
                            char detail[BODY_DETAIL_BYTES])
{
    static const char *const roles[] = {
        [LLM_SYSTEM] = "system",
        [LLM_USER] = "user",
        [LLM_ASSISTANT] = "assistant",
        [LLM_TOOL] = "tool",
    };
    cJSON *message = cJSON_CreateObject();
    cJSON_AddItemToArray(messages, message);
    add_string(message, "role", roles[from->role]);
    if (from->n_calls && !*from->content) {
        cJSON_AddNullToObject(message, "content");
    } else {
        add_string(message, "content", from->content);
    }
    if (from->role == LLM_TOOL) {
        if (!from->tool_id || !*from->tool_id) {
            return wrong(detail, "a tool's message does not say which call it answers");
        }
        add_string(message, "tool_call_id", from->tool_id);
    }
    return from->n_calls ? add_calls(message, from, detail) : PL_OK;
}

static pl_err_t write_messages(body_t *self, const llm_request_t *request,
                               char detail[BODY_DETAIL_BYTES])
{
    if (!request->n_messages) return wrong(detail, "there are no messages");
    cJSON *messages = cJSON_CreateArray();
    pl_err_t err = PL_OK;
    for (size_t i = 0; i < request->n_messages && !err; i++) {
        err = add_message(messages, &request->messages[i], detail);
    }
    self->messages = cJSON_PrintUnformatted(messages);
    assert(self->messages);
    self->messages[strlen(self->messages) - 1] = '\0';
    cJSON_Delete(messages);
    return err;
}

/* ---- tools and the answer's shape ---------------------------------------------------------- */

static pl_err_t write_tools(body_t *self, const llm_request_t *request,
                            char detail[BODY_DETAIL_BYTES])
{
    pl_err_t err = PL_OK;
    if (!request->n_tools) return PL_OK;
    cJSON *tools = cJSON_CreateArray();
    for (size_t i = 0; i < request->n_tools && !err; i++) {
        const llm_tool_t *from = &request->tools[i];
        cJSON *schema =
            cJSON_Parse(from->schema && *from->schema ? from->schema
                                                      : "{\"type\":\"object\",\"properties\":{}}");
        if (!is_name(from->name)) {
            err = wrong(detail, "a tool's name is no name");
        } else if (!cJSON_IsObject(schema)) {
            err = wrong(detail, "the schema of the tool %s is no JSON object", from->name);
        }
        cJSON *tool = cJSON_CreateObject();
        cJSON_AddItemToArray(tools, tool);
        add_string(tool, "type", "function");
        cJSON *function = cJSON_AddObjectToObject(tool, "function");
        add_string(function, "name", from->name);
        add_string(function, "description", from->description);
        if (schema) cJSON_AddItemToObject(function, "parameters", schema);
    }
    self->tools = cJSON_PrintUnformatted(tools);
    assert(self->tools);
    cJSON_Delete(tools);
    return err;
}

/* OpenAI's strict mode wants every property required and no others allowed, all the way down. */
static bool is_strict(const cJSON *schema)
{
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
    if (properties) {
        if (!cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties")) ||
            cJSON_GetArraySize(properties) != cJSON_GetArraySize(required)) {
            return false;
        }
    }
    const cJSON *child;
    cJSON_ArrayForEach(child, schema)
    {
        if ((cJSON_IsObject(child) || cJSON_IsArray(child)) && !is_strict(child)) return false;
    }
    return true;
}

static pl_err_t write_schema(body_t *self, const llm_request_t *request,
                             char detail[BODY_DETAIL_BYTES])
{
    if (!request->answer_schema) return PL_OK;
    const char *name = request->answer_name ? request->answer_name : "answer";
    cJSON *schema = cJSON_Parse(request->answer_schema);
    bool ok = cJSON_IsObject(schema);
    if (ok) {
        self->schema = cJSON_PrintUnformatted(schema);
        assert(self->schema);
        self->strict = is_strict(schema);
    }
    cJSON_Delete(schema);
    if (!ok) return wrong(detail, "the answer's schema is no JSON object");
    if (!is_name(name)) return wrong(detail, "the name of the answer's schema is no name");
    self->schema_name = strdup(name);
    assert(self->schema_name);
    return PL_OK;
}

pl_err_t body_new(body_t **out, const llm_request_t *request, char detail[BODY_DETAIL_BYTES])
{
    body_t *self = calloc(1, sizeof *self);
    assert(self);
    self->max_tokens = request->max_tokens;
    detail[0] = '\0';
    pl_err_t err = write_messages(self, request, detail);
    if (!err) err = write_tools(self, request, detail);
    if (!err) err = write_schema(self, request, detail);
    if (err) {
        body_destroy(&self);
        return err;
    }
    *out = self;
    return PL_OK;
}

void body_destroy(body_t **self_p)
{
    body_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    cJSON_free(self->messages);
    cJSON_free(self->tools);
    cJSON_free(self->schema);
    free(self->schema_name);
    free(self);
}

/* ---- for a model --------------------------------------------------------------------------- */

static void put_string(FILE *out, const char *text)
{
    cJSON *string = cJSON_CreateString(text);
    char *printed = cJSON_PrintUnformatted(string);
    assert(printed);
    fputs(printed, out);
    cJSON_free(printed);
    cJSON_Delete(string);
}

/* Servers without json_schema are told the shape in a last message; OpenAI wants the word "JSON"
 * there, too. */
static void put_shape_message(const body_t *self, FILE *out)
{
    char *text = NULL;
    int length = asprintf(&text,
                          "Answer with one JSON object and nothing else. It must fit this JSON "
                          "schema: %s",
                          self->schema);
    assert(length >= 0);
    fputs(",{\"role\":\"system\",\"content\":", out);
    put_string(out, text);
    fputs("}", out);
    free(text);
}

static void put_format(const body_t *self, const model_t *model, FILE *out)
{
    if (!self->schema || model->json == MODEL_JSON_TEXT) return;
    if (model->json == MODEL_JSON_OBJECT) {
        fputs(",\"response_format\":{\"type\":\"json_object\"}", out);
        return;
    }
    fputs(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":", out);
    put_string(out, self->schema_name);
    fprintf(out, ",\"strict\":%s,\"schema\":%s}}", self->strict ? "true" : "false", self->schema);
}

char *body_for(const body_t *self, const model_t *model, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    assert(out);
    fputs("{\"model\":", out);
    put_string(out, model->name);
    fputs(",\"stream\":true,\"stream_options\":{\"include_usage\":true}", out);
    if (!model->reasoning) fprintf(out, ",\"temperature\":%.3g", model->temperature);
    if (model->seed >= 0) fprintf(out, ",\"seed\":%lld", (long long)model->seed);
    if (self->max_tokens) {
        fprintf(out, ",\"%s\":%u", model->reasoning ? "max_completion_tokens" : "max_tokens",
                self->max_tokens);
    }
    put_format(self, model, out);
    if (*model->extra_body) fprintf(out, ",%s", model->extra_body);
    if (self->tools) fprintf(out, ",\"tools\":%s", self->tools);
    fprintf(out, ",\"messages\":%s", self->messages);
    if (self->schema && model->json != MODEL_JSON_SCHEMA) put_shape_message(self, out);
    fputs("]}", out);
    int closed = fclose(out);
    assert(closed == 0);
    (void)closed;
    return text;
}
