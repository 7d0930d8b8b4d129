/* endpoint.h - how long a silence ends the caller's utterance.
 *
 * From 150 ms where the expected answer is whole, by the pauses this caller makes where it may be,
 * up to the configured time where nothing speaks for it; longer only where it plainly is not.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_ENDPOINT_H
#define PL_SPEECH_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "services/speech/completeness.h"

enum {
    ENDPOINT_LEAST_MS = 150,
    ENDPOINT_SENTENCE_MS = 300, /* after a sentence, while the caller's pauses are not known */
    ENDPOINT_OPEN_MS = 300,     /* at least, where it could go on */
    ENDPOINT_MORE_MS = 600,     /* people pause that long between groups of digits */
    ENDPOINT_PAUSES = 3,        /* so many tell how a caller pauses */
};

/* The caller's pauses within utterances: mean and mean deviation, recent ones weigh more. */
typedef struct {
    uint32_t mean_ms, spread_ms, count;
} pauses_t;

void pauses_add(pauses_t *self, uint32_t ms);

/* covered: the words are those of all that was said. Not covered, they may still tell that it is
 * unfinished. most_ms: the configured time. */
uint32_t endpoint_ms(completeness_t kind, bool covered, Pl__Expect expect, const pauses_t *pauses,
                     uint32_t most_ms);

#endif
