/* llm_meter.h - what is counted of a model: requests by outcome, tokens, the first piece's delay.
 *
 * Threads: any; made before threads start.
 */
#ifndef DIALOGUE_LLM_METER_H
#define DIALOGUE_LLM_METER_H

#include "services/dialogue/llm/exchange.h"
#include "services/dialogue/llm/model.h"

typedef struct llm_meter llm_meter_t;

llm_meter_t *llm_meter_new(const model_t *model); /* never NULL */
void llm_meter_destroy(llm_meter_t **self_p);

void llm_meter_end(llm_meter_t *self, const exchange_end_t *end); /* of one try */
void llm_meter_cancelled(llm_meter_t *self);
void llm_meter_retry(llm_meter_t *self);    /* the same model is asked again */
void llm_meter_fallback(llm_meter_t *self); /* it stands in for the other */
void llm_meter_well(llm_meter_t *self, bool well);

#endif
