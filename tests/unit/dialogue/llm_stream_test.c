/* llm_stream_test.c - a stream's bytes into events, events into text and tool calls: however cut. */
#include "services/dialogue/llm/assembler.h"
#include "services/dialogue/llm/spoken_text.h"
#include "services/dialogue/llm/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events -------------------------------------------------------------------------------- */

/* All events of the stream, each followed by "|", fed in pieces of that size. */
static void events_of(const char *stream, size_t size, size_t step, char out[1024])
{
    sse_t *sse = sse_new(100);
    out[0] = '\0';
    for (size_t at = 0; at < size; at += step) {
        assert_true(sse_feed(sse, stream + at, size - at < step ? size - at : step));
        for (const char *event; (event = sse_next(sse));) strcat(strcat(out, event), "|");
    }
    sse_end(sse);
    for (const char *event; (event = sse_next(sse));) strcat(strcat(out, event), "|");
    sse_destroy(&sse);
    assert_null(sse);
}

static void assert_events(const char *stream, const char *wanted)
{
    char got[1024];
    for (size_t step = 1; step <= strlen(stream) + 1; step++) {
        events_of(stream, strlen(stream), step, got);
        assert_string_equal(got, wanted);
    }
}

static void events_are_found_wherever_the_stream_is_cut(void **state)
{
    (void)state;
    assert_events("data: one\n\ndata: two\n\n", "one|two|");
    assert_events("data:one\r\n\r\ndata: two\r\n\r\n", "one|two|");
    assert_events("data:one\r\rdata: two\r\r", "one|two|");
    assert_events("\xef\xbb\xbf"
                  "data: one\n\n",
                  "one|");
    assert_events(": a comment\n\n: ping\ndata: one\n\n", "one|");
    assert_events("event: x\nid: 7\nretry: 10\ndata: one\ndatum: no\n\n", "one|");
    assert_events("data: a\ndata: b\ndata:\n\n", "a\nb\n|");
    assert_events("data\n\n", "|");         /* an empty one */
    assert_events("event: x\n\n", "");      /* none */
    assert_events("data:  a \n\n", " a |"); /* one blank is taken off */
    assert_events("\n\n\ndata: x\n\n\n\n", "x|");
}

static void an_event_without_its_blank_line_counts_at_the_end(void **state)
{
    (void)state;
    assert_events("data: one\n\ndata: [DONE]\n", "one|[DONE]|");
    assert_events("data: one\n\ndata: {\"cut", "one|"); /* a line that was cut does not */
}

static void an_event_larger_than_allowed_ends_the_stream(void **state)
{
    (void)state;
    char block[64];
    memset(block, 'x', sizeof block);
    sse_t *sse = sse_new(100);
    assert_true(sse_feed(sse, "data: a\n\ndata: ", 15));
    assert_true(sse_feed(sse, block, sizeof block));
    assert_false(sse_feed(sse, block, sizeof block));
    assert_string_equal(sse_next(sse), "a"); /* what was complete before still counts */
    assert_null(sse_next(sse));
    assert_false(sse_feed(sse, "\n\ndata: b\n\n", 11));
    sse_end(sse);
    assert_null(sse_next(sse));
    sse_destroy(&sse);

    sse = sse_new(100);
    char lines[512] = "";
    for (int i = 0; i < 20; i++) strcat(lines, "data: 1234567\n"); /* each is short */
    assert_false(sse_feed(sse, lines, strlen(lines)));
    sse_destroy(&sse);
}

/* ---- text ---------------------------------------------------------------------------------- */

static bool is_whole_utf8(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        unsigned more = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc2 ? 1 : 9;
        if (more == 9) return false;
        for (c++; more; more--, c++) {
            if ((*c & 0xc0) != 0x80) return false;
        }
    }
    return true;
}

static void assert_spoken(const char *text, size_t size, const char *wanted)
{
    for (size_t step = 1; step <= size + 1; step++) {
        spoken_text_t *spoken = spoken_text_new();
        char got[1024] = "";
        for (size_t at = 0; at < size; at += step) {
            spoken_text_add(spoken, text + at, size - at < step ? size - at : step);
            const char *piece = spoken_text_take(spoken);
            if (!piece) continue;
            assert_true(*piece && is_whole_utf8(piece));
            strcat(got, piece);
            assert_null(spoken_text_take(spoken));
        }
        spoken_text_end(spoken);
        const char *rest = spoken_text_take(spoken);
        if (rest) strcat(got, rest);
        assert_string_equal(got, wanted);
        spoken_text_destroy(&spoken);
    }
}

#define SPOKEN(text, wanted) assert_spoken(text, sizeof(text) - 1, wanted)

static void characters_are_never_split(void **state)
{
    (void)state;
    SPOKEN("Héllo 世界 👋!", "Héllo 世界 👋!");
    SPOKEN("", "");
    SPOKEN("a\xc3", "a\xef\xbf\xbd");                                 /* it never came */
    SPOKEN("a\xe4\xb8z", "a\xef\xbf\xbdz");                           /* nor did this */
    SPOKEN("\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd");                   /* no UTF-8 at all */
    SPOKEN("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                   /* longer than it need be */
    SPOKEN("\xed\xa0\x80.", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd."); /* half a pair */
    SPOKEN("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* too high */
    SPOKEN("\xf0\x9f\x91é", "\xef\xbf\xbdé");
}

static void thoughts_are_not_spoken(void **state)
{
    (void)state;
    SPOKEN("<think>\nThe caller <b> is </thin>.\n</think>\n\nHello <think>", "Hello <think>");
    SPOKEN("  \n<think></think>Yes", "Yes");
    SPOKEN("<thinking> aloud", "<thinking> aloud");
    SPOKEN(" <thin", " <thin");
    SPOKEN("  leading", "  leading");
    SPOKEN("<think>never closed", "");
    SPOKEN("<think><</think>x", "x");
}

/* ---- chunks -------------------------------------------------------------------------------- */

typedef struct {
    char text[512], calls[1024];
    assembler_state_t state;
    char detail[256], error_code[64];
    bool ok;
} told_t;

static void collect(assembler_t *assembler, told_t *out)
{
    for (assembled_t next; (next = assembler_next(assembler)).kind != ASSEMBLED_NOTHING;) {
        if (next.kind == ASSEMBLED_TEXT) {
            strcat(out->text, next.text);
        } else {
            char call[512];
            (void)snprintf(call, sizeof call, "%s %s %s;", next.call.id, next.call.name,
                           next.call.arguments);
            strcat(out->calls, call);
        }
    }
}

/* Of events up to NULL. */
static told_t tell(const char *const *events)
{
    told_t out = {.ok = true};
    assembler_t *assembler = assembler_new(0xabc);
    for (; *events && out.ok; events++) {
        out.ok = assembler_take(assembler, *events);
        collect(assembler, &out);
    }
    out.state = assembler_state(assembler);
    (void)snprintf(out.error_code, sizeof out.error_code, "%s", out.state.error_code);
    (void)snprintf(out.detail, sizeof out.detail, "%s", assembler_detail(assembler));
    assembler_destroy(&assembler);
    return out;
}

#define TELL(...) tell((const char *const[]){__VA_ARGS__, NULL})
#define DELTA(delta) "{\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}"
#define TEXT(text) DELTA("{\"content\":\"" text "\"}")
#define FINISH(reason) "{\"choices\":[{\"delta\":{},\"finish_reason\":\"" reason "\"}]}"
#define CALL(fields) DELTA("{\"tool_calls\":[{" fields "}]}")

static void text_and_usage_of_an_azure_stream_are_understood(void **state)
{
    (void)state;
    told_t told = TELL(
        "{\"id\":\"\",\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[{\"prompt_index\":0,"
        "\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":\"safe\"}}}]}",
        DELTA("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"), TEXT("Hel"),
        TEXT("lo"), FINISH("stop"),
        "{\"choices\":[{\"index\":0,\"content_filter_results\":{\"hate\":{\"filtered\":false}},"
        "\"content_filter_offsets\":{\"check_offset\":1}}]}",
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}", "[DONE]");
    assert_true(told.ok);
    assert_string_equal(told.text, "Hello");
    assert_int_equal(told.state.finish, LLM_STOP);
    assert_int_equal(told.state.prompt_tokens, 10);
    assert_int_equal(told.state.answer_tokens, 5);
    assert_true(told.state.finished && told.state.begun && !told.state.empty);
}

static void a_filter_that_speaks_up_late_is_heard(void **state)
{
    (void)state;
    told_t told = TELL(TEXT("Some"), FINISH("stop"),
                       "{\"choices\":[{\"index\":0,\"content_filter_results\":{\"violence\":"
                       "{\"filtered\":true,\"severity\":\"high\"}}}]}");
    assert_int_equal(told.state.finish, LLM_FILTERED);
    assert_string_equal(told.text, "Some");
    told = TELL(DELTA("{\"refusal\":\"I can not.\"}"), FINISH("stop"));
    assert_int_equal(told.state.finish, LLM_FILTERED);
    assert_string_equal(told.text, "");
    told = TELL(CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
                FINISH("content_filter"));
    assert_string_equal(told.calls, "");
}

static void nothing_is_taken_after_the_end(void **state)
{
    (void)state;
    told_t told = TELL(TEXT("Yes"), FINISH("stop"), TEXT(" and no"),
                       CALL("\"index\":0,\"function\":{\"arguments\":\"{}\"}"),
                       CALL("\"index\":1,\"id\":\"a\",\"function\":{\"name\":\"f\"}"),
                       FINISH("tool_calls"), "[DONE]");
    assert_string_equal(told.text, "Yes");
    assert_string_equal(told.calls, "");
    assert_int_equal(told.state.finish, LLM_STOP);
}

static void tool_calls_come_whole_in_the_models_order(void **state)
{
    (void)state;
    told_t told =
        TELL(TEXT("One moment."),
             CALL("\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                  "\"arguments\":\"\"}"),
             CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\"\"}"),
             CALL("\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}"),
             CALL("\"index\":0,\"function\":{\"arguments\":\":1}\"}"),
             CALL("\"index\":1,\"function\":{\"arguments\":\"}\"}"));
    assert_string_equal(told.calls, ""); /* not before it has finished */
    told = TELL(CALL("\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                     "\"arguments\":\"\"}"),
                CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\"\"}"),
                CALL("\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}"),
                CALL("\"index\":0,\"function\":{\"arguments\":\":1}\"}"),
                CALL("\"index\":1,\"function\":{\"arguments\":\"}\"}"), FINISH("tool_calls"));
    assert_string_equal(told.calls, "a f {\"x\":1};b g {};");
    assert_int_equal(told.state.finish, LLM_TOOL_CALLS);
}

static void the_manners_of_other_servers_are_understood(void **state)
{
    (void)state;
    /* Ollama: each call whole, all of them index 0, and "stop" at the end */
    told_t told =
        TELL(CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
             CALL("\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
             FINISH("stop"), "[DONE]");
    assert_string_equal(told.calls, "a f {};b f {};");
    assert_int_equal(told.state.finish, LLM_TOOL_CALLS);
    /* no index; an id each time; arguments as an object; no id at all */
    told = TELL(CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
                CALL("\"id\":\"a\",\"function\":{\"arguments\":\"}\"}"),
                CALL("\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":{\"y\":2}}"),
                FINISH("tool_calls"));
    assert_string_equal(told.calls, "a f {};b g {\"y\":2};");
    told = TELL(CALL("\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
                FINISH("tool_calls"));
    assert_string_equal(told.calls, "call_0000000000000abc_0 f {};");
    /* a fragment of no call, one without a name */
    told = TELL(CALL("\"function\":{\"arguments\":\"{}\"}"), TEXT("x"), FINISH("stop"));
    assert_string_equal(told.calls, "");
    told = TELL(CALL("\"index\":0,\"id\":\"a\",\"function\":{\"arguments\":\"{}\"}"),
                FINISH("tool_calls"));
    assert_string_equal(told.calls, "");
    assert_true(told.state.empty);
    /* a whole completion, though a stream was asked for */
    told = TELL("{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                "\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":"
                "{\"prompt_tokens\":1,\"completion_tokens\":2}}");
    assert_string_equal(told.text, "Hi");
    assert_true(told.state.finished);
    /* thinking aloud in a field of its own; a second choice; null content */
    told = TELL(DELTA("{\"reasoning_content\":\"hm\",\"content\":null}"), TEXT("Yes"),
                "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"No\"}}]}", FINISH("eos"));
    assert_string_equal(told.text, "Yes");
    /* no reason, only the end */
    told = TELL(TEXT("Yes"), "[DONE]");
    assert_true(told.state.finished);
    assert_int_equal(told.state.finish, LLM_STOP);
}

static void a_call_that_its_length_cut_is_dropped_and_others_are_not(void **state)
{
    (void)state;
    told_t told = TELL(
        CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
        CALL("\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"x\"}"),
        FINISH("length"));
    assert_string_equal(told.calls, "a f {};");
    assert_int_equal(told.state.finish, LLM_LENGTH);
}

static void errors_inside_the_stream_are_told(void **state)
{
    (void)state;
    told_t told = TELL(TEXT("a"), "{\"error\":{\"message\":\"overloaded\",\"code\":\"x\"}}");
    assert_true(told.ok && told.state.failed);
    assert_string_equal(told.detail, "overloaded");
    assert_string_equal(told.error_code, "x");
    told = TELL("{\"error\":\"no words\"}");
    assert_true(told.state.failed);
    told = TELL("{\"object\":\"error\",\"message\":\"old style\",\"code\":400}");
    assert_true(told.state.failed);
    assert_string_equal(told.detail, "old style");
    told = TELL("{\"error\":null,\"choices\":[]}");
    assert_false(told.state.failed);
}

static void nonsense_is_refused_and_sizes_are_bounded(void **state)
{
    (void)state;
    assert_false(TELL("{\"choices\":[{\"del").ok);
    assert_false(TELL("[1]").ok);
    assert_false(TELL("").ok);
    assert_true(TELL("{}").ok);
    assert_true(TELL("{\"choices\":\"x\"}").ok);
    assert_true(TELL("{\"choices\":[7,null,{\"delta\":7},{\"delta\":{\"content\":{},"
                     "\"tool_calls\":[7,{}]}}]}")
                    .ok);
    const char *many[64] = {NULL};
    char events[40][160];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(events[i], sizeof events[i],
                       CALL("\"index\":%d,\"function\":{\"name\":\"f\"}"), i);
        many[i] = events[i];
    }
    told_t told = tell(many);
    assert_false(told.ok);
    assert_string_equal(told.detail, "too many tool calls");
    static char large[70000];
    static char event[80000];
    memset(large, 'x', sizeof large - 1);
    (void)snprintf(event, sizeof event,
                   CALL("\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"%s\"}"), large);
    assert_false(TELL(event).ok);
    large[300] = '\0';
    (void)snprintf(event, sizeof event, CALL("\"index\":0,\"function\":{\"name\":\"%s\"}"), large);
    assert_false(TELL(event).ok);
}

static void tokens_are_estimated_on_the_safe_side(void **state)
{
    (void)state;
    assert_int_equal(llm_tokens(""), 0);
    /* At least a token a word, a character and three digits; not so many that history is lost. */
    assert_in_range(llm_tokens("Hello, how can I help you today?"), 9, 16);
    assert_in_range(llm_tokens("您好，请问有什么可以帮您？"), 13, 26);
    assert_in_range(llm_tokens("+33 6 12 34 56 78"), 7, 18);
    assert_in_range(llm_tokens("Où êtes-vous ?"), 5, 12);
    assert_in_range(llm_tokens("{\"a\":[1,2]}"), 7, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_found_wherever_the_stream_is_cut),
        cmocka_unit_test(an_event_without_its_blank_line_counts_at_the_end),
        cmocka_unit_test(an_event_larger_than_allowed_ends_the_stream),
        cmocka_unit_test(characters_are_never_split),
        cmocka_unit_test(thoughts_are_not_spoken),
        cmocka_unit_test(text_and_usage_of_an_azure_stream_are_understood),
        cmocka_unit_test(a_filter_that_speaks_up_late_is_heard),
        cmocka_unit_test(nothing_is_taken_after_the_end),
        cmocka_unit_test(tool_calls_come_whole_in_the_models_order),
        cmocka_unit_test(the_manners_of_other_servers_are_understood),
        cmocka_unit_test(a_call_that_its_length_cut_is_dropped_and_others_are_not),
        cmocka_unit_test(errors_inside_the_stream_are_told),
        cmocka_unit_test(nonsense_is_refused_and_sizes_are_bounded),
        cmocka_unit_test(tokens_are_estimated_on_the_safe_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
