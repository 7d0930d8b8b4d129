/* fake_llm.h - a model that says what the test tells it to, in place of services/dialogue/llm. Every
 * request is kept; the test answers it piece by piece. Include once in a program. */
#ifndef TEST_FAKE_LLM_H
#define TEST_FAKE_LLM_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/draft.h"

#ifndef UNUSED
#define UNUSED __attribute__((unused))
#endif

enum { FAKE_ASKED_MAX = 256 };

struct llm {
    bool well;
    uint32_t context;
};

struct llm_asked {
    llm_size_t size;
    llm_sink_t sink;
    draft_t text;  /* of the messages, a line each: "user: ..." */
    draft_t tools; /* their names, a line each */
    char *schema;
    uint32_t max_tokens, timeout_ms;
    size_t n_messages;
    bool over, cancelled;
    bool paired; /* every tool call has exactly one result right behind it */
};

static struct llm fake_llm = {.well = true, .context = 16000};
static llm_asked_t *fake_asked[FAKE_ASKED_MAX];
static size_t fake_count;

const pl_config_key_t llm_config_keys[] = {{NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};

pl_err_t llm_new(llm_t **out, pl_loop_t *loop, const pl_config_t *cfg)
{
    (void)loop;
    (void)cfg;
    *out = NULL;
    return PL_OK;
}

void llm_destroy(llm_t **self_p)
{
    *self_p = NULL;
}

static const char *fake_role(llm_role_t role)
{
    static const char *const names[] = {"system", "user", "assistant", "tool"};
    return names[role];
}

static bool fake_check_pairs(const llm_request_t *request)
{
    for (size_t i = 0; i < request->n_messages; i++) {
        const llm_message_t *message = &request->messages[i];
        for (size_t k = 0; k < message->n_calls; k++) {
            if (i + 1 + k >= request->n_messages) return false;
            const llm_message_t *result = &request->messages[i + 1 + k];
            if (result->role != LLM_TOOL || strcmp(result->tool_id, message->calls[k].id) != 0)
                return false;
        }
        if (message->role == LLM_TOOL) {
            bool behind = i && (request->messages[i - 1].n_calls ||
                                request->messages[i - 1].role == LLM_TOOL);
            if (!behind || !message->content[0]) return false;
        }
    }
    return true;
}

llm_asked_t *llm_ask(llm_t *self, llm_size_t size, const llm_request_t *request,
                     const llm_sink_t *sink)
{
    (void)self;
    llm_asked_t *asked = calloc(1, sizeof *asked);
    assert(asked && fake_count < FAKE_ASKED_MAX);
    asked->size = size;
    asked->sink = *sink;
    asked->max_tokens = request->max_tokens;
    asked->timeout_ms = request->timeout_ms;
    asked->n_messages = request->n_messages;
    asked->paired = fake_check_pairs(request);
    if (request->answer_schema) {
        asked->schema = strdup(request->answer_schema);
        assert(asked->schema);
    }
    for (size_t i = 0; i < request->n_messages; i++) {
        const llm_message_t *message = &request->messages[i];
        draft_addf(&asked->text, "%s: %s", fake_role(message->role), message->content);
        for (size_t k = 0; k < message->n_calls; k++) {
            draft_addf(&asked->text, " {%s %s}", message->calls[k].name,
                       message->calls[k].arguments);
        }
        draft_add(&asked->text, "\n");
    }
    for (size_t i = 0; i < request->n_tools; i++) {
        draft_addf(&asked->tools, "%s\n", request->tools[i].name);
    }
    fake_asked[fake_count++] = asked;
    return asked;
}

void llm_cancel(llm_asked_t **asked_p)
{
    if (!*asked_p) return;
    assert(!(*asked_p)->over); /* a spent handle must not be cancelled */
    (*asked_p)->cancelled = (*asked_p)->over = true;
    *asked_p = NULL;
}

bool llm_well(const llm_t *self)
{
    return self->well;
}

uint32_t llm_context_tokens(const llm_t *self, llm_size_t size)
{
    (void)size;
    return self->context;
}

uint32_t llm_answer_tokens(const llm_t *self, llm_size_t size)
{
    (void)self;
    (void)size;
    return 160;
}

uint32_t llm_tokens(const char *text)
{
    return (uint32_t)(strlen(text) / 4 + 1);
}

/* ---- for the test ---- */

static UNUSED llm_asked_t *fake_newest(void)
{
    assert(fake_count);
    return fake_asked[fake_count - 1];
}

static UNUSED void fake_text(llm_asked_t *asked, const char *piece)
{
    if (!asked->over) asked->sink.text(asked->sink.arg, piece);
}

static UNUSED void fake_tool(llm_asked_t *asked, const char *id, const char *name,
                             const char *arguments)
{
    llm_tool_call_t call = {id, name, arguments};
    if (!asked->over) asked->sink.tool(asked->sink.arg, &call);
}

static UNUSED void fake_done(llm_asked_t *asked, pl_err_t err, llm_finish_t finish)
{
    if (asked->over) return;
    llm_end_t end = {.finish = finish, .model = "fake", .detail = "as told"};
    asked->over = true;
    asked->sink.done(asked->sink.arg, err, &end);
}

static UNUSED void fake_clear(void)
{
    for (size_t i = 0; i < fake_count; i++) {
        draft_free(&fake_asked[i]->text);
        draft_free(&fake_asked[i]->tools);
        free(fake_asked[i]->schema);
        free(fake_asked[i]);
    }
    fake_count = 0;
    fake_llm = (struct llm){.well = true, .context = 16000};
}

#endif
