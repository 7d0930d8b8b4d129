/* style.h - the tone of voice, as a language model writes it into its text: "[style=sad] I am sorry."
 *
 * A marker holds for what follows it, up to the next one. Models also write it with other brackets,
 * with ":" for "=", without brackets, or as a bare "[cheerful]"; and they copy labels of prompts
 * ("action=talk", "content="). All of that is taken out wherever it stands, a style we do not have
 * too, so that none of it is ever spoken.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MODEL_STYLE_H
#define DIALOGUE_MODEL_STYLE_H

#include <stdbool.h>

#include "call.pb-c.h"

const char *style_name(Pl__Style style); /* "cheerful" */
bool style_find(const char *name, Pl__Style *out);

/* "[style=sad]"; "" for none. */
const char *style_marker(Pl__Style style);

/* Takes the markers out of text, in place, and sets *style to what the text is to be said in: that of
 * a marker at its beginning. *after is what holds after the text: that of its last marker. Without
 * markers both stay what they were. */
void style_take(char *text, Pl__Style *style, Pl__Style *after);

#endif
