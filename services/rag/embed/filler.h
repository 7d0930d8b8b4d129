/* filler.h - gives the passages their vectors, in the background: batches of those without one, to
 * the embeddings server and into the index, until all have one.
 *
 * What is known survives a kill: a passage has its vector or has not. A server that fails is asked
 * again, after pauses that grow, or when it says; a batch it refuses is halved until the text that
 * is to blame stands alone, which is left without vector once another text shows that the server
 * takes any. The index is used meanwhile.
 *
 * Threads: on the home loop; reads and writes the index on the ingest thread's.
 */
#ifndef RAG_EMBED_FILLER_H
#define RAG_EMBED_FILLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"
#include "services/rag/embed/server.h"
#include "services/rag/index.h"

typedef struct {
    size_t batch;    /* texts of a request */
    size_t parallel; /* requests at once */
    uint32_t timeout_ms;
    bool trust; /* take the vectors that documents bring */
} filler_opts_t;

typedef struct {
    size_t filled, refused; /* since the start */
    index_stats_t index;    /* after the last errand there; version 0: none yet */
    bool busy;              /* at it, or waiting to be */
    const char *problem;    /* "" or why the server is waited for */
} filler_state_t;

typedef struct filler filler_t;

/* changed: after each write and each change of problem; on the home loop. index is the ingest
 * thread's. */
filler_t *filler_new(pl_loop_t *home, pl_loop_t *ingest, index_writer_t *index,
                     embed_server_t *server, const filler_opts_t *opts, void (*changed)(void *arg),
                     void *arg);
/* When the ingest thread has ended, and the home loop will run what it posted. */
void filler_destroy(filler_t **self_p);

void filler_kick(filler_t *self); /* there may be passages without vector */

/* Borrowed until the home loop goes on. */
filler_state_t filler_state(const filler_t *self);

#endif
