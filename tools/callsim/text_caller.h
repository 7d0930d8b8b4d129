/* text_caller.h - one simulated caller by text, from its first ring to its verdict.
 *
 * Rings (or is rung), answers by its scenario, is the stream that dialogue talks to, ends, rings
 * again when the scenario says so, and is judged in the end.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_TEXT_CALLER_H
#define CALLSIM_TEXT_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/http.h"
#include "common/loop.h"
#include "tools/callsim/exchange.h"
#include "tools/callsim/options.h"
#include "tools/callsim/scenario.h"

typedef struct text_caller text_caller_t;

/* What all callers share; borrowed for their lives. */
typedef struct {
    pl_loop_t *loop;
    exchange_t *exchange;
    pl_http_t *http;
    const scenario_t *scenario;
    const options_t *options;
    double speed;
    const char *body; /* text of POST /call; NULL */
    /* Microseconds from an utterance to the first sentence of its answer. */
    void (*answered)(void *arg, uint32_t us);
    void *arg;
} text_stage_t;

/* n: 1, 2, ... done is called once, when nothing more will happen. */
typedef void text_caller_done_fn(void *arg, text_caller_t *caller);
text_caller_t *text_caller_new(const text_stage_t *stage, uint32_t n, text_caller_done_fn *done,
                               void *arg);
void text_caller_destroy(text_caller_t **self_p); /* after the stage's exchange and http */

void text_caller_start(text_caller_t *self);
void text_caller_stop(text_caller_t *self); /* gives up: hangs up, is done soon */

const char *text_caller_number(const text_caller_t *self);
/* It waits to be rung; then this is its leg's sink. */
const exchange_sink_t *text_caller_sink(const text_caller_t *self);
bool text_caller_waits(const text_caller_t *self);
void text_caller_rung(text_caller_t *self, const Pl__LegDial *dial, exchange_leg_t *leg);
/* An SMS to this caller's number; was it delivered? */
bool text_caller_sms(text_caller_t *self, const char *to, const char *text);

bool text_caller_completed(const text_caller_t *self);
/* Everything about the caller, for the report; the caller of this owns it. */
cJSON *text_caller_report(const text_caller_t *self);

#endif
