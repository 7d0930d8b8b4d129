/* zone.h - time zones: a moment as a wall clock somewhere shows it, and where a phone number is.
 *
 * Zones are those of the system's zone data (tzdata), by name: "Europe/Paris". A number's zone is
 * the one that most people of its country, or of its area where a country has several, live in.
 *
 * Threads: any. Source: IANA time zone database; ITU-T E.164 country codes; NANPA area codes.
 */
#ifndef PL_COMMON_ZONE_H
#define PL_COMMON_ZONE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int weekday;           /* 0 Sunday ... 6 Saturday */
    int32_t offset_s;      /* east of UTC is positive */
    char abbreviation[12]; /* "CET", "+03" */
} pl_zone_time_t;

bool pl_zone_known(const char *name);

/* The wall clock of that zone at wall_ms since the epoch; UTC where the zone is not known. */
pl_zone_time_t pl_zone_time(const char *name, int64_t wall_ms);

/* When that zone's wall clock shows these seconds since 1970-01-01T00:00:00 of the same calendar, in
 * ms since the epoch. A time that there is twice: standard time; one that is skipped: as if the
 * clock had not been put forward. */
int64_t pl_zone_moment(const char *name, int64_t local_seconds);

/* The zone of an E.164 number; NULL: none is known for it (satellites, free numbers, no number). */
const char *pl_zone_of_number(const char *number);

#endif
