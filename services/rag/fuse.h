/* fuse.h - several lists of passages as one: reciprocal rank fusion.
 *
 * What a passage is worth is the sum, over the lists that hold it, of weight / (FUSE_RANK + its rank).
 * Ranks can be compared where scores cannot. FUSE_RANK is 10 and not the usual 60: the lists are
 * short, and with 60 a passage that two lists have at their ends would come before the best of one.
 *
 * Pure; no threads.
 * Source: Cormack, Clarke, Buettcher: Reciprocal Rank Fusion (SIGIR 2009).
 */
#ifndef RAG_FUSE_H
#define RAG_FUSE_H

#include <stddef.h>
#include <stdint.h>

#include "services/rag/scored.h"

#define FUSE_RANK 10.0F

enum {
    FUSE_LIST = 50,                /* of each list's best are looked at */
    FUSE_MAX = 32 * 2 * FUSE_LIST, /* passages in all */
};

typedef struct {
    uint32_t slot;
    float worth;
    float score; /* the greatest it has in a list */
} fused_t;

typedef struct {
    fused_t items[FUSE_MAX];
    size_t count;
} fuse_t;

/* One text's two lists, each best first: what of it has at least strictness, the best top_n. They
 * join what is there, with the text's weight. */
void fuse_add(fuse_t *self, const best_t *words, const best_t *vectors, float weight,
              double strictness, size_t top_n);
void fuse_sort(fuse_t *self); /* best first; equal ones by score, then by slot */

#endif
