#include "services/rag/postings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/lexicon.h"
#include "services/rag/tokenizer.h"

enum {
    KEY_BYTES = LEXICON_TERM_BYTES + 4, /* in quotes, with a star */
    BUCKETS = 1 << 13,
    COLUMN_TITLE = 0,
    HITS_MAX = 255,
};

typedef struct list list_t;
struct list {
    char key[KEY_BYTES]; /* the FTS5 expression */
    posting_t *items;
    size_t count, room;
    int64_t upto;          /* passages with greater ids are not in it yet */
    list_t *next;          /* in its bucket */
    list_t *newer, *older; /* by use */
};

struct postings_cache {
    const catalogue_t *catalogue;
    uint64_t generation;
    sqlite3_stmt *fetch;
    list_t *buckets[BUCKETS];
    list_t *newest, *oldest;
    size_t bytes;
};

/* ---- FTS5's side: hits of the only phrase, title's in the upper half ---- */

static void hits(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context, int count,
                 sqlite3_value **values)
{
    (void)count;
    (void)values;
    Fts5PhraseIter at;
    int column = 0;
    int offset = 0;
    int title = 0;
    int content = 0;
    int rc = api->xPhraseFirst(fts, 0, &at, &column, &offset);
    if (rc != SQLITE_OK) {
        sqlite3_result_error_code(context, rc);
        return;
    }
    for (; column >= 0; api->xPhraseNext(fts, &at, &column, &offset)) {
        if (column == COLUMN_TITLE)
            title += title < HITS_MAX;
        else
            content += content < HITS_MAX;
    }
    sqlite3_result_int(context, title << 8 | content);
}

int postings_new(postings_cache_t **out, sqlite3 *db, const catalogue_t *catalogue)
{
    static const char sql[] = "SELECT rowid, parley_hits(terms) FROM terms"
                              " WHERE terms MATCH ?1 AND rowid > ?2 ORDER BY rowid";
    fts5_api *api = tokenizer_fts5(db);
    if (!api) return SQLITE_ERROR;
    postings_cache_t *self = calloc(1, sizeof *self);
    assert(self);
    self->catalogue = catalogue;
    self->generation = catalogue->generation;
    int rc = api->xCreateFunction(api, "parley_hits", NULL, hits, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &self->fetch, NULL);
    if (rc == SQLITE_OK)
        *out = self;
    else
        postings_destroy(&self);
    return rc;
}

/* ---- the lists ---- */

static list_t **bucket_of(postings_cache_t *self, const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++) hash = (hash ^ (unsigned char)*key) * 16777619u;
    return &self->buckets[hash % BUCKETS];
}

static void unlink_use(postings_cache_t *self, list_t *list)
{
    if (list->newer)
        list->newer->older = list->older;
    else
        self->newest = list->older;
    if (list->older)
        list->older->newer = list->newer;
    else
        self->oldest = list->newer;
}

static void link_newest(postings_cache_t *self, list_t *list)
{
    list->newer = NULL;
    list->older = self->newest;
    if (self->newest) self->newest->newer = list;
    self->newest = list;
    if (!self->oldest) self->oldest = list;
}

static size_t size_of(const list_t *list)
{
    return sizeof *list + list->room * sizeof *list->items;
}

static void drop_oldest(postings_cache_t *self)
{
    list_t *list = self->oldest;
    list_t **at = bucket_of(self, list->key);
    while (*at != list) at = &(*at)->next;
    *at = list->next;
    unlink_use(self, list);
    self->bytes -= size_of(list);
    free(list->items);
    free(list);
}

void postings_trim(postings_cache_t *self)
{
    while (self->bytes > POSTINGS_BYTES) drop_oldest(self);
}

void postings_destroy(postings_cache_t **self_p)
{
    postings_cache_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->oldest) drop_oldest(self);
    (void)sqlite3_finalize(self->fetch);
    free(self);
}

static list_t *find(postings_cache_t *self, const char *key)
{
    list_t **bucket = bucket_of(self, key);
    for (list_t *list = *bucket; list; list = list->next) {
        if (strcmp(list->key, key) != 0) continue;
        unlink_use(self, list);
        link_newest(self, list);
        return list;
    }
    list_t *list = calloc(1, sizeof *list);
    assert(list);
    (void)snprintf(list->key, sizeof list->key, "%s", key);
    list->next = *bucket;
    *bucket = list;
    link_newest(self, list);
    self->bytes += size_of(list);
    return list;
}

static void add(postings_cache_t *self, list_t *list, posting_t posting)
{
    if (list->count == list->room) {
        self->bytes -= size_of(list);
        list->room = list->room ? list->room * 2 : 8;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        assert(list->items);
        self->bytes += size_of(list);
    }
    list->items[list->count++] = posting;
}

/* Reads what came behind. Both the rows and the catalogue are in the order of ids. */
static int extend(postings_cache_t *self, list_t *list)
{
    const catalogue_t *catalogue = self->catalogue;
    int64_t last = catalogue->slots > 0 ? catalogue->ids[catalogue->slots - 1] : 0;
    if (list->upto >= last) return SQLITE_OK;
    (void)sqlite3_bind_text(self->fetch, 1, list->key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(self->fetch, 2, list->upto);
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(self->fetch)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(self->fetch, 0);
        int both = sqlite3_column_int(self->fetch, 1);
        posting_t posting = {.title = (uint8_t)(both >> 8), .content = (uint8_t)(both & 0xff)};
        if (catalogue_slot(catalogue, id, &posting.slot)) add(self, list, posting);
    }
    (void)sqlite3_reset(self->fetch);
    if (rc != SQLITE_DONE) return rc;
    list->upto = last;
    return SQLITE_OK;
}

int postings_get(postings_cache_t *self, const char *term, bool beginning, postings_t *out)
{
    if (self->generation != self->catalogue->generation) { /* slots were numbered anew */
        while (self->oldest) drop_oldest(self);
        self->generation = self->catalogue->generation;
    }
    char key[KEY_BYTES];
    (void)snprintf(key, sizeof key, "\"%s\"%s", term, beginning ? "*" : "");
    list_t *list = find(self, key);
    int rc = extend(self, list);
    *out = (postings_t){list->items, list->count};
    return rc;
}
