/* catalogue.h - which passages the index holds, in memory: their ids and lengths, by slot.
 *
 * Slots are numbered in the order of ids and never move while the generation stays: a document that
 * goes leaves holes, new ones come behind. When there are too many holes all is numbered anew.
 *
 * Threads: one at a time.
 */
#ifndef RAG_CATALOGUE_H
#define RAG_CATALOGUE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CATALOGUE_SHIFT = 20,     /* a passage's id is its document's << 20 + its number */
    CATALOGUE_SIZE_BYTES = 4, /* of a passage's lengths in documents.sizes: two of 16 bits */
    CATALOGUE_LENGTH_MAX = 0xffff,
};

typedef struct {
    int64_t id;
    uint32_t first, count; /* slots */
} catalogue_document_t;

typedef struct {
    size_t slots, room;
    int64_t *ids; /* by slot, ascending */
    uint16_t *title_bytes, *content_bytes;
    bool *gone;
    size_t live;                         /* slots that are not */
    uint64_t title_total, content_total; /* bytes of the live ones */
    catalogue_document_t *documents;     /* by id */
    size_t document_count, document_room;
    uint64_t generation;
} catalogue_t;

void catalogue_free(catalogue_t *self);

/* Brings it up to date with the connection's index. gone: called for each slot that is not any
 * more, unless all is numbered anew. Returns a code of SQLite. */
typedef void catalogue_gone_fn(void *arg, uint32_t slot);
int catalogue_refresh(catalogue_t *self, sqlite3 *db, catalogue_gone_fn *gone, void *arg);

/* False: no such passage. */
bool catalogue_slot(const catalogue_t *self, int64_t id, uint32_t *out);

#endif
