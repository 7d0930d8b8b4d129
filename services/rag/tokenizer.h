/* tokenizer.h - the lexicon as a tokenizer of FTS5, "parley".
 *
 * Texts are indexed as lexicon.h says; what stands in a MATCH expression is a term already, made by
 * lexicon_query, and taken as it is.
 */
#ifndef RAG_TOKENIZER_H
#define RAG_TOKENIZER_H

#include <sqlite3.h>

#include "services/rag/lexicon.h"

/* lexicon is borrowed, as long as the connection is open. Returns a code of SQLite. */
int tokenizer_register(sqlite3 *db, lexicon_t *lexicon);

/* FTS5's interface of a connection; NULL: an SQLite without FTS5. */
fts5_api *tokenizer_fts5(sqlite3 *db);

#endif
