#include "tools/parley/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: what is left to do before it becomes the program. */
static void become(const char *const *argv, int log_fd, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(EXIT_FAILURE); /* it died before the line above */
    if (log_fd >= 0) {
        (void)dup2(log_fd, STDOUT_FILENO);
        (void)dup2(log_fd, STDERR_FILENO);
    }
    /* execv does not change its arguments; its type predates const. */
    execv(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "%s: cannot be run (errno %d)\n", argv[0], errno);
    _exit(127);
}

pl_err_t process_start(pid_t *out, const char *const *argv, const char *log_file)
{
    if (access(argv[0], X_OK) != 0) return PL_NOT_FOUND;
    int log_fd = -1;
    if (log_file) {
        log_fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (log_fd < 0) return PL_UNAVAILABLE;
    }
    (void)fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) become(argv, log_fd, parent);
    if (log_fd >= 0) close(log_fd);
    if (pid < 0) return PL_UNAVAILABLE;
    *out = pid;
    return PL_OK;
}

char *process_status_text(int wait_status, char *out, size_t out_bytes)
{
    if (WIFSIGNALED(wait_status)) {
        int number = WTERMSIG(wait_status);
        const char *name = sigabbrev_np(number);
        snprintf(out, out_bytes, "was killed by signal %d (SIG%s)", number, name ? name : "?");
    } else {
        snprintf(out, out_bytes, "exited with status %d", WEXITSTATUS(wait_status));
    }
    return out;
}

pl_err_t process_own_folder(char *out, size_t out_bytes)
{
    ssize_t length = readlink("/proc/self/exe", out, out_bytes - 1);
    if (length <= 0) return PL_UNAVAILABLE;
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash) return PL_UNAVAILABLE;
    *slash = '\0';
    return PL_OK;
}
