/* window.h - a call's history as a model is shown it: the newest part, within bounds.
 *
 * Callers are users, the bot is the assistant; what the telephone system knows stands in the user's
 * messages as notes in square brackets ("[call]", "[hangup]", "[sms] text"), which nobody else can
 * write: brackets in what a caller said become round ones. An interrupted answer is what was heard of
 * it. Each tool call has exactly one result behind it. What a filter refused is left out.
 *
 * Threads: none. Pure.
 */
#ifndef DIALOGUE_MODEL_WINDOW_H
#define DIALOGUE_MODEL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "services/dialogue/model/draft.h"
#include "services/dialogue/model/thread.h"

typedef struct {
    uint32_t max_messages; /* of the model's, at least 2; the newest utterance is always shown */
    uint32_t max_tokens;
    uint32_t summarised; /* messages up to this number are told by a summary: not shown */
    /* The words of a message, where they are not its content (a translation); NULL: its content.
     * Borrowed until the next call. */
    const char *(*words)(void *arg, const Pl__Message *message);
    void *words_arg;
} window_opts_t;

typedef struct {
    uint32_t first;  /* number of the oldest message shown; 0: none */
    bool cut;        /* something before it is neither shown nor told by the summary */
    uint32_t shown;  /* messages, as the model counts them */
    uint32_t tokens; /* of them, as estimated */
} window_t;

/* Appends the history to thread. */
window_t window_show(const Pl__CallRecord *record, const window_opts_t *opts, thread_t *thread);

/* How many messages of the record, after number, a model would be shown. */
uint32_t window_pending(const Pl__CallRecord *record, uint32_t number);

/* The conversation from message from to message to, both included, as lines for a summary:
 * "caller: ...". Appends to out. */
void window_write(const Pl__CallRecord *record, uint32_t from, uint32_t to,
                  const window_opts_t *opts, draft_t *out);

#endif
