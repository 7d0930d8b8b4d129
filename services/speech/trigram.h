/* trigram.h - a small language model estimated from sentences, in the ARPA text format.
 *
 * Witten-Bell smoothing: what was not seen after a pair of words gets the weight of what was seen
 * there for the first time. Vocabulary: at most 1022 words.
 * Threads: none. Source: Witten and Bell, 1991; the format is the one of the CMU and SRILM tools.
 */
#ifndef PL_SPEECH_TRIGRAM_H
#define PL_SPEECH_TRIGRAM_H

#include <stddef.h>
#include <stdio.h>

typedef struct trigram trigram_t;

trigram_t *trigram_new(void); /* never NULL */
void trigram_destroy(trigram_t **self_p);

/* The next word of the sentence; it is copied. */
void trigram_word(trigram_t *self, const char *word, size_t bytes);
void trigram_sentence_end(trigram_t *self);

size_t trigram_words(const trigram_t *self);                  /* different ones */
const char *trigram_word_at(const trigram_t *self, size_t i); /* the i-th, in order of arrival */

void trigram_write(trigram_t *self, FILE *out);

#endif
