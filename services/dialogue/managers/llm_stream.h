/* llm_stream.h - one answer of a model as it streams in: its text cut into sentences with their style,
 * its tool calls, its end. What has come waits here until it is taken.
 *
 * Threads: all on the loop's. changed is never called from within stream_ask.
 */
#ifndef DIALOGUE_LLM_STREAM_H
#define DIALOGUE_LLM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "common/loop.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/sentences.h"

enum { STREAM_CALLS_MAX = 16 };

typedef struct stream stream_t;

typedef struct {
    llm_t *llm;
    llm_size_t size;
    const llm_request_t *request; /* borrowed until return */
    const char *lang;
    sentences_t *sentences;   /* goes on with a text that was cut; NULL: begins one. Taken. */
    pl_loop_t *loop;          /* NULL: a text that stands still is not looked at */
    uint64_t (*now_us)(void); /* monotonic */
    void (*changed)(void *arg);
    void *arg;
} stream_opts_t;

stream_t *stream_ask(const stream_opts_t *opts); /* never NULL */
void stream_destroy(stream_t **self_p);          /* cancels what is under way; NULL is fine */

/* The next sentence; NULL when none has come. Borrowed until the next call. */
const char *stream_sentence(stream_t *self, Pl__Style *style);

bool stream_ended(const stream_t *self);
pl_err_t stream_error(const stream_t *self);
llm_finish_t stream_finish(const stream_t *self);
const llm_tool_call_t *stream_calls(const stream_t *self, size_t *count);
bool stream_silent(const stream_t *self); /* not a letter of text has come, nor a tool call */

uint64_t stream_asked_us(const stream_t *self);
uint64_t stream_first_us(const stream_t *self); /* when the first sentence had come; 0: not yet */

/* There is no more text: what is left is a sentence. */
void stream_end_text(stream_t *self);
/* Of an answer that was cut: what was not yet a sentence. Takes it; the stream has no text any more. */
sentences_t *stream_take_rest(stream_t *self);

#endif
