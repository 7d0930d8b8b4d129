/* translate.h - texts in another language, as a memory: what is not there yet is asked for.
 *
 * A turn never waits for a translation. Whoever needs one takes the original until it is there
 * (docs/decisions/0013). Each text is asked for once in a pair of languages, kept for a day and
 * bounded; what failed is left alone for a minute.
 *
 * Threads: the loop's. Nothing blocks.
 */
#ifndef DIALOGUE_TRANSLATE_H
#define DIALOGUE_TRANSLATE_H

#include <stddef.h>
#include <stdint.h>

#include "services/dialogue/translation/translator.h"

typedef struct translate translate_t;

enum {
    TRANSLATE_TEXT_BYTES = 4000, /* longer texts stay as they are */
    TRANSLATE_AT_ONCE = 4,       /* requests under way */
    TRANSLATE_WAITING = 256,     /* texts waiting for one; more are left for another time */
};

/* Takes self, which kind->close ends. now_ms: a monotonic clock. Never NULL. */
translate_t *translate_new(const translator_t *kind, void *self, uint64_t (*now_ms)(void));
void translate_destroy(translate_t **self_p); /* NULL is fine */

/* The text in the other language; the text itself where both are one ("en-US", "en-GB"); NULL: not
 * there (yet), or self is NULL. Borrowed until the next call. from, to: short codes. */
const char *translate_text(translate_t *self, const char *from, const char *to, const char *text);

#endif
