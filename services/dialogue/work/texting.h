/* texting.h - one text message of a job: sent once, however often the job is tried.
 *
 * Before telephony is asked, text, number and telephony's instance are noted with the job. Whoever
 * takes the job up again sends that very text under the same key, to the instance that may remember
 * it, and says that it may have been asked for before. What can then not be known is told as such
 * rather than sent again.
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_TEXTING_H
#define DIALOGUE_WORK_TEXTING_H

#include "services/dialogue/work/work.h"

typedef struct texting texting_t;

typedef struct {
    pl_err_t err;       /* PL_OK: telephony has taken it, or does not know */
    bool unknown;       /* it may have been sent or not */
    const char *text;   /* what was sent; borrowed, as all of it */
    const char *detail; /* for people */
} texting_end_t;

/* Has a former attempt begun to send? Then its text is the one. */
bool texting_begun(const work_t *work);

/* Calls end(work, ...) once, not within; then free it. text counts only where nothing was begun.
 * key names the message among all. The job's progress is its own from now on. */
texting_t *texting_new(work_t *work, const char *to, const char *text, const char *key,
                       void (*end)(work_t *work, const texting_end_t *end));
void texting_free(texting_t **self_p); /* NULL is fine; end is not called any more */

/* The message as it goes into the call's record: borrows text and lang. */
void texting_message(Pl__CallChange *change, Pl__Message *message, const char *text,
                     const char *lang);

/* Ends work whose message was not sent, or not surely; result as of work_fail. */
void texting_not_sent(work_t **work_p, const texting_end_t *end, const work_result_t *result);

#endif
