#include "services/dialogue/model/window.h"

#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/draft.h"
#include "services/dialogue/model/style.h"

enum {
    RESULT_BYTES = 12000,    /* of a tool that the present answer waits for */
    OLD_RESULT_BYTES = 2000, /* of one before: the answer has been given */
    LINE_BYTES = 500,        /* of a tool's arguments or result in a summary's line */
    OVERHEAD_TOKENS = 6,
    CALL_TOKENS = 12,
};

#define NO_RESULT "No result."

/* ---- what a message is worth ---- */

static bool shown(const Pl__Message *message)
{
    if (message->filtered || message->persona == PL__PERSONA__TOOL) return false;
    if (message->persona == PL__PERSONA__HUMAN) {
        return message->content[0] || message->action != PL__ACTION__TALK;
    }
    /* What was never heard was never said; a tool that ran did run. An SMS of a tool's is told by the
     * tool. */
    return message->n_tool_calls || (message->content[0] && message->action == PL__ACTION__TALK);
}

static const char *words_of(const Pl__Message *message, const window_opts_t *opts)
{
    return opts && opts->words ? opts->words(opts->words_arg, message) : message->content;
}

static const char *result_of(const Pl__ToolCall *call)
{
    return call->content[0] ? call->content : NO_RESULT;
}

/* The number of the newest thing that the caller did: what is behind it is the present answer's. */
static uint32_t newest_human(const Pl__CallRecord *record)
{
    for (size_t i = record->n_messages; i-- > 0;) {
        if (record->messages[i]->persona == PL__PERSONA__HUMAN) return record->messages[i]->number;
    }
    return 0;
}

/* Appends at most max bytes of text, whole characters. */
static void add_cut(draft_t *out, const char *text, size_t max)
{
    size_t n = strlen(text);
    if (n > max) {
        n = max;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
    }
    draft_add_n(out, text, n);
    if (text[n]) draft_add(out, "…");
}

static uint32_t cost(const Pl__Message *message, const window_opts_t *opts, size_t result_bytes,
                     uint32_t *count)
{
    uint32_t tokens = OVERHEAD_TOKENS + llm_tokens(words_of(message, opts));
    *count = 1;
    for (size_t i = 0; i < message->n_tool_calls; i++) {
        const Pl__ToolCall *call = message->tool_calls[i];
        draft_t result = {0};
        add_cut(&result, result_of(call), result_bytes);
        tokens += CALL_TOKENS + llm_tokens(call->function_arguments) + llm_tokens(result.at);
        draft_free(&result);
        *count += 1;
    }
    return tokens;
}

/* Index of the oldest message that fits. */
static size_t find_start(const Pl__CallRecord *record, const window_opts_t *opts, window_t *out)
{
    size_t start = record->n_messages;
    uint32_t human = newest_human(record);
    for (size_t i = record->n_messages; i-- > 0;) {
        const Pl__Message *message = record->messages[i];
        uint32_t count = 0;
        if (message->number <= opts->summarised) break;
        if (!shown(message)) continue;
        size_t result_bytes = message->number > human ? RESULT_BYTES : OLD_RESULT_BYTES;
        uint32_t tokens = cost(message, opts, result_bytes, &count);
        bool fits =
            out->tokens + tokens <= opts->max_tokens && out->shown + count <= opts->max_messages;
        if (out->shown && !fits) {
            out->cut = true;
            break;
        }
        out->tokens += tokens;
        out->shown += count;
        out->first = message->number;
        start = i;
    }
    return start;
}

/* ---- how it is shown ---- */

/* Brackets are the telephone system's. */
static void add_words(draft_t *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        char c = *p == '[' ? '(' : *p == ']' ? ')' : *p == '\n' ? ' ' : *p;
        draft_add_n(out, &c, 1);
    }
}

static void write_human(const Pl__Message *message, const window_opts_t *opts, draft_t *out)
{
    switch (message->action) {
    case PL__ACTION__CALL:
        draft_add(out, "[call]");
        break;
    case PL__ACTION__HANGUP:
        draft_add(out, "[hangup]");
        break;
    case PL__ACTION__SMS:
        draft_add(out, "[sms] ");
        add_words(out, words_of(message, opts));
        break;
    case PL__ACTION__TALK:
    case _PL__ACTION_IS_INT_SIZE:
        add_words(out, words_of(message, opts));
        break;
    }
}

static void write_assistant(const Pl__Message *message, const window_opts_t *opts, draft_t *out)
{
    const char *words = message->action == PL__ACTION__TALK ? words_of(message, opts) : "";
    const char *marker = words[0] ? style_marker(message->style) : "";
    draft_addf(out, "%s%s", marker, marker[0] ? " " : "");
    for (const char *p = words; *p; p++) draft_add_n(out, *p == '\n' ? " " : p, 1);
    if (message->interrupted && words[0]) draft_add(out, "…");
}

static void show(const Pl__Message *message, const window_opts_t *opts, size_t result_bytes,
                 thread_t *thread)
{
    draft_t text = {0};
    if (message->persona == PL__PERSONA__HUMAN) {
        write_human(message, opts, &text);
        thread_add_user(thread, draft_text(&text));
    } else {
        write_assistant(message, opts, &text);
        thread_add_assistant(thread, draft_text(&text));
        for (size_t i = 0; i < message->n_tool_calls; i++) {
            const Pl__ToolCall *call = message->tool_calls[i];
            thread_add_call(thread, call->tool_id, call->function_name, call->function_arguments);
        }
        for (size_t i = 0; i < message->n_tool_calls; i++) {
            draft_clear(&text);
            add_cut(&text, result_of(message->tool_calls[i]), result_bytes);
            thread_add_result(thread, message->tool_calls[i]->tool_id, text.at);
        }
    }
    draft_free(&text);
}

window_t window_show(const Pl__CallRecord *record, const window_opts_t *opts, thread_t *thread)
{
    window_t out = {0};
    size_t start = find_start(record, opts, &out);
    uint32_t human = newest_human(record);
    const Pl__Message *first = start < record->n_messages ? record->messages[start] : NULL;
    /* Many models want a user to speak first. */
    if (out.cut) {
        thread_add_user(thread, "[earlier parts of the call are not shown]");
    } else if (first && first->persona != PL__PERSONA__HUMAN) {
        thread_add_user(thread, "[call]");
    }
    for (size_t i = start; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        size_t result_bytes = message->number > human ? RESULT_BYTES : OLD_RESULT_BYTES;
        if (shown(message)) show(message, opts, result_bytes, thread);
    }
    return out;
}

uint32_t window_pending(const Pl__CallRecord *record, uint32_t number)
{
    uint32_t pending = 0;
    for (size_t i = 0; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        if (message->number <= number || !shown(message)) continue;
        pending += 1 + (uint32_t)message->n_tool_calls;
    }
    return pending;
}

void window_write(const Pl__CallRecord *record, uint32_t from, uint32_t to,
                  const window_opts_t *opts, draft_t *out)
{
    for (size_t i = 0; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        if (message->number < from || message->number > to || !shown(message)) continue;
        bool human = message->persona == PL__PERSONA__HUMAN;
        draft_add(out, human ? "caller: " : "assistant: ");
        if (human) {
            write_human(message, opts, out);
        } else {
            add_words(out, words_of(message, opts));
        }
        for (size_t k = 0; k < message->n_tool_calls; k++) {
            const Pl__ToolCall *call = message->tool_calls[k];
            draft_addf(out, " (%s ", call->function_name);
            add_cut(out, call->function_arguments, LINE_BYTES);
            draft_add(out, ": ");
            add_cut(out, result_of(call), LINE_BYTES);
            draft_add(out, ")");
        }
        draft_add(out, "\n");
    }
}
