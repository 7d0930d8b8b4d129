#include "common/zone.h"

#include <assert.h>
#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE = 64, NAME_BYTES = 64 };

/* Reading a zone's file takes longer than using it. */
static struct {
    char name[NAME_BYTES];
    GTimeZone *zone;
} cache[CACHE];
static size_t cached, next_slot;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A name is a path below the zone data, and never one that leads out of it. */
static bool good_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
    size_t n = strlen(name);
    return n > 0 && n < NAME_BYTES && strspn(name, letters) == n && name[0] != '/' &&
           g_ascii_isalpha(name[0]);
}

static GTimeZone *find(const char *name)
{
    for (size_t i = 0; i < cached; i++) {
        if (strcmp(cache[i].name, name) == 0) return g_time_zone_ref(cache[i].zone);
    }
    return NULL;
}

/* A reference to the zone, NULL when there is none of that name. */
static GTimeZone *zone_open(const char *name)
{
    if (!good_name(name)) return NULL;
    (void)pthread_mutex_lock(&lock);
    GTimeZone *zone = find(name);
    if (!zone) zone = g_time_zone_new_identifier(name);
    if (zone && !find(name)) {
        if (cached == CACHE) g_time_zone_unref(cache[next_slot].zone);
        snprintf(cache[next_slot].name, NAME_BYTES, "%s", name);
        cache[next_slot].zone = g_time_zone_ref(zone);
        if (cached < CACHE) cached++;
        next_slot = (next_slot + 1) % CACHE;
    }
    (void)pthread_mutex_unlock(&lock);
    return zone;
}

bool pl_zone_known(const char *name)
{
    GTimeZone *zone = zone_open(name);
    if (!zone) return false;
    g_time_zone_unref(zone);
    return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Source: civil from days, Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static void set_date(pl_zone_time_t *out, int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    out->year = (int)(yoe + era * 400 + (out->month <= 2));
    out->weekday = (int)(((days + 4) % 7 + 7) % 7);
}

static void set_clock(pl_zone_time_t *out, int64_t local_seconds)
{
    int64_t days = floor_div(local_seconds, 86400);
    int64_t rest = local_seconds - days * 86400;
    set_date(out, days);
    out->hour = (int)(rest / 3600);
    out->minute = (int)(rest / 60 % 60);
    out->second = (int)(rest % 60);
}

pl_zone_time_t pl_zone_time(const char *name, int64_t wall_ms)
{
    pl_zone_time_t out = {.abbreviation = "UTC"};
    int64_t seconds = floor_div(wall_ms, 1000);
    GTimeZone *zone = zone_open(name);
    if (zone) {
        gint interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, seconds);
        out.offset_s = g_time_zone_get_offset(zone, interval);
        snprintf(out.abbreviation, sizeof out.abbreviation, "%s",
                 g_time_zone_get_abbreviation(zone, interval));
        g_time_zone_unref(zone);
    }
    set_clock(&out, seconds + out.offset_s);
    return out;
}

int64_t pl_zone_moment(const char *name, int64_t local_seconds)
{
    int64_t seconds = local_seconds;
    GTimeZone *zone = zone_open(name);
    if (zone) {
        gint interval = g_time_zone_find_interval(zone, G_TIME_TYPE_STANDARD, local_seconds);
        /* None in the hour that is skipped: the one before it holds. */
        if (interval < 0) {
            interval = g_time_zone_find_interval(zone, G_TIME_TYPE_STANDARD, local_seconds - 7200);
        }
        if (interval >= 0) seconds -= g_time_zone_get_offset(zone, interval);
        g_time_zone_unref(zone);
    }
    return seconds * 1000;
}
