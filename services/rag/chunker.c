#include "services/rag/chunker.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/markdown.h"

enum { LEVELS = 6 };

typedef struct {
    chunk_format_t format;
    const char *name;
    chunk_fn *fn;
    void *arg;
    char *headings[LEVELS]; /* NULL: none at that level */
    char *paragraph;        /* has room for the whole text */
    size_t paragraph_bytes;
    char *content; /* packed paragraphs; room likewise, and one line end for each */
    size_t content_bytes, content_chars;
    fence_t fence;
    bool comment; /* inside <!-- --> */
} chunker_t;

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

/* ---- titles ---- */

/* Appends as much as fits, cut at a character. */
static void title_add(char out[CHUNK_TITLE_BYTES], size_t *size, const char *text)
{
    size_t bytes = strlen(text);
    size_t room = CHUNK_TITLE_BYTES - 1 - *size;
    if (bytes > room) {
        bytes = room;
        while (bytes > 0 && !starts_char(text[bytes])) bytes--;
    }
    memcpy(out + *size, text, bytes);
    *size += bytes;
    out[*size] = '\0';
}

static void make_title(const chunker_t *self, char out[CHUNK_TITLE_BYTES])
{
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < LEVELS; i++) {
        if (!self->headings[i]) continue;
        if (size + sizeof " > x" > CHUNK_TITLE_BYTES) break; /* full */
        if (size > 0) title_add(out, &size, " > ");
        title_add(out, &size, self->headings[i]);
    }
    if (size == 0) title_add(out, &size, self->name);
}

/* ---- passages ---- */

static void emit(chunker_t *self)
{
    if (self->content_bytes == 0) return;
    char title[CHUNK_TITLE_BYTES];
    make_title(self, title);
    self->content[self->content_bytes] = '\0';
    self->fn(self->arg, title, self->content);
    self->content_bytes = self->content_chars = 0;
}

static void pack(chunker_t *self, const char *text, size_t bytes, size_t chars)
{
    if (self->content_bytes > 0 && self->content_chars + 1 + chars > CHUNK_CHARS) emit(self);
    if (self->content_bytes > 0) {
        self->content[self->content_bytes++] = '\n';
        self->content_chars++;
    }
    memcpy(self->content + self->content_bytes, text, bytes);
    self->content_bytes += bytes;
    self->content_chars += chars;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n';
}

/* Where to cut a text that is longer than CHUNK_CHARS: behind the last sentence that fits, the
 * last word, or the last character. */
static size_t cut_at(const char *text, size_t bytes)
{
    size_t chars = 0;
    size_t sentence = 0;
    size_t word = 0;
    size_t at = 0;
    for (; at < bytes; at++) {
        if (starts_char(text[at]) && ++chars > CHUNK_CHARS) break;
        if (!is_space(text[at])) continue;
        word = at;
        if (at > 0 && strchr(".!?:;", text[at - 1])) sentence = at;
    }
    if (sentence > at / 4) return sentence; /* not for the sake of a tiny first piece */
    return word > 0 ? word : at;
}

static void end_paragraph(chunker_t *self)
{
    const char *text = self->paragraph;
    size_t bytes = self->paragraph_bytes;
    self->paragraph_bytes = 0;
    size_t chars = count_chars(text, bytes);
    while (chars > CHUNK_CHARS) {
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

static void add_line(chunker_t *self, slice_t line, bool keep_markup)
{
    char *out = self->paragraph + self->paragraph_bytes;
    bool joins = self->paragraph_bytes > 0;
    if (joins) *out++ = '\n';
    size_t size = line.bytes;
    if (keep_markup)
        memcpy(out, line.text, line.bytes);
    else
        size = markdown_plain(line, out);
    if (size > 0) self->paragraph_bytes += size + (joins ? 1 : 0);
}

/* ---- lines ---- */

static void set_heading(chunker_t *self, int level, const char *text, size_t bytes)
{
    emit(self);
    for (size_t i = (size_t)level - 1; i < LEVELS; i++) {
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

static bool is_list_item(slice_t line)
{
    slice_t text = markdown_trim(line);
    if (text.bytes < 2) return false;
    if (strchr("-*+", text.text[0]) && text.text[1] == ' ') return true;
    size_t digits = 0;
    while (digits < text.bytes && text.text[digits] >= '0' && text.text[digits] <= '9') digits++;
    return digits > 0 && digits + 1 < text.bytes && strchr(".)", text.text[digits]) &&
           text.text[digits + 1] == ' ';
}

static bool contains(slice_t line, const char *what)
{
    return line.bytes > 0 && memmem(line.text, line.bytes, what, strlen(what)) != NULL;
}

/* Comments are left out line by line: one that begins within a line takes the rest of it along. */
static bool take_comment(chunker_t *self, slice_t line)
{
    if (self->comment) {
        self->comment = !contains(line, "-->");
        return true;
    }
    slice_t text = markdown_trim(line);
    if (text.bytes < 4 || memcmp(text.text, "<!--", 4) != 0) return false;
    self->comment = !contains(text, "-->");
    return true;
}

static void markdown_content(chunker_t *self, slice_t line)
{
    slice_t heading;
    int level = markdown_heading(line, &heading);
    if (level > 0) {
        end_paragraph(self);
        char *plain = self->paragraph; /* empty now, and large enough */
        set_heading(self, level, plain, markdown_plain(heading, plain));
        return;
    }
    level = self->paragraph_bytes > 0 ? markdown_underline(line) : 0;
    if (level > 0) { /* what looked like a paragraph is a heading */
        size_t bytes = self->paragraph_bytes;
        self->paragraph_bytes = 0;
        set_heading(self, level, self->paragraph, bytes);
        return;
    }
    if (markdown_is_rule(line)) return;
    if (is_list_item(line)) end_paragraph(self);
    add_line(self, line, false);
}

static void take_line(chunker_t *self, slice_t line)
{
    if (self->format == CHUNK_MARKDOWN) {
        if (!self->comment && markdown_fence(line, &self->fence)) {
            end_paragraph(self);
            return;
        }
        if (!self->fence.mark && take_comment(self, line)) return;
    }
    if (markdown_trim(line).bytes == 0) {
        end_paragraph(self);
        return;
    }
    if (self->format == CHUNK_TEXT || self->fence.mark)
        add_line(self, markdown_trim(line), true);
    else
        markdown_content(self, line);
}

/* Settings of publishing tools, between two lines "---" at the very beginning. */
static void skip_front_matter(slice_t *rest)
{
    slice_t ahead = *rest;
    slice_t line;
    if (!markdown_line(&ahead, &line) || line.bytes != 3 || memcmp(line.text, "---", 3) != 0)
        return;
    while (markdown_line(&ahead, &line)) {
        if (line.bytes != 3 || memcmp(line.text, "---", 3) != 0) continue;
        *rest = ahead;
        return;
    }
}

void chunker_run(chunk_format_t format, const char *name, const char *text, size_t bytes,
                 chunk_fn *fn, void *arg)
{
    chunker_t self = {.format = format, .name = name, .fn = fn, .arg = arg};
    self.paragraph = malloc(2 * bytes + 2);
    self.content = malloc(2 * bytes + 2);
    assert(self.paragraph);
    assert(self.content);
    slice_t rest = {text, bytes};
    slice_t line;
    if (format == CHUNK_MARKDOWN) skip_front_matter(&rest);
    while (markdown_line(&rest, &line)) take_line(&self, line);
    end_paragraph(&self);
    emit(&self);
    for (size_t i = 0; i < LEVELS; i++) free(self.headings[i]);
    free(self.paragraph);
    free(self.content);
}
