/* number.h - numbers as people say them: "twenty one", "twenty first", "two thousand six", "21st".
 *
 * Each reader looks at word i and returns how many words it used, 0 when no number begins there.
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_NUMBER_H
#define DIALOGUE_NLU_NUMBER_H

#include "services/dialogue/nlu/words.h"

/* 0 to 999999. "a hundred" counts, a bare "a" does not. */
size_t number_cardinal(const words_t *w, size_t i, long *value);
/* At most 99, without hundreds: what an hour, a minute or a pair of digits may be. */
size_t number_small(const words_t *w, size_t i, long *value);
/* 1 to 99: "third", "twenty third", "3rd". */
size_t number_ordinal(const words_t *w, size_t i, long *value);
/* 1900 to 2199: "twenty twenty six", "nineteen ninety nine", "two thousand and six", "2026". */
size_t number_year(const words_t *w, size_t i, long *value);
/* One spoken digit: "zero", "oh", "o", "seven", "7"; -1 when it is none. */
int number_digit(const char *word);

/* What a recogniser writes for a number of the same sound ("for", "to", "ate", "won"), or NULL.
 * Use it only where a number is expected. */
const char *number_homophone(const char *word);

/* English words for 0 to 9999; returns out. */
char *number_say(long value, char *out, size_t bytes);
/* "first" to "ninety-ninth". */
char *number_say_ordinal(long value, char *out, size_t bytes);

#endif
