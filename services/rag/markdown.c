#include "services/rag/markdown.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool markdown_line(slice_t *rest, slice_t *line)
{
    if (rest->bytes == 0) return false;
    size_t end = 0;
    while (end < rest->bytes && rest->text[end] != '\n' && rest->text[end] != '\r') end++;
    *line = (slice_t){rest->text, end};
    if (end < rest->bytes) {
        bool crlf = rest->text[end] == '\r' && end + 1 < rest->bytes && rest->text[end + 1] == '\n';
        end += crlf ? 2 : 1;
    }
    rest->text += end;
    rest->bytes -= end;
    return true;
}

slice_t markdown_trim(slice_t slice)
{
    while (slice.bytes > 0 && is_blank(slice.text[0])) {
        slice.text++;
        slice.bytes--;
    }
    while (slice.bytes > 0 && is_blank(slice.text[slice.bytes - 1])) slice.bytes--;
    return slice;
}

static size_t indent_of(slice_t line)
{
    size_t indent = 0;
    while (indent < line.bytes && line.text[indent] == ' ') indent++;
    return indent;
}

static size_t run_of(slice_t line, size_t from, char mark)
{
    size_t end = from;
    while (end < line.bytes && line.text[end] == mark) end++;
    return end - from;
}

int markdown_heading(slice_t line, slice_t *text)
{
    size_t at = indent_of(line);
    if (at > 3) return 0;
    size_t level = run_of(line, at, '#');
    at += level;
    if (level < 1 || level > 6 || (at < line.bytes && !is_blank(line.text[at]))) return 0;
    slice_t rest = markdown_trim((slice_t){line.text + at, line.bytes - at});
    size_t end = rest.bytes; /* a closing run of # is not part of the text */
    while (end > 0 && rest.text[end - 1] == '#') end--;
    if (end == 0 || is_blank(rest.text[end - 1])) rest.bytes = end;
    *text = markdown_trim(rest);
    return (int)level;
}

int markdown_underline(slice_t line)
{
    if (indent_of(line) > 3) return 0;
    slice_t mark = markdown_trim(line);
    if (mark.bytes == 0) return 0;
    if (run_of(mark, 0, '=') == mark.bytes) return 1;
    return run_of(mark, 0, '-') == mark.bytes ? 2 : 0;
}

bool markdown_fence(slice_t line, fence_t *fence)
{
    size_t at = indent_of(line);
    if (at > 3 || at >= line.bytes) return false;
    char mark = line.text[at];
    if (mark != '`' && mark != '~') return false;
    size_t length = run_of(line, at, mark);
    if (length < 3) return false;
    slice_t info = markdown_trim((slice_t){line.text + at + length, line.bytes - at - length});
    if (fence->mark) { /* open: only its own kind, at least as long, closes it */
        if (mark != fence->mark || length < fence->length || info.bytes > 0) return false;
        *fence = (fence_t){0};
        return true;
    }
    if (mark == '`' && info.bytes > 0 && memchr(info.text, '`', info.bytes)) return false;
    *fence = (fence_t){mark, length};
    return true;
}

bool markdown_is_rule(slice_t line)
{
    slice_t text = markdown_trim(line);
    size_t marks = 0;
    bool table = text.bytes > 0 && memchr(text.text, '|', text.bytes);
    char mark = table ? '-' : (text.bytes ? text.text[0] : '\0');
    if (mark != '-' && mark != '*' && mark != '_') return false;
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.text[i];
        if (c == mark)
            marks++;
        else if (!is_blank(c) && !(table && (c == '|' || c == ':')))
            return false;
    }
    return marks >= (table ? 1 : 3);
}

/* ---- inline ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

enum { LINK_TEXT_MAX = 256, LINK_TARGET_MAX = 1024 }; /* keep a line full of brackets linear */

/* The length of the whole "](target)" or "][label]" at from, 0 when it is none. */
static size_t link_tail(slice_t line, size_t from)
{
    if (from + 1 >= line.bytes || line.text[from] != ']') return 0;
    char open = line.text[from + 1];
    if (open != '(' && open != '[') return 0;
    char close = open == '(' ? ')' : ']';
    const char *start = line.text + from + 2;
    size_t left = line.bytes - from - 2;
    const char *end = memchr(start, close, left < LINK_TARGET_MAX ? left : LINK_TARGET_MAX);
    return end ? (size_t)(end - line.text) + 1 - from : 0;
}

/* Where the brackets opened at from end, when a link's tail follows; 0 when it is no link. */
static size_t link_end(slice_t line, size_t from)
{
    size_t depth = 0;
    size_t stop = line.bytes - from > LINK_TEXT_MAX ? from + LINK_TEXT_MAX : line.bytes;
    for (size_t i = from; i < stop; i++) {
        if (line.text[i] == '[') depth++;
        if (line.text[i] != ']' || --depth > 0) continue;
        return link_tail(line, i) ? i : 0;
    }
    return 0;
}

/* Emphasis marks stand at the edge of a word; inside one, or between blanks, they are text. */
static bool is_emphasis(slice_t line, size_t at, size_t run)
{
    char before = at > 0 ? line.text[at - 1] : ' ';
    char after = at + run < line.bytes ? line.text[at + run] : ' ';
    if (is_blank(before) && is_blank(after)) return false;
    char mark = line.text[at];
    if (mark == '_') return !(is_word(before) && is_word(after));
    if (mark == '~') return run == 2;
    return run <= 3 && !(is_word(before) && is_word(after) && run == 1);
}

/* What the line says that carries no text: the bullet or the quotation mark before it. */
static size_t skip_prefix(slice_t line)
{
    size_t at = 0;
    while (at < line.bytes && (is_blank(line.text[at]) || line.text[at] == '>')) at++;
    if (at + 1 >= line.bytes || !is_blank(line.text[at + 1])) return at;
    char c = line.text[at];
    return c == '-' || c == '*' || c == '+' ? at + 2 : at;
}

typedef struct {
    slice_t line;
    size_t at;
    char *out;
    size_t size;
    size_t link; /* where the text of the present link ends; 0: in none */
    size_t tail; /* the nearest end of a link's text at or after where it was looked for */
} plain_t;

static void put(plain_t *self, char c)
{
    if (c == '\t') c = ' ';
    if (c == ' ' && (self->size == 0 || self->out[self->size - 1] == ' ')) return;
    self->out[self->size++] = c;
}

static bool take_emphasis(plain_t *self)
{
    char c = self->line.text[self->at];
    if (c != '*' && c != '_' && c != '~') return false;
    size_t run = run_of(self->line, self->at, c);
    if (!is_emphasis(self->line, self->at, run)) {
        for (size_t i = 0; i < run; i++) put(self, c);
    }
    self->at += run;
    return true;
}

/* Whether a link's text may end within reach of the present place. The nearest end is looked for
 * once and remembered: without that, a line of brackets would be read again for each of them. */
static bool link_in_reach(plain_t *self)
{
    if (self->tail < self->at) {
        self->tail = self->at;
        while (self->tail < self->line.bytes && !link_tail(self->line, self->tail)) self->tail++;
    }
    return self->tail < self->line.bytes && self->tail - self->at < LINK_TEXT_MAX;
}

static bool take_link(plain_t *self)
{
    slice_t line = self->line;
    if (self->link) { /* in its text: links do not nest */
        if (self->at != self->link) return false;
        self->at += link_tail(line, self->at);
        self->link = 0;
        return true;
    }
    size_t open = self->at + (line.text[self->at] == '!' ? 1 : 0); /* "![" is an image */
    if (open >= line.bytes || line.text[open] != '[' || !link_in_reach(self)) return false;
    size_t end = link_end(line, open);
    if (!end) return false;
    self->link = end;
    self->at = open + 1;
    return true;
}

/* Takes the markup at the present place. False: there is none. */
static bool take_markup(plain_t *self)
{
    slice_t line = self->line;
    char c = line.text[self->at];
    char next = self->at + 1 < line.bytes ? line.text[self->at + 1] : '\0';
    if (c == '\\' && next && strchr("\\`*_{}[]()#+-.!|~<>", next)) {
        put(self, next);
        self->at += 2;
        return true;
    }
    if (c == '`') {
        self->at += run_of(line, self->at, '`');
        return true;
    }
    return take_emphasis(self) || take_link(self);
}

/* A table's row is read as its cells with commas between them. */
static bool take_cell_edge(plain_t *self)
{
    if (self->line.text[self->at] != '|') return false;
    self->at++;
    while (self->size > 0 && self->out[self->size - 1] == ' ') self->size--;
    slice_t rest = {self->line.text + self->at, self->line.bytes - self->at};
    if (self->size == 0 || markdown_trim(rest).bytes == 0) return true;
    if (self->out[self->size - 1] != ',') put(self, ',');
    return true;
}

size_t markdown_plain(slice_t line, char *out)
{
    plain_t self = {.line = line, .at = skip_prefix(line), .out = out};
    slice_t trimmed = markdown_trim(line);
    bool table = trimmed.bytes > 1 && trimmed.text[0] == '|';
    while (self.at < line.bytes) {
        if (take_markup(&self) || (table && take_cell_edge(&self))) continue;
        put(&self, line.text[self.at++]);
    }
    while (self.size > 0 && self.out[self.size - 1] == ' ') self.size--;
    return self.size;
}
