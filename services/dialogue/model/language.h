/* language.h - what a language is called in English, for models.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MODEL_LANGUAGE_H
#define DIALOGUE_MODEL_LANGUAGE_H

#include "call.pb-c.h"

/* "French", for "fr-FR": as the call's languages name it, else by the code; the code itself when
 * nobody knows. Borrowed. */
const char *language_name(const Pl__CallRecord *record, const char *lang);
/* The same by the code alone. */
const char *language_of(const char *lang);

#endif
