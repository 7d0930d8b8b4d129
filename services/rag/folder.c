#include "services/rag/folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "services/rag/document.h"
#include "services/rag/encoding.h"
#include "services/rag/format.h"

typedef struct {
    dev_t device;
    ino_t inode;
} place_t;

typedef struct {
    folder_t *out;
    const char *root;
    place_t *entered; /* folders, each entered once */
    size_t count, room;
} walk_t;

static void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) return items;
    *room = *room ? *room * 2 : 32;
    void *grown = realloc(items, *room * size);
    assert(grown);
    return grown;
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

static void add_file(walk_t *self, const char *path, const struct stat *info, const char *problem)
{
    folder_t *out = self->out;
    if (out->count >= FOLDER_FILES_MAX) return;
    out->files = grow(out->files, out->count, &out->room, sizeof *out->files);
    folder_file_t file = {.path = copy_of(path), .root = self->root};
    if (info) {
        file.size = (int64_t)info->st_size;
        file.mtime_ns = document_mtime_ns(info);
    }
    if (!utf8_valid(path, strlen(path))) problem = "its name is not UTF-8";
    if (problem) file.problem = copy_of(problem);
    out->files[out->count++] = file;
}

static void add_problem(walk_t *self, const char *path, int error)
{
    char text[64];
    if (error == ENOENT && format_of(path) != FORMAT_NONE) {
        add_file(self, path, NULL, "a link to nothing");
        return;
    }
    if (error != ENOENT) add_file(self, path, NULL, strerror_r(error, text, sizeof text));
}

/* False: it was entered before. */
static bool enter(walk_t *self, const struct stat *info)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->entered[i].device == info->st_dev && self->entered[i].inode == info->st_ino)
            return false;
    }
    self->entered = grow(self->entered, self->count, &self->room, sizeof *self->entered);
    self->entered[self->count++] = (place_t){info->st_dev, info->st_ino};
    return true;
}

/* Folders still to be read, by their path within the root. */
typedef struct {
    char **paths;
    size_t count, room;
} pending_t;

static void push(pending_t *pending, const char *path)
{
    pending->paths = grow(pending->paths, pending->count, &pending->room, sizeof *pending->paths);
    pending->paths[pending->count++] = copy_of(path);
}

static size_t depth_of(const char *path)
{
    size_t depth = 0;
    for (; *path; path++) depth += *path == '/';
    return depth;
}

static void look_at(walk_t *self, pending_t *pending, const char *path)
{
    char full[FOLDER_PATH_BYTES];
    struct stat info;
    if (snprintf(full, sizeof full, "%s/%s", self->root, path) >= (int)sizeof full) return;
    if (stat(full, &info) < 0) {
        add_problem(self, path, errno);
        return;
    }
    if (!S_ISDIR(info.st_mode)) {
        if (format_of(path) != FORMAT_NONE)
            add_file(self, path, &info, NULL);
        else
            self->out->others++;
        return;
    }
    if (depth_of(path) + 1 > FOLDER_DEPTH_MAX)
        add_file(self, path, NULL, "nested too deeply");
    else if (!enter(self, &info))
        add_file(self, path, NULL, "a link to a folder met before");
    else
        push(pending, path);
}

static bool read_folder(walk_t *self, pending_t *pending, const char *path)
{
    char full[FOLDER_PATH_BYTES];
    char child[FOLDER_PATH_BYTES];
    (void)snprintf(full, sizeof full, "%s%s%s", self->root, *path ? "/" : "", path);
    DIR *dir = opendir(full);
    if (!dir) return false;
    folder_t *out = self->out;
    out->folders = grow(out->folders, out->folder_count, &out->folder_room, sizeof *out->folders);
    out->folders[out->folder_count++] = copy_of(full);
    for (struct dirent *entry; (entry = readdir(dir));) {  // NOLINT(concurrency-mt-unsafe): own DIR
        if (entry->d_name[0] == '.') continue;
        int size = snprintf(child, sizeof child, "%s%s%s", path, *path ? "/" : "", entry->d_name);
        if (size < (int)sizeof child) look_at(self, pending, child);
    }
    (void)closedir(dir);
    return true;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const folder_file_t *)a)->path, ((const folder_file_t *)b)->path);
}

pl_err_t folder_scan(folder_t *out, const char *path)
{
    *out = (folder_t){0};
    walk_t walk = {.out = out, .root = path};
    pending_t pending = {0};
    struct stat info;
    if (stat(path, &info) < 0) return PL_NOT_FOUND;
    (void)enter(&walk, &info);
    bool opened = read_folder(&walk, &pending, "");
    int error = errno;
    while (pending.count > 0) {
        char *next = pending.paths[--pending.count];
        if (!read_folder(&walk, &pending, next)) add_problem(&walk, next, errno);
        free(next);
    }
    free(pending.paths);
    free(walk.entered);
    if (out->count > 0) qsort(out->files, out->count, sizeof *out->files, by_path);
    errno = error;
    return opened ? PL_OK : PL_NOT_FOUND;
}

void folder_free(folder_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->files[i].path);
        free(self->files[i].problem);
    }
    for (size_t i = 0; i < self->folder_count; i++) free(self->folders[i]);
    free(self->files);
    free(self->folders);
    *self = (folder_t){0};
}

static void *joined(void *items, size_t count, const void *more, size_t more_count, size_t size)
{
    if (more_count == 0) return items;
    void *grown = realloc(items, (count + more_count) * size);
    assert(grown);
    memcpy((char *)grown + count * size, more, more_count * size);
    return grown;
}

/* Of neighbours of one path the one that is not in root goes. */
static void drop_doubles(folder_t *self, const char *root)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        folder_file_t *last = kept > 0 ? &self->files[kept - 1] : NULL;
        if (!last || strcmp(last->path, self->files[i].path) != 0) {
            self->files[kept++] = self->files[i];
            continue;
        }
        folder_file_t gone = last->root == root ? self->files[i] : *last;
        if (last->root != root) *last = self->files[i];
        free(gone.path);
        free(gone.problem);
    }
    self->count = kept;
}

void folder_join(folder_t *self, folder_t *with)
{
    const char *root = with->count > 0 ? with->files[0].root : NULL;
    self->files = joined(self->files, self->count, with->files, with->count, sizeof *self->files);
    self->folders = joined(self->folders, self->folder_count, with->folders, with->folder_count,
                           sizeof *self->folders);
    self->count += with->count;
    self->folder_count += with->folder_count;
    self->room = self->count;
    self->folder_room = self->folder_count;
    self->others += with->others;
    free(with->files);
    free(with->folders);
    *with = (folder_t){0};
    if (self->count > 0) qsort(self->files, self->count, sizeof *self->files, by_path);
    if (root) drop_doubles(self, root);
}
