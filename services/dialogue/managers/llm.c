/* llm.c - the language model's manager: whose turn it is to think, the model's or the script's. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/managers/llm_internal.h"
#include "services/dialogue/model/facts.h"

enum { PASSAGES_BYTES = 12000 };

static void *llm_open(const manager_opts_t *opts, const manager_sink_t *sink, const char *seed)
{
    talk_t *t = calloc(1, sizeof *t);
    assert(t);
    t->opts = *opts;
    t->sink = *sink;
    t->seed = strdup(seed);
    assert(t->seed);
    meter_make();
    return t;
}

static void llm_close(void **self)
{
    talk_t *t = *self;
    if (!t) return;
    talk_drop(t);
    talk_guess_drop(t);
    talk_summary_drop(t);
    talk_script_close(t);
    toolbox_destroy(&t->tools[0]);
    toolbox_destroy(&t->tools[1]);
    draft_free(&t->last);
    free(t->text);
    free(t->seed);
    free(t);
    *self = NULL;
}

bool talk_notice_call(talk_t *t, const Pl__CallRecord *record)
{
    if (strcmp(t->call, record->call_id) == 0) return false;
    snprintf(t->call, sizeof t->call, "%s", record->call_id);
    talk_guess_drop(t);
    talk_summary_drop(t);
    talk_script_close(t);
    t->scripted = false;
    t->floor = t->refused = 0;
    toolbox_destroy(&t->tools[0]);
    toolbox_destroy(&t->tools[1]);
    return true;
}

static void take_context(talk_t *t, const think_t *think)
{
    t->now = think->now;
    snprintf(t->zone, sizeof t->zone, "%s", think->zone ? think->zone : "");
    free(t->passages);
    t->passages = facts_passages(think->found, PASSAGES_BYTES);
}

static void answer(talk_t *t, const ask_t *ask)
{
    if (talk_to_script(t)) {
        talk_guess_drop(t);
        talk_script_begin(t);
    } else {
        talk_begin(t, ask);
    }
}

static void llm_think(void *self, const think_t *think)
{
    talk_t *t = self;
    char *text = strdup(think->text);
    assert(text);
    (void)talk_notice_call(t, think->record);
    talk_drop(t);
    take_context(t, think);
    free(t->text);
    t->text = text;
    t->thinking = true;
    t->thought = think->number;
    t->kind = think->kind;
    t->message = think->message;
    t->unheard = think->unheard;
    t->began_us = t->opts.now_us();
    t->counted = t->spoke = t->leaving = t->moved = t->by_script = false;
    draft_clear(&t->last);
    switch (think->kind) {
    case THINK_OPENING:
        talk_say_prompt(t, PROMPT_HELLO, ANSWERED_PROMPT);
        talk_say_prompt(t, PROMPT_HELP, ANSWERED_PROMPT);
        talk_finish(t, PL_OK);
        break;
    case THINK_RESUMED:
        answer(t, &(ask_t){.barred = true});
        break;
    case THINK_TRANSFER_FAILED:
        talk_say_prompt(t, PROMPT_TRANSFER_FAILED, ANSWERED_PROMPT);
        talk_finish(t, PL_OK);
        break;
    case THINK_ADOPTED: /* the very words once more: no model need be waited for */
        talk_say_prompt(t, PROMPT_LINE_BACK, ANSWERED_PROMPT);
        talk_say(t, t->text, PL__STYLE__NONE, ANSWERED_PROMPT);
        talk_finish(t, PL_OK);
        break;
    case THINK_UTTERANCE:
        if (t->text[0]) {
            answer(t, &(ask_t){0});
        } else { /* a voice without words */
            talk_say_prompt(t, PROMPT_NOT_UNDERSTOOD, ANSWERED_PROMPT);
            talk_finish(t, PL_OK);
        }
        break;
    }
}

static void llm_partial(void *self, const think_t *think)
{
    talk_t *t = self;
    bool well = llm_well(t->opts.llm) && t->opts.now_us() >= t->rest_until_us;
    if (!t->opts.speculate || t->thinking || !well) return;
    (void)talk_notice_call(t, think->record);
    take_context(t, think);
    talk_guess(t, think->text);
}

static void llm_tool_result(void *self, const tool_result_t *result)
{
    talk_t *t = self;
    if (t->by_script) {
        manager_script.tool_result(t->script, result);
    } else if (t->thinking) {
        talk_result(t, result);
    }
}

static void llm_cancel_thought(void *self)
{
    talk_t *t = self;
    if (!t->thinking) return;
    uint64_t now_us = t->opts.now_us();
    /* Given up by the machine for want of a single word: it would be so with the next one, too. */
    uint64_t hard_ms = t->opts.settings->hard_ms;
    bool in_vain = !t->by_script && !t->spoke && now_us - t->began_us >= hard_ms * 900;
    if (in_vain) t->rest_until_us = now_us + (uint64_t)REST_MS * 1000;
    if (t->by_script) manager_script.cancel(t->script);
    t->by_script = false;
    talk_drop(t);
}

const manager_t manager_llm = {
    .name = "llm",
    .open = llm_open,
    .think = llm_think,
    .tool_result = llm_tool_result,
    .cancel = llm_cancel_thought,
    .partial = llm_partial,
    .close = llm_close,
};
