#include "services/rag/document.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t document_mtime_ns(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

uint64_t document_hash(uint64_t seed, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        seed ^= at[i];
        seed *= 0x100000001b3u;
    }
    return seed;
}

static document_result_t bad(char problem[DOCUMENT_PROBLEM_BYTES], const char *text)
{
    (void)snprintf(problem, DOCUMENT_PROBLEM_BYTES, "%s", text);
    return DOCUMENT_BAD;
}

static document_result_t bad_errno(char problem[DOCUMENT_PROBLEM_BYTES])
{
    if (errno == ENOENT) return DOCUMENT_GONE;
    char text[64];
    return bad(problem, strerror_r(errno, text, sizeof text));
}

/* Reads up to one byte more than the size that was promised: a longer file is being written. */
static document_result_t read_all(int fd, document_t *self, char problem[DOCUMENT_PROBLEM_BYTES])
{
    size_t size = (size_t)self->size;
    self->text = malloc(size + 2);
    assert(self->text);
    while (self->bytes <= size) {
        ssize_t got = read(fd, self->text + self->bytes, size + 1 - self->bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return bad_errno(problem);
        if (got == 0) break;
        self->bytes += (size_t)got;
    }
    struct stat after;
    if (fstat(fd, &after) < 0) return bad_errno(problem);
    if (self->bytes != size || document_mtime_ns(&after) != self->mtime_ns) return DOCUMENT_CHANGED;
    self->text[self->bytes] = '\0';
    return DOCUMENT_OK;
}

document_result_t document_read(document_t *out, const char *path, size_t max_bytes,
                                char problem[DOCUMENT_PROBLEM_BYTES])
{
    /* Not to be held up by a pipe somebody put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return bad_errno(problem);
    document_t self = {0};
    document_result_t result = DOCUMENT_BAD;
    struct stat info;
    if (fstat(fd, &info) < 0) {
        result = bad_errno(problem);
        goto out;
    }
    if (!S_ISREG(info.st_mode)) {
        result = bad(problem, "not a regular file");
        goto out;
    }
    if (info.st_size < 0 || (uint64_t)info.st_size > max_bytes) {
        result = bad(problem, "larger than rag.max_file_bytes");
        goto out;
    }
    self.size = (int64_t)info.st_size;
    self.mtime_ns = document_mtime_ns(&info);
    result = read_all(fd, &self, problem);
out:
    (void)close(fd);
    if (result == DOCUMENT_OK)
        *out = self;
    else
        document_free(&self);
    return result;
}

void document_free(document_t *self)
{
    free(self->text);
    *self = (document_t){0};
}
