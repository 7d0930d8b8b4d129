/* listener.h - understands the bot: a PocketSphinx decoder on a thread of its own, fed as it talks.
 *
 * Threads: call from the loop's thread; words come there.
 */
#ifndef CALLSIM_LISTENER_H
#define CALLSIM_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

typedef struct listener listener_t;

/* words: of one utterance, lower case, maybe ""; borrowed until it returns. */
typedef void listener_words_fn(void *arg, const char *words);
/* ready is called once, when the decoder is made (a few hundred ms) or could not be. */
typedef void listener_ready_fn(void *arg, pl_err_t err);

listener_t *listener_new(pl_loop_t *loop, listener_ready_fn *ready, listener_words_fn *words,
                         void *arg);        /* never NULL */
void listener_destroy(listener_t **self_p); /* nobody is called back after it */

/* The utterance goes on; copied. Bounded to 30 s not yet decoded, then the newest is dropped. */
void listener_feed(listener_t *self, const int16_t *pcm, size_t samples);
void listener_end(listener_t *self); /* it is over: its words come */

#endif
