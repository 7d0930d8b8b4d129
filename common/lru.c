#include "common/lru.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

typedef struct entry entry_t;
struct entry {
    entry_t *next;          /* in its bucket */
    entry_t *newer, *older; /* by use */
    uint64_t until_ms;
    char *key;
    void *value;
    size_t size;
};

struct pl_lru {
    size_t entries_max, bytes_max, entries, bytes;
    entry_t *buckets[BUCKETS];
    entry_t *newest, *oldest;
};

pl_lru_t *pl_lru_new(size_t entries, size_t bytes)
{
    pl_lru_t *self = calloc(1, sizeof *self);
    assert(self);
    self->entries_max = entries;
    self->bytes_max = bytes;
    return self;
}

static entry_t **bucket_of(pl_lru_t *self, const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++) hash = (hash ^ (unsigned char)*key) * 16777619u;
    return &self->buckets[hash % BUCKETS];
}

static size_t size_of(const entry_t *entry)
{
    return entry->size + strlen(entry->key) + 1 + sizeof *entry;
}

static void unlink_use(pl_lru_t *self, entry_t *entry)
{
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        self->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        self->oldest = entry->newer;
}

static void link_newest(pl_lru_t *self, entry_t *entry)
{
    entry->newer = NULL;
    entry->older = self->newest;
    if (self->newest) self->newest->newer = entry;
    self->newest = entry;
    if (!self->oldest) self->oldest = entry;
}

static void drop(pl_lru_t *self, entry_t *entry)
{
    entry_t **at = bucket_of(self, entry->key);
    while (*at != entry) at = &(*at)->next;
    *at = entry->next;
    unlink_use(self, entry);
    self->entries--;
    self->bytes -= size_of(entry);
    free(entry->key);
    free(entry->value);
    free(entry);
}

void pl_lru_destroy(pl_lru_t **self_p)
{
    pl_lru_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->oldest) drop(self, self->oldest);
    free(self);
}

static entry_t *find(pl_lru_t *self, const char *key)
{
    for (entry_t *entry = *bucket_of(self, key); entry; entry = entry->next) {
        if (strcmp(entry->key, key) == 0) return entry;
    }
    return NULL;
}

const void *pl_lru_get(pl_lru_t *self, const char *key, uint64_t now_ms, size_t *size)
{
    entry_t *entry = find(self, key);
    if (entry && now_ms >= entry->until_ms) {
        drop(self, entry);
        entry = NULL;
    }
    if (!entry) return NULL;
    unlink_use(self, entry);
    link_newest(self, entry);
    *size = entry->size;
    return entry->value;
}

static void *copy_of(const void *bytes, size_t size)
{
    void *copy = malloc(size ? size : 1);
    assert(copy);
    if (size) memcpy(copy, bytes, size);
    return copy;
}

void pl_lru_put(pl_lru_t *self, const char *key, const void *value, size_t size, uint64_t until_ms)
{
    entry_t *old = find(self, key);
    if (old) drop(self, old);
    entry_t *entry = malloc(sizeof *entry);
    assert(entry);
    *entry = (entry_t){.until_ms = until_ms,
                       .key = copy_of(key, strlen(key) + 1),
                       .value = copy_of(value, size),
                       .size = size};
    entry_t **bucket = bucket_of(self, key);
    entry->next = *bucket;
    *bucket = entry;
    link_newest(self, entry);
    self->entries++;
    self->bytes += size_of(entry);
    while (self->oldest && (self->entries > self->entries_max || self->bytes > self->bytes_max))
        drop(self, self->oldest);
}

size_t pl_lru_count(const pl_lru_t *self)
{
    return self->entries;
}
