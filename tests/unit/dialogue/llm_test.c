/* llm_test.c - the language-model client against a server that answers as it should. */
#include "tests/unit/dialogue/llm_asker.h"

#include <cjson/cJSON.h>

static const char both[] =
    "  connections: 0\n"
    "  fast: {endpoint: 'http://127.0.0.1:%d', model: nano, api_key: k-123}\n"
    "  slow: {endpoint: 'http://127.0.0.1:%d/', model: large, api: azure,"
    " api_key: k-123}\n";

static const char script[] =
    "api_key: k-123\n"
    "models: [nano, large]\n"
    "rules:\n"
    "  - when: {user: words}\n"
    "    say: \"Héllo, 世界 👋! It is 3.5.\"\n"
    "  - when: {user: paced}\n"
    "    say: \"one two three four\"\n"
    "    pace: {first_ms: 30, tokens_per_s: 100}\n"
    "  - when: {user: tools, role: user}\n"
    "    say: \"One moment.\"\n"
    "    call:\n"
    "      - {name: send_sms, arguments: '{\"message\":\"Grüße \\\"you\\\"\"}'}\n"
    "      - {name: end_call, arguments: ''}\n"
    "  - when: {role: tool, tool: gone}\n"
    "    say: \"Done: {{tool}} by {{model}}\"\n"
    "  - when: {schema: thing}\n"
    "    say: \"{{sample}}\"\n"
    "  - when: {user: which}\n"
    "    say: \"{{model}}\"\n";

/* The body of the last request, to be deleted. */
static cJSON *last_body(const asker_t *asker)
{
    char *log = llm_double_log(&asker->server);
    cJSON *body = NULL;
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
        cJSON *entry = cJSON_Parse(line);
        cJSON *found = cJSON_DetachItemFromObject(entry, "body");
        if (cJSON_IsObject(found)) {
            cJSON_Delete(body);
            body = found;
        } else {
            cJSON_Delete(found);
        }
        cJSON_Delete(entry);
    }
    free(log);
    assert_non_null(body);
    return body;
}

static void text_arrives_in_pieces_and_whole(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    asker_say(&asker, LLM_FAST, "words");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "Héllo, 世界 👋! It is 3.5.");
    assert_int_equal(asker.end.finish, LLM_STOP);
    assert_string_equal(asker.model, "nano");
    assert_true(asker.end.prompt_tokens > 0);
    assert_true(asker.end.answer_tokens > 5);
    assert_true(asker.end.first_ms > 0);
    asker_say(&asker, LLM_FAST, "paced");
    assert_true(asker.pieces >= 3); /* as they came, not at the end */
    assert_string_equal(asker.text, "one two three four");
    assert_in_range(asker.end.first_ms, 25, 500);
    assert_true(asker.end.whole_ms >= asker.end.first_ms + 25);
    asker_close(&asker);
}

static void both_styles_of_server_are_asked_with_their_key(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    asker_say(&asker, LLM_FAST, "which");
    assert_string_equal(asker.text, "nano");
    asker_say(&asker, LLM_SLOW, "which");
    assert_string_equal(asker.text, "large");
    assert_int_equal(llm_double_count(&asker.server, "\"path\":\"/v1/chat/completions\""), 1);
    assert_int_equal(
        llm_double_count(&asker.server,
                         "\"path\":\"/openai/deployments/large/chat/completions\",\"query\":"
                         "\"api-version=2024-10-21\",\"status\":200,\"auth\":\"api-key\""),
        1);
    asker_close(&asker);
}

static void a_conversation_with_tools_goes_round(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    const llm_tool_t tools[] = {
        {"send_sms", "sends",
         "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":"
         "\"string\"}},\"required\":[\"message\"]}"},
        {"end_call", "ends", NULL},
    };
    llm_message_t messages[5] = {{.role = LLM_SYSTEM, .content = "You are kind."},
                                 {.role = LLM_USER, .content = "tools"}};
    llm_request_t request = {
        .messages = messages, .n_messages = 2, .tools = tools, .n_tools = 2, .max_tokens = 160};
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_OK);
    assert_int_equal(asker.end.finish, LLM_TOOL_CALLS);
    assert_string_equal(asker.text, "One moment.");
    assert_string_equal(asker.tool_names, "send_sms;end_call;");
    assert_string_equal(asker.arguments, "{\"message\":\"Grüße \\\"you\\\"\"};{};");

    const llm_tool_call_t calls[] = {{"a1", "send_sms", "{\"message\":\"x\"}"},
                                     {"a2", "end_call", "{}"}};
    messages[2] =
        (llm_message_t){.role = LLM_ASSISTANT, .content = "", .calls = calls, .n_calls = 2};
    messages[3] = (llm_message_t){.role = LLM_TOOL, .content = "sent", .tool_id = "a1"};
    messages[4] = (llm_message_t){.role = LLM_TOOL, .content = "gone", .tool_id = "a2"};
    request.n_messages = 5;
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "Done: gone by nano");

    cJSON *body = last_body(&asker);
    assert_int_equal(cJSON_GetObjectItem(body, "max_tokens")->valueint, 160);
    assert_int_equal(cJSON_GetObjectItem(body, "seed")->valueint, 42);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(body, "stream")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(body, "tools")), 2);
    cJSON_Delete(body);
    asker_close(&asker);
}

static const char thing[] = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},"
                            "\"required\":[\"name\"],\"additionalProperties\":false}";

static void an_answer_of_a_shape_is_asked_for(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    llm_message_t message = {.role = LLM_USER, .content = "what is it?"};
    asker_request(
        &asker, LLM_SLOW,
        &(llm_request_t){
            .messages = &message, .n_messages = 1, .answer_schema = thing, .answer_name = "thing"});
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "{\"name\":\"text\"}");
    cJSON *body = last_body(&asker);
    cJSON *format = cJSON_GetObjectItem(body, "response_format");
    cJSON *schema = cJSON_GetObjectItem(format, "json_schema");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(schema, "strict")));
    assert_null(cJSON_GetObjectItem(body, "max_tokens")); /* no limit of ours */
    cJSON_Delete(body);
    asker_close(&asker);
}

static void servers_without_schemas_are_told_the_shape_in_words(void **state)
{
    (void)state;
    asker_t asker = asker_open("rules: [{say: '{\"name\":\"x\"}'}]",
                               "  fast: {endpoint: 'http://127.0.0.1:%d', model: m, json: object}\n"
                               "  slow: {endpoint: 'http://127.0.0.1:%d', model: m, json: text,"
                               " reasoning: true, seed: -1, extra_body: '{\"top_p\":0.5}'}\n");
    llm_message_t message = {.role = LLM_USER, .content = "what is it?"};
    llm_request_t request = {
        .messages = &message, .n_messages = 1, .answer_schema = thing, .max_tokens = 9};
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_OK); /* the double wants the word "json" as OpenAI does */
    cJSON *body = last_body(&asker);
    const cJSON *messages = cJSON_GetObjectItem(body, "messages");
    const cJSON *last = cJSON_GetArrayItem(messages, 1);
    assert_non_null(strstr(cJSON_GetObjectItem(last, "content")->valuestring, thing));
    cJSON_Delete(body);

    asker_request(&asker, LLM_SLOW, &request);
    assert_int_equal(asker.err, PL_OK);
    body = last_body(&asker);
    assert_null(cJSON_GetObjectItem(body, "response_format"));
    assert_null(cJSON_GetObjectItem(body, "max_tokens"));
    assert_null(cJSON_GetObjectItem(body, "temperature"));
    assert_null(cJSON_GetObjectItem(body, "seed"));
    assert_int_equal(cJSON_GetObjectItem(body, "max_completion_tokens")->valueint, 9);
    assert_true(cJSON_GetObjectItem(body, "top_p")->valuedouble == 0.5);
    cJSON_Delete(body);
    asker_close(&asker);
}

static void a_wrong_request_is_refused_without_asking(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    const llm_tool_t broken = {"x", "", "{\"type\":"};
    const llm_tool_t nameless = {"no name", "", NULL};
    llm_message_t message = {.role = LLM_USER, .content = "words"};
    llm_request_t request = {.messages = &message, .n_messages = 1, .tools = &broken, .n_tools = 1};
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_INVALID);
    assert_string_equal(asker.detail, "the schema of the tool x is no JSON object");
    request.tools = &nameless;
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_INVALID);
    request.n_tools = request.n_messages = 0;
    asker_request(&asker, LLM_FAST, &request);
    assert_int_equal(asker.err, PL_INVALID);
    assert_int_equal(llm_double_count(&asker.server, "\"event\":\"request\""), 0);
    assert_true(llm_well(asker.llm));
    asker_close(&asker);
}

static void a_cancelled_request_says_nothing_more(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    llm_message_t message = {.role = LLM_USER, .content = "paced"};
    llm_request_t request = {.messages = &message, .n_messages = 1};
    asker_begin(&asker, LLM_FAST, &request);
    llm_cancel(&asker.asked); /* before it began */
    assert_null(asker.asked);
    llm_cancel(&asker.asked);
    asker.cancel_at_text = true;
    asker_request(&asker, LLM_FAST, &request);
    asker_await_log(&asker, "\"how\":\"cancelled\"", 1);
    assert_int_equal(asker.pieces, 1);
    assert_int_equal(asker.dones, 0);

    asker.cancel_at_text = false;
    asker.cancel_at_tool = true;
    asker_say(&asker, LLM_FAST, "tools");
    asker_run_ms(&asker, 20);
    assert_int_equal(asker.tools, 1); /* of two */
    assert_int_equal(asker.dones, 0);
    asker.cancel_at_tool = false;
    asker_say(&asker, LLM_FAST, "words");
    assert_int_equal(asker.dones, 1);
    asker_close(&asker);
}

static void closing_the_client_ends_what_is_open(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, both);
    llm_message_t message = {.role = LLM_USER, .content = "paced"};
    llm_request_t request = {.messages = &message, .n_messages = 1};
    asker_begin(&asker, LLM_FAST, &request);
    asker_begin(&asker, LLM_SLOW, &request);
    llm_destroy(&asker.llm);
    asker_run_ms(&asker, 20);
    assert_int_equal(asker.dones, 0);
    asker_close(&asker);
}

static void a_token_of_entra_is_had_first_where_it_is_wanted(void **state)
{
    (void)state;
    asker_t asker =
        asker_open("api_key: tok-1\nrules: [{say: \"{{model}}\"}]",
                   "  connections: 0\n"
                   "  fast: {endpoint: 'http://127.0.0.1:%d', model: nano, api: azure}\n"
                   "entra: {metadata_endpoint: 'http://127.0.0.1:%d'}\n");
    asker_say(&asker, LLM_FAST, "hello");
    assert_int_equal(asker.err, PL_OK);
    assert_string_equal(asker.text, "nano");
    asker_say(&asker, LLM_FAST, "hello");
    assert_string_equal(asker.text, "nano");
    assert_int_equal(llm_double_count(&asker.server, "\"path\":\"/metadata/"), 1);
    assert_int_equal(llm_double_count(&asker.server, "\"auth\":\"bearer\""), 2);
    asker_close(&asker);
}

static void connections_are_opened_before_they_are_needed(void **state)
{
    (void)state;
    asker_t asker = asker_open(script, "  connections: 2\n  keep_warm_ms: 30\n"
                                       "  fast: {endpoint: 'http://127.0.0.1:%d', model: nano,"
                                       " api_key: k-123}\n");
    while (llm_double_count(&asker.server, "\"method\":\"HEAD\"") < 2) asker_run_ms(&asker, 5);
    while (llm_double_count(&asker.server, "\"method\":\"HEAD\"") < 4) asker_run_ms(&asker, 5);
    assert_int_equal(llm_double_count(&asker.server, "\"auth\":\"bearer\""), 0); /* no key yet */
    asker_say(&asker, LLM_FAST, "words");
    assert_int_equal(asker.err, PL_OK);
    asker_close(&asker);
}

static void many_at_once_all_get_their_own_answer(void **state)
{
    (void)state;
    enum { MANY = 40 };
    asker_t first = asker_open("rules: [{say: 'You are {{user}}.', pace: {tokens_per_s: 200}}]",
                               "  fast: {endpoint: 'http://127.0.0.1:%d', model: m}\n");
    asker_t askers[MANY];
    char words[MANY][32];
    for (int i = 0; i < MANY; i++) {
        askers[i] = (asker_t){.loop = first.loop, .llm = first.llm};
        (void)snprintf(words[i], sizeof words[i], "number %d", i);
        llm_message_t message = {.role = LLM_USER, .content = words[i]};
        asker_begin(&askers[i], LLM_FAST, &(llm_request_t){.messages = &message, .n_messages = 1});
    }
    for (int ended = 0; ended < MANY; ended = 0) {
        pl_loop_run(first.loop);
        for (int i = 0; i < MANY; i++) ended += (int)askers[i].dones;
        if (ended == MANY) break;
    }
    for (int i = 0; i < MANY; i++) {
        char wanted[32];
        (void)snprintf(wanted, sizeof wanted, "You are number %d.", i);
        assert_string_equal(askers[i].text, wanted);
        free(askers[i].text);
    }
    asker_close(&first);
}

static pl_err_t open_with(const char *yaml, llm_t **out)
{
    char error[1024] = "";
    pl_config_t *cfg =
        pl_config_parse("dialogue", llm_config_keys, "t.yaml", yaml, error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    pl_loop_t *loop = pl_loop_new();
    pl_err_t err = llm_new(out, loop, cfg);
    if (err || !*out) {
        pl_loop_destroy(&loop);
        pl_config_destroy(&cfg);
    }
    return err;
}

static void wrong_settings_are_refused_and_none_is_no_model(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "llm: {fast: {endpoint: 'ftp://x', model: m}}",
        "llm: {fast: {endpoint: 'http://', model: m}}",
        "llm: {fast: {endpoint: 'http://x y', model: m}}",
        "llm: {fast: {endpoint: 'http://u:p@x', model: m}}",
        "llm: {slow: {endpoint: 'http://x/v1'}}",
        "llm: {fast: {endpoint: 'http://x', model: m, api: other}}",
        "llm: {fast: {endpoint: 'http://x', model: 'a/b', api: azure, api_key: k}}",
        "llm: {fast: {endpoint: 'http://x', model: m, auth: bearer}}",
        "llm: {fast: {endpoint: 'http://x', model: m, auth: basic}}",
        "llm: {fast: {endpoint: 'http://x', model: m, api_key: \"a\\nb\"}}",
        "llm: {fast: {endpoint: 'http://x', model: m, json: maybe}}",
        "llm: {fast: {endpoint: 'http://x', model: m, extra_body: '[]'}}",
        "llm: {fast: {endpoint: 'http://x', model: m, max_tokens: 2000, context: 2000}}",
    };
    llm_t *llm = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(open_with(wrong[i], &llm), PL_INVALID);
        assert_null(llm);
    }
    assert_int_equal(open_with("llm: {fast: {model: m}}", &llm), PL_OK);
    assert_null(llm);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_arrives_in_pieces_and_whole),
        cmocka_unit_test(both_styles_of_server_are_asked_with_their_key),
        cmocka_unit_test(a_conversation_with_tools_goes_round),
        cmocka_unit_test(an_answer_of_a_shape_is_asked_for),
        cmocka_unit_test(servers_without_schemas_are_told_the_shape_in_words),
        cmocka_unit_test(a_wrong_request_is_refused_without_asking),
        cmocka_unit_test(a_cancelled_request_says_nothing_more),
        cmocka_unit_test(closing_the_client_ends_what_is_open),
        cmocka_unit_test(a_token_of_entra_is_had_first_where_it_is_wanted),
        cmocka_unit_test(connections_are_opened_before_they_are_needed),
        cmocka_unit_test(many_at_once_all_get_their_own_answer),
        cmocka_unit_test(wrong_settings_are_refused_and_none_is_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
