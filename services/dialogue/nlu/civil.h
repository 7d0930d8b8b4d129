/* civil.h - a date and time of day as a wall calendar shows it, without zone.
 *
 * What a caller says ("two hours ago") is reckoned on this calendar; on the two nights of the year
 * when clocks change such a span may be an hour off, which no caller expects otherwise.
 * Source: days from civil, Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_CIVIL_H
#define DIALOGUE_NLU_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
} civil_t;

/* What the wall clock of that time zone shows at wall_ms since the epoch. */
civil_t civil_in(const char *zone, int64_t wall_ms);
int64_t civil_seconds(const civil_t *at); /* since 1970-01-01T00:00:00 of the same calendar */
civil_t civil_from_seconds(int64_t seconds);
civil_t civil_add(const civil_t *at, int64_t seconds);
civil_t civil_add_months(const civil_t *at, int months); /* the day is cut to the month's length */
int civil_weekday(const civil_t *at);                    /* 0 Sunday ... 6 Saturday */
int civil_month_days(int year, int month);
bool civil_valid(const civil_t *at);

/* "2026-11-21T09:00:00", or "2026-11-21" when without time. Returns out. */
#define CIVIL_ISO_BYTES 48
char *civil_iso(const civil_t *at, bool has_time, char out[CIVIL_ISO_BYTES]);
/* Reads "2026-11-21", "2026-11-21T09:00", "2026-11-21 09:00:00", with "Z" or an offset ignored. */
bool civil_parse(const char *text, civil_t *out, bool *has_time);

#endif
