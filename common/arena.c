#include "common/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { ALIGNMENT = 16, MORE_BYTES = 64 * 1024 };

typedef struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGNMENT) uint8_t bytes[];
} block_t;

struct pl_arena {
    ProtobufCAllocator allocator;
    block_t *first; /* kept */
    block_t *last;  /* the one that is filled now */
    size_t total, limit;
};

static block_t *block_new(size_t size)
{
    block_t *block = malloc(sizeof *block + size);
    assert(block);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    ASAN_POISON_MEMORY_REGION(block->bytes, size);
    return block;
}

static void block_free(block_t *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
    free(block);
}

static void *allocator_alloc(void *arena, size_t bytes)
{
    return pl_arena_alloc(arena, bytes);
}

static void allocator_free(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

pl_arena_t *pl_arena_new(size_t first_bytes, size_t limit_bytes)
{
    pl_arena_t *self = calloc(1, sizeof *self);
    assert(self);
    self->allocator = (ProtobufCAllocator){allocator_alloc, allocator_free, self};
    self->first = self->last = block_new(first_bytes);
    self->total = first_bytes;
    self->limit = limit_bytes;
    return self;
}

void pl_arena_destroy(pl_arena_t **self_p)
{
    pl_arena_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_arena_reset(self);
    block_free(self->first);
    free(self);
}

void *pl_arena_alloc(pl_arena_t *self, size_t bytes)
{
    if (bytes > self->limit) return NULL;
    size_t need = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    block_t *block = self->last;
    if (block->size - block->used < need) {
        size_t size = need > MORE_BYTES ? need : MORE_BYTES;
        if (self->total + size > self->limit) return NULL;
        self->total += size;
        block = self->last->next = block_new(size);
        self->last = block;
    }
    void *at = block->bytes + block->used;
    block->used += need;
    ASAN_UNPOISON_MEMORY_REGION(at, bytes);
    return at;
}

void pl_arena_reset(pl_arena_t *self)
{
    for (block_t *block = self->first->next, *next; block; block = next) {
        next = block->next;
        block_free(block);
    }
    ASAN_POISON_MEMORY_REGION(self->first->bytes, self->first->used);
    self->first->next = NULL;
    self->first->used = 0;
    self->last = self->first;
    self->total = self->first->size;
}

ProtobufCAllocator *pl_arena_allocator(pl_arena_t *self)
{
    return &self->allocator;
}
