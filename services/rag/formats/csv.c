#include "services/rag/formats/csv.h"

#include <assert.h>
#include <csv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/formats/entry.h"

enum { NAME_BYTES = 128 };

typedef struct {
    entry_t *entry;
    char (*names)[NAME_BYTES];
    size_t columns; /* that have names */
    size_t at;      /* column of the present row */
    bool header;    /* the first row is under way */
    size_t given;   /* rows that became passages */
} table_t;

static char delimiter_of(const char *text, size_t bytes)
{
    static const char marks[] = ",;\t|";
    size_t counts[sizeof marks - 1] = {0};
    bool quoted = false;
    for (size_t i = 0; i < bytes && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
        if (text[i] == '"') quoted = !quoted;
        const char *mark = quoted || !text[i] ? NULL : strchr(marks, text[i]);
        if (mark) counts[mark - marks]++;
    }
    size_t best = 0;
    for (size_t i = 1; i < sizeof marks - 1; i++) {
        if (counts[i] > counts[best]) best = i;
    }
    return marks[best];
}

static void take_name(table_t *self, const char *value, size_t bytes)
{
    char *name = self->names[self->columns++];
    size_t size = bytes < NAME_BYTES ? bytes : NAME_BYTES - 1;
    while (size < bytes && size > 0 && ((unsigned char)value[size] & 0xc0) == 0x80) size--;
    memcpy(name, value, size);
    name[size] = '\0';
    for (char *c = name; *c; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
}

static void on_field(void *value, size_t bytes, void *arg)
{
    table_t *self = arg;
    if (self->at >= CSV_COLUMNS_MAX) return;
    size_t column = self->at++;
    if (self->header) {
        take_name(self, value, bytes);
        return;
    }
    char name[NAME_BYTES];
    if (column < self->columns && self->names[column][0])
        (void)snprintf(name, sizeof name, "%s", self->names[column]);
    else
        (void)snprintf(name, sizeof name, "column %zu", column + 1);
    entry_field(self->entry, name, value, bytes);
}

static void on_row(int end, void *arg)
{
    (void)end;
    table_t *self = arg;
    self->at = 0;
    if (self->header)
        self->header = self->columns == 0; /* blank lines above it are nothing */
    else if (entry_end(self->entry))
        self->given++;
}

const char *csv_run(const char *name, const char *text, size_t bytes, passage_fn *fn, void *arg)
{
    struct csv_parser parser;
    int rc = csv_init(&parser, 0);
    assert(rc == 0);
    while (bytes > 0 && strchr("\r\n", *text)) {
        text++;
        bytes--;
    }
    csv_set_delim(&parser, (unsigned char)delimiter_of(text, bytes));
    csv_set_blk_size(&parser, 65536);
    table_t self = {.entry = entry_new(name, fn, arg), .header = true};
    self.names = calloc(CSV_COLUMNS_MAX, sizeof *self.names);
    assert(self.names);
    size_t taken = csv_parse(&parser, text, bytes, on_field, on_row, &self);
    assert(taken == bytes || csv_error(&parser) != CSV_ENOMEM);
    (void)csv_fini(&parser, on_field, on_row, &self);
    csv_free(&parser);
    entry_destroy(&self.entry);
    free(self.names);
    return self.given > 0 ? NULL : "no rows below the names of its columns";
}
