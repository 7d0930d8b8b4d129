#include "services/dialogue/nlu/when.h"

#include <stdio.h>
#include <string.h>

#include "services/dialogue/nlu/number.h"
#include "services/dialogue/nlu/when_rules.h"

/* Words that may stand between a day and its time, or before them. */
#define GLUE                                                                                       \
    "at in on the a around about of and like approximately roughly maybe since from by it was "    \
    "think i um uh er probably sometime early late exactly guess"
#define LEAD "since on at around about from by in approximately roughly early late"
enum { GAP_MAX = 5 };

static size_t component(when_scan_t *s, size_t i)
{
    size_t used = 0;
    if (!s->has_date) used = when_date_rule(s, i);
    if (!used && !s->has_clock && !s->instant) used = when_clock_rule(s, i);
    if (!used && s->part == PART_NONE && !s->instant) used = when_part_rule(s, i);
    return used;
}

/* The hour of 24, from what was said of the part of the day. */
static int hour_of_day(const when_scan_t *s)
{
    int h = s->hour;
    bool twelve = h == 12;
    if (s->meridiem == MERIDIEM_24H || h > 12) return h;
    if (s->meridiem == MERIDIEM_AM) return twelve ? 0 : h;
    if (s->meridiem == MERIDIEM_PM) return twelve ? 12 : h + 12;
    switch (s->part) {
    case PART_MORNING:
        return h;
    case PART_AFTERNOON:
    case PART_EVENING:
        return twelve ? 12 : h + 12;
    case PART_NIGHT:
        return twelve ? 0 : h >= 6 ? h + 12 : h;
    case PART_NONE:
        break;
    }
    return h >= 1 && h <= 6 ? h + 12 : h; /* working hours */
}

static bool same_day(const civil_t *a, const civil_t *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day;
}

/* Moves a time on the wrong side of now: by half a day when the half was not said, else by a day
 * when the day was not said. */
static void settle_side(const when_scan_t *s, civil_t *at)
{
    const civil_t *now = &s->opts->now;
    int64_t over = civil_seconds(at) - civil_seconds(now);
    bool wrong = s->opts->future ? over < 0 : over > 0;
    if (!wrong || !same_day(at, now)) return;
    bool open_half = s->has_clock && s->meridiem == MERIDIEM_NONE && s->part == PART_NONE;
    int other = at->hour >= 12 ? at->hour - 12 : at->hour + 12;
    if (open_half) {
        civil_t turned = *at;
        turned.hour = other;
        int64_t side = civil_seconds(&turned) - civil_seconds(now);
        bool good = s->opts->future ? side >= 0 : side <= 0;
        if (good && s->has_date) {
            *at = turned;
            return;
        }
    }
    if (!s->has_date) *at = civil_add(at, s->opts->future ? 86400 : -86400);
}

static void take_part_alone(const when_scan_t *s, when_t *out)
{
    static const int hours[] = {
        [PART_MORNING] = 9, [PART_AFTERNOON] = 15, [PART_EVENING] = 19, [PART_NIGHT] = 22};
    out->at.hour = hours[s->part];
    out->at.minute = out->at.second = 0;
    out->has_time = out->vague = true;
    const civil_t *now = &s->opts->now;
    bool ahead = civil_seconds(&out->at) > civil_seconds(now);
    if (!s->opts->future && same_day(&out->at, now) && ahead) {
        out->at.hour = now->hour; /* said in the morning itself, before nine */
        out->at.minute = now->minute;
    }
}

static void resolve(const when_scan_t *s, when_t *out)
{
    out->at = s->has_date ? s->date : s->opts->now;
    out->has_time = false;
    out->has_day = s->has_date;
    out->vague = false;
    if (s->instant) {
        out->has_time = true;
        return;
    }
    out->at.hour = out->at.minute = out->at.second = 0;
    if (s->has_clock) {
        out->has_time = true;
        out->at.hour = hour_of_day(s);
        out->at.minute = s->minute;
        bool small_hours = out->at.hour < 6 && s->part == PART_NIGHT;
        if (small_hours && s->has_date) { /* "last night at two" was this morning */
            out->at = civil_add(&out->at, 86400);
        }
        settle_side(s, &out->at);
    } else if (s->part != PART_NONE) {
        take_part_alone(s, out);
    }
}

bool when_find(const words_t *w, const when_opts_t *opts, when_t *out)
{
    when_scan_t s = {.w = w, .opts = opts};
    size_t from = WORDS_NONE;
    size_t to = 0;
    for (size_t i = 0; i < w->count;) {
        size_t used = component(&s, i);
        if (used) {
            if (from == WORDS_NONE) from = i;
            i += used;
            to = i;
            continue;
        }
        bool glue = words_in(w, i, GLUE);
        if (from != WORDS_NONE && (!glue || i - to >= GAP_MAX)) break;
        i++;
    }
    if (from == WORDS_NONE) return false;
    /* A time before its day: "at nine in the morning yesterday" stands in one piece already. */
    while (from > 0 && words_in(w, from - 1, LEAD)) from--;
    resolve(&s, out);
    out->from = from;
    out->to = to;
    return civil_valid(&out->at);
}

static const char *part_name(int hour)
{
    if (hour < 12) return "in the morning";
    if (hour < 18) return "in the afternoon";
    return hour < 22 ? "in the evening" : "at night";
}

static void say_clock(const civil_t *at, char *out, size_t bytes)
{
    char hour[32];
    char minute[32];
    if (at->minute == 0 && (at->hour == 0 || at->hour == 12)) {
        snprintf(out, bytes, "at %s", at->hour ? "noon" : "midnight");
        return;
    }
    number_say(at->hour % 12 ? at->hour % 12 : 12, hour, sizeof hour);
    if (at->minute == 0) {
        snprintf(out, bytes, "at %s %s", hour, part_name(at->hour));
        return;
    }
    number_say(at->minute, minute, sizeof minute);
    snprintf(out, bytes, "at %s %s%s %s", hour, at->minute < 10 ? "oh " : "", minute,
             part_name(at->hour));
}

char *when_say(const civil_t *at, bool has_time, const civil_t *now, char *out, size_t bytes)
{
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    char day[32];
    char clock[96] = "";
    char near[24] = "";
    char year[48] = "";
    civil_t noon = {.year = at->year, .month = at->month, .day = at->day, .hour = 12};
    civil_t today = {.year = now->year, .month = now->month, .day = now->day, .hour = 12};
    int64_t apart = (civil_seconds(&noon) - civil_seconds(&today)) / 86400;
    static const char *const nears[] = {"yesterday, ", "today, ", "tomorrow, "};
    if (apart >= -1 && apart <= 1) snprintf(near, sizeof near, "%s", nears[apart + 1]);
    if (at->year != now->year) snprintf(year, sizeof year, " %d", at->year);
    if (has_time) say_clock(at, clock, sizeof clock);
    snprintf(out, bytes, "%s%s, %s %s%s%s%s", near, days[civil_weekday(at)],
             months[(at->month + 11) % 12], number_say_ordinal(at->day, day, sizeof day), year,
             has_time ? ", " : "", clock);
    return out;
}
