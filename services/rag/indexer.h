/* indexer.h - the ingest thread and its schedule: when the folder is scanned.
 *
 * At start, when it is asked for, some quiet time after something happened in the folder (so that a file being written
 * is left alone until it is whole), every rescan_ms in any case, and again soon when a scan met a
 * file that was changing under it.
 *
 * Threads: called on the home loop; done is called there.
 */
#ifndef RAG_INDEXER_H
#define RAG_INDEXER_H

#include <stdint.h>

#include "common/loop.h"
#include "services/rag/ingest.h"

enum {
    INDEXER_QUIET_MS = 250,     /* without a happening, before the scan */
    INDEXER_PATIENCE_MS = 2000, /* then the scan comes though happenings go on */
    INDEXER_UNSETTLED_MS = 500,
};

typedef struct {
    const char *folder;  /* borrowed, as long as the indexer lives */
    const char *library; /* likewise: what was ingested; NULL: there is none */
    size_t max_file_bytes;
    uint32_t pdf_timeout_ms;
    uint64_t rescan_ms;
} indexer_opts_t;

typedef struct indexer indexer_t;

/* After each scan; err is of the scan, and detail says what it was; report is borrowed. */
typedef void indexer_done_fn(void *arg, pl_err_t err, const char *detail,
                             const ingest_report_t *report);

/* Starts the first scan. index is borrowed, and the ingest thread's until destroy returns. */
indexer_t *indexer_new(pl_loop_t *home, index_writer_t *index, const indexer_opts_t *opts,
                       indexer_done_fn *done, void *arg);

/* Starts a scan now, or when the one under way is over. Returns its number: when the report of that
 * one or a later one comes, the index is of now. */
uint64_t indexer_scan(indexer_t *self);

/* Of the scan under way, or the last one: files looked at and in all. */
void indexer_progress(indexer_t *self, uint32_t *scanned, uint32_t *files);

/* The ingest thread's, on which the index may be read and written between scans. */
pl_loop_t *indexer_loop(indexer_t *self);

/* Waits for a scan under way; its report may come when the home loop goes on, or is destroyed:
 * done is not called any more then. */
void indexer_destroy(indexer_t **self_p);

#endif
