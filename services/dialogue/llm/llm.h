/* llm.h - a language model as dialogue sees it: messages in, text and tool calls out, streamed.
 *
 * One request is one completion. The pieces of an answer arrive in order: text as it comes, each
 * tool call whole, once, in the order of the model, then done, exactly once. After llm_cancel
 * nothing arrives.
 *
 * Threads: all on the caller's loop. Nothing blocks; the sink is never called from within llm_ask.
 * Source: the chat-completions API of OpenAI, as vLLM, llama.cpp, Ollama and Azure OpenAI speak it.
 */
#ifndef DIALOGUE_LLM_H
#define DIALOGUE_LLM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"

typedef enum { LLM_SYSTEM, LLM_USER, LLM_ASSISTANT, LLM_TOOL } llm_role_t;

typedef struct {
    const char *id, *name;
    const char *arguments; /* JSON text */
} llm_tool_call_t;

typedef struct {
    llm_role_t role;
    const char *content;          /* never NULL */
    const llm_tool_call_t *calls; /* of an assistant's message */
    size_t n_calls;
    const char *tool_id; /* of a tool's message: which call it answers */
} llm_message_t;

typedef struct {
    const char *name;
    const char *description;
    const char *schema; /* JSON schema of the arguments, an object */
} llm_tool_t;

/* Everything is borrowed until llm_ask returns. */
typedef struct {
    const llm_message_t *messages;
    size_t n_messages;
    const llm_tool_t *tools;
    size_t n_tools;
    const char *answer_schema; /* JSON schema: the answer is JSON of that shape; NULL: free text */
    const char *answer_name;   /* name of that schema, [A-Za-z0-9_-] */
    uint32_t max_tokens;       /* 0: no limit of ours; spoken answers: llm_answer_tokens */
    uint32_t timeout_ms;       /* of the whole exchange with retries; 0: the configuration's */
} llm_request_t;

typedef enum {
    LLM_STOP,       /* the model had said all */
    LLM_LENGTH,     /* max_tokens cut it */
    LLM_TOOL_CALLS, /* it wants the results of its tools */
    LLM_FILTERED,   /* a content filter refused the prompt or stopped the answer */
} llm_finish_t;

typedef struct {
    llm_finish_t finish;
    uint32_t prompt_tokens, answer_tokens; /* 0: the server did not say */
    uint32_t first_ms;                     /* from the request to the first piece; 0: none came */
    uint32_t whole_ms;
    const char *model;  /* the one that answered, as configured */
    const char *detail; /* for the log: what went wrong */
} llm_end_t;

typedef struct {
    void *arg;
    void (*text)(void *arg, const char *piece); /* UTF-8, whole characters, never empty */
    void (*tool)(void *arg, const llm_tool_call_t *call);
    /* PL_OK: see end->finish. PL_TIMEOUT, PL_BUSY (rate limit), PL_UNAVAILABLE: every model that
     * may answer failed. PL_INVALID: the server refuses the request, or its answer made no sense.
     * What came before an error may be a part. end is borrowed. */
    void (*done)(void *arg, pl_err_t err, const llm_end_t *end);
} llm_sink_t;

typedef enum { LLM_FAST, LLM_SLOW } llm_size_t;

typedef struct llm llm_t;             /* the configured models */
typedef struct llm_asked llm_asked_t; /* one request under way */

extern const pl_config_key_t llm_config_keys[]; /* ends with a NULL path */

/* Reads llm.fast.* and llm.slow.*. *out is NULL with PL_OK when neither has an endpoint: there is
 * no model. PL_INVALID: a wrong setting, said on standard error. Opens connections at once. */
pl_err_t llm_new(llm_t **out, pl_loop_t *loop, const pl_config_t *cfg);
void llm_destroy(llm_t **self_p); /* open requests end without done */

/* Asks the model of that size; what fails before the first piece is tried again with a jittered
 * pause, then the other size is asked. Never NULL. */
llm_asked_t *llm_ask(llm_t *self, llm_size_t size, const llm_request_t *request,
                     const llm_sink_t *sink);
void llm_cancel(llm_asked_t **asked_p); /* NULL is fine. After done the handle is spent: set it to
                                           NULL in done and do not cancel it. */

/* Is a model worth asking just now, as far as the last answers tell? A model that is not is probed
 * by requests of our own, so that this becomes true again without a caller's trying. */
bool llm_well(const llm_t *self);
/* Tokens that fit into the context of that size. */
uint32_t llm_context_tokens(const llm_t *self, llm_size_t size);
/* Tokens a spoken answer may have, as configured (llm.*.max_tokens). */
uint32_t llm_answer_tokens(const llm_t *self, llm_size_t size);
/* An estimate, on the safe side, without the model's own tokenizer. */
uint32_t llm_tokens(const char *text);

#endif
