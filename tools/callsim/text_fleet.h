/* text_fleet.h - many callers by text: starts them at a rate, bounds how many talk at once, and
 * sums up how soon they were answered.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_TEXT_FLEET_H
#define CALLSIM_TEXT_FLEET_H

#include <cjson/cJSON.h>

#include "tools/callsim/options.h"
#include "tools/callsim/scenario.h"

/* As fleet_run: runs all callers to their end and returns the report; *failed_out is how many did
 * not complete. NULL when it could not start, having said why. */
cJSON *text_fleet_run(const options_t *options, const scenario_t *scenario, unsigned *failed_out);

#endif
