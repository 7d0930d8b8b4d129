/* index.h - the index of the knowledge base: documents, their passages by word (SQLite's FTS5) and
 * by meaning (vectors).
 *
 * The file holds nothing that the documents do not, but for their vectors, which are made again: one
 * that is damaged, of another version or of another kind of index is thrown away and made anew. One
 * process at a time writes it.
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
#include "services/rag/passage.h"

enum {
    INDEX_DETAIL_BYTES = 256,
    INDEX_TEXTS_MAX = 32, /* of one query */
    INDEX_TOP_MAX = 50,   /* passages found, in all */
    INDEX_PROBLEMS_MAX = 1000,
};

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

/* A transaction's changes are seen by searches wholly or not at all. */
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
    uint32_t vectors;  /* passages that have one, or are refused one */
    size_t dimensions; /* of them; 0: not known */
} index_stats_t;
pl_err_t index_stats(index_writer_t *self, index_stats_t *out, char detail[INDEX_DETAIL_BYTES]);

/* What the index knows of the documents at or below a path. */
typedef struct {
    char *path, *problem; /* owned */
    bool bad;             /* it cannot be used at all */
} index_problem_t;
typedef struct {
    uint32_t documents, passages, bad;
    uint32_t problems;     /* in all */
    index_problem_t *list; /* the first INDEX_PROBLEMS_MAX of them, by path */
    size_t listed;
} index_summary_t;
pl_err_t index_summarize(index_writer_t *self, const char *path, index_summary_t *out,
                         char detail[INDEX_DETAIL_BYTES]);
void index_summary_free(index_summary_t *self);

/* ---- vectors, written ---- */

/* Of which space vectors are: name tells apart what cannot be compared (model, its options). When it
 * or, unless 0, dimensions are not those of the vectors there are, these are thrown away. Of its
 * own transaction. */
pl_err_t index_space(index_writer_t *self, const char *name, size_t dimensions, int64_t wall_ms,
                     char detail[INDEX_DETAIL_BYTES]);
/* The space's dimensions; 0: not known yet. */
size_t index_dimensions(const index_writer_t *self);
/* From now on vectors that documents bring are taken, if they have these dimensions; 0: none. */
void index_trust(index_writer_t *self, size_t dimensions);

typedef struct {
    int64_t id;
    char *title, *content; /* owned */
} index_wanting_t;

/* Passages without vector, with ids above after, in order; at most max. Free the texts of each. */
pl_err_t index_wanting(index_writer_t *self, int64_t after, size_t max, index_wanting_t *out,
                       size_t *count, char detail[INDEX_DETAIL_BYTES]);
/* Within a transaction. Of a passage that is gone: nothing. vector NULL, or without direction: it
 * shall have none. PL_INVALID: not of the space's dimensions (the first one settles them). */
pl_err_t index_vector(index_writer_t *self, int64_t id, const float *vector, size_t dimensions,
                      char detail[INDEX_DETAIL_BYTES]);

/* ---- searching ---- */

pl_err_t index_reader_open(index_reader_t **out, const char *file, char detail[INDEX_DETAIL_BYTES]);
void index_reader_close(index_reader_t **self_p);

typedef struct {
    const char *texts[INDEX_TEXTS_MAX]; /* the first is the question, the others what was before */
    const float *vectors[INDEX_TEXTS_MAX]; /* of the texts; NULL: that one's words alone */
    size_t count;
    size_t dimensions; /* of the vectors */
    const char *lang;
    uint32_t top_n;    /* for each text; INDEX_TOP_MAX in all */
    double strictness; /* least score */
    double low, high;  /* cosines that score 0 and 5 */
} index_query_t;

/* The best passages of at least that score, best first (fuse.h). *out is to be freed with
 * pl__search_result__free_unpacked. */
pl_err_t index_search(index_reader_t *self, const index_query_t *query, Pl__SearchResult **out,
                      char detail[INDEX_DETAIL_BYTES]);

/* Brings what is kept in memory up to date, so that the next search need not. */
pl_err_t index_refresh(index_reader_t *self, char detail[INDEX_DETAIL_BYTES]);

#endif
