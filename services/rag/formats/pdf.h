/* pdf.h - a PDF's text as passages: poppler's pdftotext in a sandbox, since a PDF is a program of
 * somebody else's.
 *
 * Threads: any; blocks until the child is done.
 * Source: pdftotext(1).
 */
#ifndef RAG_FORMATS_PDF_H
#define RAG_FORMATS_PDF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/rag/passage.h"

enum { PDF_PROBLEM_BYTES = 160, PDF_OUTPUT_BYTES = 64 * 1024 * 1024 };

typedef struct {
    const char *program; /* NULL: /usr/bin/pdftotext */
    uint32_t timeout_ms;
    size_t memory_bytes;     /* of the child's address space; 0: 1 GiB */
    const atomic_bool *stop; /* true: give up; NULL: never */
} pdf_limits_t;

/* name: of a PDF that does not tell its title. False: problem says why it cannot be used. */
bool pdf_run(const char *name, const char *bytes, size_t size, const pdf_limits_t *limits,
             passage_fn *fn, void *arg, char problem[PDF_PROBLEM_BYTES]);

#endif
