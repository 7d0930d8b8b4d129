#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/call_json.h"
#include "services/gateway/page.h"
#include "services/gateway/report.h"
#include "services/gateway/when.h"

static void search_form(text_t *out, const char *number)
{
    text_add(out, "<form class=\"search\" action=\"/report\" method=\"get\" role=\"search\">"
                  "<label for=\"number\">Phone number</label><div class=\"search-row\">"
                  "<input id=\"number\" type=\"search\" inputmode=\"tel\" name=\"phone_number\" "
                  "placeholder=\"+33612345678\" value=\"");
    text_html(out, number);
    text_add(out, "\"><button type=\"submit\">Search</button></div></form>\n");
}

/* The first letter small, so that it reads on after the date: "the flooded kitchen". */
static void brief_text(text_t *out, const Pl__CallRecord *call)
{
    if (!call->synthesis || !call->synthesis->brief[0]) {
        text_add(out, call->in_progress ? "<span class=\"faint\">being talked about now</span>"
                                        : "<span class=\"faint\">no summary yet</span>");
        return;
    }
    char *brief = strdup(call->synthesis->brief);
    if (!brief) abort();
    if ((unsigned char)brief[0] < 0x80 && !isupper((unsigned char)brief[1])) {
        brief[0] = (char)tolower((unsigned char)brief[0]);
    }
    text_html(out, brief);
    free(brief);
}

static void badges(text_t *out, const Pl__CallRecord *call)
{
    if (call->in_progress) text_add(out, "<span class=\"badge badge-live\">in progress</span>");
    if (call->next) {
        text_add(out, "<span class=\"badge\">");
        page_label(out, next_action_name(call->next->action));
        text_add(out, "</span>");
    }
    if (call->synthesis) {
        const char *mood = satisfaction_name(call->synthesis->satisfaction);
        text_fmt(out, "<span class=\"mood mood-%s\" title=\"satisfaction: %s\"></span>", mood,
                 mood);
    }
}

static void row(text_t *out, const Pl__CallRecord *call)
{
    const char *number = call->initiate ? call->initiate->phone_number : "";
    text_add(out, "<li><a class=\"row\" href=\"/report/");
    text_url(out, call->call_id);
    text_add(out, "\"><span class=\"row-who\">");
    text_html(out, number[0] ? number : "anonymous");
    text_add(out, "</span><span class=\"row-when\">");
    when_date(out, call->created_at_ms, call->time_zone);
    text_add(out, "</span><span class=\"row-what\">");
    brief_text(out, call);
    text_add(out, "</span><span class=\"row-badges\">");
    badges(out, call);
    text_add(out, "</span></a></li>\n");
}

static void page_link(text_t *out, const char *number, uint32_t offset, const char *rel,
                      const char *text)
{
    text_add(out, "<a class=\"button\" rel=\"");
    text_add(out, rel);
    text_add(out, "\" href=\"/report?");
    if (number[0]) {
        text_add(out, "phone_number=");
        text_url(out, number);
        text_add(out, "&amp;");
    }
    text_fmt(out, "offset=%u\">%s</a>", offset, text);
}

static void paging(text_t *out, const Pl__StoreCalls *calls, const char *number, uint32_t offset,
                   uint32_t limit)
{
    uint32_t shown = (uint32_t)calls->n_calls;
    text_add(out, "<nav class=\"paging\">");
    if (offset > 0) {
        page_link(out, number, offset > limit ? offset - limit : 0, "prev", "Newer");
    }
    if (offset == 0 && shown == calls->total) {
        text_fmt(out, "<span>all %u</span>", calls->total);
    } else if (shown > 0) {
        text_fmt(out, "<span>%u to %u of %u</span>", offset + 1, offset + shown, calls->total);
    }
    if (offset + shown < calls->total) page_link(out, number, offset + shown, "next", "Older");
    text_add(out, "</nav>\n");
}

void report_list(text_t *out, const Pl__StoreCalls *calls, const char *number, uint32_t offset,
                 uint32_t limit)
{
    page_open(out, number[0] ? number : "Reports", true);
    text_add(out, "<h1>Calls</h1>\n");
    search_form(out, number);
    if (calls->n_calls == 0) {
        text_add(out, "<section class=\"notice\"><h2>No call");
        if (number[0]) {
            text_add(out, " with ");
            text_html(out, number);
        }
        text_add(out, "</h2><p>Start one with <code>POST /call</code>, ring the bot from a SIP "
                      "phone, or <a href=\"/phone\">call from this browser</a>.</p></section>\n");
    } else {
        text_add(out, "<ul class=\"rows\">\n");
        for (size_t i = 0; i < calls->n_calls; i++) row(out, calls->calls[i]);
        text_add(out, "</ul>\n");
    }
    paging(out, calls, number, offset, limit);
    page_close(out);
}
