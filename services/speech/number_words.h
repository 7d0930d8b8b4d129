/* number_words.h - figures as English words, written to a stream with a space before each word.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_NUMBER_WORDS_H
#define PL_SPEECH_NUMBER_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void number_cardinal(FILE *out, uint64_t n); /* "one hundred and five" */
void number_ordinal(FILE *out, uint64_t n);  /* "twenty first"; up to 99, else cardinal */
void number_year(FILE *out, uint32_t year);  /* "nineteen eighty four", "two thousand five" */
void number_digits(FILE *out, const char *digits, size_t count); /* "three zero six" */

#endif
