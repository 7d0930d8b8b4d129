/* email.h - e-mail addresses said as words: "john dot smith at example dot com".
 *
 * Letters may be spelled ("j o h n"), with an alphabet ("a as in alpha", "juliet oscar"), doubled
 * ("double t"), and a word may be followed by its own letters ("smith s m i t h"), which win.
 * Source: RFC 5321 for lengths, the unquoted local parts of RFC 5322 for characters.
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_EMAIL_H
#define DIALOGUE_NLU_EMAIL_H

#include "services/dialogue/nlu/words.h"

enum { EMAIL_BYTES = 256 };

typedef struct {
    char address[EMAIL_BYTES]; /* lower case */
    size_t from, to;           /* the words it was said in */
} email_t;

bool email_find(const words_t *w, email_t *out);
bool email_valid(const char *text);
/* Words for reading back: "john dot smith at example dot com". Returns out. */
char *email_say(const char *address, char *out, size_t bytes);

#endif
