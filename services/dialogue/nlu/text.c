#include "services/dialogue/nlu/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/nlu/number.h"
#include "services/dialogue/nlu/spelling.h"

#define PLACES                                                                                     \
    "building floor room level block wing suite gate desk office apartment door hall section "     \
    "bay house unit tower warehouse station platform"
#define COUNTABLE "floor street avenue level building room storey story basement"

text_kind_t text_kind_of(const char *label)
{
    words_t w;
    words_split(&w, label);
    bool thing = false;
    for (size_t i = 0; i < w.count; i++) {
        if (words_in(&w, i, "location address place where room floor site building office")) {
            return TEXT_LOCATION;
        }
        if (words_in(&w, i, "company product bot brand file model device computer host"))
            thing = true;
    }
    for (size_t i = 0; i < w.count && !thing; i++) {
        if (words_in(&w, i, "name firstname lastname surname fullname")) return TEXT_PERSON;
    }
    return TEXT_PLAIN;
}

static size_t match_any(const words_t *w, size_t i, const char *const *phrases)
{
    size_t best = 0;
    for (; *phrases; phrases++) {
        size_t used = words_match(w, i, *phrases);
        if (used > best) best = used;
    }
    return best;
}

static const char *const lead_common[] = {"um",
                                          "uh",
                                          "er",
                                          "erm",
                                          "hmm",
                                          "hm",
                                          "mm",
                                          "well",
                                          "so",
                                          "okay",
                                          "ok",
                                          "oh",
                                          "ah",
                                          "yes",
                                          "yeah",
                                          "hello",
                                          "hi",
                                          "good morning",
                                          "i think",
                                          "i believe",
                                          "i guess",
                                          "i suppose",
                                          "let me see",
                                          "let me think",
                                          "let me check",
                                          "lets see",
                                          "it is",
                                          "its",
                                          "this is",
                                          "thats",
                                          "that is",
                                          "that would be",
                                          "it would be",
                                          "it will be",
                                          "it is a",
                                          "it is an",
                                          "its a",
                                          "its an",
                                          "this is a",
                                          "this is an",
                                          "that is a",
                                          "thats a",
                                          "thats an",
                                          "its the",
                                          "it is the",
                                          "my answer is",
                                          "the answer is",
                                          "i would say",
                                          "id say",
                                          "sure",
                                          "of course",
                                          "right",
                                          "and",
                                          "please",
                                          "im using a",
                                          "i am using a",
                                          "im using an",
                                          "i am using an",
                                          "i use a",
                                          "i use an",
                                          "you can write",
                                          "please write",
                                          "please note",
                                          "please put",
                                          "like",
                                          "actually",
                                          "i mean",
                                          "i meant",
                                          "i said",
                                          "you know",
                                          NULL};
static const char *const lead_place[] = {"im in",
                                         "i am in",
                                         "we are in",
                                         "were in",
                                         "im at",
                                         "i am at",
                                         "we are at",
                                         "its in",
                                         "it is in",
                                         "its at",
                                         "in",
                                         "at",
                                         "located in",
                                         "located at",
                                         "im located in",
                                         "i work in",
                                         "i sit in",
                                         "on the",
                                         "its on the",
                                         "it is on the",
                                         "im on the",
                                         "i am on the",
                                         "inside",
                                         "the location is",
                                         "it is located in",
                                         "its located in",
                                         "i live at",
                                         "i live in",
                                         "over in",
                                         "we work in",
                                         "the office is in",
                                         "the office is",
                                         NULL};
static const char *const lead_person[] = {"my name is",
                                          "my name",
                                          "i am",
                                          "im",
                                          "the name is",
                                          "name is",
                                          "call me",
                                          "you can call me",
                                          "my full name is",
                                          "my last name is",
                                          "my first name is",
                                          "names",
                                          "my names",
                                          NULL};

/* Words that only lead to the answer, longest match wins; stripped again and again. */
static size_t lead_in(const words_t *w, text_kind_t kind)
{
    size_t used = match_any(w, 0, lead_common);
    size_t more = 0;
    if (kind == TEXT_LOCATION) more = match_any(w, 0, lead_place);
    if (kind == TEXT_PERSON) more = match_any(w, 0, lead_person);
    return more > used ? more : used;
}

/* "the building location is", "my hardware is": the field named again before its value. */
static size_t label_lead(const words_t *w, const char *label)
{
    words_t names;
    words_split(&names, label);
    size_t i = words_in(w, 0, "the my our") ? 1 : 0;
    size_t named = 0;
    for (; named < 4 && i + named < w->count; named++) {
        bool is_label = false;
        for (size_t k = 0; k < names.count && !is_label; k++) {
            is_label = words_is(w, i + named, names.at[k].text);
        }
        if (!is_label) break;
    }
    if (!named || !words_in(w, i + named, "is was are")) return 0;
    return i + named + 1;
}

static void strip_tail(words_t *w)
{
    static const char *const tails[] = {
        "please",   "thank you",           "thanks",       "i think",
        "i guess",  "i believe",           "um",           "uh",
        "you know", "thank you very much", "thanks a lot", "if i remember correctly",
        NULL};
    bool again = true;
    while (again && w->count) {
        again = false;
        for (const char *const *p = tails; *p && !again; p++) {
            words_t phrase;
            words_split(&phrase, *p);
            if (phrase.count >= w->count) continue;
            if (words_match(w, w->count - phrase.count, *p)) {
                w->count -= phrase.count;
                again = true;
            }
        }
    }
}

/* Does a part of a place begin at word i: "second floor", "room twelve"? */
static bool place_part(const words_t *w, size_t i)
{
    long value = 0;
    size_t used = number_ordinal(w, i, &value);
    if (words_in(w, i, "ground top first last")) used = used ? used : 1;
    if (used && words_in(w, i + used, COUNTABLE)) return true;
    return words_in(w, i, PLACES) && number_cardinal(w, i + 1, &value) > 0;
}

/* "building for" is building four, unless what follows shows a real "for". An article before the
 * next part of the place ("building for a second floor") was only heard into the pause. */
static void repair_places(words_t *w)
{
    for (size_t i = 0; i + 1 < w->count; i++) {
        if (words_is(w, i, "forth") && words_in(w, i + 1, "floor level")) words_set(w, i, "fourth");
        const char *meant = number_homophone(words_at(w, i + 1));
        if (!words_in(w, i, PLACES) || !meant) continue;
        bool article = words_in(w, i + 2, "the a an") && place_part(w, i + 3);
        bool real = words_in(w, i + 2, "the a an my your our their people us this that it you me");
        if (real && !article) continue;
        words_set(w, i + 1, meant);
        if (article) words_cut(w, i + 2, i + 3);
    }
}

static bool open_ended(const words_t *w, size_t i)
{
    return words_in(w, i, "the on in at of and a near from by its to is or my our");
}

/* The word of w that stands where word i of a repaired copy stood in the source. */
static size_t same_word(const words_t *w, const words_t *repaired, size_t i)
{
    size_t k = 0;
    while (k < w->count && w->at[k].from != repaired->at[i].from) k++;
    return k;
}

/* Where the place that begins at word i ends. */
static size_t place_end(const words_t *w, size_t i)
{
    size_t end = i;
    for (size_t k = i; k < w->count && k - end <= 4; k++) {
        long value = 0;
        size_t n = number_cardinal(w, k, &value);
        if (!n) n = number_ordinal(w, k, &value);
        if (n) {
            k += n - 1;
            end = k + 1;
        } else if (words_in(w, k, PLACES) || words_in(w, k, COUNTABLE)) {
            end = k + 1;
        } else if (!words_in(w, k, "the on in of and ground top")) {
            break;
        }
    }
    return end;
}

bool text_find_location(const words_t *w, size_t *from, size_t *to)
{
    words_t repaired = *w;
    repair_places(&repaired);
    for (size_t i = 0; i < repaired.count; i++) {
        if (!place_part(&repaired, i)) continue;
        size_t end = place_end(&repaired, i);
        if (end <= i) continue;
        *from = same_word(w, &repaired, i);
        *to = same_word(w, &repaired, end - 1) + 1;
        while (*from > 0 && words_in(w, *from - 1, "in at on the inside")) (*from)--;
        return true;
    }
    return false;
}

size_t text_drop_profanity(words_t *w)
{
    static const char swear[] =
        "fuck fucking fucked fucker shit shitty bullshit damn damned goddamn "
        "bloody crap asshole bastard bitch motherfucker wtf merde putain";
    size_t dropped = 0;
    for (size_t i = 0; i < w->count;) {
        if (words_in(w, i, swear)) {
            words_cut(w, i, i + 1);
            dropped++;
        } else {
            i++;
        }
    }
    return dropped;
}

typedef struct {
    char *out;
    size_t n, bytes;
} writer_t;

static void put(writer_t *t, const char *text, size_t len)
{
    if (t->n + len + 1 > t->bytes) len = t->bytes - t->n - 1;
    memcpy(t->out + t->n, text, len);
    t->n += len;
    t->out[t->n] = '\0';
}

/* What stood between two words: spaces and punctuation of the source, or one space. */
static void put_gap(writer_t *t, const char *source, const words_t *w, size_t i, bool place)
{
    const word_t *a = &w->at[i - 1];
    const word_t *b = &w->at[i];
    char gap[8];
    size_t n = 0;
    bool beside = b->from > a->to && b->from - a->to < (int)sizeof gap;
    for (size_t k = a->to; beside && k < b->from; k++) {
        char c = source[k];
        gap[n++] = isspace((unsigned char)c) ? ' ' : c;
        if (isalnum((unsigned char)c)) beside = false; /* a word was cut out here */
    }
    bool plain = !beside || (n == 1 && gap[0] == ' ');
    if (plain && place && place_part(w, i) && !open_ended(w, i - 1)) {
        put(t, ", ", 2);
    } else if (plain) {
        put(t, " ", 1);
    } else {
        put(t, gap, n);
    }
}

static void put_word(writer_t *t, const char *source, const word_t *word, bool capital)
{
    char text[WORD_BYTES * 2];
    if (word->changed) {
        snprintf(text, sizeof text, "%s", word->text);
    } else {
        snprintf(text, sizeof text, "%.*s", (int)(word->to - word->from), source + word->from);
    }
    if (capital) text[0] = (char)toupper((unsigned char)text[0]);
    put(t, text, strlen(text));
}

static bool has_capitals(const char *source)
{
    for (; *source; source++) {
        if (isupper((unsigned char)*source)) return true;
    }
    return false;
}

char *text_clean(const char *source, const words_t *said, text_kind_t kind, const char *label,
                 char *out, size_t bytes)
{
    words_t w = *said;
    text_drop_profanity(&w);
    for (;;) {
        size_t used = lead_in(&w, kind);
        if (!used) used = label_lead(&w, label);
        if (!used) break;
        words_cut(&w, 0, used);
    }
    strip_tail(&w);
    if (kind == TEXT_LOCATION) repair_places(&w);
    if (kind == TEXT_PERSON) spelling_merge(&w);
    bool capital = kind == TEXT_PERSON && !has_capitals(source);
    writer_t t = {.out = out, .bytes = bytes};
    out[0] = '\0';
    for (size_t i = 0; i < w.count; i++) {
        if (i > 0) put_gap(&t, source, &w, i, kind == TEXT_LOCATION);
        put_word(&t, source, &w.at[i], capital);
    }
    return out;
}
