#include "common/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t pl_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t pl_clock_ms(void)
{
    return pl_clock_us() / 1000u;
}

int64_t pl_clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *pl_clock_iso(int64_t wall_ms, char out[PL_CLOCK_ISO_BYTES])
{
    int64_t ms = wall_ms % 1000;
    time_t seconds = (time_t)(wall_ms / 1000);
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    struct tm tm = {0};
    char date[24] = "";
    if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        snprintf(date, sizeof date, "1970-01-01T00:00:00"); /* a year beyond the calendar */
        ms = 0;
    }
    snprintf(out, PL_CLOCK_ISO_BYTES, "%s.%03dZ", date, (int)ms);
    return out;
}
