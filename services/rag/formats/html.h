/* html.h - cuts an HTML page into passages: libxml2's HTML parser, by its events.
 *
 * Headings h1 to h6 title the passages below them, <title> names the page. Paragraphs, list items,
 * table rows (their cells joined by commas) and other blocks are paragraphs. Left out: scripts,
 * styles, navigation, forms' controls, pictures, and whatever is hidden from a reader.
 *
 * Threads: any, at the same time too. Bounded: no tree is built, and nesting beyond
 * HTML_DEPTH_MAX refuses the page.
 */
#ifndef RAG_FORMATS_HTML_H
#define RAG_FORMATS_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "services/rag/passage.h"

enum { HTML_DEPTH_MAX = 512 };

/* utf8: the text is known to be; else the page's own declaration counts, or Latin 1. name: of a
 * page without <title>. NULL, or why it cannot be used (passages may have been given before). */
const char *html_run(const char *name, const char *text, size_t bytes, bool utf8, passage_fn *fn,
                     void *arg);

#endif
