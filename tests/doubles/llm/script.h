/* script.h - what the double answers: an ordered list of rules, read from YAML. README.md beside
 * this file has the format.
 *
 * Threads: none; pure but for the counts, which matching uses up.
 */
#ifndef DOUBLE_SCRIPT_H
#define DOUBLE_SCRIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/doubles/llm/chat_request.h"

enum { RULE_GROUPS = 10 }; /* of a pattern: the whole and nine in brackets */

typedef struct {
    const char *text; /* NULL: no condition */
    bool is_regex, negated;
    regex_t regex;
} pattern_t;

typedef enum {
    FAULT_NONE,
    FAULT_SLOW_FIRST,
    FAULT_STALL,
    FAULT_RESET,
    FAULT_HANGUP,
    FAULT_STATUS,
    FAULT_GARBAGE,
    FAULT_HUGE_LINE,
    FAULT_TRUNCATED_JSON,
    FAULT_EMPTY,
    FAULT_FILTER_PROMPT,
    FAULT_FILTER_ANSWER,
    FAULT_FINISH_LENGTH,
    FAULT_ERROR_EVENT,
} fault_kind_t;

typedef struct {
    fault_kind_t kind;
    uint32_t ms;          /* of slow_first and stall */
    uint32_t after_bytes; /* of the text said before it happens */
    uint32_t bytes;       /* of a huge line */
    int status;
    double retry_after_s; /* below 0: no header */
    const char *code, *message;
} fault_t;

typedef struct {
    const char *name, *arguments, *id;
} rule_call_t;

typedef struct {
    uint32_t first_ms;
    double tokens_per_s; /* 0: all at once */
} pace_t;

typedef struct {
    const char *name;
    pattern_t user, tool, system, anywhere, model, role, tool_name, schema;
    const char *offered, *not_offered; /* a tool; "" no condition */
    int64_t turn;                      /* 0: any */
    const char *say;
    rule_call_t *calls;
    size_t n_calls;
    pace_t pace;
    fault_t fault;
    uint64_t count; /* 0: for ever */
    uint64_t used;
} rule_t;

typedef struct {
    uint32_t dimensions; /* of a vector nobody gave a size */
    uint32_t delay_ms;
    int status;         /* other than 200: every answer is that error */
    const char *refuse; /* inputs that hold it are 400; "": none */
} embeddings_t;

typedef struct script script_t;

/* NULL when the text is wrong: every reason is in error, a line each. yaml NULL: the built-in one,
 * which repeats what the user said. */
script_t *script_read(const char *name, const char *yaml, char *error, size_t error_bytes);
void script_destroy(script_t **self_p);

/* The first rule that applies, one use of it taken; NULL when none does. What its user pattern's
 * brackets held goes to groups, malloc'd, NULL where there was none. */
const rule_t *script_match(script_t *self, const chat_request_t *request, const char *model,
                           char *groups[RULE_GROUPS]);

const char *script_api_key(const script_t *self); /* "": any will do */
embeddings_t script_embeddings(const script_t *self);
size_t script_models(const script_t *self); /* 0: any name is a model */
const char *script_model(const script_t *self, size_t at);

#endif
