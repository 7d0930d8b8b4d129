#include "services/dialogue/llm/spoken_text.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64, START_MOST = 256, CHARACTER_BYTES = 4 };

static const char think[] = "<think>";
static const char think_end[] = "</think>";

typedef enum { AT_START, THINKING, AFTER_THOUGHT, SPEAKING } stage_t;

struct spoken_text {
    char *ready;
    size_t size, room, taken;
    stage_t stage;
    char start[START_MOST]; /* blanks, and perhaps the beginning of a tag */
    size_t start_bytes;
    size_t matched;                /* of think_end */
    char partial[CHARACTER_BYTES]; /* bytes of a character that is not complete */
    size_t partial_bytes;
};

spoken_text_t *spoken_text_new(void)
{
    spoken_text_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void spoken_text_destroy(spoken_text_t **self_p)
{
    if (!*self_p) return;
    free((*self_p)->ready);
    free(*self_p);
    *self_p = NULL;
}

static void let_go(spoken_text_t *self, const char *bytes, size_t size)
{
    if (self->size + size + 1 > self->room) {
        self->room = self->room ? self->room : FIRST_BYTES;
        while (self->room < self->size + size + 1) self->room *= 2;
        self->ready = realloc(self->ready, self->room);
        assert(self->ready);
    }
    memcpy(self->ready + self->size, bytes, size);
    self->size += size;
    self->ready[self->size] = '\0';
}

/* ---- thoughts ------------------------------------------------------------------------------ */

/* One character at the start: held back as long as the text may be a thought's tag. */
static void add_at_start(spoken_text_t *self, const char *bytes, size_t size)
{
    bool room = self->start_bytes + size < START_MOST;
    if (room) {
        memcpy(self->start + self->start_bytes, bytes, size);
        self->start_bytes += size;
        self->start[self->start_bytes] = '\0';
        const char *word = self->start + strspn(self->start, " \t\r\n");
        size_t length = strlen(word);
        bool may_be = length < sizeof think && strncmp(word, think, length) == 0;
        if (may_be && length == sizeof think - 1) self->stage = THINKING;
        if (may_be) return;
    }
    self->stage = SPEAKING;
    let_go(self, self->start, self->start_bytes);
    if (!room) let_go(self, bytes, size);
}

static void add_thought(spoken_text_t *self, const char *bytes, size_t size)
{
    char c = size == 1 ? *bytes : '\0';
    if (c != think_end[self->matched]) self->matched = 0; /* "<" is only at its beginning */
    if (c != think_end[self->matched]) return;
    if (++self->matched == sizeof think_end - 1) self->stage = AFTER_THOUGHT;
}

static void add_character(spoken_text_t *self, const char *bytes, size_t size)
{
    if (self->stage == AFTER_THOUGHT && !(size == 1 && isspace((unsigned char)*bytes))) {
        self->stage = SPEAKING;
    }
    switch (self->stage) {
    case AT_START:
        add_at_start(self, bytes, size);
        break;
    case THINKING:
        add_thought(self, bytes, size);
        break;
    case AFTER_THOUGHT:
        break;
    case SPEAKING:
        let_go(self, bytes, size);
        break;
    }
}

/* ---- characters ---------------------------------------------------------------------------- */

typedef enum { COMPLETE, NEEDS_MORE, WRONG } character_t;

/* What the byte after a first one may be; later ones are 0x80 to 0xbf. */
static bool may_be_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: /* longer than it need be */
        return second >= 0xa0 && second <= 0xbf;
    case 0xed: /* half of a surrogate pair */
        return second >= 0x80 && second <= 0x9f;
    case 0xf0: /* longer than it need be */
        return second >= 0x90 && second <= 0xbf;
    case 0xf4: /* beyond U+10FFFF */
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

/* Bytes of the character that begins so; 0 when none does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    if (first < 0xe0) return 2;
    return first < 0xf0 ? 3 : 4;
}

/* What stands at the beginning of these bytes; *length is what it takes (of a wrong one: to skip). */
static character_t look(const unsigned char *at, size_t size, size_t *length)
{
    size_t wanted = length_of(at[0]);
    *length = 1;
    if (wanted == 0) return WRONG;
    while (*length < wanted) {
        if (*length == size) return NEEDS_MORE;
        unsigned char next = at[*length];
        bool fits = *length == 1 ? may_be_second(at[0], next) : next >= 0x80 && next <= 0xbf;
        if (!fits) return WRONG;
        ++*length;
    }
    return COMPLETE;
}

static void add_wrong(spoken_text_t *self)
{
    add_character(self, "\xef\xbf\xbd", 3);
}

/* Completes the character of which the beginning is kept; returns how many bytes that took. */
static size_t complete_partial(spoken_text_t *self, const char *bytes, size_t size)
{
    size_t used = 0;
    while (self->partial_bytes) {
        size_t length;
        character_t found =
            look((const unsigned char *)self->partial, self->partial_bytes, &length);
        if (found == NEEDS_MORE) {
            if (used == size) return used;
            self->partial[self->partial_bytes++] = bytes[used++];
            continue;
        }
        if (found == COMPLETE) {
            add_character(self, self->partial, length);
        } else {
            add_wrong(self); /* what follows it is looked at again */
        }
        if (length > self->partial_bytes) length = self->partial_bytes;
        self->partial_bytes -= length;
        memmove(self->partial, self->partial + length, self->partial_bytes);
    }
    return used;
}

static void drop_taken(spoken_text_t *self)
{
    if (self->taken) self->size = 0; /* it is taken as a whole */
    self->taken = 0;
}

void spoken_text_add(spoken_text_t *self, const char *bytes, size_t size)
{
    drop_taken(self);
    size_t at = complete_partial(self, bytes, size);
    while (at < size) {
        size_t length;
        character_t found = look((const unsigned char *)bytes + at, size - at, &length);
        if (found == NEEDS_MORE) {
            self->partial_bytes = size - at;
            memcpy(self->partial, bytes + at, self->partial_bytes);
            return;
        }
        if (found == COMPLETE) {
            add_character(self, bytes + at, length);
        } else {
            add_wrong(self);
        }
        at += length;
    }
}

void spoken_text_end(spoken_text_t *self)
{
    drop_taken(self);
    if (self->partial_bytes) add_wrong(self);
    self->partial_bytes = 0;
    if (self->stage == AT_START && self->start_bytes) {
        let_go(self, self->start, self->start_bytes);
        self->start_bytes = 0;
    }
}

const char *spoken_text_take(spoken_text_t *self)
{
    drop_taken(self);
    if (!self->size) return NULL;
    self->taken = self->size;
    return self->ready;
}
