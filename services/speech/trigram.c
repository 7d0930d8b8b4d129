#include "services/speech/trigram.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 1024, BITS = 10, BUCKETS = 4096, BEGIN = 0, END = 1 };

/* Keys of n-grams, words from the high bits to the low: sorted, those that begin alike are
 * neighbours. */
typedef struct {
    uint32_t *keys, *counts;
    size_t count, room;
} grams_t;

struct trigram {
    char *words[WORDS_MAX];
    size_t count;
    uint16_t buckets[BUCKETS];    /* word + 1; open addressing */
    uint32_t before, before_that; /* the last two words of the sentence */
    bool inside;                  /* a sentence has begun */
    grams_t uni, bi, tri;
    double probability[WORDS_MAX]; /* of single words */
};

static uint32_t word_id(trigram_t *self, const char *word, size_t bytes)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ (uint8_t)word[i]) * 16777619u;
    uint32_t at = hash % BUCKETS;
    for (; self->buckets[at]; at = (at + 1) % BUCKETS) {
        const char *known = self->words[self->buckets[at] - 1];
        if (strncmp(known, word, bytes) == 0 && known[bytes] == '\0')
            return (uint32_t)self->buckets[at] - 1;
    }
    assert(self->count < WORDS_MAX);
    self->words[self->count] = strndup(word, bytes);
    assert(self->words[self->count]);
    self->buckets[at] = (uint16_t)(self->count + 1);
    return (uint32_t)self->count++;
}

trigram_t *trigram_new(void)
{
    trigram_t *self = calloc(1, sizeof *self);
    assert(self);
    uint32_t begin = word_id(self, "<s>", 3), end = word_id(self, "</s>", 4);
    assert(begin == BEGIN && end == END);
    return self;
}

static void grams_free(grams_t *g)
{
    free(g->keys);
    free(g->counts);
}

void trigram_destroy(trigram_t **self_p)
{
    trigram_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) free(self->words[i]);
    grams_free(&self->uni);
    grams_free(&self->bi);
    grams_free(&self->tri);
    free(self);
}

/* ---- counting ---- */

static void add(grams_t *g, uint32_t key)
{
    if (g->count == g->room) {
        g->room = g->room ? 2 * g->room : 1024;
        g->keys = realloc(g->keys, g->room * sizeof *g->keys);
        assert(g->keys);
    }
    g->keys[g->count++] = key;
}

static void add_word(trigram_t *self, uint32_t word)
{
    add(&self->uni, word);
    add(&self->bi, self->before << BITS | word);
    if (self->before != BEGIN)
        add(&self->tri, self->before_that << 2 * BITS | self->before << BITS | word);
    self->before_that = self->before;
    self->before = word;
}

void trigram_word(trigram_t *self, const char *word, size_t bytes)
{
    if (!self->inside) self->before = self->before_that = BEGIN;
    self->inside = true;
    add_word(self, word_id(self, word, bytes));
}

void trigram_sentence_end(trigram_t *self)
{
    if (self->inside) add_word(self, END);
    self->inside = false;
}

size_t trigram_words(const trigram_t *self)
{
    return self->count - 2;
}

const char *trigram_word_at(const trigram_t *self, size_t i)
{
    return self->words[i + 2];
}

static int by_key(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts, and makes of repeated keys one with its count. */
static void tally(grams_t *g)
{
    if (g->counts || g->count == 0) return;
    qsort(g->keys, g->count, sizeof *g->keys, by_key);
    g->counts = calloc(g->count, sizeof *g->counts);
    assert(g->counts);
    size_t kept = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (i > 0 && g->keys[i] == g->keys[kept - 1]) {
            g->counts[kept - 1]++;
            continue;
        }
        g->keys[kept] = g->keys[i];
        g->counts[kept++] = 1;
    }
    g->count = kept;
}

/* ---- probabilities ---- */

/* What follows a context (a key without its last word): how often, and how many different. */
typedef struct {
    size_t first;
    double seen, different;
} context_t;

static context_t context_of(const grams_t *g, uint32_t context)
{
    size_t low = 0, high = g->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->keys[middle] >> BITS < context)
            low = middle + 1;
        else
            high = middle;
    }
    context_t c = {low, 0, 0};
    for (size_t i = low; i < g->count && g->keys[i] >> BITS == context; i++) {
        c.seen += g->counts[i];
        c.different++;
    }
    return c;
}

static double back_off(const context_t *c)
{
    return c->different > 0 ? c->different / (c->seen + c->different) : 1.0;
}

static double pair_probability(const trigram_t *self, size_t i)
{
    uint32_t key = self->bi.keys[i];
    context_t c = context_of(&self->bi, key >> BITS);
    double lower = self->probability[key & (WORDS_MAX - 1)];
    return (self->bi.counts[i] + c.different * lower) / (c.seen + c.different);
}

static size_t find(const grams_t *g, uint32_t key)
{
    const uint32_t *at = bsearch(&key, g->keys, g->count, sizeof key, by_key);
    assert(at);
    return (size_t)(at - g->keys);
}

/* ---- writing ---- */

static double log_of(double p)
{
    return log10(p > 1e-10 ? p : 1e-10);
}

static void write_words(trigram_t *self, FILE *out)
{
    double all = 0;
    for (size_t i = 0; i < self->uni.count; i++) all += self->uni.counts[i];
    context_t begin = context_of(&self->bi, BEGIN);
    (void)fprintf(out, "\n\\1-grams:\n-99 <s> %.4f\n", log_of(back_off(&begin)));
    for (size_t i = 0; i < self->uni.count; i++) {
        uint32_t word = self->uni.keys[i];
        context_t c = context_of(&self->bi, word);
        self->probability[word] = self->uni.counts[i] / all;
        (void)fprintf(out, "%.4f %s %.4f\n", log_of(self->probability[word]), self->words[word],
                      log_of(back_off(&c)));
    }
}

static void write_pairs(const trigram_t *self, double *probabilities, FILE *out)
{
    (void)fprintf(out, "\n\\2-grams:\n");
    for (size_t i = 0; i < self->bi.count; i++) {
        uint32_t key = self->bi.keys[i];
        context_t c = context_of(&self->tri, key);
        probabilities[i] = pair_probability(self, i);
        (void)fprintf(out, "%.4f %s %s %.4f\n", log_of(probabilities[i]), self->words[key >> BITS],
                      self->words[key & (WORDS_MAX - 1)], log_of(back_off(&c)));
    }
}

static void write_triples(const trigram_t *self, const double *pairs, FILE *out)
{
    (void)fprintf(out, "\n\\3-grams:\n");
    context_t c = {0, 0, 0};
    for (size_t i = 0; i < self->tri.count; i++) {
        uint32_t key = self->tri.keys[i];
        if (i == 0 || key >> BITS != self->tri.keys[i - 1] >> BITS)
            c = context_of(&self->tri, key >> BITS);
        double lower = pairs[find(&self->bi, key & ((1u << 2 * BITS) - 1))];
        double p = (self->tri.counts[i] + c.different * lower) / (c.seen + c.different);
        (void)fprintf(out, "%.4f %s %s %s\n", log_of(p), self->words[key >> 2 * BITS],
                      self->words[key >> BITS & (WORDS_MAX - 1)],
                      self->words[key & (WORDS_MAX - 1)]);
    }
}

void trigram_write(trigram_t *self, FILE *out)
{
    tally(&self->uni);
    tally(&self->bi);
    tally(&self->tri);
    double *pairs = calloc(self->bi.count + 1, sizeof *pairs);
    assert(pairs);
    (void)fprintf(out, "\\data\\\nngram 1=%zu\nngram 2=%zu\nngram 3=%zu\n", self->uni.count + 1,
                  self->bi.count, self->tri.count);
    write_words(self, out);
    write_pairs(self, pairs, out);
    write_triples(self, pairs, out);
    (void)fprintf(out, "\n\\end\\\n");
    free(pairs);
}
