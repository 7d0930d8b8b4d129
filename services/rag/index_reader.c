#include <assert.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/fuse.h"
#include "services/rag/index.h"
#include "services/rag/index_file.h"
#include "services/rag/postings.h"
#include "services/rag/query.h"
#include "services/rag/rank.h"
#include "services/rag/vectors.h"

#define EARLIER_WEIGHT 0.5F /* of what was said before the question */

typedef enum { SQL_META, SQL_VECTORS, SQL_PASSAGE, SQL_COUNT } sql_t;

static const char *const sql_text[SQL_COUNT] = {
    [SQL_META] = "SELECT version, documents, vectors, space, dimensions,"
                 " (SELECT count(*) FROM documents WHERE bad = 0) FROM meta",
    [SQL_VECTORS] = "SELECT id, scale, data FROM vectors WHERE seq > ?1 ORDER BY seq",
    [SQL_PASSAGE] = "SELECT key, title, content,"
                    " coalesce(source, (SELECT path FROM documents d WHERE d.id = p.id >> 20)),"
                    " created_at FROM passages p WHERE id = ?1",
};

/* What is in memory, and of which state of the file. */
struct index_reader {
    index_file_t file;
    sqlite3_stmt *sql[SQL_COUNT];
    catalogue_t catalogue;
    postings_cache_t *postings;
    rank_t rank;
    vectors_t *vectors; /* NULL: there are none */
    char *space;
    int64_t version, documents, seq; /* documents: the version that changed some last */
    uint32_t document_count;
    uint64_t generation; /* of the catalogue, when vectors were put at its slots */
};

static pl_err_t say(const index_reader_t *self, char detail[INDEX_DETAIL_BYTES])
{
    return index_file_say(&self->file, detail);
}

pl_err_t index_reader_open(index_reader_t **out, const char *file, char detail[INDEX_DETAIL_BYTES])
{
    index_reader_t *self = calloc(1, sizeof *self);
    assert(self);
    self->version = self->documents = -1;
    pl_err_t err = index_file_read(&self->file, file, detail);
    if (!err && postings_new(&self->postings, self->file.db, &self->catalogue) != SQLITE_OK)
        err = say(self, detail);
    for (size_t i = 0; !err && i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(self->file.db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->sql[i], NULL) != SQLITE_OK)
            err = say(self, detail);
    }
    if (err)
        index_reader_close(&self);
    else
        *out = self;
    return err;
}

void index_reader_close(index_reader_t **self_p)
{
    index_reader_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < SQL_COUNT; i++) (void)sqlite3_finalize(self->sql[i]);
    postings_destroy(&self->postings);
    vectors_destroy(&self->vectors);
    catalogue_free(&self->catalogue);
    rank_free(&self->rank);
    index_file_close(&self->file);
    free(self->space);
    free(self);
}

/* ---- keeping up with the file ---- */

static void forget_vector(void *arg, uint32_t slot)
{
    index_reader_t *self = arg;
    if (self->vectors) vectors_forget(self->vectors, slot);
}

/* Another space, or slots numbered anew: all are read again. */
static void match_space(index_reader_t *self, const char *space, size_t dimensions)
{
    bool same = self->space && strcmp(self->space, space) == 0 &&
                self->generation == self->catalogue.generation &&
                (self->vectors ? vectors_dimensions(self->vectors) : 0) == dimensions;
    if (same) return;
    vectors_destroy(&self->vectors);
    free(self->space);
    self->space = strdup(space);
    assert(self->space);
    self->generation = self->catalogue.generation;
    self->seq = 0;
    if (dimensions > 0) self->vectors = vectors_new(dimensions);
}

static int read_vectors(index_reader_t *self, int64_t upto)
{
    if (!self->vectors || self->seq == upto) return SQLITE_OK;
    sqlite3_stmt *rows = self->sql[SQL_VECTORS];
    (void)sqlite3_bind_int64(rows, 1, self->seq);
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        uint32_t slot = 0;
        const void *row = sqlite3_column_blob(rows, 2);
        size_t bytes = (size_t)sqlite3_column_bytes(rows, 2);
        if (row && bytes == vectors_dimensions(self->vectors) &&
            catalogue_slot(&self->catalogue, sqlite3_column_int64(rows, 0), &slot))
            vectors_set(self->vectors, slot, row, (float)sqlite3_column_double(rows, 1));
    }
    (void)sqlite3_reset(rows);
    if (rc != SQLITE_DONE) return rc;
    self->seq = upto;
    return SQLITE_OK;
}

/* Within a read transaction. */
static int keep_up(index_reader_t *self)
{
    sqlite3_stmt *meta = self->sql[SQL_META];
    int rc = sqlite3_step(meta);
    if (rc == SQLITE_ROW && sqlite3_column_int64(meta, 0) != self->version) {
        int64_t version = sqlite3_column_int64(meta, 0);
        int64_t documents = sqlite3_column_int64(meta, 1);
        rc = SQLITE_OK;
        if (documents != self->documents)
            rc = catalogue_refresh(&self->catalogue, self->file.db, forget_vector, self);
        match_space(self, (const char *)sqlite3_column_text(meta, 3),
                    (size_t)sqlite3_column_int64(meta, 4));
        if (rc == SQLITE_OK) rc = read_vectors(self, sqlite3_column_int64(meta, 2));
        if (rc == SQLITE_OK) {
            self->version = version;
            self->documents = documents;
            self->document_count = (uint32_t)sqlite3_column_int64(meta, 5);
        }
    } else if (rc == SQLITE_ROW) {
        rc = SQLITE_OK;
    }
    (void)sqlite3_reset(meta);
    return rc;
}

/* ---- searching ---- */

static int find_words(index_reader_t *self, const char *text, const char *lang, best_t *best)
{
    query_t query;
    postings_t words[QUERY_WORDS];
    size_t count = query_parse(&query, self->file.lexicon, text, lang);
    for (size_t i = 0; i < count; i++) {
        int rc =
            postings_get(self->postings, query.words[i].term, query.words[i].beginning, &words[i]);
        if (rc != SQLITE_OK) return rc;
    }
    if (count > 0) rank_words(&self->rank, &self->catalogue, words, count, best);
    postings_trim(self->postings);
    return SQLITE_OK;
}

/* Cosines become scores; what scores nothing is left out. */
static void score_cosines(best_t *best, double low, double high)
{
    size_t kept = 0;
    for (size_t i = 0; i < best->count; i++) {
        double share = ((double)best->items[i].score - low) / (high - low);
        if (!(share > 0)) break; /* nor will those behind it */
        best->items[kept] = best->items[i];
        best->items[kept++].score = (float)(fmin(share, 1) * (double)RANK_MAX);
    }
    best->count = kept;
}

typedef struct {
    scored_t words[FUSE_LIST], vectors[INDEX_TEXTS_MAX][FUSE_LIST];
    fuse_t fused;
} scratch_t;

/* by_text: where the list of each text is among the queries' results. */
static void find_vectors(const index_reader_t *self, const index_query_t *query, scratch_t *scratch,
                         best_t by_text[INDEX_TEXTS_MAX])
{
    vectors_query_t queries[INDEX_TEXTS_MAX];
    size_t of[INDEX_TEXTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++) {
        by_text[i] = (best_t){.items = scratch->vectors[i], .room = FUSE_LIST};
        if (!query->vectors[i]) continue;
        of[count] = i;
        queries[count++] = (vectors_query_t){query->vectors[i], by_text[i]};
    }
    if (!self->vectors || count == 0 || query->dimensions != vectors_dimensions(self->vectors))
        return;
    vectors_scan(self->vectors, queries, count);
    for (size_t i = 0; i < count; i++) {
        by_text[of[i]] = queries[i].best;
        score_cosines(&by_text[of[i]], query->low, query->high);
    }
}

static int find(index_reader_t *self, const index_query_t *query, scratch_t *scratch)
{
    best_t by_text[INDEX_TEXTS_MAX];
    find_vectors(self, query, scratch, by_text);
    for (size_t i = 0; i < query->count; i++) {
        best_t words = {.items = scratch->words, .room = FUSE_LIST};
        int rc = find_words(self, query->texts[i], query->lang, &words);
        if (rc != SQLITE_OK) return rc;
        fuse_add(&scratch->fused, &words, &by_text[i], i == 0 ? 1 : EARLIER_WEIGHT,
                 query->strictness, query->top_n);
    }
    fuse_sort(&scratch->fused);
    return SQLITE_OK;
}

/* ---- results ---- */

static char *column_copy(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    char *copy = strdup(text ? (const char *)text : "");
    assert(copy);
    return copy;
}

static int add_passage(index_reader_t *self, const fused_t *fused, Pl__SearchResult *result)
{
    sqlite3_stmt *row = self->sql[SQL_PASSAGE];
    (void)sqlite3_bind_int64(row, 1, self->catalogue.ids[fused->slot]);
    int rc = sqlite3_step(row);
    if (rc == SQLITE_ROW) {
        Pl__Passage *passage = malloc(sizeof *passage);
        assert(passage);
        pl__passage__init(passage);
        passage->id = column_copy(row, 0);
        passage->title = column_copy(row, 1);
        passage->content = column_copy(row, 2);
        passage->source = column_copy(row, 3);
        passage->created_at = column_copy(row, 4);
        passage->score = (double)fused->score;
        result->passages[result->n_passages++] = passage;
        rc = SQLITE_OK;
    }
    (void)sqlite3_reset(row);
    return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc; /* the catalogue is of this transaction */
}

/* Two documents may bring the same id. */
static bool is_repeated(const Pl__SearchResult *result)
{
    const char *id = result->passages[result->n_passages - 1]->id;
    for (size_t i = 0; i + 1 < result->n_passages; i++) {
        if (strcmp(result->passages[i]->id, id) == 0) return true;
    }
    return false;
}

static int add_passages(index_reader_t *self, const fuse_t *fused, Pl__SearchResult *result)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < fused->count; i++) {
        if (result->n_passages == INDEX_TOP_MAX) break;
        rc = add_passage(self, &fused->items[i], result);
        if (rc == SQLITE_OK && is_repeated(result))
            pl__passage__free_unpacked(result->passages[--result->n_passages], NULL);
    }
    return rc;
}

static int run(index_reader_t *self, const index_query_t *query, Pl__SearchResult *result)
{
    scratch_t *scratch = calloc(1, sizeof *scratch);
    assert(scratch);
    int rc = keep_up(self);
    if (rc == SQLITE_OK) {
        result->index_version = (uint64_t)self->version;
        result->documents = self->document_count;
        rc = find(self, query, scratch);
    }
    if (rc == SQLITE_OK) rc = add_passages(self, &scratch->fused, result);
    free(scratch);
    return rc;
}

pl_err_t index_search(index_reader_t *self, const index_query_t *query, Pl__SearchResult **out,
                      char detail[INDEX_DETAIL_BYTES])
{
    assert(query->count <= INDEX_TEXTS_MAX);
    Pl__SearchResult *result = malloc(sizeof *result);
    assert(result);
    pl__search_result__init(result);
    result->passages = calloc(INDEX_TOP_MAX + 1, sizeof *result->passages);
    assert(result->passages);
    /* One transaction, so that what is in memory is what is read, and the version is theirs. */
    int rc = sqlite3_exec(self->file.db, "BEGIN", NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = run(self, query, result);
    pl_err_t err = rc == SQLITE_OK ? PL_OK : say(self, detail);
    (void)sqlite3_exec(self->file.db, "COMMIT", NULL, NULL, NULL);
    if (err)
        pl__search_result__free_unpacked(result, NULL);
    else
        *out = result;
    return err;
}

pl_err_t index_refresh(index_reader_t *self, char detail[INDEX_DETAIL_BYTES])
{
    int rc = sqlite3_exec(self->file.db, "BEGIN", NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = keep_up(self);
    pl_err_t err = rc == SQLITE_OK ? PL_OK : say(self, detail);
    (void)sqlite3_exec(self->file.db, "COMMIT", NULL, NULL, NULL);
    return err;
}
