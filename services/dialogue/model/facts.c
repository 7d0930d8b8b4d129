#include "services/dialogue/model/facts.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/model/draft.h"
#include "services/dialogue/value.h"

/* Takes *json_p. */
static char *written(cJSON **json_p)
{
    char *plain = cJSON_PrintUnformatted(*json_p);
    assert(plain);
    cJSON_Delete(*json_p);
    *json_p = NULL;
    draft_t out = {0};
    for (const char *p = plain; *p;) {
        size_t n = strcspn(p, "<>&");
        draft_add_n(&out, p, n);
        p += n;
        if (!*p) break;
        draft_addf(&out, "\\u%04x", (unsigned)(unsigned char)*p++);
    }
    cJSON_free(plain);
    return draft_take(&out);
}

char *facts_escaped(const char *text)
{
    draft_t out = {0};
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "<>&");
        draft_add_n(&out, p, n);
        p += n;
        if (!*p) break;
        draft_add(&out, *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : "&amp;");
        p++;
    }
    return draft_take(&out);
}

char *facts_claim(const Pl__CallRecord *record)
{
    cJSON *claim = cJSON_CreateObject();
    for (size_t i = 0; i < record->initiate->n_claim; i++) {
        const Pl__ClaimField *field = record->initiate->claim[i];
        const Pl__ClaimValue *value = pl_record_claim(record, field->name);
        cJSON *item = cJSON_AddObjectToObject(claim, field->name);
        cJSON_AddStringToObject(item, "type", value_type_name(field->type));
        if (field->description[0]) {
            cJSON_AddStringToObject(item, "description", field->description);
        }
        if (value && value->value[0]) {
            cJSON_AddStringToObject(item, "value", value->value);
            if (value->confirmed) cJSON_AddBoolToObject(item, "confirmed", 1);
        } else {
            cJSON_AddNullToObject(item, "value");
        }
    }
    return written(&claim);
}

char *facts_reminders(const Pl__CallRecord *record)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < record->n_reminders; i++) {
        const Pl__Reminder *reminder = record->reminders[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "title", reminder->title);
        cJSON_AddStringToObject(item, "description", reminder->description);
        cJSON_AddStringToObject(item, "due_date_time", reminder->due_date_time);
        if (reminder->owner[0]) cJSON_AddStringToObject(item, "owner", reminder->owner);
        cJSON_AddItemToArray(list, item);
    }
    return written(&list);
}

char *facts_passages(const Pl__SearchResult *found, size_t max_bytes)
{
    size_t bytes = 0;
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; found && i < found->n_passages; i++) {
        const Pl__Passage *passage = found->passages[i];
        bytes += strlen(passage->title) + strlen(passage->content);
        if (bytes > max_bytes) break;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "title", passage->title);
        cJSON_AddStringToObject(item, "content", passage->content);
        cJSON_AddItemToArray(list, item);
    }
    if (cJSON_GetArraySize(list) == 0) {
        cJSON_Delete(list);
        return NULL;
    }
    return written(&list);
}
