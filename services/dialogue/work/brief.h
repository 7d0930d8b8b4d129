/* brief.h - what a model is told of a call after it: an instruction filled with task, claim, reminders
 * and the conversation, within the model's context.
 *
 * Of a conversation that does not fit the oldest part is left out, and that is said.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_WORK_BRIEF_H
#define DIALOGUE_WORK_BRIEF_H

#include "call.pb-c.h"
#include "services/dialogue/model/draft.h"
#include "services/dialogue/model/instructions.h"

enum { BRIEF_ANSWER_TOKENS = 1500, BRIEF_TALK_TOKENS_MAX = 24000 };

/* Appends it. format: the JSON schema of the answer, "" for none. context_tokens: what the model takes
 * in all, the answer included; 0: not known. */
void brief_write(const Pl__CallRecord *record, const instructions_t *instructions, instruction_t id,
                 const char *format, uint32_t context_tokens, draft_t *out);

#endif
