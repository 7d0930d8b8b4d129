/* when_date.c - the rules for days: "yesterday", "last monday", "two days ago", "march third". */
#include "services/dialogue/nlu/number.h"
#include "services/dialogue/nlu/when_rules.h"

#include <string.h>

enum { DAY_S = 86400 };
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void take_day(when_scan_t *s, int64_t offset_days)
{
    s->date = civil_add(&s->opts->now, offset_days * DAY_S);
    s->has_date = true;
}

static size_t fixed_rule(when_scan_t *s, size_t i)
{
    static const struct {
        const char *phrase;
        int days;
        part_t part;
    } fixed[] = {
        {"the day before yesterday", -2, PART_NONE},
        {"day before yesterday", -2, PART_NONE},
        {"the day after tomorrow", 2, PART_NONE},
        {"day after tomorrow", 2, PART_NONE},
        {"yesterday", -1, PART_NONE},
        {"earlier today", 0, PART_NONE},
        {"today", 0, PART_NONE},
        {"tomorrow", 1, PART_NONE},
        {"tonight", 0, PART_EVENING},
        {"last night", -1, PART_NIGHT},
        {"this morning", 0, PART_MORNING},
        {"this afternoon", 0, PART_AFTERNOON},
        {"this evening", 0, PART_EVENING},
        {"last evening", -1, PART_EVENING},
        {"last week", -7, PART_NONE},
        {"next week", 7, PART_NONE},
    };
    for (size_t k = 0; k < COUNT(fixed); k++) {
        size_t used = words_match(s->w, i, fixed[k].phrase);
        if (!used) continue;
        take_day(s, fixed[k].days);
        if (fixed[k].part) s->part = fixed[k].part;
        return used;
    }
    return 0;
}

static size_t now_rule(when_scan_t *s, size_t i)
{
    static const char *const phrases[] = {"just now",          "right now",         "a moment ago",
                                          "moments ago",       "a few moments ago", "a minute ago",
                                          "just a moment ago", "just this minute"};
    size_t used = 0;
    for (size_t k = 0; k < COUNT(phrases) && !used; k++) used = words_match(s->w, i, phrases[k]);
    if (!used && s->opts->expected && s->w->count <= 3) {
        used = words_in(s->w, i, "now immediately") ? 1 : 0;
    }
    if (!used) return 0;
    s->date = s->opts->now;
    s->has_date = s->instant = true;
    return used;
}

static int weekday(const words_t *w, size_t i)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday"};
    const char *word = words_at(w, i);
    size_t n = strlen(word);
    if (n > 6 && word[n - 1] == 's') n--; /* "mondays" is how "monday's" arrives */
    for (int d = 0; d < 7; d++) {
        if (strlen(names[d]) == n && memcmp(names[d], word, n) == 0) return d;
    }
    return -1;
}

static size_t weekday_rule(when_scan_t *s, size_t i)
{
    const words_t *w = s->w;
    size_t used = words_in(w, i, "last past next this coming") ? 1 : 0;
    int day = weekday(w, i + used);
    if (day < 0) return 0;
    const char *which = used ? words_at(w, i) : "";
    used++;
    int ahead = (day - civil_weekday(&s->opts->now) + 7) % 7; /* 0 to 6 */
    int behind = ahead - 7;                                   /* -7 to -1 */
    bool forward = s->opts->future;
    if (strcmp(which, "last") == 0 || strcmp(which, "past") == 0) forward = false;
    if (strcmp(which, "next") == 0 || strcmp(which, "coming") == 0) forward = true;
    int days = forward ? (ahead ? ahead : 7) : behind;
    if (strcmp(which, "this") == 0 && ahead == 0) days = 0;
    if (words_match(w, i + used, "last week")) {
        used += 2;
        int since_monday = (civil_weekday(&s->opts->now) + 6) % 7;
        days = -7 - since_monday + (day + 6) % 7;
    } else if (words_match(w, i + used, "next week")) {
        used += 2;
        int since_monday = (civil_weekday(&s->opts->now) + 6) % 7;
        days = 7 - since_monday + (day + 6) % 7;
    }
    take_day(s, days);
    return used;
}

/* "two", "a", "an", "a couple of", "a few", "several": the count before a unit; in halves. */
static size_t amount(const words_t *w, size_t i, long *halves)
{
    static const struct {
        const char *phrase;
        long halves;
    } fixed[] = {{"half an", 1},        {"half a", 1},        {"a couple of", 4}, {"a couple", 4},
                 {"couple of", 4},      {"a few", 6},         {"few", 6},         {"several", 6},
                 {"one and a half", 3}, {"two and a half", 5}};
    for (size_t k = 0; k < COUNT(fixed); k++) {
        size_t used = words_match(w, i, fixed[k].phrase);
        if (used) {
            *halves = fixed[k].halves;
            return used;
        }
    }
    if (words_in(w, i, "a an")) {
        *halves = 2;
        return 1;
    }
    long n = 0;
    size_t used = number_cardinal(w, i, &n);
    if (!used || n > 5000) return 0;
    *halves = n * 2;
    return used;
}

/* Seconds of the unit; months and years as -1 and -12. */
static long unit(const words_t *w, size_t i)
{
    static const struct {
        const char *names;
        long size;
    } units[] = {
        {"second seconds", 1}, {"minute minutes", 60},          {"hour hours our ours", 3600},
        {"day days", DAY_S},   {"week weeks weak", 7L * DAY_S}, {"month months", -1},
        {"year years", -12}};
    for (size_t k = 0; k < COUNT(units); k++) {
        if (words_in(w, i, units[k].names)) return units[k].size;
    }
    return 0;
}

static void take_span(when_scan_t *s, long halves, long size, int sign)
{
    const civil_t *now = &s->opts->now;
    if (size < 0) {
        s->date = civil_add_months(now, (int)(sign * halves * -size / 2));
    } else {
        s->date = civil_add(now, (int64_t)sign * halves * size / 2);
        s->instant = size < DAY_S;
    }
    if (s->instant) s->date.second = 0;
    s->has_date = true;
}

/* "two hours ago", "an hour and a half ago", "for two days", "in three days" */
static size_t span_rule(when_scan_t *s, size_t i)
{
    const words_t *w = s->w;
    size_t lead = words_in(w, i, "for since in within") ? 1 : 0;
    bool ahead = lead && words_in(w, i, "in within");
    long halves = 0;
    size_t used = amount(w, i + lead, &halves);
    if (!used) return 0;
    used += lead;
    long size = unit(w, i + used);
    if (!size) return 0;
    used++;
    if (words_match(w, i + used, "and a half")) {
        used += 3;
        halves++;
    }
    bool ago = words_in(w, i + used, "ago back earlier") || words_match(w, i + used, "before now");
    if (ago) {
        take_span(s, halves, size, -1);
        return used + (words_is(w, i + used, "before") ? 2 : 1);
    }
    /* "building for a second floor" is no span of time. */
    if (!lead || size == 1 || words_in(w, i + used, "floor level")) return 0;
    take_span(s, halves, size, ahead ? 1 : -1);
    return used;
}

/* "last month", "a year ago" is a span; "this month" says too little. */
static size_t month_shift_rule(when_scan_t *s, size_t i)
{
    bool last = words_is(s->w, i, "last");
    if (!last && !words_is(s->w, i, "next")) return 0;
    int months = words_is(s->w, i + 1, "month") ? 1 : words_is(s->w, i + 1, "year") ? 12 : 0;
    if (!months) return 0;
    s->date = civil_add_months(&s->opts->now, last ? -months : months);
    s->has_date = true;
    return 2;
}

static int month(const words_t *w, size_t i)
{
    static const char *const names[] = {"january jan", "february feb", "march mar",
                                        "april apr",   "may",          "june jun",
                                        "july jul",    "august aug",   "september sep sept",
                                        "october oct", "november nov", "december dec"};
    for (int m = 0; m < 12; m++) {
        if (words_in(w, i, names[m])) return m + 1;
    }
    return 0;
}

static size_t day_number(const words_t *w, size_t i, bool ordinal_only, long *day)
{
    size_t used = number_ordinal(w, i, day);
    if (!used && !ordinal_only) used = number_small(w, i, day);
    return used && *day >= 1 && *day <= 31 ? used : 0;
}

/* Sets the date, in the nearest year of the asked direction when none was said. */
static bool take_month_day(when_scan_t *s, int m, long d, long y)
{
    const civil_t *now = &s->opts->now;
    civil_t at = {.year = y ? (int)y : now->year, .month = m, .day = (int)d};
    if (!y) {
        civil_t today = {.year = now->year, .month = now->month, .day = now->day};
        int64_t apart = civil_seconds(&at) - civil_seconds(&today);
        if (s->opts->future && apart < 0) at.year++;
        if (!s->opts->future && apart > 0) at.year--;
    }
    if (!civil_valid(&at)) return false;
    s->date = at;
    s->has_date = true;
    return true;
}

static size_t year_after(const words_t *w, size_t i, long *year)
{
    size_t skip = words_in(w, i, "in of") ? 1 : 0;
    size_t used = number_year(w, i + skip, year);
    return used ? used + skip : 0;
}

/* "the third of march", "third march", "march the third", "march third twenty twenty six" */
static size_t month_day_rule(when_scan_t *s, size_t i)
{
    const words_t *w = s->w;
    long d = 0;
    long y = 0;
    int m = month(w, i);
    size_t used = 0;
    if (m) {
        used = 1 + (words_is(w, i + 1, "the") ? 1 : 0);
        size_t n = day_number(w, i + used, false, &d);
        if (!n) return 0;
        used += n;
    } else {
        used = words_is(w, i, "the") ? 1 : 0;
        size_t n = day_number(w, i + used, false, &d);
        if (!n) return 0;
        used += n;
        if (words_is(w, i + used, "of")) used++;
        m = month(w, i + used);
        if (!m) return 0;
        used++;
    }
    used += year_after(w, i + used, &y);
    return take_month_day(s, m, d, y) ? used : 0;
}

/* "on the third", when nothing follows that could be counted (a floor, a time, a door). */
static size_t month_less_rule(when_scan_t *s, size_t i)
{
    const words_t *w = s->w;
    size_t used = words_is(w, i, "on") || words_is(w, i, "since") ? 1 : 0;
    if (!used && !s->opts->expected) return 0;
    if (!words_is(w, i + used, "the")) return 0;
    used++;
    long d = 0;
    size_t n = day_number(w, i + used, true, &d);
    if (!n) return 0;
    used += n;
    bool ends = i + used == w->count || words_in(w, i + used, "at in around about of and");
    if (!ends || (words_is(w, i + used, "of") && month(w, i + used + 1))) return 0;
    civil_t month_start = s->opts->now;
    month_start.day = 1;
    int step = s->opts->future ? 1 : -1;
    bool other = s->opts->future ? d < s->opts->now.day : d > s->opts->now.day;
    civil_t at = other ? civil_add_months(&month_start, step) : month_start;
    if (d > civil_month_days(at.year, at.month)) return 0;
    at.day = (int)d;
    s->date = at;
    s->has_date = true;
    if (words_match(w, i + used, "of this month")) used += 3;
    return used;
}

static size_t iso_rule(when_scan_t *s, size_t i)
{
    bool timed = false;
    civil_t at;
    if (!civil_parse(words_at(s->w, i), &at, &timed)) return 0;
    s->date = at;
    s->has_date = true;
    return 1;
}

size_t when_date_rule(when_scan_t *s, size_t i)
{
    static size_t (*const rules[])(when_scan_t *, size_t) = {
        fixed_rule,       now_rule,       span_rule,       weekday_rule,
        month_shift_rule, month_day_rule, month_less_rule, iso_rule,
    };
    for (size_t k = 0; k < COUNT(rules); k++) {
        size_t used = rules[k](s, i);
        if (used) return used;
    }
    return 0;
}
