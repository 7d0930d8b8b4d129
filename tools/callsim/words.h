/* words.h - words as people compare them: lower case, no punctuation, numbers as digits.
 *
 * "Building four, second floor." and "building 4 second floor" are the same words, and so are
 * "nine zero" and "9 0". Homophones a recogniser mixes up are not repaired here.
 *
 * Threads: none, pure.
 */
#ifndef CALLSIM_WORDS_H
#define CALLSIM_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes text's words, each followed by one space but the last; cuts at a word's end when out is
 * full. Returns out. */
char *words_normal(const char *text, char *out, size_t out_bytes);

/* Does text hold these words in this order, one right after the other? No words: true. */
bool words_hold(const char *text, const char *words);

/* Does text match the cue? "any" matches every text, also NULL. Otherwise alternatives are apart
 * by "|", and one matches when each of its words is somewhere in the text; a word that ends in
 * "*" matches all words that begin so. */
bool words_match_cue(const char *text, const char *cue);

/* Where the spoken word at or after text + from ends, in bytes: the word, the marks that follow it
 * included. Words are apart by blanks; a Chinese or Japanese character is a word of its own. from
 * when there is no further one. */
size_t words_spoken_end(const char *text, size_t from);

#endif
