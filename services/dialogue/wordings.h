/* wordings.h - the built-in wordings of the fixed sentences, a file a language in wordings/.
 *
 * English, French, German, Spanish and Chinese have every sentence; some more languages have the
 * language menu's, which a caller hears before they have chosen one.
 *
 * Threads: read-only, so any.
 */
#ifndef DIALOGUE_WORDINGS_H
#define DIALOGUE_WORDINGS_H

#include "services/dialogue/prompts.h"

enum { WORDINGS_BUILT_IN = 4 };

/* Of one sentence; unused places are NULL, and a language without the sentence has none. */
typedef struct {
    const char *texts[WORDINGS_BUILT_IN];
} wording_t;

extern const wording_t wordings_en[PROMPT_COUNT];
extern const wording_t wordings_fr[PROMPT_COUNT];
extern const wording_t wordings_de[PROMPT_COUNT];
extern const wording_t wordings_es[PROMPT_COUNT];
extern const wording_t wordings_zh[PROMPT_COUNT];

/* lang is a short code ("de-DE"); NULL: the language lacks the sentence. */
const wording_t *wordings_find(const char *lang, prompt_t id);
/* Codes of the languages that have every sentence, English first; NULL-terminated. */
const char *const *wordings_langs(void);

#endif
