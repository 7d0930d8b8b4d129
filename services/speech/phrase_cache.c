#include "services/speech/phrase_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, SAID_ONCE = 4096 };

typedef struct entry {
    struct entry *next;          /* in the bucket */
    struct entry *newer, *older; /* by use */
    char *key;
    phrase_t *phrase;
    size_t bytes;
} entry_t;

struct phrase_cache {
    size_t max_bytes, bytes, count;
    entry_t *buckets[BUCKETS];
    entry_t *newest, *oldest;
    uint32_t said[SAID_ONCE]; /* hashes of keys said once, by their remainder */
};

/* ---- phrases ---- */

phrase_t *phrase_new(void)
{
    phrase_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void phrase_add(phrase_t *self, clip_t *clip)
{
    if (clip->samples == 0 || self->samples > PHRASE_SAMPLES_MAX) return; /* dropped later */
    self->clips = realloc(self->clips, (self->clip_count + 1) * sizeof(clip_t *));
    assert(self->clips);
    self->clips[self->clip_count++] = clip_hold(clip);
    self->samples += clip->samples;
}

void phrase_add_word(phrase_t *self, size_t bytes, size_t samples)
{
    self->words = realloc(self->words, (self->word_count + 1) * sizeof *self->words);
    assert(self->words);
    self->words[self->word_count++] = (phrase_word_t){bytes, samples};
}

void phrase_destroy(phrase_t **self_p)
{
    phrase_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->clip_count; i++) clip_drop(&self->clips[i]);
    free(self->clips);
    free(self->words);
    free(self);
}

/* ---- entries ---- */

static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *key; key++) hash = (hash ^ (unsigned char)*key) * 16777619U;
    return hash ? hash : 1;
}

static entry_t *entry_find(const phrase_cache_t *self, const char *key)
{
    entry_t *e = self->buckets[hash_of(key) % BUCKETS];
    while (e && strcmp(e->key, key) != 0) e = e->next;
    return e;
}

static void unlink_use(phrase_cache_t *self, entry_t *e)
{
    *(e->newer ? &e->newer->older : &self->newest) = e->older;
    *(e->older ? &e->older->newer : &self->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(phrase_cache_t *self, entry_t *e)
{
    e->older = self->newest;
    if (self->newest) self->newest->newer = e;
    self->newest = e;
    if (!self->oldest) self->oldest = e;
}

static void drop(phrase_cache_t *self, entry_t *e)
{
    entry_t **at = &self->buckets[hash_of(e->key) % BUCKETS];
    while (*at != e) at = &(*at)->next;
    *at = e->next;
    unlink_use(self, e);
    self->bytes -= e->bytes;
    self->count--;
    phrase_destroy(&e->phrase);
    free(e->key);
    free(e);
}

/* ---- the cache ---- */

phrase_cache_t *phrase_cache_new(size_t max_bytes)
{
    phrase_cache_t *self = calloc(1, sizeof *self);
    assert(self);
    self->max_bytes = max_bytes;
    return self;
}

void phrase_cache_destroy(phrase_cache_t **self_p)
{
    phrase_cache_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->oldest) drop(self, self->oldest);
    free(self);
}

bool phrase_cache_has(const phrase_cache_t *self, const char *key)
{
    return entry_find(self, key) != NULL;
}

const phrase_t *phrase_cache_find(phrase_cache_t *self, const char *key)
{
    entry_t *e = entry_find(self, key);
    if (!e) return NULL;
    unlink_use(self, e);
    link_newest(self, e);
    return e->phrase;
}

bool phrase_cache_wants(phrase_cache_t *self, const char *key, bool again)
{
    if (self->max_bytes == 0 || entry_find(self, key)) return false;
    uint32_t hash = hash_of(key);
    uint32_t *said = &self->said[hash % SAID_ONCE];
    bool twice = *said == hash;
    *said = hash;
    return twice || again;
}

void phrase_cache_put(phrase_cache_t *self, const char *key, phrase_t **phrase_p)
{
    phrase_t *phrase = *phrase_p;
    *phrase_p = NULL;
    size_t bytes = phrase->samples * sizeof(int16_t) + phrase->clip_count * sizeof(clip_t) +
                   phrase->word_count * sizeof(phrase_word_t) + strlen(key) + sizeof(entry_t);
    bool fits = phrase->samples > 0 && phrase->samples <= PHRASE_SAMPLES_MAX &&
                bytes <= self->max_bytes && !entry_find(self, key);
    if (!fits) {
        phrase_destroy(&phrase);
        return;
    }
    while (self->bytes + bytes > self->max_bytes) drop(self, self->oldest);
    entry_t *e = calloc(1, sizeof *e);
    assert(e);
    e->key = strdup(key);
    assert(e->key);
    e->phrase = phrase;
    e->bytes = bytes;
    entry_t **bucket = &self->buckets[hash_of(key) % BUCKETS];
    e->next = *bucket;
    *bucket = e;
    link_newest(self, e);
    self->bytes += bytes;
    self->count++;
}

size_t phrase_cache_bytes(const phrase_cache_t *self)
{
    return self->bytes;
}

size_t phrase_cache_count(const phrase_cache_t *self)
{
    return self->count;
}
