#include "services/speech/spoken.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/speech/plain.h"
#include "services/speech/number_words.h"

/* A rule looks at the text from here on; when it is what the rule knows, it writes the words and
 * returns the bytes it took, else 0. A rule starts at the beginning of a word. */
typedef size_t rule_fn(FILE *out, const char *at);

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

/* Nothing of a word or number goes on at that place. */
static bool ends(const char *at)
{
    if (letter(*at) || digit(*at) || (unsigned char)*at >= 0x80) return false;
    return !(strchr(".,:-'", *at) && *at && (letter(at[1]) || digit(at[1])));
}

static uint64_t number(const char *at, size_t count)
{
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++) n = 10 * n + (uint64_t)(at[i] - '0');
    return n;
}

static void say(FILE *out, const char *words)
{
    (void)fprintf(out, " %s", words);
}

/* ---- letters and addresses ---- */

/* One character of something spelled. "ay" because a lone "a" is said as an article. */
static void spell(FILE *out, char c)
{
    if (digit(c)) {
        number_digits(out, &c, 1);
        return;
    }
    switch (c) {
    case '.':
        say(out, "dot");
        return;
    case '@':
        say(out, "at");
        return;
    case '-':
        say(out, "dash");
        return;
    case '_':
        say(out, "underscore");
        return;
    case '+':
        say(out, "plus");
        return;
    case '/':
        say(out, "slash");
        return;
    case '#':
        say(out, "hash");
        return;
    case ':':
        say(out, "colon");
        return;
    case '%':
        say(out, "percent");
        return;
    case '?':
        say(out, "question mark");
        return;
    case '=':
        say(out, "equals");
        return;
    case '&':
        say(out, "and");
        return;
    default:
        break;
    }
    if (letter(c)) (void)fprintf(out, " %c", tolower((unsigned char)c));
}

/* Words of letters as they are, all else by name. */
static void say_address(FILE *out, const char *at, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        size_t run = 0;
        while (i + run < bytes && letter(at[i + run])) run++;
        if (run == 0) {
            spell(out, at[i++]);
        } else {
            (void)fprintf(out, " %.*s", (int)run, at + i);
            i += run;
        }
    }
}

static size_t address_bytes(const char *at)
{
    size_t bytes = strcspn(at, " \t\n<>()\"',;!");
    while (bytes > 0 && strchr(".:?", at[bytes - 1])) bytes--;
    return bytes;
}

static size_t rule_email(FILE *out, const char *at)
{
    size_t bytes = address_bytes(at);
    const char *sign = memchr(at, '@', bytes);
    if (!sign || sign == at || sign + 1 == at + bytes) return 0;
    say_address(out, at, bytes);
    return bytes;
}

/* "example.com", "https://example.com/help": a name, a dot and a top level of letters. */
static size_t rule_url(FILE *out, const char *at)
{
    size_t skip = 0;
    if (strncmp(at, "https://", 8) == 0) skip = 8;
    if (strncmp(at, "http://", 7) == 0) skip = 7;
    size_t bytes = address_bytes(at);
    size_t host = skip + strcspn(at + skip, "/:?# ");
    if (host > bytes) host = bytes;
    size_t top = 0;
    while (top < host && letter(at[host - 1 - top])) top++;
    bool named = top >= 2 && host - skip > top + 1 && at[host - top - 1] == '.' &&
                 (letter(at[skip]) || digit(at[skip]));
    if (!named && skip == 0) return 0;
    if (skip == 0 && strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789.-") < host) return 0;
    if (strncmp(at + skip, "www.", 4) == 0) {
        say(out, "w w w dot");
        skip += 4;
    }
    while (bytes > skip && at[bytes - 1] == '/') bytes--;
    say_address(out, at + skip, bytes - skip);
    return bytes;
}

/* ---- telephone numbers ---- */

enum { PHONE_DIGITS_MIN = 7, PHONE_DIGITS_MAX = 15 };

/* Bytes of digits with separators between them; how many digits in *count. */
static size_t phone_bytes(const char *at, size_t *count)
{
    size_t end = 0;
    *count = 0;
    for (size_t i = 0; digit(at[i]) || (at[i] && strchr(" -.()", at[i])); i++) {
        if (!digit(at[i])) {
            if (i > end + 1 && at[i] != '(') break; /* two separators */
            continue;
        }
        (*count)++;
        end = i + 1;
    }
    return end;
}

/* Digit by digit, with a short pause between groups: the writer's groups, else threes. */
static void say_phone(FILE *out, const char *at, size_t bytes)
{
    bool grouped = strcspn(at, " -.()") < bytes;
    size_t left = 0, group = 0;
    for (size_t i = 0; i < bytes; i++) left += digit(at[i]);
    for (size_t i = 0; i < bytes; i++) {
        if (!digit(at[i])) {
            if (group > 0) (void)fputc(',', out);
            group = 0;
            continue;
        }
        number_digits(out, &at[i], 1);
        group++;
        left--;
        if (!grouped && group == 3 && left > 1) {
            (void)fputc(',', out);
            group = 0;
        }
    }
}

static size_t rule_phone(FILE *out, const char *at)
{
    bool plus = at[0] == '+' && digit(at[1]);
    size_t count = 0, run = digits(at + plus);
    size_t bytes = phone_bytes(at + plus, &count);
    if (count < PHONE_DIGITS_MIN || count > PHONE_DIGITS_MAX) return 0;
    if (!plus && at[0] != '0' && run < PHONE_DIGITS_MIN) return 0; /* "12 and 13" is no number */
    if (!ends(at + plus + bytes)) return 0;
    if (plus) say(out, "plus");
    say_phone(out, at + plus, bytes);
    return plus + bytes;
}

/* ---- times and dates ---- */

/* "am", "PM", "a.m." with or without a space before; its words in *words. */
static size_t half_day(const char *at, const char **words)
{
    size_t i = strspn(at, " ");
    char half = (char)tolower((unsigned char)at[i]);
    if (i > 1 || (half != 'a' && half != 'p')) return 0;
    size_t dot = at[i + 1] == '.';
    if (tolower((unsigned char)at[i + 1 + dot]) != 'm') return 0;
    size_t bytes = i + 2 + dot;
    if (!ends(at + bytes)) return 0;
    if (dot && at[bytes] == '.' && at[bytes + 1] != '\0') bytes++;
    *words = half == 'a' ? "A M" : "P M";
    return bytes;
}

static void say_time(FILE *out, uint64_t hour, uint64_t minute, const char *half)
{
    number_cardinal(out, hour);
    if (minute == 0 && !half) say(out, "o'clock");
    if (minute > 0 && minute < 10) say(out, "oh");
    if (minute > 0) number_cardinal(out, minute);
    if (half) say(out, half);
}

static size_t clock_bytes(const char *at, uint64_t *hour, uint64_t *minute)
{
    size_t h = digits(at);
    if (h < 1 || h > 2 || at[h] != ':' || digits(at + h + 1) != 2) return 0;
    *hour = number(at, h);
    *minute = number(at + h + 1, 2);
    size_t bytes = h + 3;
    if (at[bytes] == ':' && digits(at + bytes + 1) == 2) bytes += 3; /* seconds are not said */
    return *hour < 24 && *minute < 60 ? bytes : 0;
}

static size_t rule_time(FILE *out, const char *at)
{
    uint64_t hour = 0, minute = 0;
    const char *half = NULL;
    size_t bytes = clock_bytes(at, &hour, &minute);
    if (bytes == 0) {
        size_t h = digits(at);
        if (h < 1 || h > 2) return 0;
        hour = number(at, h);
        size_t more = half_day(at + h, &half);
        if (more == 0 || hour > 12) return 0;
        say_time(out, hour, 0, half);
        return h + more;
    }
    bytes += half_day(at + bytes, &half);
    if (!ends(at + bytes)) return 0;
    say_time(out, hour, minute, half);
    return bytes;
}

static size_t rule_date(FILE *out, const char *at)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    if (digits(at) != 4 || at[4] != '-' || digits(at + 5) != 2 || at[7] != '-' ||
        digits(at + 8) != 2)
        return 0;
    uint64_t month = number(at + 5, 2), day = number(at + 8, 2);
    if (month < 1 || month > 12 || day < 1 || day > 31) return 0;
    size_t bytes = 10;
    uint64_t hour = 0, minute = 0;
    size_t clock = at[10] == 'T' ? clock_bytes(at + 11, &hour, &minute) : 0;
    if (clock == 0 && !ends(at + bytes)) return 0;
    say(out, months[month - 1]);
    number_ordinal(out, day);
    (void)fputc(',', out);
    number_year(out, (uint32_t)number(at, 4));
    if (clock == 0) return bytes;
    say(out, "at");
    say_time(out, hour, minute, NULL);
    bytes += 1 + clock;
    if (at[bytes] == 'Z') return bytes + 1;
    if ((at[bytes] == '+' || at[bytes] == '-') && digits(at + bytes + 1) == 2) {
        bytes += 3 + (size_t)(at[bytes + 3] == ':');
        bytes += digits(at + bytes);
    }
    return bytes;
}

/* ---- numbers ---- */

/* "1,234,567" is one number, "1,2" are two. */
static size_t grouped_digits(const char *at, uint64_t *n)
{
    size_t bytes = digits(at);
    if (bytes == 0 || bytes > 15) return 0;
    *n = number(at, bytes);
    if (bytes > 3) return bytes;
    while (bytes < 20 && at[bytes] == ',' && digits(at + bytes + 1) == 3) {
        *n = 1000 * *n + number(at + bytes + 1, 3);
        bytes += 4;
    }
    return bytes;
}

static size_t say_number(FILE *out, const char *at)
{
    uint64_t n = 0;
    size_t bytes = grouped_digits(at, &n);
    if (bytes == 0) return 0;
    if (at[0] == '0' && bytes > 1)
        number_digits(out, at, bytes);
    else
        number_cardinal(out, n);
    if (at[bytes] == '.' && digit(at[bytes + 1])) {
        size_t decimals = digits(at + bytes + 1);
        say(out, "point");
        number_digits(out, at + bytes + 1, decimals);
        bytes += 1 + decimals;
    }
    return bytes;
}

static size_t rule_year(FILE *out, const char *at)
{
    if (digits(at) != 4 || !ends(at + 4)) return 0;
    uint64_t year = number(at, 4);
    if (year < 1900 || year > 2099) return 0;
    number_year(out, (uint32_t)year);
    return 4;
}

static size_t rule_ordinal(FILE *out, const char *at)
{
    size_t bytes = digits(at);
    if (bytes < 1 || bytes > 2) return 0;
    const char *tail = at + bytes;
    if (strncmp(tail, "st", 2) != 0 && strncmp(tail, "nd", 2) != 0 && strncmp(tail, "rd", 2) != 0 &&
        strncmp(tail, "th", 2) != 0)
        return 0;
    if (!ends(tail + 2)) return 0;
    number_ordinal(out, number(at, bytes));
    return bytes + 2;
}

typedef struct {
    const char *sign, *one, *many;
} unit_t;

static const unit_t money[] = {{"$", "dollar", "dollars"},
                               {"\xe2\x82\xac", "euro", "euros"},
                               {"\xc2\xa3", "pound", "pounds"},
                               {NULL, NULL, NULL}};
static const unit_t behind[] = {{"%", "percent", "percent"},
                                {"\xc2\xb0", "degree", "degrees"},
                                {"\xe2\x82\xac", "euro", "euros"},
                                {NULL, NULL, NULL}};

static const unit_t *unit_at(const unit_t *list, const char *at)
{
    for (; list->sign; list++) {
        if (strncmp(at, list->sign, strlen(list->sign)) == 0) return list;
    }
    return NULL;
}

static size_t rule_money(FILE *out, const char *at)
{
    const unit_t *unit = unit_at(money, at);
    if (!unit) return 0;
    size_t sign = strlen(unit->sign);
    size_t bytes = say_number(out, at + sign);
    if (bytes == 0) return 0;
    say(out, bytes == 1 && at[sign] == '1' ? unit->one : unit->many);
    return sign + bytes;
}

static size_t rule_number(FILE *out, const char *at)
{
    uint64_t n = 0;
    size_t bytes = grouped_digits(at, &n);
    if (bytes == 0 || letter(at[bytes])) return 0;
    bytes = say_number(out, at);
    const unit_t *unit = unit_at(behind, at + bytes);
    if (!unit) return bytes;
    say(out, n == 1 ? unit->one : unit->many);
    return bytes + strlen(unit->sign);
}

/* "AB12C", "4b": letters and digits mixed are read one by one. */
static size_t rule_code(FILE *out, const char *at)
{
    size_t bytes = 0, figures = 0, letters = 0;
    while (digit(at[bytes]) || letter(at[bytes])) {
        figures += digit(at[bytes]);
        letters += letter(at[bytes]);
        bytes++;
    }
    if (figures == 0 || (letters == 0 && bytes <= 15)) return 0;
    for (size_t i = 0; i < bytes; i++) spell(out, at[i]);
    return bytes;
}

static size_t rule_abbreviation(FILE *out, const char *at)
{
    static const struct {
        const char *from, *to;
    } list[] = {{"e.g.", "for example"}, {"i.e.", "that is"}, {"etc.", "et cetera"},
                {"a.m.", "A M"},         {"p.m.", "P M"},     {"AM", "A M"},
                {"PM", "P M"},           {"&", "and"},        {"approx.", "about"}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        size_t bytes = strlen(list[i].from);
        if (strncmp(at, list[i].from, bytes) != 0 || !ends(at + bytes)) continue;
        say(out, list[i].to);
        return bytes;
    }
    return 0;
}

/* ---- the sentence ---- */

static rule_fn *const rules[] = {rule_email,        rule_url,    rule_phone, rule_date,
                                 rule_time,         rule_money,  rule_year,  rule_ordinal,
                                 rule_abbreviation, rule_number, rule_code};

static size_t apply(FILE *out, const char *at)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t bytes = rules[i](out, at);
        if (bytes > 0) return bytes;
    }
    return 0;
}

/* What was written for a stretch of the text: both end here. */
typedef struct {
    size_t said, source;
} stretch_t;

/* Figures may take many words: those in the middle of it have said the middle of the stretch. */
static void map_stretch(size_t *map, stretch_t from, stretch_t to)
{
    for (size_t i = from.said; i < to.said; i++)
        map[i] =
            from.source + (to.source - from.source) * (i + 1 - from.said) / (to.said - from.said);
}

static char *english(const char *text, size_t **map_out)
{
    char *said = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&said, &bytes);
    stretch_t *stretches = calloc(strlen(text) + 1, sizeof *stretches);
    assert(out && stretches);
    size_t count = 0;
    bool boundary = true; /* a word may begin here */
    for (const char *at = text; *at;) {
        size_t taken = boundary ? apply(out, at) : 0;
        at += taken;
        boundary = false;
        if (taken == 0) {
            char c = *at++;
            boundary = strchr(" (\"'/-", c) != NULL;
            (void)fputc(c == '/' || c == '_' ? ' ' : c, out);
        }
        stretches[count++] = (stretch_t){(size_t)ftell(out), (size_t)(at - text)};
    }
    (void)fclose(out);
    size_t *map = calloc(bytes + 1, sizeof *map);
    assert(map);
    stretch_t last = {0, 0};
    for (size_t i = 0; i < count; i++) {
        map_stretch(map, last, stretches[i]);
        last = stretches[i];
    }
    free(stretches);
    *map_out = map;
    return said;
}

/* One space between words, none before a comma or full stop. */
static void tidy(char *text, size_t *map)
{
    size_t n = 0;
    for (size_t i = 0; text[i]; i++) {
        char c = text[i];
        bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space && strchr(",.;:!?", c) && n > 0 && text[n - 1] == ' ') n--;
        if (space && (n == 0 || text[n - 1] == ' ')) continue;
        map[n] = map[i];
        text[n++] = space ? ' ' : c;
    }
    if (n > 0 && text[n - 1] == ' ') n--;
    text[n] = '\0';
}

char *spoken_text(const char *text, const char *lang, size_t **map_out)
{
    size_t *map = NULL;
    char *said = plain_text(text, &map);
    if (strncasecmp(lang, "en", 2) == 0 && (lang[2] == '\0' || lang[2] == '-')) {
        size_t *words = NULL;
        char *plain = said;
        said = english(plain, &words);
        for (size_t i = 0; said[i]; i++) words[i] = words[i] > 0 ? map[words[i] - 1] : 0;
        free(plain);
        free(map);
        map = words;
    }
    tidy(said, map);
    if (map_out)
        *map_out = map;
    else
        free(map);
    return said;
}
