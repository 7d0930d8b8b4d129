/* supervisor.h - keeps the processes of a system running.
 *
 * Starts them all at once, starts again what dies (see backoff.h), and stops them: SIGTERM, 10 s to
 * finish, then SIGKILL. A process that ends before supervisor_settled, or exits (not: is killed) in
 * the first two seconds of its first run, is a failed start, which ends everything; otherwise only
 * an ordered stop does.
 *
 * Threads: the loop's. One supervisor in a process: it takes SIGCHLD.
 */
#ifndef PARLEY_SUPERVISOR_H
#define PARLEY_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/loop.h"

enum { SUPERVISOR_MAX = 64, SUPERVISOR_MAX_ARGS = 128 };

typedef enum { CHILD_WAITING, CHILD_RUNNING, CHILD_STOPPED } child_state_t;

typedef struct {
    const char *name; /* "speech", "speech-1" */
    pid_t pid;        /* 0 unless it runs */
    child_state_t state;
    uint32_t restarts;
    int wait_status;      /* how it ended last */
    const char *log_file; /* NULL: our own standard error */
    uint64_t started_ms;  /* monotonic, of its latest start */
    uint64_t died_ms;     /* monotonic; 0: never */
    uint32_t wait_ms;     /* CHILD_WAITING: how long, from died_ms */
} child_t;

typedef struct {
    void (*died)(void *arg, const child_t *child);      /* by itself; it will be started again */
    void (*restarted)(void *arg, const child_t *child); /* runs; not known yet to be ready */
    /* A failed start, see above; everything is being stopped. */
    void (*failed)(void *arg, const child_t *child, const char *why);
    void (*stopped)(void *arg); /* the last process is gone, after supervisor_stop or failed */
    void *arg;
} supervisor_sink_t;

typedef struct supervisor supervisor_t;

supervisor_t *supervisor_new(pl_loop_t *loop, const supervisor_sink_t *sink); /* never NULL */
void supervisor_destroy(supervisor_t **self_p); /* kills what still runs, and waits for it */

/* Adds a process before supervisor_start. argv: program and arguments, NULL-terminated; copied.
 * log_file may be NULL. */
void supervisor_add(supervisor_t *self, const char *name, const char *const *argv,
                    const char *log_file);
void supervisor_start(supervisor_t *self);
void supervisor_settled(supervisor_t *self); /* all are ready: from now on deaths are mended */
void supervisor_stop(supervisor_t *self);    /* the second call kills */

size_t supervisor_count(const supervisor_t *self);
const child_t *supervisor_at(const supervisor_t *self, size_t i);

#endif
