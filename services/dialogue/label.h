/* label.h - what to call a claim's field when speaking of it, from its description or name.
 *
 * "building_location" -> "building location"; "Hardware info of the user" -> "your hardware info";
 * "policyholder_phone" -> "phone number".
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_LABEL_H
#define DIALOGUE_LABEL_H

#include <stdbool.h>
#include <stddef.h>

#include "call.pb-c.h"

enum { LABEL_BYTES = 160 };

/* Without determiner: "building location", as for a recap. Returns out. */
char *label_bare(const Pl__ClaimField *field, char out[LABEL_BYTES]);
/* With one: "the building location", "your name". Returns out. */
char *label_full(const Pl__ClaimField *field, char out[LABEL_BYTES]);
/* Is the label something that happened rather than a thing ("first seen")? */
bool label_is_event(const char *bare);
/* The description when it is a whole question or request by itself, NULL otherwise. */
const char *label_question(const Pl__ClaimField *field);
/* Does the moment it names lie ahead ("appointment date")? */
bool label_is_future(const Pl__ClaimField *field);

#endif
