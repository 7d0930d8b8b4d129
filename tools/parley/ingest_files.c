#include "tools/parley/ingest_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/rag/document.h"
#include "services/rag/format.h"

enum { BLOCK_BYTES = 256 * 1024, HOST_BYTES = 256 };

static bool fail(char why[FOLDER_PATH_BYTES], const char *path, const char *what)
{
    (void)snprintf(why, FOLDER_PATH_BYTES, "%.2000s: %s", path, what);
    return false;
}

static bool fail_errno(char why[FOLDER_PATH_BYTES], const char *path)
{
    char text[64];
    return fail(why, path, strerror_r(errno, text, sizeof text));
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

/* One that cannot be a folder's or a file's name is told by the service. */
static bool name_it(ingest_files_t *self, const char *real, const char *name,
                    char why[FOLDER_PATH_BYTES])
{
    const char *slash = strrchr(real, '/');
    const char *last = name ? name : slash + 1;
    if (!*last || *last == '.') return fail(why, real, "what shall it be called? (--name)");
    if (strlen(last) >= sizeof self->name) return fail(why, last, "too long for a name");
    (void)snprintf(self->name, sizeof self->name, "%s", last);
    char host[HOST_BYTES] = "";
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(self->origin, sizeof self->origin, "%.200s:%.800s", host, real);
    return true;
}

static void one_file(ingest_files_t *self, const struct stat *info)
{
    folder_file_t *file = calloc(1, sizeof *file);
    assert(file);
    *file = (folder_file_t){.path = copy_of(self->name),
                            .size = (int64_t)info->st_size,
                            .mtime_ns = document_mtime_ns(info)};
    self->files.files = file;
    self->files.count = self->files.room = 1;
}

bool ingest_files_list(ingest_files_t *out, const char *path, const char *name,
                       char why[FOLDER_PATH_BYTES])
{
    *out = (ingest_files_t){0};
    struct stat info;
    char *real = realpath(path, NULL);
    if (!real || stat(real, &info) < 0) {
        free(real);
        return fail_errno(why, path);
    }
    bool fine = strlen(real) < sizeof out->root - 1;
    if (!fine) (void)fail(why, path, "too long a path");
    if (fine) fine = name_it(out, real, name, why);
    if (fine) (void)snprintf(out->root, sizeof out->root, "%s", real);
    free(real);
    if (!fine) return false;
    out->is_folder = S_ISDIR(info.st_mode);
    if (!out->is_folder) {
        if (!S_ISREG(info.st_mode)) return fail(why, path, "neither a folder nor a file");
        if (format_of(path) == FORMAT_NONE) return fail(why, path, "of a format that is not known");
        if (format_of(out->name) == FORMAT_NONE)
            return fail(why, out->name, "a document's name needs its ending");
        one_file(out, &info);
    } else if (folder_scan(&out->files, out->root) != PL_OK) {
        folder_free(&out->files);
        return fail_errno(why, path);
    }
    out->hashes = calloc(out->files.count + 1, sizeof *out->hashes);
    assert(out->hashes);
    return true;
}

void ingest_files_free(ingest_files_t *self)
{
    folder_free(&self->files);
    free(self->hashes);
    self->hashes = NULL;
}

int ingest_files_open(const ingest_files_t *self, size_t i)
{
    char full[2 * FOLDER_PATH_BYTES];
    if (self->is_folder)
        (void)snprintf(full, sizeof full, "%s/%s", self->root, self->files.files[i].path);
    else
        (void)snprintf(full, sizeof full, "%s", self->root);
    return open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static void set_problem(folder_file_t *file, const char *problem)
{
    free(file->problem);
    file->problem = copy_of(problem);
}

void ingest_files_hash(ingest_files_t *self, size_t i)
{
    folder_file_t *file = &self->files.files[i];
    char text[64];
    if (file->problem) return;
    int fd = ingest_files_open(self, i);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) {
        set_problem(file, strerror_r(errno, text, sizeof text));
    } else if (!S_ISREG(info.st_mode)) {
        set_problem(file, "not a regular file");
    } else {
        static char block[BLOCK_BYTES];
        uint64_t hash = DOCUMENT_HASH_SEED;
        int64_t size = 0;
        ssize_t got = 0;
        while ((got = read(fd, block, sizeof block)) > 0) {
            hash = document_hash(hash, block, (size_t)got);
            size += got;
        }
        if (got < 0) set_problem(file, strerror_r(errno, text, sizeof text));
        file->size = size;
        self->hashes[i] = hash;
    }
    if (fd >= 0) (void)close(fd);
}
