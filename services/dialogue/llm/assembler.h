/* assembler.h - the chunks of a streamed chat completion into text and tool calls.
 *
 * Text comes out in whole characters as it arrives; tool calls come out whole, in their order, once
 * the model has finished. What a model thinks aloud (reasoning_content, or <think> at the start of an
 * answer) is left out. A completion that came in one piece is taken like a stream of one chunk.
 *
 * Threads: none; pure. Memory: text is passed through; tool calls are bounded.
 * Source: the chat-completions API of OpenAI; Azure's asynchronous filter; Ollama, which gives every
 * call the index 0 and its own id.
 */
#ifndef DIALOGUE_LLM_ASSEMBLER_H
#define DIALOGUE_LLM_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dialogue/llm/llm.h"

typedef struct assembler assembler_t;

/* salt makes the ids of calls that come without one. Never NULL. */
assembler_t *assembler_new(uint64_t salt);
void assembler_destroy(assembler_t **self_p);

/* Takes one event's data. False: it makes no sense, or is too much; see assembler_detail. */
bool assembler_take(assembler_t *self, const char *data);

typedef enum { ASSEMBLED_NOTHING, ASSEMBLED_TEXT, ASSEMBLED_TOOL } assembled_kind_t;

typedef struct {
    assembled_kind_t kind;
    const char *text;
    llm_tool_call_t call;
} assembled_t;

/* What has become complete since; borrowed until the next call of this module. */
assembled_t assembler_next(assembler_t *self);

typedef struct {
    bool begun;    /* some text or a part of a call has come */
    bool finished; /* the model said why it stopped, or the server that all is said */
    bool empty;    /* neither text nor a call came */
    llm_finish_t finish;
    uint32_t prompt_tokens, answer_tokens;
    bool failed;            /* the server reported an error inside the stream */
    const char *error_code; /* its code; "" */
} assembler_state_t;

assembler_state_t assembler_state(const assembler_t *self);
const char *assembler_detail(const assembler_t *self); /* what was wrong, for the log; "" */

#endif
