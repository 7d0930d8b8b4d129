#include "services/dialogue/tools.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/value.h"

#define RESPONSE                                                                                   \
    {                                                                                              \
        "customer_response", ARG_STRING, false,                                                    \
            "One short sentence in the caller's language saying what is done"                      \
    }

static const tool_t tools[] = {
    {TOOL_UPDATED_CLAIM,
     "updated_claim",
     "Stores facts of the claim; several at once",
     {RESPONSE,
      {"updates", ARG_UPDATES, true, "[{field, value, confirmed?}]; an empty value withdraws it"}}},
    {TOOL_END_CALL,
     "end_call",
     "Ends the call, when the caller wants to end it",
     {{"reason", ARG_STRING, false, "For the log"}}},
    {TOOL_TALK_TO_HUMAN,
     "talk_to_human",
     "Transfers the caller to a human, with explicit consent",
     {RESPONSE}},
    {TOOL_SEARCH_DOCUMENT,
     "search_document",
     "Searches the knowledge base",
     {RESPONSE, {"queries", ARG_STRINGS, true, "Varied search texts"}}},
    {TOOL_REMINDER,
     "new_or_updated_reminder",
     "Notes something important to do; the same title updates it",
     {RESPONSE,
      {"title", ARG_STRING, true, "Verb and subject"},
      {"description", ARG_STRING, true, "What and why"},
      {"due_date_time", ARG_STRING, true, "ISO 8601"},
      {"owner", ARG_STRING, false, "customer, assistant or a named party"}}},
    {TOOL_SPEECH_SPEED,
     "speech_speed",
     "Speaks slower or faster",
     {RESPONSE, {"speed", ARG_NUMBER, true, "0.75 to 1.25"}}},
    {TOOL_SPEECH_LANG,
     "speech_lang",
     "Speaks another language",
     {RESPONSE, {"lang", ARG_STRING, true, "Short code of an available language"}}},
    {TOOL_SEND_SMS,
     "send_sms",
     "Sends an SMS to the caller",
     {RESPONSE, {"message", ARG_STRING, true, "Its text"}}},
};

const tool_t *tools_all(size_t *count)
{
    *count = sizeof tools / sizeof tools[0];
    return tools;
}

const tool_t *tool_find(const char *name)
{
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (strcmp(tools[i].name, name) == 0) return &tools[i];
    }
    return NULL;
}

static bool good_string(const cJSON *item)
{
    return cJSON_IsString(item) && strlen(item->valuestring) <= TOOL_STRING_MAX &&
           value_is_plain(item->valuestring);
}

static bool good_list(const cJSON *list)
{
    int size = cJSON_GetArraySize(list);
    return cJSON_IsArray(list) && size > 0 && size <= TOOL_LIST_MAX;
}

static bool good_strings(const cJSON *list)
{
    if (!good_list(list)) return false;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!good_string(item) || !item->valuestring[0]) return false;
    }
    return true;
}

static bool good_updates(const cJSON *list)
{
    if (!good_list(list)) return false;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsObject(item)) return false;
        if (!good_string(cJSON_GetObjectItemCaseSensitive(item, "field"))) return false;
        if (!good_string(cJSON_GetObjectItemCaseSensitive(item, "value"))) return false;
        const cJSON *sure = cJSON_GetObjectItemCaseSensitive(item, "confirmed");
        if (sure && !cJSON_IsBool(sure)) return false;
    }
    return true;
}

static const char *check(const tool_arg_t *arg, const cJSON *item)
{
    switch (arg->kind) {
    case ARG_STRING:
        if (!good_string(item)) return "must be a plain string of at most 2048 bytes";
        return arg->required && !item->valuestring[0] ? "must not be empty" : NULL;
    case ARG_NUMBER:
        return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? NULL : "must be a number";
    case ARG_STRINGS:
        return good_strings(item) ? NULL : "must be a list of 1 to 32 strings";
    case ARG_UPDATES:
        return good_updates(item) ? NULL
                                  : "must be a list of 1 to 32 objects {field, value, confirmed?}";
    }
    return "is of an unknown kind";
}

pl_err_t tool_arguments(const tool_t *tool, const char *json, cJSON **out, char *reason,
                        size_t reason_bytes)
{
    cJSON *args = NULL;
    const char *end = NULL;
    if (strlen(json) > TOOL_JSON_MAX) {
        snprintf(reason, reason_bytes, "arguments are longer than %d bytes", TOOL_JSON_MAX);
        return PL_INVALID;
    }
    args = cJSON_ParseWithOpts(json[0] ? json : "{}", &end, 1);
    if (!cJSON_IsObject(args)) {
        snprintf(reason, reason_bytes, "arguments are not a JSON object");
        goto bad;
    }
    for (const tool_arg_t *arg = tool->args; arg < tool->args + TOOL_ARGS_MAX && arg->name; arg++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, arg->name);
        if (!item && !arg->required) continue;
        const char *wrong = item ? check(arg, item) : "is missing";
        if (wrong) {
            snprintf(reason, reason_bytes, "argument %s %s", arg->name, wrong);
            goto bad;
        }
    }
    *out = args;
    return PL_OK;
bad:
    cJSON_Delete(args);
    return PL_INVALID;
}

const char *tool_string(const cJSON *args, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}
