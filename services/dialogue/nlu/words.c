#include "services/dialogue/nlu/words.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Punctuation beyond ASCII, as UTF-8: inverted marks and guillemets, dashes and quotation marks, the
 * full-width marks of Chinese and Japanese. Its length in bytes; 0: a letter. */
static size_t wide_mark(const unsigned char *s)
{
    static const char *const marks[] = {"¿",  "¡",  "«",  "»",  "–",  "—",  "…",  "“",
                                        "”",  "„",  "、", "。", "「", "」", "《", "》",
                                        "！", "，", "：", "；", "？", "（", "）", "\u3000"};
    for (size_t i = 0; s[0] >= 0x80 && i < sizeof marks / sizeof marks[0]; i++) {
        size_t n = strlen(marks[i]);
        if (strncmp((const char *)s, marks[i], n) == 0) return n;
    }
    return 0;
}

static bool is_letter(unsigned char c)
{
    return isalpha(c) || c >= 0x80;
}

/* Punctuation that may stand inside a word: in "9:30", "john.smith@x.org", "2026-11-21", "+33". */
static bool joins(const unsigned char *s, size_t i, bool in_address)
{
    unsigned char c = s[i];
    unsigned char next = s[i + 1];
    unsigned char before = i > 0 ? s[i - 1] : ' ';
    if (c == '@' || c == '_') return true;
    if (c == '+') return isdigit(next) != 0;
    if (c == '.' || c == ':') return isalnum(before) && isalnum(next);
    if (c == '-') return in_address ? isalnum(next) != 0 : isdigit(before) && isdigit(next);
    return false;
}

/* ASCII, and the letters of western Europe (U+00C0 to U+00DE, in UTF-8 0xC3 and one byte more). */
static int lower(const unsigned char *s, size_t i)
{
    bool western = i > 0 && s[i - 1] == 0xC3 && s[i] >= 0x80 && s[i] <= 0x9E && s[i] != 0x97;
    if (western) return s[i] + 0x20;
    return s[i] < 0x80 ? tolower(s[i]) : s[i];
}

/* A typographic apostrophe, or its ASCII form: its length in bytes. */
static size_t apostrophe(const unsigned char *s)
{
    if (s[0] == '\'') return 1;
    return s[0] == 0xE2 && s[1] == 0x80 && s[2] == 0x99 ? 3 : 0;
}

/* "a.m" and "p.m.": single letters with dots between become one word. */
static void drop_abbreviation_dots(char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < n; i++) {
        bool dot = word[i] == '.';
        if (dot != (i % 2 == 1)) return;
        if (!dot && !isalpha((unsigned char)word[i])) return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i += 2) word[kept++] = word[i];
    word[kept] = '\0';
}

static void push(words_t *out, const char *text, size_t from, size_t to)
{
    if (!text[0] || out->count == WORDS_MAX) return;
    word_t *w = &out->at[out->count++];
    snprintf(w->text, sizeof w->text, "%s", text);
    drop_abbreviation_dots(w->text);
    w->from = (uint16_t)from;
    w->to = (uint16_t)to;
    w->changed = false;
}

/* Is the run of characters from i an e-mail address? Hyphens belong to it then. */
static bool address_at(const unsigned char *s, size_t i)
{
    for (; s[i] && !isspace(s[i]); i++) {
        if (s[i] == '@') return true;
    }
    return false;
}

void words_split(words_t *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t limit = strnlen(text, UINT16_MAX - 1);
    out->count = 0;
    char word[WORD_BYTES];
    size_t n = 0;
    size_t from = 0;
    bool in_address = false;
    for (size_t i = 0; i < limit;) {
        size_t quote = apostrophe(s + i);
        if (quote) {
            i += quote;
            continue;
        }
        if (n == 0) in_address = address_at(s, i);
        size_t mark = wide_mark(s + i);
        if (!mark && (is_letter(s[i]) || isdigit(s[i]) || joins(s, i, in_address))) {
            if (n == 0) from = i;
            /* Room for a whole character, so that a cut word stays valid UTF-8. */
            if (n + 4 < sizeof word || (n + 1 < sizeof word && (s[i] & 0xC0) == 0x80)) {
                word[n++] = (char)lower(s, i);
            }
            i++;
            continue;
        }
        word[n] = '\0';
        push(out, word, from, i);
        n = 0;
        i += mark ? mark : 1;
    }
    word[n] = '\0';
    push(out, word, from, limit);
}

const char *words_at(const words_t *w, size_t i)
{
    return i < w->count ? w->at[i].text : "";
}

bool words_is(const words_t *w, size_t i, const char *word)
{
    return i < w->count && strcmp(w->at[i].text, word) == 0;
}

bool words_in(const words_t *w, size_t i, const char *list)
{
    if (i >= w->count) return false;
    const char *word = w->at[i].text;
    size_t n = strlen(word);
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, " ");
        if (len == n && memcmp(p, word, n) == 0) return true;
        p += len;
        p += strspn(p, " ");
    }
    return false;
}

size_t words_match(const words_t *w, size_t i, const char *phrase)
{
    size_t used = 0;
    for (const char *p = phrase; *p;) {
        size_t len = strcspn(p, " ");
        const char *word = words_at(w, i + used);
        if (strlen(word) != len || memcmp(word, p, len) != 0) return 0;
        used++;
        p += len;
        p += strspn(p, " ");
    }
    return used;
}

size_t words_find(const words_t *w, size_t i, const char *phrase)
{
    for (; i < w->count; i++) {
        if (words_match(w, i, phrase)) return i;
    }
    return WORDS_NONE;
}

bool words_has_any(const words_t *w, const char *const *phrases)
{
    for (; *phrases; phrases++) {
        if (words_find(w, 0, *phrases) != WORDS_NONE) return true;
    }
    return false;
}

bool words_are_any(const words_t *w, const char *const *phrases)
{
    for (; *phrases; phrases++) {
        size_t used = words_match(w, 0, *phrases);
        if (used && used == w->count) return true;
    }
    return false;
}

void words_cut(words_t *w, size_t from, size_t to)
{
    assert(from <= to && to <= w->count);
    memmove(&w->at[from], &w->at[to], (w->count - to) * sizeof w->at[0]);
    w->count -= to - from;
}

void words_set(words_t *w, size_t i, const char *text)
{
    assert(i < w->count);
    snprintf(w->at[i].text, sizeof w->at[i].text, "%s", text);
    w->at[i].changed = true;
}

char *words_join(const words_t *w, size_t from, size_t to, char *out, size_t bytes)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = from; i < to && i < w->count; i++) {
        size_t len = strlen(w->at[i].text);
        if (n + len + 2 > bytes) break;
        if (n) out[n++] = ' ';
        memcpy(out + n, w->at[i].text, len + 1);
        n += len;
    }
    return out;
}
