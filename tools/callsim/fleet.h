/* fleet.h - many callers: starts them at a rate, bounds how many talk at once, ticks them all by one
 * absolute 20 ms clock, and sums up.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_FLEET_H
#define CALLSIM_FLEET_H

#include <cjson/cJSON.h>

#include "tools/callsim/options.h"
#include "tools/callsim/scenario.h"

/* Runs all callers to their end on a loop of its own and returns the report; *failed_out is how many
 * did not complete. NULL when it could not start, having said why. SIGTERM and SIGINT hang up; a
 * second one ends at once. */
cJSON *fleet_run(const options_t *options, const scenario_t *scenario, unsigned *failed_out);

#endif
