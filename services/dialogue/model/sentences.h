/* sentences.h - cuts a model's answer, as it streams in, into sentences fit to be spoken.
 *
 * A sentence is given out as soon as it has ended: at "!", "?" and the marks of Chinese, Japanese and
 * other scripts at once, at a full stop when what follows shows that it was one (not "3.5", "Dr.",
 * "e.g.", an initial, an address, a file's name, "3. März"), at the end of a line, a list's item, a
 * heading. What grows beyond SENTENCE_CHARACTERS is cut at a comma, else at a space, else anywhere.
 * Markdown becomes plain text (markdown.h). Every letter and digit that is said in the text is given
 * out, once and in order.
 *
 * Threads: none. Pure.
 */
#ifndef DIALOGUE_MODEL_SENTENCES_H
#define DIALOGUE_MODEL_SENTENCES_H

enum { SENTENCE_CHARACTERS = 280 };

typedef struct sentences sentences_t;

/* lang is the short code of the text's language; it decides about abbreviations and ordinals. */
sentences_t *sentences_new(const char *lang);
void sentences_destroy(sentences_t **self_p);

/* Shows more of the text. Take all sentences out before adding again: that bounds what is kept. */
void sentences_add(sentences_t *self, const char *piece);
/* The text has stood still for a while: what looks like a whole sentence is one. */
void sentences_settle(sentences_t *self);
void sentences_close(sentences_t *self); /* there is no more: what is left is a sentence */

/* The next sentence, NULL when none is complete. Borrowed until the next call of any function. It is
 * never empty, but may be signs without a word, such as a style's marker. */
const char *sentences_next(sentences_t *self);

/* What has not been given out, without markup. Borrowed until the next call. */
const char *sentences_rest(const sentences_t *self);

#endif
