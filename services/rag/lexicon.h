/* lexicon.h - from text to the terms that are indexed and searched for, in many languages.
 *
 * Words are told apart and lower-cased by SQLite's unicode61 tokenizer. A word is indexed under
 * itself and under its stems in each of the languages known here (Snowball), all without
 * diacritics and at one place: which language a text is in need not be known then, and a query's
 * words, stemmed in the query's language, meet their own kind. Chinese, Japanese and Korean, which
 * write no blanks or hang endings on their words, are indexed by pairs of characters.
 *
 * Threads: a lexicon belongs to one at a time.
 * Source: https://snowballstem.org, https://www.sqlite.org/fts5.html (4.3, 7).
 */
#ifndef RAG_LEXICON_H
#define RAG_LEXICON_H

#include <stdbool.h>
#include <stddef.h>

enum { LEXICON_TERM_BYTES = 64 }; /* longer words are not indexed: nobody says them */

typedef struct lexicon lexicon_t;

lexicon_t *lexicon_new(void); /* never NULL */
void lexicon_destroy(lexicon_t **self_p);

/* One term of a text. from, to: where its word is; again: at the same place as the one before. Other than 0 ends the walk, and is what it returns. */
typedef int lexicon_term_fn(void *arg, const char *term, size_t bytes, size_t from, size_t to,
                            bool again);
int lexicon_index(lexicon_t *self, const char *text, size_t bytes, lexicon_term_fn *fn, void *arg);

/* One word of a query. */
typedef struct {
    const char *word; /* as it was said, lower-cased; for stop words */
    const char *term; /* what to look for */
    bool beginning;   /* a single character, which others follow in the index */
    bool weak;        /* says little: only where a query has nothing better */
} lexicon_word_t;

/* lang: short code ("fr-FR"); of a language without stemmer, or empty, words are searched for as
 * they are. */
typedef void lexicon_word_fn(void *arg, const lexicon_word_t *word);
void lexicon_query(lexicon_t *self, const char *text, size_t bytes, const char *lang,
                   lexicon_word_fn *fn, void *arg);

#endif
