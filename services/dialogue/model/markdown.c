#include "services/dialogue/model/markdown.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "services/dialogue/model/letters.h"

enum { LABEL_MAX = 200, TARGET_MAX = 500, ROW_MAX = 2000, TAG_MAX = 200, ENTITY_MAX = 8 };

/* What stands at a place: read so many bytes, or MORE is needed to tell. */
#define MORE ((size_t)-1)

typedef struct {
    markdown_t *state;
    const char *at; /* what is left */
    size_t n;
    bool final;
    draft_t *out;
} view_t;

static size_t run_of(const view_t *v, char c)
{
    size_t i = 0;
    while (i < v->n && v->at[i] == c) i++;
    return i;
}

/* The byte at i; -1 beyond what is there, which is the end when the text is final. */
static int byte_at(const view_t *v, size_t i)
{
    return i < v->n ? (unsigned char)v->at[i] : -1;
}

static bool unknown(const view_t *v, size_t i)
{
    return i >= v->n && !v->final;
}

static bool blank(int c)
{
    return c == ' ' || c == '\t';
}

static bool line_end(int c)
{
    return c < 0 || c == '\n' || c == '\r';
}

/* ---- beginnings of lines ---- */

static void begin_block(const view_t *v)
{
    draft_add(v->out, "\v");
}

static size_t heading(const view_t *v)
{
    size_t n = run_of(v, '#');
    if (unknown(v, n)) return MORE;
    if (n > 6 || !(blank(byte_at(v, n)) || line_end(byte_at(v, n)))) return 0;
    begin_block(v);
    v->state->in_line = true;
    return n;
}

static size_t fence(const view_t *v, char c)
{
    size_t n = run_of(v, c);
    if (n < 3 && unknown(v, n)) return MORE;
    if (n < 3) return 0;
    begin_block(v);
    v->state->in_line = true;
    v->state->drop_line = true;
    return n;
}

/* "---", "***", "- - -" */
static size_t rule(const view_t *v, char c)
{
    size_t marks = 0;
    size_t i = 0;
    for (; i < v->n && (v->at[i] == c || blank(v->at[i])); i++) marks += v->at[i] == c;
    if (unknown(v, i) && i < TAG_MAX) return MORE;
    if (marks < 3 || !line_end(byte_at(v, i))) return 0;
    begin_block(v);
    return i;
}

static size_t bullet(const view_t *v, char c)
{
    if (c != '+') {
        size_t n = rule(v, c);
        if (n) return n;
    }
    if (c == '_') return 0;
    if (unknown(v, 1)) return MORE;
    if (!blank(byte_at(v, 1))) return 0;
    begin_block(v);
    v->state->in_line = true;
    return 2;
}

static size_t numbered(const view_t *v)
{
    size_t i = 0;
    while (i < v->n && i < 4 && isdigit((unsigned char)v->at[i])) i++;
    if (unknown(v, i) || unknown(v, i + 1)) return MORE;
    int mark = byte_at(v, i);
    bool item = i < 4 && (mark == '.' || mark == ')') && blank(byte_at(v, i + 1));
    v->state->in_line = true;
    if (!item) return 0;
    begin_block(v);
    draft_add_n(v->out, v->at, i);
    draft_add(v->out, ". ");
    return i + 2;
}

static size_t table_row(const view_t *v)
{
    const char *end = memchr(v->at, '\n', v->n);
    if (!end && !v->final && v->n < ROW_MAX) return MORE;
    size_t n = end ? (size_t)(end - v->at) : v->n;
    size_t i = 0;
    while (i < n && strchr("|-: \t\r", v->at[i])) i++;
    begin_block(v);
    v->state->in_line = true;
    if (i == n) return n; /* the row under the head */
    v->state->table = true;
    return 1;
}

static size_t quote(const view_t *v)
{
    begin_block(v);
    return 1; /* what is quoted may be a list */
}

/* A bullet sign of typography. */
static size_t dot_bullet(const view_t *v)
{
    static const char *const dots[] = {"•", "◦", "▪", "‣", "·", "–", NULL};
    for (const char *const *dot = dots; *dot; dot++) {
        size_t n = strlen(*dot);
        size_t known = v->n < n ? v->n : n;
        if (memcmp(v->at, *dot, known) != 0) continue;
        if (unknown(v, n)) return MORE;
        if (known < n || !blank(byte_at(v, n))) continue;
        begin_block(v);
        v->state->in_line = true;
        return n;
    }
    return 0;
}

/* Reads the marks that a line begins with; 0: there are none (any more). */
static size_t line_start(const view_t *v)
{
    size_t n = 0;
    char c = v->at[0];
    switch (c) {
    case '\n':
        begin_block(v);
        return 1;
    case ' ':
    case '\t':
    case '\r':
        return 1;
    case '#':
        n = heading(v);
        break;
    case '-':
    case '*':
    case '+':
    case '_':
        n = bullet(v, c);
        break;
    case '`':
    case '~':
        n = fence(v, c);
        break;
    case '>':
        return quote(v);
    case '|':
        return table_row(v);
    default:
        n = isdigit((unsigned char)c) ? numbered(v) : dot_bullet(v);
        break;
    }
    if (n == 0) v->state->in_line = true;
    return n;
}

/* ---- within lines ---- */

static uint32_t last_written(const draft_t *out)
{
    size_t len = 0;
    return out->len ? letter_before(out->at, out->len, &len) : '\n';
}

static bool word_letter(uint32_t c)
{
    return letter_is_alpha(c) || letter_is_digit(c);
}

static size_t emphasis(const view_t *v, char c)
{
    size_t n = run_of(v, c);
    size_t len = 0;
    if (unknown(v, n)) return MORE;
    uint32_t before = last_written(v->out);
    uint32_t after = n < v->n ? letter_at(v->at + n, v->n - n, &len) : '\n';
    bool kept = false;
    if (c == '_') kept = word_letter(before) && word_letter(after);
    if (c == '*' && n == 1) {
        kept = (letter_is_space(before) && letter_is_space(after)) ||
               (letter_is_digit(before) && letter_is_digit(after));
    }
    if (c == '~') kept = n < 2;
    if (kept) draft_add_n(v->out, v->at, n);
    return n;
}

static void add_label(const view_t *v, const char *label, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strchr("*`", label[i])) draft_add_n(v->out, label + i, 1);
    }
}

/* "[words](address)", "[^1]", "[x]"; other brackets stay. */
static size_t bracket(const view_t *v)
{
    size_t i = 1;
    while (i < v->n && i < LABEL_MAX && !strchr("[]\n", v->at[i])) i++;
    if (i < LABEL_MAX && unknown(v, i)) return MORE;
    if (i >= LABEL_MAX || byte_at(v, i) != ']') goto text;
    if (v->at[1] == '^') return i + 1;
    if (i == 2 && strchr(" xX", v->at[1])) return i + 1;
    if (unknown(v, i + 1)) return MORE;
    if (byte_at(v, i + 1) != '(') goto text;
    size_t end = i + 2;
    while (end < v->n && end - i < TARGET_MAX && !strchr(")\n", v->at[end])) end++;
    if (end - i < TARGET_MAX && unknown(v, end)) return MORE;
    if (byte_at(v, end) != ')') goto text;
    add_label(v, v->at + 1, i - 1);
    return end + 1;
text:
    draft_add(v->out, "[");
    return 1;
}

static bool named(const char *tag, size_t n, const char *name)
{
    return n == strlen(name) && strncasecmp(tag, name, n) == 0;
}

/* The tag's text without its angles. */
static void take_tag(const view_t *v, const char *tag, size_t n)
{
    bool closes = tag[0] == '/';
    const char *name = closes ? tag + 1 : tag;
    size_t name_n = 0;
    while (name + name_n < tag + n && (isalnum((unsigned char)name[name_n]))) name_n++;
    if (named(name, name_n, "think") || named(name, name_n, "thinking")) {
        v->state->thinking = !closes;
    } else if (named(name, name_n, "style")) { /* a style marker in the wrong clothes */
        draft_addf(v->out, "[%.*s]", (int)(n - (size_t)closes), name);
    } else if (named(name, name_n, "br") || named(name, name_n, "p") || named(name, name_n, "li")) {
        draft_add(v->out, "\v");
    }
}

/* Is it a tag, and not "a < b and c > d"? */
static bool is_tag(const char *tag, size_t n)
{
    size_t i = n > 0 && tag[0] == '/' ? 1 : 0;
    if (i >= n || !isalpha((unsigned char)tag[i])) return false;
    while (i < n && (isalnum((unsigned char)tag[i]) || tag[i] == '-' || tag[i] == '_')) i++;
    while (i < n && blank(tag[i])) i++;
    if (i == n || (i + 1 == n && tag[i] == '/')) return true;
    return memchr(tag + i, '=', n - i) != NULL;
}

static size_t angle(const view_t *v)
{
    if (unknown(v, 1)) return MORE;
    int c = byte_at(v, 1);
    bool maybe = c > 0 && (isalpha(c) || c == '/');
    size_t i = 1;
    while (maybe && i < v->n && i < TAG_MAX && !strchr("<>\n", v->at[i])) i++;
    if (maybe && i < TAG_MAX && unknown(v, i)) return MORE;
    if (!maybe || byte_at(v, i) != '>') {
        draft_add(v->out, "<");
        return 1;
    }
    const char *tag = v->at + 1;
    size_t n = i - 1;
    bool address = memchr(tag, '@', n) || strncasecmp(tag, "http", 4) == 0;
    if (address) {
        draft_add_n(v->out, tag, n);
    } else if (is_tag(tag, n)) {
        take_tag(v, tag, n);
    } else {
        draft_add(v->out, "<");
        return 1;
    }
    return i + 1;
}

static size_t entity(const view_t *v)
{
    static const char *const known[][2] = {{"&amp;", "&"},   {"&lt;", "<"},  {"&gt;", ">"},
                                           {"&quot;", "\""}, {"&#39;", "'"}, {"&apos;", "'"},
                                           {"&nbsp;", " "}};
    size_t i = 1;
    while (i < v->n && i < ENTITY_MAX && (isalnum((unsigned char)v->at[i]) || v->at[i] == '#')) i++;
    if (i < ENTITY_MAX && unknown(v, i)) return MORE;
    for (size_t k = 0; byte_at(v, i) == ';' && k < sizeof known / sizeof known[0]; k++) {
        if (strncmp(v->at, known[k][0], i + 1) != 0) continue;
        draft_add(v->out, known[k][1]);
        return i + 1;
    }
    draft_add(v->out, "&");
    return 1;
}

static size_t bar(const view_t *v)
{
    if (!v->state->table) {
        draft_add(v->out, "|");
        return 1;
    }
    size_t i = 1;
    while (blank(byte_at(v, i))) i++;
    if (!line_end(byte_at(v, i)) && last_written(v->out) != '\v') {
        while (v->out->len && v->out->at[v->out->len - 1] == ' ') v->out->at[--v->out->len] = '\0';
        draft_add(v->out, ", ");
    }
    return i;
}

static size_t escape(const view_t *v)
{
    if (unknown(v, 1)) return MORE;
    int c = byte_at(v, 1);
    if (c < 0 || !ispunct(c)) {
        draft_add(v->out, "\\");
        return 1;
    }
    draft_add_n(v->out, v->at + 1, 1);
    return 2;
}

static size_t character(const view_t *v)
{
    size_t len = 0;
    uint32_t c = letter_at(v->at, v->n, &len);
    bool cut = c == LETTER_BAD && (unsigned char)v->at[0] >= 0xC2 && v->n < 4;
    if (cut && !v->final) return MORE; /* the rest of it may come */
    if (letter_is_picture(c)) {
        if (!letter_is_space(last_written(v->out))) draft_add(v->out, " ");
    } else if (!letter_is_invisible(c)) {
        draft_add_n(v->out, v->at, len);
    }
    return len;
}

static size_t inside(const view_t *v)
{
    char c = v->at[0];
    switch (c) {
    case '\n':
        draft_add(v->out, "\n");
        v->state->in_line = v->state->table = false;
        return 1;
    case '\r':
    case '\v':
        return 1;
    case '*':
    case '_':
    case '~':
        return emphasis(v, c);
    case '`':
        return 1;
    case '!': /* an image's words, as a link's; a mark at the very end is not waited for */
        if (byte_at(v, 1) == '[') return 1;
        break;
    case '[':
        return bracket(v);
    case '<':
        return angle(v);
    case '&':
        return entity(v);
    case '|':
        return bar(v);
    case '\\':
        return escape(v);
    default:
        break;
    }
    return character(v);
}

static size_t thinking(const view_t *v)
{
    static const char end[] = "</think";
    size_t keep = sizeof end - 1;
    for (size_t i = 0; i < v->n; i++) {
        if (v->at[i] == '<' && v->n - i >= keep && strncasecmp(v->at + i, end, keep) == 0) {
            const char *close = memchr(v->at + i, '>', v->n - i);
            if (!close) return i ? i : v->final ? v->n : MORE;
            v->state->thinking = false;
            return (size_t)(close - v->at) + 1;
        }
    }
    if (v->final) return v->n;
    return v->n > keep ? v->n - keep : MORE;
}

static size_t dropped(const view_t *v)
{
    const char *end = memchr(v->at, '\n', v->n);
    if (!end) return v->n;
    v->state->drop_line = false;
    return end > v->at ? (size_t)(end - v->at) : inside(v);
}

size_t markdown_read(markdown_t *self, const char *raw, size_t n, bool final, draft_t *out)
{
    size_t read = 0;
    while (read < n) {
        view_t v = {self, raw + read, n - read, final, out};
        size_t step = 0;
        if (self->thinking) {
            step = thinking(&v);
        } else if (self->drop_line) {
            step = dropped(&v);
        } else if (!self->in_line) {
            step = line_start(&v);
            if (step == 0) continue; /* in_line is set: now as text */
        } else {
            step = inside(&v);
        }
        if (step == MORE) break;
        read += step;
    }
    return read;
}
