/* verdict.h - the outcome of a text caller's checks: judges what was spoken, reads the number's
 * calls back from the gateway until they are worked up, and judges those.
 *
 * A check that does not hold yet gets a moment more: what follows a call comes after it.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_VERDICT_H
#define CALLSIM_VERDICT_H

#include "common/http.h"
#include "common/loop.h"
#include "tools/callsim/judge.h"

typedef struct verdict verdict_t;

typedef struct {
    pl_loop_t *loop;
    pl_http_t *http;
    const char *api;    /* the gateway's URL; NULL: records are not judged */
    const char *number; /* the caller's; borrowed */
    case_t of;          /* its calls are filled in here */
} verdict_opts_t;

/* done is called once, not from within this call. */
verdict_t *verdict_new(const verdict_opts_t *opts, void (*done)(void *arg), void *arg);
void verdict_destroy(verdict_t **self_p); /* after the http client that it uses */

size_t verdict_failed(const verdict_t *self); /* checks that do not hold */
/* "said /x/: what was found instead", of the first one; "" when all hold. */
const char *verdict_first(const verdict_t *self);
/* [{"check", "holds", "detail"}]. The caller owns it. */
cJSON *verdict_json(const verdict_t *self);

#endif
