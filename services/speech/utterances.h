/* utterances.h - what was told to a call's owner lately: told once more to the next owner.
 *
 * Each utterance gets an id that no other has, by which an owner knows what it has noted already.
 *
 * Threads: none. Time is an argument, in monotonic ms.
 */
#ifndef PL_SPEECH_UTTERANCES_H
#define PL_SPEECH_UTTERANCES_H

#include <stddef.h>
#include <stdint.h>

#include "speech.pb-c.h"

typedef struct utterances utterances_t;

enum { UTTERANCES_MAX = 8, UTTERANCES_LIFE_MS = 30000 };

utterances_t *utterances_new(void); /* never NULL */
void utterances_destroy(utterances_t **self_p);

/* Gives it its id and keeps a copy, unless it has no words. The oldest gives way. */
void utterances_keep(utterances_t *self, uint64_t now_ms, Pl__Utterance *utterance);

/* Those of the last UTTERANCES_LIFE_MS, oldest first; borrowed until the next call. */
Pl__Utterance *const *utterances_recent(utterances_t *self, uint64_t now_ms, size_t *count);

#endif
