/* facts.h - what a model is told as data: the claim, reminders, passages of the knowledge base, as JSON
 * that cannot be taken for anything else. "<", ">" and "&" are written as escapes of JSON, so that no
 * value can close the tag that it stands in.
 *
 * Threads: none; values only. Texts returned are malloc'd, the caller's.
 */
#ifndef DIALOGUE_MODEL_FACTS_H
#define DIALOGUE_MODEL_FACTS_H

#include <stddef.h>

#include "call.pb-c.h"
#include "rag.pb-c.h"

/* {"first_seen":{"type":"datetime","description":"...","value":null}}: every field of the claim; what
 * is known with whether the caller has confirmed it. */
char *facts_claim(const Pl__CallRecord *record);
char *facts_reminders(const Pl__CallRecord *record);
/* [{"title":"...","content":"..."}], at most max_bytes in all; NULL when there are none. */
char *facts_passages(const Pl__SearchResult *found, size_t max_bytes);

/* A text that stands within a tag: the same three characters as entities. */
char *facts_escaped(const char *text);

#endif
