/* call_json_test.c - the public JSON of a call: members, spellings, nulls, hostile text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "services/gateway/call_json.h"
#include "services/gateway/json_check.h"
#include "tests/unit/gateway/records.h"

static cJSON *parsed(const Pl__CallRecord *call)
{
    text_t out = {0};
    json_fault_t fault;
    call_json(&out, call);
    if (json_check(out.data, out.size, &fault) != PL_OK) {
        fail_msg("column %zu: %s in %s", fault.column, fault.what, out.data);
    }
    cJSON *root = cJSON_Parse(out.data);
    assert_non_null(root);
    text_free(&out);
    return root;
}

static const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item) fail_msg("no member %s", name);
    return item;
}

static const char *string_at(const cJSON *object, const char *name)
{
    const cJSON *item = at(object, name);
    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

static void a_new_call_has_every_member_with_nulls_and_empty_lists(void **state)
{
    (void)state;
    Pl__CallRecord call = PL__CALL_RECORD__INIT;
    call.call_id = "2f1c6a9e-0f0c-4a5e-9d53-0b7f5b2a7c11";
    cJSON *root = parsed(&call);
    assert_string_equal(string_at(root, "call_id"), call.call_id);
    assert_string_equal(string_at(root, "created_at"), "1970-01-01T00:00:00.000Z");
    assert_true(cJSON_IsFalse(at(root, "in_progress")));
    assert_true(cJSON_IsObject(at(root, "initiate")));
    assert_true(cJSON_IsObject(at(root, "claim")));
    assert_int_equal(cJSON_GetArraySize(at(root, "messages")), 0);
    assert_int_equal(cJSON_GetArraySize(at(root, "reminders")), 0);
    assert_true(cJSON_IsNull(at(root, "next")));
    assert_true(cJSON_IsNull(at(root, "synthesis")));
    assert_true(cJSON_IsNull(at(root, "ended")));
    assert_true(cJSON_IsNull(at(root, "voice")));
    assert_int_equal(cJSON_GetArraySize(at(root, "recordings")), 0);
    cJSON_Delete(root);
}

static void a_full_call_is_spelled_as_clients_know_it(void **state)
{
    (void)state;
    record_t r;
    cJSON *root = parsed(record_with(&r, "words"));
    const cJSON *message = cJSON_GetArrayItem(at(root, "messages"), 1);
    assert_string_equal(string_at(message, "action"), "talk");
    assert_string_equal(string_at(message, "persona"), "assistant");
    assert_string_equal(string_at(message, "style"), "none");
    assert_string_equal(string_at(message, "created_at"), "2026-03-03T09:05:01.000Z");
    assert_true(cJSON_IsTrue(at(message, "interrupted")));
    assert_int_equal(at(at(message, "latency"), "total_ms")->valueint, 812);
    assert_int_equal(at(at(message, "latency"), "endpointing_ms")->valueint, 500);
    assert_string_equal(string_at(cJSON_GetArrayItem(at(message, "tool_calls"), 0), "tool_id"),
                        "t1");
    const cJSON *passage = cJSON_GetArrayItem(at(message, "passages"), 0);
    assert_string_equal(string_at(passage, "id"), "p1");
    assert_string_equal(string_at(passage, "source"), "words");
    assert_true(at(passage, "score")->valuedouble > 3.24 &&
                at(passage, "score")->valuedouble < 3.26);
    assert_true(cJSON_IsNull(at(cJSON_GetArrayItem(at(root, "messages"), 0), "latency")));
    assert_string_equal(string_at(at(root, "next"), "action"), "high_priority");
    assert_string_equal(string_at(at(root, "synthesis"), "satisfaction"), "unknow");
    assert_string_equal(string_at(at(root, "synthesis"), "long"), "words");
    assert_string_equal(string_at(at(root, "ended"), "reason"), "bye_local");
    const cJSON *recording = cJSON_GetArrayItem(at(root, "recordings"), 0);
    assert_non_null(strstr(string_at(recording, "url"), "/recording/"));
    assert_non_null(strstr(string_at(recording, "url"), "?part=1"));
    assert_int_equal(at(recording, "duration_ms")->valueint, 61000);
    assert_true(cJSON_IsNull(at(recording, "failure")));
    recording = cJSON_GetArrayItem(at(root, "recordings"), 1);
    assert_true(cJSON_IsNull(at(recording, "url")));
    assert_string_equal(string_at(recording, "failure"), "words");
    const cJSON *voice = at(root, "voice");
    assert_int_equal(at(voice, "packets_received")->valueint, 1500);
    assert_int_equal(at(voice, "packets_lost")->valueint, 12);
    assert_int_equal(at(voice, "underrun_frames")->valueint, 3);
    assert_true(at(voice, "mos_heard")->valuedouble > 4.16 &&
                at(voice, "mos_heard")->valuedouble < 4.18);
    assert_true(cJSON_IsNull(at(voice, "mos_said")));
    assert_true(at(at(voice, "echo"), "return_loss_db")->valuedouble > 14.6);
    const cJSON *field = cJSON_GetArrayItem(at(at(root, "initiate"), "claim"), 0);
    assert_string_equal(string_at(field, "type"), "datetime");
    const cJSON *lang = at(at(root, "initiate"), "lang");
    assert_string_equal(string_at(lang, "default_short_code"), "en-US");
    cJSON_Delete(root);
}

static void a_withdrawn_value_is_not_in_the_claim_but_in_its_details(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    r.values[1].value = "";
    cJSON *root = parsed(call);
    assert_string_equal(string_at(at(root, "claim"), "first_seen"), "words");
    assert_null(cJSON_GetObjectItemCaseSensitive(at(root, "claim"), "contact"));
    const cJSON *details = at(root, "claim_details");
    assert_int_equal(at(cJSON_GetArrayItem(details, 0), "message")->valueint, 3);
    assert_true(cJSON_IsTrue(at(cJSON_GetArrayItem(details, 0), "confirmed")));
    assert_true(cJSON_IsTrue(at(cJSON_GetArrayItem(details, 0), "corrected")));
    assert_int_equal(cJSON_GetArraySize(at(cJSON_GetArrayItem(details, 0), "former")), 2);
    const cJSON *earlier = cJSON_GetArrayItem(at(cJSON_GetArrayItem(details, 0), "earlier"), 0);
    assert_string_equal(string_at(earlier, "value"), "words");
    assert_string_equal(string_at(earlier, "set_at"), "2026-03-03T09:05:50.000Z");
    assert_int_equal(at(earlier, "message")->valueint, 2);
    assert_true(cJSON_IsTrue(at(earlier, "confirmed")));
    assert_true(cJSON_IsNull(at(cJSON_GetArrayItem(details, 1), "value")));
    assert_true(cJSON_IsNull(at(cJSON_GetArrayItem(details, 1), "message")));
    cJSON_Delete(root);
}

static void owner_epoch_and_version_stay_inside(void **state)
{
    (void)state;
    record_t r;
    Pl__CallRecord *call = record_with(&r, "words");
    call->owner = "dialogue-secret";
    call->epoch = 4711;
    text_t out = {0};
    call_json(&out, call);
    assert_null(strstr(out.data, "dialogue-secret"));
    assert_null(strstr(out.data, "4711"));
    text_free(&out);
}

static void hostile_text_stays_valid_json_and_comes_back_whole(void **state)
{
    (void)state;
    record_t r;
    char text[] = "\"},{\\\"\n\r\t\b\x01\x7F</script>\xE2\x82\xAC\xF0\x9F\x93\x9E";
    cJSON *root = parsed(record_with(&r, text));
    const cJSON *message = cJSON_GetArrayItem(at(root, "messages"), 2);
    assert_string_equal(string_at(message, "content"), text);
    assert_string_equal(string_at(at(root, "claim"), "policyholder_name"), text);
    cJSON_Delete(root);
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    record_t r;
    char text[] = "a\xFF\xC0\xAF\xED\xA0\x80z\xE2\x82";
    cJSON *root = parsed(record_with(&r, text));
    const char *content = string_at(cJSON_GetArrayItem(at(root, "messages"), 2), "content");
    assert_int_equal(content[0], 'a');
    assert_non_null(strstr(content, "\xEF\xBF\xBDz\xEF\xBF\xBD"));
    cJSON_Delete(root);
}

static void numbers_of_a_newer_build_are_named_unknown(void **state)
{
    (void)state;
    assert_string_equal(action_name((Pl__Action)99), "unknown");
    assert_string_equal(leg_end_name((Pl__LegEnd)-1), "unknown");
    assert_string_equal(satisfaction_name((Pl__Satisfaction)5), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_call_has_every_member_with_nulls_and_empty_lists),
        cmocka_unit_test(a_full_call_is_spelled_as_clients_know_it),
        cmocka_unit_test(a_withdrawn_value_is_not_in_the_claim_but_in_its_details),
        cmocka_unit_test(owner_epoch_and_version_stay_inside),
        cmocka_unit_test(hostile_text_stays_valid_json_and_comes_back_whole),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(numbers_of_a_newer_build_are_named_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
