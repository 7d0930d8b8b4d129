/* body.h - a request as the JSON that a chat-completions server takes.
 *
 * What is common to all models is written once; each try then adds what its model wants.
 *
 * Threads: none; pure. Source: the chat-completions API of OpenAI.
 */
#ifndef DIALOGUE_LLM_BODY_H
#define DIALOGUE_LLM_BODY_H

#include <stddef.h>

#include "common/err.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/llm/model.h"

typedef struct body body_t;

enum { BODY_DETAIL_BYTES = 160 };

/* Copies what it needs of the request. PL_INVALID: a schema is no JSON object, a name is no name, a
 * tool's message answers nothing; detail then says which. */
pl_err_t body_new(body_t **out, const llm_request_t *request, char detail[BODY_DETAIL_BYTES]);
void body_destroy(body_t **self_p);

/* The whole body for that model; the caller frees it. */
char *body_for(const body_t *self, const model_t *model, size_t *bytes);

#endif
