#include "services/rag/searcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/worker.h"

struct searcher {
    pl_loop_t *home;
    pl_worker_t *worker;
    index_reader_t *reader;
    searcher_done_fn *done;
    void *arg;
};

/* A search's travel to the thread and back; the asker is told even when the searcher has gone. */
typedef struct {
    index_reader_t *reader;
    pl_loop_t *home;
    searcher_done_fn *done;
    void *arg;
    search_t *search;
} errand_t;

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

search_t *search_new(const Pl__SearchQuery *message, const search_defaults_t *defaults)
{
    search_t *search = calloc(1, sizeof *search);
    assert(search);
    search->texts[search->count++] = copy_of(message->text);
    for (size_t i = 0; i < message->n_earlier && search->count < defaults->texts; i++)
        search->texts[search->count++] = copy_of(message->earlier[i]);
    search->lang = copy_of(message->lang);
    search->top_n = message->top_n ? message->top_n : defaults->top_n;
    if (search->top_n > INDEX_TOP_MAX) search->top_n = INDEX_TOP_MAX;
    search->strictness = message->strictness < 0 ? defaults->strictness : message->strictness;
    search->low = defaults->low;
    search->high = defaults->high;
    return search;
}

void search_destroy(search_t **self_p)
{
    search_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        free(self->texts[i]);
        free(self->vectors[i]);
    }
    free(self->lang);
    if (self->result) pl__search_result__free_unpacked(self->result, NULL);
    free(self);
}

static void take_back(void *arg)
{
    errand_t *errand = arg;
    errand->done(errand->arg, errand->search);
    free(errand);
}

static void do_search(void *arg)
{
    errand_t *errand = arg;
    search_t *search = errand->search;
    uint64_t started_us = pl_clock_us();
    index_query_t query = {
        .count = search->count,
        .dimensions = search->dimensions,
        .lang = search->lang,
        .top_n = search->top_n,
        .strictness = search->strictness,
        .low = search->low,
        .high = search->high,
    };
    for (size_t i = 0; i < search->count; i++) {
        query.texts[i] = search->texts[i];
        query.vectors[i] = search->vectors[i];
    }
    search->err = index_search(errand->reader, &query, &search->result, search->detail);
    search->took_us = pl_clock_us() - started_us;
    pl_loop_post(errand->home, take_back, errand);
}

searcher_t *searcher_new(pl_loop_t *home, index_reader_t *reader, searcher_done_fn *done, void *arg)
{
    searcher_t *self = malloc(sizeof *self);
    assert(self);
    *self = (searcher_t){.home = home, .reader = reader, .done = done, .arg = arg};
    self->worker = pl_worker_new("rag-search");
    return self;
}

void searcher_add(searcher_t *self, search_t **search_p)
{
    errand_t *errand = malloc(sizeof *errand);
    assert(errand);
    *errand = (errand_t){self->reader, self->home, self->done, self->arg, *search_p};
    *search_p = NULL;
    pl_loop_post(pl_worker_loop(self->worker), do_search, errand);
}

void searcher_destroy(searcher_t **self_p)
{
    searcher_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_worker_destroy(&self->worker);
    free(self);
}
