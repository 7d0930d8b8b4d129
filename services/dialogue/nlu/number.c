#include "services/dialogue/nlu/number.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const units[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};
static const char *const unit_ordinals[] = {
    "zeroth",     "first",     "second",    "third",       "fourth",     "fifth",     "sixth",
    "seventh",    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",   "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};
static const char *const ten_ordinals[] = {"",          "",         "twentieth", "thirtieth",
                                           "fortieth",  "fiftieth", "sixtieth",  "seventieth",
                                           "eightieth", "ninetieth"};
enum { UNITS = sizeof units / sizeof units[0], TENS = sizeof tens / sizeof tens[0] };

static long index_of(const char *word, const char *const *list, long from, long count)
{
    for (long i = from; i < count; i++) {
        if (strcmp(list[i], word) == 0) return i;
    }
    return -1;
}

/* All digits, at most 6 of them. */
static long figures(const char *word)
{
    size_t n = strlen(word);
    if (n == 0 || n > 6) return -1;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)word[i])) return -1;
    }
    return strtol(word, NULL, 10);
}

static long unit_value(const char *word)
{
    return index_of(word, units, 0, UNITS);
}

static long ten_value(const char *word)
{
    if (strcmp(word, "fourty") == 0) return 40;
    long v = index_of(word, tens, 2, TENS);
    return v < 0 ? -1 : v * 10;
}

size_t number_small(const words_t *w, size_t i, long *value)
{
    const char *word = words_at(w, i);
    long v = figures(word);
    if (v >= 0 && v <= 99) {
        *value = v;
        return 1;
    }
    v = unit_value(word);
    if (v >= 0) {
        *value = v;
        return 1;
    }
    v = ten_value(word);
    if (v < 0) return 0;
    long one = unit_value(words_at(w, i + 1));
    bool both = one >= 1 && one <= 9;
    *value = v + (both ? one : 0);
    return both ? 2 : 1;
}

/* After "hundred" or "thousand" an "and" may stand before the rest. */
static size_t rest(const words_t *w, size_t i, long *value,
                   size_t (*reader)(const words_t *, size_t, long *))
{
    size_t skip = words_is(w, i, "and") ? 1 : 0;
    size_t used = reader(w, i + skip, value);
    return used ? used + skip : 0;
}

static size_t below_thousand(const words_t *w, size_t i, long *value)
{
    long v = 0;
    size_t used = 0;
    bool article = words_is(w, i, "a") && words_is(w, i + 1, "hundred");
    if (article) {
        v = 1;
        used = 1;
    } else {
        used = number_small(w, i, &v);
        if (!used) {
            long f = figures(words_at(w, i));
            if (f < 0) return 0;
            *value = f;
            return 1;
        }
    }
    if (v >= 1 && v <= 99 && words_is(w, i + used, "hundred")) {
        v *= 100;
        used++;
        long more = 0;
        size_t n = rest(w, i + used, &more, number_small);
        if (n && more < 100) {
            v += more;
            used += n;
        }
    }
    *value = v;
    return used;
}

size_t number_cardinal(const words_t *w, size_t i, long *value)
{
    long v = 0;
    size_t used = 0;
    if (words_is(w, i, "a") && words_is(w, i + 1, "thousand")) {
        v = 1;
        used = 1;
    } else {
        used = below_thousand(w, i, &v);
    }
    if (!used) return 0;
    if (v >= 1 && v <= 999 && words_is(w, i + used, "thousand")) {
        v *= 1000;
        used++;
        long more = 0;
        size_t n = rest(w, i + used, &more, below_thousand);
        if (n && more < 1000) {
            v += more;
            used += n;
        }
    }
    *value = v;
    return used;
}

size_t number_ordinal(const words_t *w, size_t i, long *value)
{
    const char *word = words_at(w, i);
    size_t n = strlen(word);
    if (n >= 3 && n <= 4 && isdigit((unsigned char)word[0])) {
        char *end = NULL;
        long v = strtol(word, &end, 10);
        bool suffix = strcmp(end, "st") == 0 || strcmp(end, "nd") == 0 || strcmp(end, "rd") == 0 ||
                      strcmp(end, "th") == 0;
        if (!suffix || v < 1) return 0;
        *value = v;
        return 1;
    }
    long v = index_of(word, unit_ordinals, 1, UNITS);
    if (v > 0) {
        *value = v;
        return 1;
    }
    v = index_of(word, ten_ordinals, 2, TENS);
    if (v > 0) {
        *value = v * 10;
        return 1;
    }
    v = ten_value(word);
    long one = index_of(words_at(w, i + 1), unit_ordinals, 1, 10);
    if (v < 0 || one < 0) return 0;
    *value = v + one;
    return 2;
}

size_t number_year(const words_t *w, size_t i, long *value)
{
    long v = 0;
    long figure = figures(words_at(w, i));
    if (figure >= 1900 && figure < 2200) {
        *value = figure;
        return 1;
    }
    size_t used = number_small(w, i, &v);
    if (used && (v == 19 || v == 20 || v == 21) && figure < 0) {
        long low = 0;
        size_t n = number_small(w, i + used, &low);
        if (n && low >= 10) {
            *value = v * 100 + low;
            return used + n;
        }
        bool oh = words_in(w, i + used, "oh o zero");
        n = oh ? number_small(w, i + used + 1, &low) : 0;
        if (n && low <= 9) {
            *value = v * 100 + low;
            return used + 1 + n;
        }
    }
    used = number_cardinal(w, i, &v);
    if (!used || figure >= 0 || v < 1900 || v >= 2200) return 0;
    *value = v;
    return used;
}

int number_digit(const char *word)
{
    if (isdigit((unsigned char)word[0]) && !word[1]) return word[0] - '0';
    if (strcmp(word, "oh") == 0 || strcmp(word, "o") == 0 || strcmp(word, "nought") == 0) return 0;
    return (int)index_of(word, units, 0, 10);
}

const char *number_homophone(const char *word)
{
    static const char *const pairs[][2] = {
        {"for", "four"},  {"fore", "four"},  {"to", "two"},  {"too", "two"},   {"ate", "eight"},
        {"won", "one"},   {"tree", "three"}, {"sex", "six"}, {"sicks", "six"}, {"ape", "eight"},
        {"fife", "five"}, {"nein", "nine"},  {"tin", "ten"}, {"free", "three"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strcmp(pairs[i][0], word) == 0) return pairs[i][1];
    }
    return NULL;
}

char *number_say(long value, char *out, size_t bytes)
{
    char low[64];
    if (value < 0 || value > 9999) {
        snprintf(out, bytes, "%ld", value);
    } else if (value < UNITS) {
        snprintf(out, bytes, "%s", units[value]);
    } else if (value < 100) {
        if (value % 10 == 0) {
            snprintf(out, bytes, "%s", tens[value / 10]);
        } else {
            snprintf(out, bytes, "%s-%s", tens[value / 10], units[value % 10]);
        }
    } else {
        bool hundreds = value < 1000;
        long high = value / (hundreds ? 100 : 1000);
        long more = value % (hundreds ? 100 : 1000);
        const char *name = hundreds ? "hundred" : "thousand";
        if (more == 0) {
            snprintf(out, bytes, "%s %s", units[high], name);
        } else {
            snprintf(out, bytes, "%s %s %s", units[high], name, number_say(more, low, sizeof low));
        }
    }
    return out;
}

char *number_say_ordinal(long value, char *out, size_t bytes)
{
    if (value > 0 && value < UNITS) {
        snprintf(out, bytes, "%s", unit_ordinals[value]);
    } else if (value >= 20 && value < 100) {
        if (value % 10 == 0) {
            snprintf(out, bytes, "%s", ten_ordinals[value / 10]);
        } else {
            snprintf(out, bytes, "%s-%s", tens[value / 10], unit_ordinals[value % 10]);
        }
    } else {
        snprintf(out, bytes, "%ldth", value);
    }
    return out;
}
