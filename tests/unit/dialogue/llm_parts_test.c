/* llm_parts_test.c - the request's JSON, the breaker, and how long to wait before trying again. */
#include "services/dialogue/llm/body.h"
#include "services/dialogue/llm/breaker.h"
#include "common/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const model_t plain = {.size = "fast", .name = "na\"no", .extra_body = "", .seed = 7};

static cJSON *written(const llm_request_t *request, const model_t *model)
{
    char detail[BODY_DETAIL_BYTES];
    body_t *body = NULL;
    size_t bytes = 0;
    assert_int_equal(body_new(&body, request, detail), PL_OK);
    char *text = body_for(body, model, &bytes);
    assert_int_equal(bytes, strlen(text));
    cJSON *parsed = cJSON_Parse(text);
    assert_non_null(parsed);
    free(text);
    body_destroy(&body);
    body_destroy(&body);
    return parsed;
}

static char *part(const cJSON *body, const char *name)
{
    static char text[4096];
    char *printed = cJSON_PrintUnformatted(cJSON_GetObjectItem(body, name));
    strncpy(text, printed ? printed : "", sizeof text - 1);
    cJSON_free(printed);
    return text;
}

static void messages_are_written_as_the_protocol_wants_them(void **state)
{
    (void)state;
    const llm_tool_call_t calls[] = {{"c1", "f", "{\"a\":\"\\u00e9\"}"}, {"c2", "g", ""}};
    const llm_message_t messages[] = {
        {.role = LLM_SYSTEM, .content = "Be \"kind\"\n"},
        {.role = LLM_USER, .content = "H\xc3\xa9 \xff\xc3 wrong"},
        {.role = LLM_ASSISTANT, .content = "", .calls = calls, .n_calls = 2},
        {.role = LLM_TOOL, .content = "r1", .tool_id = "c1"},
        {.role = LLM_TOOL, .content = "", .tool_id = "c2"},
        {.role = LLM_ASSISTANT, .content = ""},
    };
    cJSON *body = written(&(llm_request_t){.messages = messages, .n_messages = 6}, &plain);
    assert_string_equal(
        part(body, "messages"),
        "[{\"role\":\"system\",\"content\":\"Be \\\"kind\\\"\\n\"},"
        "{\"role\":\"user\",\"content\":\"Hé ?? wrong\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{\\\"a\\\":\\\"\\\\u00e9\\\"}\"}},"
        "{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]}"
        ","
        "{\"role\":\"tool\",\"content\":\"r1\",\"tool_call_id\":\"c1\"},"
        "{\"role\":\"tool\",\"content\":\"\",\"tool_call_id\":\"c2\"},"
        "{\"role\":\"assistant\",\"content\":\"\"}]");
    assert_string_equal(part(body, "model"), "\"na\\\"no\"");
    assert_string_equal(part(body, "stream_options"), "{\"include_usage\":true}");
    assert_string_equal(part(body, "seed"), "7");
    assert_string_equal(part(body, "tools"), "");
    cJSON_Delete(body);
}

static void a_schema_is_strict_only_where_openai_would_take_it(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *strict;
    } cases[] = {
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"],"
         "\"additionalProperties\":false}",
         "true"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}",
         "false"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[],"
         "\"additionalProperties\":false}",
         "false"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
         "\"object\",\"properties\":{\"b\":{}},\"required\":[\"b\"]}}},\"required\":[\"a\"],"
         "\"additionalProperties\":false}",
         "false"},
    };
    const llm_message_t message = {.role = LLM_USER, .content = "x"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *body = written(&(llm_request_t){.messages = &message,
                                               .n_messages = 1,
                                               .answer_schema = cases[i].schema},
                              &plain);
        const cJSON *format = cJSON_GetObjectItem(body, "response_format");
        const cJSON *schema = cJSON_GetObjectItem(format, "json_schema");
        assert_string_equal(part(schema, "strict"), cases[i].strict);
        assert_string_equal(part(schema, "name"), "\"answer\"");
        assert_string_equal(part(schema, "schema"), cases[i].schema);
        cJSON_Delete(body);
    }
}

static void requests_that_no_server_takes_are_named(void **state)
{
    (void)state;
    const llm_message_t user = {.role = LLM_USER, .content = "x"};
    const llm_message_t lost = {.role = LLM_TOOL, .content = "x"};
    const llm_tool_call_t unnamed = {"a", "", "{}"};
    const llm_message_t calls = {
        .role = LLM_ASSISTANT, .content = "", .calls = &unnamed, .n_calls = 1};
    const llm_tool_t list = {"t", "", "[]"};
    const llm_request_t wrong[] = {
        {0},
        {.messages = &lost, .n_messages = 1},
        {.messages = &calls, .n_messages = 1},
        {.messages = &user, .n_messages = 1, .tools = &list, .n_tools = 1},
        {.messages = &user, .n_messages = 1, .answer_schema = "{"},
        {.messages = &user, .n_messages = 1, .answer_schema = "{}", .answer_name = "a b"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char detail[BODY_DETAIL_BYTES] = "";
        body_t *body = NULL;
        assert_int_equal(body_new(&body, &wrong[i], detail), PL_INVALID);
        assert_null(body);
        assert_true(*detail);
    }
}

static void the_breaker_opens_after_failures_in_a_row_and_closes_by_a_probe(void **state)
{
    (void)state;
    breaker_t breaker;
    breaker_init(&breaker, 3, 100, 300);
    breaker_bad(&breaker, 1000);
    breaker_bad(&breaker, 1001);
    breaker_good(&breaker);
    breaker_bad(&breaker, 1002);
    breaker_bad(&breaker, 1003);
    assert_false(breaker.open);
    breaker_bad(&breaker, 1004);
    assert_true(breaker.open);
    breaker_bad(&breaker, 1050); /* a straggler does not put the probe off */
    assert_false(breaker_probe(&breaker, 1103));
    assert_true(breaker_probe(&breaker, 1104));
    assert_false(breaker_probe(&breaker, 1104)); /* one at a time */
    breaker_bad(&breaker, 1110);
    assert_true(breaker.open);
    assert_false(breaker_probe(&breaker, 1309)); /* twice the pause */
    assert_true(breaker_probe(&breaker, 1310));
    breaker_bad(&breaker, 1310);
    assert_true(breaker_probe(&breaker, 1610)); /* three times at most */
    breaker_good(&breaker);
    assert_false(breaker.open);
    breaker_bad(&breaker, 2000);
    assert_false(breaker.open); /* it counts anew */
    breaker_hopeless(&breaker, 2001);
    assert_true(breaker.open);
    assert_true(breaker_probe(&breaker, 2101)); /* and pauses anew */
}

static void what_a_server_says_about_waiting_is_read(void **state)
{
    (void)state;
    enum { DAY_MS = 86400000 };
    int64_t now_ms = 1445412400000; /* Wed, 21 Oct 2015 07:26:40 GMT */
    assert_int_equal(pl_retry_after_ms("150", "7", now_ms), 150);
    assert_int_equal(pl_retry_after_ms(NULL, "7", now_ms), 7000);
    assert_int_equal(pl_retry_after_ms("soon", "0.5 ", now_ms), 500);
    assert_int_equal(pl_retry_after_ms(NULL, "Wed, 21 Oct 2015 07:28:00 GMT", now_ms), 80000);
    assert_int_equal(pl_retry_after_ms(NULL, "Wed, 21 Oct 2015 07:00:00 GMT", now_ms), 0);
    assert_int_equal(pl_retry_after_ms(NULL, "999999999999", now_ms), DAY_MS);
    static const char *const nonsense[] = {NULL, "", "-1", "later", "7s", "nan", "0x10"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        assert_int_equal(pl_retry_after_ms(nonsense[i], nonsense[i], now_ms), -1);
    }
}

static void pauses_double_and_differ_between_callers(void **state)
{
    (void)state;
    assert_int_equal(pl_retry_pause_ms(1, 200, 8000, 0), 100);
    assert_int_equal(pl_retry_pause_ms(1, 200, 8000, 100), 200);
    assert_int_equal(pl_retry_pause_ms(2, 200, 8000, 0), 200);
    assert_int_equal(pl_retry_pause_ms(3, 200, 8000, 400), 800);
    assert_int_equal(pl_retry_pause_ms(50, 200, 8000, 4000), 8000);
    for (uint64_t random = 0; random < 1000; random++) {
        assert_in_range(pl_retry_pause_ms(2, 200, 8000, random * 7919), 200, 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_written_as_the_protocol_wants_them),
        cmocka_unit_test(a_schema_is_strict_only_where_openai_would_take_it),
        cmocka_unit_test(requests_that_no_server_takes_are_named),
        cmocka_unit_test(the_breaker_opens_after_failures_in_a_row_and_closes_by_a_probe),
        cmocka_unit_test(what_a_server_says_about_waiting_is_read),
        cmocka_unit_test(pauses_double_and_differ_between_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
