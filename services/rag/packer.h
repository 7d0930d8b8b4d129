/* packer.h - packs a document's paragraphs into passages under its headings.
 *
 * Whole paragraphs are packed into passages of at most PASSAGE_CHARS characters; a heading begins a
 * new one. A paragraph longer than that is cut after a sentence, else at a space, else anywhere.
 *
 * Pure; no threads. Linear in the size of the text.
 */
#ifndef RAG_PACKER_H
#define RAG_PACKER_H

#include <stddef.h>

#include "services/rag/passage.h"

enum { PACKER_LEVELS = 6 };

typedef struct packer packer_t;

/* name titles what has no heading; borrowed. Never NULL. */
packer_t *packer_new(const char *name, passage_fn *fn, void *arg);
void packer_destroy(packer_t **self_p); /* what is not yet a passage becomes one */

void packer_name(packer_t *self, const char *name); /* a better one was found; copied */
/* level: 1 to PACKER_LEVELS. Empty text: the section has no title of its own. Line ends become
 * blanks. */
void packer_heading(packer_t *self, int level, const char *text, size_t bytes);
/* Lines are joined by '\n'. Blank at neither end. */
void packer_paragraph(packer_t *self, const char *text, size_t bytes);
/* The passage ends here, whatever follows: a row, a page. */
void packer_break(packer_t *self);

/* Copies as much of text as fits into out, cut at a character. Returns the length. */
size_t packer_cut(char *out, size_t out_bytes, const char *text, size_t bytes);

#endif
