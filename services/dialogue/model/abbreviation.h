/* abbreviation.h - does a full stop after this word end a sentence?
 *
 * Threads: none; values only. Source: what style guides of the languages list; short on purpose,
 * since a sentence that is not cut is merely spoken with the next one.
 */
#ifndef DIALOGUE_MODEL_ABBREVIATION_H
#define DIALOGUE_MODEL_ABBREVIATION_H

#include <stdbool.h>
#include <stddef.h>

/* word is what stands between the space before and the full stop, n bytes ("Dr", "e.g", "z.B"), in
 * a text of that language (a short code). A word of another language counts too where it means
 * nothing else in this one. */
bool abbreviation(const char *word, size_t n, const char *lang);

/* Does it go with a number that follows ("No. 5", "p. 12")? */
bool abbreviation_of_number(const char *word, size_t n);

/* Does the language write "3." for "third"? */
bool abbreviation_ordinals(const char *lang);

#endif
