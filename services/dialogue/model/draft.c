#include "services/dialogue/model/draft.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_room(draft_t *self, size_t more)
{
    size_t need = self->len + more + 1;
    if (need <= self->room) return;
    size_t room = self->room ? self->room : 64;
    while (room < need) room *= 2;
    char *grown = realloc(self->at, room);
    assert(grown);
    self->at = grown;
    self->room = room;
}

const char *draft_text(const draft_t *self)
{
    return self->at ? self->at : "";
}

void draft_add(draft_t *self, const char *text)
{
    draft_add_n(self, text, strlen(text));
}

void draft_add_n(draft_t *self, const char *text, size_t n)
{
    make_room(self, n);
    memcpy(self->at + self->len, text, n);
    self->len += n;
    self->at[self->len] = '\0';
}

void draft_addf(draft_t *self, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = NULL;
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    assert(n >= 0);
    draft_add_n(self, text, (size_t)n);
    free(text);
}

void draft_drop(draft_t *self, size_t n)
{
    if (n == 0) return;
    assert(n <= self->len);
    memmove(self->at, self->at + n, self->len - n + 1);
    self->len -= n;
}

void draft_clear(draft_t *self)
{
    self->len = 0;
    if (self->at) self->at[0] = '\0';
}

void draft_free(draft_t *self)
{
    free(self->at);
    *self = (draft_t){0};
}

char *draft_take(draft_t *self)
{
    make_room(self, 0);
    char *text = self->at;
    text[self->len] = '\0';
    *self = (draft_t){0};
    return text;
}
