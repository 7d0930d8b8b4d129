#include "services/rag/document.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The length of the character at text, 0 when it is none: overlong forms, surrogates and what is
 * beyond U+10FFFF are not UTF-8. */
static size_t utf8_length(const unsigned char *text, size_t bytes)
{
    unsigned char c = text[0];
    if (c < 0x80) return c ? 1 : 0;
    size_t length = c >= 0xf0 ? 4 : (c >= 0xe0 ? 3 : 2);
    if (c < 0xc2 || c > 0xf4 || length > bytes) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    if (c == 0xe0 && text[1] < 0xa0) return 0;
    if (c == 0xed && text[1] > 0x9f) return 0;
    if (c == 0xf0 && text[1] < 0x90) return 0;
    if (c == 0xf4 && text[1] > 0x8f) return 0;
    return length;
}

bool utf8_valid(const char *text, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        size_t length = utf8_length((const unsigned char *)text + at, bytes - at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

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

static document_result_t check_text(document_t *self, char problem[DOCUMENT_PROBLEM_BYTES])
{
    if (self->bytes >= 3 && memcmp(self->text, "\xef\xbb\xbf", 3) == 0) {
        self->bytes -= 3;
        memmove(self->text, self->text + 3, self->bytes);
    }
    if (memchr(self->text, '\0', self->bytes)) return bad(problem, "binary, not text");
    if (!utf8_valid(self->text, self->bytes)) return bad(problem, "not UTF-8");
    return DOCUMENT_OK;
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
    return check_text(self, problem);
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
