/* format.h - the formats of documents: which there are, by their names' endings, and how each is
 * cut into passages.
 *
 * Threads: any.
 */
#ifndef RAG_FORMAT_H
#define RAG_FORMAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/rag/document.h"
#include "services/rag/passage.h"

typedef enum {
    FORMAT_NONE,
    FORMAT_MARKDOWN,
    FORMAT_TEXT,
    FORMAT_HTML,
    FORMAT_PDF,
    FORMAT_CSV,
    FORMAT_JSON,
} format_t;

format_t format_of(const char *path); /* FORMAT_NONE: no document, for us */

typedef struct {
    uint32_t pdf_timeout_ms;
    const atomic_bool *stop; /* true: give up what takes long; may be NULL */
} format_limits_t;

/* Cuts document, whose text it may change (to UTF-8). path names it where it has no title. False:
 * it cannot be used, and what was given of it is not to be kept. problem says why, or, where it can,
 * what of it could not; else "". */
bool format_run(format_t format, const char *path, document_t *document,
                const format_limits_t *limits, passage_fn *fn, void *arg,
                char problem[DOCUMENT_PROBLEM_BYTES]);

#endif
