/* calls.h - the live calls of this process by id.
 * Threads: none; belongs to the loop's thread.
 */
#ifndef DIALOGUE_CALLS_H
#define DIALOGUE_CALLS_H

#include <stddef.h>

#include "services/dialogue/actor.h"

typedef struct calls calls_t;

calls_t *calls_new(void);
void calls_destroy(calls_t **self_p); /* destroys the actors too */

void calls_add(calls_t *self, actor_t *actor);
/* The actor is found by that id too, until it is removed. */
void calls_alias(calls_t *self, actor_t *actor, const char *call_id);
actor_t *calls_find(const calls_t *self, const char *call_id); /* NULL when unknown */
/* Takes it out, with its aliases, and destroys it. */
void calls_remove(calls_t *self, actor_t *actor);
size_t calls_count(const calls_t *self);
/* Calls fn for each; fn may not add or remove. */
void calls_each(const calls_t *self, void (*fn)(void *arg, actor_t *actor), void *arg);

#endif
