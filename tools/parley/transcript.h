/* transcript.h - shows a call's messages on the terminal as they come, each once.
 *
 * A message is shown when it is complete: when another follows it, when the call is over, or when it
 * has not grown for three looks. What it grows by later follows on a line of its own.
 *
 * Threads: the loop's.
 */
#ifndef PARLEY_TRANSCRIPT_H
#define PARLEY_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

enum { TRANSCRIPT_MAX = 256 };

typedef struct {
    size_t seen[TRANSCRIPT_MAX];    /* bytes of message i when last looked at */
    size_t shown[TRANSCRIPT_MAX];   /* bytes of it that were printed */
    unsigned still[TRANSCRIPT_MAX]; /* looks without growth */
} transcript_t;

/* call: the answer of GET /call/{id}. */
void transcript_look(transcript_t *self, const cJSON *call);

/* Prints text broken at blanks to the terminal's width, its later lines indented. */
void transcript_wrap(const char *text, unsigned indent);

#endif
