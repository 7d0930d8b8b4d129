/* uuid.h - random identifiers, from the system's secure source.
 * Threads: any.
 */
#ifndef DIALOGUE_UUID_H
#define DIALOGUE_UUID_H

#include <stdint.h>

enum { UUID_BYTES = 37 };

/* A UUID of version 4. Returns out. Source: RFC 9562. */
char *uuid_draw(char out[UUID_BYTES]);
/* From 0 to below limit. */
uint32_t uuid_random(uint32_t limit);

#endif
