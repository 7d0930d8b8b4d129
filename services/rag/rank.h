/* rank.h - how well a passage answers a query by its words, from 0 to 5.
 *
 * Each word i of the query has a weight w = ln(1 + (N - n + 0.5) / (n + 0.5)), as in BM25, where n
 * of the index's N passages hold it: rare words say more. How much a passage says of the word is
 * its number of hits, those in the title counting RANK_TITLE times, damped by the field's length
 * (BM25F), and saturated: h / (h + RANK_SATURATION), below 1. The score is 5 times the weighted
 * share of the query that the passage covers:
 *
 *     5 * sum(w * h / (h + RANK_SATURATION)) / sum(w)
 *
 * Words found nowhere in the index count in the denominator with RANK_UNKNOWN of a rare word's
 * weight: a question about something else scores low even when a word of it is met by chance, and
 * the words people wrap their question in do not drown it. Unlike bare BM25 the score does not
 * depend on the size of the index, so one strictness works everywhere: all words met once in a
 * passage of average length give 3.6, all in its title as well 4.6, half of them 1.8.
 *
 * Pure; threads: one at a time.
 * Source: Robertson, Zaragoza: The Probabilistic Relevance Framework (2009).
 */
#ifndef RAG_RANK_H
#define RAG_RANK_H

#include <stddef.h>

#include "services/rag/catalogue.h"
#include "services/rag/postings.h"
#include "services/rag/scored.h"

#define RANK_TITLE 3.0F
#define RANK_SATURATION 0.4F
#define RANK_LENGTH 0.4F /* BM25's b: how much a field's length matters */
#define RANK_UNKNOWN 0.8F
#define RANK_MAX 5.0F

/* Room for one search after the other. */
typedef struct {
    float *scores; /* by slot */
    size_t room;
} rank_t;

void rank_free(rank_t *self);

/* words: the postings of each word of the query. Offers every passage that holds one. */
void rank_words(rank_t *self, const catalogue_t *catalogue, const postings_t *words, size_t count,
                best_t *best);

#endif
