/* reach_test.c - emergencies and an integrator's tools: settings, and what the caller is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/dialogue/config.h"
#include "services/dialogue/toolbox.h"
#include "tests/unit/dialogue/conversation.h"
#include "tests/unit/dialogue/by_hand.h"

#define SECRET "secret: 0123456789abcdef"

static pl_config_t *config(const char *yaml)
{
    char error[512];
    pl_config_t *cfg =
        pl_config_parse("dialogue", dialogue_config_keys, "test.yaml", yaml, error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    return cfg;
}

static const char two_contacts[] = "dialogue:\n"
                                   "  emergencies:\n"
                                   "    - service: firefighters\n"
                                   "      url: https://alarm.example.com/in\n"
                                   "      " SECRET "\n"
                                   "    - service: '*'\n"
                                   "      phone_number: '+33612345678'\n"
                                   "    - service: police\n"
                                   "      phone_number: '+33612345679'\n";

static const char weather[] =
    "dialogue:\n"
    "  tools:\n"
    "    - name: order_status\n"
    "      description: Tells where an order is\n"
    "      schema: '{\"type\":\"object\",\"required\":[\"order\"],\"additionalProperties\":false,"
    "\"properties\":{\"order\":{\"type\":\"string\",\"minLength\":3}}}'\n"
    "      url: https://tools.example.com/order\n"
    "      " SECRET "\n"
    "      filler_after_ms: 1500\n"
    "      idempotent: true\n";

static const char fire[] =
    "{\"customer_response\":\"I am alerting the firefighters.\",\"reason\":\"fire\","
    "\"location\":\"building 4\",\"contact\":\"Ann, +33611111111\",\"service\":\"firefighters\"}";

static void answer_post(conversation_t *c, pl_err_t err, long status, const char *body)
{
    posted_t posted = {err, status, body, "no route"};
    call_posted(c->call, c->now, c->tool, &posted, &c->fx);
}

static void answer_alert(conversation_t *c, pl_err_t err, bool delivered)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SmsSent sent = PL__SMS_SENT__INIT;
    sent.delivered = delivered;
    env.body_case = PL__ENVELOPE__BODY_SMS_SENT;
    env.sms_sent = &sent;
    call_reply(c->call, c->now, ASKED_ALERT, c->tool, err, err ? NULL : &env, &c->fx);
}

/* A call in which the caller has just cried for help, with these settings. */
typedef struct {
    pl_config_t *cfg;
    contacts_t *contacts;
    remote_tools_t *remote;
    conversation_t *c;
    uint32_t thought;
} scene_t;

static scene_t scene(const char *yaml)
{
    scene_t s = {.cfg = config(yaml)};
    assert_int_equal(contacts_new(&s.contacts, s.cfg), PL_OK);
    assert_int_equal(remote_tools_new(&s.remote, s.cfg), PL_OK);
    s.c = conversation_new(three_fields());
    s.c->settings.contacts = s.contacts;
    s.c->settings.remote_tools = s.remote;
    conversation_open(s.c);
    s.thought = begin_thought(s.c, "it is on fire");
    s.c->reply[0] = '\0';
    return s;
}

static void end_scene(scene_t *s)
{
    conversation_destroy(&s->c);
    remote_tools_destroy(&s->remote);
    contacts_destroy(&s->contacts);
    pl_config_destroy(&s->cfg);
}

static void the_caller_is_told_when_nobody_can_be_notified(void **state)
{
    (void)state;
    char result[512];
    scene_t s = scene("{}");
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "notify_emergencies", fire, &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_non_null(strstr(result, "Nobody was notified: no contact for firefighters"));
    assert_non_null(strstr(result, "ring the emergency number"));
    assert_string_equal(s.c->reply, ""); /* it does not say that help is on its way */
    end_scene(&s);
}

static void all_contacts_of_the_service_are_notified(void **state)
{
    (void)state;
    char result[512];
    scene_t s = scene(two_contacts);
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "notify_emergencies", fire, &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_int_equal(s.c->posts, 1);
    assert_int_equal(s.c->alerts, 1); /* not the police's */
    assert_string_equal(s.c->reply, "I am alerting the firefighters.");
    assert_string_equal(result, "");
    cJSON *body = cJSON_Parse(s.c->posted);
    assert_string_equal(tool_string(body, "event"), "emergency");
    assert_string_equal(tool_string(body, "service"), "firefighters");
    assert_string_equal(tool_string(body, "location"), "building 4");
    assert_string_equal(tool_string(body, "contact"), "Ann, +33611111111");
    assert_string_equal(tool_string(body, "phone_number"), "+33699999999");
    cJSON_Delete(body);
    answer_post(s.c, PL_OK, 204, "");
    run_by_hand(s.c, result, sizeof result);
    assert_string_equal(result, ""); /* the other has not answered */
    answer_alert(s.c, PL_OK, false);
    run_by_hand(s.c, result, sizeof result);
    assert_string_equal(result, "t-1=Notified: the message was taken by 1 of 2 contacts.");
    answer_alert(s.c, PL_OK, true); /* late and twice */
    run_by_hand(s.c, result, sizeof result);
    assert_string_equal(result, "");
    end_scene(&s);
}

static void the_caller_is_told_when_every_contact_fails(void **state)
{
    (void)state;
    char result[512];
    scene_t s = scene(two_contacts);
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "notify_emergencies", fire, &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    answer_alert(s.c, PL_UNAVAILABLE, false);
    answer_post(s.c, PL_OK, 500, "");
    run_by_hand(s.c, result, sizeof result);
    assert_non_null(strstr(result, "none of 2 contacts could be reached"));
    end_scene(&s);
}

static void an_unknown_service_is_refused(void **state)
{
    (void)state;
    char result[512];
    scene_t s = scene(two_contacts);
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "notify_emergencies",
                    "{\"reason\":\"a\",\"location\":\"b\",\"contact\":\"c\",\"service\":\"*\"}",
                    &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_non_null(strstr(result, "service is not one of the choices"));
    assert_int_equal(s.c->posts + s.c->alerts, 0);
    end_scene(&s);
}

static void an_integrators_tool_is_called_with_checked_arguments(void **state)
{
    (void)state;
    char result[512];
    scene_t s = scene(weather);
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "order_status", "{\"order\":\"a\"}",
                    &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_non_null(strstr(result, "argument order must be at least 3 characters"));
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-2", "order_status",
                    "{\"order\":\"abc\",\"more\":1}", &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_non_null(strstr(result, "argument more is not expected"));
    assert_int_equal(s.c->posts, 0);
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-3", "order_status",
                    "{\"order\":\"abc\",\"customer_response\":\"I am looking at it.\"}", &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_int_equal(s.c->posts, 1);
    assert_string_equal(s.c->reply, "I am looking at it.");
    cJSON *body = cJSON_Parse(s.c->posted);
    assert_string_equal(tool_string(body, "event"), "tool");
    assert_string_equal(tool_string(body, "tool"), "order_status");
    assert_string_equal(tool_string(body, "call_id"), "c-1");
    char *args = cJSON_PrintUnformatted(cJSON_GetObjectItem(body, "arguments"));
    assert_string_equal(args, "{\"order\":\"abc\"}"); /* the sentence is the caller's */
    cJSON_free(args);
    assert_non_null(strstr(tool_string(body, "event_id"), "c-1."));
    cJSON_Delete(body);
    answer_post(s.c, PL_OK, 200, "{\"state\":\"shipped\"}");
    run_by_hand(s.c, result, sizeof result);
    assert_string_equal(result, "t-3={\"state\":\"shipped\"}");
    end_scene(&s);
}

static void what_a_server_says_is_bounded_and_plain(void **state)
{
    (void)state;
    static char result[8192];
    static char body[20000];
    scene_t s = scene(weather);
    memset(body, 'x', sizeof body - 1);
    body[10] = '\x01';
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "order_status", "{\"order\":\"abc\"}",
                    &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    answer_post(s.c, PL_OK, 200, body);
    run_by_hand(s.c, result, sizeof result);
    assert_true(strlen(result) < 4200);
    assert_non_null(strstr(result, "(cut here)"));
    assert_true(value_is_plain(result));
    end_scene(&s);
}

static void a_failing_server_is_told_as_such(void **state)
{
    (void)state;
    static const struct {
        pl_err_t err;
        long status;
        const char *body, *want;
    } rows[] = {
        {PL_TIMEOUT, 0, "", "no answer in time"},
        {PL_UNAVAILABLE, 0, "", "The tool failed: no route."},
        {PL_OK, 500, "boom", "The tool failed with status 500: boom"},
        {PL_OK, 422, "no such order", "status 422: no such order"},
        {PL_OK, 200, "", "Done."},
    };
    char result[1024];
    scene_t s = scene(weather);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "t-%zu", i);
        (void)call_tool(s.c->call, s.c->now, s.thought, id, "order_status", "{\"order\":\"abc\"}",
                        &s.c->fx);
        run_by_hand(s.c, result, sizeof result);
        answer_post(s.c, rows[i].err, rows[i].status, rows[i].body);
        run_by_hand(s.c, result, sizeof result);
        if (!strstr(result, rows[i].want)) fail_msg("%s", result);
    }
    end_scene(&s);
}

static void waiting_for_a_tool_is_bridged_once_and_not_stored(void **state)
{
    (void)state;
    char result[512];
    scene_t s = scene(weather);
    (void)call_tool(s.c->call, s.c->now, s.thought, "t-1", "order_status",
                    "{\"order\":\"abc\",\"customer_response\":\"I am looking at it.\"}", &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_int_equal(call_deadline(s.c->call), s.c->now.mono_ms + 1500);
    s.c->reply[0] = '\0';
    s.c->now.mono_ms += 1500;
    call_tick(s.c->call, s.c->now, &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    assert_string_not_equal(s.c->reply, "");
    char filler[256];
    (void)snprintf(filler, sizeof filler, "%.200s", s.c->reply);
    assert_true(call_deadline(s.c->call) > s.c->now.mono_ms + 1500);
    answer_post(s.c, PL_OK, 200, "shipped");
    (void)call_sentence(s.c->call, s.c->now, s.thought, "It was shipped.", 0, &s.c->fx);
    (void)call_thought(s.c->call, s.c->now, s.thought, PL_OK, &s.c->fx);
    run_by_hand(s.c, result, sizeof result);
    const Pl__Message *last = s.c->stored->messages[s.c->stored->n_messages - 1];
    assert_string_equal(last->content, "I am looking at it. It was shipped.");
    char heard[512];
    (void)snprintf(heard, sizeof heard, "I am looking at it. %s It was", filler);
    conversation_spoken(s.c, true, heard);
    last = s.c->stored->messages[s.c->stored->n_messages - 1];
    assert_string_equal(last->content, "I am looking at it. It was");
    end_scene(&s);
}

static void a_model_is_offered_the_integrators_tools(void **state)
{
    (void)state;
    scene_t s = scene(weather);
    toolbox_t *box = toolbox_new(call_record(s.c->call), s.remote, 0);
    size_t count = 0;
    const llm_tool_t *tools = toolbox_tools(box, &count);
    const llm_tool_t *last = &tools[count - 1];
    assert_string_equal(last->name, "order_status");
    assert_string_equal(last->description, "Tells where an order is");
    assert_non_null(strstr(last->schema, "\"required\":[\"order\",\"customer_response\"]"));
    toolbox_destroy(&box);
    end_scene(&s);
}

#define TOOL(more) "dialogue:\n  tools:\n    - name: t\n      description: d\n" more

static void wrong_settings_stop_the_start(void **state)
{
    (void)state;
    static const char *const tools[] = {
        TOOL("      url: https://a.example/\n"), /* no secret */
        TOOL("      url: https://a.example/\n      secret: short\n"),
        TOOL("      " SECRET "\n"), /* no URL */
        TOOL("      url: ftp://a.example/\n      " SECRET "\n"),
        TOOL("      url: https://a.example/\n      " SECRET "\n      schema: '{'\n"),
        TOOL("      url: https://a.example/\n      " SECRET
             "\n      schema: '{\"type\":\"array\"}'\n"),
        TOOL("      url: https://a.example/\n      " SECRET
             "\n      schema: '{\"type\":\"object\",\"oneOf\":[]}'\n"),
        TOOL("      url: https://a.example/\n      " SECRET
             "\n      schema_file: /nowhere/x.json\n"),
        TOOL("      url: https://a.example/\n      " SECRET
             "\n      schema: '{\"type\":\"object\",\"properties\":{\"customer_response\":{}}}'\n"),
        "dialogue:\n  tools:\n    - name: end_call\n      description: d\n      url: https://a/\n"
        "      " SECRET "\n",
        "dialogue:\n  tools:\n    - name: a b\n      description: d\n      url: https://a/\n"
        "      " SECRET "\n",
    };
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        pl_config_t *cfg = config(tools[i]);
        remote_tools_t *out = NULL;
        if (remote_tools_new(&out, cfg) != PL_INVALID) fail_msg("%s", tools[i]);
        assert_null(out);
        pl_config_destroy(&cfg);
    }
    static const char *const emergencies[] = {
        "dialogue:\n  emergencies:\n    - service: army\n      phone_number: '+33612345678'\n",
        "dialogue:\n  emergencies:\n    - service: police\n",
        "dialogue:\n  emergencies:\n    - service: police\n      phone_number: '17'\n",
        "dialogue:\n  emergencies:\n    - service: police\n      url: https://a.example/\n",
        "dialogue:\n  emergencies:\n    - service: police\n      url: a.example\n      " SECRET
        "\n",
    };
    for (size_t i = 0; i < sizeof emergencies / sizeof emergencies[0]; i++) {
        pl_config_t *cfg = config(emergencies[i]);
        contacts_t *out = NULL;
        if (contacts_new(&out, cfg) != PL_INVALID) fail_msg("%s", emergencies[i]);
        assert_null(out);
        pl_config_destroy(&cfg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caller_is_told_when_nobody_can_be_notified),
        cmocka_unit_test(all_contacts_of_the_service_are_notified),
        cmocka_unit_test(the_caller_is_told_when_every_contact_fails),
        cmocka_unit_test(an_unknown_service_is_refused),
        cmocka_unit_test(an_integrators_tool_is_called_with_checked_arguments),
        cmocka_unit_test(what_a_server_says_is_bounded_and_plain),
        cmocka_unit_test(a_failing_server_is_told_as_such),
        cmocka_unit_test(waiting_for_a_tool_is_bridged_once_and_not_stored),
        cmocka_unit_test(a_model_is_offered_the_integrators_tools),
        cmocka_unit_test(wrong_settings_stop_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
