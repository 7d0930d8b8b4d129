/* chat_request.h - a chat-completions request, checked as strictly as OpenAI's server checks it.
 *
 * Threads: none; pure. Source: the chat-completions API reference of OpenAI.
 */
#ifndef DOUBLE_CHAT_REQUEST_H
#define DOUBLE_CHAT_REQUEST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char message[256];
    char param[64]; /* "" when none is to blame */
} chat_problem_t;

typedef struct {
    cJSON *root;       /* owns what is borrowed below */
    const char *model; /* "" when the request has none (a deployment's path may name it) */
    bool stream, usage;
    uint32_t max_tokens; /* 0: not given */

    char *system, *user, *tool; /* all system messages; the last user's; the last, if a tool's */
    char *all;                  /* every message, a line each */
    const char *last_role;
    const char *tool_name; /* function whose result is the last message; "" */
    unsigned turns;        /* messages of the user */

    const cJSON *tools;      /* array, or NULL */
    bool json;               /* JSON is asked for, with or without a schema */
    const cJSON *schema;     /* may be NULL */
    const char *schema_name; /* "" */
} chat_request_t;

/* False with the problem; *out is then empty. named: there is a model in the path. */
bool chat_request_read(chat_request_t *out, const char *body, size_t bytes, bool named,
                       chat_problem_t *problem);
void chat_request_free(chat_request_t *self); /* twice is fine */

bool chat_request_offers(const chat_request_t *self, const char *tool);

/* What a tokenizer might count: a token a word or four letters, a token a wide character. */
uint32_t count_tokens(const char *text);

#endif
