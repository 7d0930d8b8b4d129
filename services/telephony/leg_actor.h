/* leg_actor.h - drives a leg: hands an event to its machine and does what the machine asks for.
 *
 * Threads: the control thread.
 */
#ifndef PL_TELEPHONY_LEG_ACTOR_H
#define PL_TELEPHONY_LEG_ACTOR_H

#include "services/telephony/switchboard.h"

void leg_actor_start(switchboard_t *board, leg_entry_t *entry, bool outbound,
                     const leg_limits_t *limits);
/* Whether the far end holds the call, to its owner. */
void leg_actor_tell_held(switchboard_t *board, const leg_entry_t *entry);

/* Answers LegMove, once stream and recording are the new call's. */
void leg_actor_moved(switchboard_t *board, leg_entry_t *entry);

/* entry may be gone when it returns. */
void leg_actor_event(switchboard_t *board, leg_entry_t *entry, const leg_event_t *event);

/* Tells an owner that a leg it thinks it has is over: it crossed, or we were restarted. from: what it
 * sent, with its name and epoch. */
void leg_actor_tell_none(switchboard_t *board, const Pl__Envelope *from, const char *call_id,
                         Pl__LegEnd end, const char *detail);

#endif
