/* spoken_text.h - a model's text, cut anywhere, into text that may be spoken: whole characters, valid
 * UTF-8 (what is not becomes U+FFFD), without the thoughts some models put into <think> at the start.
 *
 * Threads: none; pure.
 */
#ifndef DIALOGUE_LLM_SPOKEN_TEXT_H
#define DIALOGUE_LLM_SPOKEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct spoken_text spoken_text_t;

spoken_text_t *spoken_text_new(void); /* never NULL */
void spoken_text_destroy(spoken_text_t **self_p);

void spoken_text_add(spoken_text_t *self, const char *bytes, size_t size);
void spoken_text_end(spoken_text_t *self); /* no more comes: what was held back is let go */

/* What may be spoken now, and has not been taken; NULL when there is none. Borrowed until the next
 * call. */
const char *spoken_text_take(spoken_text_t *self);

#endif
