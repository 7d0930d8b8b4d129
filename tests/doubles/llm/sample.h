/* sample.h - a value that fits a JSON schema: what a model under structured output would write if
 * it had nothing to say.
 *
 * Threads: none; pure. Knows type, properties, required, items, minItems, enum, const, default,
 * anyOf, oneOf, minimum, minLength and the formats date-time and email; no references.
 */
#ifndef DOUBLE_SAMPLE_H
#define DOUBLE_SAMPLE_H

#include <cjson/cJSON.h>

cJSON *sample_of(const cJSON *schema); /* never NULL; the caller deletes it */

#endif
