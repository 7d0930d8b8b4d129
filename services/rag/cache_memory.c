#include "common/clock.h"
#include "common/lru.h"
#include "services/rag/cache.h"

enum { BYTES_MAX = 64 * 1024 * 1024 };

static pl_err_t memory_open(void **out, const pl_config_t *cfg, pl_loop_t *loop)
{
    (void)loop;
    *out = pl_lru_new((size_t)pl_config_int(cfg, "rag.cache_entries"), BYTES_MAX);
    return PL_OK;
}

static void memory_get(void *self, const char *key, cache_got_fn *fn, void *arg)
{
    size_t size = 0;
    const void *value = pl_lru_get(self, key, pl_clock_ms(), &size);
    fn(arg, value, size);
}

static void memory_put(void *self, const char *key, const void *value, size_t size, uint64_t ttl_ms)
{
    pl_lru_put(self, key, value, size, pl_clock_ms() + ttl_ms);
}

static void memory_close(void **self_p)
{
    pl_lru_t *self = *self_p;
    *self_p = NULL;
    pl_lru_destroy(&self);
}

const cache_provider_t cache_memory = {"memory", memory_open, memory_get, memory_put, memory_close};
