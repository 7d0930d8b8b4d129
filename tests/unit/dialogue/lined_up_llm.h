/* lined_up_llm.h - for tests: a model that answers what the test has lined up, in place of llm.c at link
 * time. Include after cmocka.h and shop.h; each test program includes it once. */
#ifndef TESTS_DIALOGUE_LINED_UP_LLM_H
#define TESTS_DIALOGUE_LINED_UP_LLM_H

#include <stdlib.h>
#include <string.h>

#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/draft.h"

enum { FAKE_ANSWERS = 16 };

typedef struct {
    const char *text; /* NULL: none */
    pl_err_t err;
    llm_finish_t finish;
} fake_answer_t;

struct llm_asked {
    llm_sink_t sink;
    fake_answer_t answer;
    pl_timer_t *timer;
};

static struct {
    fake_answer_t answers[FAKE_ANSWERS];
    size_t count; /* lined up */
    size_t asked; /* so many requests */
    bool hold;    /* never answer */
    unsigned cancelled;
    uint32_t context;
    draft_t seen; /* all messages of the last request: "role: content\n" */
    char schema[4096];
    llm_size_t size;
} fake;

static inline void fake_answers(const fake_answer_t *answers, size_t count)
{
    draft_free(&fake.seen);
    memset(&fake, 0, sizeof fake);
    fake.context = 8000;
    if (count) memcpy(fake.answers, answers, count * sizeof *answers);
    fake.count = count;
}

static void fake_reply(void *arg)
{
    llm_asked_t *self = arg;
    llm_sink_t sink = self->sink;
    fake_answer_t answer = self->answer;
    llm_end_t end = {.finish = answer.finish, .model = "fake", .detail = answer.err ? "away" : ""};
    pl_timer_stop(&self->timer);
    free(self);
    /* In pieces, as it comes. */
    const char *text = answer.text ? answer.text : "";
    size_t half = strlen(text) / 2;
    char *first = strndup(text, half);
    assert_non_null(first);
    if (half) sink.text(sink.arg, first);
    if (text[half]) sink.text(sink.arg, text + half);
    free(first);
    sink.done(sink.arg, answer.err, &end);
}

llm_asked_t *llm_ask(llm_t *self, llm_size_t size, const llm_request_t *request,
                     const llm_sink_t *sink)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    assert_non_null(self);
    if (fake.asked >= fake.count && !fake.hold) fail_msg("asked %zu times", fake.asked + 1);
    llm_asked_t *asked = calloc(1, sizeof *asked);
    assert_non_null(asked);
    asked->sink = *sink;
    asked->answer = fake.answers[fake.asked++];
    fake.size = size;
    draft_clear(&fake.seen);
    for (size_t i = 0; i < request->n_messages; i++)
        draft_addf(&fake.seen, "%s: %s\n", roles[request->messages[i].role],
                   request->messages[i].content);
    (void)snprintf(fake.schema, sizeof fake.schema, "%s",
                   request->answer_schema ? request->answer_schema : "");
    if (!fake.hold) asked->timer = pl_timer_start(shop.loop, 0, 0, fake_reply, asked);
    return asked;
}

void llm_cancel(llm_asked_t **asked_p)
{
    llm_asked_t *self = *asked_p;
    *asked_p = NULL;
    if (!self) return;
    fake.cancelled++;
    pl_timer_stop(&self->timer);
    free(self);
}

uint32_t llm_context_tokens(const llm_t *self, llm_size_t size)
{
    (void)self;
    (void)size;
    return fake.context;
}

/* Four letters a token, as most tokenizers have it for English. */
uint32_t llm_tokens(const char *text)
{
    return (uint32_t)(strlen(text) / 4 + 1);
}

static inline bool fake_saw(const char *text)
{
    return strstr(draft_text(&fake.seen), text) != NULL;
}

#endif
