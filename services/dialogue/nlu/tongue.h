/* tongue.h - languages as callers and models name them.
 *
 * A language of a call is named by its English names (the configuration's pronunciations_en), by its
 * own name ("français", "中文"), or by its code. Where a text names several, the longest name counts,
 * so that "en español" is Spanish and not "EN". Names of one or two letters count only alone.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_TONGUE_H
#define DIALOGUE_NLU_TONGUE_H

#include <stdbool.h>

#include "call.pb-c.h"

enum { TONGUE_NONE = -1 };

/* Which of the call's languages an utterance names: its index in lang_available, TONGUE_NONE. */
int tongue_named(const Pl__Initiate *initiate, const char *text);
/* The same of an argument: a code in any case ("fr-fr", "fr_FR"), a bare language ("fr"), a name. */
int tongue_meant(const Pl__Initiate *initiate, const char *text);
/* Does the utterance ask for another language ("can we speak French", "parlez-vous anglais")? */
bool tongue_asked(const char *text);

/* A language's name in itself: "français"; NULL when we do not know it. */
const char *tongue_own_name(const char *code);
/* Do two codes mean the same language, whatever the country? */
bool tongue_same(const char *a, const char *b);

#endif
