/* library.h - the documents that were ingested: a folder that rag itself keeps, collection by
 * collection, each a folder or a single file.
 *
 * What comes in is kept apart (.incoming/<session>) until the commit, which moves each file to its
 * place by renaming and removes what a folder does not hold any more. A kill in the middle leaves
 * whole files, and the same ingestion again completes it. Files that are there already with the same
 * content are not wanted. Names come from outside: they never lead out of the collection, nor
 * through a link.
 *
 * Threads: one at a time; blocks on files. Time is the caller's.
 */
#ifndef RAG_LIBRARY_H
#define RAG_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
    LIBRARY_SESSIONS_MAX = 8,
    LIBRARY_IDLE_MS = 10 * 60 * 1000, /* a session that is silent so long is forgotten */
    LIBRARY_DETAIL_BYTES = 512,
    LIBRARY_NAME_BYTES = 256,
    LIBRARY_SESSION_BYTES = 65,
};

typedef struct library library_t;

typedef struct {
    uint64_t file_bytes, session_bytes;
    size_t files; /* of a session */
} library_limits_t;

/* Makes the folder when there is none, and forgets what was not committed. PL_UNAVAILABLE: detail
 * says why it cannot be used. */
pl_err_t library_new(library_t **out, const char *root, const library_limits_t *limits,
                     char detail[LIBRARY_DETAIL_BYTES]);
void library_destroy(library_t **self_p);

/* All below: PL_INVALID, PL_NOT_FOUND (no such session: it was forgotten), PL_BUSY (too many
 * sessions), PL_UNAVAILABLE (the disk): detail says why, for people. */

/* A session that is there already stays as it is. origin: of the collection; one that came from
 * elsewhere is left alone (PL_INVALID) unless replace is true. */
pl_err_t library_begin(library_t *self, const char *session, const char *name, bool folder,
                       const char *origin, bool replace, uint64_t now_ms,
                       char detail[LIBRARY_DETAIL_BYTES]);

typedef enum { LIBRARY_WANTED, LIBRARY_THERE, LIBRARY_REFUSED } library_answer_t;

/* A file of the collection. LIBRARY_REFUSED: *problem says why it is not taken; the session goes on
 * without it. */
pl_err_t library_offer(library_t *self, const char *session, const char *path, uint64_t size,
                       uint64_t hash, uint64_t now_ms, library_answer_t *answer,
                       const char **problem, char detail[LIBRARY_DETAIL_BYTES]);

/* The next piece of a wanted file; one that was taken already is fine. */
pl_err_t library_data(library_t *self, const char *session, const char *path, uint64_t offset,
                      const void *bytes, size_t size, uint64_t now_ms,
                      char detail[LIBRARY_DETAIL_BYTES]);

/* PL_INVALID names the first wanted file that did not come whole; nothing is changed then. */
pl_err_t library_commit(library_t *self, const char *session, uint64_t now_ms,
                        char detail[LIBRARY_DETAIL_BYTES]);

/* The name of the session's collection; "" when there is no such session. */
void library_name(const library_t *self, const char *session, char out[LIBRARY_NAME_BYTES]);

/* PL_NOT_FOUND: there is no such collection. */
pl_err_t library_remove(library_t *self, const char *name, char detail[LIBRARY_DETAIL_BYTES]);

void library_expire(library_t *self, uint64_t now_ms);

/* May this be a file's path within a collection, or a collection's name? */
bool library_is_path(const char *path);
bool library_is_name(const char *name);

#endif
