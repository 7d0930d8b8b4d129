/* spoken.h - a sentence as it should be said: without markup, and in English with figures,
 * telephone numbers, times, e-mail addresses and web addresses as words.
 *
 * Other languages keep their figures: eSpeak NG reads them by the language's own rules.
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_SPOKEN_H
#define PL_SPEECH_SPOKEN_H

#include <stddef.h>

/* malloc'd, never NULL, possibly "". lang is a short code. *map_out (may be NULL) is malloc'd, too:
 * for each byte of the result, how many bytes of text are said with it. */
char *spoken_text(const char *text, const char *lang, size_t **map_out);

#endif
