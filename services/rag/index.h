/* index.h - the index of the knowledge folder: documents and their passages in SQLite's FTS5.
 *
 * The file holds nothing that the folder does not: one that is damaged, of another version or of
 * another kind of index is thrown away and made anew. One process at a time writes it.
 *
 * Threads: the index (writing) on the ingest thread, the reader on the search thread; open and
 * close anywhere while these rest.
 * Source: https://www.sqlite.org/fts5.html
 */
#ifndef RAG_INDEX_H
#define RAG_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "rag.pb-c.h"
#include "services/rag/document.h"
#include "services/rag/passage.h"
#include "services/rag/query.h"

enum { INDEX_DETAIL_BYTES = 256 };

typedef struct index_writer index_writer_t;
typedef struct index_reader index_reader_t;

/* What the index knows of a file. */
typedef struct {
    char *path; /* within the folder; owned */
    int64_t size, mtime_ns;
    uint64_t hash;
    bool bad;      /* cannot be used; known so that it is not read again and again */
    char *problem; /* why, or what of it cannot; "" or NULL: nothing; owned */
} index_entry_t;

/* ---- writing ---- */

/* Makes the file and its folder when there is none. PL_UNAVAILABLE: detail names the file. */
pl_err_t index_writer_open(index_writer_t **out, const char *file, char detail[INDEX_DETAIL_BYTES]);
void index_writer_close(index_writer_t **self_p);

/* All entries, ordered by path (strcmp). Free them with index_entries_free. */
pl_err_t index_entries(index_writer_t *self, index_entry_t **out, size_t *count,
                       char detail[INDEX_DETAIL_BYTES]);

void index_entries_free(index_entry_t *entries, size_t count);

/* A scan's changes belong to one transaction, which searches see wholly or not at all. */
pl_err_t index_begin(index_writer_t *self, char detail[INDEX_DETAIL_BYTES]);
/* A file's entry, in place of the one of its path and its passages. Its own passages, if any, are
 * added now. */
pl_err_t index_put(index_writer_t *self, const index_entry_t *entry,
                   char detail[INDEX_DETAIL_BYTES]);
/* A passage of the entry put last; a passage_fn with the writer as arg. What goes wrong is told by
 * index_put_end. */
void index_add(void *self, const passage_t *passage);
/* Its passages are all there. problem: as in index_entry_t. */
pl_err_t index_put_end(index_writer_t *self, const char *problem, char detail[INDEX_DETAIL_BYTES]);
/* The same text under new size and time. */
pl_err_t index_touch(index_writer_t *self, const index_entry_t *entry,
                     char detail[INDEX_DETAIL_BYTES]);
pl_err_t index_remove(index_writer_t *self, const char *path, char detail[INDEX_DETAIL_BYTES]);
/* new_version: searches may find something else now. */
pl_err_t index_commit(index_writer_t *self, bool new_version, int64_t wall_ms,
                      char detail[INDEX_DETAIL_BYTES]);
void index_rollback(index_writer_t *self);

typedef struct {
    uint64_t version;
    uint32_t documents, bad, passages;
} index_stats_t;
pl_err_t index_stats(index_writer_t *self, index_stats_t *out, char detail[INDEX_DETAIL_BYTES]);

/* ---- searching ---- */

pl_err_t index_reader_open(index_reader_t **out, const char *file, char detail[INDEX_DETAIL_BYTES]);
void index_reader_close(index_reader_t **self_p);

/* The best top_n passages with at least that score, best first (rank.h). *out is to be freed with
 * pl__search_result__free_unpacked. */
pl_err_t index_search(index_reader_t *self, const query_t *query, uint32_t top_n, double strictness,
                      Pl__SearchResult **out, char detail[INDEX_DETAIL_BYTES]);

#endif
