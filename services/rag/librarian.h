/* librarian.h - ingestion over the bus: each step to the library's thread and back, then the scan
 * that brings the index up to date, and what came of it.
 *
 * Threads: on the home loop; the library has a thread of its own (rag-library).
 */
#ifndef RAG_LIBRARIAN_H
#define RAG_LIBRARIAN_H

#include "common/bus.h"
#include "common/loop.h"
#include "services/rag/indexer.h"
#include "services/rag/library.h"

typedef struct librarian librarian_t;

typedef struct {
    pl_loop_t *home;
    library_t *library;  /* the librarian's from now on; NULL: it cannot be used */
    const char *problem; /* why; borrowed */
    indexer_t *indexer;
    index_writer_t *index;
    /* Fills in what is known of vectors and of the last scan. */
    void (*fill_in)(void *arg, Pl__IngestState *state);
    void *arg;
} librarian_opts_t;

librarian_t *librarian_new(const librarian_opts_t *opts); /* never NULL */
/* The indexer's thread has ended by then. What is still at work is refused. */
void librarian_destroy(librarian_t **self_p);

/* Handles one step. Takes *request_p. */
void librarian_step(librarian_t *self, const Pl__Ingest *step, pl_request_t **request_p);

void librarian_scanned(librarian_t *self, uint64_t number); /* that scan is over */

#endif
