/* expect.h - did the claim get what the caller said? One expected value against one stored value.
 *
 * text: the stored value holds the expected words in their order (see words.h).
 * phone_number, email: the same characters, apart from blanks and letter case.
 * datetime: expected is "[DAY ]HH:MM" with DAY "today", "yesterday", "-N" (days before the call) or
 * YYYY-MM-DD; the stored value is ISO 8601. It is compared as the wall clock it is written in; days
 * count from the call's creation in that zone, without one in the caller's.
 *
 * Threads: none, pure.
 */
#ifndef CALLSIM_EXPECT_H
#define CALLSIM_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

typedef enum { EXPECT_TEXT, EXPECT_DATETIME, EXPECT_PHONE_NUMBER, EXPECT_EMAIL } expect_kind_t;

bool expect_kind_parse(const char *name, expect_kind_t *out); /* "text", "datetime", ... */

/* Is expected well formed for its kind? */
bool expect_valid(expect_kind_t kind, const char *expected);

/* The call a value is of. */
typedef struct {
    time_t created_at;
    const char *zone; /* the caller's time zone, as in common/zone.h; "" or NULL: UTC */
} expect_call_t;

/* stored may be NULL: not there. */
bool expect_met(expect_kind_t kind, const char *expected, const char *stored,
                const expect_call_t *call);

/* "2026-11-22T08:05:09.123Z", "...+01:00", or without a zone (then UTC); -1 when malformed. */
time_t expect_iso_time(const char *iso);

#endif
