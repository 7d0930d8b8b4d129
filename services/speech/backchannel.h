/* backchannel.h - whether words only show that the caller listens along ("mhm", "ok"), in English,
 * French, Spanish, German and Chinese.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_BACKCHANNEL_H
#define PL_SPEECH_BACKCHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "speech.pb-c.h"

enum { BACKCHANNEL_WORDS_MAX = 4 }; /* who says more of them wants to speak */

typedef enum {
    WORDS_NONE,
    WORDS_BACKCHANNEL,
    WORDS_REAL,
    WORDS_URGENT, /* "stop", "wait", "no": said to take the floor, however short */
} words_kind_t;

/* The first "skip" words of text count for nothing. lang is a short code; what it lacks falls back
 * to English. Where a yes or no is expected, "yes" and "ok" are an answer, and as urgent. */
words_kind_t words_kind(const char *text, size_t skip, const char *lang, Pl__Expect expect);

size_t words_count(const char *text); /* parted by spaces */

#endif
