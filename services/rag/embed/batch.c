#include "services/rag/embed/batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* ---- batches ---- */

batch_t *batch_new(void)
{
    batch_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void batch_free(batch_t **self_p)
{
    batch_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    embed_cancel(&self->call);
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].title);
        free(self->items[i].content);
    }
    free(self);
}

void batch_push(batch_t **list, batch_t *batch)
{
    batch->next = *list;
    *list = batch;
}

void batch_take_out(batch_t **list, const batch_t *batch)
{
    while (*list && *list != batch) list = &(*list)->next;
    if (*list) *list = batch->next;
}

void batch_free_all(batch_t **list)
{
    while (*list) {
        batch_t *batch = *list;
        *list = batch->next;
        batch_free(&batch);
    }
}

batch_t *batch_split(batch_t *self)
{
    batch_t *half = batch_new();
    half->count = self->count / 2;
    self->count -= half->count;
    memcpy(half->items, self->items + self->count, half->count * sizeof *half->items);
    return half;
}

size_t batch_texts(const batch_t *self, char *out[EMBED_TEXTS_MAX])
{
    if (self->probe) {
        out[0] = strdup("probe");
        assert(out[0]);
        return 1;
    }
    for (size_t i = 0; i < self->count; i++) {
        size_t room = strlen(self->items[i].title) + strlen(self->items[i].content) + 2;
        out[i] = malloc(room);
        assert(out[i]);
        (void)snprintf(out[i], room, "%s\n%s", self->items[i].title, self->items[i].content);
    }
    return self->count;
}

/* ---- how errands find back ---- */

struct batch_home {
    pl_loop_t *loop;
    batch_back_fn *back; /* NULL: closed */
    void *arg;
    size_t kept;
};

batch_home_t *batch_home_new(pl_loop_t *loop, batch_back_fn *back, void *arg)
{
    batch_home_t *self = malloc(sizeof *self);
    assert(self);
    *self = (batch_home_t){loop, back, arg, 1};
    return self;
}

batch_home_t *batch_home_keep(batch_home_t *self)
{
    self->kept++;
    return self;
}

static void let_go(batch_home_t *self)
{
    if (--self->kept == 0) free(self);
}

void batch_home_close(batch_home_t **self_p)
{
    batch_home_t *self = *self_p;
    *self_p = NULL;
    self->back = NULL;
    let_go(self);
}

/* ---- errands ---- */

static void come_back(void *arg)
{
    batch_errand_t *errand = arg;
    if (errand->link->back) errand->link->back(errand->link->arg, errand);
    let_go(errand->link);
    batch_free(&errand->batch);
    free(errand->body);
    free(errand);
}

static pl_err_t put_vectors(batch_errand_t *self, const float *vectors, size_t dimensions)
{
    pl_err_t err = index_begin(self->index, self->detail);
    for (size_t i = 0; !err && i < self->batch->count; i++) {
        const float *vector = vectors ? vectors + i * dimensions : NULL;
        err = index_vector(self->index, self->batch->items[i].id, vector, dimensions, self->detail);
    }
    if (!err) err = index_commit(self->index, true, pl_clock_wall_ms(), self->detail);
    if (err) index_rollback(self->index);
    return err;
}

static pl_err_t store(batch_errand_t *self)
{
    float *vectors = NULL;
    size_t dimensions = 0;
    pl_err_t err = embed_answer_read(self->body, self->bytes, self->batch->count, &vectors,
                                     &dimensions, self->detail);
    size_t known = index_dimensions(self->index);
    if (!err && known != 0 && known != dimensions && self->asked == 0) {
        err = index_space(self->index, self->space, dimensions, pl_clock_wall_ms(), self->detail);
        self->emptied = !err;
    }
    if (!err) err = put_vectors(self, vectors, dimensions);
    free(vectors);
    return err;
}

static pl_err_t fetch(batch_errand_t *self)
{
    pl_err_t err =
        index_space(self->index, self->space, self->asked, pl_clock_wall_ms(), self->detail);
    if (err) return err;
    return index_wanting(self->index, self->after, self->max, self->batch->items,
                         &self->batch->count, self->detail);
}

void batch_errand_run(void *arg)
{
    batch_errand_t *self = arg;
    char ignored[INDEX_DETAIL_BYTES];
    switch (self->kind) {
    case BATCH_FETCH:
        self->err = fetch(self);
        break;
    case BATCH_STORE:
        self->err = store(self);
        break;
    case BATCH_REFUSE:
        self->err = put_vectors(self, NULL, 0);
        break;
    }
    index_trust(self->index, self->trust ? index_dimensions(self->index) : 0);
    (void)index_stats(self->index, &self->stats, ignored);
    pl_loop_post(self->link->loop, come_back, self);
}
