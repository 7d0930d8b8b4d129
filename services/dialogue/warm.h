/* warm.h - tells a speech instance that has come up what will be said to every caller, so that it
 * is synthesised before it is.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_WARM_H
#define DIALOGUE_WARM_H

#include "services/dialogue/prompts.h"
#include "speech.pb-c.h"

/* The fixed sentences in the languages and voices of defaults, its bot's and company's names filled
 * in. Free with pl__phrases_warm__free_unpacked. */
Pl__PhrasesWarm *warm_phrases(const prompts_t *prompts, const Pl__Initiate *defaults);

#endif
