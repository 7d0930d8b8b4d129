/* lru.h - bytes by key, the least recently used ones first to go, each until its time.
 *
 * Threads: one at a time. Time is the caller's, in milliseconds of one clock.
 */
#ifndef RAG_LRU_H
#define RAG_LRU_H

#include <stddef.h>
#include <stdint.h>

typedef struct lru lru_t;

/* entries, bytes (of keys and values): more than either, and the oldest go. Never NULL. */
lru_t *lru_new(size_t entries, size_t bytes);
void lru_destroy(lru_t **self_p);

/* NULL: absent, or its time is over. Borrowed until the next call but lru_count. */
const void *lru_get(lru_t *self, const char *key, uint64_t now_ms, size_t *size);

/* Copies both; replaces what is there. What is larger than all of it is not kept. */
void lru_put(lru_t *self, const char *key, const void *value, size_t size, uint64_t until_ms);

size_t lru_count(const lru_t *self);

#endif
