#include "services/rag/formats/entry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/rag/packer.h"

typedef enum {
    PART_TITLE,
    PART_QUESTION,
    PART_CONTENT,
    PART_OTHER, /* fields of its own, "name: value" */
    PART_CONTEXT,
    PART_SYNTHESIS,
    PARTS,
    PART_ID,
    PART_CREATED,
    PART_SOURCE,
} part_t;

static const struct {
    const char *name;
    part_t part;
} known[] = {
    {"answer", PART_CONTENT},     {"body", PART_CONTENT},
    {"content", PART_CONTENT},    {"context", PART_CONTEXT},
    {"created_at", PART_CREATED}, {"document_synthesis", PART_SYNTHESIS},
    {"file_path", PART_SOURCE},   {"id", PART_ID},
    {"question", PART_QUESTION},  {"source", PART_SOURCE},
    {"text", PART_CONTENT},       {"title", PART_TITLE},
    {"url", PART_SOURCE},
};

typedef struct {
    char *text;
    size_t bytes, room;
} text_t;

struct entry {
    const char *name;
    passage_fn *fn;
    void *arg;
    text_t parts[PARTS];
    char id[PASSAGE_ID_BYTES], created_at[PASSAGE_DATE_BYTES], source[PASSAGE_SOURCE_BYTES];
    float vector[PASSAGE_DIMENSIONS_MAX];
    size_t dimensions;
    size_t given; /* passages of the present entry */
};

static part_t part_of(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(name, known[i].name) == 0) return known[i].part;
    }
    return PART_OTHER;
}

bool entry_is_vector(const char *name)
{
    return strcasecmp(name, "vectors") == 0 || strcasecmp(name, "vector") == 0 ||
           strcasecmp(name, "embedding") == 0;
}

/* ---- gathering ---- */

static void add(text_t *self, const char *text, size_t bytes)
{
    if (self->bytes + bytes + 1 > self->room) {
        self->room = (self->bytes + bytes + 1) * 2;
        self->text = realloc(self->text, self->room);
        assert(self->text);
    }
    memcpy(self->text + self->bytes, text, bytes);
    self->bytes += bytes;
    self->text[self->bytes] = '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void entry_field(entry_t *self, const char *name, const char *value, size_t bytes)
{
    while (bytes > 0 && is_blank(value[0])) {
        value++;
        bytes--;
    }
    while (bytes > 0 && is_blank(value[bytes - 1])) bytes--;
    if (bytes == 0 || entry_is_vector(name)) return;
    part_t part = part_of(name);
    if (part == PART_ID) {
        if (bytes < sizeof self->id) (void)packer_cut(self->id, sizeof self->id, value, bytes);
    } else if (part == PART_CREATED) {
        (void)packer_cut(self->created_at, sizeof self->created_at, value, bytes);
    } else if (part == PART_SOURCE) {
        (void)packer_cut(self->source, sizeof self->source, value, bytes);
    } else {
        text_t *text = &self->parts[part];
        if (text->bytes > 0) add(text, "\n", 1);
        if (part == PART_OTHER) {
            add(text, name, strlen(name));
            add(text, ": ", 2);
        }
        add(text, value, bytes);
    }
}

void entry_vector(entry_t *self, const float *vector, size_t dimensions)
{
    assert(dimensions <= PASSAGE_DIMENSIONS_MAX);
    memcpy(self->vector, vector, dimensions * sizeof *vector);
    self->dimensions = dimensions;
}

/* ---- giving ---- */

static void give(void *arg, const passage_t *packed)
{
    entry_t *self = arg;
    passage_t passage = *packed;
    char id[PASSAGE_ID_BYTES + 16];
    self->given++;
    if (self->id[0]) {
        (void)snprintf(id, sizeof id, self->given > 1 ? "%s#%zu" : "%s", self->id, self->given);
        passage.id = id;
    }
    if (self->source[0]) passage.source = self->source;
    if (self->created_at[0]) passage.created_at = self->created_at;
    if (self->dimensions > 0) {
        passage.vector = self->vector;
        passage.dimensions = self->dimensions;
    }
    self->fn(self->arg, &passage);
}

static void heading(packer_t *packer, int level, const text_t *text)
{
    if (text->bytes > 0) packer_heading(packer, level, text->text, text->bytes);
}

/* Paragraph by paragraph, so that lines that belong together stay so. */
static void paragraphs(packer_t *packer, const text_t *text)
{
    for (size_t at = 0; at < text->bytes;) {
        const char *end = strstr(text->text + at, "\n\n");
        size_t size = end ? (size_t)(end - text->text) - at : text->bytes - at;
        packer_paragraph(packer, text->text + at, size);
        at += size;
        while (at < text->bytes && is_blank(text->text[at])) at++;
    }
}

bool entry_end(entry_t *self)
{
    size_t bytes = 0;
    for (part_t part = PART_CONTENT; part < PARTS; part++) bytes += self->parts[part].bytes;
    self->given = 0;
    /* A vector is of the whole: it says nothing of pieces. */
    if (bytes + 3 > PASSAGE_CHARS) self->dimensions = 0;
    if (bytes > 0) {
        packer_t *packer = packer_new(self->name, give, self);
        heading(packer, 1, &self->parts[PART_TITLE]);
        heading(packer, 2, &self->parts[PART_QUESTION]);
        for (part_t part = PART_CONTENT; part < PARTS; part++)
            paragraphs(packer, &self->parts[part]);
        packer_destroy(&packer);
    }
    for (part_t part = 0; part < PARTS; part++) self->parts[part].bytes = 0;
    self->id[0] = self->created_at[0] = self->source[0] = '\0';
    self->dimensions = 0;
    return self->given > 0;
}

entry_t *entry_new(const char *name, passage_fn *fn, void *arg)
{
    entry_t *self = calloc(1, sizeof *self);
    assert(self);
    self->name = name;
    self->fn = fn;
    self->arg = arg;
    return self;
}

void entry_destroy(entry_t **self_p)
{
    entry_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (part_t part = 0; part < PARTS; part++) free(self->parts[part].text);
    free(self);
}
