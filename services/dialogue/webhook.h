/* webhook.h - signed requests to servers of others: tools of an integrator, emergency contacts.
 *
 * POST of JSON, signed anew at each attempt (signature.h), with the event's id. Repeated, with a
 * jittered pause, only where the receiver said that the same event twice does no harm, and only
 * after a transport failure, 429 or 5xx; all attempts share the timeout. Redirections are not
 * followed. Private, loopback and link-local addresses are refused unless allowed.
 *
 * Threads: all on the loop's thread. Nothing blocks.
 */
#ifndef DIALOGUE_WEBHOOK_H
#define DIALOGUE_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

typedef struct webhooks webhooks_t;

enum { WEBHOOK_ANSWER_MAX = 65536, WEBHOOK_ATTEMPTS_MAX = 3 };

/* Everything is copied. */
typedef struct {
    const char *url, *secret;
    const char *event_id; /* printable ASCII; names the event, not the attempt */
    const char *body;     /* JSON */
    uint32_t timeout_ms;  /* of all attempts together */
    bool idempotent;      /* may be repeated */
} webhook_t;

typedef struct {
    long status;        /* 0: no answer */
    const char *body;   /* borrowed, NUL-terminated */
    const char *detail; /* for the log, when there was no answer */
    unsigned attempts;
} webhook_answer_t;

/* err: PL_OK when there was an answer, whatever its status; else PL_TIMEOUT, PL_UNAVAILABLE or
 * PL_INVALID (address refused, answer too large). Never called from within webhook_post. */
typedef void webhook_done_fn(void *arg, pl_err_t err, const webhook_answer_t *answer);

/* ca_file: as for pl_http_trust. */
webhooks_t *webhooks_new(pl_loop_t *loop, bool allow_private, const char *ca_file);
/* Open requests end with PL_UNAVAILABLE. */
void webhooks_destroy(webhooks_t **self_p);

void webhook_post(webhooks_t *self, const webhook_t *hook, webhook_done_fn *done, void *arg);

/* NULL when url can be posted to; otherwise why not, for the one who configures it. */
const char *webhook_url_wrong(const char *url);

#endif
