#include "services/rag/rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void rank_free(rank_t *self)
{
    free(self->scores);
    *self = (rank_t){0};
}

static float weigh(double rows, double with)
{
    return (float)log(1 + (rows - with + 0.5) / (with + 0.5));
}

static float average(uint64_t total, size_t count)
{
    return total > 0 && count > 0 ? (float)total / (float)count : 1;
}

static void add_word(float *scores, const catalogue_t *catalogue, const postings_t *word,
                     float weight)
{
    float title = RANK_LENGTH / average(catalogue->title_total, catalogue->live);
    float content = RANK_LENGTH / average(catalogue->content_total, catalogue->live);
    for (size_t i = 0; i < word->count; i++) {
        const posting_t *at = &word->items[i];
        float hits = 0;
        if (at->title > 0)
            hits += RANK_TITLE * (float)at->title /
                    (1 - RANK_LENGTH + title * (float)catalogue->title_bytes[at->slot]);
        if (at->content > 0)
            hits += (float)at->content /
                    (1 - RANK_LENGTH + content * (float)catalogue->content_bytes[at->slot]);
        scores[at->slot] += weight * hits / (hits + RANK_SATURATION);
    }
}

static double rows_with(const catalogue_t *catalogue, const postings_t *word)
{
    if (catalogue->live == catalogue->slots) return (double)word->count;
    size_t with = 0;
    for (size_t i = 0; i < word->count; i++) with += !catalogue->gone[word->items[i].slot];
    return (double)with;
}

void rank_words(rank_t *self, const catalogue_t *catalogue, const postings_t *words, size_t count,
                best_t *best)
{
    if (catalogue->live == 0) return;
    if (catalogue->slots > self->room) {
        self->room = catalogue->slots * 2;
        free(self->scores);
        self->scores = malloc(self->room * sizeof *self->scores);
        assert(self->scores);
    }
    memset(self->scores, 0, catalogue->slots * sizeof *self->scores);
    double rows = (double)catalogue->live;
    float total = 0;
    for (size_t i = 0; i < count; i++) {
        double with = rows_with(catalogue, &words[i]);
        float weight = weigh(rows, fmax(with, 1));
        total += with > 0 ? weight : RANK_UNKNOWN * weight;
        add_word(self->scores, catalogue, &words[i], weight);
    }
    for (size_t slot = 0; slot < catalogue->slots && total > 0; slot++) {
        float score = self->scores[slot];
        if (score <= 0 || catalogue->gone[slot]) continue;
        score *= RANK_MAX / total;
        if (score > best_bar(best)) best_offer(best, (uint32_t)slot, score);
    }
    best_sort(best);
}
