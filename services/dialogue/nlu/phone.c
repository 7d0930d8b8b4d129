/* Source: ITU-T E.164, list of assigned country codes (lengths of the codes). */
#include "services/dialogue/nlu/phone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/nlu/number.h"

enum { LEAST_DIGITS = 7, MOST_DIGITS = 15 };

bool phone_valid(const char *text)
{
    if (text[0] != '+' || text[1] < '1' || text[1] > '9') return false;
    size_t n = strspn(text + 1, "0123456789");
    return text[n + 1] == '\0' && n >= LEAST_DIGITS && n <= MOST_DIGITS;
}

void phone_country(const char *e164, char out[4])
{
    static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 "
                              "55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
    out[0] = '\0';
    if (!phone_valid(e164)) return;
    const char *digits = e164 + 1;
    size_t n = 3;
    if (digits[0] == '1' || digits[0] == '7') {
        n = 1;
    } else {
        char code[3] = {digits[0], digits[1], '\0'};
        if (strstr(two, code)) n = 2;
    }
    memcpy(out, digits, n);
    out[n] = '\0';
}

typedef struct {
    char digits[PHONE_BYTES + 16];
    size_t n;
    bool plus;
    size_t from, to;
} run_t;

static bool add(run_t *run, const char *digits)
{
    size_t n = strlen(digits);
    if (run->n + n >= PHONE_BYTES - 2) return false;
    memcpy(run->digits + run->n, digits, n + 1);
    run->n += n;
    return true;
}

/* "0612345678", "555-0123", "+33612345678" */
static size_t figures(const words_t *w, size_t i, run_t *run)
{
    const char *word = words_at(w, i);
    char plain[WORD_BYTES];
    size_t n = 0;
    size_t skip = 0;
    if (word[0] == '+') {
        if (run->n) return 0;
        skip = 1;
    }
    for (const char *p = word + skip; *p; p++) {
        if (isdigit((unsigned char)*p)) {
            plain[n++] = *p;
        } else if (*p != '-' && *p != '.') {
            return 0;
        }
    }
    plain[n] = '\0';
    if (!n || !add(run, plain)) return 0;
    if (skip) run->plus = true;
    return 1;
}

/* "double five", "triple oh" */
static size_t repeated(const words_t *w, size_t i, run_t *run)
{
    int times = words_is(w, i, "double") ? 2 : words_in(w, i, "triple treble") ? 3 : 0;
    int digit = times ? number_digit(words_at(w, i + 1)) : -1;
    if (digit < 0) return 0;
    char text[4] = {0};
    memset(text, '0' + digit, (size_t)times);
    return add(run, text) ? 2 : 0;
}

/* "seven", "thirty three", "twelve", "five hundred" */
static size_t spoken(const words_t *w, size_t i, run_t *run)
{
    char text[16];
    int digit = number_digit(words_at(w, i));
    if (digit >= 0) {
        bool hundred = words_is(w, i + 1, "hundred");
        snprintf(text, sizeof text, hundred ? "%d00" : "%d", digit);
        if (!add(run, text)) return 0;
        return hundred ? 2 : 1;
    }
    long value = 0;
    size_t used = number_small(w, i, &value);
    if (!used) return 0;
    snprintf(text, sizeof text, "%ld", value);
    return add(run, text) ? used : 0;
}

/* "for" between digits is four; at the edge of the number it is only a word. */
static size_t homophone(const words_t *w, size_t i, run_t *run)
{
    const char *meant = number_homophone(words_at(w, i));
    int digit = meant ? number_digit(meant) : -1;
    if (digit < 0 || run->n == 0) return 0;
    bool last = i + 1 == w->count;
    bool followed = number_digit(words_at(w, i + 1)) >= 0 || number_homophone(words_at(w, i + 1));
    if (!last && !followed) return 0;
    char text[2] = {(char)('0' + digit), '\0'};
    return add(run, text) ? 1 : 0;
}

static size_t piece(const words_t *w, size_t i, run_t *run)
{
    size_t used = figures(w, i, run);
    if (!used) used = repeated(w, i, run);
    if (!used) used = spoken(w, i, run);
    if (!used) used = homophone(w, i, run);
    return used;
}

/* Reads one run of digits from i; returns where it ends. */
static size_t read_run(const words_t *w, size_t i, run_t *run)
{
    *run = (run_t){.from = i, .to = i};
    if (words_is(w, i, "plus")) {
        run->plus = true;
        i++;
    }
    while (i < w->count) {
        size_t used = piece(w, i, run);
        if (used) {
            i += used;
            run->to = i;
            continue;
        }
        bool pause = run->n && words_in(w, i, "uh um er and then dash hyphen space comma");
        if (!pause) break;
        i++;
    }
    return i;
}

/* Digits after the country code, trunk zero apart. Source: ITU-T E.164 national numbering plans;
 * countries that are not listed take any length. */
static void national_length(const char *country, size_t *least, size_t *most)
{
    static const struct {
        const char *country;
        size_t least, most;
    } plans[] = {{"1", 10, 10},  {"7", 10, 10}, {"31", 9, 9},  {"32", 8, 9},   {"33", 9, 9},
                 {"34", 9, 9},   {"41", 9, 9},  {"44", 9, 10}, {"45", 8, 8},   {"47", 8, 8},
                 {"48", 9, 9},   {"61", 9, 9},  {"351", 9, 9}, {"352", 6, 11}, {"91", 10, 10},
                 {"55", 10, 11}, {"49", 7, 11}, {"39", 8, 11}, {"86", 10, 11}, {"81", 9, 10}};
    *least = LEAST_DIGITS - 1;
    *most = MOST_DIGITS - strlen(country);
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (strcmp(plans[i].country, country) != 0) continue;
        *least = plans[i].least;
        *most = plans[i].most;
    }
}

/* Digits said without plus, in a country that is known. */
static phone_found_t finish_national(const char *digits, const char *country, char *out)
{
    size_t n = strlen(digits);
    size_t least = 0;
    size_t most = 0;
    national_length(country, &least, &most);
    /* Country code said without plus: "three three six ..." where 33 is the country. */
    size_t code = strlen(country);
    bool carries = strncmp(digits, country, code) == 0 && n >= code + least && n > most;
    bool trunk = digits[0] == '0' && strcmp(country, "1") != 0 && strcmp(country, "39") != 0;
    size_t own = n - (carries ? code : trunk ? 1 : 0);
    if (own < least) return PHONE_PARTIAL;
    if (own > most) return n <= MOST_DIGITS ? PHONE_NATIONAL : PHONE_PARTIAL;
    snprintf(out, PHONE_BYTES, "+%s%s", country, digits + (n - own));
    if (phone_valid(out)) return PHONE_FOUND;
    snprintf(out, PHONE_BYTES, "%s", digits);
    return PHONE_PARTIAL;
}

/* The prefix that stands for plus: 00, in North America 011. */
static size_t abroad(const char *digits, const char *country)
{
    if (strncmp(digits, "00", 2) == 0) return 2;
    bool north_america = strcmp(country, "1") == 0 && strlen(digits) > 10;
    return north_america && strncmp(digits, "011", 3) == 0 ? 3 : 0;
}

static phone_found_t finish(const char *digits, bool plus, const char *country, char *out)
{
    size_t prefix = plus ? 0 : abroad(digits, country);
    if (prefix) {
        digits += prefix;
        plus = true;
    }
    size_t n = strlen(digits);
    snprintf(out, PHONE_BYTES, "%s%s", plus ? "+" : "", digits);
    if (plus) return phone_valid(out) ? PHONE_FOUND : PHONE_PARTIAL;
    if (country[0]) return finish_national(digits, country, out);
    return n >= LEAST_DIGITS && n <= MOST_DIGITS ? PHONE_NATIONAL : PHONE_PARTIAL;
}

phone_found_t phone_complete(const char *digits, const char *country, char out[PHONE_BYTES])
{
    bool plus = digits[0] == '+';
    char plain[PHONE_BYTES];
    size_t n = 0;
    for (const char *p = digits + (plus ? 1 : 0); *p && n + 2 < sizeof plain; p++) {
        if (isdigit((unsigned char)*p)) plain[n++] = *p;
    }
    plain[n] = '\0';
    return finish(plain, plus, country, out);
}

phone_found_t phone_find(const words_t *w, const char *country, phone_t *out)
{
    run_t best = {0};
    for (size_t i = 0; i < w->count;) {
        run_t run;
        size_t end = read_run(w, i, &run);
        if (run.n > best.n) best = run;
        i = end > i ? end : i + 1;
    }
    *out = (phone_t){.from = best.from, .to = best.to};
    if (best.n == 0) return PHONE_NONE;
    phone_found_t found = finish(best.digits, best.plus, country, out->number);
    return found == PHONE_PARTIAL && best.n < 2 ? PHONE_NONE : found;
}

char *phone_say(const char *number, char *out, size_t bytes)
{
    char code[4];
    char word[32];
    phone_country(number, code);
    size_t lead = strlen(code);
    size_t n = 0;
    out[0] = '\0';
    const char *digits = number;
    if (*digits == '+') {
        n += (size_t)snprintf(out, bytes, "plus");
        digits++;
    }
    size_t count = strlen(digits);
    for (size_t i = 0; i < count && n + 16 < bytes; i++) {
        /* Groups of three after the country code, the last one up to four long. */
        size_t left = count - i;
        bool group = i > 0 && (i == lead || (i > lead && (i - lead) % 3 == 0 && left > 1));
        number_say(digits[i] - '0', word, sizeof word);
        const char *gap = group ? ", " : n ? " " : "";
        n += (size_t)snprintf(out + n, bytes - n, "%s%s", gap, word);
    }
    return out;
}
