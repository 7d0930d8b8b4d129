#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/index.h"
#include "services/rag/rank.h"

struct index_reader {
    char *file;
    sqlite3 *db;
    sqlite3_stmt *search, *about;
};

static pl_err_t say(const index_reader_t *self, char detail[INDEX_DETAIL_BYTES])
{
    (void)snprintf(detail, INDEX_DETAIL_BYTES, "%.160s: %s", self->file, sqlite3_errmsg(self->db));
    return PL_UNAVAILABLE;
}

pl_err_t index_reader_open(index_reader_t **out, const char *file, char detail[INDEX_DETAIL_BYTES])
{
    static const char search[] =
        "SELECT key, title, content, source, parley_score(passages) AS score FROM passages"
        " WHERE passages MATCH ?1 ORDER BY score DESC, rowid LIMIT ?2";
    static const char about[] =
        "SELECT (SELECT version FROM meta), (SELECT count(*) FROM documents WHERE bad = 0)";
    index_reader_t *self = calloc(1, sizeof *self);
    assert(self);
    self->file = strdup(file);
    assert(self->file);
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(file, &self->db, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(self->db, 1000) == SQLITE_OK && rank_register(self->db) == SQLITE_OK &&
        sqlite3_prepare_v2(self->db, search, -1, &self->search, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(self->db, about, -1, &self->about, NULL) == SQLITE_OK) {
        *out = self;
        return PL_OK;
    }
    (void)say(self, detail);
    index_reader_close(&self);
    return PL_UNAVAILABLE;
}

void index_reader_close(index_reader_t **self_p)
{
    index_reader_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    (void)sqlite3_finalize(self->search);
    (void)sqlite3_finalize(self->about);
    (void)sqlite3_close(self->db);
    free(self->file);
    free(self);
}

static char *column_copy(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    char *copy = strdup(text ? (const char *)text : "");
    assert(copy);
    return copy;
}

static Pl__Passage *passage_of(sqlite3_stmt *row)
{
    Pl__Passage *passage = malloc(sizeof *passage);
    assert(passage);
    pl__passage__init(passage);
    passage->id = column_copy(row, 0);
    passage->title = column_copy(row, 1);
    passage->content = column_copy(row, 2);
    passage->source = column_copy(row, 3);
    passage->score = sqlite3_column_double(row, 4);
    return passage;
}

static pl_err_t find(index_reader_t *self, const query_t *query, uint32_t top_n, double strictness,
                     Pl__SearchResult *result, char detail[INDEX_DETAIL_BYTES])
{
    (void)sqlite3_bind_text(self->search, 1, query->expression, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(self->search, 2, top_n);
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(self->search)) == SQLITE_ROW) {
        if (!(sqlite3_column_double(self->search, 4) >= strictness)) { /* and so are the others */
            rc = SQLITE_DONE;
            break;
        }
        result->passages[result->n_passages++] = passage_of(self->search);
    }
    pl_err_t err = rc == SQLITE_DONE ? PL_OK : say(self, detail);
    (void)sqlite3_reset(self->search);
    return err;
}

static pl_err_t tell_about(index_reader_t *self, Pl__SearchResult *result,
                           char detail[INDEX_DETAIL_BYTES])
{
    pl_err_t err = PL_OK;
    if (sqlite3_step(self->about) == SQLITE_ROW) {
        result->index_version = (uint64_t)sqlite3_column_int64(self->about, 0);
        result->documents = (uint32_t)sqlite3_column_int64(self->about, 1);
    } else {
        err = say(self, detail);
    }
    (void)sqlite3_reset(self->about);
    return err;
}

pl_err_t index_search(index_reader_t *self, const query_t *query, uint32_t top_n, double strictness,
                      Pl__SearchResult **out, char detail[INDEX_DETAIL_BYTES])
{
    Pl__SearchResult *result = malloc(sizeof *result);
    assert(result);
    pl__search_result__init(result);
    result->passages = calloc((size_t)top_n + 1, sizeof *result->passages);
    assert(result->passages);
    pl_err_t err = PL_OK;
    /* One transaction, so that the version is that of what was found. */
    if (sqlite3_exec(self->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        err = say(self, detail);
        goto out;
    }
    err = tell_about(self, result, detail);
    if (!err && query->words > 0) err = find(self, query, top_n, strictness, result, detail);
    (void)sqlite3_exec(self->db, "COMMIT", NULL, NULL, NULL);
out:
    if (err)
        pl__search_result__free_unpacked(result, NULL);
    else
        *out = result;
    return err;
}
