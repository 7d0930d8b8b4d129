/* entry.h - one entry of a table or an index: named fields that make a passage.
 *
 * Names that mean something, in any case: title and question title it; content and answer (and
 * text, body) are its text, with context and document_synthesis below; id, created_at and file_path
 * (and source, url) become the passage's own; vectors its vector. Any other field is said with its
 * name: "Price: 12". An entry too long for one passage becomes several, "id", "id#2"...
 *
 * Pure; no threads. Source: the index schemas of Azure AI Search that ../README.md names.
 */
#ifndef RAG_FORMATS_ENTRY_H
#define RAG_FORMATS_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "services/rag/passage.h"

typedef struct entry entry_t;

/* name: of the document; titles entries without title. Borrowed. Never NULL. */
entry_t *entry_new(const char *name, passage_fn *fn, void *arg);
void entry_destroy(entry_t **self_p);

/* Values are valid UTF-8, copied. Blank ones are nothing. */
void entry_field(entry_t *self, const char *name, const char *value, size_t bytes);
/* dimensions: at most PASSAGE_DIMENSIONS_MAX. */
void entry_vector(entry_t *self, const float *vector, size_t dimensions);

/* Gives the passages and begins the next entry. False: it had nothing to say, and gave none. */
bool entry_end(entry_t *self);

bool entry_is_vector(const char *name); /* of a field that holds one */

#endif
