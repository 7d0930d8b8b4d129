/* library_disk.h - what the library does with files.
 *
 * No function follows a link that lies in the library. Errors are in errno.
 * Threads: any; blocks.
 */
#ifndef RAG_LIBRARY_DISK_H
#define RAG_LIBRARY_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_PATH_BYTES = 8192 };

/* Makes the folders above path (those below root). False: one is no folder, or cannot be made. */
bool disk_make_parents(const char *root, const char *path);
bool disk_make_folder(const char *path); /* with its parents; fine when it is there */

/* A file or a folder with all it holds; fine when there is none. */
bool disk_remove(const char *path);

/* Is there a regular file of that size and content? */
bool disk_holds(const char *path, uint64_t size, uint64_t hash);

/* Writes size bytes at offset, which makes the file when it is 0. */
bool disk_write_at(const char *path, uint64_t offset, const void *bytes, size_t size);

/* A small file's text, "" when there is none. */
void disk_read_text(const char *path, char *out, size_t out_bytes);

/* Calls keep with each file below folder, its path within it; those it returns false for are
 * removed, and then the folders that are empty. */
typedef bool disk_keep_fn(void *arg, const char *path);
bool disk_weed(const char *folder, disk_keep_fn *keep, void *arg);

typedef enum { DISK_NOTHING, DISK_FILE, DISK_FOLDER, DISK_OTHER } disk_kind_t;
disk_kind_t disk_kind(const char *path);

#endif
