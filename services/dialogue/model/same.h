/* same.h - do two texts say the same words? Case, punctuation and spacing do not matter.
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MODEL_SAME_H
#define DIALOGUE_MODEL_SAME_H

#include <stdbool.h>
#include <stddef.h>

bool same_words(const char *a, const char *b);

/* Are the words of b, as far as they go, those that a begins with? */
bool same_beginning(const char *a, const char *b);

size_t same_count(const char *text); /* its letters and digits */

#endif
