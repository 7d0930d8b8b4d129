/* lru.h - bytes by key, the least recently used ones first to go, each until its time.
 *
 * Threads: one at a time. Time is the caller's, in milliseconds of one clock.
 */
#ifndef PL_COMMON_LRU_H
#define PL_COMMON_LRU_H

#include <stddef.h>
#include <stdint.h>

typedef struct pl_lru pl_lru_t;

/* entries, bytes (of keys and values): more than either, and the oldest go. Never NULL. */
pl_lru_t *pl_lru_new(size_t entries, size_t bytes);
void pl_lru_destroy(pl_lru_t **self_p);

/* NULL: absent, or its time is over. Borrowed until the next call but pl_lru_count. */
const void *pl_lru_get(pl_lru_t *self, const char *key, uint64_t now_ms, size_t *size);

/* Copies both; replaces what is there. What is larger than all of it is not kept. */
void pl_lru_put(pl_lru_t *self, const char *key, const void *value, size_t size, uint64_t until_ms);

size_t pl_lru_count(const pl_lru_t *self);

#endif
