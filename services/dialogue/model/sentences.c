#include "services/dialogue/model/sentences.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/abbreviation.h"
#include "services/dialogue/model/letters.h"
#include "services/dialogue/model/markdown.h"

struct sentences {
    char lang[8];
    markdown_t markdown;
    draft_t raw, plain; /* as it came; as it is said, not yet given out */
    draft_t given;
    bool closed, settled;
    bool glued; /* cut at the very end of what was there: closing marks may follow */
};

typedef enum { GO_ON, WAIT, CUT } verdict_t;

/* A place to cut: the sentence is [0, end). */
typedef struct {
    size_t end;
    bool line; /* a line ended it, maybe without a mark */
    bool at_end;
} cut_t;

sentences_t *sentences_new(const char *lang)
{
    sentences_t *self = calloc(1, sizeof *self);
    assert(self);
    snprintf(self->lang, sizeof self->lang, "%s", lang);
    return self;
}

void sentences_destroy(sentences_t **self_p)
{
    sentences_t *self = *self_p;
    if (!self) return;
    draft_free(&self->raw);
    draft_free(&self->plain);
    draft_free(&self->given);
    free(self);
    *self_p = NULL;
}

void sentences_add(sentences_t *self, const char *piece)
{
    self->settled = false;
    draft_add(&self->raw, piece);
}

void sentences_settle(sentences_t *self)
{
    self->settled = true;
}

void sentences_close(sentences_t *self)
{
    self->closed = true;
}

/* ---- what characters are to a sentence ---- */

static bool one_of(uint32_t c, const uint32_t *list)
{
    for (; *list; list++) {
        if (*list == c) return true;
    }
    return false;
}

/* Ends a sentence wherever it stands. */
static bool is_strong(uint32_t c)
{
    static const uint32_t marks[] = {'!',    '?',    0x3002, 0xFF01, 0xFF1F, 0xFF1B,
                                     0xFF61, 0x203C, 0x203D, 0x2047, 0x2048, 0x2049,
                                     0x61F,  0x6D4,  0x964,  0x965,  0x589,  0};
    return one_of(c, marks);
}

/* Ends one where what follows agrees. */
static bool is_stop(uint32_t c)
{
    return c == '.' || c == 0x2026 || c == 0xFF0E;
}

static bool is_closer(uint32_t c)
{
    static const uint32_t marks[] = {'"',    '\'',   ')',    ']',    '}',    0xBB,
                                     0xAB,   0x2019, 0x201D, 0x201C, 0x203A, 0x300D,
                                     0x300F, 0x3011, 0x300B, 0xFF09, 0x3009, 0};
    return one_of(c, marks);
}

/* Stands after a sentence and never before one. */
static bool is_only_closer(uint32_t c)
{
    static const uint32_t marks[] = {')',    '}',    0xBB,   0x201D, 0x203A, 0x300D,
                                     0x300F, 0x3011, 0x300B, 0xFF09, 0x3009, 0};
    return one_of(c, marks);
}

static bool is_opener(uint32_t c)
{
    static const uint32_t marks[] = {'"',    '\'',   '(',    0xAB,   0xBB,   0xBF,
                                     0xA1,   0x2018, 0x201C, 0x201E, 0x2039, 0x300C,
                                     0x300E, 0x3010, 0xFF08, 0x300A, '*',    0};
    return one_of(c, marks);
}

/* Where a long sentence may be parted; those of Latin scripts want a space behind. */
static bool is_soft(uint32_t c, bool *wants_space)
{
    static const uint32_t latin[] = {',', ';', ':', 0x2013, 0x2014, 0x60C, 0x61B, 0};
    static const uint32_t wide[] = {0xFF0C, 0x3001, 0xFF1A, 0xFF64, 0};
    *wants_space = one_of(c, latin);
    return *wants_space || one_of(c, wide);
}

/* ---- places in the text ---- */

typedef struct {
    const sentences_t *self;
    const char *at;
    size_t n;
} view_t;

static uint32_t char_at(const view_t *v, size_t i, size_t *len)
{
    *len = 0;
    return i < v->n ? letter_at(v->at + i, v->n - i, len) : 0;
}

static size_t skip(const view_t *v, size_t i, bool (*what)(uint32_t c))
{
    size_t len = 0;
    while (i < v->n && v->at[i] != '\v' && what(char_at(v, i, &len))) i += len;
    return i;
}

static bool is_mark(uint32_t c)
{
    return is_strong(c) || is_stop(c);
}

/* Where the word that ends before i begins. */
static size_t word_start(const view_t *v, size_t i)
{
    while (i > 0) {
        size_t len = 0;
        uint32_t c = letter_before(v->at, i, &len);
        if (letter_is_space(c) || is_opener(c) || c == '[') break;
        i -= len;
    }
    return i;
}

/* Is the text before i, up to the last space, an address that a mark may be part of? */
static bool in_address(const view_t *v, size_t i)
{
    size_t start = i;
    size_t len = 0;
    while (start > 0 && !letter_is_space(letter_before(v->at, start, &len))) start -= len;
    const char *word = v->at + start;
    size_t n = i - start;
    if (n >= 4 && memcmp(word, "www.", 4) == 0) return true;
    return memmem(word, n, "://", 3) || memchr(word, '@', n);
}

/* ---- the word before a full stop ---- */

static bool all_digits(const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (word[i] < '0' || word[i] > '9') return false;
    }
    return n > 0;
}

static bool single_letter(const char *word, size_t n)
{
    size_t len = 0;
    if (n == 0) return false;
    uint32_t c = letter_at(word, n, &len);
    return len == n && (letter_is_lower(c) || letter_is_upper(c));
}

/* "D U P O N T." is no initial: the letter before stands alone as well. */
static bool spelled(const view_t *v, size_t start)
{
    size_t end = start;
    while (end > 0 && strchr(" ,-", v->at[end - 1])) end--;
    size_t before = word_start(v, end);
    return end < start && single_letter(v->at + before, end - before);
}

/* Does the word [start, i) forbid that the stop at i ends a sentence before next? */
static bool bound(const view_t *v, size_t start, size_t i, uint32_t next)
{
    const char *word = v->at + start;
    size_t n = i - start;
    const char *lang = v->self->lang;
    if (letter_is_digit(next) && abbreviation_of_number(word, n)) return true;
    if (all_digits(word, n)) return start == 0 || (n <= 2 && abbreviation_ordinals(lang));
    if (single_letter(word, n)) return !spelled(v, start);
    return abbreviation(word, n, lang);
}

/* Nothing follows (yet). Does the stop look like the end of a sentence all the same? */
static bool looks_ended(const view_t *v, size_t i)
{
    size_t start = word_start(v, i);
    size_t n = i - start;
    if (n < 2 || bound(v, start, i, 0) || in_address(v, i)) return false;
    for (size_t k = start; k < i; k++) {
        if (strchr("./@_0123456789", v->at[k])) return false;
    }
    return true;
}

/* ---- verdicts ---- */

static verdict_t cut_here(cut_t *cut, const view_t *v, size_t end)
{
    *cut = (cut_t){.end = end, .at_end = end == v->n};
    return CUT;
}

static verdict_t at_the_end(const view_t *v, size_t stop, size_t end, cut_t *cut)
{
    if (v->self->closed || (v->self->settled && looks_ended(v, stop))) {
        return cut_here(cut, v, end);
    }
    return WAIT;
}

static verdict_t strong(const view_t *v, size_t i, cut_t *cut)
{
    size_t end = skip(v, skip(v, i, is_mark), is_closer);
    bool ascii = v->at[i] == '!' || v->at[i] == '?';
    if (ascii && in_address(v, i)) {
        size_t len = 0;
        if (end == v->n && !v->self->closed) return WAIT;
        if (end < v->n && !letter_is_space(char_at(v, end, &len))) return GO_ON;
    }
    return cut_here(cut, v, end);
}

/* The first character of the word that follows at i, behind quotes; 0 when it is not there yet. */
static uint32_t next_word(const view_t *v, size_t i)
{
    size_t len = 0;
    return char_at(v, skip(v, i, is_opener), &len);
}

static verdict_t full_stop(const view_t *v, size_t i, cut_t *cut)
{
    size_t len = 0;
    size_t end = skip(v, i, is_mark);
    size_t first_len = 0;
    uint32_t first = char_at(v, i, &first_len);
    bool ellipsis = first == 0x2026 || end - i > first_len;
    for (size_t k = i; k < end; k += len) {
        if (is_strong(char_at(v, k, &len))) return strong(v, i, cut);
    }
    end = skip(v, end, is_closer);
    if (end == v->n) return at_the_end(v, i, end, cut);
    if (v->at[end] == '\v') return cut_here(cut, v, end);
    uint32_t after = char_at(v, end, &len);
    if (!letter_is_space(after)) return letter_is_wide(after) ? cut_here(cut, v, end) : GO_ON;
    size_t next_at = skip(v, end, letter_is_space);
    uint32_t next = char_at(v, next_at, &len);
    if (next == 0xBB) { /* a French quotation closes behind a space */
        end = next_at + len;
        next_at = skip(v, end, letter_is_space);
    }
    if (next_at < v->n && v->at[next_at] == '\v') return cut_here(cut, v, end);
    next = next_at < v->n && v->at[next_at] == '[' ? '[' : next_word(v, next_at);
    if (next == 0) return at_the_end(v, i, end, cut);
    if (letter_is_lower(next)) return GO_ON;
    if (!ellipsis && bound(v, word_start(v, i), i, next)) return GO_ON;
    return cut_here(cut, v, end);
}

/* A line of flowing text may have been broken anywhere: it goes on with a small letter. */
static verdict_t line_break(const view_t *v, size_t i, cut_t *cut)
{
    size_t next_at = skip(v, i, letter_is_space);
    bool known = next_at < v->n;
    if (!known && !v->self->closed && !v->self->settled) return WAIT;
    size_t len = 0;
    uint32_t next = known ? char_at(v, next_at, &len) : 0;
    size_t before = i;
    while (before > 0 && v->at[before - 1] == ' ') before--;
    uint32_t last = before ? letter_before(v->at, before, &len) : 0;
    if (letter_is_lower(next) && (letter_is_alpha(last) || letter_is_digit(last) || last == ',')) {
        return GO_ON;
    }
    (void)cut_here(cut, v, i);
    cut->line = true;
    return CUT;
}

/* Where a sentence that has grown too long is parted. */
typedef struct {
    unsigned width; /* characters so far; wide ones count twice */
    size_t soft, space;
    unsigned soft_width;
} length_t;

static void note_place(const view_t *v, size_t i, uint32_t c, size_t len, length_t *length)
{
    bool wants_space = false;
    size_t next_len = 0;
    if (is_soft(c, &wants_space)) {
        bool behind = letter_is_space(char_at(v, i + len, &next_len));
        if (!wants_space || behind) {
            length->soft = i + len;
            length->soft_width = length->width;
        }
    }
    if (letter_is_space(c)) length->space = i;
    length->width += letter_is_wide(c) ? 2 : 1;
}

static verdict_t too_long(const view_t *v, size_t i, const length_t *length, cut_t *cut)
{
    if (length->width < SENTENCE_CHARACTERS) return GO_ON;
    size_t end = i;
    if (length->soft_width > SENTENCE_CHARACTERS / 4) {
        end = length->soft;
    } else if (length->space) {
        end = length->space;
    }
    return cut_here(cut, v, end);
}

static bool find_cut(const view_t *v, cut_t *cut)
{
    length_t length = {0};
    size_t len = 0;
    for (size_t i = 0; i < v->n; i += len) {
        uint32_t c = char_at(v, i, &len);
        verdict_t verdict = too_long(v, i, &length, cut);
        if (verdict == GO_ON) {
            if (c == '\v') {
                (void)cut_here(cut, v, i);
                cut->line = true;
                verdict = CUT;
            } else if (c == '\n') {
                verdict = line_break(v, i, cut);
            } else if (is_strong(c)) {
                verdict = strong(v, i, cut);
            } else if (is_stop(c)) {
                verdict = full_stop(v, i, cut);
            }
        }
        if (verdict == CUT) return true;
        if (verdict == WAIT) return false;
        if (is_stop(c)) len = skip(v, i, is_stop) - i; /* a run is looked at once */
        note_place(v, i, c, len, &length);
    }
    if (!v->self->closed || v->n == 0) return false;
    (void)cut_here(cut, v, v->n);
    cut->line = true;
    return true;
}

/* ---- giving out ---- */

/* Marks that belong to the sentence before, and space. */
static void drop_leading(sentences_t *self)
{
    view_t v = {self, draft_text(&self->plain), self->plain.len};
    size_t i = 0;
    size_t len = 0;
    while (i < v.n) {
        uint32_t c = char_at(&v, i, &len);
        uint32_t after = 0;
        size_t after_len = 0;
        bool glued = self->glued && (is_closer(c) || is_mark(c));
        if (is_stop(c)) { /* ".5" and ".NET" are words */
            if (i + len == v.n && !self->closed) break;
            after = char_at(&v, i + len, &after_len);
        }
        bool mark = is_mark(c) && !letter_is_digit(after) && !letter_is_alpha(after);
        bool space = letter_is_space(c);
        if (!space && !glued && !mark && !is_only_closer(c)) break;
        if (space) self->glued = false;
        i += len;
    }
    if (i < v.n && !is_mark(char_at(&v, i, &len))) self->glued = false;
    draft_drop(&self->plain, i);
}

static bool wants_mark(uint32_t last)
{
    static const uint32_t endings[] = {')', '"', 0x201D, 0x2019, 0xBB, '%', '$', 0x20AC, 0xB0, 0};
    return letter_is_alpha(last) || letter_is_digit(last) || one_of(last, endings);
}

static void give_out(sentences_t *self, const cut_t *cut)
{
    view_t v = {self, draft_text(&self->plain), cut->end};
    size_t len = 0;
    bool space = false;
    draft_clear(&self->given);
    for (size_t i = 0; i < v.n; i += len) {
        uint32_t c = char_at(&v, i, &len);
        if (letter_is_space(c)) {
            space = true;
            continue;
        }
        if (space && self->given.len) draft_add(&self->given, " ");
        space = false;
        draft_add_n(&self->given, v.at + i, len);
    }
    if (cut->line && self->given.len) {
        uint32_t last = letter_before(self->given.at, self->given.len, &len);
        if (wants_mark(last)) draft_add(&self->given, letter_is_wide(last) ? "。" : ".");
    }
    self->glued = cut->at_end && !cut->line;
    draft_drop(&self->plain, cut->end);
}

const char *sentences_next(sentences_t *self)
{
    size_t read = markdown_read(&self->markdown, draft_text(&self->raw), self->raw.len,
                                self->closed, &self->plain);
    draft_drop(&self->raw, read);
    for (;;) {
        cut_t cut;
        drop_leading(self);
        view_t v = {self, draft_text(&self->plain), self->plain.len};
        if (!find_cut(&v, &cut)) return NULL;
        give_out(self, &cut);
        if (self->given.len) return self->given.at;
    }
}

const char *sentences_rest(const sentences_t *self)
{
    const char *rest = draft_text(&self->plain);
    return rest + strspn(rest, " \n\v");
}
