/* json.h - an index's documents as passages: JSON lines, an array of objects, or an answer of
 * Azure AI Search ({"value": [...]}).
 *
 * What fields mean is told in entry.h: answer, context, question, document_synthesis, created_at,
 * file_path, id, vectors; title, content; others are said with their names. An entry that cannot be
 * used is left out and counted.
 *
 * Threads: any. Bounded: entries are read one at a time, each at most JSON_ENTRY_BYTES.
 * Source: RFC 8259; jsonlines.org.
 */
#ifndef RAG_FORMATS_JSON_H
#define RAG_FORMATS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "services/rag/passage.h"

enum { JSON_ENTRY_BYTES = 1024 * 1024, JSON_PROBLEM_BYTES = 160 };

/* text is valid UTF-8. False: nothing of it can be used. problem says what could not be, in either
 * case; "" when all could. */
bool json_run(const char *name, const char *text, size_t bytes, passage_fn *fn, void *arg,
              char problem[JSON_PROBLEM_BYTES]);

#endif
