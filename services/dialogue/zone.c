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
