/* draft.h - a text being written: grows at its end, is consumed from its beginning.
 *
 * Always ends with a 0 byte; zero is empty. Whoever adds bounds what comes from outside.
 * Threads: none. Ownership: draft_free frees what it holds.
 */
#ifndef DIALOGUE_MODEL_DRAFT_H
#define DIALOGUE_MODEL_DRAFT_H

#include <stddef.h>

typedef struct {
    char *at; /* NULL while nothing was ever added */
    size_t len, room;
} draft_t;

const char *draft_text(const draft_t *self); /* never NULL */
void draft_add(draft_t *self, const char *text);
void draft_add_n(draft_t *self, const char *text, size_t n);
void draft_addf(draft_t *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void draft_drop(draft_t *self, size_t n); /* the first n bytes */
void draft_clear(draft_t *self);          /* keeps its memory */
void draft_free(draft_t *self);
char *draft_take(draft_t *self); /* the text, malloc'd, for the caller; the draft is empty then */

#endif
