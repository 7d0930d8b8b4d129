/* ingest.h - brings the index up to date with the documents.
 *
 * One scan compares what there is with what the index knows, by path, size and time, and reads only
 * what differs. Its changes are committed together, those of a long one every INGEST_COMMIT_MS, so
 * that they are found, and survive a kill. What cannot be used is logged once for each state it is
 * met in, and skipped.
 *
 * Threads: one at a time; blocks on files. The progress may be read by any.
 */
#ifndef RAG_INGEST_H
#define RAG_INGEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "services/rag/folder.h"
#include "services/rag/format.h"
#include "services/rag/index.h"

enum { INGEST_COMMIT_MS = 2000 };

typedef struct {
    atomic_uint scanned, files; /* looked at so far; in all */
} ingest_progress_t;

typedef struct {
    size_t max_file_bytes;
    format_limits_t limits;
    ingest_progress_t *progress; /* NULL: nobody looks */
    bool tell_again;             /* log bad files known before, too: at a process's first scan */
} ingest_opts_t;

typedef struct {
    size_t added, changed, removed, bad; /* of this scan */
    bool unsettled;                      /* a file was being written: scan again soon */
    uint64_t number;                     /* of the scan, from 1 */
    index_stats_t index;                 /* after it */
} ingest_report_t;

/* folder: what there is. When opts->limits.stop says so it ends early, with what it has. PL_UNAVAILABLE with detail: the index could not be written and
 * is as of the last commit. */
pl_err_t ingest_run(index_writer_t *index, const folder_t *folder, const ingest_opts_t *opts,
                    int64_t wall_ms, ingest_report_t *report, char detail[INDEX_DETAIL_BYTES]);

#endif
