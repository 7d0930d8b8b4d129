/* identity.h - who calls: E.164 numbers in SIP identities.
 *
 * A number is E.164 by its syntax, ^\+[1-9][0-9]{6,14}$; nothing is guessed ("00" stays "00").
 * Threads: none of its own. Sources: RFC 3261 (user part), RFC 3325 (P-Asserted-Identity),
 * RFC 3966 (tel: URI).
 */
#ifndef PL_TELEPHONY_IDENTITY_H
#define PL_TELEPHONY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

enum { IDENTITY_BYTES = 17 }; /* "+", 15 digits and NUL */

bool identity_is_number(const char *text);

/* Takes the number out of a URI's user part: "+15551234567", "%2B1555...", or with parameters
 * (";phone-context="). Returns false, with out "", when it is not a number. */
bool identity_from_user(const char *user, size_t bytes, char out[IDENTITY_BYTES]);

/* Takes the number out of a header's value: "Name" <sip:+1555...@host>;tag=..., tel:+1555... */
bool identity_from_header(const char *value, size_t bytes, char out[IDENTITY_BYTES]);

#endif
