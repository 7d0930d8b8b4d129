/* signature.h - signs what is sent to an integrator's server, so that it can tell us from others.
 *
 * HMAC-SHA256 with the secret both sides know, over the decimal Unix time in seconds, a dot and the
 * body, as lower-case hexadecimal digits. How to check it: docs/webhooks.md.
 *
 * Threads: any; pure. Source: RFC 2104, FIPS 180-4.
 */
#ifndef DIALOGUE_SIGNATURE_H
#define DIALOGUE_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_BYTES = 65, SIGNATURE_SECRET_MIN = 16 };

#define SIGNATURE_TIME_HEADER "Parley-Timestamp"
#define SIGNATURE_EVENT_HEADER "Parley-Event-Id" /* the same when a request is repeated */
#define SIGNATURE_HEADER "Parley-Signature"      /* "v1=" and the digits */

/* Returns out. */
char *signature_of(const char *secret, int64_t unix_s, const char *body, size_t bytes,
                   char out[SIGNATURE_BYTES]);

#endif
