/* zone.h - the wall clock in the zone of the callers.
 *
 * The zone is the process's TZ, set once in main before any thread exists; reading it afterwards
 * is thread-safe (localtime_r looks at TZ only, which nobody changes).
 */
#ifndef DIALOGUE_ZONE_H
#define DIALOGUE_ZONE_H

#include "common/err.h"
#include "services/dialogue/nlu/civil.h"

/* PL_INVALID: no such zone in the system's zone data; nothing changed. */
pl_err_t zone_set(const char *name);
civil_t zone_civil(int64_t wall_ms);

#endif
