#include "services/rag/index_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/rag/tokenizer.h"

enum {
    NAME_BYTES = 4096,
    SCHEMA = 3, /* raise it whenever what is stored changes: old files are remade */
    APPLICATION_ID = 0x504c4b42, /* "PLKB" */
    BUSY_MS = 1000,
};

/* Derived data: a power cut may take it, so nothing waits for the disk. Documents' ids are never
 * used again: what is in memory is told by them. */
static const char schema_sql[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta (version INTEGER NOT NULL, documents INTEGER NOT NULL,"
    "  vectors INTEGER NOT NULL, space TEXT NOT NULL, dimensions INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES (0, 0, 0, '', 0);"
    "CREATE TABLE documents ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,"
    "  mtime_ns INTEGER NOT NULL, hash INTEGER NOT NULL, bad INTEGER NOT NULL,"
    "  problem TEXT NOT NULL, passages INTEGER NOT NULL, sizes BLOB NOT NULL) STRICT;"
    "CREATE TABLE passages ("
    "  id INTEGER PRIMARY KEY, key TEXT NOT NULL, title TEXT NOT NULL, content TEXT NOT NULL,"
    "  source TEXT, created_at TEXT) STRICT;"
    "CREATE VIRTUAL TABLE terms USING fts5 (title, content, content = 'passages',"
    "  content_rowid = 'id', columnsize = 0, tokenize = 'parley');"
    "CREATE TABLE vectors ("
    "  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, scale REAL NOT NULL, data BLOB) STRICT;"
    "CREATE INDEX vectors_seq ON vectors (seq);";

pl_err_t index_file_say(const index_file_t *self, char detail[INDEX_DETAIL_BYTES])
{
    (void)snprintf(detail, INDEX_DETAIL_BYTES, "%.160s: %s", self->name, sqlite3_errmsg(self->db));
    return PL_UNAVAILABLE;
}

static pl_err_t say_errno(const char *file, char detail[INDEX_DETAIL_BYTES])
{
    char text[64];
    (void)snprintf(detail, INDEX_DETAIL_BYTES, "%.160s: %s", file,
                   strerror_r(errno, text, sizeof text));
    return PL_UNAVAILABLE;
}

static pl_err_t make_folders(const char *file, char detail[INDEX_DETAIL_BYTES])
{
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0750) < 0 && errno != EEXIST) return say_errno(path, detail);
        *slash = '/';
    }
    return PL_OK;
}

static pl_err_t take_lock(index_file_t *self, char detail[INDEX_DETAIL_BYTES])
{
    char path[NAME_BYTES + 8];
    (void)snprintf(path, sizeof path, "%s.lock", self->name);
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0) return say_errno(path, detail);
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) == 0) return PL_OK;
    if (errno != EWOULDBLOCK) return say_errno(path, detail);
    (void)snprintf(detail, INDEX_DETAIL_BYTES,
                   "%.120s: in use by another process (rag.index_file: one for each instance)",
                   self->name);
    return PL_UNAVAILABLE;
}

static pl_err_t connect_file(index_file_t *self, int flags, char detail[INDEX_DETAIL_BYTES])
{
    int rc = sqlite3_open_v2(self->name, &self->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(self->db, BUSY_MS);
    return rc == SQLITE_OK ? PL_OK : index_file_say(self, detail);
}

/* Looks into the file already, which may be damaged. */
static pl_err_t teach(index_file_t *self, char detail[INDEX_DETAIL_BYTES])
{
    int rc = tokenizer_register(self->db, self->lexicon);
    return rc == SQLITE_OK ? PL_OK : index_file_say(self, detail);
}

static pl_err_t execute(index_file_t *self, const char *sql, char detail[INDEX_DETAIL_BYTES])
{
    int rc = sqlite3_exec(self->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? PL_OK : index_file_say(self, detail);
}

static int64_t pragma(index_file_t *self, const char *sql)
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
static bool is_usable(index_file_t *self)
{
    if (pragma(self, "PRAGMA application_id") != APPLICATION_ID) return false;
    if (pragma(self, "PRAGMA user_version") != SCHEMA) return false;
    if (tokenizer_register(self->db, self->lexicon) != SQLITE_OK) return false;
    if (sqlite3_exec(self->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL)) return false;
    return sqlite3_exec(self->db, "INSERT INTO terms (terms) VALUES ('integrity-check')", NULL,
                        NULL, NULL) == SQLITE_OK;
}

static pl_err_t make_anew(index_file_t *self, char detail[INDEX_DETAIL_BYTES])
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    (void)sqlite3_close(self->db);
    self->db = NULL;
    for (size_t i = 0; i < 3; i++) {
        char path[NAME_BYTES + 8];
        (void)snprintf(path, sizeof path, "%s%s", self->name, suffixes[i]);
        if (unlink(path) < 0 && errno != ENOENT) return say_errno(path, detail);
    }
    char stamp[96];
    (void)snprintf(stamp, sizeof stamp,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID,
                   SCHEMA);
    pl_err_t err = connect_file(self, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, detail);
    if (!err) err = teach(self, detail);
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
static bool may_remake(index_file_t *self)
{
    if (pragma(self, "PRAGMA application_id") == APPLICATION_ID) return true;
    int64_t objects = pragma(self, "SELECT count(*) FROM sqlite_master");
    return objects == 0 || (objects < 0 && has_header(self->name));
}

static pl_err_t check_or_remake(index_file_t *self, char detail[INDEX_DETAIL_BYTES])
{
    struct stat info;
    bool exists = stat(self->name, &info) == 0 && info.st_size > 0;
    pl_err_t err = connect_file(self, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, detail);
    if (err || (exists && is_usable(self))) return err;
    if (exists && !may_remake(self)) {
        (void)snprintf(detail, INDEX_DETAIL_BYTES,
                       "%.160s: not an index of Parley (rag.index_file)", self->name);
        return PL_UNAVAILABLE;
    }
    if (exists)
        log_warn("index.remade", "file=\"%s\" reason=\"damaged or of another version\"",
                 self->name);
    return make_anew(self, detail);
}

static void begin(index_file_t *self, const char *name)
{
    *self = (index_file_t){.lock_fd = -1, .name = strdup(name), .lexicon = lexicon_new()};
    assert(self->name);
}

pl_err_t index_file_open(index_file_t *self, const char *name, char detail[INDEX_DETAIL_BYTES])
{
    begin(self, name);
    if (!*name || strlen(name) >= NAME_BYTES) {
        (void)snprintf(detail, INDEX_DETAIL_BYTES, "rag.index_file: not a file name");
        return PL_INVALID;
    }
    pl_err_t err = make_folders(name, detail);
    if (!err) err = take_lock(self, detail);
    if (!err) err = check_or_remake(self, detail);
    return err;
}

pl_err_t index_file_read(index_file_t *self, const char *name, char detail[INDEX_DETAIL_BYTES])
{
    begin(self, name);
    pl_err_t err = connect_file(self, SQLITE_OPEN_READONLY, detail);
    return err ? err : teach(self, detail);
}

void index_file_close(index_file_t *self)
{
    (void)sqlite3_close(self->db);
    if (self->lock_fd >= 0) (void)close(self->lock_fd);
    lexicon_destroy(&self->lexicon);
    free(self->name);
    *self = (index_file_t){.lock_fd = -1};
}
