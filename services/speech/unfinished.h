/* unfinished.h - how much longer to wait for a caller whose answer is plainly not complete.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_UNFINISHED_H
#define PL_SPEECH_UNFINISHED_H

#include <stdint.h>

#include "speech.pb-c.h"

enum { UNFINISHED_MS = 600 }; /* people pause that long between groups of digits */

/* text: the words so far. 0 or UNFINISHED_MS. */
uint32_t unfinished_ms(const char *text, Pl__Expect expect);

#endif
