/* llm_summary.c - long calls: the older part of the history is summed up by the model, between answers,
 * before it would have to be left out. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/managers/llm_internal.h"
#include "services/dialogue/model/facts.h"
#include "services/dialogue/model/letters.h"

enum { SUMMARY_BYTES = 4000, SUMMARY_TOKENS = 500, PART_BYTES = 24000 };

static void on_text(void *arg, const char *piece)
{
    talk_t *t = arg;
    if (t->sum.len < SUMMARY_BYTES) draft_add(&t->sum, piece);
}

static void on_tool(void *arg, const llm_tool_call_t *call)
{
    (void)arg;
    (void)call;
}

static void on_done(void *arg, pl_err_t err, const llm_end_t *end)
{
    talk_t *t = arg;
    t->summing = NULL;
    bool told = !err && end->finish != LLM_FILTERED && letters_any(draft_text(&t->sum));
    if (told) {
        free(t->summary);
        t->summary = draft_take(&t->sum);
        t->summarised = t->sum_to;
        meter_add(METER_SUMMARIES);
    } else {
        log_warn("call.not_summed_up", "err=%s detail=\"%.100s\"", pl_err_name(err), end->detail);
    }
    draft_free(&t->sum);
}

/* Up to which message to sum up: the newest part, half of what is shown, stays as it is. */
static uint32_t choose_end(const talk_t *t, const Pl__CallRecord *record, uint32_t told)
{
    uint32_t kept = t->opts.history_messages / 2;
    uint32_t end = told;
    for (size_t i = 0; i < record->n_messages; i++) {
        uint32_t number = record->messages[i]->number;
        if (number > told && window_pending(record, number) >= kept) end = number;
    }
    return end;
}

static void ask(talk_t *t, const Pl__CallRecord *record, uint32_t told)
{
    draft_t system = {0};
    draft_t lines = {0};
    draft_t user = {0};
    const Pl__Initiate *initiate = record->initiate;
    const char *const values[] = {
        "bot_name", initiate->bot_name, "bot_company", initiate->bot_company,
        "task",     initiate->task,     NULL};
    uint32_t end = choose_end(t, record, told);
    uint32_t number = told;
    while (number < end && lines.len < PART_BYTES) {
        number++;
        window_write(record, number, number, NULL, &lines);
    }
    char *notes = facts_escaped(t->summary ? t->summary : "none yet");
    char *talk = facts_escaped(draft_text(&lines));
    instructions_fill(t->opts.instructions, INSTRUCTION_SUMMARY_SYSTEM, values, &system);
    draft_addf(&user,
               "The notes so far: <notes>%s</notes>\nSaid since: <conversation>\n%s"
               "</conversation>",
               notes, talk);
    const llm_message_t messages[] = {{.role = LLM_SYSTEM, .content = draft_text(&system)},
                                      {.role = LLM_USER, .content = draft_text(&user)}};
    llm_request_t request = {.messages = messages, .n_messages = 2, .max_tokens = SUMMARY_TOKENS};
    llm_sink_t sink = {.arg = t, .text = on_text, .tool = on_tool, .done = on_done};
    t->sum_to = number;
    draft_free(&t->sum);
    t->summing = llm_ask(t->opts.llm, LLM_FAST, &request, &sink);
    free(notes);
    free(talk);
    draft_free(&system);
    draft_free(&lines);
    draft_free(&user);
}

void talk_summarise(talk_t *t)
{
    const Pl__CallRecord *record = t->sink.record(t->sink.arg);
    uint32_t told = talk_window(t).summarised;
    bool long_ago = window_pending(record, told) * 4 > t->opts.history_messages * 3;
    if (t->summing || !long_ago || !llm_well(t->opts.llm)) return;
    if (choose_end(t, record, told) > told) ask(t, record, told);
}

void talk_summary_drop(talk_t *t)
{
    llm_cancel(&t->summing);
    draft_free(&t->sum);
    free(t->summary);
    t->summary = NULL;
    t->summarised = 0;
}
