#include "services/dialogue/nlu/spelling.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* How recognisers write the names of letters when they hear them among other letters. */
static const char *const names[26] = {
    "ay eh", "be bee",  "see sea cee", "dee", "ee", "ef eff", "gee",     "aitch haitch", "eye aye",
    "jay",   "kay",     "el ell",      "em",  "en", "oh owe", "pee",     "cue queue",    "are ar",
    "ess",   "tee tea", "you ewe",     "vee", "",   "ex",     "why wye", "zee zed"};

static const char *const alphabet[26] = {
    "alpha alfa", "bravo",          "charlie",        "delta",  "echo",   "foxtrot", "golf",
    "hotel",      "india",          "juliet juliett", "kilo",   "lima",   "mike",    "november",
    "oscar",      "papa",           "quebec",         "romeo",  "sierra", "tango",   "uniform",
    "victor",     "whiskey whisky", "xray",           "yankee", "zulu"};

static bool single_letter(const words_t *w, size_t i)
{
    const char *word = words_at(w, i);
    return isalpha((unsigned char)word[0]) && !word[1];
}

static char by_table(const words_t *w, size_t i, const char *const table[26])
{
    for (int k = 0; k < 26; k++) {
        if (table[k][0] && words_in(w, i, table[k])) return (char)('a' + k);
    }
    return '\0';
}

/* "a as in alpha", "b for bravo", "d like david": the letter, and all four words. */
static size_t explained(const words_t *w, size_t i)
{
    size_t used = 0;
    if (words_match(w, i, "as in")) {
        used = 2;
    } else if (words_in(w, i, "for like")) {
        used = 1;
    }
    return used && i + used < w->count ? used + 1 : 0;
}

static size_t one(const words_t *w, size_t i, bool in_run, char *letter)
{
    size_t used = 0;
    if (words_match(w, i, "double u") || words_match(w, i, "double you")) {
        *letter = 'w';
        used = 2;
    } else if (single_letter(w, i)) {
        *letter = words_at(w, i)[0];
        used = 1;
    } else if (words_match(w, i + 1, "as in")) {
        *letter = by_table(w, i, names);
        used = *letter ? 1 : 0;
    } else if (in_run) {
        *letter = by_table(w, i, names);
        if (!*letter) *letter = by_table(w, i, alphabet);
        used = *letter ? 1 : 0;
    }
    if (!used) return 0;
    size_t more = explained(w, i + used);
    /* Trust the explanation only when its word begins with the letter. */
    if (more && words_at(w, i + used + more - 1)[0] == *letter) used += more;
    return used;
}

size_t spelling_letter(const words_t *w, size_t i, bool in_run, char out[3])
{
    char letter = '\0';
    bool twice = words_is(w, i, "double") && !words_in(w, i + 1, "u you");
    size_t used = one(w, i + (twice ? 1 : 0), in_run || twice, &letter);
    if (!used) return 0;
    out[0] = letter;
    out[1] = twice ? letter : '\0';
    out[2] = '\0';
    return used + (twice ? 1 : 0);
}

static bool alphabet_word(const words_t *w, size_t i)
{
    return by_table(w, i, alphabet) != '\0';
}

size_t spelling_run(const words_t *w, size_t i, char *out, size_t bytes)
{
    size_t used = 0;
    size_t n = 0;
    size_t letters = 0;
    out[0] = '\0';
    while (i + used < w->count) {
        char piece[3];
        size_t at = i + used;
        bool beside = letters > 0 || (alphabet_word(w, at) && alphabet_word(w, at + 1)) ||
                      (single_letter(w, at + 1) && single_letter(w, at + 2));
        size_t step = spelling_letter(w, at, beside, piece);
        size_t len = step ? strlen(piece) : 0;
        if (!step || n + len + 1 > bytes) break;
        memcpy(out + n, piece, len + 1);
        n += len;
        letters++;
        used += step;
    }
    return letters >= 2 ? used : 0;
}

/* How many of the words before i the letters spell together: "jon smith j o n s m i t h". */
static size_t spelled_words(const words_t *w, size_t i, const char *letters)
{
    char joined[WORD_BYTES * 3] = "";
    size_t n = strlen(letters);
    for (size_t k = 1; k <= 3 && k <= i; k++) {
        char longer[sizeof joined];
        if (strlen(words_at(w, i - k)) < 2) return 0;
        snprintf(longer, sizeof longer, "%s%s", words_at(w, i - k), joined);
        memcpy(joined, longer, sizeof joined);
        size_t len = strlen(joined);
        size_t apart = n > len ? n - len : len - n;
        bool alike = joined[0] == letters[0] && apart <= 2 && n >= 2;
        if (alike && (k == 1 || strcmp(joined, letters) == 0 || apart <= 1)) return k;
        if (len > n + 2) return 0;
    }
    return 0;
}

void spelling_merge(words_t *w)
{
    for (size_t i = 1; i < w->count; i++) {
        char letters[WORD_BYTES];
        size_t used = spelling_run(w, i, letters, sizeof letters);
        size_t words = used ? spelled_words(w, i, letters) : 0;
        if (!words) continue;
        words_set(w, i - words, letters);
        words_cut(w, i - words + 1, i + used);
        i -= words;
    }
}
