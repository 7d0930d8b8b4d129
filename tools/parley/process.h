/* process.h - one child process: started, told to stop, and how it ended.
 *
 * A child is in a process group of its own, so that Ctrl-C on the terminal reaches only its parent,
 * which passes it on in order; it gets SIGTERM when the parent dies.
 *
 * Threads: the one that started it (the kernel ties the parent's death to that thread).
 */
#ifndef PARLEY_PROCESS_H
#define PARLEY_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* argv[0] is the program's path; argv ends with NULL. log_file: where its standard error and output
 * go, appended; NULL: to ours. PL_NOT_FOUND: no such program; PL_UNAVAILABLE: no process or log
 * file. */
pl_err_t process_start(pid_t *out, const char *const *argv, const char *log_file);

/* "exited with status 1", "was killed by signal 9 (Killed)". Returns out. */
char *process_status_text(int wait_status, char *out, size_t out_bytes);

/* The folder of this program's own file, without a slash at the end. */
pl_err_t process_own_folder(char *out, size_t out_bytes);

#endif
