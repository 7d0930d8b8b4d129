/* phone_number.h - telephone numbers as clients write them, brought to E.164.
 *
 * Accepted is a plus, a digit from 1 to 9 and 6 to 14 more; spaces, dots, hyphens and parentheses
 * between them are dropped. Numbering plans are not consulted: whether a number exists is for the
 * carrier to say.
 *
 * Threads: none; pure. Source: ITU-T E.164, section 6.
 */
#ifndef GATEWAY_PHONE_NUMBER_H
#define GATEWAY_PHONE_NUMBER_H

#include <stdbool.h>

enum { PHONE_NUMBER_BYTES = 17 }; /* plus, 15 digits, NUL */

/* False when text is no such number; out is untouched then. */
bool phone_number_parse(const char *text, char out[PHONE_NUMBER_BYTES]);

/* The same for look-ups (queries, paths), where a plus may have become a space or been left out,
 * and where "anonymous" names the callers who show no number. */
bool phone_number_lookup(const char *text, char out[PHONE_NUMBER_BYTES]);

/* Is it a UUID in its usual form? */
bool call_id_valid(const char *text);

#endif
