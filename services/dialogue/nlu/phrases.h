/* phrases.h - what people say for yes, no and the wishes of intent.h.
 *
 * Lists of phrases as words.h splits them: lower case, no apostrophes. NULL-terminated.
 *
 * Threads: read-only, so any.
 */
#ifndef DIALOGUE_NLU_PHRASES_H
#define DIALOGUE_NLU_PHRASES_H

#include <stdbool.h>

typedef struct {
    const char *lang; /* first two letters of the short code */
    /* The language writes no spaces: a phrase counts wherever its characters stand. */
    bool unspaced;
    const char *const *yes, *const *no;
    /* "so, ähm, ...": may stand before a yes or no; single words in one string */
    const char *fillers;
    const char *const *goodbye,
        *const *done, *const *human, *const *repeat, *const *slower, *const *faster,
                                                                         *const *wait, *const *skip;
} phrases_t;

/* NULL: none for that language (English has rules of its own, in intent.c). */
const phrases_t *phrases_of(const char *lang);

#endif
