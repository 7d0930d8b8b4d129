/* thread.h - the messages of one request to a model, as they are gathered.
 *
 * Threads: none. Ownership: everything is copied; what thread_messages gives is borrowed until the
 * next change.
 */
#ifndef DIALOGUE_MODEL_THREAD_H
#define DIALOGUE_MODEL_THREAD_H

#include "services/dialogue/llm/llm.h"

typedef struct thread thread_t;

thread_t *thread_new(void); /* never NULL */
void thread_destroy(thread_t **self_p);

void thread_add(thread_t *self, llm_role_t role, const char *content);
/* A user's words go on in the last message when that is a user's too: some models want the roles to
 * alternate. */
void thread_add_user(thread_t *self, const char *content);
/* A user's words that open the conversation, whatever came since: in its first user's message. */
void thread_add_opening(thread_t *self, const char *content);
/* An assistant's words go on, too, unless it has called tools. */
void thread_add_assistant(thread_t *self, const char *content);
/* A tool call of the last message, which is an assistant's. */
void thread_add_call(thread_t *self, const char *id, const char *name, const char *arguments);
void thread_add_result(thread_t *self, const char *id, const char *content);

size_t thread_count(const thread_t *self);
const llm_message_t *thread_messages(thread_t *self, size_t *count);

/* A number for the contents of all messages but the last: equal for equal ones. */
uint64_t thread_hash(const thread_t *self);
const char *thread_last(const thread_t *self); /* content of the last message, "" when none */

#endif
