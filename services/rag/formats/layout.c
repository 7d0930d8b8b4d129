#include "services/rag/formats/layout.h"

#include <assert.h>
#include <libxml/HTMLparser.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/rag/packer.h"

enum {
    HEIGHTS = 256, /* of letters, in quarters of a point */
    HEADING_CHARS = 120,
    PAGES_OF_RUNNING = 3, /* fewer pages have no running heads */
};

typedef struct {
    size_t from, bytes; /* in layout_t.text */
    unsigned page;      /* from 1 */
    unsigned height;    /* of its lines, in quarters of a point */
    unsigned lines;
    bool first, last; /* of its page */
    bool running;     /* head or foot of most pages */
} block_t;

typedef struct {
    char *text; /* of all blocks */
    size_t bytes, room;
    block_t *blocks;
    size_t count, block_room;
    char title[PASSAGE_TITLE_BYTES];
    size_t title_bytes;
    unsigned page;
    size_t weights[HEIGHTS]; /* bytes of each height */
    bool in_title, in_word, in_block;
    bool line_begins, word_begins;
} layout_t;

/* ---- reading ---- */

static void put(layout_t *self, const char *text, size_t bytes)
{
    if (self->bytes + bytes + 1 > self->room) {
        self->room = (self->bytes + bytes + 1) * 2;
        self->text = realloc(self->text, self->room);
        assert(self->text);
    }
    memcpy(self->text + self->bytes, text, bytes);
    self->bytes += bytes;
}

static block_t *present(layout_t *self)
{
    return &self->blocks[self->count - 1];
}

static void begin_block(layout_t *self)
{
    if (self->count == self->block_room) {
        self->block_room = self->block_room ? self->block_room * 2 : 64;
        self->blocks = realloc(self->blocks, self->block_room * sizeof *self->blocks);
        assert(self->blocks);
    }
    bool first = self->count == 0 || present(self)->page != self->page;
    if (first && self->count > 0) present(self)->last = true;
    self->blocks[self->count++] =
        (block_t){.from = self->bytes, .page = self->page, .first = first};
    self->in_block = true;
}

static void end_block(layout_t *self)
{
    if (!self->in_block) return;
    self->in_block = false;
    block_t *block = present(self);
    block->bytes = self->bytes - block->from;
    if (block->bytes == 0) {
        self->count--;
        return;
    }
    self->weights[block->height] += block->bytes;
}

static double attribute(const xmlChar **attributes, const char *name)
{
    for (size_t i = 0; attributes && attributes[i]; i += 2) {
        if (strcasecmp((const char *)attributes[i], name) == 0 && attributes[i + 1])
            return strtod((const char *)attributes[i + 1], NULL);
    }
    return 0;
}

/* A word broken at the end of its line: "impri-" and "mante". */
static bool joins_words(const layout_t *self, char next)
{
    const block_t *block = &self->blocks[self->count - 1];
    if (self->bytes - block->from < 2 || self->text[self->bytes - 1] != '-') return false;
    unsigned char before = (unsigned char)self->text[self->bytes - 2];
    bool letter = (before >= 'a' && before <= 'z') || before >= 0x80;
    return letter && ((next >= 'a' && next <= 'z') || (unsigned char)next >= 0xc3);
}

static void begin_line(layout_t *self, const xmlChar **attributes)
{
    block_t *block = present(self);
    double height = (attribute(attributes, "yMax") - attribute(attributes, "yMin")) * 4;
    unsigned quarters = isfinite(height) && height > 0 ? (unsigned)fmin(height, HEIGHTS - 1) : 0;
    if (quarters > block->height) block->height = quarters;
    block->lines++;
    self->line_begins = true;
}

static void on_start(void *arg, const xmlChar *element, const xmlChar **attributes)
{
    layout_t *self = arg;
    const char *name = (const char *)element;
    if (strcasecmp(name, "page") == 0) {
        end_block(self);
        self->page++;
    } else if (strcasecmp(name, "block") == 0) {
        end_block(self);
        begin_block(self);
    } else if (strcasecmp(name, "line") == 0 && self->in_block) {
        begin_line(self, attributes);
    } else if (strcasecmp(name, "word") == 0) {
        self->in_word = self->word_begins = self->in_block;
    } else if (strcasecmp(name, "title") == 0) {
        self->in_title = self->title_bytes == 0 && self->page == 0;
    }
}

static void on_end(void *arg, const xmlChar *element)
{
    layout_t *self = arg;
    const char *name = (const char *)element;
    if (strcasecmp(name, "word") == 0) self->in_word = false;
    if (strcasecmp(name, "title") == 0) self->in_title = false;
    if (strcasecmp(name, "block") == 0) end_block(self);
}

static void on_text(void *arg, const xmlChar *text, int bytes)
{
    layout_t *self = arg;
    if (bytes <= 0) return;
    const char *from = (const char *)text;
    size_t size = (size_t)bytes;
    if (self->in_title)
        self->title_bytes += packer_cut(self->title + self->title_bytes,
                                        sizeof self->title - self->title_bytes, from, size);
    if (!self->in_word || !self->in_block) return;
    if (self->line_begins && joins_words(self, *from))
        self->bytes--; /* the hyphen */
    else if (self->word_begins && self->bytes > present(self)->from)
        put(self, " ", 1);
    self->line_begins = self->word_begins = false;
    put(self, from, size);
}

/* ---- running heads and feet ---- */

/* Digits are all one: pages are numbered. */
static bool same_but_digits(const layout_t *self, const block_t *a, const block_t *b)
{
    size_t i = a->from;
    size_t k = b->from;
    size_t i_end = i + a->bytes;
    size_t k_end = k + b->bytes;
    while (i < i_end && k < k_end) {
        bool digit_i = self->text[i] >= '0' && self->text[i] <= '9';
        bool digit_k = self->text[k] >= '0' && self->text[k] <= '9';
        if (digit_i != digit_k || (!digit_i && self->text[i] != self->text[k])) return false;
        while (digit_i && i < i_end && self->text[i] >= '0' && self->text[i] <= '9') i++;
        while (digit_k && k < k_end && self->text[k] >= '0' && self->text[k] <= '9') k++;
        if (!digit_i) {
            i++;
            k++;
        }
    }
    return i == i_end && k == k_end;
}

static bool at_edge(const block_t *block, bool first)
{
    return first ? block->first : block->last;
}

static const block_t *edge_of_page(const layout_t *self, unsigned page, bool first)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->blocks[i].page == page && at_edge(&self->blocks[i], first))
            return &self->blocks[i];
    }
    return NULL;
}

/* Compares those of each page with those of the page in the middle: linear. */
static void find_running(layout_t *self, bool first)
{
    const block_t *sample = edge_of_page(self, self->page / 2 + 1, first);
    if (!sample || sample->bytes > HEADING_CHARS) return;
    unsigned pages = 0;
    for (size_t i = 0; i < self->count; i++) {
        const block_t *block = &self->blocks[i];
        pages += at_edge(block, first) && same_but_digits(self, block, sample);
    }
    if (pages * 2 <= self->page) return;
    for (size_t i = 0; i < self->count; i++) {
        block_t *block = &self->blocks[i];
        if (at_edge(block, first) && same_but_digits(self, block, sample)) block->running = true;
    }
}

/* ---- giving ---- */

static unsigned usual_height(const layout_t *self)
{
    unsigned best = 0;
    for (unsigned i = 1; i < HEIGHTS; i++) {
        if (self->weights[i] > self->weights[best]) best = i;
    }
    return best;
}

/* "3.", "2.1 Refunds" */
static bool is_numbered(const char *text, size_t bytes)
{
    size_t at = 0;
    bool digit = false;
    while (at < bytes && (text[at] == '.' || (text[at] >= '0' && text[at] <= '9'))) {
        digit |= text[at] != '.';
        at++;
    }
    return digit && at < 12 && at + 1 < bytes && text[at] == ' ' && text[bytes - 1] != '.';
}

/* 0: it is none. */
static int heading_level(const layout_t *self, const block_t *block, unsigned usual)
{
    const char *text = self->text + block->from;
    if (block->bytes > HEADING_CHARS || block->lines > 3) return 0;
    if (block->height * 4 >= usual * 6) return 2;   /* half as high again */
    if (block->height * 20 >= usual * 23) return 3; /* by 15 % */
    return block->lines == 1 && is_numbered(text, block->bytes) ? 3 : 0;
}

/* "Refunds . . . . . 12", and the page's own number: nothing to be found by. */
static bool is_furniture(const layout_t *self, const block_t *block)
{
    const char *text = self->text + block->from;
    size_t dots = 0;
    for (size_t i = 0; i + 2 < block->bytes; i++)
        dots += memcmp(text + i, ". .", 3) == 0 || memcmp(text + i, "...", 3) == 0;
    if (dots > 8) return true;
    bool edge = block->first || block->last;
    return edge && block->bytes < 6 &&
           (strspn(text, "0123456789") >= block->bytes || strspn(text, "ivxlc") >= block->bytes);
}

static bool is_title(const char *title)
{
    static const char *const made_up[] = {"microsoft word", "untitled", "powerpoint pres",
                                          "(anonymous"};
    for (size_t i = 0; i < sizeof made_up / sizeof *made_up; i++) {
        if (strncasecmp(title, made_up[i], strlen(made_up[i])) == 0) return false;
    }
    return strspn(title, " \t\n") < strlen(title);
}

static void set_page(packer_t *packer, unsigned page)
{
    char text[24];
    int size = snprintf(text, sizeof text, "page %u", page);
    packer_heading(packer, PACKER_LEVELS, text, (size_t)size);
}

static bool give(layout_t *self, const char *name, passage_fn *fn, void *arg)
{
    packer_t *packer = packer_new(name, fn, arg);
    const char *title = is_title(self->title) ? self->title : name;
    packer_heading(packer, 1, title, strlen(title));
    unsigned usual = usual_height(self);
    unsigned page = 0;
    bool any = false;
    for (size_t i = 0; i < self->count; i++) {
        const block_t *block = &self->blocks[i];
        const char *text = self->text + block->from;
        if (block->running || is_furniture(self, block)) continue;
        int level = heading_level(self, block, usual);
        if (level) packer_heading(packer, level, text, block->bytes);
        if (level || block->page != page) set_page(packer, block->page);
        page = block->page;
        if (!level) packer_paragraph(packer, text, block->bytes);
        any |= !level;
    }
    packer_destroy(&packer);
    return any;
}

bool layout_run(const char *name, const char *text, size_t bytes, passage_fn *fn, void *arg)
{
    if (bytes > INT_MAX) return false;
    layout_t self = {0};
    htmlParserCtxtPtr parser = htmlNewParserCtxt();
    assert(parser);
    htmlSAXHandler events = {.startElement = on_start, .endElement = on_end, .characters = on_text};
    *parser->sax = events;
    parser->userData = &self;
    int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    htmlDocPtr none = htmlCtxtReadMemory(parser, text, (int)bytes, NULL, "UTF-8", options);
    if (none) xmlFreeDoc(none);
    htmlFreeParserCtxt(parser);
    end_block(&self);
    if (self.count > 0) present(&self)->last = true;
    if (self.page >= PAGES_OF_RUNNING) {
        find_running(&self, true);
        find_running(&self, false);
    }
    put(&self, "", 1); /* ends the last block for strspn */
    bool any = give(&self, name, fn, arg);
    free(self.text);
    free(self.blocks);
    return any;
}
