/* folder.h - what is in the knowledge folder: its documents, and what of it cannot be read.
 *
 * Files are those of a known format (format.h); names that begin with a dot are left out (editors'
 * and mounts' own business), other kinds are ignored. Links are followed, as Kubernetes mounts its
 * files as links; a folder met twice (a link back up) is reported and not entered again.
 *
 * Threads: any. Paths are within the folder, "printers/paper.md".
 */
#ifndef RAG_FOLDER_H
#define RAG_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
    FOLDER_DEPTH_MAX = 16,
    FOLDER_FILES_MAX = 100000,
    FOLDER_PATH_BYTES = 4096,
};

typedef struct {
    char *path;
    const char *root; /* the folder it is in; borrowed from who scanned */
    int64_t size, mtime_ns;
    char *problem; /* NULL: none */
} folder_file_t;

typedef struct {
    folder_file_t *files; /* ordered by path (strcmp) */
    size_t count, room;
    char **folders; /* itself and all below, full paths, for the watcher */
    size_t folder_count, folder_room;
    size_t others; /* files of no known format */
} folder_t;

/* PL_NOT_FOUND: it cannot be opened (errno says why); *out is empty then. Free with folder_free in
 * either case. */
pl_err_t folder_scan(folder_t *out, const char *path);
void folder_free(folder_t *self);

/* Moves what is in with into self. Of two files of one path with's stays. with is empty then. */
void folder_join(folder_t *self, folder_t *with);

#endif
