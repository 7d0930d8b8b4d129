#include "services/rag/index_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/catalogue.h"
#include "services/rag/document.h"
#include "services/rag/dot.h"
#include "services/rag/index.h"
#include "services/rag/index_file.h"

enum { KEY_BYTES = PASSAGE_ID_BYTES + 16 };

typedef enum {
    SQL_FIND,
    SQL_INSERT,
    SQL_TOUCH,
    SQL_END,
    SQL_FORGET,
    SQL_INSERT_PASSAGE,
    SQL_INSERT_TERMS,
    SQL_DELETE_TERMS,
    SQL_DELETE_PASSAGES,
    SQL_DELETE_VECTORS,
    SQL_INSERT_VECTOR,
    SQL_WANTING,
    SQL_VERSION,
    SQL_COUNT
} sql_t;

static const char *const sql_text[SQL_COUNT] = {
    [SQL_FIND] = "SELECT id FROM documents WHERE path = ?1",
    [SQL_INSERT] = "INSERT INTO documents (path, size, mtime_ns, hash, bad, problem, passages,"
                   " sizes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, x'')",
    [SQL_TOUCH] = "UPDATE documents SET size = ?2, mtime_ns = ?3 WHERE path = ?1",
    [SQL_END] = "UPDATE documents SET problem = ?2, passages = ?3, sizes = ?4 WHERE id = ?1",
    [SQL_FORGET] = "DELETE FROM documents WHERE id = ?1",
    [SQL_INSERT_PASSAGE] = "INSERT INTO passages (id, key, title, content, source, created_at)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_INSERT_TERMS] = "INSERT INTO terms (rowid, title, content) VALUES (?1, ?2, ?3)",
    /* FTS5 is told the text that goes, to find its words */
    [SQL_DELETE_TERMS] = "INSERT INTO terms (terms, rowid, title, content)"
                         " SELECT 'delete', id, title, content FROM passages"
                         " WHERE id BETWEEN ?1 AND ?2",
    [SQL_DELETE_PASSAGES] = "DELETE FROM passages WHERE id BETWEEN ?1 AND ?2",
    [SQL_DELETE_VECTORS] = "DELETE FROM vectors WHERE id BETWEEN ?1 AND ?2",
    [SQL_INSERT_VECTOR] = "INSERT OR REPLACE INTO vectors (id, seq, scale, data)"
                          " SELECT id, ?2, ?3, ?4 FROM passages WHERE id = ?1",
    [SQL_WANTING] = "SELECT id, title, content FROM passages p WHERE id > ?1 AND"
                    " NOT EXISTS (SELECT 1 FROM vectors v WHERE v.id = p.id) ORDER BY id LIMIT ?2",
    [SQL_VERSION] = "UPDATE meta SET version = max(version + 1, ?1), vectors = ?2, space = ?4,"
                    " dimensions = ?5, documents = CASE WHEN ?3 THEN max(version + 1, ?1)"
                    " ELSE documents END",
};

struct index_writer {
    index_file_t file;
    sqlite3_stmt *sql[SQL_COUNT];
    char *space;
    size_t dimensions, trusted; /* 0: not known; none */
    int64_t seq;                /* of the vector written last */
    bool touched;               /* documents, in this transaction */
    /* the document put last */
    char *path;
    int64_t document;
    size_t passages, sizes_room;
    uint8_t *sizes;
    int rc; /* of its passages */
};

static pl_err_t say(const index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    return index_file_say(&self->file, detail);
}

static pl_err_t execute(index_writer_t *self, const char *sql, char detail[INDEX_DETAIL_BYTES])
{
    int rc = sqlite3_exec(self->file.db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? PL_OK : say(self, detail);
}

static char *text_copy(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    char *copy = strdup(text ? (const char *)text : "");
    assert(copy);
    return copy;
}

/* ---- open and close ---- */

/* Also what a transaction that was given up had changed. */
static pl_err_t read_meta(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    sqlite3_stmt *row = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->file.db, "SELECT vectors, space, dimensions FROM meta", -1, &row,
                           NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW) {
        self->seq = sqlite3_column_int64(row, 0);
        free(self->space);
        self->space = text_copy(row, 1);
        self->dimensions = (size_t)sqlite3_column_int64(row, 2);
    } else {
        err = say(self, detail);
    }
    (void)sqlite3_finalize(row);
    return err;
}

pl_err_t index_writer_open(index_writer_t **out, const char *file, char detail[INDEX_DETAIL_BYTES])
{
    index_writer_t *self = calloc(1, sizeof *self);
    assert(self);
    pl_err_t err = index_file_open(&self->file, file, detail);
    for (size_t i = 0; !err && i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(self->file.db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->sql[i], NULL) != SQLITE_OK)
            err = say(self, detail);
    }
    if (!err) err = read_meta(self, detail);
    if (err)
        index_writer_close(&self);
    else
        *out = self;
    return err;
}

const index_file_t *index_writer_file(const index_writer_t *self)
{
    return &self->file;
}

void index_writer_close(index_writer_t **self_p)
{
    index_writer_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < SQL_COUNT; i++) (void)sqlite3_finalize(self->sql[i]);
    index_file_close(&self->file);
    free(self->space);
    free(self->path);
    free(self->sizes);
    free(self);
}

/* ---- entries ---- */

void index_entries_free(index_entry_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(entries[i].path);
        free(entries[i].problem);
    }
    free(entries);
}

pl_err_t index_entries(index_writer_t *self, index_entry_t **out, size_t *count,
                       char detail[INDEX_DETAIL_BYTES])
{
    static const char sql[] = "SELECT path, size, mtime_ns, hash, bad, problem FROM documents"
                              " ORDER BY path";
    sqlite3_stmt *rows = NULL;
    if (sqlite3_prepare_v2(self->file.db, sql, -1, &rows, NULL) != SQLITE_OK)
        return say(self, detail);
    index_entry_t *entries = NULL;
    size_t size = 0;
    size_t room = 0;
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        if (size == room) {
            room = room ? room * 2 : 64;
            entries = realloc(entries, room * sizeof *entries);
            assert(entries);
        }
        index_entry_t entry = {.path = text_copy(rows, 0),
                               .problem = text_copy(rows, 5),
                               .size = sqlite3_column_int64(rows, 1),
                               .mtime_ns = sqlite3_column_int64(rows, 2),
                               .hash = (uint64_t)sqlite3_column_int64(rows, 3),
                               .bad = sqlite3_column_int(rows, 4) != 0};
        entries[size++] = entry;
    }
    pl_err_t err = rc == SQLITE_DONE ? PL_OK : say(self, detail);
    (void)sqlite3_finalize(rows);
    *out = entries;
    *count = size;
    return err;
}

static int run(index_writer_t *self, sql_t which)
{
    int rc = sqlite3_step(self->sql[which]);
    (void)sqlite3_reset(self->sql[which]);
    (void)sqlite3_clear_bindings(self->sql[which]);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int forget(index_writer_t *self, const char *path)
{
    static const sql_t parts[] = {SQL_DELETE_TERMS, SQL_DELETE_PASSAGES, SQL_DELETE_VECTORS};
    sqlite3_stmt *find = self->sql[SQL_FIND];
    (void)sqlite3_bind_text(find, 1, path, -1, SQLITE_STATIC);
    int rc = sqlite3_step(find);
    int64_t id = rc == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    (void)sqlite3_reset(find);
    if (rc == SQLITE_DONE) return SQLITE_OK;
    if (rc != SQLITE_ROW) return rc;
    rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof parts / sizeof *parts; i++) {
        (void)sqlite3_bind_int64(self->sql[parts[i]], 1, id << CATALOGUE_SHIFT);
        (void)sqlite3_bind_int64(self->sql[parts[i]], 2, ((id + 1) << CATALOGUE_SHIFT) - 1);
        rc = run(self, parts[i]);
    }
    if (rc != SQLITE_OK) return rc;
    self->touched = true;
    (void)sqlite3_bind_int64(self->sql[SQL_FORGET], 1, id);
    return run(self, SQL_FORGET);
}

/* A passage is known by what it says and where, unless it brings a name: the same text keeps it. */
static void make_key(const index_writer_t *self, const passage_t *passage, char out[KEY_BYTES])
{
    if (passage->id) {
        (void)snprintf(out, KEY_BYTES, "%s", passage->id);
        return;
    }
    uint64_t hash = DOCUMENT_HASH_SEED;
    hash = document_hash(hash, self->path, strlen(self->path) + 1);
    hash = document_hash(hash, passage->title, strlen(passage->title) + 1);
    hash = document_hash(hash, passage->content, strlen(passage->content) + 1);
    (void)snprintf(out, KEY_BYTES, "%016" PRIx64, hash);
}

static void note_length(uint8_t *out, const char *text)
{
    size_t length = strlen(text);
    if (length > CATALOGUE_LENGTH_MAX) length = CATALOGUE_LENGTH_MAX;
    out[0] = (uint8_t)(length & 0xff);
    out[1] = (uint8_t)(length >> 8);
}

static void note_lengths(index_writer_t *self, const passage_t *passage)
{
    size_t at = self->passages * CATALOGUE_SIZE_BYTES;
    if (at + CATALOGUE_SIZE_BYTES > self->sizes_room) {
        self->sizes_room = (at + CATALOGUE_SIZE_BYTES) * 2;
        self->sizes = realloc(self->sizes, self->sizes_room);
        assert(self->sizes);
    }
    note_length(self->sizes + at, passage->title);
    note_length(self->sizes + at + 2, passage->content);
}

static int insert_passage(index_writer_t *self, int64_t id, const passage_t *passage)
{
    char key[KEY_BYTES];
    make_key(self, passage, key);
    sqlite3_stmt *insert = self->sql[SQL_INSERT_PASSAGE];
    (void)sqlite3_bind_int64(insert, 1, id);
    (void)sqlite3_bind_text(insert, 2, key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 3, passage->title, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 4, passage->content, -1, SQLITE_STATIC);
    if (passage->source) (void)sqlite3_bind_text(insert, 5, passage->source, -1, SQLITE_STATIC);
    if (passage->created_at)
        (void)sqlite3_bind_text(insert, 6, passage->created_at, -1, SQLITE_STATIC);
    int rc = run(self, SQL_INSERT_PASSAGE);
    if (rc != SQLITE_OK) return rc;
    insert = self->sql[SQL_INSERT_TERMS];
    (void)sqlite3_bind_int64(insert, 1, id);
    (void)sqlite3_bind_text(insert, 2, passage->title, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 3, passage->content, -1, SQLITE_STATIC);
    return run(self, SQL_INSERT_TERMS);
}

static int insert_vector(index_writer_t *self, int64_t id, const float *vector, size_t dimensions)
{
    int8_t row[DOT_DIMENSIONS_MAX];
    float scale = 0;
    bool usable = vector && dot_pack8(vector, dimensions, row, &scale);
    sqlite3_stmt *insert = self->sql[SQL_INSERT_VECTOR];
    (void)sqlite3_bind_int64(insert, 1, id);
    (void)sqlite3_bind_int64(insert, 2, ++self->seq);
    (void)sqlite3_bind_double(insert, 3, (double)scale);
    if (usable) (void)sqlite3_bind_blob(insert, 4, row, (int)dimensions, SQLITE_STATIC);
    return run(self, SQL_INSERT_VECTOR);
}

void index_add(void *arg, const passage_t *passage)
{
    index_writer_t *self = arg;
    if (self->rc != SQLITE_OK || self->passages >> CATALOGUE_SHIFT) return;
    int64_t id = (self->document << CATALOGUE_SHIFT) + (int64_t)self->passages;
    self->rc = insert_passage(self, id, passage);
    note_lengths(self, passage);
    self->passages++;
    if (self->rc == SQLITE_OK && passage->vector && self->trusted &&
        passage->dimensions == self->trusted)
        self->rc = insert_vector(self, id, passage->vector, passage->dimensions);
}

pl_err_t index_put(index_writer_t *self, const index_entry_t *entry,
                   char detail[INDEX_DETAIL_BYTES])
{
    int rc = forget(self, entry->path);
    if (rc != SQLITE_OK) return say(self, detail);
    sqlite3_stmt *insert = self->sql[SQL_INSERT];
    (void)sqlite3_bind_text(insert, 1, entry->path, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(insert, 2, entry->size);
    (void)sqlite3_bind_int64(insert, 3, entry->mtime_ns);
    (void)sqlite3_bind_int64(insert, 4, (int64_t)entry->hash);
    (void)sqlite3_bind_int(insert, 5, entry->bad ? 1 : 0);
    (void)sqlite3_bind_text(insert, 6, entry->problem ? entry->problem : "", -1, SQLITE_STATIC);
    if (run(self, SQL_INSERT) != SQLITE_OK) return say(self, detail);
    free(self->path);
    self->path = strdup(entry->path);
    assert(self->path);
    self->touched = true;
    self->document = sqlite3_last_insert_rowid(self->file.db);
    self->passages = 0;
    self->rc = SQLITE_OK;
    return PL_OK;
}

pl_err_t index_put_end(index_writer_t *self, const char *problem, char detail[INDEX_DETAIL_BYTES])
{
    if (self->rc != SQLITE_OK) return say(self, detail);
    sqlite3_stmt *end = self->sql[SQL_END];
    size_t bytes = self->passages * CATALOGUE_SIZE_BYTES;
    (void)sqlite3_bind_int64(end, 1, self->document);
    (void)sqlite3_bind_text(end, 2, problem, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(end, 3, (int64_t)self->passages);
    (void)sqlite3_bind_blob(end, 4, bytes ? (const void *)self->sizes : "", (int)bytes,
                            SQLITE_STATIC);
    return run(self, SQL_END) == SQLITE_OK ? PL_OK : say(self, detail);
}

pl_err_t index_touch(index_writer_t *self, const index_entry_t *entry,
                     char detail[INDEX_DETAIL_BYTES])
{
    sqlite3_stmt *touch = self->sql[SQL_TOUCH];
    (void)sqlite3_bind_text(touch, 1, entry->path, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(touch, 2, entry->size);
    (void)sqlite3_bind_int64(touch, 3, entry->mtime_ns);
    return run(self, SQL_TOUCH) == SQLITE_OK ? PL_OK : say(self, detail);
}

pl_err_t index_remove(index_writer_t *self, const char *path, char detail[INDEX_DETAIL_BYTES])
{
    return forget(self, path) == SQLITE_OK ? PL_OK : say(self, detail);
}

/* ---- vectors ---- */

size_t index_dimensions(const index_writer_t *self)
{
    return self->dimensions;
}

void index_trust(index_writer_t *self, size_t dimensions)
{
    self->trusted = dimensions;
}

pl_err_t index_space(index_writer_t *self, const char *name, size_t dimensions, int64_t wall_ms,
                     char detail[INDEX_DETAIL_BYTES])
{
    bool same = strcmp(self->space, name) == 0 &&
                (dimensions == 0 || self->dimensions == 0 || dimensions == self->dimensions);
    if (same && (dimensions == 0 || dimensions == self->dimensions)) return PL_OK;
    pl_err_t err = index_begin(self, detail);
    if (!err && !same) err = execute(self, "DELETE FROM vectors", detail);
    if (!err) {
        free(self->space);
        self->space = strdup(name);
        assert(self->space);
        self->dimensions = dimensions;
        err = index_commit(self, true, wall_ms, detail);
    }
    if (err) index_rollback(self);
    return err;
}

pl_err_t index_wanting(index_writer_t *self, int64_t after, size_t max, index_wanting_t *out,
                       size_t *count, char detail[INDEX_DETAIL_BYTES])
{
    sqlite3_stmt *rows = self->sql[SQL_WANTING];
    (void)sqlite3_bind_int64(rows, 1, after);
    (void)sqlite3_bind_int64(rows, 2, (int64_t)max);
    size_t found = 0;
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW && found < max) {
        out[found++] = (index_wanting_t){.id = sqlite3_column_int64(rows, 0),
                                         .title = text_copy(rows, 1),
                                         .content = text_copy(rows, 2)};
    }
    (void)sqlite3_reset(rows);
    *count = found;
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? PL_OK : say(self, detail);
}

pl_err_t index_vector(index_writer_t *self, int64_t id, const float *vector, size_t dimensions,
                      char detail[INDEX_DETAIL_BYTES])
{
    if (vector && self->dimensions == 0 && dimensions > 0 && dimensions <= DOT_DIMENSIONS_MAX)
        self->dimensions = dimensions;
    if (vector && dimensions != self->dimensions) {
        (void)snprintf(detail, INDEX_DETAIL_BYTES, "a vector of %zu dimensions, not of %zu",
                       dimensions, self->dimensions);
        return PL_INVALID;
    }
    return insert_vector(self, id, vector, dimensions) == SQLITE_OK ? PL_OK : say(self, detail);
}

/* ---- transactions ---- */

pl_err_t index_begin(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    self->touched = false;
    return execute(self, "BEGIN IMMEDIATE", detail);
}

pl_err_t index_commit(index_writer_t *self, bool new_version, int64_t wall_ms,
                      char detail[INDEX_DETAIL_BYTES])
{
    if (new_version) {
        /* From the clock, so that an index made anew never repeats the former one's numbers. */
        sqlite3_stmt *version = self->sql[SQL_VERSION];
        (void)sqlite3_bind_int64(version, 1, wall_ms);
        (void)sqlite3_bind_int64(version, 2, self->seq);
        (void)sqlite3_bind_int(version, 3, self->touched ? 1 : 0);
        (void)sqlite3_bind_text(version, 4, self->space, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(version, 5, (int64_t)self->dimensions);
        if (run(self, SQL_VERSION) != SQLITE_OK) return say(self, detail);
    }
    return execute(self, "COMMIT", detail);
}

void index_rollback(index_writer_t *self)
{
    char detail[INDEX_DETAIL_BYTES];
    if (!sqlite3_get_autocommit(self->file.db))
        (void)sqlite3_exec(self->file.db, "ROLLBACK", NULL, NULL, NULL);
    (void)read_meta(self, detail);
}

pl_err_t index_stats(index_writer_t *self, index_stats_t *out, char detail[INDEX_DETAIL_BYTES])
{
    static const char sql[] = "SELECT (SELECT version FROM meta),"
                              " (SELECT count(*) FROM documents WHERE bad = 0),"
                              " (SELECT count(*) FROM documents WHERE bad = 1),"
                              " (SELECT coalesce(sum(passages), 0) FROM documents),"
                              " (SELECT count(*) FROM vectors)";
    sqlite3_stmt *row = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->file.db, sql, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW) {
        out->version = (uint64_t)sqlite3_column_int64(row, 0);
        out->documents = (uint32_t)sqlite3_column_int64(row, 1);
        out->bad = (uint32_t)sqlite3_column_int64(row, 2);
        out->passages = (uint32_t)sqlite3_column_int64(row, 3);
        out->vectors = (uint32_t)sqlite3_column_int64(row, 4);
        out->dimensions = self->dimensions;
    } else {
        err = say(self, detail);
    }
    (void)sqlite3_finalize(row);
    return err;
}
