#include "tools/callsim/expect.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/zone.h"
#include "tools/callsim/words.h"

enum { DAY_S = 86400 };

typedef struct {
    int year, month, day, hour, minute;
    bool zoned;
    long offset_s; /* east of UTC */
} stamp_t;

bool expect_kind_parse(const char *name, expect_kind_t *out)
{
    static const char *const names[] = {"text", "datetime", "phone_number", "email"};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (expect_kind_t)i;
            return true;
        }
    }
    return false;
}

/* The zone at the end of an ISO time: "Z", "+01:00", "-0530" or nothing. */
static bool parse_zone(const char *text, stamp_t *out)
{
    if (*text == '\0') return true;
    out->zoned = true;
    if (strcmp(text, "Z") == 0) return true;
    int hours = 0;
    int minutes = 0;
    char sign = '\0';
    int used = 0;
    /* NOLINTNEXTLINE(cert-err34-c): the digits are bounded and the end is checked */
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || text[used]) {
        /* NOLINTNEXTLINE(cert-err34-c) */
        if (sscanf(text, "%c%2d%2d%n", &sign, &hours, &minutes, &used) != 3 || text[used]) {
            return false;
        }
    }
    if (sign != '+' && sign != '-') return false;
    out->offset_s = (sign == '-' ? -1L : 1L) * (hours * 3600L + minutes * 60L);
    return true;
}

static bool parse_iso(const char *text, stamp_t *out)
{
    int used = 0;
    char between = '\0';
    *out = (stamp_t){0};
    /* NOLINTNEXTLINE(cert-err34-c): the digits are bounded */
    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d%n", &out->year, &out->month, &out->day, &between,
               &out->hour, &out->minute, &used) != 6) {
        return false;
    }
    if (between != 'T' && between != ' ') return false;
    text += used;
    if (*text == ':') text += 1 + strspn(text + 1, "0123456789.");
    return parse_zone(text, out);
}

/* The calendar day (as days since the epoch) of a wall clock. */
static long day_of(const stamp_t *stamp)
{
    struct tm tm = {
        .tm_year = stamp->year - 1900, .tm_mon = stamp->month - 1, .tm_mday = stamp->day};
    time_t midnight = timegm(&tm);
    return (long)(midnight / DAY_S);
}

time_t expect_iso_time(const char *iso)
{
    stamp_t stamp;
    if (!iso || !parse_iso(iso, &stamp)) return -1;
    int seconds = 0;
    const char *minutes = strchr(iso, ':');
    if (minutes && strlen(minutes) > 5 && minutes[3] == ':') {
        seconds = (int)strtol(minutes + 4, NULL, 10);
    }
    return (time_t)day_of(&stamp) * DAY_S + stamp.hour * 3600L + stamp.minute * 60L + seconds -
           stamp.offset_s;
}

typedef struct {
    bool dated; /* day is a calendar day; otherwise days before the call */
    long day;
    int hour, minute;
} wanted_t;

static bool parse_day(const char *text, wanted_t *out)
{
    stamp_t stamp = {0};
    int used = 0;
    if (strcmp(text, "today") == 0) return true;
    if (strcmp(text, "yesterday") == 0) {
        out->day = 1;
        return true;
    }
    if (text[0] == '-') {
        char *end = NULL;
        out->day = strtol(text + 1, &end, 10);
        return end != text + 1 && *end == '\0' && isdigit((unsigned char)text[1]);
    }
    /* NOLINTNEXTLINE(cert-err34-c): the digits are bounded and the end is checked */
    if (sscanf(text, "%4d-%2d-%2d%n", &stamp.year, &stamp.month, &stamp.day, &used) != 3 ||
        text[used]) {
        return false;
    }
    out->dated = true;
    out->day = day_of(&stamp);
    return true;
}

static bool parse_wanted(const char *text, wanted_t *out)
{
    *out = (wanted_t){0};
    char day[32] = "today";
    const char *space = strchr(text, ' ');
    if (space) {
        if (space - text >= (int)sizeof day) return false;
        snprintf(day, sizeof day, "%.*s", (int)(space - text), text);
        text = space + 1;
    }
    int used = 0;
    /* NOLINTNEXTLINE(cert-err34-c): the digits are bounded and the end is checked */
    if (sscanf(text, "%2d:%2d%n", &out->hour, &out->minute, &used) != 2 || text[used]) return false;
    if (out->hour < 0 || out->hour > 23 || out->minute < 0 || out->minute > 59) return false;
    return parse_day(day, out);
}

static long day_in(const expect_call_t *call)
{
    pl_zone_time_t at = pl_zone_time(call->zone ? call->zone : "", call->created_at * 1000LL);
    return (long)((call->created_at + at.offset_s) / DAY_S);
}

static bool datetime_met(const char *expected, const char *stored, const expect_call_t *call)
{
    wanted_t wanted;
    stamp_t stamp;
    if (!parse_wanted(expected, &wanted) || !parse_iso(stored, &stamp)) return false;
    if (stamp.hour != wanted.hour || stamp.minute != wanted.minute) return false;
    long day = day_of(&stamp);
    if (wanted.dated) return day == wanted.day;
    long today = stamp.zoned ? (long)((call->created_at + stamp.offset_s) / DAY_S) : day_in(call);
    return day == today - wanted.day;
}

static bool same_characters(const char *a, const char *b)
{
    for (;;) {
        while (isspace((unsigned char)*a)) a++;
        while (isspace((unsigned char)*b)) b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
        if (!*a) return true;
        a++;
        b++;
    }
}

bool expect_valid(expect_kind_t kind, const char *expected)
{
    wanted_t wanted;
    if (kind == EXPECT_DATETIME) return parse_wanted(expected, &wanted);
    for (; *expected; expected++) {
        if (isalnum((unsigned char)*expected) || (unsigned char)*expected >= 0x80) return true;
    }
    return false;
}

bool expect_met(expect_kind_t kind, const char *expected, const char *stored,
                const expect_call_t *call)
{
    if (!stored) return false;
    switch (kind) {
    case EXPECT_TEXT:
        return words_hold(stored, expected);
    case EXPECT_DATETIME:
        return datetime_met(expected, stored, call);
    case EXPECT_PHONE_NUMBER:
    case EXPECT_EMAIL:
        return same_characters(expected, stored);
    }
    return false;
}
