/* caller.h - one simulated caller from its preparation to its outcome.
 *
 * Gets its lines synthesised, reaches the system (registers and is rung, rings by SIP, or rings as a
 * browser), talks, ends, and when asked reads its call back and compares the claim.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_CALLER_H
#define CALLSIM_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/http.h"
#include "common/loop.h"
#include "tools/callsim/conversation.h"
#include "tools/callsim/options.h"
#include "tools/callsim/phone.h"
#include "tools/callsim/voices.h"
#include "tools/callsim/web_phone.h"

typedef struct caller caller_t;

/* What all callers share; borrowed for their lives. */
typedef struct {
    pl_loop_t *loop;
    phone_t *phone;     /* NULL with REACH_BROWSER */
    web_net_t *web_net; /* only with REACH_BROWSER */
    voices_t *voices;
    pl_http_t *http;
    const scenario_t *scenario;
    const options_t *options;
    const char *domain; /* "127.0.0.1:5060", of the registrar or callee */
    const char *rtp_address;
    const char *body;         /* text of POST /call; NULL */
    void (*waits)(void *arg); /* a caller can be rung from now on */
    void *arg;
} stage_t;

/* n: 1, 2, ... done is called once, when nothing more will happen. */
typedef void caller_done_fn(void *arg, caller_t *caller);
caller_t *caller_new(const stage_t *stage, uint32_t n, caller_done_fn *done, void *arg);
void caller_destroy(caller_t **self_p); /* after stage's phone and voices, before its web_net */

void caller_start(caller_t *self);
void caller_tick(caller_t *self); /* every 20 ms */
void caller_on_phone(caller_t *self, const phone_event_t *event);
void caller_stop(caller_t *self); /* gives up: hangs up, is done soon */

bool caller_completed(const caller_t *self);
uint32_t caller_number(const caller_t *self);
/* Everything about the call, for the report; the caller of this owns it. */
cJSON *caller_report(const caller_t *self);
const turns_t *caller_turns(const caller_t *self);

#endif
