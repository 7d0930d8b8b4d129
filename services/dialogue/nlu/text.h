/* text.h - free answers: the caller's words without what leads to them, repaired where the place
 * they stand in shows that the recogniser took a number for a word of the same sound.
 *
 * "um well it is a dell laptop" -> "dell laptop"; "building for second floor" -> "building four,
 * second floor". Number words stay words; the caller's spelling and capitals are kept.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_TEXT_H
#define DIALOGUE_NLU_TEXT_H

#include "services/dialogue/nlu/words.h"

typedef enum { TEXT_PLAIN, TEXT_LOCATION, TEXT_PERSON } text_kind_t;

/* What sort of text a field with that label ("building location", "name of the user") holds. */
text_kind_t text_kind_of(const char *label);

/* source is what words_split made w from; words may have been cut out of w since. label is the
 * field's, for "the building location is ...". out is empty when nothing is left. Returns out. */
char *text_clean(const char *source, const words_t *w, text_kind_t kind, const char *label,
                 char *out, size_t bytes);

/* Finds a place among other words: "building four, second floor". False when there is none. */
bool text_find_location(const words_t *w, size_t *from, size_t *to);

/* Takes swear words out; returns how many there were. */
size_t text_drop_profanity(words_t *w);

#endif
