/* postgres.h - for tests: a PostgreSQL server of their own, on a socket in a folder of its own.
 *
 * The server does not run as root: where the test does, it runs as postgres, the user of Debian's package.
 */
#ifndef TESTS_SUPPORT_POSTGRES_H
#define TESTS_SUPPORT_POSTGRES_H

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "tests/support/folder.h"

enum { POSTGRES_PATH_BYTES = 256, POSTGRES_UP_MS = 20000 };

typedef struct {
    char folder[64];
    char url[128];
    bool durable; /* commits reach the disk */
    pid_t pid;    /* 0: not running */
} postgres_t;

/* "/usr/lib/postgresql/15/bin/initdb" */
static inline bool postgres_program(const char *name, char out[POSTGRES_PATH_BYTES])
{
    glob_t found = {0};
    bool any = glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0 && found.gl_pathc > 0;
    if (any)
        (void)snprintf(out, POSTGRES_PATH_BYTES, "%.200s/%s", found.gl_pathv[found.gl_pathc - 1],
                       name);
    globfree(&found);
    if (!any) (void)fprintf(stderr, "no PostgreSQL server is installed (postgresql)\n");
    return any;
}

static inline pid_t postgres_run(const postgres_t *self, char *const argv[])
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (user && (setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid))) _exit(99);
    char log[POSTGRES_PATH_BYTES];
    (void)snprintf(log, sizeof log, "%s/log", self->folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) _exit(98);
    (void)close(fd);
    (void)unsetenv("LSAN_OPTIONS");
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    (void)execv(argv[0], argv);
    _exit(97);
}

static inline bool postgres_answers(const postgres_t *self)
{
    PGconn *conn = PQconnectdb(self->url);
    bool good = PQstatus(conn) == CONNECTION_OK;
    PQfinish(conn);
    return good;
}

/* Starts the server on the files that are there, and waits until it answers. */
static inline int postgres_up(postgres_t *self)
{
    char program[POSTGRES_PATH_BYTES];
    char data[POSTGRES_PATH_BYTES];
    if (!postgres_program("postgres", program)) return -1;
    (void)snprintf(data, sizeof data, "%s/data", self->folder);
    char *argv[] = {program,
                    "-D",
                    data,
                    "-k",
                    self->folder,
                    "-h",
                    "",
                    "-c",
                    "shared_buffers=32MB",
                    self->durable ? NULL : "-F",
                    NULL};
    self->pid = postgres_run(self, argv);
    for (int ms = 0; ms < POSTGRES_UP_MS; ms += 20) {
        if (postgres_answers(self)) return 0;
        (void)usleep(20 * 1000);
    }
    (void)fprintf(stderr, "PostgreSQL does not start: see %s/log\n", self->folder);
    return -1;
}

/* signal: SIGQUIT drops every connection at once, SIGKILL is a crash. */
static inline void postgres_down(postgres_t *self, int signal)
{
    if (self->pid == 0) return;
    (void)kill(self->pid, signal);
    (void)waitpid(self->pid, NULL, 0);
    self->pid = 0;
}

static inline int postgres_start(postgres_t *self, bool durable)
{
    char program[POSTGRES_PATH_BYTES];
    char data[POSTGRES_PATH_BYTES];
    *self = (postgres_t){.folder = "/tmp/parley-pg-XXXXXX", .durable = durable};
    if (!postgres_program("initdb", program) || !mkdtemp(self->folder)) return -1;
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (user && chown(self->folder, user->pw_uid, user->pw_gid)) return -1;
    (void)snprintf(data, sizeof data, "%s/data", self->folder);
    char *argv[] = {program, "-D", data, "-A", "trust", "-U", "parley", "-E", "UTF8", "-N", NULL};
    int status = 0;
    if (waitpid(postgres_run(self, argv), &status, 0) < 0 || status != 0) {
        (void)fprintf(stderr, "initdb failed: see %s/log\n", self->folder);
        return -1;
    }
    (void)snprintf(self->url, sizeof self->url, "host=%s user=parley dbname=postgres",
                   self->folder);
    return postgres_up(self);
}

static inline void postgres_end(postgres_t *self)
{
    postgres_down(self, SIGQUIT);
    (void)folder_remove(self->folder);
}

#endif
