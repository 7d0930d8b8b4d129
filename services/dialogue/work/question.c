#include "services/dialogue/work/question.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/letters.h"
#include "services/dialogue/model/thread.h"
#include "services/dialogue/work/brief.h"

struct question {
    llm_t *llm;
    question_opts_t opts;
    cJSON *schema;
    thread_t *thread;
    llm_asked_t *asked;
    draft_t answer;
    bool too_long;
    unsigned repairs;
    question_done_fn *done;
    void *arg;
};

static void ask(question_t *self);

/* ---- is it right? ---- */

/* The outermost braces of what was said. NULL: it is no JSON object. */
static cJSON *read_object(const char *text)
{
    const char *from = strchr(text, '{');
    const char *to = strrchr(text, '}');
    if (!from || !to || to < from) return NULL;
    cJSON *json = cJSON_ParseWithLength(from, (size_t)(to - from) + 1);
    if (cJSON_IsObject(json)) return json;
    cJSON_Delete(json);
    return NULL;
}

static bool right_object(const question_t *self, const cJSON *json,
                         char reason[SCHEMA_REASON_BYTES])
{
    if (!json) {
        (void)snprintf(reason, SCHEMA_REASON_BYTES, "it is not one JSON object");
        return false;
    }
    if (schema_check(self->schema, json, reason) != PL_OK) return false;
    return !self->opts.check || self->opts.check(json, reason);
}

static void finish(question_t *self, pl_err_t err, const cJSON *json, const char *detail)
{
    self->done(self->arg, err, json, draft_text(&self->answer), detail);
}

/* ---- answers ---- */

static void repair(question_t *self, const char *reason)
{
    char text[SCHEMA_REASON_BYTES + 160];
    if (self->repairs == QUESTION_REPAIRS) {
        (void)snprintf(text, sizeof text, "the model's answer was wrong %d times: %s",
                       QUESTION_REPAIRS + 1, reason);
        finish(self, PL_INVALID, NULL, text);
        return;
    }
    self->repairs++;
    (void)snprintf(text, sizeof text, "That cannot be used: %s. Answer again%s.", reason,
                   self->schema ? ", with one JSON object and nothing else" : "");
    /* Some models refuse an empty message of their own. */
    thread_add_assistant(self->thread, self->answer.len ? draft_text(&self->answer) : "-");
    thread_add_user(self->thread, text);
    draft_clear(&self->answer);
    self->too_long = false;
    ask(self);
}

static void look(question_t *self, const llm_end_t *end)
{
    char reason[SCHEMA_REASON_BYTES] = "";
    if (end->finish == LLM_FILTERED) {
        finish(self, PL_INVALID, NULL, "the model's content filter refused it");
    } else if (self->too_long || end->finish == LLM_LENGTH) {
        repair(self, "it is too long and was cut off; be briefer");
    } else if (!self->schema) {
        if (letters_any(draft_text(&self->answer)))
            finish(self, PL_OK, NULL, "");
        else
            repair(self, "it is empty");
    } else {
        cJSON *json = read_object(draft_text(&self->answer));
        if (right_object(self, json, reason))
            finish(self, PL_OK, json, "");
        else
            repair(self, reason);
        cJSON_Delete(json);
    }
}

static void on_text(void *arg, const char *piece)
{
    question_t *self = arg;
    if (self->answer.len + strlen(piece) > QUESTION_ANSWER_BYTES_MAX)
        self->too_long = true;
    else
        draft_add(&self->answer, piece);
}

static void on_tool(void *arg, const llm_tool_call_t *call)
{
    (void)arg; /* none was offered */
    (void)call;
}

static void on_done(void *arg, pl_err_t err, const llm_end_t *end)
{
    question_t *self = arg;
    self->asked = NULL;
    if (err)
        finish(self, err, NULL, end->detail && *end->detail ? end->detail : pl_err_text(err));
    else
        look(self, end);
}

static void ask(question_t *self)
{
    llm_request_t request = {
        .answer_schema = self->opts.schema,
        .answer_name = self->opts.name,
        .max_tokens = BRIEF_ANSWER_TOKENS,
    };
    request.messages = thread_messages(self->thread, &request.n_messages);
    llm_sink_t sink = {.arg = self, .text = on_text, .tool = on_tool, .done = on_done};
    self->asked = llm_ask(self->llm, LLM_SLOW, &request, &sink);
}

/* ---- life ---- */

question_t *question_new(llm_t *llm, const question_opts_t *opts, question_done_fn *done, void *arg)
{
    question_t *self = calloc(1, sizeof *self);
    assert(self);
    self->llm = llm;
    self->opts = *opts;
    self->done = done;
    self->arg = arg;
    if (opts->schema) {
        self->schema = cJSON_Parse(opts->schema);
        assert(self->schema); /* ours */
    }
    self->thread = thread_new();
    thread_add(self->thread, LLM_SYSTEM, opts->system);
    /* Servers want somebody to have asked. */
    thread_add_user(self->thread, opts->schema ? "Write the JSON object now." : "Write it now.");
    ask(self);
    return self;
}

void question_free(question_t **self_p)
{
    question_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    llm_cancel(&self->asked);
    thread_destroy(&self->thread);
    cJSON_Delete(self->schema);
    draft_free(&self->answer);
    free(self);
}
