/* spoken.h - a sentence as it should be said: without markup, and in English with figures,
 * telephone numbers, times, e-mail addresses and web addresses as words.
 *
 * Other languages keep their figures: eSpeak NG reads them by the language's own rules.
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_SPOKEN_H
#define PL_SPEECH_SPOKEN_H

/* malloc'd, never NULL, possibly "". lang is a short code. */
char *spoken_text(const char *text, const char *lang);

#endif
