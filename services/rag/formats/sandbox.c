#include "services/rag/formats/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    STATUS_ABSENT = 127,
    LOOK_MS = 100, /* how often stop is looked at */
    FILES_MAX = 64,
    FIRST_BYTES = 64 * 1024,
};

/* ---- in the child: only what is safe between fork and exec ---- */

static void limit(int which, rlim_t value)
{
    struct rlimit both = {value, value};
    (void)setrlimit((__rlimit_resource_t)which, &both);
}

/* System files may be read and run; nothing else is there. */
static void shut_out_files(void)
{
    static const char *const open_to_it[] = {"/usr", "/lib", "/lib64", "/etc"};
    struct landlock_ruleset_attr rules = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                             LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                             LANDLOCK_ACCESS_FS_MAKE_SYM};
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (set < 0) return; /* an older kernel */
    for (size_t i = 0; i < sizeof open_to_it / sizeof *open_to_it; i++) {
        struct landlock_path_beneath_attr beneath = {
            .allowed_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                              LANDLOCK_ACCESS_FS_READ_DIR,
            .parent_fd = open(open_to_it[i], O_PATH | O_CLOEXEC)};
        if (beneath.parent_fd < 0) continue;
        (void)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        (void)close(beneath.parent_fd);
    }
    (void)syscall(SYS_landlock_restrict_self, set, 0);
    (void)close(set);
}

static _Noreturn void be_child(const char *const *argv, const int fds[3],
                               const sandbox_limits_t *limits, pid_t parent)
{
    static char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(STATUS_ABSENT);
    for (int i = 0; i < 3; i++) {
        if (dup2(fds[i], i) < 0) _exit(STATUS_ABSENT);
    }
    (void)syscall(SYS_close_range, 3, ~0u, 0);
    limit(RLIMIT_CPU, limits->timeout_ms / 1000 + 1);
    limit(RLIMIT_AS, limits->memory_bytes);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)unshare(CLONE_NEWUSER | CLONE_NEWNET); /* where it is allowed */
    shut_out_files();
    (void)execve(argv[0], (char *const *)argv, environment);
    _exit(STATUS_ABSENT);
}

/* ---- in the parent ---- */

typedef struct {
    const sandbox_limits_t *limits;
    sandbox_result_t *out;
    size_t room, said;
    int output, error; /* -1: at its end */
    uint64_t until_ms;
} watch_t;

/* False: more than it may. */
static bool take_output(watch_t *self)
{
    sandbox_result_t *out = self->out;
    if (out->bytes + 1 >= self->room) {
        self->room = self->room ? self->room * 2 : FIRST_BYTES;
        out->output = realloc(out->output, self->room);
        assert(out->output);
    }
    ssize_t got = read(self->output, out->output + out->bytes, self->room - out->bytes - 1);
    if (got == 0 || (got < 0 && errno != EINTR)) {
        (void)close(self->output);
        self->output = -1;
    }
    if (got > 0) out->bytes += (size_t)got;
    return out->bytes <= self->limits->output_bytes;
}

static void take_error(watch_t *self)
{
    char bytes[512];
    ssize_t got = read(self->error, bytes, sizeof bytes);
    if (got == 0 || (got < 0 && errno != EINTR)) {
        (void)close(self->error);
        self->error = -1;
    }
    for (ssize_t i = 0; i < got && self->said < SANDBOX_SAID_BYTES - 1; i++) {
        if (bytes[i] == '\n')
            self->said = SANDBOX_SAID_BYTES; /* the first line is enough */
        else
            self->out->said[self->said++] = (char)(bytes[i] < 0x20 ? '?' : bytes[i]);
    }
}

static sandbox_end_t watch(watch_t *self)
{
    while (self->output >= 0 || self->error >= 0) {
        uint64_t now_ms = pl_clock_ms();
        if (now_ms >= self->until_ms) return SANDBOX_TIMEOUT;
        if (self->limits->stop && atomic_load(self->limits->stop)) return SANDBOX_STOPPED;
        struct pollfd fds[2] = {{self->output, POLLIN, 0}, {self->error, POLLIN, 0}};
        uint64_t left_ms = self->until_ms - now_ms;
        (void)poll(fds, 2, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
        if (fds[1].revents) take_error(self);
        if (fds[0].revents && !take_output(self)) return SANDBOX_TOO_MUCH;
    }
    return SANDBOX_DONE;
}

static int file_of(const char *input, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0) return -1;
    for (size_t at = 0; at < size;) {
        ssize_t put = write(fd, input + at, size - at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            (void)close(fd);
            return -1;
        }
        at += (size_t)put;
    }
    (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

static sandbox_end_t end_of(int status, sandbox_end_t seen)
{
    if (seen != SANDBOX_DONE) return seen;
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_ABSENT) return SANDBOX_ABSENT;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return SANDBOX_DONE;
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
        return SANDBOX_TIMEOUT;
    return SANDBOX_FAILED;
}

sandbox_end_t sandbox_run(const char *const *argv, const char *input, size_t size,
                          const sandbox_limits_t *limits, sandbox_result_t *out)
{
    *out = (sandbox_result_t){0};
    int output[2] = {-1, -1};
    int error[2] = {-1, -1};
    sandbox_end_t end = SANDBOX_FAILED;
    int in = file_of(input, size);
    if (in < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0) goto out;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) goto out;
    if (child == 0) be_child(argv, (int[]){in, output[1], error[1]}, limits, parent);
    (void)close(output[1]);
    (void)close(error[1]);
    watch_t self = {.limits = limits, .out = out, .output = output[0], .error = error[0]};
    self.until_ms = pl_clock_ms() + limits->timeout_ms;
    output[1] = error[1] = -1;
    end = watch(&self);
    output[0] = self.output;
    error[0] = self.error;
    if (end != SANDBOX_DONE) (void)kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    end = end_of(status, end);
out:
    if (in >= 0) (void)close(in);
    for (int i = 0; i < 2; i++) {
        if (output[i] >= 0) (void)close(output[i]);
        if (error[i] >= 0) (void)close(error[i]);
    }
    if (end == SANDBOX_DONE && out->output) {
        out->output[out->bytes] = '\0';
        return end;
    }
    free(out->output);
    out->output = NULL;
    out->bytes = 0;
    return end;
}
