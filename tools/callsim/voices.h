/* voices.h - what callers say, synthesised before it is needed, on a thread of its own.
 *
 * The same words in the same voice are synthesised once, so that a load of many callers costs
 * little. Threads: call from the loop's thread; callbacks come there.
 */
#ifndef CALLSIM_VOICES_H
#define CALLSIM_VOICES_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

typedef struct voices voices_t;

typedef struct {
    const int16_t *pcm; /* 16 kHz; owned by voices until it is destroyed */
    size_t samples;     /* 0: there was nothing to say */
} line_audio_t;

voices_t *voices_new(pl_loop_t *loop); /* never NULL */
/* Waits for the synthesis under way; open requests are not called back. */
void voices_destroy(voices_t **self_p);

/* done is called once, with lines in the order of texts (borrowed until it returns), or with the
 * error of the first one that could not be said. NULL texts stay empty. Copies its arguments. */
typedef void voices_done_fn(void *arg, pl_err_t err, const line_audio_t *lines);
void voices_say(voices_t *self, const char *voice, double rate, const char *const *texts,
                size_t count, voices_done_fn *done, void *arg);

#endif
