/* expectation.h - what kind of answer does a question ask for? A recogniser that knows it hears better.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MODEL_EXPECTATION_H
#define DIALOGUE_MODEL_EXPECTATION_H

#include "speech.pb-c.h"

/* text is the last sentence said. Questions in English are understood; all else is ANYTHING. */
Pl__Expect expectation_of(const char *text, const char *lang);

#endif
