/* office.h - the part of dialogue that works after calls and between them: the worker with all kinds
 * of work it knows, set up from the configuration (dialogue.jobs.*).
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_OFFICE_H
#define DIALOGUE_WORK_OFFICE_H

#include "common/bus.h"
#include "common/config.h"
#include "common/loop.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/instructions.h"
#include "services/dialogue/work/work.h"

typedef struct office office_t;

/* Handles JobReady of the bus. llm may be NULL; instructions are borrowed. idle is called once a draining office has nothing
 * left to do, never from within a call of its functions. Before the bus runs. PL_INVALID: a setting
 * is wrong; said on standard error. */
pl_err_t office_new(office_t **out, pl_loop_t *loop, pl_bus_t *bus, const pl_config_t *cfg,
                    llm_t *llm, const instructions_t *instructions, void (*idle)(void *arg),
                    void *arg);
void office_destroy(office_t **self_p); /* NULL is fine; before the bus and the model */

/* How calls out are begun; before the first office_wake. */
void office_calls_out(office_t *self, work_call_out_fn *call_out, void *arg);

void office_wake(office_t *self);  /* persistence is up, or a call has left work */
void office_drain(office_t *self); /* gives back what is under way; then idle */

#endif
