/* owner.h - a leg whose owner is silent: it is offered to other instances, and so is its end.
 *
 * An offer goes to the least loaded live dialogue instance but the silent one, or to that one when
 * there is no other. What comes of it is the event LEG_ON_ADOPTED or LEG_ON_NOT_ADOPTED. The end of a
 * leg that nobody owns is told to instances until one has taken it, for five minutes.
 *
 * Threads: the control thread.
 */
#ifndef PL_TELEPHONY_OWNER_H
#define PL_TELEPHONY_OWNER_H

#include "services/telephony/switchboard.h"

void owner_offer(switchboard_t *board, leg_entry_t *entry);
void owner_hold(switchboard_t *board, const leg_entry_t *entry);
/* ended is borrowed. */
void owner_tell_ended(switchboard_t *board, const leg_entry_t *entry, const Pl__LegEnded *ended);
/* To be called from the bus's peer handler: a dialogue instance that has gone, or was restarted,
 * leaves its legs orphans. */
void owner_peer(switchboard_t *board, const pl_peer_t *peer);
/* An instance of that service owns the leg from now on, if epoch is not older than what is known. */
bool owner_set(switchboard_t *board, leg_entry_t *entry, const char *owner, uint32_t epoch);
/* Who sent env says to own the leg and does not. */
void owner_tell_lost(switchboard_t *board, const leg_entry_t *entry, const Pl__Envelope *env);

/* Those who wait with an end to be told; forgotten with the switchboard. */
typedef struct owner_end owner_end_t;
void owner_ends_free(switchboard_t *board);

#endif
