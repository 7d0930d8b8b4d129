#include "services/rag/packer.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CONTENT_BYTES = PASSAGE_CHARS * 4 + 1 };

struct packer {
    passage_fn *fn;
    void *arg;
    char name[PASSAGE_TITLE_BYTES];
    char *headings[PACKER_LEVELS]; /* NULL: none at that level */
    char content[CONTENT_BYTES];
    size_t bytes, chars;
};

static bool starts_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t count_chars(const char *text, size_t bytes)
{
    size_t chars = 0;
    for (size_t i = 0; i < bytes; i++) chars += starts_char(text[i]);
    return chars;
}

size_t packer_cut(char *out, size_t out_bytes, const char *text, size_t bytes)
{
    if (bytes >= out_bytes) {
        bytes = out_bytes - 1;
        while (bytes > 0 && !starts_char(text[bytes])) bytes--;
    }
    memcpy(out, text, bytes);
    out[bytes] = '\0';
    return bytes;
}

/* ---- titles ---- */

static void title_add(char out[PASSAGE_TITLE_BYTES], size_t *size, const char *text)
{
    *size += packer_cut(out + *size, PASSAGE_TITLE_BYTES - *size, text, strlen(text));
}

static void make_title(const packer_t *self, char out[PASSAGE_TITLE_BYTES])
{
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < PACKER_LEVELS; i++) {
        if (!self->headings[i]) continue;
        if (size + sizeof " > x" > PASSAGE_TITLE_BYTES) break; /* full */
        if (size > 0) title_add(out, &size, " > ");
        title_add(out, &size, self->headings[i]);
    }
    if (size == 0) title_add(out, &size, self->name);
}

/* ---- passages ---- */

void packer_break(packer_t *self)
{
    if (self->bytes == 0) return;
    char title[PASSAGE_TITLE_BYTES];
    make_title(self, title);
    self->content[self->bytes] = '\0';
    passage_t passage = {.title = title, .content = self->content};
    self->fn(self->arg, &passage);
    self->bytes = self->chars = 0;
}

static void pack(packer_t *self, const char *text, size_t bytes, size_t chars)
{
    if (self->bytes > 0 && self->chars + 1 + chars > PASSAGE_CHARS) packer_break(self);
    if (self->bytes > 0) {
        self->content[self->bytes++] = '\n';
        self->chars++;
    }
    memcpy(self->content + self->bytes, text, bytes);
    self->bytes += bytes;
    self->chars += chars;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n';
}

/* Does a sentence end right before at? Those of Chinese and Japanese have no blank behind them. */
static bool is_wide_end(const char *text, size_t at)
{
    static const char *const marks[] = {"\u3002", "\uff01", "\uff1f", "\uff1b"};
    for (size_t i = 0; at >= 3 && i < sizeof marks / sizeof *marks; i++) {
        if (memcmp(text + at - 3, marks[i], 3) == 0) return true;
    }
    return false;
}

/* Where to cut a text that is longer than PASSAGE_CHARS: behind the last sentence that fits, the
 * last word, or the last character. */
static size_t cut_at(const char *text, size_t bytes)
{
    size_t chars = 0;
    size_t sentence = 0;
    size_t word = 0;
    size_t at = 0;
    for (; at < bytes; at++) {
        if (starts_char(text[at]) && ++chars > PASSAGE_CHARS) break;
        if (is_wide_end(text, at)) sentence = word = at;
        if (!is_space(text[at])) continue;
        word = at;
        if (at > 0 && strchr(".!?:;", text[at - 1])) sentence = at;
    }
    if (sentence > at / 4) return sentence; /* not for the sake of a tiny first piece */
    return word > 0 ? word : at;
}

void packer_paragraph(packer_t *self, const char *text, size_t bytes)
{
    size_t chars = count_chars(text, bytes);
    while (chars > PASSAGE_CHARS) {
        size_t cut = cut_at(text, bytes);
        size_t taken = count_chars(text, cut);
        pack(self, text, cut, taken);
        while (cut < bytes && is_space(text[cut])) {
            cut++;
            taken++;
        }
        text += cut;
        bytes -= cut;
        chars -= taken;
    }
    if (bytes > 0) pack(self, text, bytes, chars);
}

void packer_heading(packer_t *self, int level, const char *text, size_t bytes)
{
    packer_break(self);
    for (size_t i = (size_t)level - 1; i < PACKER_LEVELS; i++) {
        free(self->headings[i]);
        self->headings[i] = NULL;
    }
    if (bytes == 0) return;
    char *copy = strndup(text, bytes);
    assert(copy);
    for (char *c = copy; *c; c++) {
        if (*c == '\n') *c = ' ';
    }
    self->headings[level - 1] = copy;
}

void packer_name(packer_t *self, const char *name)
{
    (void)packer_cut(self->name, sizeof self->name, name, strlen(name));
}

packer_t *packer_new(const char *name, passage_fn *fn, void *arg)
{
    packer_t *self = calloc(1, sizeof *self);
    assert(self);
    self->fn = fn;
    self->arg = arg;
    packer_name(self, name);
    return self;
}

void packer_destroy(packer_t **self_p)
{
    packer_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    packer_break(self);
    for (size_t i = 0; i < PACKER_LEVELS; i++) free(self->headings[i]);
    free(self);
}
