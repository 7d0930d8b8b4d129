/* text.h - a growing text with the escapes that pages, JSON and URLs need.
 *
 * Threads: none of its own. Out of memory aborts. A zeroed text_t is an empty text.
 * The bytes are NUL-terminated whenever data is not NULL.
 */
#ifndef GATEWAY_TEXT_H
#define GATEWAY_TEXT_H

#include <stddef.h>

typedef struct {
    char *data;
    size_t size, room;
} text_t;

void text_free(text_t *self); /* leaves an empty text; twice is fine */

void text_bytes(text_t *self, const void *bytes, size_t size);
void text_add(text_t *self, const char *string); /* NULL adds nothing */
void text_fmt(text_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For element content and double-quoted attributes: & < > " ' become entities, control characters
 * other than newline and tab become U+FFFD. */
void text_html(text_t *self, const char *string);

/* A JSON string with its quotes; what is not UTF-8 becomes U+FFFD, so that the result is valid. */
void text_json(text_t *self, const char *string);

/* Percent-encodes all but the unreserved characters of RFC 3986. */
void text_url(text_t *self, const char *string);

/* Length of the valid UTF-8 sequence that starts at s (1 to 4), 0 when there is none. */
size_t utf8_length(const char *s, size_t size);

#endif
