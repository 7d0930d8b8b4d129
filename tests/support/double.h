/* double.h - for tests: a double of an outside service, built beside the test (make doubles).
 *
 * Include after cmocka.h.
 */
#ifndef TESTS_SUPPORT_DOUBLE_H
#define TESTS_SUPPORT_DOUBLE_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { DOUBLE_UP_MS = 20000, DOUBLE_PATH_BYTES = 512 };

typedef struct {
    pid_t pid;
    int port;
    char folder[64];
} double_t;

static inline void double_path(char out[DOUBLE_PATH_BYTES], const char *name)
{
    char self[DOUBLE_PATH_BYTES / 2];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    char *tests = strstr(self, "/tests/");
    assert_non_null(tests);
    *tests = '\0';
    (void)snprintf(out, DOUBLE_PATH_BYTES, "%s/bin/%s", self, name);
}

/* Starts it on a free port and waits until it listens. Its log is <folder>/log. */
static inline void double_start(double_t *self, const char *name)
{
    char binary[DOUBLE_PATH_BYTES];
    char port_file[96];
    char log[96];
    double_path(binary, name);
    (void)snprintf(self->folder, sizeof self->folder, "/tmp/parley-double-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    (void)snprintf(port_file, sizeof port_file, "%s/port", self->folder);
    (void)snprintf(log, sizeof log, "%s/log", self->folder);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0) {
        sigset_t all;
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_UNBLOCK, &all, NULL); /* the test's loop takes its own from a mask */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = open("/dev/null", O_WRONLY);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) _exit(99);
        execl(binary, binary, "--port-file", port_file, "--log", log, (char *)NULL);
        _exit(98);
    }
    uint64_t until = pl_clock_ms() + DOUBLE_UP_MS;
    FILE *file = NULL;
    while (!file) {
        if (pl_clock_ms() > until || waitpid(self->pid, NULL, WNOHANG) != 0)
            fail_msg("%s does not listen", name);
        file = fopen(port_file, "re");
        if (!file) (void)usleep(5000);
    }
    assert_int_equal(fscanf(file, "%d", &self->port), 1);
    (void)fclose(file);
}

/* How many requests of that path it has seen, by its log. */
static inline unsigned double_requests(const double_t *self, const char *path)
{
    char log[96];
    char wanted[128];
    static char line[65536];
    (void)snprintf(log, sizeof log, "%s/log", self->folder);
    (void)snprintf(wanted, sizeof wanted, "\"path\":\"%s\"", path);
    FILE *file = fopen(log, "re");
    unsigned count = 0;
    while (file && fgets(line, sizeof line, file)) count += strstr(line, wanted) != NULL;
    if (file) (void)fclose(file);
    return count;
}

static inline void double_stop(double_t *self)
{
    if (self->pid <= 0) return;
    (void)kill(self->pid, SIGTERM);
    (void)waitpid(self->pid, NULL, 0);
    self->pid = 0;
    char path[96];
    static const char *const files[] = {"port", "log"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", self->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(self->folder);
}

#endif
