#include "tools/parley/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "services/persistence/providers/sqlite_id.h"
#include "tools/parley/config.h"
#include "tools/parley/term.h"

enum {
    EXIT_USAGE = 64,
    EXIT_CONFIGURATION = 78,
    ARGS_MAX = 64,
    PATH_BYTES = 4096,
    STEP_PAGES = 2048
};

static const char usage[] =
    "usage: parley backup FILE [options]\n"
    "\n"
    "Copies the store (persistence.sqlite.file) to FILE as it is at one moment, checks the copy, "
    "and lets\n"
    "the system go on meanwhile: every write acknowledged before the copy began is in it. FILE "
    "must not be\n"
    "there yet.\n"
    "\n"
    "  --config FILE      the system's configuration (config/parley.yaml when it exists)\n"
    "  --set PATH=VALUE   one setting, over the file's; repeatable\n"
    "  --help\n"
    "\n"
    "To restore: stop the system, move the store's file away together with those that end in -wal "
    "and -shm,\n"
    "put the copy in its place, and start the system.\n"
    "Exit status: 0, 1 when it could not be done, 64 for a wrong option, 78 for a wrong "
    "configuration.\n";

typedef struct {
    const char *from, *to;
    char part[PATH_BYTES]; /* what is written, until it is known to be whole */
    sqlite3 *source, *copy;
    int pages;
} backup_t;

static bool say(sqlite3 *db, const char *file)
{
    term_bad("%s: %s", file, db ? sqlite3_errmsg(db) : "out of memory");
    return false;
}

/* ---- the store ---- */

static bool query_int(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    if (good) *out = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return good;
}

/* Opened, and held at one moment: what others write from now on is not seen. */
static bool open_source(backup_t *self)
{
    int64_t id = 0;
    int64_t calls = 0;
    if (sqlite3_open_v2(self->from, &self->source, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return say(self->source, self->from);
    (void)sqlite3_busy_timeout(self->source, 5000);
    if (!query_int(self->source, "PRAGMA application_id", &id))
        return say(self->source, self->from);
    if (id != SQLITE_APPLICATION_ID) {
        term_bad("%s: not a store of Parley", self->from);
        return false;
    }
    if (sqlite3_exec(self->source, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
        !query_int(self->source, "SELECT count(*) FROM calls", &calls))
        return say(self->source, self->from);
    return true;
}

static void show_progress(const sqlite3_backup *backup)
{
    int all = sqlite3_backup_pagecount((sqlite3_backup *)backup);
    int left = sqlite3_backup_remaining((sqlite3_backup *)backup);
    if (all > 0 && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%3d %%", (int)(100LL * (all - left) / all));
}

static bool copy_pages(backup_t *self)
{
    if (sqlite3_open_v2(self->part, &self->copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return say(self->copy, self->part);
    sqlite3_backup *backup = sqlite3_backup_init(self->copy, "main", self->source, "main");
    if (!backup) return say(self->copy, self->part);
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(backup, STEP_PAGES);
        show_progress(backup);
    }
    self->pages = sqlite3_backup_pagecount(backup);
    if (isatty(STDERR_FILENO)) (void)fprintf(stderr, "\r      \r");
    (void)sqlite3_backup_finish(backup);
    if (rc == SQLITE_DONE) return true;
    term_bad("%s: %s", self->part, sqlite3_errstr(rc));
    return false;
}

static bool check_copy(backup_t *self, int64_t *calls)
{
    sqlite3_stmt *statement = NULL;
    const char *answer = NULL;
    if (sqlite3_prepare_v2(self->copy, "PRAGMA quick_check(1)", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        answer = (const char *)sqlite3_column_text(statement, 0);
    bool good = answer && strcmp(answer, "ok") == 0;
    if (!good)
        term_bad("%s: damaged: %s", self->from, answer ? answer : sqlite3_errmsg(self->copy));
    (void)sqlite3_finalize(statement);
    return good && (query_int(self->copy, "SELECT count(*) FROM calls", calls) ||
                    say(self->copy, self->part));
}

/* ---- the file ---- */

static bool make_part(backup_t *self)
{
    if (access(self->to, F_OK) == 0) {
        term_bad("%s: is there already", self->to);
        return false;
    }
    int bytes = snprintf(self->part, sizeof self->part, "%s.part", self->to);
    int fd = -1;
    if (bytes > 0 && (size_t)bytes < sizeof self->part)
        fd = open(self->part, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        term_bad("%s: cannot be written: %s", self->part, strerror(errno));
        self->part[0] = '\0';
        return false;
    }
    (void)close(fd);
    return true;
}

/* On the disk under its name, and never over another file. */
static bool finish(backup_t *self)
{
    char folder[PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", self->to);
    if (sqlite3_close(self->copy) != SQLITE_OK) return say(self->copy, self->part);
    self->copy = NULL;
    int fd = open(self->part, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0 && link(self->part, self->to) == 0;
    if (!good) term_bad("%s: %s", self->to, strerror(errno));
    if (fd >= 0) (void)close(fd);
    int dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) (void)fsync(dir);
    if (dir >= 0) (void)close(dir);
    return good;
}

static void clean_up(backup_t *self)
{
    (void)sqlite3_close(self->copy);
    (void)sqlite3_close(self->source);
    if (!self->part[0]) return;
    static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[PATH_BYTES + 16];
        (void)snprintf(path, sizeof path, "%s%s", self->part, suffixes[i]);
        (void)unlink(path);
    }
}

static int back_up(const char *from, const char *to)
{
    backup_t self = {.from = from, .to = to};
    int64_t calls = 0;
    bool good = make_part(&self) && open_source(&self) && copy_pages(&self) &&
                check_copy(&self, &calls) && finish(&self);
    clean_up(&self);
    struct stat info;
    if (!good || stat(to, &info) != 0) return EXIT_FAILURE;
    term_ok("%s: %" PRId64 " calls, %.1f MiB, checked", to, calls, (double)info.st_size / 1048576);
    return EXIT_SUCCESS;
}

/* ---- the command ---- */

static bool read_words(int argc, char **argv, const char **config_args, int *config_argc,
                       const char **to, int *status)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"set", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'h') (void)fputs(usage, stdout);
        *status = c == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        if (c == 'h' || c == '?' || *config_argc + 2 >= ARGS_MAX) return false;
        config_args[(*config_argc)++] = c == 'c' ? "--config" : "--set";
        config_args[(*config_argc)++] = optarg;
    }
    *status = EXIT_USAGE;
    if (argc - optind != 1 || !*argv[optind]) {
        (void)fputs(usage, stderr);
        return false;
    }
    *to = argv[optind];
    return true;
}

int backup_run(int argc, char **argv)
{
    const char *args[ARGS_MAX] = {"parley"};
    int args_count = 1;
    int status = EXIT_FAILURE;
    const char *to = NULL;
    if (!read_words(argc, argv, args, &args_count, &to, &status)) return status;
    pl_config_t *cfg =
        pl_config_load("parley", parley_config_keys, args_count, (char **)args, &status);
    if (!cfg) return status;
    const char *provider = pl_config_str(cfg, "persistence.provider");
    if (strcmp(provider, "sqlite") == 0) {
        status = back_up(pl_config_str(cfg, "persistence.sqlite.file"), to);
    } else {
        term_bad("persistence.provider is %s: its server has its own means (pg_dump)", provider);
        status = EXIT_CONFIGURATION;
    }
    pl_config_destroy(&cfg);
    return status;
}
