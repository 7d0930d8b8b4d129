/* cache.h - what was found already, kept for a day: an interface and its providers.
 *
 * Keys name all that an answer depends on (answer_key.h), the index's version among it, so that
 * nothing is ever out of date. Losing what is kept costs only time.
 *
 * Threads: the loop's. Nothing blocks.
 */
#ifndef RAG_CACHE_H
#define RAG_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"

/* value: borrowed; NULL when there is none, or the cache cannot be reached. */
typedef void cache_got_fn(void *arg, const void *value, size_t size);

typedef struct {
    const char *name;
    pl_err_t (*open)(void **out, const pl_config_t *cfg, pl_loop_t *loop);
    /* Calls fn once: within this call, or later unless closed before. */
    void (*get)(void *self, const char *key, cache_got_fn *fn, void *arg);
    void (*put)(void *self, const char *key, const void *value, size_t size, uint64_t ttl_ms);
    void (*close)(void **self_p);
} cache_provider_t;

extern const cache_provider_t cache_memory; /* in this process, bounded by rag.cache_entries */

#endif
