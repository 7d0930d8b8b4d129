/* postings.h - which passages hold a term and how often, from FTS5, kept in memory.
 *
 * FTS5 takes about a microsecond for each passage that holds a word, so that a question of common
 * words costs tenths of a second over 50,000; a list that is kept costs some nanoseconds. Lists are
 * never stale: passages that came since are read behind those that are known. The least recently
 * used ones make room for others.
 *
 * Threads: one at a time, that of the connection.
 */
#ifndef RAG_POSTINGS_H
#define RAG_POSTINGS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/rag/catalogue.h"

enum { POSTINGS_BYTES = 96 * 1024 * 1024 }; /* all lists together, about */

typedef struct {
    uint32_t slot;
    uint8_t title, content; /* hits, 255 and more as 255 */
} posting_t;

typedef struct {
    const posting_t *items; /* by slot; some may be gone */
    size_t count;
} postings_t;

typedef struct postings_cache postings_cache_t;

/* catalogue is borrowed. Returns a code of SQLite. */
int postings_new(postings_cache_t **out, sqlite3 *db, const catalogue_t *catalogue);
void postings_destroy(postings_cache_t **self_p);

/* beginning: also of longer words that begin so. The list is good until postings_trim. Returns a code
 * of SQLite. */
int postings_get(postings_cache_t *self, const char *term, bool beginning, postings_t *out);

/* Forgets what is too much. */
void postings_trim(postings_cache_t *self);

#endif
