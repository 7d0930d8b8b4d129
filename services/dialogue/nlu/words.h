/* words.h - an utterance as words: lower case, without punctuation, each knowing where it stood.
 *
 * Letters of ASCII and of western Europe are made lower case, others stay as they are.
 * Recognisers give anything from "building for second floor" to "Building 4, 2nd floor." Both
 * become the same kind of words here. Apostrophes vanish ("don't" is "dont"), hyphens between
 * letters split, "a.m." is "am"; numbers, times (9:30), dates (2026-11-21) and addresses stay whole.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_NLU_WORDS_H
#define DIALOGUE_NLU_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_MAX = 160, WORD_BYTES = 64 };
#define WORDS_NONE ((size_t)-1)

typedef struct {
    char text[WORD_BYTES]; /* longer ones are cut at a character's border */
    uint16_t from, to;     /* bytes [from, to) of the source */
    bool changed;          /* text was repaired: it is no longer what the source says */
} word_t;

typedef struct {
    word_t at[WORDS_MAX]; /* what is beyond is left out: nobody says more in one breath */
    size_t count;
} words_t;

void words_split(words_t *out, const char *text);

/* The word at i, "" beyond the end. */
const char *words_at(const words_t *w, size_t i);
bool words_is(const words_t *w, size_t i, const char *word);
/* Is the word at i one of the list's (separated by single spaces)? */
bool words_in(const words_t *w, size_t i, const char *list);

/* How many words the phrase takes at i, 0 when it does not stand there. */
size_t words_match(const words_t *w, size_t i, const char *phrase);
/* Where the phrase stands first, from i on; WORDS_NONE. */
size_t words_find(const words_t *w, size_t i, const char *phrase);
/* Does any of the phrases (NULL-terminated) stand anywhere? */
bool words_has_any(const words_t *w, const char *const *phrases);
/* Is the whole utterance one of them? */
bool words_are_any(const words_t *w, const char *const *phrases);

/* Takes the words [from, to) out. */
void words_cut(words_t *w, size_t from, size_t to);
/* Replaces the text of one word. */
void words_set(words_t *w, size_t i, const char *text);
/* Writes the words [from, to) with single spaces; returns out. */
char *words_join(const words_t *w, size_t from, size_t to, char *out, size_t bytes);

#endif
