#include "services/dialogue/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 160 };

/* Where we are in the document, for people: "updates[2].field". */
typedef struct {
    char path[PATH_BYTES];
    unsigned depth;
    char *reason;
} place_t;

static pl_err_t wrong(const place_t *at, const char *what)
{
    snprintf(at->reason, SCHEMA_REASON_BYTES, "%s %s", at->path[0] ? at->path : "the value", what);
    return PL_INVALID;
}

static pl_err_t wrong_about(const place_t *at, const char *what, const char *name)
{
    char text[SCHEMA_REASON_BYTES - PATH_BYTES];
    snprintf(text, sizeof text, "%s %.50s", what, name);
    return wrong(at, text);
}

static place_t below(const place_t *at, const char *name)
{
    place_t to = {.depth = at->depth + 1, .reason = at->reason};
    snprintf(to.path, sizeof to.path, "%.90s%s%.60s", at->path, at->path[0] ? "." : "", name);
    return to;
}

static place_t at_index(const place_t *at, int index)
{
    place_t to = {.depth = at->depth + 1, .reason = at->reason};
    snprintf(to.path, sizeof to.path, "%.140s[%d]", at->path, index);
    return to;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* ---- is it a schema of ours? ---- */

static bool is_type_name(const cJSON *item)
{
    static const char *const names[] = {"object",  "array",   "string", "number",
                                        "integer", "boolean", "null"};
    for (size_t i = 0; cJSON_IsString(item) && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(item->valuestring, names[i]) == 0) return true;
    }
    return false;
}

static bool good_type(const cJSON *item)
{
    if (!cJSON_IsArray(item)) return is_type_name(item);
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, item)
    {
        if (!is_type_name(one)) return false;
    }
    return cJSON_GetArraySize(item) > 0;
}

static bool good_names(const cJSON *item)
{
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, item)
    {
        if (!cJSON_IsString(one)) return false;
    }
    return cJSON_IsArray(item);
}

static bool good_count(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble >= 0 &&
           item->valuedouble == floor(item->valuedouble);
}

static bool good_number(const cJSON *item)
{
    return cJSON_IsNumber(item) && isfinite(item->valuedouble);
}

static bool good_list(const cJSON *item)
{
    return cJSON_IsArray(item) && cJSON_GetArraySize(item) > 0;
}

static bool good_bool(const cJSON *item)
{
    return cJSON_IsBool(item);
}

static bool good_object(const cJSON *item)
{
    return cJSON_IsObject(item);
}

static const struct {
    const char *name;
    bool (*good)(const cJSON *value); /* NULL: any value; it is not checked against */
} keywords[] = {
    {"type", good_type},       {"properties", good_object},
    {"required", good_names},  {"additionalProperties", good_bool},
    {"items", good_object},    {"enum", good_list},
    {"minItems", good_count},  {"maxItems", good_count},
    {"minLength", good_count}, {"maxLength", good_count},
    {"minimum", good_number},  {"maximum", good_number},
    {"title", NULL},           {"description", NULL},
    {"default", NULL},         {"examples", NULL},
    {"$schema", NULL},         {"$comment", NULL},
};

static pl_err_t valid_keyword(const place_t *at, const cJSON *keyword)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (strcmp(keywords[i].name, keyword->string) != 0) continue;
        if (!keywords[i].good || keywords[i].good(keyword)) return PL_OK;
        return wrong_about(at, "has a malformed", keyword->string);
    }
    return wrong_about(at, "uses a keyword that is not understood:", keyword->string);
}

static pl_err_t valid_at(const place_t *at, const cJSON *schema)
{
    if (at->depth > SCHEMA_DEPTH_MAX) return wrong(at, "is nested too deeply");
    if (!cJSON_IsObject(schema)) return wrong(at, "is not a schema (a JSON object)");
    const cJSON *keyword = NULL;
    cJSON_ArrayForEach(keyword, schema)
    {
        pl_err_t err = valid_keyword(at, keyword);
        if (err) return err;
    }
    const cJSON *property = NULL;
    cJSON_ArrayForEach(property, member(schema, "properties"))
    {
        place_t to = below(at, property->string);
        pl_err_t err = valid_at(&to, property);
        if (err) return err;
    }
    const cJSON *items = member(schema, "items");
    if (!items) return PL_OK;
    place_t to = below(at, "items");
    return valid_at(&to, items);
}

pl_err_t schema_valid(const cJSON *schema, char reason[SCHEMA_REASON_BYTES])
{
    place_t at = {.reason = reason};
    return valid_at(&at, schema);
}

/* ---- does a value fit? ---- */

static bool is_of_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "object") == 0) return cJSON_IsObject(value);
    if (strcmp(type, "array") == 0) return cJSON_IsArray(value);
    if (strcmp(type, "string") == 0) return cJSON_IsString(value);
    if (strcmp(type, "boolean") == 0) return cJSON_IsBool(value);
    if (strcmp(type, "null") == 0) return cJSON_IsNull(value);
    bool number = cJSON_IsNumber(value) && isfinite(value->valuedouble);
    bool whole = number && value->valuedouble == floor(value->valuedouble);
    return strcmp(type, "integer") == 0 ? whole : number;
}

static pl_err_t check_type(const place_t *at, const cJSON *type, const cJSON *value)
{
    if (!type) return PL_OK;
    if (cJSON_IsString(type)) {
        if (is_of_type(value, type->valuestring)) return PL_OK;
        return wrong_about(at, "must be of type", type->valuestring);
    }
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, type)
    {
        if (is_of_type(value, one->valuestring)) return PL_OK;
    }
    return wrong(at, "is of the wrong type");
}

static pl_err_t check_enum(const place_t *at, const cJSON *list, const cJSON *value)
{
    if (!list) return PL_OK;
    char text[SCHEMA_REASON_BYTES - PATH_BYTES];
    size_t n = (size_t)snprintf(text, sizeof text, "must be one of:");
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, list)
    {
        if (cJSON_Compare(one, value, 1)) return PL_OK;
        if (!cJSON_IsString(one) || n >= sizeof text) continue;
        n += (size_t)snprintf(text + n, sizeof text - n, " %s", one->valuestring);
    }
    return wrong(at, text);
}

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static pl_err_t check_bounds(const place_t *at, const cJSON *schema, const cJSON *value)
{
    static const struct {
        const char *least, *most, *what;
    } rows[] = {{"minLength", "maxLength", "characters"},
                {"minItems", "maxItems", "items"},
                {"minimum", "maximum", ""}};
    double size = value->valuedouble;
    size_t kind = 2;
    if (cJSON_IsString(value)) {
        kind = 0;
        size = (double)characters(value->valuestring);
    } else if (cJSON_IsArray(value)) {
        kind = 1;
        size = cJSON_GetArraySize(value);
    } else if (!cJSON_IsNumber(value)) {
        return PL_OK;
    }
    const cJSON *least = member(schema, rows[kind].least);
    const cJSON *most = member(schema, rows[kind].most);
    char text[64];
    if (least && size < least->valuedouble) {
        snprintf(text, sizeof text, "must be at least %g %s", least->valuedouble, rows[kind].what);
        return wrong(at, text);
    }
    if (most && size > most->valuedouble) {
        snprintf(text, sizeof text, "must be at most %g %s", most->valuedouble, rows[kind].what);
        return wrong(at, text);
    }
    return PL_OK;
}

static pl_err_t check_at(const place_t *at, const cJSON *schema, const cJSON *value);

static pl_err_t check_members(const place_t *at, const cJSON *schema, const cJSON *value)
{
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, member(schema, "required"))
    {
        if (member(value, name->valuestring)) continue;
        place_t to = below(at, name->valuestring);
        return wrong(&to, "is missing");
    }
    const cJSON *properties = member(schema, "properties");
    bool closed = cJSON_IsFalse(member(schema, "additionalProperties"));
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, value)
    {
        place_t to = below(at, item->string);
        const cJSON *known = member(properties, item->string);
        if (!known && closed) return wrong(&to, "is not expected");
        pl_err_t err = known ? check_at(&to, known, item) : PL_OK;
        if (err) return err;
    }
    return PL_OK;
}

static pl_err_t check_items(const place_t *at, const cJSON *schema, const cJSON *value)
{
    if (!schema) return PL_OK;
    int index = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, value)
    {
        place_t to = at_index(at, index++);
        pl_err_t err = check_at(&to, schema, item);
        if (err) return err;
    }
    return PL_OK;
}

/* As deep as the schema, which is bounded. */
static pl_err_t check_at(const place_t *at, const cJSON *schema, const cJSON *value)
{
    pl_err_t err = check_type(at, member(schema, "type"), value);
    if (!err) err = check_enum(at, member(schema, "enum"), value);
    if (!err) err = check_bounds(at, schema, value);
    if (!err && cJSON_IsObject(value)) err = check_members(at, schema, value);
    if (!err && cJSON_IsArray(value)) err = check_items(at, member(schema, "items"), value);
    return err;
}

pl_err_t schema_check(const cJSON *schema, const cJSON *value, char reason[SCHEMA_REASON_BYTES])
{
    place_t at = {.reason = reason};
    return check_at(&at, schema, value);
}
