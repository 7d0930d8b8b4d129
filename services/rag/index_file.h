/* index_file.h - the index's file: its lock, its schema, and what is done when it is damaged.
 *
 * Tables: documents (what is known of each file), passages (their text), terms (FTS5 over passages),
 * vectors (of passages, 8 bits a dimension), meta (versions, and which space the vectors are of).
 *
 * Threads: one at a time.
 */
#ifndef RAG_INDEX_FILE_H
#define RAG_INDEX_FILE_H

#include <sqlite3.h>
#include <stddef.h>

#include "common/err.h"
#include "services/rag/index.h"
#include "services/rag/lexicon.h"

typedef struct {
    char *name;
    int lock_fd; /* -1: not locked */
    sqlite3 *db;
    lexicon_t *lexicon; /* of the connection */
} index_file_t;

/* For writing: makes the file and its folder when there is none, makes it anew when it is damaged or
 * of another version, and keeps others from writing it. PL_UNAVAILABLE, PL_INVALID: detail says
 * why. Close it in either case. */
pl_err_t index_file_open(index_file_t *self, const char *name, char detail[INDEX_DETAIL_BYTES]);
/* For reading, beside the one who writes. */
pl_err_t index_file_read(index_file_t *self, const char *name, char detail[INDEX_DETAIL_BYTES]);
void index_file_close(index_file_t *self);

/* Puts what SQLite says into detail. Returns PL_UNAVAILABLE. */
pl_err_t index_file_say(const index_file_t *self, char detail[INDEX_DETAIL_BYTES]);

#endif
