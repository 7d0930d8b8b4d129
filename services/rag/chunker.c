#include "services/rag/chunker.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/markdown.h"
#include "services/rag/packer.h"

typedef struct {
    chunk_format_t format;
    packer_t *packer;
    char *paragraph; /* has room for the whole text */
    size_t paragraph_bytes;
    fence_t fence;
    bool comment; /* inside <!-- --> */
} chunker_t;

static void end_paragraph(chunker_t *self)
{
    packer_paragraph(self->packer, self->paragraph, self->paragraph_bytes);
    self->paragraph_bytes = 0;
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
        packer_heading(self->packer, level, plain, markdown_plain(heading, plain));
        return;
    }
    level = self->paragraph_bytes > 0 ? markdown_underline(line) : 0;
    if (level > 0) { /* what looked like a paragraph is a heading */
        size_t bytes = self->paragraph_bytes;
        self->paragraph_bytes = 0;
        packer_heading(self->packer, level, self->paragraph, bytes);
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
                 passage_fn *fn, void *arg)
{
    chunker_t self = {.format = format, .packer = packer_new(name, fn, arg)};
    self.paragraph = malloc(2 * bytes + 2);
    assert(self.paragraph);
    slice_t rest = {text, bytes};
    slice_t line;
    if (format == CHUNK_MARKDOWN) skip_front_matter(&rest);
    while (markdown_line(&rest, &line)) take_line(&self, line);
    end_paragraph(&self);
    packer_destroy(&self.packer);
    free(self.paragraph);
}
