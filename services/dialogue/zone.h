/* zone.h - the wall clock in the zone of the callers.
 *
 * The zone is the process's TZ, set once in main before any thread exists; reading it afterwards
 * is thread-safe (localtime_r looks at TZ only, which nobody changes).
 */
#ifndef DIALOGUE_ZONE_H
#define DIALOGUE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "services/dialogue/nlu/civil.h"

/* PL_INVALID: no such zone in the system's zone data; nothing changed. */
pl_err_t zone_set(const char *name);
civil_t zone_civil(int64_t wall_ms);
/* The other way round. Of an hour that comes twice it is one of the two; one that is left out is an
 * hour later. */
int64_t zone_wall_ms(const civil_t *at);
/* An ISO 8601 moment: with "Z" or an offset that one, else in the zone; a date alone is 9 o'clock.
 * False: it is none. */
bool zone_moment(const char *text, int64_t *wall_ms);

#endif
