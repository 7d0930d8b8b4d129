/* vectors.h - the passages' vectors in memory, and those nearest to a query's: an exact scan.
 *
 * A vector takes its dimensions in bytes (padded to a multiple of 32) and 4 for its scale. 50,000 of
 * 1536 dimensions are 77 MB, which a scan reads once, however many queries it is for.
 *
 * Threads: one at a time.
 */
#ifndef RAG_VECTORS_H
#define RAG_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "services/rag/scored.h"

enum { VECTORS_QUERIES_MAX = 32 };

typedef struct vectors vectors_t;

/* dimensions: 1 to DOT_DIMENSIONS_MAX. Never NULL. */
vectors_t *vectors_new(size_t dimensions);
void vectors_destroy(vectors_t **self_p);

size_t vectors_dimensions(const vectors_t *self);
size_t vectors_count(const vectors_t *self);

/* row: dimensions bytes, as dot_pack8 makes them; copied. Slots may be set in any order. */
void vectors_set(vectors_t *self, uint32_t slot, const int8_t *row, float scale);
void vectors_forget(vectors_t *self, uint32_t slot);

typedef struct {
    const float *vector; /* of the dimensions; no direction: finds nothing */
    best_t best;         /* score: the cosine, -1 to 1 */
} vectors_query_t;

/* count: at most VECTORS_QUERIES_MAX. */
void vectors_scan(const vectors_t *self, vectors_query_t *queries, size_t count);

#endif
