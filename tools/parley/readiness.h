/* readiness.h - asks the gateway again and again whether the system is ready.
 *
 * Threads: the loop's.
 */
#ifndef PARLEY_READINESS_H
#define PARLEY_READINESS_H

#include <stdbool.h>

#include "common/http.h"
#include "common/loop.h"

typedef struct readiness readiness_t;

/* Called when the answer changes: ready, or why not ("store, search fail", "no answer"). */
typedef void readiness_fn(void *arg, bool ready, const char *why);

/* url: "http://127.0.0.1:8080". Asks every 20 ms until it is ready, then four times a second. */
readiness_t *readiness_new(pl_loop_t *loop, pl_http_t *http, const char *url, readiness_fn *changed,
                           void *arg);
void readiness_destroy(readiness_t **self_p);

/* Something died: ask quickly again, and tell also when nothing seems to have changed. */
void readiness_doubt(readiness_t *self);

/* Text for people of a readiness answer's failed checks; "" when none. Pure. */
void readiness_why(const char *body, char *out, size_t out_bytes);

#endif
