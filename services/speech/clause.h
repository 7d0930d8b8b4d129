/* clause.h - where a long sentence may be cut for synthesis without being heard.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_CLAUSE_H
#define PL_SPEECH_CLAUSE_H

#include <stddef.h>

enum {
    CLAUSE_WHOLE_BYTES = 80, /* a text of that length is not cut */
    CLAUSE_LEAST_BYTES = 25, /* shorter pieces sound chopped */
    CLAUSE_MOST_BYTES = 400, /* longer ones are cut between words */
};

/* Bytes of the first piece of text, at least 1 unless text is empty. */
size_t clause_bytes(const char *text);

#endif
