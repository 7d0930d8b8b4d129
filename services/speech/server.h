/* server.h - parley-speech as a whole: bus, lanes, recogniser, voices, one channel a call.
 *
 * Threads: made, run and destroyed on one thread.
 */
#ifndef PL_SPEECH_SERVER_H
#define PL_SPEECH_SERVER_H

#include "common/config.h"
#include "common/err.h"

typedef struct server server_t;

/* Opens the engines and binds. PL_INVALID: the configuration is wrong; has said why. */
pl_err_t server_new(server_t **out, const pl_config_t *cfg);
pl_err_t server_run(server_t *self); /* returns when drained */
void server_stop(server_t *self);    /* any thread: as a second SIGTERM */
void server_destroy(server_t **self_p);

#endif
