#include "services/rag/formats/html.h"

#include <assert.h>
#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/rag/packer.h"

enum { ATTRIBUTES_MAX = 2000 };

typedef enum {
    KIND_INLINE,
    KIND_BLOCK,   /* begins and ends a paragraph */
    KIND_CELL,    /* of a table's row */
    KIND_BREAK,   /* a line end within the paragraph */
    KIND_HEADING, /* h1 to h6 */
    KIND_TITLE,
    KIND_PRE,    /* its lines stay lines */
    KIND_HIDDEN, /* not for reading */
} kind_t;

static const struct {
    const char *name;
    kind_t kind;
} kinds[] = {
    {"address", KIND_BLOCK},    {"article", KIND_BLOCK},    {"aside", KIND_BLOCK},
    {"audio", KIND_HIDDEN},     {"blockquote", KIND_BLOCK}, {"body", KIND_BLOCK},
    {"br", KIND_BREAK},         {"button", KIND_HIDDEN},    {"canvas", KIND_HIDDEN},
    {"caption", KIND_BLOCK},    {"center", KIND_BLOCK},     {"dd", KIND_BLOCK},
    {"details", KIND_BLOCK},    {"dialog", KIND_HIDDEN},    {"div", KIND_BLOCK},
    {"dl", KIND_BLOCK},         {"dt", KIND_BLOCK},         {"fieldset", KIND_BLOCK},
    {"figcaption", KIND_BLOCK}, {"figure", KIND_BLOCK},     {"footer", KIND_BLOCK},
    {"form", KIND_BLOCK},       {"h1", KIND_HEADING},       {"h2", KIND_HEADING},
    {"h3", KIND_HEADING},       {"h4", KIND_HEADING},       {"h5", KIND_HEADING},
    {"h6", KIND_HEADING},       {"header", KIND_BLOCK},     {"hr", KIND_BLOCK},
    {"iframe", KIND_HIDDEN},    {"legend", KIND_BLOCK},     {"li", KIND_BLOCK},
    {"main", KIND_BLOCK},       {"math", KIND_HIDDEN},      {"menu", KIND_BLOCK},
    {"nav", KIND_HIDDEN},       {"noscript", KIND_HIDDEN},  {"object", KIND_HIDDEN},
    {"ol", KIND_BLOCK},         {"option", KIND_HIDDEN},    {"p", KIND_BLOCK},
    {"pre", KIND_PRE},          {"script", KIND_HIDDEN},    {"section", KIND_BLOCK},
    {"select", KIND_HIDDEN},    {"style", KIND_HIDDEN},     {"summary", KIND_BLOCK},
    {"svg", KIND_HIDDEN},       {"table", KIND_BLOCK},      {"td", KIND_CELL},
    {"template", KIND_HIDDEN},  {"textarea", KIND_HIDDEN},  {"th", KIND_CELL},
    {"title", KIND_TITLE},      {"tr", KIND_BLOCK},         {"ul", KIND_BLOCK},
    {"video", KIND_HIDDEN},
};

typedef struct {
    htmlParserCtxtPtr parser;
    packer_t *packer;
    char *text; /* the paragraph so far */
    size_t bytes, room;
    bool blank;  /* a blank is due before the next word */
    int depth;   /* of open elements */
    int hidden;  /* depth at which the hidden part began; 0: in none */
    int pre;     /* likewise */
    int heading; /* level of the open heading; 0: in none */
    bool cell, title;
    const char *problem;
} html_t;

static kind_t kind_of(const char *name)
{
    size_t low = 0;
    size_t high = sizeof kinds / sizeof *kinds;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcasecmp(name, kinds[middle].name);
        if (order == 0) return kinds[middle].kind;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return KIND_INLINE;
}

/* ---- text ---- */

static void put(html_t *self, const char *text, size_t bytes)
{
    if (self->bytes + bytes + 1 > self->room) {
        self->room = (self->bytes + bytes + 1) * 2;
        self->text = realloc(self->text, self->room);
        assert(self->text);
    }
    memcpy(self->text + self->bytes, text, bytes);
    self->bytes += bytes;
}

static void put_line_end(html_t *self)
{
    self->blank = false;
    if (self->bytes > 0 && self->text[self->bytes - 1] != '\n') put(self, "\n", 1);
}

static bool is_blank(const char *text, size_t left, size_t *size)
{
    bool hard = left >= 2 && memcmp(text, "\xc2\xa0", 2) == 0; /* a no-break space */
    *size = hard ? 2 : 1;
    return hard || strchr(" \t\n\r\f", *text);
}

/* Runs of blanks are one blank, and none at a paragraph's edges. */
static void put_words(html_t *self, const char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        size_t size = 1;
        if (is_blank(text + at, bytes - at, &size)) {
            if (self->pre && text[at] == '\n')
                put_line_end(self);
            else
                self->blank = true;
            at += size;
            continue;
        }
        size_t end = at + 1;
        while (end < bytes && !is_blank(text + end, bytes - end, &size)) end++;
        if (self->cell && self->bytes > 0) put(self, ",", 1);
        if (self->cell) self->blank = true;
        self->cell = false;
        bool edge = self->bytes == 0 || self->text[self->bytes - 1] == '\n';
        if (self->blank && !edge) put(self, " ", 1);
        self->blank = false;
        put(self, text + at, end - at);
        at = end;
    }
}

/* What was gathered is a heading, the page's name, or a paragraph. */
static void end_paragraph(html_t *self)
{
    while (self->bytes > 0 && self->text[self->bytes - 1] == '\n') self->bytes--;
    self->blank = self->cell = false;
    size_t bytes = self->bytes;
    self->bytes = 0;
    if (bytes == 0) return;
    self->text[bytes] = '\0';
    if (self->title)
        packer_name(self->packer, self->text);
    else if (self->heading)
        packer_heading(self->packer, self->heading, self->text, bytes);
    else
        packer_paragraph(self->packer, self->text, bytes);
}

/* ---- libxml2's events ---- */

static bool is_hidden(const xmlChar **attributes)
{
    for (size_t i = 0; attributes && attributes[i]; i += 2) {
        const char *name = (const char *)attributes[i];
        const char *value = attributes[i + 1] ? (const char *)attributes[i + 1] : "";
        if (strcasecmp(name, "hidden") == 0) return true;
        if (strcasecmp(name, "aria-hidden") == 0 && strcasecmp(value, "true") == 0) return true;
        if (strcasecmp(name, "style") != 0) continue;
        if (strcasestr(value, "display:none") || strcasestr(value, "display: none")) return true;
    }
    return false;
}

static void open_kind(html_t *self, kind_t kind, const char *name)
{
    switch (kind) {
    case KIND_INLINE:
    case KIND_HIDDEN:
        return;
    case KIND_BREAK:
        put_line_end(self);
        return;
    case KIND_CELL:
        self->cell = true;
        return;
    case KIND_PRE:
        end_paragraph(self);
        if (!self->pre) self->pre = self->depth;
        return;
    case KIND_HEADING:
        end_paragraph(self);
        self->heading = name[1] - '0';
        return;
    case KIND_TITLE:
        end_paragraph(self);
        self->title = true;
        return;
    case KIND_BLOCK:
        if (!self->heading) end_paragraph(self);
        return;
    }
}

static void on_start(void *arg, const xmlChar *element, const xmlChar **attributes)
{
    html_t *self = arg;
    const char *name = (const char *)element;
    if (++self->depth > HTML_DEPTH_MAX) {
        self->problem = "its elements are nested too deeply";
        xmlStopParser(self->parser);
        return;
    }
    if (self->hidden) return;
    kind_t kind = kind_of(name);
    if (kind == KIND_HIDDEN || is_hidden(attributes))
        self->hidden = self->depth;
    else
        open_kind(self, kind, name);
}

static void close_kind(html_t *self, kind_t kind)
{
    switch (kind) {
    case KIND_INLINE:
    case KIND_HIDDEN:
    case KIND_BREAK:
    case KIND_CELL:
        return;
    case KIND_HEADING:
        end_paragraph(self);
        self->heading = 0;
        return;
    case KIND_TITLE:
        end_paragraph(self);
        self->title = false;
        return;
    case KIND_PRE:
    case KIND_BLOCK:
        if (!self->heading) end_paragraph(self);
        return;
    }
}

static void on_end(void *arg, const xmlChar *element)
{
    html_t *self = arg;
    if (!self->hidden) close_kind(self, kind_of((const char *)element));
    if (self->hidden == self->depth) self->hidden = 0;
    if (self->pre == self->depth) self->pre = 0;
    if (self->depth > 0) self->depth--;
}

static void on_text(void *arg, const xmlChar *text, int bytes)
{
    html_t *self = arg;
    if (!self->hidden && !self->problem && bytes > 0)
        put_words(self, (const char *)text, (size_t)bytes);
}

/* ---- tags that would take for ever ---- */

static bool among(char c, const char *set)
{
    return c && strchr(set, c);
}

/* The end of the attribute at, with its value. Quotes count behind '=' only, as for libxml2. */
static size_t skip_attribute(const char *text, size_t bytes, size_t at)
{
    while (at < bytes && !among(text[at], " \t\r\n\f/=>")) at++;
    while (at < bytes && among(text[at], " \t\r\n\f/")) at++;
    if (at >= bytes || text[at] != '=') return at;
    at++;
    while (at < bytes && among(text[at], " \t\r\n\f")) at++;
    if (at >= bytes || !among(text[at], "\"'")) return at;
    const char *end = memchr(text + at + 1, text[at], bytes - at - 1);
    return end ? (size_t)(end - text) + 1 : bytes;
}

/* Does a tag have more attributes than any page needs? libxml2 compares each with all before it. */
static bool too_many_attributes(const char *text, size_t bytes)
{
    size_t count = 0;
    bool tag = false;
    for (size_t at = 0; at < bytes;) {
        if (!tag) {
            tag = at > 0 && text[at - 1] == '<' && isalpha((unsigned char)text[at]);
            count = 0;
            at++;
        } else if (text[at] == '>') {
            tag = false;
        } else {
            if (++count > ATTRIBUTES_MAX) return true;
            at = skip_attribute(text, bytes, at);
        }
    }
    return false;
}

const char *html_run(const char *name, const char *text, size_t bytes, bool utf8, passage_fn *fn,
                     void *arg)
{
    if (bytes > INT_MAX) return "too large";
    if (too_many_attributes(text, bytes)) return "a tag has too many attributes";
    html_t self = {.packer = packer_new(name, fn, arg)};
    self.parser = htmlNewParserCtxt();
    assert(self.parser);
    htmlSAXHandler events = {.startElement = on_start,
                             .endElement = on_end,
                             .characters = on_text,
                             .ignorableWhitespace = on_text};
    *self.parser->sax = events;
    self.parser->userData = &self;
    int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    htmlDocPtr none =
        htmlCtxtReadMemory(self.parser, text, (int)bytes, NULL, utf8 ? "UTF-8" : NULL, options);
    if (none) xmlFreeDoc(none);
    end_paragraph(&self);
    htmlFreeParserCtxt(self.parser);
    packer_destroy(&self.packer);
    free(self.text);
    return self.problem;
}
