#include "services/gateway/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/zone.h"

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void date_text(text_t *out, const struct tm *t)
{
    text_fmt(out, "%s %02d %s %04d, %02d:%02d", days[t->tm_wday], t->tm_mday, months[t->tm_mon],
             t->tm_year + 1900, t->tm_hour, t->tm_min);
}

static void open_time(text_t *out, int64_t wall_ms)
{
    char iso[PL_CLOCK_ISO_BYTES];
    (void)pl_clock_iso(wall_ms, iso);
    text_fmt(out, "<time datetime=\"%s\" title=\"%s\">", iso, iso);
}

void when_date(text_t *out, int64_t wall_ms, const char *zone)
{
    pl_zone_time_t at = pl_zone_time(zone, wall_ms);
    struct tm t = {.tm_wday = at.weekday,
                   .tm_mday = at.day,
                   .tm_mon = at.month - 1,
                   .tm_year = at.year - 1900,
                   .tm_hour = at.hour,
                   .tm_min = at.minute};
    open_time(out, wall_ms);
    date_text(out, &t);
    text_fmt(out, " (%s)</time>", at.abbreviation);
}

void when_clock(text_t *out, int64_t wall_ms, const char *zone)
{
    pl_zone_time_t at = pl_zone_time(zone, wall_ms);
    open_time(out, wall_ms);
    text_fmt(out, "%02d:%02d:%02d</time>", at.hour, at.minute, at.second);
}

void when_span(text_t *out, int64_t span_ms)
{
    long long seconds = span_ms > 0 ? (span_ms + 500) / 1000 : 0;
    if (seconds < 60) {
        text_fmt(out, "%lld s", seconds);
    } else if (seconds < 3600) {
        text_fmt(out, "%lld min %02lld s", seconds / 60, seconds % 60);
    } else {
        text_fmt(out, "%lld h %02lld min", seconds / 3600, seconds / 60 % 60);
    }
}

/* Date and minutes out of the text; *rest is what follows them. */
static bool parse_iso(const char *iso, struct tm *t, const char **rest)
{
    int used = 0, seconds = 0, more = 0;
    char between = 0;
    if (sscanf(iso, "%4d-%2d-%2d%c%2d:%2d%n", &t->tm_year, &t->tm_mon, &t->tm_mday, &between,
               &t->tm_hour, &t->tm_min, &used) != 6) {
        return false;
    }
    if (between != 'T' && between != ' ') return false;
    if (sscanf(iso + used, ":%2d%n", &seconds, &more) == 1) used += more;
    if (iso[used] == '.') used += 1 + (int)strspn(iso + used + 1, "0123456789");
    bool sane = t->tm_year >= 1900 && t->tm_mon >= 1 && t->tm_mon <= 12 && t->tm_mday >= 1 &&
                t->tm_mday <= 31 && t->tm_hour >= 0 && t->tm_hour <= 23 && t->tm_min >= 0 &&
                t->tm_min <= 59;
    *rest = iso + used;
    return sane;
}

void when_iso(text_t *out, const char *iso)
{
    struct tm t = {0};
    const char *rest = "";
    if (!parse_iso(iso, &t, &rest)) {
        text_html(out, iso);
        return;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    time_t seconds = timegm(&t); /* fills in the day of the week */
    struct tm named = {.tm_mday = 1};
    (void)gmtime_r(&seconds, &named);
    text_add(out, "<time datetime=\"");
    text_html(out, iso);
    text_add(out, "\">");
    date_text(out, &named);
    if (*rest) {
        text_add(out, " (");
        text_html(out, strcmp(rest, "Z") == 0 ? "UTC" : rest);
        text_add(out, ")");
    }
    text_add(out, "</time>");
}
