#include "services/dialogue/remote_tools.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/schema.h"
#include "services/dialogue/signature.h"
#include "services/dialogue/tools.h"
#include "services/dialogue/value.h"
#include "services/dialogue/webhook.h"

enum { SCHEMA_BYTES_MAX = 65536, DESCRIPTION_MAX = 4000 };

struct remote_tools {
    remote_tool_t all[REMOTE_TOOLS_MAX];
    size_t count;
};

static pl_err_t wrong(size_t i, const char *name, const char *why)
{
    fprintf(stderr, "parley-dialogue: dialogue.tools[%zu].%s: %s\n", i, name, why);
    return PL_INVALID;
}

/* ---- schemas ---- */

/* The text of a file, malloc'd; NULL when it cannot be read or is too long. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    char *text = malloc(SCHEMA_BYTES_MAX + 1);
    assert(text);
    size_t n = fread(text, 1, SCHEMA_BYTES_MAX + 1, file);
    bool good = !ferror(file) && n <= SCHEMA_BYTES_MAX;
    (void)fclose(file);
    if (!good) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    return text;
}

/* Its arguments come as an object, which may not name what is ours. */
static const char *unfit_schema(const cJSON *schema, char reason[SCHEMA_REASON_BYTES])
{
    if (schema_valid(schema, reason) != PL_OK) return reason;
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
    if (!cJSON_IsString(type) || strcmp(type->valuestring, "object") != 0) {
        return "must be of type object";
    }
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    if (cJSON_GetObjectItemCaseSensitive(properties, TOOL_RESPONSE)) {
        return "may not have the property " TOOL_RESPONSE ", which is for the caller";
    }
    return NULL;
}

static pl_err_t read_schema(remote_tool_t *tool, const pl_config_t *cfg, size_t i)
{
    const char *text = pl_config_item(cfg, "dialogue.tools[%zu].schema", i);
    const char *path = pl_config_item(cfg, "dialogue.tools[%zu].schema_file", i);
    const char *setting = path[0] ? "schema_file" : "schema";
    char reason[SCHEMA_REASON_BYTES];
    char *from_file = NULL;
    if (text[0] && path[0]) return wrong(i, "schema", "is given beside schema_file");
    if (path[0]) {
        from_file = read_file(path);
        if (!from_file) return wrong(i, setting, "cannot be read, or is longer than 64 KiB");
        text = from_file;
    }
    tool->schema = cJSON_Parse(text[0] ? text : "{\"type\":\"object\",\"properties\":{}}");
    free(from_file);
    if (!tool->schema) return wrong(i, setting, "is not JSON");
    const char *why = unfit_schema(tool->schema, reason);
    return why ? wrong(i, setting, why) : PL_OK;
}

/* The schema for a model: with the sentence for the caller, which it must give. */
static char *offered_schema(const cJSON *schema)
{
    cJSON *copy = cJSON_Duplicate(schema, 1);
    assert(copy);
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(copy, "properties");
    cJSON *required = cJSON_GetObjectItemCaseSensitive(copy, "required");
    if (!properties) properties = cJSON_AddObjectToObject(copy, "properties");
    if (!required) required = cJSON_AddArrayToObject(copy, "required");
    cJSON *said = cJSON_AddObjectToObject(properties, TOOL_RESPONSE);
    cJSON_AddStringToObject(said, "type", "string");
    cJSON_AddStringToObject(said, "description",
                            "One short, simple sentence for the caller, in their language and in "
                            "the present tense, that says what is being done");
    cJSON_AddItemToArray(required, cJSON_CreateString(TOOL_RESPONSE));
    char *text = cJSON_PrintUnformatted(copy);
    assert(text);
    cJSON_Delete(copy);
    return text;
}

/* ---- settings ---- */

static bool good_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t n = strlen(name);
    return n > 0 && n <= REMOTE_NAME_MAX && strspn(name, letters) == n;
}

static int64_t number(const pl_config_t *cfg, const char *name, size_t i)
{
    char path[96];
    snprintf(path, sizeof path, "dialogue.tools[%zu].%s", i, name);
    return pl_config_int(cfg, path);
}

static pl_err_t read_tool(remote_tools_t *self, const pl_config_t *cfg, size_t i)
{
    remote_tool_t *tool = &self->all[i];
    char path[96];
    snprintf(path, sizeof path, "dialogue.tools[%zu].idempotent", i);
    tool->name = pl_config_item(cfg, "dialogue.tools[%zu].name", i);
    tool->description = pl_config_item(cfg, "dialogue.tools[%zu].description", i);
    tool->url = pl_config_item(cfg, "dialogue.tools[%zu].url", i);
    tool->secret = pl_config_item(cfg, "dialogue.tools[%zu].secret", i);
    tool->timeout_ms = (uint32_t)number(cfg, "timeout_ms", i);
    tool->filler_after_ms = (uint32_t)number(cfg, "filler_after_ms", i);
    tool->idempotent = pl_config_bool(cfg, path);
    if (!good_name(tool->name)) {
        return wrong(i, "name", "must be 1 to 64 letters, digits, _ or -");
    }
    if (tool_find(tool->name)) return wrong(i, "name", "is one of the built-in tools");
    for (size_t k = 0; k < i; k++) {
        if (strcmp(self->all[k].name, tool->name) == 0) return wrong(i, "name", "is given twice");
    }
    bool described = tool->description[0] && strlen(tool->description) <= DESCRIPTION_MAX &&
                     value_is_plain(tool->description);
    if (!described) return wrong(i, "description", "must be plain text of 1 to 4000 bytes");
    const char *why = webhook_url_wrong(tool->url);
    if (why) return wrong(i, "url", why);
    if (strlen(tool->secret) < SIGNATURE_SECRET_MIN) {
        return wrong(i, "secret", "must have at least 16 characters");
    }
    pl_err_t err = read_schema(tool, cfg, i);
    if (!err) tool->offered = offered_schema(tool->schema);
    return err;
}

pl_err_t remote_tools_new(remote_tools_t **out, const pl_config_t *cfg)
{
    size_t count = pl_config_count(cfg, "dialogue.tools");
    if (count > REMOTE_TOOLS_MAX) return wrong(REMOTE_TOOLS_MAX, "name", "more than 32 tools");
    remote_tools_t *self = calloc(1, sizeof *self);
    assert(self);
    for (size_t i = 0; i < count; i++) {
        self->count = i + 1;
        pl_err_t err = read_tool(self, cfg, i);
        if (err) {
            remote_tools_destroy(&self);
            return err;
        }
    }
    *out = self;
    return PL_OK;
}

void remote_tools_destroy(remote_tools_t **self_p)
{
    remote_tools_t *self = *self_p;
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) {
        cJSON_Delete(self->all[i].schema);
        cJSON_free(self->all[i].offered);
    }
    free(self);
    *self_p = NULL;
}

size_t remote_tools_count(const remote_tools_t *self)
{
    return self ? self->count : 0;
}

const remote_tool_t *remote_tools_at(const remote_tools_t *self, size_t i)
{
    return &self->all[i];
}

const remote_tool_t *remote_tools_find(const remote_tools_t *self, const char *name)
{
    for (size_t i = 0; i < remote_tools_count(self); i++) {
        if (strcmp(self->all[i].name, name) == 0) return &self->all[i];
    }
    return NULL;
}

/* ---- a call of one ---- */

/* A string inside, of any depth, that is no plain text. */
static bool has_foul_string(const cJSON *item, unsigned depth)
{
    if (depth > SCHEMA_DEPTH_MAX) return true;
    if (cJSON_IsString(item) && !value_is_plain(item->valuestring)) return true;
    const cJSON *below = NULL;
    cJSON_ArrayForEach(below, item)
    {
        if (has_foul_string(below, depth + 1)) return true;
    }
    return false;
}

pl_err_t remote_tool_arguments(const remote_tool_t *tool, const char *json, cJSON **out,
                               char **response, char *reason, size_t reason_bytes)
{
    char why[SCHEMA_REASON_BYTES] = "";
    const char *end = NULL;
    *response = NULL;
    if (strlen(json) > TOOL_JSON_MAX) {
        snprintf(reason, reason_bytes, "arguments are longer than %d bytes", TOOL_JSON_MAX);
        return PL_INVALID;
    }
    cJSON *args = cJSON_ParseWithOpts(json[0] ? json : "{}", &end, 1);
    if (!cJSON_IsObject(args)) {
        snprintf(reason, reason_bytes, "arguments are not a JSON object");
        cJSON_Delete(args);
        return PL_INVALID;
    }
    cJSON *said = cJSON_DetachItemFromObjectCaseSensitive(args, TOOL_RESPONSE);
    pl_err_t err = schema_check(tool->schema, args, why);
    if (!err && has_foul_string(args, 0)) {
        snprintf(why, sizeof why, "a string is no plain text");
        err = PL_INVALID;
    }
    if (err) {
        snprintf(reason, reason_bytes, "argument %s", why);
        cJSON_Delete(args);
    } else {
        *out = args;
        if (tool_good_string(said)) *response = strdup(said->valuestring);
    }
    cJSON_Delete(said);
    return err;
}
