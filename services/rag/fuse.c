#include "services/rag/fuse.h"

#include <stdlib.h>

static fused_t *find(fused_t *items, size_t count, uint32_t slot)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].slot == slot) return &items[i];
    }
    return NULL;
}

static int best_first(const void *a, const void *b)
{
    const fused_t *x = a;
    const fused_t *y = b;
    if (x->worth != y->worth) return x->worth < y->worth ? 1 : -1;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static size_t join(fused_t *items, size_t count, size_t room, fused_t with)
{
    fused_t *known = find(items, count, with.slot);
    if (known) {
        known->worth += with.worth;
        if (with.score > known->score) known->score = with.score;
        return count;
    }
    if (count < room) items[count++] = with;
    return count;
}

static size_t join_list(fused_t *items, size_t count, const best_t *list)
{
    for (size_t i = 0; i < list->count && i < FUSE_LIST; i++) {
        const scored_t *at = &list->items[i];
        fused_t with = {at->slot, 1.0F / (FUSE_RANK + (float)i + 1), at->score};
        count = join(items, count, (size_t)2 * FUSE_LIST, with);
    }
    return count;
}

void fuse_add(fuse_t *self, const best_t *words, const best_t *vectors, float weight,
              double strictness, size_t top_n)
{
    fused_t items[2 * FUSE_LIST];
    size_t count = join_list(items, 0, words);
    count = join_list(items, count, vectors);
    if (count > 1) qsort(items, count, sizeof *items, best_first);
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < top_n; i++) {
        if (!((double)items[i].score >= strictness)) continue; /* NaN asks for nothing */
        items[i].worth *= weight;
        self->count = join(self->items, self->count, FUSE_MAX, items[i]);
        taken++;
    }
}

void fuse_sort(fuse_t *self)
{
    if (self->count > 1) qsort(self->items, self->count, sizeof *self->items, best_first);
}
