/* bus_side.h - what other services ask of legs: dial, hang up, transfer, keys, tickets.
 *
 * Threads: the control thread.
 */
#ifndef PL_TELEPHONY_BUS_SIDE_H
#define PL_TELEPHONY_BUS_SIDE_H

#include "services/telephony/switchboard.h"

void bus_side_init(switchboard_t *board); /* sets the bus's handlers */

#endif
