/* base64.h - RFC 4648, both alphabets: "+/" with padding, and "-_" with or without it.
 *
 * Strict: no blanks, no other characters, no bits left over, padding only at the end.
 * Threads: none; pure.
 */
#ifndef PL_TELEPHONY_BASE64_H
#define PL_TELEPHONY_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_CHARS(bytes) (((bytes) + 2) / 3 * 4)

/* Writes BASE64_CHARS(bytes) characters and NUL; returns their number. */
size_t base64_encode(const void *bytes, size_t count, char *out);

/* False: malformed, or longer than max_bytes; *count is then 0 and out may be half written. */
bool base64_decode(const char *text, size_t chars, uint8_t *out, size_t max_bytes, size_t *count);
bool base64_url_decode(const char *text, size_t chars, uint8_t *out, size_t max_bytes,
                       size_t *count);

#endif
