/* chat_reply.h - the answer to a chat-completions request by a rule: a plan of bytes and times.
 *
 * Threads: none; pure.
 */
#ifndef DOUBLE_CHAT_REPLY_H
#define DOUBLE_CHAT_REPLY_H

#include "tests/doubles/llm/chat_request.h"
#include "tests/doubles/llm/plan.h"
#include "tests/doubles/llm/script.h"

typedef struct {
    const chat_request_t *request;
    const rule_t *rule;
    char *const *groups; /* RULE_GROUPS of the rule's user pattern */
    const char *model;   /* or deployment */
    bool azure;          /* with the filter results Azure adds */
    uint64_t number;     /* of the exchange: makes ids */
    int64_t created_s;   /* Unix time */
} chat_reply_t;

void chat_reply(const chat_reply_t *self, plan_t *out);

/* {"error": ...} with that status; headers as in plan_whole. */
void reply_error(plan_t *out, int status, const char *code, const char *param, const char *message,
                 const char *headers);

#endif
