/* embed.h - vectors from words, always the same ones: texts that share words are near each other.
 *
 * Each word (lower case, ASCII folded no further) is hashed to a direction; the vector is the sum
 * over the words, of length 1. Threads: none; pure.
 */
#ifndef DOUBLE_EMBED_H
#define DOUBLE_EMBED_H

#include <stddef.h>

#include "tests/doubles/llm/plan.h"
#include "tests/doubles/llm/script.h"

enum { EMBED_MOST = 8192 };

void embed(const char *text, size_t dimensions, float *out);

/* The answer to POST .../embeddings. named: the path names the model. */
void embed_reply(const script_t *script, const char *body, size_t bytes, bool named, plan_t *out);

#endif
