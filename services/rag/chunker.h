/* chunker.h - cuts Markdown and plain text into passages.
 *
 * Markdown is cut at its headings (not inside code fences), plain text is one section; paragraphs
 * are packed as packer.h says. Markup is taken out, so that a passage can be read aloud: emphasis,
 * links (their text stays), code marks, table rules, HTML comments, front matter. Nothing of the
 * text is lost otherwise, and nothing is said twice.
 *
 * Pure; no threads. Linear in the size of the text.
 * Source: CommonMark 0.30 for what is a heading, a fence and a link.
 */
#ifndef RAG_CHUNKER_H
#define RAG_CHUNKER_H

#include <stddef.h>

#include "services/rag/passage.h"

typedef enum { CHUNK_MARKDOWN, CHUNK_TEXT } chunk_format_t;

/* name: of the document. text must be valid UTF-8 (see encoding.h); it need not end with NUL. */
void chunker_run(chunk_format_t format, const char *name, const char *text, size_t bytes,
                 passage_fn *fn, void *arg);

#endif
