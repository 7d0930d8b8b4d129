/* when.h - dates and times as people say them, resolved against the call's clock.
 *
 * "yesterday at nine in the morning", "last monday", "two hours ago", "on the third of march at
 * half past two", "since tuesday", "noon", "nine thirty a m".
 *
 * What is not said is supplied like this: a time alone is the nearest one in the asked direction;
 * a weekday is the nearest one in it; an hour without a.m. or p.m. from one to six is in the
 * afternoon, from seven to eleven in the morning, and turned by twelve hours when it would lie on
 * the wrong side of now; morning, afternoon, evening and night alone are 9, 15, 19 and 22 o'clock
 * and marked vague.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_WHEN_H
#define DIALOGUE_NLU_WHEN_H

#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/nlu/words.h"

typedef struct {
    civil_t at;
    bool has_time;
    bool has_day;    /* the day was said, not supplied */
    bool vague;      /* the time of day was supplied by us */
    size_t from, to; /* the words it was said in */
} when_t;

typedef struct {
    civil_t now;
    bool future;   /* the answer is expected to lie ahead (an appointment); else behind */
    bool expected; /* a date is what was asked for: take bare numbers as times or days */
} when_opts_t;

/* False when no date or time is in the words. */
bool when_find(const words_t *w, const when_opts_t *opts, when_t *out);

/* "Saturday, November twenty-first, at nine in the morning", or with "today", "yesterday".
 * Returns out. */
char *when_say(const civil_t *at, bool has_time, const civil_t *now, char *out, size_t bytes);

#endif
