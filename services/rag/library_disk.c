#include "services/rag/library_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/rag/document.h"

enum { BLOCK_BYTES = 64 * 1024, FOLDER_MODE = 0750, FILE_MODE = 0640 };

disk_kind_t disk_kind(const char *path)
{
    struct stat info;
    if (lstat(path, &info) < 0) return DISK_NOTHING;
    if (S_ISREG(info.st_mode)) return DISK_FILE;
    return S_ISDIR(info.st_mode) ? DISK_FOLDER : DISK_OTHER;
}

static bool make_one(const char *path)
{
    if (mkdir(path, FOLDER_MODE) == 0) return true;
    if (errno != EEXIST) return false;
    if (disk_kind(path) == DISK_FOLDER) return true;
    errno = ENOTDIR;
    return false;
}

bool disk_make_parents(const char *root, const char *path)
{
    char full[DISK_PATH_BYTES];
    int size = snprintf(full, sizeof full, "%s/%s", root, path);
    if (size < 0 || (size_t)size >= sizeof full) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = make_one(full);
        *slash = '/';
        if (!made) return false;
    }
    return true;
}

/* The parents may be links: they are the administrator's. */
bool disk_make_folder(const char *path)
{
    char full[DISK_PATH_BYTES];
    if (snprintf(full, sizeof full, "%s", path) >= (int)sizeof full) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(full, FOLDER_MODE) < 0 && errno != EEXIST) return false;
        *slash = '/';
    }
    struct stat info;
    if (mkdir(full, FOLDER_MODE) < 0 && errno != EEXIST) return false;
    if (stat(full, &info) < 0) return false;
    if (S_ISDIR(info.st_mode)) return true;
    errno = ENOTDIR;
    return false;
}

static FTS *walk(const char *path)
{
    char *const paths[] = {(char *)path, NULL};
    return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
}

bool disk_remove(const char *path)
{
    if (disk_kind(path) == DISK_NOTHING) return true;
    FTS *tree = walk(path);
    if (!tree) return false;
    int error = 0;
    for (FTSENT *at; (at = fts_read(tree));) {
        if (at->fts_info == FTS_D) continue;
        int rc = at->fts_info == FTS_DP ? rmdir(at->fts_accpath) : unlink(at->fts_accpath);
        if (rc < 0 && errno != ENOENT && !error) error = errno;
    }
    (void)fts_close(tree);
    errno = error;
    return error == 0;
}

bool disk_weed(const char *folder, disk_keep_fn *keep, void *arg)
{
    FTS *tree = walk(folder);
    if (!tree) return false;
    size_t skip = strlen(folder) + 1;
    int error = 0;
    for (FTSENT *at; (at = fts_read(tree));) {
        if (at->fts_info == FTS_D) continue;
        if (at->fts_info == FTS_DP) {
            (void)rmdir(at->fts_accpath); /* if it is empty */
        } else if (!keep(arg, at->fts_path + skip) && unlink(at->fts_accpath) < 0 && !error) {
            error = errno;
        }
    }
    (void)fts_close(tree);
    errno = error;
    return error == 0;
}

bool disk_holds(const char *path, uint64_t size, uint64_t hash)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return false;
    struct stat info;
    bool same = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == size;
    uint64_t found = DOCUMENT_HASH_SEED;
    char block[BLOCK_BYTES];
    while (same) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) same = false;
        if (got <= 0) break;
        found = document_hash(found, block, (size_t)got);
    }
    (void)close(fd);
    return same && found == hash;
}

bool disk_write_at(const char *path, uint64_t offset, const void *bytes, size_t size)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (offset == 0 ? O_CREAT | O_TRUNC : 0);
    int fd = open(path, flags, FILE_MODE);
    if (fd < 0) return false;
    int error = 0;
    for (size_t at = 0; at < size && !error;) {
        ssize_t put = pwrite(fd, (const char *)bytes + at, size - at, (off_t)(offset + at));
        if (put > 0) at += (size_t)put;
        if (put < 0 && errno != EINTR) error = errno;
    }
    if (close(fd) < 0 && !error) error = errno;
    errno = error;
    return error == 0;
}

void disk_read_text(const char *path, char *out, size_t out_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t got = fd < 0 ? 0 : read(fd, out, out_bytes - 1);
    out[got > 0 ? got : 0] = '\0';
    if (fd >= 0) (void)close(fd);
}
