/* prompts.h - the fixed sentences, in several wordings and languages, with {placeholders}.
 *
 * Built in (wordings.h): English, French, German, Spanish and Chinese. prompts.tts.<name>_tpl[] of the
 * configuration replaces the wordings of one language (prompts.tts_lang). For a call in another
 * language they are translated where that is possible; else it gets the built-in sentence of its
 * language, and where there is none the English one.
 *
 * Threads: the loop's; without translations any, as they are read-only after prompts_new.
 */
#ifndef DIALOGUE_PROMPTS_H
#define DIALOGUE_PROMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "services/dialogue/translation/translate.h"

#define PROMPT_MAP(X) /* id, name in the configuration */                                          \
    X(HELLO, "hello")                                                                              \
    X(LANGUAGE_MENU, "ivr_language")                                                               \
    X(PURPOSE_TASK, "purpose_task")                                                                \
    X(PURPOSE, "purpose")                                                                          \
    X(WELCOME_BACK, "welcome_back")                                                                \
    X(SO_FAR, "so_far")                                                                            \
    X(HELP, "help")                                                                                \
    X(GOODBYE, "goodbye")                                                                          \
    X(SILENCE, "timeout_silence")                                                                  \
    X(SILENCE_GOODBYE, "silence_goodbye")                                                          \
    X(LOADING, "timeout_loading")                                                                  \
    X(STILL_WORKING, "still_working")                                                              \
    X(ERROR, "error")                                                                              \
    X(FILTERED, "filtered")                                                                        \
    X(HUMAN_CONSENT, "connect_agent")                                                              \
    X(HUMAN_TRANSFER, "end_call_to_connect_agent")                                                 \
    X(HUMAN_OFFER, "offer_agent")                                                                  \
    X(TRANSFER_FAILED, "calltransfer_failure")                                                     \
    X(LINE_BACK, "line_back")                                                                      \
    X(SHUTDOWN, "shutdown")                                                                        \
    X(ASK_TEXT, "ask_text")                                                                        \
    X(ASK_MOMENT, "ask_datetime")                                                                  \
    X(ASK_EVENT, "ask_datetime_event")                                                             \
    X(ASK_PHONE, "ask_phone_number")                                                               \
    X(ASK_EMAIL, "ask_email")                                                                      \
    X(HINT_MOMENT, "hint_datetime")                                                                \
    X(HINT_PHONE, "hint_phone_number")                                                             \
    X(HINT_COUNTRY, "hint_country")                                                                \
    X(HINT_MORE_DIGITS, "hint_more_digits")                                                        \
    X(HINT_EMAIL, "hint_email")                                                                    \
    X(GOT, "got_value")                                                                            \
    X(CONFIRM, "confirm_value")                                                                    \
    X(CORRECTED, "corrected")                                                                      \
    X(SORRY_AGAIN, "sorry_again")                                                                  \
    X(NOT_UNDERSTOOD, "not_understood")                                                            \
    X(YES_OR_NO, "yes_or_no")                                                                      \
    X(SKIPPED, "skipped")                                                                          \
    X(RECAP, "recap")                                                                              \
    X(RECAP_ITEM, "recap_item")                                                                    \
    X(RECAP_ASK, "recap_ask")                                                                      \
    X(NOTHING_RECAP, "nothing_recap")                                                              \
    X(ANYTHING_ELSE, "anything_else")                                                              \
    X(NOTED, "noted")                                                                              \
    X(WHAT_CHANGE, "what_change")                                                                  \
    X(GO_ON, "go_on")                                                                              \
    X(NEW_CLAIM_CONSENT, "new_claim_consent")                                                      \
    X(NEW_CLAIM, "new_claim")                                                                      \
    X(NO_NEW_CLAIM, "no_new_claim")                                                                \
    X(LANGUAGE_SET, "language_set")                                                                \
    X(NO_LANGUAGE, "no_language")                                                                  \
    X(SLOWER, "slower")                                                                            \
    X(FASTER, "faster")                                                                            \
    X(WAIT, "wait")                                                                                \
    X(POLITE, "polite")                                                                            \
    X(NO_ANSWER, "no_answer")

#define PROMPT_ENUM(id, name) PROMPT_##id,
typedef enum { PROMPT_MAP(PROMPT_ENUM) PROMPT_COUNT } prompt_t;
#undef PROMPT_ENUM

enum { PROMPT_BYTES = 1024 };

typedef struct prompts prompts_t;

/* PL_INVALID: a configured wording uses a placeholder that there is not, or there are too many of them;
 * said on standard error with file, line and setting. */
pl_err_t prompts_check(const pl_config_t *cfg);
/* cfg may be NULL: built-in wordings only. Never NULL. */
prompts_t *prompts_new(const pl_config_t *cfg);
void prompts_destroy(prompts_t **self_p);
/* Borrowed until the end. NULL: nothing is translated. */
void prompts_translate(prompts_t *self, translate_t *translate);

/* values is a NULL-terminated list of name, value, name, value...; unknown placeholders vanish.
 * seed chooses among the wordings. Returns out. */
char *prompts_say(const prompts_t *self, const char *lang, prompt_t id, uint32_t seed,
                  const char *const *values, char *out, size_t bytes);

/* Is there wording of its own in that language? prompts_say gives the English one otherwise. */
bool prompts_has(const prompts_t *self, const char *lang, prompt_t id);

/* Asks for what has to be translated for that language, so that it is there when it is said. */
void prompts_prepare(const prompts_t *self, const char *lang, const char *const *values);

/* Every wording of a language that needs no other values than these, filled in. */
typedef void prompts_each_fn(void *arg, const char *text);
void prompts_each(const prompts_t *self, const char *lang, const char *const *values,
                  prompts_each_fn *fn, void *arg);

#endif
