#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/gateway/call_json.h"
#include "services/gateway/page.h"
#include "services/gateway/report.h"
#include "services/gateway/report_line.h"
#include "services/gateway/report_talk.h"
#include "services/gateway/when.h"

static const Pl__Initiate no_initiate = PL__INITIATE__INIT;

static const Pl__Initiate *initiate_of(const Pl__CallRecord *call)
{
    return call->initiate ? call->initiate : &no_initiate;
}

static void section(text_t *out, const char *id, const char *title)
{
    text_fmt(out, "<section class=\"card\" id=\"%s\"><h2>%s</h2>\n", id, title);
}

static void section_end(text_t *out)
{
    text_add(out, "</section>\n");
}

static void placeholder(text_t *out, const char *text)
{
    text_fmt(out, "<p class=\"faint\">%s</p>", text);
}

/* ---- head ---- */

static const char *ended_words(Pl__LegEnd end)
{
    switch (end) {
    case PL__LEG_END__LEG_NOT_ENDED:
        return NULL;
    case PL__LEG_END__LEG_BYE_LOCAL:
        return "ended by the assistant";
    case PL__LEG_END__LEG_BYE_REMOTE:
        return "ended by the customer";
    case PL__LEG_END__LEG_BUSY:
        return "busy";
    case PL__LEG_END__LEG_NO_ANSWER:
        return "no answer";
    case PL__LEG_END__LEG_DECLINED:
        return "declined";
    case PL__LEG_END__LEG_UNREACHABLE:
        return "unreachable";
    case PL__LEG_END__LEG_CANCELLED:
        return "given up before the answer";
    case PL__LEG_END__LEG_MEDIA_LOST:
        return "sound was lost";
    case PL__LEG_END__LEG_TRANSFERRED:
        return "handed over to a human";
    case PL__LEG_END__LEG_OWNER_LOST:
        return "interrupted by a failure";
    case PL__LEG_END__LEG_FAILED:
        return "failed";
    case PL__LEG_END__LEG_MOVED:
        return "went on as another call";
    case _PL__LEG_END_IS_INT_SIZE:
        break;
    }
    return "ended";
}

static void other_call(text_t *out, const char *call_id, const char *words)
{
    if (!call_id[0]) return;
    text_add(out, "<span><a href=\"/report/");
    text_url(out, call_id);
    text_fmt(out, "\">%s</a></span>", words);
}

static void chips(text_t *out, const Pl__CallRecord *call)
{
    const Pl__Message *last = call->n_messages ? call->messages[call->n_messages - 1] : NULL;
    const char *ended = ended_words(call->ended);
    text_add(out, "<p class=\"chips\"><span>");
    when_date(out, call->created_at_ms, call->time_zone);
    text_add(out, "</span><span>");
    page_number(out, initiate_of(call)->phone_number);
    text_fmt(out, "</span><span>%s</span>", call->outbound ? "outbound" : "inbound");
    if (call->in_progress) text_add(out, "<span class=\"badge badge-live\">in progress</span>");
    other_call(out, call->continues, "before");
    other_call(out, call->continued_as, "after");
    if (last && last->created_at_ms > call->created_at_ms) {
        text_add(out, "<span>");
        when_span(out, last->created_at_ms - call->created_at_ms);
        text_add(out, "</span>");
    }
    if (ended) {
        text_add(out, "<span");
        if (call->ended_detail[0]) {
            text_add(out, " title=\"");
            text_html(out, call->ended_detail);
            text_add(out, "\"");
        }
        text_fmt(out, ">%s</span>", ended);
    }
    text_add(out, "</p>\n");
}

static void head(text_t *out, const Pl__CallRecord *call)
{
    const Pl__ClaimValue *name = pl_record_claim(call, "policyholder_name");
    text_add(out, "<p class=\"back\"><a href=\"/report?phone_number=");
    text_url(out, initiate_of(call)->phone_number);
    text_add(out, "\">All calls of this number</a></p>\n<div class=\"hero\"><h1>Hello");
    if (name && name->value[0]) {
        text_add(out, " ");
        text_html(out, name->value);
    }
    text_add(out, "!</h1><p class=\"lead\">");
    if (call->synthesis && call->synthesis->brief[0]) {
        text_add(out, "This is about ");
        text_html(out, call->synthesis->brief);
        text_add(out, ".");
    } else {
        text_add(out, call->in_progress ? "The conversation is going on right now."
                                        : "There is no summary of this conversation yet.");
    }
    text_add(out, "</p>\n");
    chips(out, call);
    text_add(out, "</div>\n");
}

/* ---- what came out of it ---- */

static void summary(text_t *out, const Pl__CallRecord *call)
{
    section(out, "summary", "Summary");
    if (call->synthesis && call->synthesis->detail[0]) {
        text_add(out, "<div class=\"prose\">");
        page_markdown(out, call->synthesis->detail);
        text_add(out, "</div>");
    } else {
        placeholder(out, call->in_progress ? "Written after the call." : "No summary.");
    }
    section_end(out);
}

static void value_html(text_t *out, const Pl__ClaimValue *value, Pl__ClaimType type)
{
    if (type == PL__CLAIM_TYPE__EMAIL) {
        text_add(out, "<a href=\"mailto:");
        text_url(out, value->value);
        text_add(out, "\">");
        text_html(out, value->value);
        text_add(out, "</a>");
    } else if (type == PL__CLAIM_TYPE__PHONE_NUMBER) {
        page_number(out, value->value);
    } else if (type == PL__CLAIM_TYPE__DATETIME) {
        when_iso(out, value->value);
    } else {
        text_html(out, value->value);
    }
}

static void said_at(text_t *out, uint32_t message, int64_t set_at_ms, const char *zone)
{
    if (message == 0) return;
    text_fmt(out, "<a href=\"#message-%u\">said at ", message);
    when_clock(out, set_at_ms, zone);
    text_add(out, "</a>");
}

static void earlier_value(text_t *out, const char *value, Pl__ClaimType type)
{
    text_add(out, "<del>");
    if (type == PL__CLAIM_TYPE__DATETIME) {
        when_iso(out, value);
    } else {
        text_html(out, value);
    }
    text_add(out, "</del>");
}

/* What the value was before, the latest last, each with where it was said. */
static void earlier(text_t *out, const Pl__ClaimValue *value, Pl__ClaimType type, const char *zone)
{
    if (value->n_former + value->n_earlier == 0) return;
    text_add(out, "<span>before: ");
    for (size_t i = 0; i < value->n_former; i++) {
        if (i > 0) text_add(out, ", ");
        earlier_value(out, value->former[i], type);
    }
    for (size_t i = 0; i < value->n_earlier; i++) {
        const Pl__ClaimEarlier *facts = value->earlier[i];
        if (i + value->n_former > 0) text_add(out, ", ");
        earlier_value(out, facts->value, type);
        text_add(out, facts->confirmed ? " (confirmed) " : " ");
        said_at(out, facts->message, facts->set_at_ms, zone);
    }
    text_add(out, "</span>");
}

/* Where a value came from: its message, whether the caller confirmed it, what it was before. */
static void provenance(text_t *out, const Pl__ClaimValue *value, Pl__ClaimType type,
                       const char *zone)
{
    text_add(out, "<span class=\"source\">");
    if (value->confirmed) text_add(out, "<span class=\"ok\">confirmed</span>");
    if (value->corrected) text_add(out, "<span>corrected</span>");
    said_at(out, value->message, value->set_at_ms, zone);
    earlier(out, value, type, zone);
    text_add(out, "</span>");
}

static void field_row(text_t *out, const Pl__CallRecord *call, const char *name,
                      const char *description, Pl__ClaimType type, const Pl__ClaimValue *value)
{
    text_add(out, "<div class=\"field\"><dt");
    if (description[0]) {
        text_add(out, " title=\"");
        text_html(out, description);
        text_add(out, "\"");
    }
    text_add(out, ">");
    page_label(out, name);
    text_add(out, "</dt><dd>");
    if (value && value->value[0]) {
        value_html(out, value, type);
        provenance(out, value, type, call->time_zone);
    } else {
        text_add(out, "<span class=\"faint\">N/A</span>");
    }
    text_add(out, "</dd></div>\n");
}

static void details(text_t *out, const Pl__CallRecord *call)
{
    const Pl__Initiate *initiate = initiate_of(call);
    section(out, "details", "Details");
    text_add(out, "<dl>");
    for (size_t i = 0; i < initiate->n_claim; i++) {
        const Pl__ClaimField *field = initiate->claim[i];
        field_row(out, call, field->name, field->description, field->type,
                  pl_record_claim(call, field->name));
    }
    for (size_t i = 0; i < call->n_claim; i++) { /* values of no field of the schema */
        const Pl__ClaimValue *value = call->claim[i];
        if (!pl_record_field(call, value->name)) {
            field_row(out, call, value->name, "", PL__CLAIM_TYPE__TEXT, value);
        }
    }
    text_add(out, "<div class=\"field\"><dt>Phone used</dt><dd>");
    page_number(out, initiate->phone_number);
    text_add(out, "</dd></div>\n</dl>");
    section_end(out);
}

static void next_action(text_t *out, const Pl__CallRecord *call)
{
    section(out, "next", "Next action");
    text_add(out, "<ul class=\"choices\">");
    for (int i = 0; i < 6; i++) {
        bool chosen = call->next && (int)call->next->action == i;
        text_add(out, chosen ? "<li class=\"chosen\" aria-current=\"true\">" : "<li>");
        page_label(out, next_action_name((Pl__NextAction)i));
        text_add(out, "</li>");
    }
    text_add(out, "</ul>");
    if (call->next && call->next->justification[0]) {
        text_add(out, "<p>");
        text_html(out, call->next->justification);
        text_add(out, "</p>");
    } else {
        placeholder(out, "Not decided yet.");
    }
    section_end(out);
}

static void analysis(text_t *out, const Pl__CallRecord *call)
{
    const Pl__Synthesis *synthesis = call->synthesis;
    section(out, "analysis", "Analysis");
    if (!synthesis) {
        placeholder(out, "No analysis yet.");
        section_end(out);
        return;
    }
    const char *mood = satisfaction_name(synthesis->satisfaction);
    bool unknown = synthesis->satisfaction == PL__SATISFACTION__UNKNOW;
    text_fmt(out,
             "<p class=\"mood-line\"><span class=\"mood mood-%s\"></span>Satisfaction: "
             "<strong>%s</strong></p>",
             mood, unknown ? "unknown" : mood);
    if (synthesis->improvement_suggestions[0]) {
        text_add(out, "<p>");
        text_html(out, synthesis->improvement_suggestions);
        text_add(out, "</p>");
    } else {
        placeholder(out, "No suggestion for improvement.");
    }
    section_end(out);
}

static int by_due(const void *a, const void *b)
{
    const Pl__Reminder *const *x = a, *const *y = b;
    return strcmp((*x)->due_date_time, (*y)->due_date_time);
}

/* What became of it, in a word or two; NULL: nothing yet. */
static const char *outcome_of(const Pl__Reminder *reminder)
{
    switch (pl_record_reminder_state(reminder)) {
    case PL__REMINDER_STATE__REMINDER_OPEN:
        return "due, to be seen to";
    case PL__REMINDER_STATE__REMINDER_ENDED:
        if (strcmp(reminder->outcome, "sms") == 0) return "SMS sent";
        if (strcmp(reminder->outcome, "call") == 0) return "customer called";
        return "done";
    case PL__REMINDER_STATE__REMINDER_UPCOMING:
    case _PL__REMINDER_STATE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

static void reminders(text_t *out, const Pl__CallRecord *call)
{
    section(out, "reminders", "Reminders");
    if (call->n_reminders == 0) {
        placeholder(out, "Nothing to remember.");
        section_end(out);
        return;
    }
    Pl__Reminder **sorted = calloc(call->n_reminders, sizeof *sorted);
    if (!sorted) abort();
    memcpy(sorted, call->reminders, call->n_reminders * sizeof *sorted);
    qsort(sorted, call->n_reminders, sizeof *sorted, by_due);
    text_add(out, "<ul class=\"reminders\">");
    for (size_t i = 0; i < call->n_reminders; i++) {
        text_add(out, "<li><strong>");
        text_html(out, sorted[i]->title);
        text_add(out, "</strong><span class=\"faint\">");
        when_iso(out, sorted[i]->due_date_time);
        if (sorted[i]->owner[0]) {
            text_add(out, " · ");
            text_html(out, sorted[i]->owner);
        }
        if (outcome_of(sorted[i])) text_fmt(out, " · %s", outcome_of(sorted[i]));
        text_add(out, "</span>");
        if (sorted[i]->description[0]) {
            text_add(out, "<p>");
            text_html(out, sorted[i]->description);
            text_add(out, "</p>");
        }
        text_add(out, "</li>");
    }
    text_add(out, "</ul>");
    free(sorted);
    section_end(out);
}

static void task(text_t *out, const Pl__CallRecord *call)
{
    section(out, "task", "Task");
    const char *text = initiate_of(call)->task;
    if (text[0]) {
        text_add(out, "<p class=\"pre\">");
        text_html(out, text);
        text_add(out, "</p>");
    } else {
        placeholder(out, "None given.");
    }
    section_end(out);
}

void report_call(text_t *out, const Pl__CallRecord *call)
{
    const char *number = initiate_of(call)->phone_number;
    page_open(out, number[0] ? number : "Call", call->in_progress || !call->synthesis);
    head(out, call);
    text_add(out, "<script type=\"module\" src=\"/assets/replay.js\"></script>\n");
    text_add(out, "<div class=\"columns\">\n<div class=\"column\">\n");
    summary(out, call);
    report_talk(out, call);
    text_add(out, "</div>\n<div class=\"column\">\n");
    details(out, call);
    next_action(out, call);
    analysis(out, call);
    reminders(out, call);
    task(out, call);
    report_line(out, call);
    text_add(out, "</div>\n</div>\n<a class=\"float\" href=\"/phone?phone_number=");
    text_url(out, number);
    text_add(out, "\" title=\"Call from this browser\"><span>Call</span></a>\n");
    page_close(out);
}
