/* csv.h - a table's rows as passages, each value with its column's name.
 *
 * The first row names the columns; comma, semicolon, tab or bar part them, whichever it holds most.
 * What names mean is told in entry.h. Rows longer than the first have columns "column 5"...
 *
 * Threads: any. Bounded: a row of more than CSV_COLUMNS_MAX columns loses the rest of them.
 * Source: RFC 4180; libcsv.
 */
#ifndef RAG_FORMATS_CSV_H
#define RAG_FORMATS_CSV_H

#include <stddef.h>

#include "services/rag/passage.h"

enum { CSV_COLUMNS_MAX = 512 };

/* text is valid UTF-8. NULL, or why it cannot be used. */
const char *csv_run(const char *name, const char *text, size_t bytes, passage_fn *fn, void *arg);

#endif
