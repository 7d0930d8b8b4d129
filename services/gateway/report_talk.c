#include "services/gateway/report_talk.h"

#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/gateway/page.h"
#include "services/gateway/when.h"

/* By time; what has the same time stays in the order of its number. */
static int by_time(const void *a, const void *b)
{
    const Pl__Message *x = *(Pl__Message *const *)a, *y = *(Pl__Message *const *)b;
    if (x->created_at_ms != y->created_at_ms) return x->created_at_ms < y->created_at_ms ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void speaker(text_t *out, const Pl__CallRecord *call, Pl__Persona persona)
{
    const Pl__ClaimValue *name = pl_record_claim(call, "policyholder_name");
    if (persona == PL__PERSONA__ASSISTANT) {
        const char *bot = call->initiate ? call->initiate->bot_name : "";
        text_html(out, bot[0] ? bot : "Assistant");
    } else if (persona == PL__PERSONA__TOOL) {
        text_add(out, "Tool");
    } else {
        text_html(out, name && name->value[0] ? name->value : "Customer");
    }
}

static void part(text_t *out, const char *name, uint32_t ms)
{
    if (ms > 0) text_fmt(out, "&#10;%s: %u ms", name, ms);
}

static void latency(text_t *out, const Pl__Message *message)
{
    if (message->answer_latency_ms == 0) return;
    text_add(out, "<span class=\"latency\" title=\"from the end of the customer's words to the "
                  "first sound of this answer");
    part(out, "endpointing", message->endpointing_ms);
    part(out, "recognition", message->recognition_ms);
    part(out, "thinking", message->thinking_ms);
    part(out, "synthesis", message->synthesis_ms);
    text_fmt(out, "\">answered in %u ms</span>", message->answer_latency_ms);
}

static void tools(text_t *out, const Pl__Message *message)
{
    for (size_t i = 0; i < message->n_tool_calls; i++) {
        const Pl__ToolCall *call = message->tool_calls[i];
        text_add(out, "<details class=\"tool\"><summary>");
        page_label(out, call->function_name);
        text_add(out, "</summary>");
        if (call->function_arguments[0]) {
            text_add(out, "<pre>");
            text_html(out, call->function_arguments);
            text_add(out, "</pre>");
        }
        text_add(out, "<p>");
        text_html(out, call->content);
        text_add(out, "</p></details>");
    }
}

static void passages(text_t *out, const Pl__Message *message)
{
    if (message->n_passages == 0) return;
    text_fmt(out,
             "<details class=\"tool passages\"><summary>%zu passage%s of the knowledge base"
             "</summary><ul>",
             message->n_passages, message->n_passages == 1 ? "" : "s");
    for (size_t i = 0; i < message->n_passages; i++) {
        const Pl__PassageUsed *passage = message->passages[i];
        text_add(out, "<li><b>");
        text_html(out, passage->title);
        text_add(out, "</b> ");
        text_html(out, passage->source);
        text_fmt(out, " <span class=\"faint\">%.1f of 5</span></li>", passage->score);
    }
    text_add(out, "</ul></details>");
}

/* When a line was said, for playing it: a bot's message is made when it is to be spoken, a caller's
 * when its words are known. So the latter began as long before as its words take, about, and not
 * before the line above. */
static int64_t said_from(const Pl__Message *message, int64_t not_before_ms)
{
    enum { BEFORE_MS = 500, CHARACTER_MS = 65 };
    if (message->persona != PL__PERSONA__HUMAN) return message->created_at_ms;
    int64_t length_ms = BEFORE_MS + CHARACTER_MS * (int64_t)strlen(message->content);
    int64_t from_ms = message->created_at_ms - length_ms;
    return from_ms < not_before_ms ? not_before_ms : from_ms;
}

static void place(text_t *out, const Pl__CallRecord *call, int64_t at_ms)
{
    if (call->n_recordings == 0) return;
    text_fmt(out, " tabindex=\"0\" data-at=\"%lld\"", (long long)at_ms);
}

static void player(text_t *out, const Pl__CallRecord *call, size_t i)
{
    const Pl__Recording *recording = call->recordings[i];
    if (recording->number > 0) {
        text_add(out, "<audio class=\"recording\" controls preload=\"metadata\" src=\"/recording/");
        text_url(out, call->call_id);
        text_fmt(out, "?part=%zu\" data-from=\"%lld\" data-ms=\"%u\"></audio>", i + 1,
                 (long long)recording->started_at_ms, recording->duration_ms);
    }
    if (recording->failure[0]) {
        text_add(out, "<p class=\"faint\">The recording could not be written to its end: ");
        text_html(out, recording->failure);
        text_add(out, ".</p>");
    } else if (recording->lost_ms > 0) {
        text_fmt(out, "<p class=\"faint\">%u ms of the recording are missing.</p>",
                 recording->lost_ms);
    }
}

/* Called, hung up: a line between the bubbles. */
static void event(text_t *out, const Pl__CallRecord *call, const Pl__Message *message,
                  const char *did)
{
    text_fmt(out, "<li class=\"event\" id=\"message-%u\"><span>", message->number);
    speaker(out, call, message->persona);
    text_fmt(out, " %s</span> ", did);
    when_clock(out, message->created_at_ms, call->time_zone);
    text_add(out, "</li>\n");
}

static void bubble(text_t *out, const Pl__CallRecord *call, const Pl__Message *message,
                   int64_t from_ms)
{
    bool bot = message->persona == PL__PERSONA__ASSISTANT;
    text_fmt(out, "<li class=\"said %s\" id=\"message-%u\"", bot ? "bot" : "human",
             message->number);
    place(out, call, from_ms);
    text_add(out, "><p class=\"meta\"><b>");
    speaker(out, call, message->persona);
    text_fmt(out, "</b> %s ", message->action == PL__ACTION__SMS ? "sent a SMS" : "said");
    when_clock(out, message->created_at_ms, call->time_zone);
    text_add(out, "</p><div class=\"bubble\"><p>");
    text_html(out, message->content);
    if (message->interrupted) {
        text_fmt(out,
                 "<span class=\"cut\" title=\"the customer took the floor %s\"> "
                 "— interrupted</span>",
                 message->heard_estimated ? "about here" : "here");
    }
    text_add(out, "</p>");
    tools(out, message);
    passages(out, message);
    text_add(out, "</div>");
    latency(out, message);
    text_add(out, "</li>\n");
}

static void line(text_t *out, const Pl__CallRecord *call, const Pl__Message *message,
                 int64_t from_ms)
{
    if (message->action == PL__ACTION__CALL) {
        event(out, call, message, call->outbound ? "answered" : "called");
    } else if (message->action == PL__ACTION__HANGUP) {
        event(out, call, message, "hung up");
    } else if (message->content[0] || message->n_tool_calls + message->n_passages > 0) {
        bubble(out, call, message, from_ms);
    }
}

void report_talk(text_t *out, const Pl__CallRecord *call)
{
    text_add(out, "<section class=\"card\" id=\"conversation\"><h2>Conversation</h2>\n");
    for (size_t i = 0; i < call->n_recordings; i++) player(out, call, i);
    if (call->n_messages == 0) {
        text_add(out, "<p class=\"faint\">Nothing was said.</p></section>\n");
        return;
    }
    Pl__Message **sorted = calloc(call->n_messages, sizeof *sorted);
    if (!sorted) abort();
    memcpy(sorted, call->messages, call->n_messages * sizeof *sorted);
    qsort(sorted, call->n_messages, sizeof *sorted, by_time);
    text_add(out, "<ol class=\"talk\">\n");
    for (size_t i = 0; i < call->n_messages; i++) {
        int64_t above_ms = i > 0 ? sorted[i - 1]->created_at_ms : 0;
        line(out, call, sorted[i], said_from(sorted[i], above_ms));
    }
    text_add(out, "</ol></section>\n");
    free(sorted);
}
