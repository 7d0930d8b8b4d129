/* scored.h - the best few of many passages.
 *
 * Pure; no threads.
 */
#ifndef RAG_SCORED_H
#define RAG_SCORED_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t slot; /* of the passage in the catalogue */
    float score;
} scored_t;

/* Keeps the best room of what is offered. */
typedef struct {
    scored_t *items; /* the caller's, of room: a heap, the worst first */
    size_t room, count;
} best_t;

/* The score that a newcomer must exceed; below everything while there is room. */
static inline float best_bar(const best_t *self)
{
    return self->count < self->room ? -1e30F : self->items[0].score;
}

void best_offer(best_t *self, uint32_t slot, float score);
/* Orders the items, the best first; equal ones by slot. Nothing can be offered any more. */
void best_sort(best_t *self);

#endif
