/* routes.h - the double's routes: those of tests/doubles/llm/server.h, answered with audio.
 *
 * Threads: none; one exchange after the other.
 */
#ifndef DOUBLE_SPEECH_ROUTES_H
#define DOUBLE_SPEECH_ROUTES_H

#include "tests/doubles/llm/routes.h"

/* api_key "" or NULL: any. marked: what is said after that word is a mark under the voice; NULL: none.
 * Borrows all three. Destroy with routes_destroy. */
routes_t *speech_routes_new(journal_t *journal, const char *api_key, const char *marked);

#endif
