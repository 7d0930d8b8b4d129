/* spelling.h - letters said one by one: "j o h n", "a as in alpha", "double t", "juliet oscar".
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_SPELLING_H
#define DIALOGUE_NLU_SPELLING_H

#include "services/dialogue/nlu/words.h"

/* One or two letters said at word i, into out; returns the words used, 0 when none. in_run says
 * that a letter stands beside it, so that "see" and "are" may be letters too. */
size_t spelling_letter(const words_t *w, size_t i, bool in_run, char out[3]);
/* A whole run of at least two letters; returns the words used. */
size_t spelling_run(const words_t *w, size_t i, char *out, size_t bytes);
/* Replaces "smith s m y t h" by "smyth", wherever a word is followed by its letters. */
void spelling_merge(words_t *w);

#endif
