#include "services/rag/scored.h"

#include <stdbool.h>
#include <stdlib.h>

/* Is a worse than b? Of equal ones the later is. */
static bool is_worse(const scored_t *a, const scored_t *b)
{
    return a->score != b->score ? a->score < b->score : a->slot > b->slot;
}

static void sink(best_t *self, size_t at, scored_t item)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= self->count) break;
        if (child + 1 < self->count && is_worse(&self->items[child + 1], &self->items[child]))
            child++;
        if (!is_worse(&self->items[child], &item)) break;
        self->items[at] = self->items[child];
        at = child;
    }
    self->items[at] = item;
}

void best_offer(best_t *self, uint32_t slot, float score)
{
    scored_t item = {slot, score};
    if (self->count == self->room) {
        if (self->room > 0 && is_worse(&self->items[0], &item)) sink(self, 0, item);
        return;
    }
    size_t at = self->count++;
    while (at > 0 && is_worse(&item, &self->items[(at - 1) / 2])) {
        self->items[at] = self->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    self->items[at] = item;
}

static int best_first(const void *a, const void *b)
{
    return is_worse(a, b) ? 1 : (is_worse(b, a) ? -1 : 0);
}

void best_sort(best_t *self)
{
    if (self->count > 1) qsort(self->items, self->count, sizeof *self->items, best_first);
}
