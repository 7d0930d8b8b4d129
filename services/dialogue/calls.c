#include "services/dialogue/calls.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 }; /* a power of two */

typedef struct entry {
    struct entry *next;
    actor_t *actor;
    char *call_id;
    bool alias; /* another entry stands for the actor */
} entry_t;

struct calls {
    entry_t *buckets[BUCKETS];
    size_t count; /* of actors */
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

static void put(calls_t *self, actor_t *actor, const char *id, bool alias)
{
    entry_t *entry = malloc(sizeof *entry);
    char *copy = strdup(id);
    assert(entry && copy);
    size_t i = bucket_of(id);
    *entry = (entry_t){.next = self->buckets[i], .actor = actor, .call_id = copy, .alias = alias};
    self->buckets[i] = entry;
}

void calls_add(calls_t *self, actor_t *actor)
{
    put(self, actor, call_id(actor_call(actor)), false);
    self->count++;
}

void calls_alias(calls_t *self, actor_t *actor, const char *id)
{
    if (!calls_find(self, id)) put(self, actor, id, true);
}

actor_t *calls_find(const calls_t *self, const char *id)
{
    for (const entry_t *e = self->buckets[bucket_of(id)]; e; e = e->next) {
        if (strcmp(e->call_id, id) == 0) return e->actor;
    }
    return NULL;
}

static void take_out(calls_t *self, const actor_t *actor)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        entry_t **link = &self->buckets[i];
        while (*link) {
            entry_t *entry = *link;
            if (entry->actor != actor) {
                link = &entry->next;
                continue;
            }
            *link = entry->next;
            free(entry->call_id);
            free(entry);
        }
    }
}

void calls_remove(calls_t *self, actor_t *actor)
{
    take_out(self, actor);
    self->count--;
    actor_destroy(&actor);
}

size_t calls_count(const calls_t *self)
{
    return self->count;
}

void calls_each(const calls_t *self, void (*fn)(void *arg, actor_t *actor), void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const entry_t *e = self->buckets[i]; e; e = e->next) {
            if (!e->alias) fn(arg, e->actor);
        }
    }
}
