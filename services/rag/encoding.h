/* encoding.h - what a file's bytes are as text.
 *
 * Threads: any. Source: RFC 3629 for UTF-8, RFC 2781 for UTF-16.
 */
#ifndef RAG_ENCODING_H
#define RAG_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const char *text, size_t bytes); /* and without NUL */

typedef enum {
    ENCODING_UTF8, /* the text is UTF-8 now, without a byte order mark */
    ENCODING_ASK,  /* a single-byte one, which only its format can tell */
    ENCODING_NONE, /* binary */
} encoding_t;

/* UTF-16 with a byte order mark is converted in place: *text is replaced, and *bytes. */
encoding_t encoding_settle(char **text, size_t *bytes);

/* From Windows 1252, which holds Latin 1: any bytes will do. Replaces *text and *bytes. */
void encoding_from_1252(char **text, size_t *bytes);

#endif
