/* ingest.h - brings the index up to date with the folder.
 *
 * One scan compares what is in the folder with what the index knows, by path, size and time, reads
 * only what differs, and changes the index in one transaction. A folder that cannot be read at all
 * (unmounted, say) changes nothing: what is known stays findable. What cannot be used is logged
 * once for each state it is met in, and skipped.
 *
 * Threads: one at a time; blocks on files.
 */
#ifndef RAG_INGEST_H
#define RAG_INGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "services/rag/folder.h"
#include "services/rag/format.h"
#include "services/rag/index.h"

typedef struct {
    const char *folder;
    size_t max_file_bytes;
    format_limits_t limits;
    bool tell_again; /* log bad files known before, too: at a process's first scan */
} ingest_opts_t;

typedef struct {
    size_t added, changed, removed, bad; /* of this scan */
    bool unsettled;                      /* a file was being written: scan again soon */
    index_stats_t index;                 /* after it */
} ingest_report_t;

/* folder: the scan of opts->folder. When opts->limits.stop says so it ends early, with what it has. PL_UNAVAILABLE with detail: the index could not be written and
 * is as it was. */
pl_err_t ingest_run(index_writer_t *index, const folder_t *folder, const ingest_opts_t *opts,
                    int64_t wall_ms, ingest_report_t *report, char detail[INDEX_DETAIL_BYTES]);

#endif
