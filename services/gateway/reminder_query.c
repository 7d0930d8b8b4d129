#include "services/gateway/reminder_query.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/gateway/json_check.h"
#include "services/gateway/phone_number.h"

bool reminder_states(const char *text, Pl__ReminderState out[REMINDER_STATES], size_t *count)
{
    static const char *const names[REMINDER_STATES] = {"upcoming", "open", "ended"};
    *count = 0;
    if (strcmp(text, "all") == 0) return true;
    for (int i = 0; i < REMINDER_STATES; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        out[0] = (Pl__ReminderState)i;
        *count = 1;
        return true;
    }
    return false;
}

/* So many digits, as a number from least to most; moves on. */
static bool digits(const char **at, int count, int least, int most, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!isdigit((unsigned char)**at)) return false;
        value = value * 10 + (**at - '0');
    }
    *out = value;
    return value >= least && value <= most;
}

static bool skip(const char **at, const char *set)
{
    if (!**at || !strchr(set, **at)) return false;
    (*at)++;
    return true;
}

static bool offset(const char **at, int *east_s)
{
    int hours = 0;
    int minutes = 0;
    *east_s = 0;
    if (skip(at, "Zz")) return true;
    bool west = **at == '-';
    if (!skip(at, "+- ")) return false;
    if (!digits(at, 2, 0, 14, &hours) || !skip(at, ":") || !digits(at, 2, 0, 59, &minutes))
        return false;
    *east_s = hours * 3600 + minutes * 60;
    if (west) *east_s = -*east_s;
    return true;
}

bool reminder_due_before(const char *text, int64_t now_ms, int64_t *out_ms)
{
    struct tm tm = {0};
    int east_s = 0;
    if (strcmp(text, "now") == 0) {
        *out_ms = now_ms;
        return true;
    }
    bool good = digits(&text, 4, 1971, 9999, &tm.tm_year) && skip(&text, "-") &&
                digits(&text, 2, 1, 12, &tm.tm_mon) && skip(&text, "-") &&
                digits(&text, 2, 1, 31, &tm.tm_mday) && skip(&text, "Tt ") &&
                digits(&text, 2, 0, 23, &tm.tm_hour) && skip(&text, ":") &&
                digits(&text, 2, 0, 59, &tm.tm_min) && skip(&text, ":") &&
                digits(&text, 2, 0, 60, &tm.tm_sec);
    if (good && skip(&text, ".")) text += strspn(text, "0123456789");
    if (!good || !offset(&text, &east_s) || *text) return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out_ms = ((int64_t)timegm(&tm) - east_s) * 1000;
    return true;
}

/* ---- a body ---- */

static const char *text_member(const cJSON *root, const char *name, size_t max,
                               problems_t *problems)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, name));
    if (!text || !text[0]) {
        problems_add(problems, "%s: must be a text that is not empty", name);
        return NULL;
    }
    if (strlen(text) > max) {
        problems_add(problems, "%s: must not be longer than %zu bytes", name, max);
        return NULL;
    }
    return text;
}

pl_err_t reminder_end_from_json(const char *body, size_t size, char **call_id, char **title,
                                problems_t *problems)
{
    json_fault_t fault;
    if (json_check(body, size, &fault) != PL_OK) {
        problems_add(problems, "line %zu, column %zu: %s", fault.line, fault.column, fault.what);
        return PL_INVALID;
    }
    cJSON *root = cJSON_ParseWithLength(body, size);
    const char *id = text_member(root, "call_id", 64, problems);
    const char *words = text_member(root, "title", REMINDER_TITLE_MAX, problems);
    if (id && !call_id_valid(id)) problems_add(problems, "call_id: is not a UUID");
    pl_err_t err = problems->count ? PL_INVALID : PL_OK;
    if (!err) {
        *call_id = strdup(id);
        *title = strdup(words);
        if (!*call_id || !*title) abort();
    }
    cJSON_Delete(root);
    return err;
}
