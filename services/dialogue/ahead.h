/* ahead.h - legs answered on a speech process that is not seen here yet.
 *
 * Telephony may see a speech process sooner than dialogue does, when one of the two has just started.
 * The call is answered all the same, without a stream, and learns of the stream when that process
 * comes up.
 *
 * Threads: the loop's.
 */
#ifndef DIALOGUE_AHEAD_H
#define DIALOGUE_AHEAD_H

#include "envelope.pb-c.h"

typedef struct ahead ahead_t;

ahead_t *ahead_new(void); /* never NULL */
void ahead_destroy(ahead_t **self_p);

/* Keeps a copy of the LegAnswered, in place of a former one of that call. */
void ahead_keep(ahead_t *self, const Pl__Envelope *env);
void ahead_drop(ahead_t *self, const char *call_id); /* the call is over */
/* The oldest that waits for this speech instance, the caller's to free; NULL: none. */
Pl__Envelope *ahead_take(ahead_t *self, const char *instance);

#endif
