/* translator_llm.c - a language model as translator: one text a request. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/model/draft.h"
#include "services/dialogue/model/language.h"
#include "services/dialogue/model/letters.h"
#include "services/dialogue/translation/translator.h"

enum { TIMEOUT_MS = 8000, ANSWER_BYTES = 16 * 1024, TOKENS_SPARE = 64 };

typedef struct {
    llm_t *llm;
    const instructions_t *instructions;
} model_t;

typedef struct {
    llm_asked_t *asked;
    draft_t answer;
    translator_done_fn *done;
    void *arg;
} asked_t;

void *translator_llm_new(llm_t *llm, const instructions_t *instructions)
{
    model_t *self = malloc(sizeof *self);
    assert(self);
    *self = (model_t){llm, instructions};
    return self;
}

static void on_text(void *arg, const char *piece)
{
    asked_t *asked = arg;
    if (asked->answer.len < ANSWER_BYTES) draft_add(&asked->answer, piece);
}

static void on_tool(void *arg, const llm_tool_call_t *call)
{
    (void)arg;
    (void)call;
}

static void free_asked(asked_t *asked)
{
    draft_free(&asked->answer);
    free(asked);
}

static void on_done(void *arg, pl_err_t err, const llm_end_t *end)
{
    asked_t *asked = arg;
    const char *text = draft_text(&asked->answer);
    asked->asked = NULL;
    if (!err && (end->finish != LLM_STOP || !letters_any(text))) err = PL_INVALID;
    if (err) {
        log_warn("translation.failed", "err=%s detail=\"%.100s\"", pl_err_name(err), end->detail);
    }
    asked->done(asked->arg, err, err ? NULL : text);
    free_asked(asked);
}

static void *llm_translator_ask(void *self, const char *from, const char *to, const char *text,
                                translator_done_fn *done, void *arg)
{
    model_t *model = self;
    draft_t system = {0};
    asked_t *asked = calloc(1, sizeof *asked);
    assert(asked);
    asked->done = done;
    asked->arg = arg;
    const char *const values[] = {"from", language_of(from), "to", language_of(to), NULL};
    instructions_fill(model->instructions, INSTRUCTION_TRANSLATION_SYSTEM, values, &system);
    const llm_message_t messages[] = {{.role = LLM_SYSTEM, .content = draft_text(&system)},
                                      {.role = LLM_USER, .content = text}};
    /* Some languages take twice the tokens of another. */
    llm_request_t request = {.messages = messages,
                             .n_messages = 2,
                             .max_tokens = 3 * llm_tokens(text) + TOKENS_SPARE,
                             .timeout_ms = TIMEOUT_MS};
    llm_sink_t sink = {.arg = asked, .text = on_text, .tool = on_tool, .done = on_done};
    asked->asked = llm_ask(model->llm, LLM_FAST, &request, &sink);
    draft_free(&system);
    return asked;
}

static void llm_translator_cancel(void **asked_p)
{
    asked_t *asked = *asked_p;
    if (!asked) return;
    *asked_p = NULL;
    llm_cancel(&asked->asked);
    free_asked(asked);
}

static void llm_translator_close(void **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

const translator_t translator_llm = {
    .name = "llm",
    .ask = llm_translator_ask,
    .cancel = llm_translator_cancel,
    .close = llm_translator_close,
};
