/* markdown.h - the little of Markdown that cutting and reading aloud needs: what a line is, and a
 * line's text without its markup.
 *
 * Pure; no threads. Source: CommonMark 0.30, and GitHub's tables.
 */
#ifndef RAG_MARKDOWN_H
#define RAG_MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *text;
    size_t bytes;
} slice_t;

/* Takes the next line off *rest, without its end (LF, CRLF or CR). False at the end. */
bool markdown_line(slice_t *rest, slice_t *line);
slice_t markdown_trim(slice_t slice); /* without blanks at both ends */

int markdown_heading(slice_t line, slice_t *text); /* level 1 to 6 of "## Text"; 0: none */
int markdown_underline(slice_t line);              /* 1: "===", 2: "---"; 0: neither */

/* The fence this line opens (its character and length), or whether it closes one that is open. */
typedef struct {
    char mark; /* 0: none is open */
    size_t length;
} fence_t;
bool markdown_fence(slice_t line, fence_t *fence); /* true: the line is a fence's */

bool markdown_is_rule(slice_t line); /* "---", "***", or a table's rule "|---|:--|" */

/* Writes the text without markup to out, which has room for line.bytes + 1 (it only gets shorter,
 * and is not ended by NUL). Returns its length. */
size_t markdown_plain(slice_t line, char *out);

#endif
