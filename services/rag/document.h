/* document.h - reads a file of the knowledge base, if it is whole.
 *
 * Threads: any.
 */
#ifndef RAG_DOCUMENT_H
#define RAG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { DOCUMENT_PROBLEM_BYTES = 160 };

typedef struct {
    char *text; /* as it is in the file, NUL behind it; owned */
    size_t bytes;
    int64_t size, mtime_ns; /* of the file while it was read */
} document_t;

typedef enum {
    DOCUMENT_OK,
    DOCUMENT_BAD,     /* problem says why, for people */
    DOCUMENT_CHANGED, /* somebody is writing it: come back later */
    DOCUMENT_GONE,
} document_result_t;

document_result_t document_read(document_t *out, const char *path, size_t max_bytes,
                                char problem[DOCUMENT_PROBLEM_BYTES]);
void document_free(document_t *self);

int64_t document_mtime_ns(const struct stat *info);
uint64_t document_hash(uint64_t seed, const void *bytes, size_t size); /* FNV-1a, 64 bits */
#define DOCUMENT_HASH_SEED 0xcbf29ce484222325u

#endif
