#include "tests/doubles/speech/form.h"

#include <stdio.h>
#include <string.h>

enum { BOUNDARY_BYTES = 80 };

static bool boundary_of(const char *content_type, char out[BOUNDARY_BYTES])
{
    const char *at = content_type ? strstr(content_type, "boundary=") : NULL;
    if (!at || strncmp(content_type, "multipart/form-data", 19) != 0) return false;
    at += strlen("boundary=");
    bool quoted = *at == '"';
    at += quoted;
    size_t bytes = strcspn(at, quoted ? "\"" : "; \t");
    if (bytes == 0 || bytes + 5 > BOUNDARY_BYTES) return false;
    (void)snprintf(out, BOUNDARY_BYTES, "\r\n--%.*s", (int)bytes, at);
    return true;
}

/* The quoted value of a parameter of a part's head. */
static bool parameter(const char *head, size_t size, const char *name, char *out, size_t bytes)
{
    const char *at = memmem(head, size, name, strlen(name));
    if (!at) return false;
    at += strlen(name);
    const char *end = memchr(at, '"', size - (size_t)(at - head));
    if (!end || (size_t)(end - at) >= bytes) return false;
    (void)snprintf(out, bytes, "%.*s", (int)(end - at), at);
    return true;
}

static bool read_part(form_t *out, const char *part, size_t size)
{
    const char *gap = memmem(part, size, "\r\n\r\n", 4);
    if (!gap || out->count == FORM_PARTS_MAX) return false;
    size_t head = (size_t)(gap - part);
    form_part_t *p = &out->parts[out->count++];
    char file[256];
    p->is_file = parameter(part, head, "filename=\"", file, sizeof file);
    p->bytes = gap + 4;
    p->size = size - head - 4;
    return parameter(part, head, " name=\"", p->name, sizeof p->name);
}

bool form_read(form_t *out, const char *content_type, const char *body, size_t bytes)
{
    *out = (form_t){0};
    char mark[BOUNDARY_BYTES];
    if (!body || !boundary_of(content_type, mark)) return false;
    size_t length = strlen(mark);
    /* The first delimiter has no line's end before it. */
    if (bytes < length || memcmp(body, mark + 2, length - 2) != 0) return false;
    const char *at = body + length - 2;
    const char *end = body + bytes;
    for (;;) {
        if (end - at >= 2 && memcmp(at, "--", 2) == 0) return true;
        if (end - at < 2 || memcmp(at, "\r\n", 2) != 0) return false;
        at += 2;
        const char *next = memmem(at, (size_t)(end - at), mark, length);
        if (!next || !read_part(out, at, (size_t)(next - at))) return false;
        at = next + length;
    }
}

const form_part_t *form_find(const form_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->parts[i].name, name) == 0) return &self->parts[i];
    }
    return NULL;
}
