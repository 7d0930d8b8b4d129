/* held.h - what reaches outside and cannot be taken back (an SMS, a request to an integrator's server),
 * until the store has acknowledged that it was asked for.
 *
 * A process that is lost after it has done such a thing has then always left word of it, and whoever
 * goes on with the call does not do it again. Where the store does not answer, it is not done.
 *
 * Threads: none. Time is an argument, in monotonic ms.
 */
#ifndef DIALOGUE_HELD_H
#define DIALOGUE_HELD_H

#include "services/dialogue/effects.h"

typedef struct held held_t;

enum { HELD_MS = 3000 }; /* so long at most */

held_t *held_new(void); /* never NULL */
void held_destroy(held_t **self_p);

bool held_wants(const effect_t *effect);
/* Takes *effect_p. */
void held_add(held_t *self, effect_t **effect_p, uint64_t now_ms);
/* The oldest, which is the caller's; NULL: none. */
effect_t *held_take(held_t *self);
/* The same, when its time is over. */
effect_t *held_take_late(held_t *self, uint64_t now_ms);
uint64_t held_due_ms(const held_t *self); /* UINT64_MAX: nothing is held */

#endif
