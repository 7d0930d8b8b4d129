/* completeness.h - how finished an utterance looks by its words so far.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_COMPLETENESS_H
#define PL_SPEECH_COMPLETENESS_H

#include "speech.pb-c.h"

typedef enum {
    COMPLETE_NOTHING,  /* no words */
    COMPLETE_OPEN,     /* could go on, could be all */
    COMPLETE_SENTENCE, /* ends like a sentence */
    COMPLETE_ANSWER,   /* the expected kind of answer, whole */
    COMPLETE_NOT,      /* plainly unfinished: "zero six", "my laptop and", a word being spelled */
} completeness_t;

/* lang is a short code; words of en, fr, es, de and zh are known, of others English ones. */
completeness_t completeness(const char *text, const char *lang, Pl__Expect expect);

#endif
