/* body.h - the file with the JSON of POST /call.
 *
 * Threads: none; blocks on the file.
 */
#ifndef CALLSIM_BODY_H
#define CALLSIM_BODY_H

#include <stdint.h>

/* Its text, to be freed; NULL after a complaint: unreadable, over 1 MiB, or not a JSON object. */
char *body_read(const char *file);

/* A copy with the placeholders {n}, {n4}, {s4} (scenario.h) filled in for caller n; to be freed. */
char *body_fill(const char *body, uint32_t n);

#endif
