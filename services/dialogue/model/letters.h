/* letters.h - characters of UTF-8 text, and what they are to one who reads it aloud.
 *
 * Covers the scripts that callers' languages are written in; a character it does not know is a
 * letter without case. Source: Unicode 15, the blocks named in letters.c.
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MODEL_LETTERS_H
#define DIALOGUE_MODEL_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LETTER_BAD = 0xFFFD };

/* The character at text, which has n > 0 bytes; *len is how many it takes. A byte that begins none
 * is LETTER_BAD and takes 1. */
uint32_t letter_at(const char *text, size_t n, size_t *len);
/* The character that ends before text + at; *len as above. at > 0. */
uint32_t letter_before(const char *text, size_t at, size_t *len);

bool letter_is_space(uint32_t c); /* of any width; line breaks too */
bool letter_is_digit(uint32_t c);
bool letter_is_alpha(uint32_t c); /* a letter of any script: neither space, digit nor sign */
bool letter_is_lower(uint32_t c); /* of a script with case */
bool letter_is_upper(uint32_t c);
bool letter_is_wide(uint32_t c);      /* Chinese, Japanese, Korean: words without spaces */
bool letter_is_invisible(uint32_t c); /* controls, joiners, soft hyphens: nothing to say */
bool letter_is_picture(uint32_t c);   /* emoji and dingbats */

/* Is there anything to be said in it: a letter or a digit? */
bool letters_any(const char *text);

#endif
