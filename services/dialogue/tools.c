#include "services/dialogue/tools.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/value.h"

#define RESPONSE(help)                                                                             \
    {                                                                                              \
        TOOL_RESPONSE, ARG_STRING, false,                                                          \
            "One short, simple sentence for the caller, in their language and in the present "     \
            "tense, that says what is being done. " help,                                          \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }

static const tool_t tools[] = {
    {TOOL_UPDATED_CLAIM,
     "updated_claim",
     "Writes facts of the claim down. Use it for every fact that the caller tells, at once, and "
     "for "
     "several facts in one call. A vague date may be approximated.",
     {RESPONSE("For example: \"I am writing down where it happened.\""),
      {"updates",
       ARG_UPDATES,
       true,
       "The facts. An empty value withdraws one. confirmed: the caller agreed when it was read "
       "back",
       {NULL}}}},
    {TOOL_END_CALL,
     "end_call",
     "Ends the call. Use it only when the caller wants to end it and has said so in this call; "
     "never "
     "right after the caller has rung back.",
     {{"reason", ARG_STRING, false, "Why, for the log, in a few English words", {NULL}}}},
    {TOOL_NEW_CLAIM,
     "new_claim",
     "Begins a new, empty claim for a totally different subject. Use it only when the caller has "
     "agreed to it explicitly.",
     {RESPONSE("For example: \"I am opening a new file for that.\"")}},
    {TOOL_TALK_TO_HUMAN,
     "talk_to_human",
     "Transfers the caller to a human colleague. Use it only when the caller wants a human, you "
     "cannot help, and the caller has agreed explicitly; never right after the caller has rung "
     "back.",
     {RESPONSE("For example: \"I am connecting you with a colleague.\"")}},
    {TOOL_SEARCH_DOCUMENT,
     "search_document",
     "Searches the documents of the company: contracts, procedures, guides, articles, law. Use it "
     "when the caller asks for something that you do not know for sure.",
     {RESPONSE("For example: \"I am looking that up for you.\""),
      {"queries",
       ARG_STRINGS,
       true,
       "Search texts in English, each with other words for the same question",
       {NULL}}}},
    {TOOL_REMINDER,
     "new_or_updated_reminder",
     "Notes something important that is to be done later. The same title updates that reminder.",
     {RESPONSE("For example: \"I am noting a reminder for tomorrow.\""),
      {"title", ARG_STRING, true, "Verb and subject, in English: \"Call the plumber\"", {NULL}},
      {"description", ARG_STRING, true, "What is to be done and why, in English", {NULL}},
      {"due_date_time", ARG_STRING, true, "When, in the future, as ISO 8601", {NULL}},
      {"owner",
       ARG_STRING,
       false,
       "Who has to do it: customer, assistant, or the name of another party",
       {NULL}}}},
    {TOOL_NOTIFY_EMERGENCIES,
     "notify_emergencies",
     "Notifies an emergency service. Use it only for a critical danger to life or health that "
     "needs "
     "help immediately. Tell the caller the truth about the result.",
     {RESPONSE("For example: \"I am alerting the firefighters.\""),
      {"reason", ARG_STRING, true, "What has happened and who is in danger", {NULL}},
      {"location", ARG_STRING, true, "Where, with building, floor, room and door code", {NULL}},
      {"contact", ARG_STRING, true, "Name and number of somebody at the place", {NULL}},
      {"service",
       ARG_CHOICE,
       true,
       "Which service",
       {"police", "firefighters", "pharmacy", "veterinarian", "hospital", NULL}}}},
    {TOOL_SEND_SMS,
     "send_sms",
     "Sends an SMS to the caller's phone. Use it when there is a real need: a bad line, a "
     "reference, "
     "a proof in writing.",
     {RESPONSE("For example: \"I am sending you the reference by SMS.\""),
      {"message", ARG_STRING, true, "Its text, in the caller's language", {NULL}}}},
    {TOOL_SPEECH_SPEED,
     "speech_speed",
     "Speaks slower or faster, when the caller wishes so.",
     {RESPONSE("It is said at the new speed. For example: \"Is this speed better?\""),
      {"speed", ARG_NUMBER, true, "From 0.75 (slow) to 1.25 (fast)", {NULL}}}},
    {TOOL_SPEECH_LANG,
     "speech_lang",
     "Goes on in another language, when the caller speaks or wishes it.",
     {RESPONSE("It is said in the new language. For example: \"Let us go on in English.\""),
      {"lang", ARG_LANG, true, "Short code of the language", {NULL}}}},
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

uint32_t tools_called(const Pl__CallRecord *record)
{
    uint32_t count = 0;
    for (size_t i = 0; i < record->n_messages; i++) {
        count += (uint32_t)record->messages[i]->n_tool_calls;
    }
    return count;
}

void tool_names(char *out, size_t bytes, const char *wrong)
{
    size_t n = (size_t)snprintf(out, bytes, "There is no tool %.60s. There are:", wrong);
    for (size_t i = 0; i < sizeof tools / sizeof tools[0] && n < bytes; i++) {
        n += (size_t)snprintf(out + n, bytes - n, "%s %s", i ? "," : "", tools[i].name);
    }
}

bool tool_good_string(const cJSON *item)
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
        if (!tool_good_string(item) || !item->valuestring[0]) return false;
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
        if (!tool_good_string(cJSON_GetObjectItemCaseSensitive(item, "field"))) return false;
        if (!tool_good_string(cJSON_GetObjectItemCaseSensitive(item, "value"))) return false;
        const cJSON *sure = cJSON_GetObjectItemCaseSensitive(item, "confirmed");
        if (sure && !cJSON_IsBool(sure)) return false;
    }
    return true;
}

static const char *check(const tool_arg_t *arg, const cJSON *item)
{
    switch (arg->kind) {
    case ARG_CHOICE:
        for (const char *const *choice = arg->choices; *choice; choice++) {
            if (cJSON_IsString(item) && strcmp(item->valuestring, *choice) == 0) return NULL;
        }
        return "is not one of the choices";
    case ARG_LANG: /* whether the call has it is the call's to say */
    case ARG_STRING:
        if (!tool_good_string(item)) return "must be a plain string of at most 2048 bytes";
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
