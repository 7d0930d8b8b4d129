/* answer.h - an embeddings server's answer: vectors, in the order of the texts asked for.
 *
 * Pure; no threads. Bounded by the size of the body.
 * Source: OpenAI's API reference, "Create embeddings": data[].index, data[].embedding as numbers or
 * as base64 of little-endian 32-bit floats.
 */
#ifndef RAG_EMBED_ANSWER_H
#define RAG_EMBED_ANSWER_H

#include <stddef.h>

#include "common/err.h"

enum { EMBED_DETAIL_BYTES = 256 };

/* *out: count vectors of *dimensions each, one behind the other; free() it. PL_INVALID: detail says
 * what is wrong with it. */
pl_err_t embed_answer_read(const char *body, size_t bytes, size_t count, float **out,
                           size_t *dimensions, char detail[EMBED_DETAIL_BYTES]);

/* The words of an error's body, "" when there are none; printable, one line. */
void embed_answer_error(const char *body, size_t bytes, char out[EMBED_DETAIL_BYTES]);

#endif
