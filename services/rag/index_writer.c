#include "services/rag/index.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

enum {
    FILE_BYTES = 4096,
    SCHEMA = 2, /* raise it whenever what is stored changes: old files are remade */
    APPLICATION_ID = 0x504c4b42, /* "PLKB" */
    PASSAGES_SHIFT = 20,         /* a passage's rowid is its document's id << 20 + its number */
};

/* Derived data: a power cut may take it, so nothing waits for the disk. */
static const char schema_sql[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta (version INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES (0);"
    "CREATE TABLE documents ("
    "  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,"
    "  mtime_ns INTEGER NOT NULL, hash INTEGER NOT NULL, bad INTEGER NOT NULL,"
    "  problem TEXT NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE passages USING fts5 (title, content, key UNINDEXED, source UNINDEXED,"
    "  tokenize = 'porter unicode61 remove_diacritics 2');";

typedef enum {
    SQL_FIND,
    SQL_INSERT,
    SQL_TOUCH,
    SQL_PROBLEM,
    SQL_FORGET,
    SQL_INSERT_PASSAGE,
    SQL_DELETE_PASSAGES,
    SQL_VERSION,
    SQL_COUNT
} sql_t;

static const char *const sql_text[SQL_COUNT] = {
    [SQL_FIND] = "SELECT id FROM documents WHERE path = ?1",
    [SQL_INSERT] = "INSERT INTO documents (path, size, mtime_ns, hash, bad,"
                   " problem) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_TOUCH] = "UPDATE documents SET size = ?2, mtime_ns = ?3 WHERE path = ?1",
    [SQL_PROBLEM] = "UPDATE documents SET problem = ?2 WHERE id = ?1",
    [SQL_FORGET] = "DELETE FROM documents WHERE id = ?1",
    [SQL_INSERT_PASSAGE] = "INSERT INTO passages (rowid, title, content, key, source)"
                           " VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_DELETE_PASSAGES] = "DELETE FROM passages WHERE rowid BETWEEN ?1 AND ?2",
    [SQL_VERSION] = "UPDATE meta SET version = max(version + 1, ?1)",
};

struct index_writer {
    char file[FILE_BYTES];
    int lock_fd;
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_COUNT];
    /* the document put last */
    char *path;
    int64_t document, passages;
    int rc; /* of its passages */
};

static pl_err_t say(const index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    (void)snprintf(detail, INDEX_DETAIL_BYTES, "%.160s: %s", self->file, sqlite3_errmsg(self->db));
    return PL_UNAVAILABLE;
}

static pl_err_t say_errno(const char *file, char detail[INDEX_DETAIL_BYTES])
{
    char text[64];
    (void)snprintf(detail, INDEX_DETAIL_BYTES, "%.160s: %s", file,
                   strerror_r(errno, text, sizeof text));
    return PL_UNAVAILABLE;
}

static pl_err_t execute(index_writer_t *self, const char *sql, char detail[INDEX_DETAIL_BYTES])
{
    return sqlite3_exec(self->db, sql, NULL, NULL, NULL) == SQLITE_OK ? PL_OK : say(self, detail);
}

/* ---- the file ---- */

static pl_err_t make_folders(const char *file, char detail[INDEX_DETAIL_BYTES])
{
    char path[FILE_BYTES];
    (void)snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0750) < 0 && errno != EEXIST) return say_errno(path, detail);
        *slash = '/';
    }
    return PL_OK;
}

static pl_err_t take_lock(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    char path[FILE_BYTES + 8];
    (void)snprintf(path, sizeof path, "%s.lock", self->file);
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0) return say_errno(path, detail);
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) == 0) return PL_OK;
    if (errno != EWOULDBLOCK) return say_errno(path, detail);
    (void)snprintf(detail, INDEX_DETAIL_BYTES,
                   "%.120s: in use by another process (rag.index_file: one for each instance)",
                   self->file);
    return PL_UNAVAILABLE;
}

static pl_err_t connect_file(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(self->file, &self->db, flags, NULL) == SQLITE_OK) return PL_OK;
    return say(self, detail);
}

static int64_t pragma(index_writer_t *self, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

/* Is it an index of this version, and sound? */
static bool is_usable(index_writer_t *self)
{
    if (pragma(self, "PRAGMA application_id") != APPLICATION_ID) return false;
    if (pragma(self, "PRAGMA user_version") != SCHEMA) return false;
    if (sqlite3_exec(self->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL)) return false;
    return sqlite3_exec(self->db, "INSERT INTO passages (passages) VALUES ('integrity-check')",
                        NULL, NULL, NULL) == SQLITE_OK;
}

static pl_err_t make_anew(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    (void)sqlite3_close(self->db);
    self->db = NULL;
    for (size_t i = 0; i < 3; i++) {
        char path[FILE_BYTES + 8];
        (void)snprintf(path, sizeof path, "%s%s", self->file, suffixes[i]);
        if (unlink(path) < 0 && errno != ENOENT) return say_errno(path, detail);
    }
    char stamp[96];
    (void)snprintf(stamp, sizeof stamp,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID,
                   SCHEMA);
    pl_err_t err = connect_file(self, detail);
    if (!err) err = execute(self, schema_sql, detail);
    if (!err) err = execute(self, stamp, detail);
    return err;
}

static bool has_header(const char *file)
{
    char head[16] = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, head, sizeof head);
    (void)close(fd);
    return got == sizeof head && memcmp(head, "SQLite format 3", sizeof head) == 0;
}

/* Only an index may be thrown away, sound or damaged, and a database that holds nothing: that is
 * what a process killed at its first start leaves. */
static bool may_remake(index_writer_t *self)
{
    if (pragma(self, "PRAGMA application_id") == APPLICATION_ID) return true;
    int64_t objects = pragma(self, "SELECT count(*) FROM sqlite_master");
    return objects == 0 || (objects < 0 && has_header(self->file));
}

static pl_err_t check_or_remake(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    struct stat info;
    bool exists = stat(self->file, &info) == 0 && info.st_size > 0;
    pl_err_t err = connect_file(self, detail);
    if (err || (exists && is_usable(self))) return err;
    if (exists && !may_remake(self)) {
        (void)snprintf(detail, INDEX_DETAIL_BYTES,
                       "%.160s: not an index of Parley (rag.index_file)", self->file);
        return PL_UNAVAILABLE;
    }
    if (exists)
        log_warn("index.remade", "file=\"%s\" reason=\"damaged or of another version\"",
                 self->file);
    return make_anew(self, detail);
}

pl_err_t index_writer_open(index_writer_t **out, const char *file, char detail[INDEX_DETAIL_BYTES])
{
    if (!*file || strlen(file) >= FILE_BYTES) {
        (void)snprintf(detail, INDEX_DETAIL_BYTES, "rag.index_file: not a file name");
        return PL_INVALID;
    }
    index_writer_t *self = calloc(1, sizeof *self);
    assert(self);
    self->lock_fd = -1;
    (void)snprintf(self->file, sizeof self->file, "%s", file);
    pl_err_t err = make_folders(file, detail);
    if (!err) err = take_lock(self, detail);
    if (!err) err = check_or_remake(self, detail);
    for (size_t i = 0; !err && i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(self->db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT, &self->sql[i],
                               NULL) != SQLITE_OK)
            err = say(self, detail);
    }
    if (err)
        index_writer_close(&self);
    else
        *out = self;
    return err;
}

void index_writer_close(index_writer_t **self_p)
{
    index_writer_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < SQL_COUNT; i++) (void)sqlite3_finalize(self->sql[i]);
    (void)sqlite3_close(self->db);
    if (self->lock_fd >= 0) (void)close(self->lock_fd);
    free(self->path);
    free(self);
}

/* ---- entries ---- */

static char *text_copy(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    char *copy = strdup(text ? (const char *)text : "");
    assert(copy);
    return copy;
}

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
    if (sqlite3_prepare_v2(self->db, sql, -1, &rows, NULL) != SQLITE_OK) return say(self, detail);
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
    sqlite3_stmt *find = self->sql[SQL_FIND];
    (void)sqlite3_bind_text(find, 1, path, -1, SQLITE_STATIC);
    int rc = sqlite3_step(find);
    int64_t id = rc == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    (void)sqlite3_reset(find);
    if (rc == SQLITE_DONE) return SQLITE_OK;
    if (rc != SQLITE_ROW) return rc;
    (void)sqlite3_bind_int64(self->sql[SQL_DELETE_PASSAGES], 1, id << PASSAGES_SHIFT);
    (void)sqlite3_bind_int64(self->sql[SQL_DELETE_PASSAGES], 2, ((id + 1) << PASSAGES_SHIFT) - 1);
    rc = run(self, SQL_DELETE_PASSAGES);
    if (rc != SQLITE_OK) return rc;
    (void)sqlite3_bind_int64(self->sql[SQL_FORGET], 1, id);
    return run(self, SQL_FORGET);
}

/* A passage is known by what it says and where, unless it brings a name: the same text keeps it. */
static void make_key(const index_writer_t *self, const passage_t *passage,
                     char out[PASSAGE_ID_BYTES + 16])
{
    if (passage->id) {
        (void)snprintf(out, PASSAGE_ID_BYTES + 16, "%s", passage->id);
        return;
    }
    uint64_t hash = DOCUMENT_HASH_SEED;
    hash = document_hash(hash, self->path, strlen(self->path) + 1);
    hash = document_hash(hash, passage->title, strlen(passage->title) + 1);
    hash = document_hash(hash, passage->content, strlen(passage->content) + 1);
    (void)snprintf(out, PASSAGE_ID_BYTES + 16, "%016" PRIx64, hash);
}

void index_add(void *arg, const passage_t *passage)
{
    index_writer_t *self = arg;
    if (self->rc != SQLITE_OK || self->passages >> PASSAGES_SHIFT) return;
    char key[PASSAGE_ID_BYTES + 16];
    make_key(self, passage, key);
    sqlite3_stmt *insert = self->sql[SQL_INSERT_PASSAGE];
    (void)sqlite3_bind_int64(insert, 1, (self->document << PASSAGES_SHIFT) + self->passages++);
    (void)sqlite3_bind_text(insert, 2, passage->title, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 3, passage->content, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 4, key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 5, passage->source ? passage->source : self->path, -1,
                            SQLITE_STATIC);
    self->rc = run(self, SQL_INSERT_PASSAGE);
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
    self->document = sqlite3_last_insert_rowid(self->db);
    self->passages = 0;
    self->rc = SQLITE_OK;
    return PL_OK;
}

pl_err_t index_put_end(index_writer_t *self, const char *problem, char detail[INDEX_DETAIL_BYTES])
{
    if (self->rc != SQLITE_OK) return say(self, detail);
    if (!*problem) return PL_OK;
    (void)sqlite3_bind_int64(self->sql[SQL_PROBLEM], 1, self->document);
    (void)sqlite3_bind_text(self->sql[SQL_PROBLEM], 2, problem, -1, SQLITE_STATIC);
    return run(self, SQL_PROBLEM) == SQLITE_OK ? PL_OK : say(self, detail);
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

/* ---- transactions ---- */

pl_err_t index_begin(index_writer_t *self, char detail[INDEX_DETAIL_BYTES])
{
    return execute(self, "BEGIN IMMEDIATE", detail);
}

pl_err_t index_commit(index_writer_t *self, bool new_version, int64_t wall_ms,
                      char detail[INDEX_DETAIL_BYTES])
{
    if (new_version) {
        /* From the clock, so that an index made anew never repeats the former one's numbers. */
        (void)sqlite3_bind_int64(self->sql[SQL_VERSION], 1, wall_ms);
        if (run(self, SQL_VERSION) != SQLITE_OK) return say(self, detail);
    }
    return execute(self, "COMMIT", detail);
}

void index_rollback(index_writer_t *self)
{
    if (!sqlite3_get_autocommit(self->db))
        (void)sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
}

pl_err_t index_stats(index_writer_t *self, index_stats_t *out, char detail[INDEX_DETAIL_BYTES])
{
    static const char sql[] = "SELECT (SELECT version FROM meta),"
                              " (SELECT count(*) FROM documents WHERE bad = 0),"
                              " (SELECT count(*) FROM documents WHERE bad = 1),"
                              " (SELECT count(*) FROM passages)";
    sqlite3_stmt *row = NULL;
    pl_err_t err = PL_OK;
    if (sqlite3_prepare_v2(self->db, sql, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW) {
        out->version = (uint64_t)sqlite3_column_int64(row, 0);
        out->documents = (uint32_t)sqlite3_column_int64(row, 1);
        out->bad = (uint32_t)sqlite3_column_int64(row, 2);
        out->passages = (uint32_t)sqlite3_column_int64(row, 3);
    } else {
        err = say(self, detail);
    }
    (void)sqlite3_finalize(row);
    return err;
}
