#include "services/dialogue/nlu/email.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/nlu/number.h"
#include "services/dialogue/nlu/spelling.h"

enum { LOCAL_MAX = 64, DOMAIN_WORDS_MAX = 6 };
#define DOT "dot point period"

static bool domain_valid(const char *domain)
{
    size_t labels = 0;
    const char *label = domain;
    for (;;) {
        size_t n = strcspn(label, ".");
        if (n == 0 || n > 63 || label[0] == '-' || label[n - 1] == '-') return false;
        for (size_t i = 0; i < n; i++) {
            if (!isalnum((unsigned char)label[i]) && label[i] != '-') return false;
        }
        labels++;
        if (!label[n]) break;
        label += n + 1;
    }
    size_t top = strlen(label);
    return labels >= 2 && top >= 2 && strspn(label, "0123456789") < top;
}

bool email_valid(const char *text)
{
    size_t n = strlen(text);
    const char *at = strchr(text, '@');
    if (n > 254 || !at) return false;
    size_t local = (size_t)(at - text);
    if (local == 0 || local > LOCAL_MAX || text[0] == '.' || at[-1] == '.') return false;
    for (size_t i = 0; i < local; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!isalnum(c) && !strchr("!#$%&'*+/=?^_`{|}~.-", c)) return false;
        if (c == '.' && text[i + 1] == '.') return false;
    }
    return domain_valid(at + 1);
}

static bool append(char *out, size_t bytes, const char *text)
{
    size_t n = strlen(out);
    size_t len = strlen(text);
    if (n + len + 1 > bytes) return false;
    memcpy(out + n, text, len + 1);
    return true;
}

/* One piece of an address: a sign, a number, letters or a word; its words, 0 when it does not fit. */
static size_t piece(const words_t *w, size_t i, bool in_run, char *out, size_t bytes)
{
    static const struct {
        const char *phrase, *sign;
    } signs[] = {{"dot", "."},        {"point", "."},       {"period", "."},
                 {"underscore", "_"}, {"under score", "_"}, {"dash", "-"},
                 {"hyphen", "-"},     {"minus", "-"},       {"plus", "+"}};
    for (size_t k = 0; k < sizeof signs / sizeof signs[0]; k++) {
        size_t used = words_match(w, i, signs[k].phrase);
        if (used) return append(out, bytes, signs[k].sign) ? used : 0;
    }
    char text[WORD_BYTES];
    size_t used = spelling_run(w, i, text, sizeof text);
    if (used) return append(out, bytes, text) ? used : 0;
    long value = 0;
    used = number_small(w, i, &value);
    if (used && !isdigit((unsigned char)words_at(w, i)[0])) {
        snprintf(text, sizeof text, "%ld", value);
        return append(out, bytes, text) ? used : 0;
    }
    char letter[3];
    used = spelling_letter(w, i, in_run, letter);
    if (used) return append(out, bytes, letter) ? used : 0;
    return append(out, bytes, words_at(w, i)) ? 1 : 0;
}

/* Where the local part begins, going left from "at": after words that lead to it. */
static size_t local_start(const words_t *w, size_t at)
{
    size_t start = at;
    while (start > 0) {
        if (words_in(w, start - 1,
                     "is its email mail address e-mail yes yeah um uh well so ok okay "
                     "my the you can reach me write to no sorry mean meant then")) {
            break;
        }
        start--;
    }
    return start;
}

/* The tld after the last dot: a word or letters; recognisers write "calm" for "com". */
static size_t top_label(const words_t *w, size_t i, char *out, size_t bytes)
{
    char letters[WORD_BYTES];
    if (words_in(w, i, "calm come comb con comm")) return append(out, bytes, "com") ? 1 : 0;
    size_t used = spelling_run(w, i, letters, sizeof letters);
    if (used) return append(out, bytes, letters) ? used : 0;
    if (i >= w->count || words_in(w, i, DOT)) return 0;
    return append(out, bytes, words_at(w, i)) ? 1 : 0;
}

/* The labels after the first, each with its dot; returns their words. */
static size_t read_labels(const words_t *w, size_t i, char *out, size_t bytes)
{
    size_t start = i;
    while (words_in(w, i, DOT)) {
        if (!append(out, bytes, ".")) return 0;
        i++;
        bool inner = words_in(w, i + 1, DOT); /* "co dot uk" */
        size_t used = inner ? piece(w, i, false, out, bytes) : top_label(w, i, out, bytes);
        if (!used) return 0;
        i += used;
    }
    return i - start;
}

/* The domain from i on; returns its words, 0 when there is none. */
static size_t read_domain(const words_t *w, size_t i, char *out, size_t bytes)
{
    size_t start = i;
    while (i < w->count && i - start <= DOMAIN_WORDS_MAX && !words_in(w, i, DOT)) {
        bool whole = strchr(words_at(w, i), '.') != NULL; /* "example.com" in one word */
        size_t used = piece(w, i, false, out, bytes);
        if (!used) return 0;
        i += used;
        if (whole) return i - start;
    }
    size_t labels = i > start ? read_labels(w, i, out, bytes) : 0;
    return labels ? i - start + labels : 0;
}

static void lower(char *text)
{
    for (; *text; text++) *text = (char)tolower((unsigned char)*text);
}

static bool try_at(const words_t *w, size_t at, email_t *out)
{
    char domain[EMAIL_BYTES] = "";
    char local[EMAIL_BYTES] = "";
    size_t used = read_domain(w, at + 1, domain, sizeof domain);
    if (!used) return false;
    size_t start = local_start(w, at);
    for (size_t i = start; i < at;) {
        bool beside = i > start;
        size_t step = piece(w, i, beside && strlen(words_at(w, i - 1)) == 1, local, sizeof local);
        if (!step) return false;
        i += step;
    }
    char address[2 * EMAIL_BYTES];
    snprintf(address, sizeof address, "%s@%s", local, domain);
    if (!email_valid(address)) return false;
    snprintf(out->address, sizeof out->address, "%.*s", EMAIL_BYTES - 1, address);
    lower(out->address);
    out->from = start;
    out->to = at + 1 + used;
    return true;
}

bool email_find(const words_t *said, email_t *out)
{
    for (size_t i = 0; i < said->count; i++) {
        const char *word = words_at(said, i);
        if (!strchr(word, '@') || !email_valid(word)) continue;
        snprintf(out->address, sizeof out->address, "%s", word);
        lower(out->address);
        out->from = i;
        out->to = i + 1;
        return true;
    }
    words_t w = *said;
    spelling_merge(&w);
    for (size_t i = w.count; i-- > 0;) {
        if (!words_is(&w, i, "at") || !try_at(&w, i, out)) continue;
        /* Spelled letters that were merged away stood inside the address. */
        size_t merged = said->count - w.count;
        out->to += merged;
        if (out->to > said->count) out->to = said->count;
        return true;
    }
    return false;
}

char *email_say(const char *address, char *out, size_t bytes)
{
    static const struct {
        char sign;
        const char *name;
    } signs[] = {
        {'@', " at "}, {'.', " dot "}, {'_', " underscore "}, {'-', " dash "}, {'+', " plus "}};
    out[0] = '\0';
    for (const char *p = address; *p; p++) {
        char text[24] = {*p, '\0'};
        for (size_t k = 0; k < sizeof signs / sizeof signs[0]; k++) {
            if (signs[k].sign == *p) snprintf(text, sizeof text, "%s", signs[k].name);
        }
        if (isdigit((unsigned char)*p)) {
            char digit[16];
            snprintf(text, sizeof text, " %s ", number_say(*p - '0', digit, sizeof digit));
        }
        if (!append(out, bytes, text)) break;
    }
    return out;
}
