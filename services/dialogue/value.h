/* value.h - is a text a valid value of a claim field's type? Whoever proposes it (the script, a
 * model, a client), it passes here before it is stored.
 * Threads: none; values only.
 */
#ifndef DIALOGUE_VALUE_H
#define DIALOGUE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "call.pb-c.h"
#include "common/err.h"

enum { VALUE_BYTES = 2048 };

/* Writes the canonical form: trimmed text; ISO 8601 with "T"; E.164 without spaces; a lower-case
 * address. PL_INVALID leaves out alone and puts a clause for people into reason. */
pl_err_t value_check(Pl__ClaimType type, const char *text, char out[VALUE_BYTES],
                     const char **reason);

const char *value_type_name(Pl__ClaimType type); /* "phone_number" */

/* Copies what fits, cut at a character's border. Returns out. */
char *value_copy(char *out, size_t bytes, const char *text);

/* Makes it plain: each byte that is not becomes a question mark. Returns text. */
char *value_scrub(char *text);

/* No control characters besides newline and tab, valid UTF-8. */
bool value_is_plain(const char *text);

#endif
