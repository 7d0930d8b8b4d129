/* question_key.h - what an answer depends on, as one text: the key it is kept under.
 *
 * Letter case, punctuation and blanks of the texts are left out: a partial transcript and the final
 * one often differ in nothing else. (Only of ASCII letters: others may mean something.)
 *
 * Pure; no threads.
 */
#ifndef RAG_QUESTION_KEY_H
#define RAG_QUESTION_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "services/rag/searcher.h"

/* version: of the index; 0: whichever. free() it. */
char *question_key(const search_t *search, uint64_t version);

/* Of one text alone, in no language; free() it. */
char *question_text_key(const char *text);

#endif
