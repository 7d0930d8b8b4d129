#include "services/dialogue/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

pl_err_t zone_set(const char *name)
{
    char path[256];
    bool utc = strcmp(name, "UTC") == 0;
    if (!isalpha((unsigned char)name[0]) || strstr(name, "..")) return PL_INVALID;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    /* The C library takes an unknown name for UTC in silence, so look for it first. */
    if (!utc && access(path, R_OK) != 0) return PL_INVALID;
    /* Called once in main before any thread exists. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (setenv("TZ", utc ? "UTC0" : name, 1) != 0) return PL_INVALID;
    tzset();
    return PL_OK;
}

civil_t zone_civil(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    if (!localtime_r(&seconds, &tm)) return civil_from_seconds(seconds);
    return (civil_t){.year = tm.tm_year + 1900,
                     .month = tm.tm_mon + 1,
                     .day = tm.tm_mday,
                     .hour = tm.tm_hour,
                     .minute = tm.tm_min,
                     .second = tm.tm_sec < 60 ? tm.tm_sec : 59};
}

int64_t zone_wall_ms(const civil_t *at)
{
    struct tm tm = {.tm_year = at->year - 1900,
                    .tm_mon = at->month - 1,
                    .tm_mday = at->day,
                    .tm_hour = at->hour,
                    .tm_min = at->minute,
                    .tm_sec = at->second,
                    .tm_isdst = -1};
    return (int64_t)mktime(&tm) * 1000;
}

/* Seconds east of UTC of the "Z" or "+02:00" at the end of a moment; false: it has none. */
static bool own_zone(const char *text, long *seconds)
{
    const char *time = strpbrk(text, "Tt ");
    const char *mark = time ? strpbrk(time, "Zz+-") : NULL;
    long hours = 0;
    long minutes = 0;
    *seconds = 0;
    if (!mark) return false;
    if (*mark == 'Z' || *mark == 'z') return true;
    /* civil_parse has looked at its form. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(mark + 1, "%2ld:%2ld", &hours, &minutes) < 1) return false;
    *seconds = hours * 3600 + minutes * 60;
    if (*mark == '-') *seconds = -*seconds;
    return true;
}

bool zone_moment(const char *text, int64_t *wall_ms)
{
    civil_t at;
    bool timed = false;
    long east = 0;
    if (!civil_parse(text, &at, &timed)) return false;
    if (!timed) at.hour = 9;
    if (timed && own_zone(text, &east))
        *wall_ms = (civil_seconds(&at) - east) * 1000;
    else
        *wall_ms = zone_wall_ms(&at);
    return true;
}
