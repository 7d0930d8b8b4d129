/* schema.h - JSON Schema, the part of it that tools and structured answers need.
 *
 * Understood: type (one or a list), properties, required, additionalProperties (true or false),
 * items (one schema), enum, minItems, maxItems, minLength, maxLength (in characters), minimum,
 * maximum. Said along and not checked: title, description, default, examples, $schema, $comment.
 * Any other keyword is refused by schema_valid, so that nobody believes in a check that is not made.
 *
 * Threads: none; values only. Source: JSON Schema 2020-12, core and validation vocabularies.
 */
#ifndef DIALOGUE_SCHEMA_H
#define DIALOGUE_SCHEMA_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/err.h"

enum { SCHEMA_DEPTH_MAX = 16, SCHEMA_REASON_BYTES = 256 };

/* Is it a schema that we understand? On PL_INVALID reason names the place and the keyword. */
pl_err_t schema_valid(const cJSON *schema, char reason[SCHEMA_REASON_BYTES]);

/* Does value fit? schema has passed schema_valid. On PL_INVALID reason names the first place that
 * does not and why: "updates[2].field is missing". */
pl_err_t schema_check(const cJSON *schema, const cJSON *value, char reason[SCHEMA_REASON_BYTES]);

#endif
