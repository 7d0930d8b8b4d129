#include "services/rag/catalogue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HOLES_MIN = 4096 }; /* fewer are not worth numbering anew */

void catalogue_free(catalogue_t *self)
{
    free(self->ids);
    free(self->title_bytes);
    free(self->content_bytes);
    free(self->gone);
    free(self->documents);
    *self = (catalogue_t){.generation = self->generation + 1};
}

bool catalogue_slot(const catalogue_t *self, int64_t id, uint32_t *out)
{
    size_t low = 0;
    size_t high = self->slots;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == self->slots || self->ids[low] != id || self->gone[low]) return false;
    *out = (uint32_t)low;
    return true;
}

/* ---- documents that go and come ---- */

static void *grown(void *items, size_t room, size_t size)
{
    void *more = realloc(items, room * size);
    assert(more);
    return more;
}

static void make_room(catalogue_t *self, size_t slots)
{
    if (slots <= self->room) return;
    self->room = slots + slots / 2 + 64;
    self->ids = grown(self->ids, self->room, sizeof *self->ids);
    self->title_bytes = grown(self->title_bytes, self->room, sizeof *self->title_bytes);
    self->content_bytes = grown(self->content_bytes, self->room, sizeof *self->content_bytes);
    self->gone = grown(self->gone, self->room, sizeof *self->gone);
}

static void add_document(catalogue_t *self, int64_t id, const unsigned char *sizes, size_t bytes)
{
    size_t count = bytes / CATALOGUE_SIZE_BYTES;
    if (self->document_count == self->document_room) {
        self->document_room = self->document_room ? self->document_room * 2 : 64;
        self->documents = grown(self->documents, self->document_room, sizeof *self->documents);
    }
    self->documents[self->document_count++] =
        (catalogue_document_t){id, (uint32_t)self->slots, (uint32_t)count};
    make_room(self, self->slots + count);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *pair = sizes + i * CATALOGUE_SIZE_BYTES;
        size_t slot = self->slots++;
        self->ids[slot] = (id << CATALOGUE_SHIFT) + (int64_t)i;
        self->title_bytes[slot] = (uint16_t)(pair[0] | pair[1] << 8);
        self->content_bytes[slot] = (uint16_t)(pair[2] | pair[3] << 8);
        self->gone[slot] = false;
        self->title_total += self->title_bytes[slot];
        self->content_total += self->content_bytes[slot];
    }
    self->live += count;
}

static void drop_document(catalogue_t *self, const catalogue_document_t *document,
                          catalogue_gone_fn *gone, void *arg)
{
    for (uint32_t i = 0; i < document->count; i++) {
        uint32_t slot = document->first + i;
        self->gone[slot] = true;
        self->title_total -= self->title_bytes[slot];
        self->content_total -= self->content_bytes[slot];
        gone(arg, slot);
    }
    self->live -= document->count;
}

/* Walks along the known documents and those of the index, both by id. */
typedef struct {
    catalogue_t *catalogue;
    size_t known, kept, count; /* of those known before */
    catalogue_gone_fn *gone;
    void *arg;
} merge_t;

static void drop_before(merge_t *self, int64_t id)
{
    catalogue_t *catalogue = self->catalogue;
    while (self->known < self->count && catalogue->documents[self->known].id < id) {
        drop_document(catalogue, &catalogue->documents[self->known], self->gone, self->arg);
        self->known++;
    }
}

static void keep(merge_t *self)
{
    self->catalogue->documents[self->kept++] = self->catalogue->documents[self->known++];
}

/* What was kept moves down to what was dropped, and the new ones behind it. */
static void close_ranks(merge_t *self)
{
    catalogue_t *catalogue = self->catalogue;
    size_t added = catalogue->document_count - self->count;
    if (added > 0)
        memmove(catalogue->documents + self->kept, catalogue->documents + self->count,
                added * sizeof *catalogue->documents);
    catalogue->document_count = self->kept + added;
}

static int walk(catalogue_t *self, sqlite3 *db, catalogue_gone_fn *gone, void *arg)
{
    static const char sql[] = "SELECT id, sizes FROM documents WHERE bad = 0 ORDER BY id";
    sqlite3_stmt *rows = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
    if (rc != SQLITE_OK) return rc;
    merge_t merge = {.catalogue = self, .count = self->document_count, .gone = gone, .arg = arg};
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(rows, 0);
        drop_before(&merge, id);
        if (merge.known < merge.count && self->documents[merge.known].id == id) {
            keep(&merge);
        } else { /* ids are never used again, so it is behind all that are known */
            const void *sizes = sqlite3_column_blob(rows, 1);
            add_document(self, id, sizes, (size_t)sqlite3_column_bytes(rows, 1));
        }
    }
    (void)sqlite3_finalize(rows);
    if (rc == SQLITE_DONE) drop_before(&merge, INT64_MAX);
    close_ranks(&merge);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int catalogue_refresh(catalogue_t *self, sqlite3 *db, catalogue_gone_fn *gone, void *arg)
{
    int rc = walk(self, db, gone, arg);
    size_t holes = self->slots - self->live;
    if (rc == SQLITE_OK && holes > HOLES_MIN && holes > self->slots / 4) {
        catalogue_free(self);
        rc = walk(self, db, gone, arg);
    }
    return rc;
}
