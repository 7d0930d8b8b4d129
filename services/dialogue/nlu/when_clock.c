/* when_clock.c - the rules for the time of day: "nine thirty", "half past two", "noon". */
#include "services/dialogue/nlu/number.h"
#include "services/dialogue/nlu/when_rules.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define ANCHORS "at around about by from since near until approximately roughly"

static void take_clock(when_scan_t *s, long hour, long minute, meridiem_t meridiem)
{
    s->hour = (int)hour;
    s->minute = (int)minute;
    s->meridiem = meridiem;
    s->has_clock = true;
}

/* A number where one is awaited: "at for thirty" is four thirty. */
static size_t awaited(const words_t *w, size_t i, bool sure, long *value)
{
    size_t used = number_small(w, i, value);
    if (used || !sure) return used;
    const char *meant = number_homophone(words_at(w, i));
    if (!meant) return 0;
    *value = number_digit(meant);
    return *value >= 0 ? 1 : 0;
}

static size_t meridiem_at(const words_t *w, size_t i, meridiem_t *out)
{
    static const struct {
        const char *phrase;
        meridiem_t meridiem;
    } forms[] = {{"am", MERIDIEM_AM},    {"a m", MERIDIEM_AM},   {"a em", MERIDIEM_AM},
                 {"pm", MERIDIEM_PM},    {"p m", MERIDIEM_PM},   {"p em", MERIDIEM_PM},
                 {"pee m", MERIDIEM_PM}, {"pee em", MERIDIEM_PM}};
    for (size_t k = 0; k < COUNT(forms); k++) {
        size_t used = words_match(w, i, forms[k].phrase);
        if (used) {
            *out = forms[k].meridiem;
            return used;
        }
    }
    *out = MERIDIEM_NONE;
    return 0;
}

static size_t noon_rule(when_scan_t *s, size_t i)
{
    if (words_in(s->w, i, "noon midday noontime")) {
        take_clock(s, 12, 0, MERIDIEM_24H);
        return 1;
    }
    if (words_is(s->w, i, "midnight")) {
        take_clock(s, 0, 0, MERIDIEM_24H);
        return 1;
    }
    return 0;
}

/* The minutes before "past" and "to": "half", "a quarter", "ten", "twenty minutes". */
static size_t past_minutes(const words_t *w, size_t i, long *minutes)
{
    size_t article = words_is(w, i, "a") ? 1 : 0;
    if (words_is(w, i + article, "half")) {
        *minutes = 30;
        return article + 1;
    }
    if (words_is(w, i + article, "quarter")) {
        *minutes = 15;
        return article + 1;
    }
    size_t used = article ? 0 : number_small(w, i, minutes);
    if (!used || *minutes < 1 || *minutes > 59) return 0;
    if (words_in(w, i + used, "minute minutes")) return used + 1;
    return *minutes % 5 == 0 ? used : 0;
}

/* "half past two", "a quarter to nine", "ten past two", "twenty minutes to nine" */
static size_t past_rule(when_scan_t *s, size_t i)
{
    const words_t *w = s->w;
    long minutes = 0;
    long hour = 0;
    size_t used = past_minutes(w, i, &minutes);
    if (!used) return 0;
    bool after = words_in(w, i + used, "past passed after");
    bool before = words_in(w, i + used, "to before till of");
    bool range = i > 0 && words_in(w, i - 1, "from between");
    if ((!after && !before) || (before && range)) return 0;
    used++;
    size_t n = awaited(w, i + used, after, &hour);
    if (!n || hour > 23) return 0;
    used += n;
    if (before && words_in(w, i + used, "days hours minutes percent")) return 0;
    if (words_is(w, i + used, "oclock")) used++;
    meridiem_t meridiem = MERIDIEM_NONE;
    used += meridiem_at(w, i + used, &meridiem);
    if (before) {
        hour = hour == 0 ? 23 : hour == 1 ? 12 : hour - 1;
        minutes = 60 - minutes;
    }
    take_clock(s, hour, minutes, meridiem);
    return used;
}

/* "9:30", "9.30", "09:30", "9am", "9:30pm" */
static size_t figure_rule(when_scan_t *s, size_t i)
{
    const char *word = words_at(s->w, i);
    char *end = NULL;
    if (word[0] < '0' || word[0] > '9') return 0;
    long hour = strtol(word, &end, 10);
    long minute = 0;
    bool split = *end == ':' || *end == '.';
    if (split) {
        char *from = end + 1;
        minute = strtol(from, &end, 10);
        if (end - from != 2) return 0;
    }
    meridiem_t meridiem = MERIDIEM_NONE;
    size_t used = 1;
    if (strcmp(end, "am") == 0) {
        meridiem = MERIDIEM_AM;
    } else if (strcmp(end, "pm") == 0) {
        meridiem = MERIDIEM_PM;
    } else if (*end || !split) {
        return 0;
    } else {
        used += meridiem_at(s->w, i + 1, &meridiem);
    }
    if (hour > 23 || minute > 59) return 0;
    if (meridiem == MERIDIEM_NONE && (word[0] == '0' || hour > 12)) meridiem = MERIDIEM_24H;
    take_clock(s, hour, minute, meridiem);
    return used;
}

/* Minutes after an hour: "thirty", "oh five", none. */
static size_t minutes_at(const words_t *w, size_t i, long *minute)
{
    *minute = 0;
    if (words_in(w, i, "oh o zero")) {
        size_t n = number_small(w, i + 1, minute);
        return n && *minute < 10 ? n + 1 : 0;
    }
    long v = 0;
    size_t n = number_small(w, i, &v);
    if (!n || v < 10 || v > 59) return 0;
    if (words_in(w, i + n, "day days hour hours week weeks of floor minutes")) return 0;
    *minute = v;
    return n;
}

static size_t part_at(const words_t *w, size_t i, part_t *out)
{
    static const struct {
        const char *phrase;
        part_t part;
    } parts[] = {{"in the morning", PART_MORNING}, {"in the afternoon", PART_AFTERNOON},
                 {"in the evening", PART_EVENING}, {"in the night", PART_NIGHT},
                 {"during the night", PART_NIGHT}, {"at night", PART_NIGHT},
                 {"morning", PART_MORNING},        {"afternoon", PART_AFTERNOON},
                 {"evening", PART_EVENING},        {"night", PART_NIGHT}};
    for (size_t k = 0; k < COUNT(parts); k++) {
        size_t used = words_match(w, i, parts[k].phrase);
        if (used) {
            *out = parts[k].part;
            return used;
        }
    }
    return 0;
}

/* "fifteen hundred hours" */
static size_t hundred_hours(when_scan_t *s, size_t i, long hour, bool anchored)
{
    if (!words_is(s->w, i, "hundred") || hour < 1) return 0;
    bool named = words_is(s->w, i + 1, "hours");
    if (!anchored && !named) return 0;
    take_clock(s, hour, 0, MERIDIEM_24H);
    return named ? 2 : 1;
}

static size_t oclock_at(const words_t *w, size_t i)
{
    return words_is(w, i, "oclock") ? 1 : words_match(w, i, "o clock");
}

/* "nine", "nine thirty", "nine o'clock", "nine a m", "fifteen hundred hours" */
static size_t hour_rule(when_scan_t *s, size_t i)
{
    const words_t *w = s->w;
    bool anchored = i > 0 && words_in(w, i - 1, ANCHORS);
    bool at = i > 0 && words_in(w, i - 1, "at around about");
    long hour = 0;
    long minute = 0;
    size_t used = awaited(w, i, at, &hour);
    if (!used || hour > 23) return 0;
    size_t military = hundred_hours(s, i + used, hour, anchored);
    if (military) return used + military;
    if (words_is(w, i + used, "hundred")) return 0;
    used += minutes_at(w, i + used, &minute);
    size_t clock = oclock_at(w, i + used);
    used += clock;
    meridiem_t meridiem = MERIDIEM_NONE;
    used += meridiem_at(w, i + used, &meridiem);
    part_t part = s->part;
    (void)part_at(w, i + used, &part);
    /* A bare number may be anything; with a date asked for and at the end it is the hour. */
    bool ends = i + used == w->count && (s->has_date || minute || i == 0);
    bool sure = anchored || clock || meridiem != MERIDIEM_NONE || part != PART_NONE ||
                (s->opts->expected && ends);
    bool counted = words_in(w, i + used, "floor day days week weeks hour hours of percent times");
    if (!sure || counted) return 0;
    if (hour > 12 || hour == 0) meridiem = MERIDIEM_24H;
    take_clock(s, hour, minute, meridiem);
    return used;
}

size_t when_clock_rule(when_scan_t *s, size_t i)
{
    static size_t (*const rules[])(when_scan_t *, size_t) = {noon_rule, past_rule, figure_rule,
                                                             hour_rule};
    for (size_t k = 0; k < COUNT(rules); k++) {
        size_t used = rules[k](s, i);
        if (used) return used;
    }
    return 0;
}

size_t when_part_rule(when_scan_t *s, size_t i)
{
    part_t part = PART_NONE;
    size_t used = part_at(s->w, i, &part);
    /* "good morning" and "morning" alone say nothing about when. */
    if (!used || (!s->has_date && !s->has_clock && !(s->opts->expected && used >= 2))) return 0;
    if (i > 0 && words_is(s->w, i - 1, "good")) return 0;
    s->part = part;
    return used;
}
