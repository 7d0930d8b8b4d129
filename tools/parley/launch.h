/* launch.h - brings the system up and keeps it up: supervisor and readiness together, telling the
 * person at the terminal who is up, and who is not and why.
 *
 * Threads: the loop's.
 */
#ifndef PARLEY_LAUNCH_H
#define PARLEY_LAUNCH_H

#include "common/config.h"
#include "common/http.h"
#include "common/loop.h"
#include "tools/parley/system.h"

typedef struct launch launch_t;

typedef struct {
    void (*ready)(void *arg, unsigned took_ms); /* once: all are ready for the first time */
    /* Once: a process could not be started, ended during the start, or the system did not become
     * ready in time. Said already; everything is being stopped. status: 78 for a wrong
     * configuration, else 1. */
    void (*failed)(void *arg, int status);
    /* A process ended by itself after the start; said already. May be NULL. */
    void (*died)(void *arg, const char *name);
    void (*stopped)(void *arg); /* the last process is gone */
    void *arg;
} launch_sink_t;

launch_t *launch_new(pl_loop_t *loop, pl_http_t *http, const system_opts_t *opts,
                     const pl_config_t *config, const launch_sink_t *sink); /* starts them */
void launch_destroy(launch_t **self_p);
void launch_stop(launch_t *self); /* the second call kills */

const supervisor_t *launch_supervisor(const launch_t *self);

#endif
