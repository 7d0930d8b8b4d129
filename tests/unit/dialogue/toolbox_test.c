/* toolbox_test.c - JSON schemas: which are understood, what fits them, and those of our tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "services/dialogue/schema.h"
#include "services/dialogue/toolbox.h"
#include "tests/unit/dialogue/conversation.h"

static pl_err_t valid(const char *json, char *reason)
{
    cJSON *schema = cJSON_Parse(json);
    assert_non_null(schema);
    pl_err_t err = schema_valid(schema, reason);
    cJSON_Delete(schema);
    return err;
}

static void a_schema_with_an_unknown_keyword_is_refused_by_its_name(void **state)
{
    (void)state;
    char reason[SCHEMA_REASON_BYTES] = "";
    static const char *const rows[][2] = {
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"x\"}}}", "pattern"},
        {"{\"anyOf\":[]}", "anyOf"},
        {"{\"type\":\"thing\"}", "type"},
        {"{\"type\":[]}", "type"},
        {"{\"required\":[1]}", "required"},
        {"{\"minItems\":-1}", "minItems"},
        {"{\"maxLength\":1.5}", "maxLength"},
        {"{\"minimum\":\"0\"}", "minimum"},
        {"{\"enum\":[]}", "enum"},
        {"{\"items\":[{}]}", "items"},
        {"{\"additionalProperties\":{}}", "additionalProperties"},
        {"{\"properties\":{\"a\":1}}", "a is not a schema"},
        {"[]", "the value is not a schema"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(valid(rows[i][0], reason), PL_INVALID);
        if (!strstr(reason, rows[i][1])) fail_msg("%s: %s", rows[i][0], reason);
    }
    assert_int_equal(valid("{\"title\":\"t\",\"description\":\"d\",\"default\":1}", reason), PL_OK);
    assert_int_equal(valid("{}", reason), PL_OK);
}

static void a_schema_nested_beyond_measure_is_refused(void **state)
{
    (void)state;
    char json[4096] = "";
    char reason[SCHEMA_REASON_BYTES] = "";
    for (int i = 0; i < 40; i++) strcat(json, "{\"items\":");
    strcat(json, "{}");
    for (int i = 0; i < 40; i++) strcat(json, "}");
    assert_int_equal(valid(json, reason), PL_INVALID);
    assert_non_null(strstr(reason, "too deeply"));
}

static void what_does_not_fit_is_named_by_its_place(void **state)
{
    (void)state;
    static const char schema_text[] =
        "{\"type\":\"object\",\"required\":[\"id\",\"list\"],\"additionalProperties\":false,"
        "\"properties\":{\"id\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":4},"
        "\"n\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":10},"
        "\"x\":{\"type\":[\"number\",\"null\"]},"
        "\"kind\":{\"enum\":[\"red\",\"blue\"]},"
        "\"list\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,"
        "\"items\":{\"type\":\"object\",\"required\":[\"v\"]}}}}";
    static const char *const rows[][2] = {
        {"{\"id\":\"ab\",\"list\":[{\"v\":1}]}", NULL},
        {"{\"id\":\"éé\",\"list\":[{\"v\":1}],\"n\":10,\"x\":null,\"kind\":\"red\"}", NULL},
        {"{\"id\":\"éééé\",\"list\":[{\"v\":1}],\"x\":1.5}", NULL},
        {"{\"list\":[{\"v\":1}]}", "id is missing"},
        {"{\"id\":\"a\",\"list\":[{\"v\":1}]}", "id must be at least 2 characters"},
        {"{\"id\":\"abcde\",\"list\":[{\"v\":1}]}", "id must be at most 4 characters"},
        {"{\"id\":7,\"list\":[{\"v\":1}]}", "id must be of type string"},
        {"{\"id\":\"ab\",\"list\":[]}", "list must be at least 1 items"},
        {"{\"id\":\"ab\",\"list\":[{},{},{}]}", "list must be at most 2 items"},
        {"{\"id\":\"ab\",\"list\":[{\"v\":1},{}]}", "list[1].v is missing"},
        {"{\"id\":\"ab\",\"list\":[3]}", "list[0] must be of type object"},
        {"{\"id\":\"ab\",\"list\":[{\"v\":1}],\"n\":1.5}", "n must be of type integer"},
        {"{\"id\":\"ab\",\"list\":[{\"v\":1}],\"n\":11}", "n must be at most 10"},
        {"{\"id\":\"ab\",\"list\":[{\"v\":1}],\"x\":true}", "x is of the wrong type"},
        {"{\"id\":\"ab\",\"list\":[{\"v\":1}],\"kind\":\"green\"}", "one of: red blue"},
        {"{\"id\":\"ab\",\"list\":[{\"v\":1}],\"extra\":1}", "extra is not expected"},
        {"[]", "the value must be of type object"},
    };
    cJSON *schema = cJSON_Parse(schema_text);
    char reason[SCHEMA_REASON_BYTES] = "";
    assert_int_equal(schema_valid(schema, reason), PL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *value = cJSON_Parse(rows[i][0]);
        reason[0] = '\0';
        pl_err_t err = schema_check(schema, value, reason);
        if (rows[i][1]) {
            assert_int_equal(err, PL_INVALID);
            if (!strstr(reason, rows[i][1])) fail_msg("%s: %s", rows[i][0], reason);
        } else if (err) {
            fail_msg("%s: %s", rows[i][0], reason);
        }
        cJSON_Delete(value);
    }
    cJSON_Delete(schema);
}

/* ---- our tools ---- */

static const llm_tool_t *offered(const toolbox_t *box, const char *name)
{
    size_t count = 0;
    const llm_tool_t *tools = toolbox_tools(box, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tools[i].name, name) == 0) return &tools[i];
    }
    return NULL;
}

static void add_languages(Pl__Initiate *initiate)
{
    static const char *const codes[] = {"en-US", "fr-FR"};
    static const char *const names[] = {"English", "French"};
    initiate->lang_available = calloc(2, sizeof(Pl__Language *));
    initiate->n_lang_available = 2;
    for (size_t i = 0; i < 2; i++) {
        Pl__Language *lang = malloc(sizeof *lang);
        pl__language__init(lang);
        lang->short_code = strdup(codes[i]);
        lang->pronunciations_en = calloc(1, sizeof(char *));
        lang->pronunciations_en[0] = strdup(names[i]);
        lang->n_pronunciations_en = 1;
        initiate->lang_available[i] = lang;
    }
}

static void every_tool_has_a_schema_that_its_own_checks_agree_with(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"end_call", "{\"reason\":\"done\"}"},
        {"updated_claim", "{\"customer_response\":\"Ok.\",\"updates\":[{\"field\":\"first_seen\","
                          "\"value\":\"x\"}]}"},
        {"talk_to_human", "{\"customer_response\":\"Ok.\"}"},
        {"new_claim", "{\"customer_response\":\"Ok.\"}"},
        {"search_document", "{\"customer_response\":\"Ok.\",\"queries\":[\"a\"]}"},
        {"new_or_updated_reminder", "{\"customer_response\":\"Ok.\",\"title\":\"t\","
                                    "\"description\":\"d\",\"due_date_time\":\"2026-12-01\"}"},
        {"notify_emergencies",
         "{\"customer_response\":\"Ok.\",\"reason\":\"fire\",\"location\":\"here\","
         "\"contact\":\"Ann\",\"service\":\"firefighters\"}"},
        {"send_sms", "{\"customer_response\":\"Ok.\",\"message\":\"m\"}"},
        {"speech_speed", "{\"customer_response\":\"Ok.\",\"speed\":1.1}"},
        {"speech_lang", "{\"customer_response\":\"Ok.\",\"lang\":\"fr-FR\"}"},
    };
    conversation_t *c = conversation_new(three_fields());
    Pl__CallRecord *record = pl_record_copy(call_record(c->call));
    add_languages(record->initiate);
    toolbox_t *box = toolbox_new(record, NULL, 0);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const llm_tool_t *tool = offered(box, good[i][0]);
        assert_non_null(tool);
        char reason[SCHEMA_REASON_BYTES] = "";
        cJSON *schema = cJSON_Parse(tool->schema);
        cJSON *args = cJSON_Parse(good[i][1]);
        assert_non_null(schema);
        if (schema_valid(schema, reason) != PL_OK) fail_msg("%s: %s", tool->name, reason);
        if (schema_check(schema, args, reason) != PL_OK) fail_msg("%s: %s", tool->name, reason);
        cJSON *checked = NULL;
        assert_int_equal(
            tool_arguments(tool_find(good[i][0]), good[i][1], &checked, reason, sizeof reason),
            PL_OK);
        cJSON_Delete(checked);
        /* Without the sentence for the caller it does not fit; end_call has none. */
        bool speaks = strcmp(good[i][0], "end_call") != 0;
        cJSON_DeleteItemFromObject(args, TOOL_RESPONSE);
        assert_int_equal(schema_check(schema, args, reason), speaks ? PL_INVALID : PL_OK);
        cJSON_Delete(args);
        cJSON_Delete(schema);
    }
    toolbox_destroy(&box);
    pl_record_free(&record);
    conversation_destroy(&c);
}

static void the_schemas_list_the_calls_fields_and_languages(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    Pl__CallRecord *record = pl_record_copy(call_record(c->call));
    add_languages(record->initiate);
    toolbox_t *box = toolbox_new(record, NULL, 0);
    const char *claim = offered(box, "updated_claim")->schema;
    assert_non_null(
        strstr(claim, "\"enum\":[\"hardware_info\",\"first_seen\",\"building_location\"]"));
    assert_non_null(strstr(claim, "first_seen (date and time as YYYY-MM-DD HH:MM)"));
    const char *lang = offered(box, "speech_lang")->schema;
    assert_non_null(strstr(lang, "\"enum\":[\"en-US\",\"fr-FR\"]"));
    assert_non_null(strstr(lang, "fr-FR (French)"));
    toolbox_destroy(&box);
    pl_record_free(&record);
    conversation_destroy(&c);
}

static void what_a_call_cannot_do_is_not_offered(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    Pl__CallRecord *record = pl_record_copy(call_record(c->call));
    free(record->initiate->phone_number);
    free(record->initiate->agent_phone_number);
    record->initiate->phone_number = strdup("anonymous");
    record->initiate->agent_phone_number = strdup("");
    toolbox_t *box = toolbox_new(record, NULL, 0);
    assert_null(offered(box, "send_sms"));
    assert_null(offered(box, "talk_to_human"));
    assert_null(offered(box, "speech_lang")); /* one language */
    assert_non_null(offered(box, "end_call"));
    toolbox_destroy(&box);
    box = toolbox_new(call_record(c->call), NULL, TOOLBOX_BARRED_ON_RETURN);
    assert_null(offered(box, "end_call"));
    assert_null(offered(box, "talk_to_human"));
    assert_non_null(offered(box, "send_sms"));
    toolbox_destroy(&box);
    pl_record_free(&record);
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_with_an_unknown_keyword_is_refused_by_its_name),
        cmocka_unit_test(a_schema_nested_beyond_measure_is_refused),
        cmocka_unit_test(what_does_not_fit_is_named_by_its_place),
        cmocka_unit_test(every_tool_has_a_schema_that_its_own_checks_agree_with),
        cmocka_unit_test(the_schemas_list_the_calls_fields_and_languages),
        cmocka_unit_test(what_a_call_cannot_do_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
