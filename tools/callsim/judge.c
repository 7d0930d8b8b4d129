#include "tools/callsim/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/api.h"
#include "tools/callsim/pattern.h"

enum { LABEL_BYTES = 512, DETAIL_BYTES = 1024, PART_BYTES = 128 };

/* One round of judging. */
typedef struct {
    const case_t *of;
    verdict_fn *verdict;
    void *arg;
    size_t failed;
} round_t;

static void tell(round_t *round, const char *check, bool holds, const char *detail)
{
    if (!holds) round->failed++;
    round->verdict(round->arg, check, holds, holds ? "" : detail);
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static bool fits(const char *text, const char *pattern)
{
    return !pattern[0] || pattern_match(text, pattern);
}

/* ---- what was spoken ---- */

static size_t count_said(const case_t *of, const check_t *check, char last[DETAIL_BYTES])
{
    size_t count = 0;
    for (size_t i = 0; i < minutes_count(of->minutes); i++) {
        const minute_t *minute = minutes_at(of->minutes, i);
        if (minute->kind != MINUTE_BOT || !minute->heard[0]) continue;
        snprintf(last, DETAIL_BYTES, "the last turn was [%s] \"%s\"", minute->lang, minute->heard);
        bool lang = !check->lang[0] || strcmp(minute->lang, check->lang) == 0;
        count += lang && pattern_match(minute->heard, check->what);
    }
    return count;
}

static size_t count_turns(const case_t *of)
{
    size_t count = 0;
    for (size_t i = 0; i < minutes_count(of->minutes); i++) {
        const minute_t *minute = minutes_at(of->minutes, i);
        count += minute->kind == MINUTE_BOT && minute->heard[0];
    }
    return count;
}

/* The first turn that wanted to say it; NULL. */
static const char *wanted_to_say(const case_t *of, const char *pattern)
{
    for (size_t i = 0; i < minutes_count(of->minutes); i++) {
        const minute_t *minute = minutes_at(of->minutes, i);
        if (minute->kind == MINUTE_BOT && pattern_match(minute->text, pattern)) return minute->text;
    }
    return NULL;
}

static size_t count_sms(const case_t *of, const char *pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < minutes_count(of->minutes); i++) {
        const minute_t *minute = minutes_at(of->minutes, i);
        count += minute->kind == MINUTE_SMS && pattern_match(minute->text, pattern);
    }
    return count;
}

static size_t count_transfers(const case_t *of, const char *number)
{
    size_t count = 0;
    for (size_t i = 0; i < minutes_count(of->minutes); i++) {
        const minute_t *minute = minutes_at(of->minutes, i);
        count += minute->kind == MINUTE_TRANSFER && strcmp(minute->text, number) == 0;
    }
    return count;
}

static void judge_spoken(round_t *round, const check_t *check, const char *label)
{
    const case_t *of = round->of;
    char detail[DETAIL_BYTES] = "the bot said nothing";
    const char *said = NULL;
    size_t count = 0;
    switch (check->kind) {
    case CHECK_SAID:
        count = count_said(of, check, detail);
        break;
    case CHECK_NEVER_SAID:
        said = wanted_to_say(of, check->what);
        tell(round, label, !said, said);
        return;
    case CHECK_LISTENS:
        snprintf(detail, sizeof detail, "it was \"%s\"", of->listens);
        tell(round, label, strcmp(of->listens, check->what) == 0, detail);
        return;
    case CHECK_TURNS:
        count = count_turns(of);
        snprintf(detail, sizeof detail, "there were %zu", count);
        break;
    case CHECK_SMS:
        count = count_sms(of, check->what);
        snprintf(detail, sizeof detail, "there were %zu", count);
        break;
    case CHECK_TRANSFER:
        count = count_transfers(of, check->what);
        snprintf(detail, sizeof detail, "there were %zu", count);
        break;
    case CHECK_TOOL:
    case CHECK_MESSAGE:
    case CHECK_RECORD:
    case CHECK_REMINDER:
    case CHECK_CALLS:
    case CHECK_KINDS:
        return;
    }
    tell(round, label, check_range_holds(&check->times, count), detail);
}

/* ---- what the record tells ---- */

static const cJSON *call_of(const case_t *of, uint32_t number)
{
    int count = cJSON_GetArraySize(of->calls);
    int index = number ? count - (int)number : 0; /* the newest comes first */
    return index >= 0 ? cJSON_GetArrayItem(of->calls, index) : NULL;
}

static size_t count_tools(const cJSON *call, const check_t *check, char detail[DETAIL_BYTES])
{
    size_t count = 0;
    const cJSON *message = NULL;
    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(call, "messages"))
    {
        const cJSON *tool = NULL;
        cJSON_ArrayForEach(tool, cJSON_GetObjectItemCaseSensitive(message, "tool_calls"))
        {
            const char *arguments = text_of(tool, "function_arguments");
            const char *result = text_of(tool, "content");
            if (strcmp(text_of(tool, "function_name"), check->what) != 0) continue;
            snprintf(detail, DETAIL_BYTES, "the last one was given %.400s and gave \"%.400s\"",
                     arguments, result);
            count += fits(arguments, check->arguments) && fits(result, check->result);
        }
    }
    return count;
}

static size_t count_messages(const cJSON *call, const check_t *check)
{
    size_t count = 0;
    const cJSON *message = NULL;
    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(call, "messages"))
    {
        bool persona =
            !check->persona[0] || strcmp(text_of(message, "persona"), check->persona) == 0;
        bool action = !check->action[0] || strcmp(text_of(message, "action"), check->action) == 0;
        bool cut = !check->interrupted ||
                   cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(message, "interrupted"));
        count +=
            persona && action && cut && pattern_match(text_of(message, "content"), check->what);
    }
    return count;
}

static size_t count_reminders(const cJSON *call, const check_t *check)
{
    size_t count = 0;
    const cJSON *reminder = NULL;
    cJSON_ArrayForEach(reminder, cJSON_GetObjectItemCaseSensitive(call, "reminders"))
    {
        count += pattern_match(text_of(reminder, "title"), check->what) &&
                 fits(text_of(reminder, "due_date_time"), check->due) &&
                 fits(text_of(reminder, "owner"), check->owner);
    }
    return count;
}

/* The value at "messages.2.content"; NULL: there is none. */
static const cJSON *at_path(const cJSON *json, const char *path)
{
    while (json && *path) {
        char part[PART_BYTES];
        size_t length = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        path += length + (path[length] == '.');
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, (int)strtol(part, NULL, 10))
                                   : cJSON_GetObjectItemCaseSensitive(json, part);
    }
    return json;
}

static bool nothing(const cJSON *value)
{
    if (!value || cJSON_IsNull(value)) return true;
    if (cJSON_IsString(value)) return value->valuestring[0] == '\0';
    return (cJSON_IsArray(value) || cJSON_IsObject(value)) && !value->child;
}

static void judge_value(round_t *round, const cJSON *call, const check_t *check, const char *label)
{
    const cJSON *value = at_path(call, check->what);
    char *printed = value && !cJSON_IsString(value) ? cJSON_PrintUnformatted(value) : NULL;
    const char *text = value && cJSON_IsString(value) ? value->valuestring : printed;
    char detail[DETAIL_BYTES];
    snprintf(detail, sizeof detail, "it is %.900s", text ? text : "not there");
    bool holds = check->absent ? nothing(value) : !nothing(value) && fits(text, check->is);
    tell(round, label, holds, detail);
    free(printed);
}

static void judge_record(round_t *round, const check_t *check, const char *label)
{
    const cJSON *call = call_of(round->of, check->call);
    char detail[DETAIL_BYTES] = "";
    size_t count = 0;
    switch (check->kind) {
    case CHECK_TOOL:
        count = count_tools(call, check, detail);
        break;
    case CHECK_MESSAGE:
        count = count_messages(call, check);
        break;
    case CHECK_REMINDER:
        count = count_reminders(call, check);
        break;
    case CHECK_RECORD:
        judge_value(round, call, check, label);
        return;
    case CHECK_CALLS:
        count = (size_t)cJSON_GetArraySize(round->of->calls);
        break;
    case CHECK_SAID:
    case CHECK_NEVER_SAID:
    case CHECK_TURNS:
    case CHECK_LISTENS:
    case CHECK_SMS:
    case CHECK_TRANSFER:
    case CHECK_KINDS:
        return;
    }
    size_t used = strlen(detail);
    snprintf(detail + used, sizeof detail - used, "%sthere were %zu", used ? "; " : "", count);
    tell(round, label, check_range_holds(&check->times, count), detail);
}

/* ---- what is always true ---- */

/* Does the tool call at this place have an id of its own, and a result? */
static bool tool_complete(const cJSON *messages, const cJSON *tool)
{
    size_t same = 0;
    const char *id = text_of(tool, "tool_id");
    const cJSON *message = NULL;
    cJSON_ArrayForEach(message, messages)
    {
        const cJSON *other = NULL;
        cJSON_ArrayForEach(other, cJSON_GetObjectItemCaseSensitive(message, "tool_calls"))
        {
            same += strcmp(text_of(other, "tool_id"), id) == 0;
        }
    }
    return id[0] && same == 1 && text_of(tool, "content")[0];
}

static void judge_tools(round_t *round, const cJSON *call)
{
    const cJSON *messages = cJSON_GetObjectItemCaseSensitive(call, "messages");
    const cJSON *message = NULL;
    bool holds = true;
    char detail[DETAIL_BYTES] = "";
    cJSON_ArrayForEach(message, messages)
    {
        const cJSON *tool = NULL;
        cJSON_ArrayForEach(tool, cJSON_GetObjectItemCaseSensitive(message, "tool_calls"))
        {
            if (tool_complete(messages, tool)) continue;
            holds = false;
            snprintf(detail, sizeof detail, "%s \"%s\" has the result \"%.400s\"",
                     text_of(tool, "function_name"), text_of(tool, "tool_id"),
                     text_of(tool, "content"));
        }
    }
    tell(round, "each tool call has one result", holds, detail);
}

static bool in_schema(const cJSON *call, const char *name)
{
    static const char *const always[] = {"policyholder_name", "policyholder_email",
                                         "policyholder_phone"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(name, always[i]) == 0) return true;
    }
    const cJSON *initiate = cJSON_GetObjectItemCaseSensitive(call, "initiate");
    const cJSON *field = NULL;
    cJSON_ArrayForEach(field, cJSON_GetObjectItemCaseSensitive(initiate, "claim"))
    {
        if (strcmp(text_of(field, "name"), name) == 0) return true;
    }
    return false;
}

static void judge_call(round_t *round, const cJSON *call)
{
    judge_tools(round, call);
    const cJSON *value = NULL;
    const char *unknown = NULL;
    cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(call, "claim"))
    {
        if (!in_schema(call, value->string)) unknown = value->string;
    }
    tell(round, "the claim holds fields of its schema", !unknown, unknown);
    bool over = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(call, "in_progress"));
    tell(round, "the call is over in its record", over, "it is in progress");
}

static void judge_always(round_t *round, bool of_record)
{
    if (!of_record) {
        const char *said = wanted_to_say(round->of, "/(style|action|content) *=/");
        tell(round, "no markers are spoken", !said, said);
        return;
    }
    const cJSON *call = NULL;
    cJSON_ArrayForEach(call, round->of->calls) judge_call(round, call);
}

/* ---- the claim ---- */

static void judge_claim(round_t *round)
{
    const scenario_t *scenario = round->of->scenario;
    if (scenario->expect_count == 0) return;
    char why[DETAIL_BYTES] = "there is no call";
    const cJSON *call = call_of(round->of, 0);
    bool holds = call && api_compare(scenario, round->of->n, call, why, sizeof why) == 0;
    tell(round, "the claim is as expected", holds, why);
}

size_t judge(const case_t *of, bool of_record, verdict_fn *verdict, void *arg)
{
    round_t round = {.of = of, .verdict = verdict, .arg = arg};
    judge_always(&round, of_record);
    if (of_record) judge_claim(&round);
    for (size_t i = 0; i < of->scenario->check_count; i++) {
        const check_t *check = &of->scenario->checks[i];
        char label[LABEL_BYTES];
        if (check_of_record(check) != of_record) continue;
        if (check->manager[0] && strcmp(check->manager, of->manager) != 0) continue;
        check_label(check, label, sizeof label);
        if (of_record) {
            judge_record(&round, check, label);
        } else {
            judge_spoken(&round, check, label);
        }
    }
    return round.failed;
}
