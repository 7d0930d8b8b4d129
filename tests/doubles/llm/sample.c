#include "tests/doubles/llm/sample.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { DEPTH_MOST = 32, ITEMS_MOST = 100 };

static cJSON *sample_at(const cJSON *schema, unsigned depth);

static const cJSON *member(const cJSON *schema, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(schema, name);
}

static cJSON *object_of(const cJSON *schema, unsigned depth)
{
    cJSON *object = cJSON_CreateObject();
    const cJSON *property;
    cJSON_ArrayForEach(property, member(schema, "properties"))
    {
        cJSON_AddItemToObject(object, property->string, sample_at(property, depth + 1));
    }
    return object;
}

static cJSON *array_of(const cJSON *schema, unsigned depth)
{
    cJSON *array = cJSON_CreateArray();
    const cJSON *least = member(schema, "minItems");
    int count = least && least->valueint < ITEMS_MOST ? least->valueint : 0;
    for (int i = 0; i < count; i++) {
        cJSON_AddItemToArray(array, sample_at(member(schema, "items"), depth + 1));
    }
    return array;
}

static cJSON *string_of(const cJSON *schema)
{
    const cJSON *format = member(schema, "format");
    const char *name = cJSON_IsString(format) ? format->valuestring : "";
    if (strcmp(name, "date-time") == 0) return cJSON_CreateString("2030-01-02T03:04:05Z");
    if (strcmp(name, "email") == 0) return cJSON_CreateString("someone@example.org");
    const cJSON *least = member(schema, "minLength");
    char text[64] = "text";
    size_t length = least && least->valueint > 4 ? (size_t)least->valueint : 4;
    if (length >= sizeof text) length = sizeof text - 1;
    memset(text + 4, 't', length - 4);
    return cJSON_CreateString(text);
}

static const char *type_of(const cJSON *schema)
{
    const cJSON *type = member(schema, "type");
    if (cJSON_IsArray(type)) type = type->child; /* the first of several */
    if (cJSON_IsString(type)) return type->valuestring;
    return member(schema, "properties") ? "object" : "string";
}

static cJSON *sample_at(const cJSON *schema, unsigned depth)
{
    const cJSON *fixed = member(schema, "const");
    if (!fixed) fixed = member(schema, "default");
    if (!fixed && member(schema, "enum")) fixed = member(schema, "enum")->child;
    if (fixed) return cJSON_Duplicate(fixed, true);
    const cJSON *either = member(schema, "anyOf");
    if (!either) either = member(schema, "oneOf");
    if (either && either->child && depth < DEPTH_MOST) return sample_at(either->child, depth + 1);
    const char *type = type_of(schema);
    if (depth >= DEPTH_MOST || strcmp(type, "null") == 0) return cJSON_CreateNull();
    if (strcmp(type, "object") == 0) return object_of(schema, depth);
    if (strcmp(type, "array") == 0) return array_of(schema, depth);
    if (strcmp(type, "boolean") == 0) return cJSON_CreateBool(false);
    if (strcmp(type, "string") == 0) return string_of(schema);
    const cJSON *least = member(schema, "minimum");
    return cJSON_CreateNumber(least ? least->valuedouble : 0);
}

cJSON *sample_of(const cJSON *schema)
{
    cJSON *made = sample_at(schema, 0);
    assert(made);
    return made;
}
