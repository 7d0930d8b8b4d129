/* report_test.c - the report pages: nothing said in a call can become markup or script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/gateway/page.h"
#include "services/gateway/report.h"
#include "services/gateway/when.h"
#include "tests/unit/gateway/records.h"

static char *call_page(const Pl__CallRecord *call)
{
    text_t out = {0};
    report_call(&out, call);
    return out.data; /* freed by the caller */
}

static char *list_page(Pl__CallRecord *call, const char *number, uint32_t total, uint32_t offset)
{
    Pl__StoreCalls calls = PL__STORE_CALLS__INIT;
    Pl__CallRecord *list[] = {call};
    text_t out = {0};
    calls.n_calls = call ? 1 : 0;
    calls.calls = list;
    calls.total = total;
    report_list(&out, &calls, number, offset, 50);
    return out.data;
}

static void has(const char *page, const char *text)
{
    assert_non_null(page);
    if (!page || !strstr(page, text)) fail_msg("no \"%s\" in %s", text, page ? page : "");
}

static void lacks(const char *page, const char *text)
{
    if (strstr(page, text)) fail_msg("\"%s\" is in the page", text);
}

static void no_field_of_a_record_can_bring_markup(void **state)
{
    (void)state;
    static char evil[] = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>' onclick='x"
                         "[a](javascript:alert(3))<javascript:alert(4)>";
    record_t r;
    Pl__CallRecord *call = record_with(&r, evil);
    char *pages[] = {call_page(call), list_page(call, evil, 1, 0)};
    for (size_t i = 0; i < 2; i++) {
        lacks(pages[i], "<script>");
        lacks(pages[i], "<img src=x");
        lacks(pages[i], "\"><img src=x");
        lacks(pages[i], "' onclick");
        lacks(pages[i], "href=\"javascript");
        has(pages[i], "&lt;script&gt;");
        free(pages[i]);
    }
}

static void every_single_field_is_escaped_by_itself(void **state)
{
    (void)state;
    static char mark[] = "<x-evil>";
    record_t r;
    Pl__CallRecord *call = record_with(&r, "fine");
    char **const places[] = {
        &r.initiate.phone_number,   &r.initiate.bot_name,
        &r.initiate.task,           &r.fields[0].name,
        &r.fields[0].description,   &r.values[0].value,
        &r.values[1].value,         &r.values[2].value,
        &r.values[2].name,          &r.former[0],
        &r.messages[1].content,     &r.tool.function_name,
        &r.tool.function_arguments, &r.tool.content,
        &r.passage.title,           &r.passage.source,
        &r.reminders[0].title,      &r.reminders[0].description,
        &r.reminders[0].owner,      &r.reminders[0].due_date_time,
        &r.next.justification,      &r.synthesis.brief,
        &r.synthesis.detail,        &r.synthesis.improvement_suggestions,
        &r.call.ended_detail,       &r.call.call_id,
        &r.earlier.value,           &r.call.continues,
        &r.call.continued_as,       &r.recordings[1].failure,
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *before = *places[i];
        *places[i] = mark;
        char *one = call_page(call), *list = list_page(call, "", 1, 0);
        lacks(one, mark);
        lacks(list, mark);
        free(one);
        free(list);
        *places[i] = before;
    }
}

static void times_are_those_of_the_customers_zone(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    call->time_zone = "Europe/Paris";
    char *page = call_page(call);
    has(page, "Tue 03 Mar 2026, 10:05 (CET)");
    has(page, ">10:05:01<"); /* of the messages */
    free(page);
    page = list_page(call, "", 1, 0);
    has(page, "10:05 (CET)");
    free(page);
    call->time_zone = "";
    page = call_page(call);
    has(page, "Tue 03 Mar 2026, 09:05 (UTC)");
    free(page);
}

static void custom_fields_and_their_sources_are_shown(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    r.values[0].value = "2026-03-04T15:00:00";
    r.values[1].value = "";
    r.values[2].value = "Jane Doe";
    char *page = call_page(call);
    has(page, "First seen");
    has(page, "Wed 04 Mar 2026, 15:00");
    has(page, "href=\"#message-3\"");
    has(page, "confirmed");
    has(page, "<del>words</del> (confirmed) <a href=\"#message-2\">said at ");
    has(page, "<span>corrected</span>");
    has(page, "<span class=\"faint\">N/A</span>");
    has(page, "Hello Jane Doe!");
    has(page, "interrupted");
    has(page, "answered in 812 ms");
    has(page, "1 passage of the knowledge base");
    has(page, "4.2 of 5, good");
    has(page, "<audio class=\"recording\" controls");
    has(page, "?part=1\" data-from=\"1772528699500\"");
    lacks(page, "?part=2");
    has(page, "could not be written to its end: words.");
    has(page, "id=\"message-2\" tabindex=\"0\" data-at=\"1772528701000\"");
    has(page, "1500 received, 12 lost");
    has(page, "15 dB softer after 130 ms, 26 dB more taken away");
    has(page, "60 ms");
    has(page, "3.2 of 5");
    has(page, "Tue 03 Mar 2026, 09:05 (UTC)");
    has(page, "aria-current=\"true\">High priority");
    has(page, "Commercial offer");
    free(page);
}

static void an_empty_record_is_a_page_of_placeholders(void **state)
{
    (void)state;
    Pl__CallRecord call = PL__CALL_RECORD__INIT;
    char *page = call_page(&call);
    has(page, "Hello!");
    has(page, "Nothing was said.");
    has(page, "Nothing to remember.");
    has(page, "Not decided yet.");
    has(page, "No analysis yet.");
    free(page);
}

static void reminders_stand_in_the_order_of_their_dates_whatever_their_form(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    r.reminders[0].title = "later one";
    r.reminders[0].due_date_time = "2026-05-01T10:00:00+02:00";
    r.reminders[1].title = "sooner one";
    r.reminders[1].due_date_time = "2026-04-01T10:00:00";
    char *page = call_page(call);
    assert_true(strstr(page, "sooner one") < strstr(page, "later one"));
    free(page);
}

static void messages_stand_in_the_order_of_time(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    r.messages[1].content = "second words";
    r.messages[2].content = "first words";
    r.messages[2].created_at_ms = r.messages[1].created_at_ms - 500;
    char *page = call_page(call);
    assert_true(strstr(page, "first words") < strstr(page, "second words"));
    free(page);
}

static void markdown_is_rendered_without_its_raw_html_and_unsafe_links(void **state)
{
    (void)state;
    text_t out = {0};
    page_markdown(&out, "**bold** <b>raw</b> [x](javascript:alert(1)) [y](https://a.example)\n\n"
                        "<iframe src=x></iframe>\n");
    has(out.data, "<strong>bold</strong>");
    has(out.data, "href=\"https://a.example\"");
    lacks(out.data, "<b>");
    lacks(out.data, "javascript");
    lacks(out.data, "iframe");
    text_free(&out);
}

static void the_list_pages_through_all_calls(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    char *page = list_page(call, "+33612345678", 120, 50);
    has(page, "51 to 51 of 120");
    has(page, "href=\"/report?phone_number=%2B33612345678&amp;offset=0\"");
    has(page, "href=\"/report?phone_number=%2B33612345678&amp;offset=51\"");
    free(page);
    page = list_page(call, "", 1, 0);
    has(page, "all 1");
    lacks(page, "Older");
    free(page);
    page = list_page(NULL, "+33612345678", 0, 0);
    has(page, "No call with +33612345678");
    free(page);
}

static void dates_that_are_none_are_shown_as_they_are(void **state)
{
    (void)state;
    static const char *const odd[] = {"",
                                      "soon",
                                      "2026-13-01T00:00",
                                      "2026-01-01",
                                      "9999999999",
                                      "2026-01-01T25:00",
                                      "-1-1-1T1:1",
                                      "2026-01-01X10:00"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        text_t out = {0};
        when_iso(&out, odd[i]);
        assert_string_equal(out.data ? out.data : "", odd[i]);
        text_free(&out);
    }
    text_t out = {0};
    when_span(&out, 125000);
    assert_string_equal(out.data, "2 min 05 s");
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_field_of_a_record_can_bring_markup),
        cmocka_unit_test(every_single_field_is_escaped_by_itself),
        cmocka_unit_test(times_are_those_of_the_customers_zone),
        cmocka_unit_test(custom_fields_and_their_sources_are_shown),
        cmocka_unit_test(an_empty_record_is_a_page_of_placeholders),
        cmocka_unit_test(reminders_stand_in_the_order_of_their_dates_whatever_their_form),
        cmocka_unit_test(messages_stand_in_the_order_of_time),
        cmocka_unit_test(markdown_is_rendered_without_its_raw_html_and_unsafe_links),
        cmocka_unit_test(the_list_pages_through_all_calls),
        cmocka_unit_test(dates_that_are_none_are_shown_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
