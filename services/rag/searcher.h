/* searcher.h - the search thread: queries, one after another, beside the ingest thread.
 *
 * Threads: called on the home loop; done is called there.
 */
#ifndef RAG_SEARCHER_H
#define RAG_SEARCHER_H

#include "common/loop.h"
#include "services/rag/index.h"

typedef struct searcher searcher_t;

typedef struct {
    /* the request; owned */
    char *texts[INDEX_TEXTS_MAX]; /* the question, then what was said before */
    size_t count;
    char *lang;
    uint32_t top_n;
    double strictness, low, high;    /* as in index_query_t */
    float *vectors[INDEX_TEXTS_MAX]; /* NULL: that text's words alone */
    size_t dimensions;
    void *context; /* the caller's */

    /* the outcome; owned */
    pl_err_t err;
    uint64_t took_us;
    Pl__SearchResult *result;
    char detail[INDEX_DETAIL_BYTES];
} search_t;

typedef struct {
    uint32_t top_n;    /* where the message says 0 */
    double strictness; /* where it is negative */
    size_t texts;      /* more are not looked at */
    double low, high;
} search_defaults_t;

search_t *search_new(const Pl__SearchQuery *message, const search_defaults_t *defaults);
void search_destroy(search_t **self_p);

typedef void searcher_done_fn(void *arg, search_t *search); /* the receiver's from now on */

searcher_t *searcher_new(pl_loop_t *home, index_reader_t *reader, searcher_done_fn *done,
                         void *arg);
void searcher_add(searcher_t *self, search_t **search_p); /* takes *search_p */
/* Finishes what was added; the last calls of done come when the home loop goes on or is destroyed. */
void searcher_destroy(searcher_t **self_p);

#endif
