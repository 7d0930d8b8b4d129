#include "services/persistence/providers/sqlite.h"
#include "services/persistence/row.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void sqlite_say(const sqlite_store_t *self, sqlite3 *db, char detail[STORE_DETAIL_BYTES])
{
    int system = db ? sqlite3_system_errno(db) : 0;
    int size = snprintf(detail, STORE_DETAIL_BYTES, "%.160s: %s", self->file, sqlite3_errmsg(db));
    if (system && size > 0 && size < STORE_DETAIL_BYTES) {
        char text[64];
        (void)snprintf(detail + size, (size_t)(STORE_DETAIL_BYTES - size), " (%s)",
                       strerror_r(system, text, sizeof text));
    }
}

pl_err_t sqlite_say_reader(const sqlite_store_t *self, char detail[STORE_DETAIL_BYTES])
{
    sqlite_say(self, self->reader, detail);
    return PL_UNAVAILABLE;
}

void sqlite_states(uint32_t wanted, char out[SQLITE_STATES_BYTES])
{
    size_t n = (size_t)snprintf(out, SQLITE_STATES_BYTES, " AND state IN (-1");
    for (int state = 0; state < ROW_STATES; state++) {
        if (wanted & row_state_bit(state))
            n += (size_t)snprintf(out + n, SQLITE_STATES_BYTES - n, ", %d", state);
    }
    (void)snprintf(out + n, SQLITE_STATES_BYTES - n, ")");
}

Pl__CallRecord *sqlite_column_record(sqlite3_stmt *statement, int column)
{
    const uint8_t *bytes = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    return bytes ? pl__call_record__unpack(NULL, size, bytes) : NULL;
}

/* ---- opening ---- */

static pl_err_t say_errno(const char *file, const char *what, char detail[STORE_DETAIL_BYTES])
{
    char text[64];
    (void)snprintf(detail, STORE_DETAIL_BYTES, "%.160s: %s: %s", file, what,
                   strerror_r(errno, text, sizeof text));
    return PL_UNAVAILABLE;
}

static pl_err_t make_folders(const char *file, char detail[STORE_DETAIL_BYTES])
{
    char path[SQLITE_STORE_FILE_BYTES];
    (void)snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0750) < 0 && errno != EEXIST)
            return say_errno(path, "cannot make the folder", detail);
        *slash = '/';
    }
    return PL_OK;
}

/* Two processes on one file would each believe to own the epochs: the second is refused. The lock
 * goes with the process, so that a killed one leaves nothing to clean up. */
static pl_err_t take_lock(sqlite_store_t *self, char detail[STORE_DETAIL_BYTES])
{
    char path[SQLITE_STORE_FILE_BYTES + 8];
    (void)snprintf(path, sizeof path, "%s.lock", self->file);
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0) return say_errno(path, "cannot be opened for writing", detail);
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) return say_errno(path, "cannot be locked", detail);
        (void)snprintf(detail, STORE_DETAIL_BYTES, "%.160s: in use by another process", self->file);
        return PL_UNAVAILABLE;
    }
    return PL_OK;
}

/* Calls hold personal data: the file, and with it SQLite's -wal and -shm, is the owner's alone. */
static pl_err_t make_private(const char *file, char detail[STORE_DETAIL_BYTES])
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return say_errno(file, "cannot be opened for writing", detail);
    (void)close(fd);
    return PL_OK;
}

static pl_err_t open_reader(sqlite_store_t *self, char detail[STORE_DETAIL_BYTES])
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(self->file, &self->reader, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(self->reader, 1000) == SQLITE_OK)
        return PL_OK;
    sqlite_say(self, self->reader, detail);
    return PL_UNAVAILABLE;
}

static void sqlite_close(void **store)
{
    sqlite_store_t *self = *store;
    if (!self) return;
    *store = NULL;
    for (size_t i = 0; i < SQL_COUNT; i++) (void)sqlite3_finalize(self->sql[i]);
    (void)sqlite3_close(self->reader); /* before the writer: the last to close checkpoints */
    (void)sqlite3_close(self->writer);
    if (self->lock_fd >= 0) (void)close(self->lock_fd);
    free(self);
}

static pl_err_t sqlite_open(void **store, const pl_config_t *cfg, char detail[STORE_DETAIL_BYTES])
{
    const char *file = pl_config_str(cfg, "persistence.sqlite.file");
    const char *synchronous = pl_config_str(cfg, "persistence.sqlite.synchronous");
    if (!*file || strlen(file) >= SQLITE_STORE_FILE_BYTES) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "persistence.sqlite.file: not a file name");
        return PL_INVALID;
    }
    if (strcmp(synchronous, "full") != 0 && strcmp(synchronous, "normal") != 0) {
        (void)snprintf(detail, STORE_DETAIL_BYTES,
                       "persistence.sqlite.synchronous: \"%.40s\" is neither full nor normal",
                       synchronous);
        return PL_INVALID;
    }
    /* A limit on file sizes is to be an error of the write, not the end of the process. */
    (void)signal(SIGXFSZ, SIG_IGN);

    sqlite_store_t *self = calloc(1, sizeof *self);
    assert(self);
    self->lock_fd = -1;
    (void)snprintf(self->file, sizeof self->file, "%s", file);
    pl_err_t err = make_folders(self->file, detail);
    if (!err) err = take_lock(self, detail);
    if (!err) err = make_private(self->file, detail);
    if (!err) {
        int64_t check_ms = pl_config_int(cfg, "persistence.sqlite.check_ms");
        err = sqlite_schema_open(self, synchronous, check_ms, detail);
    }
    if (!err) err = sqlite_write_prepare(self, detail);
    if (!err) err = open_reader(self, detail);
    void *opened = self;
    if (err)
        sqlite_close(&opened);
    else
        *store = opened;
    return err;
}

const store_provider_t store_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .write = sqlite_write,
    .get = sqlite_get,
    .list = sqlite_list,
    .jobs = sqlite_job_list,
    .reminders = sqlite_reminder_list,
    .close = sqlite_close,
};
