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
    const char *fillers; /* "so, ähm, ...": may stand before a yes or no; words in one string */
    const char *const *yes;
    const char *const *no;
    const char *const *goodbye;
    const char *const *done;
    const char *const *human;
    const char *const *repeat;
    const char *const *slower;
    const char *const *faster;
    const char *const *wait;
    const char *const *skip;
} phrases_t;

/* NULL: none for that language (English has rules of its own, in intent.c). */
const phrases_t *phrases_of(const char *lang);

#endif
