/* side.h - one of the two models with its health: is it worth asking, when is it probed again, are
 * its connections open.
 *
 * While a model is not well no caller's request is spent on it: a small request of our own is sent
 * now and then, and its answer makes the model well again.
 *
 * Threads: all on the loop's.
 */
#ifndef DIALOGUE_LLM_SIDE_H
#define DIALOGUE_LLM_SIDE_H

#include "services/dialogue/llm/exchange.h"
#include "services/dialogue/llm/llm_meter.h"
#include "services/dialogue/llm/model.h"

typedef struct {
    unsigned failures_most;           /* in a row; then the model is not well */
    uint32_t pause_ms, pause_most_ms; /* between probes */
    unsigned connections;             /* opened at the start */
    uint32_t keep_warm_ms; /* one is opened anew after so long without a request; 0: no */
} side_opts_t;

typedef struct side side_t;

/* Takes the model. Opens connections at once. Never NULL. */
side_t *side_new(const exchange_world_t *world, model_t **model_p, const side_opts_t *opts);
void side_destroy(side_t **self_p);

const model_t *side_model(const side_t *self);
llm_meter_t *side_meter(const side_t *self);
bool side_well(const side_t *self);

void side_asked(side_t *self);                               /* a request goes out */
void side_answered(side_t *self, const exchange_end_t *end); /* and ended so */

#endif
