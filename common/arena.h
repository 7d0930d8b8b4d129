/* arena.h - memory for one unpacked message at a time, for protobuf-c.
 *
 * Allocation is a pointer's step; everything goes at once with pl_arena_reset. A limit bounds what
 * a small hostile message can blow up to: beyond it the allocator says NULL and protobuf-c gives
 * the message up. Under AddressSanitizer a reset poisons, so that kept borrowings are found.
 *
 * Threads: belongs to one thread.
 */
#ifndef PL_COMMON_ARENA_H
#define PL_COMMON_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

typedef struct pl_arena pl_arena_t;

/* first_bytes are kept for good; more is taken from the heap in need, up to limit_bytes in all. */
pl_arena_t *pl_arena_new(size_t first_bytes, size_t limit_bytes); /* never NULL */
void pl_arena_destroy(pl_arena_t **self_p);

/* Aligned for anything; NULL beyond the limit. */
void *pl_arena_alloc(pl_arena_t *self, size_t bytes);
void pl_arena_reset(pl_arena_t *self);

/* For protobuf_c_message_unpack; freeing does nothing. Lives as long as the arena. */
ProtobufCAllocator *pl_arena_allocator(pl_arena_t *self);

#endif
