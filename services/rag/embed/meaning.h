/* meaning.h - vectors of the texts people say: kept by text, else asked for.
 *
 * A server that failed is left alone for MEANING_SULK_MS, so that not every answer waits for it; the
 * first text after that asks again.
 *
 * Threads: all on the loop's.
 */
#ifndef RAG_EMBED_MEANING_H
#define RAG_EMBED_MEANING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/rag/embed/server.h"

enum { MEANING_SULK_MS = 2000 };

typedef struct meaning meaning_t;
typedef struct meaning_wait meaning_wait_t;

/* timeout_ms: of a request; what comes after who asked has left is kept for the next. */
meaning_t *meaning_new(embed_server_t *server, uint32_t timeout_ms);
void meaning_destroy(meaning_t **self_p); /* who waits is not called */

/* NULL: not known. Borrowed until the loop goes on. Texts that differ in letter case or punctuation
 * alone are one. */
const float *meaning_known(meaning_t *self, const char *text, size_t *dimensions);

/* Will the server be asked? */
bool meaning_can_ask(const meaning_t *self);

/* Asks for the texts' vectors, at most EMBED_TEXTS_MAX. done: once, never within this call, when they
 * are known or will not be; the wait is gone then. */
meaning_wait_t *meaning_ask(meaning_t *self, const char *const *texts, size_t count,
                            void (*done)(void *arg), void *arg);
/* Does not wait any more; the answer is kept when it comes. NULL is fine. */
void meaning_leave(meaning_wait_t **wait_p);

#endif
