/* query.h - from what a caller said to a search the index can run.
 *
 * The words of the text, without those that say nothing (stop words of the language), each once,
 * become an FTS5 expression: "word" OR "longer" * OR ... Every word stands in quotes and holds
 * letters and digits only, so no input can be a syntax error or reach FTS5's operators. Words of
 * QUERY_PREFIX_CHARS characters and more also find longer ones ("print" finds "printer").
 *
 * Pure; no threads. Source: https://www.sqlite.org/fts5.html, section 3.
 */
#ifndef RAG_QUERY_H
#define RAG_QUERY_H

#include <stddef.h>

enum {
    QUERY_TEXT_BYTES = 8192, /* more of the text is not looked at */
    QUERY_WORDS = 48,        /* more words are not searched for */
    QUERY_WORD_BYTES = 64,   /* longer words are left out: nobody says them */
    QUERY_PREFIX_CHARS = 5,
};

typedef struct {
    char word[QUERY_WORDS][QUERY_WORD_BYTES];
    size_t words;
    /* room for every word, its quotes, the star and OR */
    char expression[QUERY_WORDS * (QUERY_WORD_BYTES + 10)];
} query_t;

/* text may be anything, also invalid UTF-8. lang: short code of its language ("fr-FR"); unknown
 * or empty: English. Returns the number of words: 0 means there is nothing to search for. */
size_t query_parse(query_t *out, const char *text, const char *lang);

#endif
