#include "services/dialogue/nlu/civil.h"

#include <stdio.h>
#include <string.h>

#include "common/zone.h"

static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (int64_t)(m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

civil_t civil_in(const char *zone, int64_t wall_ms)
{
    pl_zone_time_t at = pl_zone_time(zone, wall_ms);
    return (civil_t){at.year, at.month, at.day, at.hour, at.minute, at.second};
}

int64_t civil_seconds(const civil_t *at)
{
    return days_from_civil(at->year, at->month, at->day) * 86400 + (int64_t)at->hour * 3600 +
           (int64_t)at->minute * 60 + at->second;
}

civil_t civil_from_seconds(int64_t seconds)
{
    int64_t z = seconds / 86400;
    int64_t left = seconds % 86400;
    if (left < 0) {
        left += 86400;
        z--;
    }
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    civil_t out = {.day = (int)(doy - (153 * mp + 2) / 5 + 1),
                   .month = (int)(mp < 10 ? mp + 3 : mp - 9),
                   .hour = (int)(left / 3600),
                   .minute = (int)(left % 3600 / 60),
                   .second = (int)(left % 60)};
    out.year = (int)(yoe + era * 400 + (out.month <= 2));
    return out;
}

civil_t civil_add(const civil_t *at, int64_t seconds)
{
    return civil_from_seconds(civil_seconds(at) + seconds);
}

int civil_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

civil_t civil_add_months(const civil_t *at, int months)
{
    civil_t out = *at;
    int total = at->year * 12 + at->month - 1 + months;
    out.year = total / 12;
    out.month = total % 12 + 1;
    int days = civil_month_days(out.year, out.month);
    if (out.day > days) out.day = days;
    return out;
}

int civil_weekday(const civil_t *at)
{
    int64_t days = days_from_civil(at->year, at->month, at->day);
    return (int)(((days + 4) % 7 + 7) % 7);
}

bool civil_valid(const civil_t *at)
{
    return at->year >= 1800 && at->year <= 9999 && at->month >= 1 && at->month <= 12 &&
           at->day >= 1 && at->day <= civil_month_days(at->year, at->month) && at->hour >= 0 &&
           at->hour <= 23 && at->minute >= 0 && at->minute <= 59 && at->second >= 0 &&
           at->second <= 60;
}

char *civil_iso(const civil_t *at, bool has_time, char out[CIVIL_ISO_BYTES])
{
    if (has_time) {
        snprintf(out, CIVIL_ISO_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d", at->year % 10000, at->month,
                 at->day, at->hour, at->minute, at->second);
    } else {
        snprintf(out, CIVIL_ISO_BYTES, "%04d-%02d-%02d", at->year % 10000, at->month, at->day);
    }
    return out;
}

/* Exactly n digits at *p. */
static bool digits(const char **p, size_t n, int *value)
{
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9') return false;
        v = v * 10 + (c - '0');
    }
    *p += n;
    *value = v;
    return true;
}

static bool skip(const char **p, const char *any)
{
    if (!**p || !strchr(any, **p)) return false;
    (*p)++;
    return true;
}

/* "", "Z", "+02:00", "-0500", ".123Z" */
static bool zone_tail(const char *p)
{
    if (*p == '.') {
        p++;
        if (*p < '0' || *p > '9') return false;
        while (*p >= '0' && *p <= '9') p++;
    }
    if (*p == 'Z' || *p == 'z') return p[1] == '\0';
    if (*p == '+' || *p == '-') {
        p++;
        int value = 0;
        if (!digits(&p, 2, &value)) return false;
        (void)skip(&p, ":");
        if (!digits(&p, 2, &value)) return false;
    }
    return *p == '\0';
}

bool civil_parse(const char *text, civil_t *out, bool *has_time)
{
    const char *p = text;
    civil_t at = {0};
    if (!digits(&p, 4, &at.year) || !skip(&p, "-") || !digits(&p, 2, &at.month) || !skip(&p, "-") ||
        !digits(&p, 2, &at.day)) {
        return false;
    }
    bool timed = skip(&p, "Tt ");
    if (timed) {
        if (!digits(&p, 2, &at.hour) || !skip(&p, ":") || !digits(&p, 2, &at.minute)) return false;
        if (skip(&p, ":") && !digits(&p, 2, &at.second)) return false;
        if (!zone_tail(p)) return false;
    } else if (*p) {
        return false;
    }
    if (!civil_valid(&at)) return false;
    *out = at;
    *has_time = timed;
    return true;
}
