/* recognition.h - one call's utterances to text, by recognisers that may fail.
 *
 * Keeps an utterance's audio until its text is known: when a recogniser fails or is past its
 * deadline, the next one (or, where there is only one, a new stream of it) gets the audio from the
 * beginning, in mid-utterance too. Texts come in the order of the utterances, whoever found them.
 * Hedging asks a second recogniser beside the first when that is past its own 95th percentile.
 *
 * Threads: the loop's. Callbacks never run inside a call.
 */
#ifndef PL_SPEECH_RECOGNITION_H
#define PL_SPEECH_RECOGNITION_H

#include <stddef.h>
#include <stdint.h>

#include "services/speech/recognisers.h"

enum { RECOGNITION_TRIES = 4 /* of an utterance, in all */ };

typedef struct recognition recognition_t;

typedef struct {
    void (*partial)(void *arg, const char *text,
                    size_t samples); /* of the oldest without a final */
    /* Once for each end. Nobody could tell: the last words known, or "". */
    void (*final)(void *arg, const char *text, double confidence);
    void *arg;
} recognition_sink_t;

recognition_t *recognition_new(recognisers_t *recognisers, const recognition_sink_t *sink);
void recognition_destroy(recognition_t **self_p); /* no callback after it */

/* As in stt.h. begin starts an utterance; what is not begun is not fed. */
void recognition_begin(recognition_t *self, Pl__Expect expect, const char *lang);
void recognition_narrow(recognition_t *self, bool narrow); /* from the next utterance on */
void recognition_feed(recognition_t *self, const int16_t *pcm, size_t samples);
void recognition_pause(recognition_t *self);
void recognition_end(recognition_t *self);
void recognition_drop(recognition_t *self);

#endif
