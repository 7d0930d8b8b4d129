#include "services/dialogue/llm/sse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 512, FIELD_BYTES = 4 };

typedef struct {
    char *data;
    size_t size, room;
} bytes_t;

struct sse {
    size_t event_max;
    bytes_t line;  /* of which the end has not come */
    bytes_t event; /* data of the event under way */
    bytes_t ready; /* complete events, each ended by NUL */
    size_t taken;  /* of ready */
    bool has_data; /* the event under way has a data line, be it an empty one */
    bool after_cr; /* a line feed would belong to the line that has just ended */
    bool begun;    /* the first line is over: no byte order mark can come */
    bool too_large;
};

static void add(bytes_t *self, const char *bytes, size_t size)
{
    if (self->size + size > self->room) {
        self->room = self->room ? self->room : FIRST_BYTES;
        while (self->room < self->size + size) self->room *= 2;
        self->data = realloc(self->data, self->room);
        assert(self->data);
    }
    if (size) memcpy(self->data + self->size, bytes, size);
    self->size += size;
}

sse_t *sse_new(size_t event_max_bytes)
{
    sse_t *self = calloc(1, sizeof *self);
    assert(self);
    self->event_max = event_max_bytes;
    return self;
}

void sse_destroy(sse_t **self_p)
{
    sse_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    free(self->line.data);
    free(self->event.data);
    free(self->ready.data);
    free(self);
}

static void end_event(sse_t *self)
{
    if (self->has_data) {
        add(&self->ready, self->event.data, self->event.size);
        add(&self->ready, "", 1);
    }
    self->event.size = 0;
    self->has_data = false;
}

static void end_line(sse_t *self)
{
    const char *text = self->line.data;
    size_t size = self->line.size;
    if (!self->begun && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    self->begun = true;
    self->line.size = 0;
    if (size == 0) {
        end_event(self);
        return;
    }
    if (size < FIELD_BYTES || memcmp(text, "data", FIELD_BYTES) != 0) return;
    if (size > FIELD_BYTES && text[FIELD_BYTES] != ':') return; /* a longer name */
    text += FIELD_BYTES;
    size -= FIELD_BYTES;
    size_t skip = size && text[0] == ':' ? 1 : 0;
    if (size > skip && text[skip] == ' ') skip++;
    if (self->has_data) add(&self->event, "\n", 1);
    self->has_data = true;
    if (size > skip) add(&self->event, text + skip, size - skip);
}

/* What has been taken makes room. */
static void drop_taken(sse_t *self)
{
    self->ready.size -= self->taken;
    if (self->ready.size) {
        memmove(self->ready.data, self->ready.data + self->taken, self->ready.size);
    }
    self->taken = 0;
}

static size_t line_length(const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && bytes[at] != '\n' && bytes[at] != '\r') at++;
    return at;
}

bool sse_feed(sse_t *self, const char *bytes, size_t size)
{
    drop_taken(self);
    while (size && !self->too_large) {
        if (self->after_cr && *bytes == '\n') {
            bytes++;
            size--;
        }
        self->after_cr = false;
        size_t length = line_length(bytes, size);
        self->too_large = self->line.size + self->event.size + length > self->event_max;
        if (self->too_large) break;
        add(&self->line, bytes, length);
        if (length == size) break;
        self->after_cr = bytes[length] == '\r';
        end_line(self);
        bytes += length + 1;
        size -= length + 1;
    }
    return !self->too_large;
}

void sse_end(sse_t *self)
{
    drop_taken(self);
    if (!self->too_large && self->line.size == 0) end_event(self);
}

const char *sse_next(sse_t *self)
{
    if (self->taken == self->ready.size) return NULL;
    const char *event = self->ready.data + self->taken;
    self->taken += strlen(event) + 1;
    return event;
}
