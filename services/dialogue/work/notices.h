/* notices.h - the text messages that are written without a model: templates with {placeholders}.
 *
 * Built in: English, French, Spanish, Chinese; a call in another language gets the English one.
 * prompts.sms.<name> of the configuration replaces the one of prompts.tts_lang.
 *
 * Threads: read-only after notices_new, so any.
 */
#ifndef DIALOGUE_WORK_NOTICES_H
#define DIALOGUE_WORK_NOTICES_H

#include "call.pb-c.h"
#include "common/config.h"
#include "common/err.h"
#include "services/dialogue/model/draft.h"

#define NOTICE_MAP(X) /* id, name in the configuration, its placeholders, what it is for */        \
    X(REPORT, "report_tpl", "facts bot_name bot_company",                                          \
      "SMS after a call in which something was noted, without a model")                            \
    X(REPORT_EMPTY, "report_empty_tpl", "bot_name bot_company",                                    \
      "SMS after a call in which nothing was noted, without a model")                              \
    X(REMINDER, "reminder_tpl", "title description due bot_name bot_company",                      \
      "SMS when a reminder of the customer falls due")

#define NOTICE_ENUM(id, name, placeholders, help) NOTICE_##id,
typedef enum { NOTICE_MAP(NOTICE_ENUM) NOTICE_COUNT } notice_t;
#undef NOTICE_ENUM

enum { NOTICE_FACTS_BYTES = 320, NOTICE_BYTES_MAX = 1000 };

typedef struct notices notices_t;

/* cfg may be NULL: built in ones only. PL_INVALID: a template is wrong; said on standard error with
 * file, line and setting. */
pl_err_t notices_new(notices_t **out, const pl_config_t *cfg);
void notices_destroy(notices_t **self_p);

/* Appends the filled text; at most NOTICE_BYTES_MAX, cut at a character's border. values: name,
 * value, ..., NULL. */
void notices_fill(const notices_t *self, notice_t id, const char *lang, const char *const *values,
                  draft_t *out);

/* What was noted in a call: "laptop; 2026-11-21 09:00", in an English call with what each is. Whole
 * items only. Returns out; "" when nothing. */
char *notices_facts(const Pl__CallRecord *record, const char *lang, char out[NOTICE_FACTS_BYTES]);

/* The language that a call is held in: its own or the one it began with. */
const char *notices_lang(const Pl__CallRecord *record);

#endif
