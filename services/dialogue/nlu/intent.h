/* intent.h - what the caller wants besides answering: yes, no, goodbye, a human, again, slower...
 *
 * Wishes are looked for in short utterances or in fixed forms, so that an answer that merely holds
 * such a word ("the agent license expired") is not taken for one.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_INTENT_H
#define DIALOGUE_NLU_INTENT_H

#include "services/dialogue/nlu/words.h"

typedef enum {
    INTENT_NONE,
    INTENT_GOODBYE, /* ends the call */
    INTENT_DONE,    /* "that's all", "nothing else": ends it when all is asked */
    INTENT_HUMAN,
    INTENT_REPEAT,
    INTENT_SLOWER,
    INTENT_FASTER,
    INTENT_WAIT,
    INTENT_SKIP, /* does not know, or will not say */
} intent_t;

typedef enum { POLARITY_NONE, POLARITY_YES, POLARITY_NO } polarity_t;

/* lang is a short code; what a language lacks falls back to English. */
intent_t intent_of(const words_t *w, const char *lang);

/* Yes or no at the beginning; *used is how many words say it, so that "no it was ten" leaves
 * "it was ten". */
polarity_t intent_polarity(const words_t *w, const char *lang, size_t *used);

/* "actually", "i mean", "sorry", "make that" at the beginning: the words used, 0 when none. */
size_t intent_correction(const words_t *w);
/* "change the ...", "... is wrong", "correct the ...": wants to change something said before. */
bool intent_change(const words_t *w);
/* Is it a question put to us? */
bool intent_question(const words_t *w);
/* Nothing but "mhm", "okay": listening along, not taking the floor. */
bool intent_backchannel(const words_t *w);
/* "this number", "the number i am calling from" */
bool intent_same_number(const words_t *w);

const char *intent_name(intent_t intent);

#endif
