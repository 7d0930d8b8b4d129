/* ingest_files.h - the documents at a path: which there are, and what each is told by.
 *
 * Threads: the main one; blocks on files.
 */
#ifndef PARLEY_INGEST_FILES_H
#define PARLEY_INGEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/rag/folder.h"

enum { INGEST_NAME_BYTES = 256, INGEST_ORIGIN_BYTES = 1024 };

typedef struct {
    char root[FOLDER_PATH_BYTES];     /* the files' paths are within it */
    char name[INGEST_NAME_BYTES];     /* of the collection */
    char origin[INGEST_ORIGIN_BYTES]; /* "host:/path" */
    bool is_folder;
    folder_t files;
    uint64_t *hashes; /* by file; good where the file has no problem */
} ingest_files_t;

/* name: of the collection; NULL: the path's last part. False: why says why not. */
bool ingest_files_list(ingest_files_t *out, const char *path, const char *name,
                       char why[FOLDER_PATH_BYTES]);
void ingest_files_free(ingest_files_t *self);

/* Reads the file and notes its size and hash, or its problem. */
void ingest_files_hash(ingest_files_t *self, size_t i);

/* Opens it; -1: errno. */
int ingest_files_open(const ingest_files_t *self, size_t i);

#endif
