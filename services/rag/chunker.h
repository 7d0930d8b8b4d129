/* chunker.h - cuts a document into passages that can be found and said one at a time.
 *
 * Markdown is cut at its headings (not inside code fences), plain text is one section; within a
 * section whole paragraphs are packed into passages of at most CHUNK_CHARS characters. A paragraph
 * longer than that is cut after a sentence, else at a space, else anywhere. Markup is taken out, so
 * that a passage can be read aloud: emphasis, links (their text stays), code marks, table rules,
 * HTML comments, front matter. Nothing of the text is lost otherwise, and nothing is said twice.
 *
 * Pure; no threads. Linear in the size of the text.
 * Source: CommonMark 0.30 for what is a heading, a fence and a link.
 */
#ifndef RAG_CHUNKER_H
#define RAG_CHUNKER_H

#include <stddef.h>

enum {
    CHUNK_CHARS = 1200,      /* of a passage's content, counted as code points */
    CHUNK_TITLE_BYTES = 240, /* with NUL; longer titles are cut at a character */
};

typedef enum { CHUNK_MARKDOWN, CHUNK_TEXT } chunk_format_t;

/* title: the headings above the passage joined by " > ", or name where there is none.
 * content: never empty. Both are borrowed until return. */
typedef void chunk_fn(void *arg, const char *title, const char *content);

/* text must be valid UTF-8 (see document.h); it need not end with NUL. */
void chunker_run(chunk_format_t format, const char *name, const char *text, size_t bytes,
                 chunk_fn *fn, void *arg);

#endif
