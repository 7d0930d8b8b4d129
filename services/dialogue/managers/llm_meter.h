/* llm_meter.h - what the language model's manager counts: how long callers wait for a first sentence,
 * by who answered, and what went otherwise than planned.
 *
 * parley_dialogue_first_sentence_seconds is a histogram: from the final transcript to the first
 * sentence handed to speech.
 *
 * Threads: those of one process's loops, one at a time.
 */
#ifndef DIALOGUE_LLM_METER_H
#define DIALOGUE_LLM_METER_H

#include <stdint.h>

typedef enum {
    ANSWERED_MODEL,
    ANSWERED_SPECULATED, /* by the model, which began on a transcript not yet final */
    ANSWERED_SCRIPT,     /* no model was there */
    ANSWERED_FILTERED,   /* a content filter refused */
    ANSWERED_PROMPT,     /* a fixed sentence: the welcome, not understood, an apology */
    ANSWERED_COUNT,
} answered_t;

typedef enum {
    METER_PASSES,    /* requests to a model for an answer */
    METER_TAKEOVERS, /* the script took a call over */
    METER_HANDBACKS, /* and gave it back */
    METER_FILTERED,  /* answers that a content filter refused or stopped */
    METER_BROKEN,    /* answers that broke off after their first words */
    METER_EMPTY,     /* answers without a word */
    METER_GUESSES,   /* answers begun on a transcript not yet final */
    METER_GUESSED,   /* of them, those that were used */
    METER_SUMMARIES, /* of long calls */
    METER_COUNT,
} meter_t;

void meter_make(void); /* before the others; again is fine */
void meter_first(answered_t by, uint64_t us);
void meter_add(meter_t what);
void meter_saved(uint64_t us); /* by an answer that was begun earlier */

#endif
