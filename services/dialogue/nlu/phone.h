/* phone.h - phone numbers said digit by digit, in pairs, or doubled, to E.164.
 *
 * "plus three three six one two three four five six seven eight", "oh six twelve thirty four ...",
 * "double five", "five hundred". A number without country is completed from a default.
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_PHONE_H
#define DIALOGUE_NLU_PHONE_H

#include "services/dialogue/nlu/words.h"

enum { PHONE_BYTES = 32 };

typedef enum {
    PHONE_NONE,     /* no digits to speak of */
    PHONE_PARTIAL,  /* digits, but too few or too many: number holds them */
    PHONE_NATIONAL, /* complete, but its country is not known: number holds the digits */
    PHONE_FOUND,    /* number is E.164 */
} phone_found_t;

typedef struct {
    char number[PHONE_BYTES];
    size_t from, to; /* the words it was said in */
} phone_t;

/* country is a calling code ("33") or "" when unknown. */
phone_found_t phone_find(const words_t *w, const char *country, phone_t *out);
/* Joins digits of a former partial answer with the next one's. */
phone_found_t phone_complete(const char *digits, const char *country, char out[PHONE_BYTES]);

bool phone_valid(const char *text); /* ^\+[1-9][0-9]{6,14}$ */
/* Calling code of an E.164 number: "33" of "+33612345678"; "" when it is none. */
void phone_country(const char *e164, char out[4]);
/* Words for reading back: "plus three three, six one two, three four five". Returns out. */
char *phone_say(const char *number, char *out, size_t bytes);

#endif
