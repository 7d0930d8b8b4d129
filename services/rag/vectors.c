#include "services/rag/vectors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "services/rag/dot.h"

enum { BLOCK_ROWS = 1024 };

/* Blocks, so that growing copies nothing. */
typedef struct {
    int8_t *rows;
    float scales[BLOCK_ROWS]; /* 0: no vector */
} block_t;

struct vectors {
    size_t dimensions, stride;
    block_t **blocks;
    size_t block_count, count;
    dot_fn *dot;
};

vectors_t *vectors_new(size_t dimensions)
{
    assert(dimensions > 0 && dimensions <= DOT_DIMENSIONS_MAX);
    vectors_t *self = calloc(1, sizeof *self);
    assert(self);
    self->dimensions = dimensions;
    self->stride = dot_stride(dimensions);
    self->dot = dot_best();
    return self;
}

void vectors_destroy(vectors_t **self_p)
{
    vectors_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->block_count; i++) {
        (void)munmap(self->blocks[i]->rows, self->stride * BLOCK_ROWS);
        free(self->blocks[i]);
    }
    free(self->blocks);
    free(self);
}

size_t vectors_dimensions(const vectors_t *self)
{
    return self->dimensions;
}

size_t vectors_count(const vectors_t *self)
{
    return self->count;
}

static void add_block(vectors_t *self)
{
    self->blocks = realloc(self->blocks, (self->block_count + 1) * sizeof *self->blocks);
    assert(self->blocks);
    block_t *block = calloc(1, sizeof *block);
    assert(block);
    size_t bytes = self->stride * BLOCK_ROWS;
    block->rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(block->rows != MAP_FAILED);
    (void)madvise(block->rows, bytes, MADV_HUGEPAGE); /* a scan touches each page of it */
    self->blocks[self->block_count++] = block;
}

void vectors_set(vectors_t *self, uint32_t slot, const int8_t *row, float scale)
{
    while (slot / BLOCK_ROWS >= self->block_count) add_block(self);
    block_t *block = self->blocks[slot / BLOCK_ROWS];
    size_t at = slot % BLOCK_ROWS;
    if (block->scales[at] == 0) self->count++;
    memcpy(block->rows + at * self->stride, row, self->dimensions);
    block->scales[at] = scale;
}

void vectors_forget(vectors_t *self, uint32_t slot)
{
    if (slot / BLOCK_ROWS >= self->block_count) return;
    float *scale = &self->blocks[slot / BLOCK_ROWS]->scales[slot % BLOCK_ROWS];
    if (*scale != 0) self->count--;
    *scale = 0;
}

typedef struct {
    int16_t packed[DOT_DIMENSIONS_MAX];
    float scale;
    best_t *best;
} packed_t;

static void scan_block(const vectors_t *self, size_t number, packed_t *const *queries, size_t count)
{
    const block_t *block = self->blocks[number];
    for (size_t i = 0; i < BLOCK_ROWS; i++) {
        float scale = block->scales[i];
        if (scale == 0) continue;
        const int8_t *row = block->rows + i * self->stride;
        for (size_t k = 0; k < count; k++) {
            int32_t dot = self->dot(row, queries[k]->packed, self->stride);
            float score = (float)dot * scale * queries[k]->scale;
            if (score > best_bar(queries[k]->best))
                best_offer(queries[k]->best, (uint32_t)(number * BLOCK_ROWS + i), score);
        }
    }
}

void vectors_scan(const vectors_t *self, vectors_query_t *queries, size_t count)
{
    assert(count <= VECTORS_QUERIES_MAX);
    packed_t *packed[VECTORS_QUERIES_MAX];
    size_t usable = 0;
    for (size_t i = 0; i < count; i++) {
        packed_t *query = malloc(sizeof *query);
        assert(query);
        query->best = &queries[i].best;
        if (dot_pack16(queries[i].vector, self->dimensions, query->packed, &query->scale))
            packed[usable++] = query;
        else
            free(query);
    }
    for (size_t i = 0; usable > 0 && i < self->block_count; i++)
        scan_block(self, i, packed, usable);
    for (size_t i = 0; i < usable; i++) free(packed[i]);
    for (size_t i = 0; i < count; i++) best_sort(&queries[i].best);
}
