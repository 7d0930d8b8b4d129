#include "services/speech/number_words.h"

#include <inttypes.h>
#include <stdbool.h>

static const char *const units[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};
static const char *const ordinals[] = {
    "zeroth",     "first",     "second",    "third",       "fourth",     "fifth",     "sixth",
    "seventh",    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",   "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};
static const char *const tens_ordinals[] = {"",          "",         "twentieth", "thirtieth",
                                            "fortieth",  "fiftieth", "sixtieth",  "seventieth",
                                            "eightieth", "ninetieth"};

static void word(FILE *out, const char *text)
{
    (void)fprintf(out, " %s", text);
}

static void below_thousand(FILE *out, uint64_t n)
{
    if (n >= 100) {
        word(out, units[n / 100]);
        word(out, "hundred");
        n %= 100;
        if (n == 0) return;
        word(out, "and");
    }
    if (n >= 20) {
        word(out, tens[n / 10]);
        if (n % 10 == 0) return;
        n %= 10;
    }
    word(out, units[n]);
}

void number_cardinal(FILE *out, uint64_t n)
{
    static const struct {
        uint64_t size;
        const char *name;
    } steps[] = {{1000000000000, "trillion"},
                 {1000000000, "billion"},
                 {1000000, "million"},
                 {1000, "thousand"}};
    if (n >= 1000 * steps[0].size) { /* nobody says such a number: read it digit by digit */
        char digits[24];
        int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
        number_digits(out, digits, (size_t)count);
        return;
    }
    bool any = false;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (n < steps[i].size) continue;
        below_thousand(out, n / steps[i].size);
        word(out, steps[i].name);
        n %= steps[i].size;
        any = true;
    }
    if (n > 0 || !any) below_thousand(out, n);
}

void number_ordinal(FILE *out, uint64_t n)
{
    if (n > 99) {
        number_cardinal(out, n);
        return;
    }
    if (n < 20) {
        word(out, ordinals[n]);
        return;
    }
    if (n % 10 == 0) {
        word(out, tens_ordinals[n / 10]);
        return;
    }
    word(out, tens[n / 10]);
    word(out, ordinals[n % 10]);
}

void number_year(FILE *out, uint32_t year)
{
    uint32_t century = year / 100, rest = year % 100;
    if (year < 1000 || year > 9999 || year / 10 == 200 || year % 1000 == 0) {
        number_cardinal(out, year);
        return;
    }
    number_cardinal(out, century);
    if (rest == 0) {
        word(out, "hundred");
        return;
    }
    if (rest < 10) word(out, "oh");
    number_cardinal(out, rest);
}

void number_digits(FILE *out, const char *digits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (digits[i] >= '0' && digits[i] <= '9') word(out, units[digits[i] - '0']);
    }
}
