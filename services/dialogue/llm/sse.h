/* sse.h - a stream of server-sent events, cut anywhere, into the data of each event.
 *
 * Only data is kept: names, ids, comments and retry times mean nothing to a chat-completions client.
 *
 * Threads: none; pure. Memory: an event's size is bounded, what was fed is kept until it is taken.
 * Source: WHATWG HTML, section 9.2 (server-sent events).
 */
#ifndef DIALOGUE_LLM_SSE_H
#define DIALOGUE_LLM_SSE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sse sse_t;

sse_t *sse_new(size_t event_max_bytes); /* never NULL */
void sse_destroy(sse_t **self_p);

/* Takes all bytes. False when an event is larger than allowed: nothing more is taken then. */
bool sse_feed(sse_t *self, const char *bytes, size_t size);

/* The stream has ended: an event that lacks only its closing blank line counts. */
void sse_end(sse_t *self);

/* The next complete event's data, NUL-terminated, its lines joined by newlines; NULL when there is
 * none. Borrowed until the next call. */
const char *sse_next(sse_t *self);

#endif
