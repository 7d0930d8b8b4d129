#include "services/rag/lexicon.h"

#include <assert.h>
#include <libstemmer.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/tokenizer.h"
#include "services/rag/wide.h"

enum {
    VARIANTS = 8,   /* of a word: itself and its stems */
    MEMO = 1 << 13, /* words remembered, by hash */
};

/* The first LATIN_LANGUAGES are of words in Latin letters. */
enum { LATIN_LANGUAGES = 7, LANGUAGES = 8 };
static const char *const languages[LANGUAGES] = {"en", "fr", "es", "de", "it", "pt", "nl", "ru"};

typedef struct {
    char text[LEXICON_TERM_BYTES];
    unsigned char bytes;
} term_t;

typedef struct {
    term_t word;
    unsigned char count; /* 0: empty */
    term_t terms[VARIANTS];
} memo_t;

struct lexicon {
    sqlite3 *db; /* in memory and empty: where unicode61 is had from */
    fts5_tokenizer unicode;
    Fts5Tokenizer *splitter; /* keeps diacritics, which stemmers look at */
    Fts5Tokenizer *folder;   /* takes them off */
    struct sb_stemmer *stemmers[LANGUAGES];
    memo_t *memo;
};

/* ---- making one ---- */

static Fts5Tokenizer *tokenizer(lexicon_t *self, void *context, const char *diacritics)
{
    const char *arguments[] = {"remove_diacritics", diacritics};
    Fts5Tokenizer *made = NULL;
    int rc = self->unicode.xCreate(context, arguments, 2, &made);
    assert(rc == SQLITE_OK);
    return made;
}

static void find_unicode(lexicon_t *self)
{
    void *context = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(":memory:", &self->db, flags, NULL);
    assert(rc == SQLITE_OK);
    fts5_api *api = tokenizer_fts5(self->db);
    assert(api); /* Debian's SQLite has FTS5 */
    rc = api->xFindTokenizer(api, "unicode61", &context, &self->unicode);
    assert(rc == SQLITE_OK);
    self->splitter = tokenizer(self, context, "0");
    self->folder = tokenizer(self, context, "2");
}

lexicon_t *lexicon_new(void)
{
    lexicon_t *self = calloc(1, sizeof *self);
    assert(self);
    find_unicode(self);
    for (size_t i = 0; i < LANGUAGES; i++) {
        self->stemmers[i] = sb_stemmer_new(languages[i], NULL);
        assert(self->stemmers[i]);
    }
    return self;
}

void lexicon_destroy(lexicon_t **self_p)
{
    lexicon_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < LANGUAGES; i++) sb_stemmer_delete(self->stemmers[i]);
    self->unicode.xDelete(self->splitter);
    self->unicode.xDelete(self->folder);
    (void)sqlite3_close(self->db);
    free(self->memo);
    free(self);
}

/* ---- one word ---- */

static int take_folded(void *arg, int flags, const char *token, int bytes, int from, int to)
{
    (void)flags;
    (void)from;
    (void)to;
    term_t *out = arg;
    if (bytes <= 0 || (size_t)bytes >= sizeof out->text - out->bytes) return SQLITE_OK;
    memcpy(out->text + out->bytes, token, (size_t)bytes);
    out->bytes = (unsigned char)(out->bytes + bytes);
    return SQLITE_OK;
}

/* Without diacritics. */
static term_t folded(lexicon_t *self, const char *text, size_t bytes)
{
    term_t out = {.bytes = 0};
    (void)self->unicode.xTokenize(self->folder, &out, FTS5_TOKENIZE_AUX, text, (int)bytes,
                                  take_folded);
    out.text[out.bytes] = '\0';
    return out;
}

static term_t stemmed(lexicon_t *self, size_t language, const char *word, size_t bytes)
{
    const sb_symbol *stem =
        sb_stemmer_stem(self->stemmers[language], (const sb_symbol *)word, (int)bytes);
    assert(stem); /* NULL is out of memory */
    int length = sb_stemmer_length(self->stemmers[language]);
    return folded(self, (const char *)stem, (size_t)length);
}

/* Stems are of letters alone: model numbers stay as they are. */
static bool has_stems(const char *word, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (word[i] >= '0' && word[i] <= '9') return false;
    }
    return bytes > 2;
}

static void add_variant(memo_t *memo, const term_t *term)
{
    if (term->bytes == 0) return;
    for (size_t i = 0; i < memo->count; i++) {
        if (strcmp(memo->terms[i].text, term->text) == 0) return;
    }
    if (memo->count < VARIANTS) memo->terms[memo->count++] = *term;
}

static bool is_cyrillic(const char *word)
{
    return (unsigned char)word[0] == 0xd0 || (unsigned char)word[0] == 0xd1;
}

static void make_variants(lexicon_t *self, memo_t *memo, const char *word, size_t bytes)
{
    memo->count = 0;
    memcpy(memo->word.text, word, bytes);
    memo->word.text[bytes] = '\0';
    memo->word.bytes = (unsigned char)bytes;
    term_t term = folded(self, word, bytes);
    add_variant(memo, &term);
    if (!has_stems(word, bytes)) return;
    size_t from = is_cyrillic(word) ? LATIN_LANGUAGES : 0;
    size_t to = is_cyrillic(word) ? LANGUAGES : LATIN_LANGUAGES;
    for (size_t i = from; i < to; i++) {
        term = stemmed(self, i, word, bytes);
        add_variant(memo, &term);
    }
}

static const memo_t *variants_of(lexicon_t *self, const char *word, size_t bytes)
{
    if (!self->memo) self->memo = calloc(MEMO, sizeof *self->memo);
    assert(self->memo);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ (unsigned char)word[i]) * 16777619u;
    memo_t *memo = &self->memo[hash % MEMO];
    if (memo->count == 0 || memo->word.bytes != bytes || memcmp(memo->word.text, word, bytes) != 0)
        make_variants(self, memo, word, bytes);
    return memo;
}

/* ---- texts ---- */

typedef struct {
    lexicon_t *lexicon;
    lexicon_term_fn *fn;
    void *arg;
} index_t;

/* from, to: of the whole word, as lower-casing may have changed lengths. */
static int index_wide(index_t *self, const char *word, size_t bytes, size_t from, size_t to)
{
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < bytes;) {
        size_t one = wide_length(word + at, bytes - at);
        size_t two = at + one < bytes ? wide_length(word + at + one, bytes - at - one) : 0;
        rc = self->fn(self->arg, word + at, one + two, from, to, false);
        at += one;
    }
    return rc;
}

static int index_word(void *arg, int flags, const char *word, int size, int from, int to)
{
    (void)flags;
    index_t *self = arg;
    size_t bytes = (size_t)size;
    if (size <= 0) return 0;
    /* Where wide characters meet others ("USB接口"), each part goes its own way. */
    for (size_t at = 0; at < bytes;) {
        bool wide = wide_class(word + at, bytes - at) != WIDE_NONE;
        size_t end = at;
        while (end < bytes && (wide_class(word + end, bytes - end) != WIDE_NONE) == wide)
            end += wide_length(word + end, bytes - end);
        int rc = 0;
        if (wide) {
            rc = index_wide(self, word + at, end - at, (size_t)from, (size_t)to);
        } else if (end - at < LEXICON_TERM_BYTES) {
            const memo_t *memo = variants_of(self->lexicon, word + at, end - at);
            for (size_t i = 0; rc == 0 && i < memo->count; i++)
                rc = self->fn(self->arg, memo->terms[i].text, memo->terms[i].bytes, (size_t)from,
                              (size_t)to, i > 0);
        }
        if (rc != 0) return rc;
        at = end;
    }
    return 0;
}

int lexicon_index(lexicon_t *self, const char *text, size_t bytes, lexicon_term_fn *fn, void *arg)
{
    index_t index = {self, fn, arg};
    return self->unicode.xTokenize(self->splitter, &index, FTS5_TOKENIZE_DOCUMENT, text, (int)bytes,
                                   index_word);
}

/* ---- queries ---- */

typedef struct {
    lexicon_t *lexicon;
    const char *lang;
    size_t language; /* LANGUAGES: one without stemmer */
    lexicon_word_fn *fn;
    void *arg;
} asked_t;

static void ask(const asked_t *self, const char *text, size_t bytes, bool beginning, bool weak)
{
    char term[LEXICON_TERM_BYTES];
    if (bytes >= sizeof term) return;
    memcpy(term, text, bytes);
    term[bytes] = '\0';
    lexicon_word_t word = {term, term, beginning, weak};
    self->fn(self->arg, &word);
}

/* Pairs of one kind of characters: those that span two kinds are mostly a word and its ending. */
static void ask_wide(const asked_t *self, const char *word, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        wide_t kind = wide_class(word + at, bytes - at);
        size_t end = at;
        size_t chars = 0;
        while (end < bytes && wide_class(word + end, bytes - end) == kind &&
               !wide_is_function(word + end, bytes - end, self->lang)) {
            end += wide_length(word + end, bytes - end);
            chars++;
        }
        bool weak = kind == WIDE_HIRAGANA;
        if (chars == 1) ask(self, word + at, end - at, true, weak);
        for (size_t i = at; chars > 1; chars--) {
            size_t one = wide_length(word + i, end - i);
            size_t two = wide_length(word + i + one, end - i - one);
            ask(self, word + i, one + two, false, weak);
            i += one;
        }
        at = end > at ? end : at + wide_length(word + at, bytes - at);
    }
}

static void ask_word(const asked_t *self, const char *text, size_t bytes)
{
    char word[LEXICON_TERM_BYTES];
    if (bytes >= sizeof word) return;
    memcpy(word, text, bytes);
    word[bytes] = '\0';
    bool stems = self->language < LANGUAGES && has_stems(word, bytes) &&
                 is_cyrillic(word) == (self->language >= LATIN_LANGUAGES);
    term_t term = stems ? stemmed(self->lexicon, self->language, word, bytes)
                        : folded(self->lexicon, word, bytes);
    lexicon_word_t said = {word, term.text, false, false};
    if (term.bytes > 0) self->fn(self->arg, &said);
}

static int query_word(void *arg, int flags, const char *word, int size, int from, int to)
{
    (void)flags;
    (void)from;
    (void)to;
    const asked_t *self = arg;
    size_t bytes = size > 0 ? (size_t)size : 0;
    for (size_t at = 0; at < bytes;) {
        bool wide = wide_class(word + at, bytes - at) != WIDE_NONE;
        size_t end = at;
        while (end < bytes && (wide_class(word + end, bytes - end) != WIDE_NONE) == wide)
            end += wide_length(word + end, bytes - end);
        if (wide)
            ask_wide(self, word + at, end - at);
        else
            ask_word(self, word + at, end - at);
        at = end;
    }
    return SQLITE_OK;
}

void lexicon_query(lexicon_t *self, const char *text, size_t bytes, const char *lang,
                   lexicon_word_fn *fn, void *arg)
{
    asked_t asked = {self, lang, LANGUAGES, fn, arg};
    for (size_t i = 0; i < LANGUAGES; i++) {
        if (strncmp(lang, languages[i], 2) == 0) asked.language = i;
    }
    (void)self->unicode.xTokenize(self->splitter, &asked, FTS5_TOKENIZE_AUX, text, (int)bytes,
                                  query_word);
}
