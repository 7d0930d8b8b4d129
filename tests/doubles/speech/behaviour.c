#include "tests/doubles/speech/behaviour.h"

#include <cjson/cJSON.h>

static bool read_one(behaviour_t *out, const cJSON *json, const char **reason)
{
    behaviour_t b = {.count = -1};
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsNumber(item) || item->valuedouble < 0) {
            *reason = "a value that is no number";
            return false;
        }
        double n = item->valuedouble;
        const char *name = item->string;
        if (cJSON_GetObjectItemCaseSensitive(json, "count") == item)
            b.count = (int64_t)n;
        else if (cJSON_GetObjectItemCaseSensitive(json, "status") == item)
            b.status = (int)n;
        else if (cJSON_GetObjectItemCaseSensitive(json, "delay_ms") == item)
            b.delay_ms = (uint32_t)n;
        else if (cJSON_GetObjectItemCaseSensitive(json, "cut_after_ms") == item)
            b.cut_after_ms = (uint32_t)n;
        else if (cJSON_GetObjectItemCaseSensitive(json, "pace") == item)
            b.pace = n;
        else {
            *reason = name;
            return false;
        }
    }
    *out = b;
    return true;
}

bool behaviour_read(behaviour_t all[CALLS], const char *json, size_t bytes, const char **reason)
{
    static const char *const names[CALLS] = {"transcriptions", "speech"};
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    bool good = cJSON_IsObject(root);
    *reason = "no JSON object";
    for (int i = 0; good && i < CALLS; i++) {
        const cJSON *one = cJSON_GetObjectItemCaseSensitive(root, names[i]);
        if (one) good = read_one(&all[i], one, reason);
    }
    cJSON_Delete(root);
    return good;
}

behaviour_t behaviour_next(behaviour_t *self)
{
    behaviour_t now = *self;
    if (self->count == 0) return (behaviour_t){0};
    if (self->count > 0) self->count--;
    return now;
}
