/* phrases.h - what callers are expected to say, by kind of answer: sentences drawn from templates,
 * English, in the words of the CMU dictionary.
 *
 * They train the narrow language models (trigram.h). Every kind holds, besides its own answers,
 * what callers say to any question: yes, no, goodbye, repeat, a human please.
 * Threads: any; the drawing's state is the caller's.
 */
#ifndef PL_SPEECH_PHRASES_H
#define PL_SPEECH_PHRASES_H

#include <stddef.h>
#include <stdint.h>

#include "speech.pb-c.h"

enum { PHRASES_WORDS_MAX = 64 }; /* of a sentence; longer ones are cut */

typedef struct phrases phrases_t;

phrases_t *phrases_new(uint64_t seed); /* never NULL; the same seed draws the same sentences */
void phrases_destroy(phrases_t **self_p);

/* Draws a sentence; its words, not ended by NUL where bytes end them, live as long as the program.
 * Returns how many. */
typedef struct {
    const char *text;
    size_t bytes;
} phrase_word_t;
size_t phrases_draw(phrases_t *self, Pl__Expect expect, phrase_word_t words[PHRASES_WORDS_MAX]);

#endif
