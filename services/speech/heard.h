/* heard.h - which words of a text were heard when only a part of its audio was played.
 *
 * Where nobody told it is an estimate: a word takes as long as its share of the letters. Threads: none. Pure.
 */
#ifndef PL_SPEECH_HEARD_H
#define PL_SPEECH_HEARD_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of text, cut after a whole word, that were heard when heard_ms of total_ms were played. */
size_t heard_bytes(const char *text, uint32_t heard_ms, uint32_t total_ms);

/* The same for bytes that may end within a word: those up to its beginning, without the spaces. */
size_t heard_whole_words(const char *text, size_t bytes);

/* Length of the text's audio before it is known, at a normal rate. */
uint32_t heard_guess_ms(const char *text);

#endif
