/* insight_json.h - a model's answers about a call: their schemas, and what they become.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_WORK_INSIGHT_JSON_H
#define DIALOGUE_WORK_INSIGHT_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "call.pb-c.h"
#include "services/dialogue/schema.h"

extern const char insight_synthesis_schema[], insight_next_schema[];

/* Of an answer that fits the schema: what that cannot tell. On false reason says what is wrong. */
bool insight_synthesis_check(const cJSON *answer, char reason[SCHEMA_REASON_BYTES]);
bool insight_next_check(const cJSON *answer, char reason[SCHEMA_REASON_BYTES]);

/* Of an answer that was found right; texts are borrowed from it. */
void insight_synthesis(const cJSON *answer, Pl__Synthesis *out);
void insight_next(const cJSON *answer, Pl__Next *out);

#endif
