/* instructions.h - what language models are told: templates with {placeholders}, in the project's own
 * words. prompts.llm.<name> of the configuration replaces one.
 *
 * Threads: read-only after instructions_new, so any.
 */
#ifndef DIALOGUE_MODEL_INSTRUCTIONS_H
#define DIALOGUE_MODEL_INSTRUCTIONS_H

#include "common/config.h"
#include "common/err.h"
#include "services/dialogue/model/draft.h"

#define INSTRUCTION_MAP(X) /* id, name in the configuration, its placeholders, what it is for */   \
    X(DEFAULT_SYSTEM, "default_system_tpl",                                                        \
      "bot_name bot_company bot_phone_number phone_number date", "who the assistant is")           \
    X(CHAT_SYSTEM, "chat_system_tpl",                                                              \
      "bot_name bot_company task default_lang actions styles claim reminders date",                \
      "how it talks with callers")                                                                 \
    X(WELCOME_BACK, "welcome_back_tpl", "bot_name bot_company default_lang",                       \
      "asks for a recap when a caller has rung back")                                              \
    X(SUMMARY_SYSTEM, "summary_system_tpl", "bot_name bot_company task",                           \
      "how the older part of a long call is summed up for the model itself")                       \
    X(SYNTHESIS_SYSTEM, "synthesis_system_tpl",                                                    \
      "bot_name bot_company task claim reminders messages format",                                 \
      "what a call came to, after it")                                                             \
    X(NEXT_SYSTEM, "next_system_tpl", "bot_name bot_company task claim reminders messages format", \
      "which action should follow a call")                                                         \
    X(SMS_SUMMARY_SYSTEM, "sms_summary_system_tpl",                                                \
      "bot_name bot_company task default_lang claim reminders messages",                           \
      "the SMS that a caller gets after the call")                                                 \
    X(TRANSLATION_SYSTEM, "translation_system_tpl", "from to",                                     \
      "how a message of the history or a fixed sentence is put into another language")

#define INSTRUCTION_ENUM(id, name, placeholders, help) INSTRUCTION_##id,
typedef enum { INSTRUCTION_MAP(INSTRUCTION_ENUM) INSTRUCTION_COUNT } instruction_t;
#undef INSTRUCTION_ENUM

typedef struct instructions instructions_t;

/* cfg may be NULL: built in ones only. PL_INVALID: a template is wrong; said on standard error with
 * file, line and setting. */
pl_err_t instructions_new(instructions_t **out, const pl_config_t *cfg);
void instructions_destroy(instructions_t **self_p);

/* Appends the filled template. values as in template.h. */
void instructions_fill(const instructions_t *self, instruction_t id, const char *const *values,
                       draft_t *out);

#endif
