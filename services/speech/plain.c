#include "services/speech/plain.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* "<b>", "</speak>", "<br/>": a tag's bytes, else 0. "3 < 4" is none. */
static size_t tag(const char *at)
{
    if (at[0] != '<') return 0;
    size_t name = 1 + (size_t)(at[1] == '/');
    bool letter = (at[name] >= 'a' && at[name] <= 'z') || (at[name] >= 'A' && at[name] <= 'Z');
    if (!letter) return 0;
    size_t end = strcspn(at, ">\n");
    return at[end] == '>' ? end + 1 : 0;
}

/* "](https://...)": what follows a link's text. */
static size_t link_target(const char *at)
{
    if (at[0] != ']' || at[1] != '(') return 0;
    size_t end = strcspn(at, ")\n");
    return at[end] == ')' ? end + 1 : 0;
}

/* "- ", "* ", "## " at the beginning of a line. */
static size_t bullet(const char *at)
{
    size_t marks = strspn(at, "#");
    if (marks == 0) marks = (size_t)(*at == '-' || *at == '*' || *at == '>');
    return marks > 0 && at[marks] == ' ' ? marks + 1 : 0;
}

static bool control(unsigned char c)
{
    return (c < 0x20 && c != '\n') || c == 0x7f;
}

/* Bytes of markup at that place, which leave a space. */
static size_t markup(const char *at, bool line)
{
    size_t skip = line ? bullet(at) : 0;
    if (skip == 0) skip = tag(at);
    if (skip == 0) skip = link_target(at);
    return skip;
}

typedef struct {
    char *text;
    size_t *map;
    size_t bytes;
} plain_t;

static void put(plain_t *self, char c, size_t source)
{
    self->map[self->bytes] = source;
    self->text[self->bytes++] = c;
}

/* What is left out is said with what came before it. */
static void leave_out(plain_t *self, size_t source)
{
    if (self->bytes > 0) self->map[self->bytes - 1] = source;
}

char *plain_text(const char *text, size_t **map_out)
{
    size_t room = strlen(text) + 1;
    plain_t out = {malloc(room), malloc(room * sizeof(size_t)), 0};
    assert(out.text && out.map);
    bool line = true;
    for (const char *at = text; *at;) {
        size_t skip = markup(at, line);
        if (skip > 0) {
            at += skip;
            leave_out(&out, (size_t)(at - text));
            bool apart = out.bytes == 0 || out.text[out.bytes - 1] == ' ';
            if (!apart) put(&out, ' ', (size_t)(at - text));
            continue;
        }
        char c = *at++;
        line = c == '\n' || (line && c == ' ');
        if (strchr("*`~|[]{}\\^<>\"", c))
            leave_out(&out, (size_t)(at - text));
        else
            put(&out, (char)(control((unsigned char)c) || c == '\n' ? ' ' : c),
                (size_t)(at - text));
    }
    out.text[out.bytes] = '\0';
    if (map_out) *map_out = out.map;
    if (!map_out) free(out.map);
    return out.text;
}
