/* demo_result.h - prints what came of a demo's call.
 *
 * Threads: the main one.
 */
#ifndef PARLEY_DEMO_RESULT_H
#define PARLEY_DEMO_RESULT_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "tools/callsim/scenario.h"

/* Prints claim, synthesis, next action. Returns true when every field holds what the customer
 * said. call: the answer of GET /call/{id}. */
bool demo_result_print(const scenario_t *scenario, const cJSON *call);

/* Prints what callsim measured, from its report. Returns true when its customer came to the end of
 * the scenario; otherwise it has said why not. */
bool demo_result_customer(const char *report_file);

#endif
