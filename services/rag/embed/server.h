/* server.h - the embeddings server: how it is reached, and texts sent to it for vectors.
 *
 * Any that speaks OpenAI's API: OpenAI, Azure OpenAI (by key or Entra token), vLLM, llama.cpp,
 * Ollama, Text Embeddings Inference. What an answer means for a text, for a pause and for the
 * configuration is told apart here; when to ask again is the asker's.
 *
 * Threads: all on the loop's. Nothing blocks. Secrets and texts are never logged.
 * Source: OpenAI's API reference, "Create embeddings"; Azure OpenAI data plane 2024-10-21.
 */
#ifndef RAG_EMBED_SERVER_H
#define RAG_EMBED_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "services/rag/embed/answer.h"

enum { EMBED_TEXTS_MAX = 256, EMBED_SPACE_BYTES = 512 };

typedef struct embed_server embed_server_t;
typedef struct embed_call embed_call_t;

/* *out is NULL with PL_OK when rag.embeddings.endpoint is empty. PL_INVALID: a setting is wrong,
 * said on standard error. */
pl_err_t embed_server_new(embed_server_t **out, pl_loop_t *loop, const pl_config_t *cfg);
/* Open calls end without a word. */
void embed_server_destroy(embed_server_t **self_p);

/* Names what vectors can be compared with: model, dimensions asked for, prefix of passages. */
const char *embed_server_space(const embed_server_t *self);
size_t embed_server_dimensions(const embed_server_t *self); /* asked for; 0: the model's own */

typedef enum {
    EMBED_ANSWERED,
    EMBED_BUSY,     /* a rate limit: later */
    EMBED_DOWN,     /* no answer, or a server's error: later */
    EMBED_REFUSED,  /* it will not take these texts */
    EMBED_HOPELESS, /* nor any other: key, model, address are wrong */
} embed_end_t;

typedef struct {
    embed_end_t end;
    const char *body; /* of EMBED_ANSWERED, for embed_answer_read; borrowed */
    size_t bytes;
    int64_t retry_after_ms; /* -1: it did not say */
    const char *detail;     /* for the log */
} embed_outcome_t;

typedef void embed_done_fn(void *arg, const embed_outcome_t *outcome);

/* question: they are questions, else passages (models may want to be told, by a prefix). count: 1 to
 * EMBED_TEXTS_MAX. Calls done once, never within this call. */
embed_call_t *embed_ask(embed_server_t *self, const char *const *texts, size_t count, bool question,
                        uint32_t timeout_ms, embed_done_fn *done, void *arg);
void embed_cancel(embed_call_t **call_p); /* NULL is fine; done is not called */

#endif
