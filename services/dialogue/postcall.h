/* postcall.h - what a conversation came to, without a model: synthesis and next action by rule.
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

/* Did the caller say anything? A leg that was answered and hung up in silence did not. */
bool postcall_interaction(const Pl__CallRecord *record);

/* Ends the record: how the leg ended and, after an interaction, synthesis and next action. Each
 * change is applied to record and asked to be stored. */
void postcall_end(Pl__CallRecord *record, Pl__LegEnd end, const char *detail, effects_t *fx);

#endif
