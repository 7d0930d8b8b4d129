/* data_test.c - what comes from outside and what goes out: tools' arguments, values, the initiate,
 * the outbox, and post-call work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/dialogue/config.h"
#include "services/dialogue/initiate.h"
#include "services/dialogue/outbox.h"
#include "services/dialogue/postcall.h"
#include "services/dialogue/tools.h"
#include "services/dialogue/value.h"
#include "tests/unit/dialogue/conversation.h"

/* ---- tools ---- */

static void tools_refuse_hostile_arguments(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"updated_claim", ""},
        {"updated_claim", "null"},
        {"updated_claim", "[]"},
        {"updated_claim", "{"},
        {"updated_claim", "{} trailing"},
        {"updated_claim", "{\"updates\":null}"},
        {"updated_claim", "{\"updates\":[]}"},
        {"updated_claim", "{\"updates\":{\"field\":\"a\",\"value\":\"b\"}}"},
        {"updated_claim", "{\"updates\":[1,2]}"},
        {"updated_claim", "{\"updates\":[{\"field\":\"a\"}]}"},
        {"updated_claim", "{\"updates\":[{\"field\":\"a\",\"value\":7}]}"},
        {"updated_claim", "{\"updates\":[{\"field\":[],\"value\":\"b\"}]}"},
        {"updated_claim",
         "{\"updates\":[{\"field\":\"a\",\"value\":\"b\",\"confirmed\":\"yes\"}]}"},
        {"updated_claim", "{\"updates\":[{\"field\":\"a\",\"value\":\"\\u0001\"}]}"},
        {"updated_claim", "{\"updates\":[{\"field\":\"a\",\"value\":\"\xff\"}]}"},
        {"speech_speed", "{\"speed\":\"fast\"}"},
        {"speech_speed", "{\"speed\":1e999}"},
        {"speech_speed", "{}"},
        {"search_document", "{\"queries\":\"x\"}"},
        {"search_document", "{\"queries\":[\"\"]}"},
        {"search_document", "{\"queries\":[\"a\",null]}"},
        {"send_sms", "{\"message\":\"\"}"},
        {"send_sms", "{\"customer_response\":5,\"message\":\"x\"}"},
        {"new_or_updated_reminder", "{\"title\":\"x\",\"description\":\"y\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char reason[128] = "";
        cJSON *args = (cJSON *)state;
        const tool_t *tool = tool_find(rows[i][0]);
        assert_non_null(tool);
        if (tool_arguments(tool, rows[i][1], &args, reason, sizeof reason) != PL_INVALID) {
            fail_msg("%s %s was taken", rows[i][0], rows[i][1]);
        }
        assert_ptr_equal(args, state); /* untouched */
        assert_true(reason[0] != '\0');
    }
}

static void tools_refuse_arguments_beyond_measure(void **state)
{
    (void)state;
    char reason[128];
    cJSON *args = NULL;
    char *deep = malloc(9000);
    memset(deep, '[', 8999);
    deep[8999] = '\0';
    assert_int_equal(tool_arguments(tool_find("end_call"), deep, &args, reason, sizeof reason),
                     PL_INVALID);
    free(deep);
    char *big = malloc(TOOL_JSON_MAX + 100);
    memset(big, ' ', TOOL_JSON_MAX + 99);
    big[0] = '{';
    big[TOOL_JSON_MAX + 98] = '}';
    big[TOOL_JSON_MAX + 99] = '\0';
    assert_int_equal(tool_arguments(tool_find("end_call"), big, &args, reason, sizeof reason),
                     PL_INVALID);
    free(big);
    char text[TOOL_STRING_MAX + 64];
    int n = snprintf(text, sizeof text, "{\"message\":\"");
    memset(text + n, 'x', TOOL_STRING_MAX + 1);
    snprintf(text + n + TOOL_STRING_MAX + 1, 4, "\"}");
    assert_int_equal(tool_arguments(tool_find("send_sms"), text, &args, reason, sizeof reason),
                     PL_INVALID);
    assert_null(args);
}

static void tools_take_what_is_right(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"end_call", ""},
        {"end_call", "{}"},
        {"talk_to_human", "{\"customer_response\":\"One moment\"}"},
        {"updated_claim", "{\"updates\":[{\"field\":\"a\",\"value\":\"\"}],\"unknown\":1}"},
        {"speech_lang", "{\"lang\":\"fr-FR\"}"},
        {"new_or_updated_reminder",
         "{\"title\":\"Call\",\"description\":\"d\",\"due_date_time\":\"2026-12-01T10:00\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char reason[128];
        cJSON *args = NULL;
        assert_int_equal(
            tool_arguments(tool_find(rows[i][0]), rows[i][1], &args, reason, sizeof reason), PL_OK);
        cJSON_Delete(args);
    }
    assert_null(tool_find("drop_tables"));
    size_t count = 0;
    assert_non_null(tools_all(&count));
    assert_int_equal(count, TOOL_KINDS);
}

/* The manager's part played by hand: a thought that calls one tool. */
static const char *run_tool(conversation_t *c, const char *name, const char *arguments)
{
    static char result[4096];
    result[0] = '\0';
    c->hold = true;
    conversation_open(c);
    /* The opening thought is over; take a new one that the script does not see. */
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)"something";
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    (void)call_handle(c->call, c->now, &env, &c->fx);
    uint32_t thought = 0;
    for (const effect_t *e = c->fx.first; e; e = e->next) {
        if (e->kind == FX_THINK) thought = e->think;
    }
    fx_clear(&c->fx);
    assert_int_equal(call_tool(c->call, c->now, thought, "t-1", name, arguments, &c->fx), PL_OK);
    for (const effect_t *e = c->fx.first; e; e = e->next) {
        if (e->kind == FX_TOOL_RESULT) snprintf(result, sizeof result, "%s", e->text);
        if (e->kind == FX_STORE) (void)pl_record_apply(c->stored, e->change);
    }
    return result;
}

static void claim_updates_are_checked_field_by_field(void **state)
{
    (void)state;
    static const field_t fields[] = {{"when", PL__CLAIM_TYPE__DATETIME, ""},
                                     {"mail", PL__CLAIM_TYPE__EMAIL, ""},
                                     {"phone", PL__CLAIM_TYPE__PHONE_NUMBER, ""},
                                     {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    const char *result =
        run_tool(c, "updated_claim",
                 "{\"updates\":[{\"field\":\"when\",\"value\":\"2026-11-21 09:00\"},"
                 "{\"field\":\"mail\",\"value\":\"not one\"},"
                 "{\"field\":\"phone\",\"value\":\"0612\"},"
                 "{\"field\":\"unknown\",\"value\":\"x\"}]}");
    assert_non_null(strstr(result, "Updated when"));
    assert_non_null(strstr(result, "Rejected mail"));
    assert_non_null(strstr(result, "Rejected phone"));
    assert_non_null(strstr(result, "Rejected unknown"));
    assert_string_equal(conversation_value(c, "when"), "2026-11-21T09:00:00");
    assert_string_equal(conversation_value(c, "mail"), "");
    assert_int_equal(c->stored->n_claim, 1);
    conversation_destroy(&c);
}

/* The job a reminder leaves, in one write with it. */
static void a_reminder_leaves_the_job_that_sees_to_it_when_it_is_due(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    assert_non_null(strstr(run_tool(c, "new_or_updated_reminder",
                                    "{\"title\":\"Call back\",\"description\":\"d\","
                                    "\"due_date_time\":\"2030-12-01T08:00:00Z\"}"),
                           "noted"));
    uint32_t group = 0;
    int jobs = 0;
    for (const effect_t *e = c->fx.first; e; e = e->next) {
        bool reminder =
            e->kind == FX_STORE && e->change->change_case == PL__CALL_CHANGE__CHANGE_REMINDER;
        if (reminder) {
            group = e->group;
            assert_int_equal(e->change->reminder->due_at_ms, 1922342400000);
        }
        if (e->kind != FX_JOB) continue;
        jobs++;
        assert_int_equal(e->group, group);
        assert_string_equal(e->job->kind, "reminder");
        assert_int_equal(e->job->run_at_ms, 1922342400000);
    }
    assert_int_equal(jobs, 1);
    assert_true(group != 0);
    conversation_destroy(&c);
}

static void a_reminder_of_what_is_past_is_refused(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    const char *result = run_tool(c, "new_or_updated_reminder",
                                  "{\"title\":\"Call back\",\"description\":\"d\","
                                  "\"due_date_time\":\"2026-11-21T08:00\"}");
    assert_non_null(strstr(result, "Rejected: due_date_time is in the past, it is 2026-11-22T"));
    assert_int_equal(c->stored->n_reminders, 0);
    conversation_destroy(&c);
    c = conversation_new(three_fields()); /* today goes on */
    assert_non_null(strstr(run_tool(c, "new_or_updated_reminder",
                                    "{\"title\":\"Call back\",\"description\":\"d\","
                                    "\"due_date_time\":\"2026-11-22\"}"),
                           "noted"));
    conversation_destroy(&c);
}

static void the_other_tools_do_their_work(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    assert_non_null(strstr(run_tool(c, "new_or_updated_reminder",
                                    "{\"title\":\"Call back\",\"description\":\"d\","
                                    "\"due_date_time\":\"2026-12-01\",\"owner\":\"assistant\"}"),
                           "noted"));
    assert_int_equal(c->stored->n_reminders, 1);
    assert_string_equal(c->stored->reminders[0]->due_date_time, "2026-12-01");
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    assert_non_null(
        strstr(run_tool(c, "new_or_updated_reminder",
                        "{\"title\":\"x\",\"description\":\"d\",\"due_date_time\":\"soon\"}"),
               "Rejected"));
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    assert_non_null(strstr(run_tool(c, "speech_lang", "{\"lang\":\"xx-XX\"}"), "Rejected"));
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    (void)run_tool(c, "speech_speed", "{\"speed\":9}");
    assert_true(pl_record_rate(c->stored) == 1.25);
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    assert_non_null(strstr(run_tool(c, "drop_tables", "{}"), "no tool"));
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    assert_string_equal(run_tool(c, "send_sms", "{\"message\":\"hello\"}"), "");
    char key[64] = "";
    for (const effect_t *e = c->fx.first; e; e = e->next) {
        if (e->kind == FX_REQUEST && e->asked == ASKED_SMS) snprintf(key, 64, "%s", e->tool_id);
    }
    fx_clear(&c->fx);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SmsSent sent = PL__SMS_SENT__INIT;
    sent.delivered = true;
    env.body_case = PL__ENVELOPE__BODY_SMS_SENT;
    env.sms_sent = &sent;
    call_reply(c->call, c->now, ASKED_SMS, key, PL_OK, &env, &c->fx);
    conversation_run(c);
    const Pl__Message *last = c->stored->messages[c->stored->n_messages - 1];
    assert_int_equal(last->action, PL__ACTION__SMS);
    assert_string_equal(last->content, "hello");
    conversation_destroy(&c);
}

/* ---- values ---- */

static void values_are_checked_by_type(void **state)
{
    (void)state;
    static const struct {
        Pl__ClaimType type;
        const char *text, *want;
    } rows[] = {
        {PL__CLAIM_TYPE__TEXT, "  a b ", "a b"},
        {PL__CLAIM_TYPE__TEXT, "   ", NULL},
        {PL__CLAIM_TYPE__TEXT, "a\x01", NULL},
        {PL__CLAIM_TYPE__TEXT, "\xC3\x28", NULL},
        {PL__CLAIM_TYPE__TEXT, "caf\xC3\xA9", "caf\xC3\xA9"},
        {PL__CLAIM_TYPE__DATETIME, "2026-11-21 09:00", "2026-11-21T09:00:00"},
        {PL__CLAIM_TYPE__DATETIME, "2026-11-21", "2026-11-21"},
        {PL__CLAIM_TYPE__DATETIME, "yesterday", NULL},
        {PL__CLAIM_TYPE__PHONE_NUMBER, "+33 6 12-34.56 (78)", "+33612345678"},
        {PL__CLAIM_TYPE__PHONE_NUMBER, "0612345678", NULL},
        {PL__CLAIM_TYPE__EMAIL, "John@Example.COM", "john@example.com"},
        {PL__CLAIM_TYPE__EMAIL, "john", NULL},
        {(Pl__ClaimType)77, "x", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[VALUE_BYTES] = "untouched";
        const char *reason = NULL;
        pl_err_t err = value_check(rows[i].type, rows[i].text, out, &reason);
        assert_int_equal(err, rows[i].want ? PL_OK : PL_INVALID);
        assert_string_equal(out, rows[i].want ? rows[i].want : "untouched");
        if (err) assert_non_null(reason);
    }
}

/* ---- initiate ---- */

static pl_config_t *config_of(const char *yaml)
{
    char error[512] = "";
    pl_config_t *cfg =
        pl_config_parse("dialogue", dialogue_config_keys, "test.yaml", yaml, error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    return cfg;
}

static void defaults_come_from_the_configuration(void **state)
{
    (void)state;
    pl_config_t *cfg = config_of("conversation:\n  initiate:\n    bot_company: Contoso\n"
                                 "    agent_phone_number: \"+33612345678\"\n    prosody_rate: 1.1\n"
                                 "    claim:\n      - name: a\n        type: datetime\n"
                                 "    lang:\n      default_short_code: fr-FR\n"
                                 "      availables:\n        - short_code: de-DE\n"
                                 "          pronunciations_en: [German, DE]\n"
                                 "        - short_code: fr-FR\n");
    Pl__Initiate *defaults = initiate_from_config(cfg);
    Pl__Initiate asked = PL__INITIATE__INIT;
    Pl__Initiate *out = NULL;
    char reason[256];
    asked.phone_number = (char *)"+11234567890";
    assert_int_equal(initiate_complete(&asked, defaults, false, &out, reason, sizeof reason),
                     PL_OK);
    assert_string_equal(out->bot_company, "Contoso");
    assert_string_equal(out->lang_default, "fr-FR");
    assert_true(out->prosody_rate > 1.09);
    assert_int_equal(out->n_claim, 4);
    assert_int_equal(out->claim[0]->type, PL__CLAIM_TYPE__DATETIME);
    assert_false(initiate_is_implicit(out->claim[0]));
    assert_true(initiate_is_implicit(out->claim[3]));
    assert_int_equal(out->n_lang_available, 2);
    assert_true(out->lang_menu); /* there is something to choose from */
    assert_string_equal(out->lang_available[0]->pronunciations_en[0], "German");
    pl__initiate__free_unpacked(out, NULL);
    pl__initiate__free_unpacked(defaults, NULL);
    pl_config_destroy(&cfg);
}

static void the_built_in_claim_is_an_insurance_claim(void **state)
{
    (void)state;
    pl_config_t *cfg = config_of("{}");
    Pl__Initiate *defaults = initiate_from_config(cfg);
    assert_int_equal(defaults->n_claim, 9);
    assert_string_equal(defaults->lang_default, "en-US");
    assert_int_equal(defaults->n_lang_available, 4);
    assert_false(defaults->lang_menu); /* nobody configured them */
    pl__initiate__free_unpacked(defaults, NULL);
    pl_config_destroy(&cfg);
}

static void a_wrong_initiate_is_refused_with_its_field(void **state)
{
    (void)state;
    pl_config_t *cfg = config_of("{}");
    Pl__Initiate *defaults = initiate_from_config(cfg);
    Pl__ClaimField a = PL__CLAIM_FIELD__INIT;
    Pl__ClaimField b = PL__CLAIM_FIELD__INIT;
    Pl__ClaimField *fields[] = {&a, &b};
    static const struct {
        const char *phone, *agent, *company, *first, *second;
        Pl__ClaimType type;
        double rate;
        const char *named;
    } rows[] = {
        {"0612345678", "", "", "a", "b", 0, 0, "phone_number"},
        {"", "", "", "a", "b", 0, 0, "phone_number"},
        {"anonymous", "", "", "a", "b", 0, 0, "phone_number"},
        {"+33612345678", "112", "", "a", "b", 0, 0, "agent_phone_number"},
        {"+33612345678", "", "\x01", "a", "b", 0, 0, "bot_company"},
        {"+33612345678", "", "", "a", "a", 0, 0, "claim[1].name"},
        {"+33612345678", "", "", "", "b", 0, 0, "claim[0].name"},
        {"+33612345678", "", "", "a", "b", (Pl__ClaimType)9, 0, "claim[0].type"},
        {"+33612345678", "", "", "a", "b", 0, 2.0, "prosody_rate"},
        {"+33612345678", "", "", "a", "b", 0, -1.0, "prosody_rate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Pl__Initiate asked = PL__INITIATE__INIT;
        Pl__Initiate *out = NULL;
        char reason[256] = "";
        asked.phone_number = (char *)rows[i].phone;
        asked.agent_phone_number = (char *)rows[i].agent;
        asked.bot_company = (char *)rows[i].company;
        asked.prosody_rate = rows[i].rate;
        a.name = (char *)rows[i].first;
        b.name = (char *)rows[i].second;
        a.type = rows[i].type;
        asked.claim = fields;
        asked.n_claim = 2;
        assert_int_equal(initiate_complete(&asked, defaults, false, &out, reason, sizeof reason),
                         PL_INVALID);
        assert_null(out);
        if (strncmp(reason, rows[i].named, strlen(rows[i].named)) != 0) fail_msg("%s", reason);
    }
    Pl__Initiate hidden = PL__INITIATE__INIT;
    Pl__Initiate *out = NULL;
    char reason[256];
    hidden.phone_number = (char *)"anonymous";
    assert_int_equal(initiate_complete(&hidden, defaults, true, &out, reason, sizeof reason),
                     PL_OK);
    pl__initiate__free_unpacked(out, NULL);
    pl__initiate__free_unpacked(defaults, NULL);
    pl_config_destroy(&cfg);
}

static void implicit_fields_are_not_asked_for(void **state)
{
    (void)state;
    pl_config_t *cfg = config_of("{}");
    Pl__Initiate *defaults = initiate_from_config(cfg);
    Pl__ClaimField listed = PL__CLAIM_FIELD__INIT;
    Pl__ClaimField *fields[] = {&listed};
    Pl__Initiate asked = PL__INITIATE__INIT;
    Pl__Initiate *out = NULL;
    char reason[256];
    listed.name = (char *)"policyholder_email";
    asked.phone_number = (char *)"+33612345678";
    asked.claim = fields;
    asked.n_claim = 1;
    assert_int_equal(initiate_complete(&asked, defaults, false, &out, reason, sizeof reason),
                     PL_OK);
    assert_int_equal(out->n_claim, 3);
    assert_false(initiate_is_implicit(out->claim[0])); /* listed: asked for */
    assert_int_equal(out->claim[0]->type, PL__CLAIM_TYPE__EMAIL);
    assert_true(initiate_is_implicit(out->claim[1]));
    assert_true(initiate_is_implicit(out->claim[2]));
    pl__initiate__free_unpacked(out, NULL);
    pl__initiate__free_unpacked(defaults, NULL);
    pl_config_destroy(&cfg);
}

static void a_wrong_wording_is_named_with_file_and_line(void **state)
{
    (void)state;
    pl_config_t *cfg = config_of("prompts:\n  tts:\n    hello_tpl:\n      - Hi {bot_name}\n"
                                 "      - Hi {name}\n    goodbye_tpl: [\"Bye {who}\"]\n");
    char said[1024] = "";
    FILE *kept = stderr;
    stderr = fmemopen(said, sizeof said, "w");
    pl_err_t err = prompts_check(cfg);
    fclose(stderr);
    stderr = kept;
    assert_int_equal(err, PL_INVALID);
    assert_non_null(strstr(said, ":5: prompts.tts.hello_tpl[1]: unknown placeholder {name}"));
    assert_non_null(strstr(said, ":6: prompts.tts.goodbye_tpl[0]: unknown placeholder {who}"));
    pl_config_destroy(&cfg);
}

static void wordings_can_be_replaced(void **state)
{
    (void)state;
    pl_config_t *cfg =
        config_of("prompts:\n  tts:\n    hello_tpl:\n      - \"Moin from {bot_name}{nothing}!\"\n");
    prompts_t *prompts = prompts_new(cfg);
    const char *values[] = {"bot_name", "Ada", NULL};
    char out[PROMPT_BYTES];
    assert_string_equal(prompts_say(prompts, "en-US", PROMPT_HELLO, 3, values, out, sizeof out),
                        "Moin from Ada!");
    assert_non_null(
        strstr(prompts_say(prompts, "fr-FR", PROMPT_HELLO, 3, values, out, sizeof out), "Bonjour"));
    /* Every sentence exists in English, whatever the language. */
    for (int id = 0; id < PROMPT_COUNT; id++) {
        assert_true(strlen(prompts_say(prompts, "xx", (prompt_t)id, 0, values, out, sizeof out)) >
                    0);
    }
    char small[8];
    assert_true(strlen(prompts_say(prompts, "en", PROMPT_HELLO, 0, values, small, sizeof small)) <
                8);
    prompts_destroy(&prompts);
    pl_config_destroy(&cfg);
}

/* ---- outbox ---- */

static Pl__CallChange message_change(Pl__Message *message, uint32_t number, const char *content)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    pl__message__init(message);
    message->number = number;
    message->content = (char *)content;
    change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
    change.message = message;
    return change;
}

static void writes_go_out_in_order_one_at_a_time(void **state)
{
    (void)state;
    outbox_t *box = outbox_new();
    Pl__Message m;
    Pl__CallChange change = message_change(&m, 1, "a");
    assert_true(outbox_empty(box));
    assert_int_equal(outbox_add(box, &change, 0), PL_OK);
    const Pl__StoreApply *write = outbox_take(box, 0);
    assert_int_equal(write->write_id, 1);
    change = message_change(&m, 2, "b");
    (void)outbox_add(box, &change, 0);
    change = message_change(&m, 2, "c");
    (void)outbox_add(box, &change, 0); /* takes the place of "b" */
    assert_null(outbox_take(box, 0));
    assert_true(outbox_answered(box, 0, PL_OK));
    write = outbox_take(box, 0);
    assert_int_equal(write->write_id, 2);
    assert_int_equal(write->n_changes, 1);
    assert_string_equal(write->changes[0]->message->content, "c");
    assert_true(outbox_answered(box, 0, PL_OK));
    assert_true(outbox_empty(box));
    assert_true(outbox_due_ms(box) == UINT64_MAX);
    outbox_destroy(&box);
}

static void a_write_is_tried_again_under_its_id(void **state)
{
    (void)state;
    outbox_t *box = outbox_new();
    Pl__Message m;
    Pl__CallChange change = message_change(&m, 1, "a");
    (void)outbox_add(box, &change, 0);
    uint64_t now = 1000;
    for (int i = 0; i < 50; i++) {
        const Pl__StoreApply *write = outbox_take(box, now);
        assert_non_null(write);
        assert_int_equal(write->write_id, 1);
        assert_true(outbox_answered(box, now, i % 2 ? PL_TIMEOUT : PL_UNAVAILABLE));
        assert_null(outbox_take(box, now)); /* not at once */
        assert_true(outbox_due_ms(box) > now && outbox_due_ms(box) <= now + 2000);
        now = outbox_due_ms(box);
        change = message_change(&m, 2, "b");
        (void)outbox_add(box, &change,
                         0); /* must not change the write that may have been applied */
    }
    const Pl__StoreApply *write = outbox_take(box, now);
    assert_int_equal(write->n_changes, 1);
    assert_true(outbox_answered(box, now, PL_OK));
    assert_int_equal(outbox_take(box, now)->write_id, 2);
    outbox_destroy(&box);
}

static void hopeless_writes_are_dropped_and_told(void **state)
{
    (void)state;
    outbox_t *box = outbox_new();
    Pl__Message m;
    Pl__CallChange change = message_change(&m, 1, "a");
    (void)outbox_add(box, &change, 0);
    uint64_t now = 0;
    for (int i = 1; i < OUTBOX_ATTEMPTS_MAX; i++) {
        assert_non_null(outbox_take(box, now));
        assert_true(outbox_answered(box, now, PL_INTERNAL));
        now = outbox_due_ms(box);
    }
    assert_non_null(outbox_take(box, now));
    assert_false(outbox_answered(box, now, PL_INTERNAL));
    assert_true(outbox_empty(box));
    (void)outbox_add(box, &change, 0);
    (void)outbox_take(box, now);
    change = message_change(&m, 2, "b");
    (void)outbox_add(box, &change, 0);
    assert_false(outbox_answered(box, now, PL_STALE)); /* another owner: nothing of ours counts */
    assert_true(outbox_empty(box));
    outbox_destroy(&box);
}

static void the_outbox_is_bounded_and_keeps_former_claims(void **state)
{
    (void)state;
    outbox_t *box = outbox_new();
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__ClaimValue claim = PL__CLAIM_VALUE__INIT;
    claim.name = (char *)"f";
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    static const char *const values[] = {"a", "b", "a", "a"};
    for (int i = 0; i < 4; i++) {
        claim.value = (char *)values[i];
        claim.confirmed = i == 3;
        (void)outbox_add(box, &change, 0);
    }
    const Pl__StoreApply *write = outbox_take(box, 0);
    assert_int_equal(write->n_changes, 3); /* a, b, a confirmed */
    assert_true(write->changes[2]->claim->confirmed);
    (void)outbox_answered(box, 0, PL_OK);
    Pl__Message m;
    pl_err_t err = PL_OK;
    for (uint32_t i = 1; i <= OUTBOX_MAX + 1; i++) {
        change = message_change(&m, i, "x");
        err = outbox_add(box, &change, 0);
    }
    assert_int_equal(err, PL_BUSY);
    assert_int_equal(outbox_take(box, 0)->n_changes, OUTBOX_WRITE_MAX);
    outbox_destroy(&box);
}

static void a_group_is_one_write_however_much_waits(void **state)
{
    (void)state;
    enum { GROUP = 10 };
    outbox_t *box = outbox_new();
    Pl__Message m;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__JobSpec job = PL__JOB_SPEC__INIT;
    job.key = (char *)"synthesis/c-1";
    job.kind = (char *)"synthesis";
    for (uint32_t i = 1; i < OUTBOX_WRITE_MAX; i++) {
        change = message_change(&m, i, "x");
        (void)outbox_add(box, &change, 0);
    }
    for (uint32_t i = 0; i < GROUP; i++) { /* the first of them would just fit */
        change = message_change(&m, 1 + i, "the end");
        (void)outbox_add(box, &change, 7);
    }
    outbox_add_job(box, &job, 7);
    outbox_add_job(box, &job, 8); /* another group */
    const Pl__StoreApply *write = outbox_take(box, 0);
    assert_int_equal(write->n_changes, OUTBOX_WRITE_MAX - 1 + GROUP); /* nothing was replaced */
    assert_int_equal(write->n_jobs, 1);
    (void)outbox_answered(box, 0, PL_TIMEOUT);
    assert_ptr_equal(outbox_take(box, 5000), write); /* the same again */
    assert_int_equal(write->n_jobs, 1);
    (void)outbox_answered(box, 5000, PL_OK);
    write = outbox_take(box, 5000);
    assert_int_equal(write->n_changes, 0);
    assert_int_equal(write->n_jobs, 1);
    (void)outbox_answered(box, 5000, PL_OK);
    assert_true(outbox_empty(box));
    outbox_destroy(&box);
}

/* ---- post-call ---- */

/* The jobs that the end of a record with these messages leaves; the payload of the last. */
static int jobs_of(const Pl__Action *actions, const char *const *contents, size_t count,
                   char payload[64])
{
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    record.call_id = (char *)"c-1";
    record.initiate = &initiate;
    Pl__CallRecord *copy = pl_record_copy(&record);
    for (size_t i = 0; i < count; i++) {
        Pl__Message m;
        Pl__CallChange change = message_change(&m, (uint32_t)i + 1, contents[i]);
        m.action = actions[i];
        assert_int_equal(pl_record_apply(copy, &change), PL_OK);
    }
    effects_t fx = {0};
    int jobs = 0;
    postcall_end(copy, PL__LEG_END__LEG_BYE_REMOTE, "", true, &fx);
    for (effect_t *effect = NULL; (effect = fx_take(&fx)); fx_free(&effect)) {
        if (!effect->job) continue;
        jobs++;
        assert_int_equal(effect->job->mode, PL__JOB_MODE__JOB_REPLACE);
        snprintf(payload, 64, "%.*s", (int)effect->job->payload.len,
                 (const char *)effect->job->payload.data);
    }
    pl_record_free(&copy);
    return jobs;
}

static void calls_without_words_leave_no_work(void **state)
{
    (void)state;
    static const Pl__Action actions[] = {
        PL__ACTION__CALL, PL__ACTION__TALK,   PL__ACTION__HANGUP, PL__ACTION__CALL,
        PL__ACTION__TALK, PL__ACTION__HANGUP, PL__ACTION__CALL,   PL__ACTION__HANGUP,
    };
    static const char *const contents[] = {"", "my laptop", "", "", "it is a dell", "", "", ""};
    char payload[64] = "";
    assert_int_equal(jobs_of(actions, contents, 0, payload), 0); /* nobody answered */
    assert_int_equal(jobs_of(actions, contents, 1, payload), 0); /* hung up at once */
    int first = jobs_of(actions, contents, 3, payload);
    assert_true(first >= 2);
    assert_string_equal(payload, "{\"last_message\":3}");
    /* Taken up again: as much work, once more, if something was said this time. */
    assert_int_equal(jobs_of(actions, contents, 6, payload), first);
    assert_string_equal(payload, "{\"last_message\":6}");
    assert_int_equal(jobs_of(actions, contents, 8, payload), 0);
}

static void post_call_work_follows_the_claim(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a dell laptop");
    (void)conversation_say(c, "yesterday at nine");
    (void)conversation_say(c, "yes");
    (void)conversation_say(c, "building four");
    (void)conversation_say(c, "no thank you");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_LOCAL, "");
    assert_string_equal(c->stored->synthesis->brief, "a case about a dell laptop");
    assert_int_equal(c->stored->synthesis->satisfaction, PL__SATISFACTION__HIGH);
    assert_non_null(strstr(c->stored->synthesis->detail, "21 November 2026 at 09:00"));
    assert_non_null(strstr(c->stored->synthesis->detail, "you told me"));
    assert_int_equal(c->stored->next->action, PL__NEXT_ACTION__REQUIRES_EXPERTISE);
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a dell laptop");
    (void)conversation_say(c, "goodbye");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_LOCAL, "");
    assert_int_equal(c->stored->synthesis->satisfaction, PL__SATISFACTION__LOW);
    assert_int_equal(c->stored->next->action, PL__NEXT_ACTION__CUSTOMER_WILL_SEND_INFO);
    assert_non_null(strstr(c->stored->synthesis->detail, "still need"));
    conversation_destroy(&c);
}

static void personal_data_stays_out_of_the_synthesis(void **state)
{
    (void)state;
    static const field_t fields[] = {{"name", PL__CLAIM_TYPE__TEXT, "name of the user"},
                                     {"mail", PL__CLAIM_TYPE__EMAIL, ""},
                                     {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    conversation_open(c);
    (void)conversation_say(c, "my name is john smith");
    (void)conversation_say(c, "john dot smith at example dot com");
    (void)conversation_say(c, "yes");
    (void)conversation_say(c, "goodbye");
    assert_string_equal(conversation_value(c, "name"), "John Smith");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_LOCAL, "");
    assert_null(strstr(c->stored->synthesis->detail, "Smith"));
    assert_null(strstr(c->stored->synthesis->brief, "Smith"));
    assert_null(strstr(c->stored->synthesis->detail, "example.com"));
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_refuse_hostile_arguments),
        cmocka_unit_test(tools_refuse_arguments_beyond_measure),
        cmocka_unit_test(tools_take_what_is_right),
        cmocka_unit_test(claim_updates_are_checked_field_by_field),
        cmocka_unit_test(a_reminder_of_what_is_past_is_refused),
        cmocka_unit_test(the_other_tools_do_their_work),
        cmocka_unit_test(a_reminder_leaves_the_job_that_sees_to_it_when_it_is_due),
        cmocka_unit_test(values_are_checked_by_type),
        cmocka_unit_test(defaults_come_from_the_configuration),
        cmocka_unit_test(the_built_in_claim_is_an_insurance_claim),
        cmocka_unit_test(a_wrong_initiate_is_refused_with_its_field),
        cmocka_unit_test(implicit_fields_are_not_asked_for),
        cmocka_unit_test(a_wrong_wording_is_named_with_file_and_line),
        cmocka_unit_test(wordings_can_be_replaced),
        cmocka_unit_test(writes_go_out_in_order_one_at_a_time),
        cmocka_unit_test(a_write_is_tried_again_under_its_id),
        cmocka_unit_test(hopeless_writes_are_dropped_and_told),
        cmocka_unit_test(the_outbox_is_bounded_and_keeps_former_claims),
        cmocka_unit_test(a_group_is_one_write_however_much_waits),
        cmocka_unit_test(calls_without_words_leave_no_work),
        cmocka_unit_test(post_call_work_follows_the_claim),
        cmocka_unit_test(personal_data_stays_out_of_the_synthesis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
