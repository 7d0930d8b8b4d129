#include "services/dialogue/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 }; /* a power of two */

typedef struct entry {
    struct entry *next;
    actor_t *actor;
} entry_t;

struct calls {
    entry_t *buckets[BUCKETS];
    size_t count;
};

/* FNV-1a. Source: draft-eastlake-fnv. */
static size_t bucket_of(const char *call_id)
{
    uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char *p = (const unsigned char *)call_id; *p; p++) {
        hash = (hash ^ *p) * 1099511628211ULL;
    }
    return (size_t)(hash & (BUCKETS - 1));
}

calls_t *calls_new(void)
{
    calls_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void calls_destroy(calls_t **self_p)
{
    calls_t *self = *self_p;
    if (!self) return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (self->buckets[i]) calls_remove(self, self->buckets[i]->actor);
    }
    free(self);
    *self_p = NULL;
}

void calls_add(calls_t *self, actor_t *actor)
{
    entry_t *entry = malloc(sizeof *entry);
    assert(entry);
    size_t i = bucket_of(call_id(actor_call(actor)));
    *entry = (entry_t){.next = self->buckets[i], .actor = actor};
    self->buckets[i] = entry;
    self->count++;
}

actor_t *calls_find(const calls_t *self, const char *id)
{
    for (const entry_t *e = self->buckets[bucket_of(id)]; e; e = e->next) {
        if (strcmp(call_id(actor_call(e->actor)), id) == 0) return e->actor;
    }
    return NULL;
}

void calls_remove(calls_t *self, actor_t *actor)
{
    entry_t **link = &self->buckets[bucket_of(call_id(actor_call(actor)))];
    while (*link && (*link)->actor != actor) link = &(*link)->next;
    assert(*link);
    entry_t *entry = *link;
    *link = entry->next;
    self->count--;
    actor_destroy(&entry->actor);
    free(entry);
}

size_t calls_count(const calls_t *self)
{
    return self->count;
}

void calls_each(const calls_t *self, void (*fn)(void *arg, actor_t *actor), void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const entry_t *e = self->buckets[i]; e; e = e->next) fn(arg, e->actor);
    }
}
