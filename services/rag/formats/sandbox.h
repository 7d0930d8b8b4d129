/* sandbox.h - runs a program on somebody else's bytes, within bounds.
 *
 * The child sees the system's read-only folders (/usr, /lib, /etc) and nothing else, can write no
 * file and reach no network as far as the kernel can be told so (Landlock, namespaces: where it
 * knows neither, the limits alone hold), and is killed when it takes too long, too much memory, says
 * too much, or its parent dies.
 *
 * Threads: any; blocks until the child is gone.
 * Source: landlock(7), setrlimit(2), unshare(2).
 */
#ifndef RAG_FORMATS_SANDBOX_H
#define RAG_FORMATS_SANDBOX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { SANDBOX_SAID_BYTES = 256 };

typedef struct {
    uint32_t timeout_ms;
    size_t output_bytes, memory_bytes;
    const atomic_bool *stop; /* true: give up; NULL: never */
} sandbox_limits_t;

typedef enum {
    SANDBOX_DONE,     /* exited with 0 */
    SANDBOX_FAILED,   /* with another status, or killed by a signal */
    SANDBOX_ABSENT,   /* there is no such program */
    SANDBOX_TIMEOUT,  /* or more processor time than that */
    SANDBOX_TOO_MUCH, /* output */
    SANDBOX_STOPPED,
} sandbox_end_t;

typedef struct {
    char *output; /* NUL behind it; owned. NULL unless SANDBOX_DONE */
    size_t bytes;
    char said[SANDBOX_SAID_BYTES]; /* its standard error's first line */
} sandbox_result_t;

/* argv[0]: the program's path. input becomes its standard input. */
sandbox_end_t sandbox_run(const char *const *argv, const char *input, size_t size,
                          const sandbox_limits_t *limits, sandbox_result_t *out);

#endif
