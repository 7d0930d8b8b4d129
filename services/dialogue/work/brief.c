#include "services/dialogue/work/brief.h"

#include <stdlib.h>

#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/facts.h"
#include "services/dialogue/model/language.h"
#include "services/dialogue/model/window.h"
#include "services/dialogue/work/notices.h"

enum { TALK_TOKENS_LEAST = 500, MARGIN_TOKENS = 300, CONTEXT_TOKENS = 8000, CUT_TOKENS = 40 };

static void write_one(const Pl__CallRecord *record, uint32_t number, draft_t *out)
{
    draft_t line = {0};
    window_write(record, number, number, NULL, &line);
    char *escaped = facts_escaped(draft_text(&line));
    draft_add(out, escaped);
    free(escaped);
    draft_free(&line);
}

/* The newest messages that fit into so many tokens. */
static void write_talk(const Pl__CallRecord *record, uint32_t tokens, draft_t *out)
{
    size_t first = record->n_messages;
    uint32_t used = CUT_TOKENS;
    while (first > 0) {
        draft_t line = {0};
        write_one(record, record->messages[first - 1]->number, &line);
        used += llm_tokens(draft_text(&line));
        draft_free(&line);
        if (used > tokens && first < record->n_messages) break;
        first--;
    }
    if (first > 0) draft_addf(out, "[the first %zu messages are left out]\n", first);
    for (size_t i = first; i < record->n_messages; i++)
        write_one(record, record->messages[i]->number, out);
}

void brief_write(const Pl__CallRecord *record, const instructions_t *instructions, instruction_t id,
                 const char *format, uint32_t context_tokens, draft_t *out)
{
    const Pl__Initiate *initiate = record->initiate;
    char *claim = facts_claim(record);
    char *reminders = facts_reminders(record);
    draft_t talk = {0};
    draft_t bare = {0};
    const char *values[] = {"bot_name",
                            initiate->bot_name,
                            "bot_company",
                            initiate->bot_company,
                            "task",
                            initiate->task,
                            "claim",
                            claim,
                            "reminders",
                            reminders,
                            "default_lang",
                            language_name(record, notices_lang(record)),
                            "format",
                            format,
                            "messages",
                            "",
                            NULL};
    enum { MESSAGES_VALUE = sizeof values / sizeof *values - 2 };
    instructions_fill(instructions, id, values, &bare);
    uint32_t context = context_tokens ? context_tokens : CONTEXT_TOKENS;
    uint32_t taken = llm_tokens(draft_text(&bare)) + BRIEF_ANSWER_TOKENS + MARGIN_TOKENS;
    uint32_t left = context > taken ? context - taken : 0;
    if (left < TALK_TOKENS_LEAST) left = TALK_TOKENS_LEAST;
    if (left > BRIEF_TALK_TOKENS_MAX) left = BRIEF_TALK_TOKENS_MAX;
    write_talk(record, left, &talk);
    values[MESSAGES_VALUE] = draft_text(&talk);
    instructions_fill(instructions, id, values, out);
    draft_free(&bare);
    draft_free(&talk);
    free(claim);
    free(reminders);
}
