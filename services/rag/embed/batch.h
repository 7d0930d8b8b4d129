/* batch.h - some passages on their way to a vector each, and the errands that take them from the
 * index and put their vectors there.
 *
 * Threads: batches on the home loop, but for the one an errand carries, which is the ingest
 * thread's meanwhile.
 */
#ifndef RAG_EMBED_BATCH_H
#define RAG_EMBED_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"
#include "services/rag/embed/server.h"
#include "services/rag/index.h"

typedef struct batch batch_t;
struct batch {
    batch_t *next; /* in its list */
    void *owner;
    index_wanting_t items[EMBED_TEXTS_MAX];
    size_t count;
    bool probe; /* no passages: does the server take any text? */
    embed_call_t *call;
};

batch_t *batch_new(void);            /* never NULL */
void batch_free(batch_t **self_p);   /* NULL is fine; cancels its call */
void batch_free_all(batch_t **list); /* and empties it */
batch_t *batch_split(batch_t *self); /* takes half of it; count is at least 2 */
void batch_push(batch_t **list, batch_t *batch);
void batch_take_out(batch_t **list, const batch_t *batch);

/* The texts to send, each a passage with its title; free() each. Returns how many. */
size_t batch_texts(const batch_t *self, char *out[EMBED_TEXTS_MAX]);

/* ---- errands ---- */

typedef enum { BATCH_FETCH, BATCH_STORE, BATCH_REFUSE } batch_kind_t;

typedef struct batch_errand batch_errand_t;
typedef struct batch_home batch_home_t;

/* How errands find back: kept by each of them; once closed they end without a word. */
typedef void batch_back_fn(void *arg, batch_errand_t *errand);
batch_home_t *batch_home_new(pl_loop_t *loop, batch_back_fn *back, void *arg);
batch_home_t *batch_home_keep(batch_home_t *self);
void batch_home_close(batch_home_t **self_p);

struct batch_errand {
    batch_kind_t kind;
    batch_home_t *link; /* a kept one */
    index_writer_t *index;
    const char *space; /* lives as long as the ingest thread */
    size_t asked;      /* dimensions of the configuration; 0: the model's */
    bool trust;        /* take the vectors that documents bring */
    int64_t after;     /* fetch: passages above it */
    size_t max;
    char *body; /* store: the server's answer; owned */
    size_t bytes;
    batch_t *batch; /* owned; filled by fetch */

    pl_err_t err;
    bool emptied; /* the model gives other sizes than it did: all vectors were thrown away */
    index_stats_t stats;
    char detail[INDEX_DETAIL_BYTES];
};

/* On the ingest thread: does it, and posts it home, where back is called; then it is freed, with
 * what it still owns. Takes the errand. */
void batch_errand_run(void *errand);

#endif
