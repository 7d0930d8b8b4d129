/* question.h - one question to a model whose answer must be right: JSON of a schema, or plain text.
 *
 * A wrong answer is shown to the model again with what is wrong with it, at most QUESTION_REPAIRS
 * times. What stands around the JSON (a fence, a sentence) is no mistake.
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_QUESTION_H
#define DIALOGUE_WORK_QUESTION_H

#include <cjson/cJSON.h>

#include "services/dialogue/llm/llm.h"
#include "services/dialogue/schema.h"

enum { QUESTION_REPAIRS = 3, QUESTION_ANSWER_BYTES_MAX = 64 * 1024 };

typedef struct question question_t;

typedef struct {
    const char *system;                /* what the model is told */
    const char *name;                  /* of the schema, [A-Za-z0-9_-] */
    const char *schema;                /* NULL: plain text is wanted, not empty */
    bool (*check)(const cJSON *answer, /* may be NULL: what the schema cannot tell */
                  char reason[SCHEMA_REASON_BYTES]);
} question_opts_t;

/* answer: with a schema and PL_OK; text: without. Both borrowed. err: an error that pl_err_retry knows
 * as one that passes: no model is in reach. PL_INVALID: no right answer was to be had. */
typedef void question_done_fn(void *arg, pl_err_t err, const cJSON *answer, const char *text,
                              const char *detail);

/* Asks the slow model. opts is borrowed until done. Calls done once, not within; then free it. */
question_t *question_new(llm_t *llm, const question_opts_t *opts, question_done_fn *done,
                         void *arg);
void question_free(question_t **self_p); /* NULL is fine; done is not called any more */

#endif
