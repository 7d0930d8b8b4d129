/* query.h - from what a caller said to the terms that are searched for.
 *
 * The words of the text, without those that say nothing (stop words of its language), each once, as
 * terms of the index (lexicon.h). Words of QUERY_BEGINNING_CHARS characters and more also find
 * longer ones ("print" finds "printer"). Every term holds letters and digits only, so that no input
 * can be a syntax error of FTS5 or reach its operators.
 *
 * Threads: the lexicon's.
 */
#ifndef RAG_QUERY_H
#define RAG_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "services/rag/lexicon.h"

enum {
    QUERY_TEXT_BYTES = 8192, /* more of the text is not looked at */
    QUERY_WORDS = 48,        /* more words are not searched for */
    QUERY_BEGINNING_CHARS = 5,
};

typedef struct {
    char term[LEXICON_TERM_BYTES];
    bool beginning; /* longer words that begin so are found too */
} query_word_t;

typedef struct {
    query_word_t words[QUERY_WORDS];
    size_t count;
} query_t;

/* text may be anything, also invalid UTF-8. lang: short code of its language ("fr-FR"); empty:
 * English. Returns the number of words: 0 means there is nothing to search for. */
size_t query_parse(query_t *out, lexicon_t *lexicon, const char *text, const char *lang);

#endif
