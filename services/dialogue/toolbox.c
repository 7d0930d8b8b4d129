#include "services/dialogue/toolbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/nlu/phone.h"

enum { DESCRIPTION_BYTES = 24576, TOOLS_MAX = TOOL_KINDS + REMOTE_TOOLS_MAX };

struct toolbox {
    llm_tool_t tools[TOOLS_MAX];
    size_t count, own; /* the own ones come first */
};

/* ---- schemas ---- */

static cJSON *typed(const char *type, const char *about)
{
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "type", type);
    if (about[0]) cJSON_AddStringToObject(schema, "description", about);
    return schema;
}

static cJSON *limited(cJSON *schema, const char *keyword, double limit)
{
    cJSON_AddNumberToObject(schema, keyword, limit);
    return schema;
}

static const char *format_of(Pl__ClaimType type)
{
    switch (type) {
    case PL__CLAIM_TYPE__DATETIME:
        return "date and time as YYYY-MM-DD HH:MM";
    case PL__CLAIM_TYPE__PHONE_NUMBER:
        return "phone number in E.164, like +33612345678";
    case PL__CLAIM_TYPE__EMAIL:
        return "e-mail address";
    case PL__CLAIM_TYPE__TEXT:
    case _PL__CLAIM_TYPE_IS_INT_SIZE:
        break;
    }
    return "text";
}

/* "hardware_info (text): what the caller works with; first_seen (date ...)" */
static void list_fields(const Pl__Initiate *initiate, char *out, size_t bytes)
{
    size_t n = (size_t)snprintf(out, bytes, "The field and how its value is written:");
    for (size_t i = 0; i < initiate->n_claim && n < bytes; i++) {
        const Pl__ClaimField *field = initiate->claim[i];
        n += (size_t)snprintf(out + n, bytes - n, "%s %s (%s)%s%.200s", i ? ";" : "", field->name,
                              format_of(field->type), field->description[0] ? ": " : "",
                              field->description);
    }
}

static cJSON *updates_schema(const Pl__Initiate *initiate, const char *about)
{
    char fields[DESCRIPTION_BYTES];
    list_fields(initiate, fields, sizeof fields);
    cJSON *list = typed("array", about);
    cJSON *item = typed("object", "");
    cJSON *properties = cJSON_AddObjectToObject(item, "properties");
    cJSON *field = typed("string", fields);
    cJSON *names = cJSON_AddArrayToObject(field, "enum");
    for (size_t i = 0; i < initiate->n_claim; i++) {
        cJSON_AddItemToArray(names, cJSON_CreateString(initiate->claim[i]->name));
    }
    cJSON_AddItemToObject(properties, "field", field);
    cJSON_AddItemToObject(properties, "value", typed("string", "Its value"));
    cJSON_AddItemToObject(properties, "confirmed", typed("boolean", ""));
    cJSON *required = cJSON_AddArrayToObject(item, "required");
    cJSON_AddItemToArray(required, cJSON_CreateString("field"));
    cJSON_AddItemToArray(required, cJSON_CreateString("value"));
    cJSON_AddItemToObject(list, "items", item);
    return limited(limited(list, "minItems", 1), "maxItems", TOOL_LIST_MAX);
}

static cJSON *lang_schema(const Pl__Initiate *initiate, const char *about)
{
    char text[2048];
    size_t n = (size_t)snprintf(text, sizeof text, "%s:", about);
    cJSON *schema = cJSON_CreateObject();
    cJSON *codes = cJSON_CreateArray();
    for (size_t i = 0; i < initiate->n_lang_available && n < sizeof text; i++) {
        const Pl__Language *lang = initiate->lang_available[i];
        const char *name = lang->n_pronunciations_en ? lang->pronunciations_en[0] : "";
        n += (size_t)snprintf(text + n, sizeof text - n, " %s%s%.60s%s", lang->short_code,
                              name[0] ? " (" : "", name, name[0] ? ")" : "");
        cJSON_AddItemToArray(codes, cJSON_CreateString(lang->short_code));
    }
    cJSON_AddStringToObject(schema, "type", "string");
    cJSON_AddStringToObject(schema, "description", text);
    cJSON_AddItemToObject(schema, "enum", codes);
    return schema;
}

static cJSON *choice_schema(const tool_arg_t *arg)
{
    cJSON *schema = typed("string", arg->help);
    cJSON *list = cJSON_AddArrayToObject(schema, "enum");
    for (const char *const *choice = arg->choices; *choice; choice++) {
        cJSON_AddItemToArray(list, cJSON_CreateString(*choice));
    }
    return schema;
}

static cJSON *arg_schema(const tool_arg_t *arg, const Pl__Initiate *initiate)
{
    switch (arg->kind) {
    case ARG_NUMBER:
        return typed("number", arg->help);
    case ARG_STRINGS: {
        cJSON *list = typed("array", arg->help);
        cJSON_AddItemToObject(list, "items", limited(typed("string", ""), "minLength", 1));
        return limited(limited(list, "minItems", 1), "maxItems", TOOL_LIST_MAX);
    }
    case ARG_UPDATES:
        return updates_schema(initiate, arg->help);
    case ARG_CHOICE:
        return choice_schema(arg);
    case ARG_LANG:
        return lang_schema(initiate, arg->help);
    case ARG_STRING:
        break;
    }
    return typed("string", arg->help);
}

static char *tool_schema(const tool_t *tool, const Pl__Initiate *initiate)
{
    cJSON *schema = typed("object", "");
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    cJSON *required = cJSON_CreateArray();
    for (const tool_arg_t *arg = tool->args; arg < tool->args + TOOL_ARGS_MAX && arg->name; arg++) {
        cJSON_AddItemToObject(properties, arg->name, arg_schema(arg, initiate));
        bool said = strcmp(arg->name, TOOL_RESPONSE) == 0;
        if (!arg->required && !said) continue;
        cJSON_AddItemToArray(required, cJSON_CreateString(arg->name));
    }
    cJSON_AddItemToObject(schema, "required", required);
    cJSON_AddBoolToObject(schema, "additionalProperties", 0);
    char *text = cJSON_PrintUnformatted(schema);
    assert(text);
    cJSON_Delete(schema);
    return text;
}

/* ---- what is offered ---- */

static bool possible(const tool_t *tool, const Pl__CallRecord *record)
{
    switch (tool->kind) {
    case TOOL_TALK_TO_HUMAN:
        return phone_valid(record->initiate->agent_phone_number);
    case TOOL_SEND_SMS:
        return phone_valid(pl_record_caller(record));
    case TOOL_SPEECH_LANG:
        return record->initiate->n_lang_available > 1;
    case TOOL_UPDATED_CLAIM:
        return record->initiate->n_claim > 0;
    case TOOL_END_CALL:
    case TOOL_SEARCH_DOCUMENT:
    case TOOL_REMINDER:
    case TOOL_SPEECH_SPEED:
    case TOOL_NEW_CLAIM:
    case TOOL_NOTIFY_EMERGENCIES:
    case TOOL_KINDS:
        break;
    }
    return true;
}

toolbox_t *toolbox_new(const Pl__CallRecord *record, const remote_tools_t *remote, unsigned barred)
{
    toolbox_t *self = calloc(1, sizeof *self);
    assert(self);
    size_t count = 0;
    const tool_t *all = tools_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (barred & TOOLBOX_BIT(all[i].kind) || !possible(&all[i], record)) continue;
        self->tools[self->count++] =
            (llm_tool_t){all[i].name, all[i].help, tool_schema(&all[i], record->initiate)};
    }
    self->own = self->count;
    for (size_t i = 0; i < remote_tools_count(remote); i++) {
        const remote_tool_t *tool = remote_tools_at(remote, i);
        self->tools[self->count++] = (llm_tool_t){tool->name, tool->description, tool->offered};
    }
    return self;
}

void toolbox_destroy(toolbox_t **self_p)
{
    toolbox_t *self = *self_p;
    if (!self) return;
    for (size_t i = 0; i < self->own; i++) free((char *)self->tools[i].schema);
    free(self);
    *self_p = NULL;
}

const llm_tool_t *toolbox_tools(const toolbox_t *self, size_t *count)
{
    *count = self->count;
    return self->tools;
}
