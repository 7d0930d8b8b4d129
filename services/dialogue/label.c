#include "services/dialogue/label.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/nlu/words.h"

enum { DESCRIPTION_WORDS_MAX = 10 };
#define PERSONS                                                                                    \
    "user users customer customers caller callers policyholder policyholders client clients"

/* "building_location", "buildingLocation" -> "building location" */
static void split_name(const char *name, char *out, size_t bytes)
{
    size_t n = 0;
    for (const char *p = name; *p && n + 2 < bytes; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '_' || c == '-' || c == '.') {
            out[n++] = ' ';
            continue;
        }
        bool hump = isupper(c) && p > name && islower((unsigned char)p[-1]);
        if (hump) out[n++] = ' ';
        out[n++] = (char)(hump ? tolower(c) : c);
    }
    out[n] = '\0';
}

/* The first clause, when it is short enough to be said in a question. */
static bool clause(const char *description, char *out, size_t bytes)
{
    size_t n = strcspn(description, ".;:(\n,?");
    if (n == 0 || n + 1 > bytes) return false;
    memcpy(out, description, n);
    out[n] = '\0';
    words_t w;
    words_split(&w, out);
    return w.count > 0 && w.count <= DESCRIPTION_WORDS_MAX;
}

/* A capital stays only in an acronym or inside a word ("VPN", "iPhone"). */
static void lower_first(char *text)
{
    if (isupper((unsigned char)text[0]) && !isupper((unsigned char)text[1])) {
        text[0] = (char)tolower((unsigned char)text[0]);
    }
}

/* "of the user" or "the user's": words [from, to). */
static bool find_person(const words_t *w, size_t *from, size_t *to)
{
    for (size_t i = 0; i < w->count; i++) {
        size_t person = i;
        if (words_is(w, i, "of")) person = words_in(w, i + 1, "the a") ? i + 2 : i + 1;
        bool owns = person > i || i + 1 < w->count;
        if (!owns || !words_in(w, person, PERSONS)) continue;
        *from = person == i && i > 0 && words_in(w, i - 1, "the a") ? i - 1 : i;
        *to = person + 1;
        return true;
    }
    return false;
}

/* Takes it out of text; true when it was there. */
static bool take_person(char *text)
{
    words_t w;
    size_t from = 0;
    size_t to = 0;
    words_split(&w, text);
    if (!find_person(&w, &from, &to)) return false;
    size_t cut_from = from == 0 ? 0 : w.at[from - 1].to;
    size_t cut_to = to < w.count ? w.at[to].from : strlen(text);
    if (from > 0 && to < w.count) cut_from = w.at[from].from;
    memmove(text + cut_from, text + cut_to, strlen(text + cut_to) + 1);
    return true;
}

static void drop_determiner(char *text)
{
    static const char *const determiners[] = {"the ", "a ", "an ", "your ", "their ", "his "};
    for (size_t i = 0; i < sizeof determiners / sizeof determiners[0]; i++) {
        size_t n = strlen(determiners[i]);
        if (strncasecmp(text, determiners[i], n) == 0) {
            memmove(text, text + n, strlen(text + n) + 1);
            return;
        }
    }
}

static bool parse(const Pl__ClaimField *field, char out[LABEL_BYTES])
{
    char text[LABEL_BYTES * 2];
    if (!clause(field->description, text, LABEL_BYTES)) split_name(field->name, text, LABEL_BYTES);
    bool yours = strncasecmp(text, "your ", 5) == 0;
    yours = take_person(text) || yours;
    drop_determiner(text);
    while (text[0] == ' ') memmove(text, text + 1, strlen(text));
    lower_first(text);
    if (field->type == PL__CLAIM_TYPE__PHONE_NUMBER && strcmp(text, "phone") == 0) {
        strcpy(text, "phone number");
    }
    if (field->type == PL__CLAIM_TYPE__EMAIL && strcmp(text, "email") == 0) {
        strcpy(text, "e-mail address");
    }
    if (!text[0]) split_name(field->name, text, LABEL_BYTES);
    snprintf(out, LABEL_BYTES, "%.*s", LABEL_BYTES - 1, text);
    return yours;
}

char *label_bare(const Pl__ClaimField *field, char out[LABEL_BYTES])
{
    (void)parse(field, out);
    return out;
}

static bool starts_clause(const char *text)
{
    words_t w;
    words_split(&w, text);
    return words_in(&w, 0, "what when where who why how which whether if");
}

char *label_full(const Pl__ClaimField *field, char out[LABEL_BYTES])
{
    char bare[LABEL_BYTES];
    bool yours = parse(field, bare);
    bool clause_form = starts_clause(bare);
    const char *determiner = clause_form ? "" : yours ? "your " : "the ";
    snprintf(out, LABEL_BYTES, "%s%.*s", determiner, LABEL_BYTES - 8, bare);
    return out;
}

bool label_is_event(const char *bare)
{
    words_t w;
    words_split(&w, bare);
    if (w.count == 0) return false;
    size_t last = w.count - 1;
    const char *word = words_at(&w, last);
    size_t n = strlen(word);
    if (words_in(&w, last,
                 "seen broken bought sold found lost stolen begun done made sent given "
                 "taken born")) {
        return true;
    }
    return n > 4 && strcmp(word + n - 2, "ed") == 0;
}

const char *label_question(const Pl__ClaimField *field)
{
    const char *text = field->description;
    size_t n = strlen(text);
    if (n < 8 || n > 200) return NULL;
    words_t w;
    words_split(&w, text);
    bool asks = text[n - 1] == '?';
    bool requests = words_in(&w, 0, "please describe tell give say explain list");
    return asks || requests ? text : NULL;
}

bool label_is_future(const Pl__ClaimField *field)
{
    char text[LABEL_BYTES];
    split_name(field->name, text, sizeof text);
    words_t w;
    words_split(&w, text);
    for (size_t i = 0; i < w.count; i++) {
        if (words_in(&w, i,
                     "appointment callback delivery due next deadline meeting availability "
                     "available visit expiry expiration return pickup reservation booking")) {
            return true;
        }
    }
    return false;
}
