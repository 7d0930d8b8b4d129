#include "tools/callsim/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

const char *const check_names[CHECK_KINDS] = {
    [CHECK_SAID] = "said",     [CHECK_NEVER_SAID] = "never_said",
    [CHECK_TURNS] = "turns",   [CHECK_LISTENS] = "listens",
    [CHECK_SMS] = "sms",       [CHECK_TRANSFER] = "transfer",
    [CHECK_TOOL] = "tool",     [CHECK_MESSAGE] = "message",
    [CHECK_RECORD] = "record", [CHECK_REMINDER] = "reminder",
    [CHECK_CALLS] = "calls",
};

bool check_of_record(const check_t *check)
{
    return check->kind >= CHECK_TOOL;
}

static bool whole(const char **text, uint32_t *out)
{
    if (!isdigit((unsigned char)**text)) return false;
    char *end = NULL;
    unsigned long value = strtoul(*text, &end, 10);
    if (value > 1000000) return false;
    *out = (uint32_t)value;
    *text = end;
    return true;
}

bool check_range_parse(const char *text, check_range_t *out)
{
    *out = (check_range_t){1, UINT32_MAX};
    if (!text[0]) return true;
    if (!whole(&text, &out->least)) return false;
    out->most = out->least;
    if (!text[0]) return true;
    if (*text++ != '-') return false;
    out->most = UINT32_MAX;
    if (!text[0]) return true;
    return whole(&text, &out->most) && !text[0] && out->most >= out->least;
}

bool check_range_holds(const check_range_t *range, size_t count)
{
    return count >= range->least && count <= range->most;
}

char *check_label(const check_t *check, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s %s%s%s%s", check_names[check->kind], check->what,
             check->is[0] ? " is " : "", check->is, check->absent ? " is absent" : "");
    return out;
}
