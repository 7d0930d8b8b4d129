/* layout.h - what pdftotext -bbox-layout says of a PDF's pages, as passages.
 *
 * Blocks are paragraphs. One in letters larger than most, or a numbered line that stands alone, is
 * the heading of what follows; a page's number is part of the titles ("Terms > 2. Refunds > page 3").
 * What stands at the head or foot of most pages is left out, and words broken at a line's end are
 * joined.
 *
 * Pure; no threads. Source: pdftotext(1), poppler 22.12.
 */
#ifndef RAG_FORMATS_LAYOUT_H
#define RAG_FORMATS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "services/rag/passage.h"

/* name: of a document that does not tell its title. False: there is no text. */
bool layout_run(const char *name, const char *text, size_t bytes, passage_fn *fn, void *arg);

#endif
