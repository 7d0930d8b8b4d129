/* markdown.h - a model's Markdown, as it streams in, made into plain text to be said.
 *
 * Emphasis, headings, bullets, fences, rules, links' addresses, table bars, tags, emoji and a
 * reasoning model's <think> part go; their words stay. Numbers of lists stay ("1."). A line break
 * stays a '\n'; where a block begins or ends (a list's item, a heading, an empty line) there is a
 * '\v', so that whoever cuts sentences knows.
 *
 * Threads: none. Pure.
 */
#ifndef DIALOGUE_MODEL_MARKDOWN_H
#define DIALOGUE_MODEL_MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "services/dialogue/model/draft.h"

typedef struct {
    bool in_line;   /* not at the beginning of a line */
    bool drop_line; /* what is left of the line says nothing */
    bool table;     /* the line is a row */
    bool thinking;  /* within <think> */
} markdown_t;       /* zero is the beginning of a text */

/* Takes what is certain of raw's beginning, writes it to out and returns how many bytes that were:
 * the rest must be shown again, with more behind it. final: there is no more. */
size_t markdown_read(markdown_t *self, const char *raw, size_t n, bool final, draft_t *out);

#endif
