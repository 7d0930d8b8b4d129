/* postcall.h - the end of a call: the work it leaves to be done, and what a conversation came to,
 * without a model: synthesis and next action by rule.
 *
 * The work is jobs, put in the same write as the end of the call, so that it cannot be lost; any
 * dialogue instance does it (work/). A call that is taken up again and ends once more has its jobs
 * done once more, on the whole of it.
 *
 * Rules of the next action: fields are missing and the caller said something -> the customer will
 * send info; all fields filled, or none to fill -> requires expertise (a colleague works on it).
 * Satisfaction: high when all is filled and confirmed; partial when more than half is filled; low
 * when less is, or when the caller asked for a human who was not there; unknow when nothing was
 * asked or the caller said nothing.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_POSTCALL_H
#define DIALOGUE_POSTCALL_H

#include <stdbool.h>

#include "call.pb-c.h"
#include "services/dialogue/effects.h"

enum { POSTCALL_ATTEMPTS = 10 }; /* of a job: the last some twenty minutes after the first */

/* Did the caller say anything, ever? */
bool postcall_interaction(const Pl__CallRecord *record);
/* Did the caller say anything since the call began, or was taken up again? */
bool postcall_worth(const Pl__CallRecord *record);

/* Ends the record: how the leg ended (applied to record, asked to be stored), and, unless the leg was
 * never answered, the jobs. */
void postcall_end(Pl__CallRecord *record, Pl__LegEnd end, const char *detail, bool answered,
                  effects_t *fx);
/* The jobs alone; none when it was not worth it. */
void postcall_jobs(const Pl__CallRecord *record, effects_t *fx);

/* By rule, from the whole record. Never NULL; to be freed as what was unpacked. */
Pl__Synthesis *postcall_synthesis(const Pl__CallRecord *record);
Pl__Next *postcall_next(const Pl__CallRecord *record);

#endif
