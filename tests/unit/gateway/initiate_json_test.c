/* initiate_json_test.c - what POST /call takes and what it says about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/gateway/initiate_json.h"

#define NUMBER "\"phone_number\": \"+11234567890\""

static Pl__Initiate *accepted(const char *body)
{
    problems_t problems = {0};
    Pl__Initiate *initiate = NULL;
    pl_err_t err = initiate_from_json(body, strlen(body), &initiate, &problems);
    if (err) fail_msg("%s: %s", body, problems.items[0]);
    assert_int_equal(problems.count, 0);
    return initiate;
}

/* expected: NULL-terminated, every problem in its order. */
static void refused(const char *body, const char *const *expected)
{
    problems_t problems = {0};
    Pl__Initiate *initiate = NULL;
    assert_int_equal(initiate_from_json(body, strlen(body), &initiate, &problems), PL_INVALID);
    assert_null(initiate);
    size_t n = 0;
    for (; expected[n]; n++) {
        assert_true(n < problems.count);
        assert_string_equal(problems.items[n], expected[n]);
    }
    assert_int_equal(problems.count, n);
    problems_free(&problems);
}

static void refused_for(const char *body, const char *why)
{
    const char *const expected[] = {why, NULL};
    refused(body, expected);
}

static void the_sample_of_the_readme_is_taken(void **state)
{
    (void)state;
    Pl__Initiate *i =
        accepted("{\"bot_company\": \"Contoso\", \"bot_name\": \"Am\xC3\xA9lie\", " NUMBER ","
                 "\"agent_phone_number\": \"+33612345678\", \"task\": \"Help.\\nBe kind.\","
                 "\"claim\": [{\"name\": \"hardware_info\", \"type\": \"text\"},"
                 "{\"name\": \"first_seen\", \"type\": \"datetime\", \"description\": \"when\"},"
                 "{\"name\": \"n\", \"type\": \"phone_number\", \"description\": null},"
                 "{\"name\": \"e\", \"type\": \"email\"}],"
                 "\"lang\": {\"default_short_code\": \"fr-FR\", \"availables\": [{\"short_code\": "
                 "\"fr-FR\", \"voice\": \"v\", \"pronunciations_en\": [\"French\", \"FR\"],"
                 "\"custom_voice_endpoint_id\": null}]}, \"prosody_rate\": 0.75}");
    assert_string_equal(i->phone_number, "+11234567890");
    assert_string_equal(i->agent_phone_number, "+33612345678");
    assert_string_equal(i->bot_name, "Am\xC3\xA9lie");
    assert_string_equal(i->task, "Help.\nBe kind.");
    assert_int_equal(i->n_claim, 4);
    assert_string_equal(i->claim[1]->name, "first_seen");
    assert_int_equal(i->claim[1]->type, PL__CLAIM_TYPE__DATETIME);
    assert_string_equal(i->claim[1]->description, "when");
    assert_int_equal(i->claim[2]->type, PL__CLAIM_TYPE__PHONE_NUMBER);
    assert_int_equal(i->claim[3]->type, PL__CLAIM_TYPE__EMAIL);
    assert_string_equal(i->lang_default, "fr-FR");
    assert_int_equal(i->n_lang_available, 1);
    assert_int_equal(i->lang_available[0]->n_pronunciations_en, 2);
    assert_true(i->prosody_rate == 0.75);
    pl__initiate__free_unpacked(i, NULL);
}

static void only_the_number_is_needed_and_the_rest_is_left_to_dialogue(void **state)
{
    (void)state;
    Pl__Initiate *i = accepted("{" NUMBER "}");
    assert_string_equal(i->bot_name, "");
    assert_string_equal(i->task, "");
    assert_int_equal(i->n_claim, 0);
    assert_true(i->prosody_rate == 0);
    pl__initiate__free_unpacked(i, NULL);
    refused_for("{}", "phone_number: is required");
}

static void unknown_members_are_ignored(void **state)
{
    (void)state;
    Pl__Initiate *i = accepted("{" NUMBER ", \"colour\": {\"deep\": [1, 2, {}]}}");
    pl__initiate__free_unpacked(i, NULL);
}

static void separators_in_a_number_are_dropped(void **state)
{
    (void)state;
    Pl__Initiate *i = accepted("{\"phone_number\": \"+33 (6) 12.34-56 78\"}");
    assert_string_equal(i->phone_number, "+33612345678");
    pl__initiate__free_unpacked(i, NULL);
}

static void a_number_that_is_not_e164_is_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "12345", "0612345678", "+0123456789", "+123456", "+1234567890123456", "+33x12345678",
        "+",     "",           "tel:+33"};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        char body[128], why[128];
        snprintf(body, sizeof body, "{\"phone_number\": \"%s\"}", wrong[n]);
        snprintf(why, sizeof why, "phone_number: \"%s\" is not E.164, e.g. +33612345678", wrong[n]);
        refused_for(body, why);
    }
    refused_for("{" NUMBER ", \"agent_phone_number\": \"1\"}",
                "agent_phone_number: \"1\" is not E.164, e.g. +33612345678");
}

static void all_problems_are_told_at_once(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "phone_number: \"12345\" is not E.164, e.g. +33612345678",
        "agent_phone_number: must be a string (got a number)",
        "bot_name: must not be empty",
        "prosody_rate: must be from 0.75 to 1.25 (got 2)",
        "claim[0].type: must be one of text, datetime, phone_number, email (got \"number\")",
        "claim[1].name: is required",
        "claim[1].type: is required",
        "claim[2]: must be an object with name and type (got \"x\")",
        "claim[4].name: \"a\" is already the name of claim[3]",
        "lang.default_short_code: must be a language's short code, e.g. \"en-US\" (got \"e\")",
        NULL};
    refused("{\"phone_number\": \"12345\", \"agent_phone_number\": 5, \"bot_name\": \"  \","
            "\"prosody_rate\": 2, \"claim\": [{\"name\": \"n\", \"type\": \"number\"}, {}, \"x\","
            "{\"name\": \"a\", \"type\": \"text\"}, {\"name\": \"a\", \"type\": \"email\"}],"
            "\"lang\": {\"default_short_code\": \"e\"}}",
            expected);
}

static void wrong_types_are_named_with_what_came(void **state)
{
    (void)state;
    refused_for("[1]", "body: must be an object (got a list)");
    refused_for("null", "body: must be an object (got null)");
    refused_for("{" NUMBER ", \"task\": null}", "task: must be a string (got null)");
    refused_for("{" NUMBER ", \"claim\": {}}", "claim: must be a list of fields (got an object)");
    refused_for("{" NUMBER ", \"prosody_rate\": \"1\"}",
                "prosody_rate: must be a number from 0.75 to 1.25 (got \"1\")");
    refused_for("{" NUMBER ", \"lang\": \"fr\"}",
                "lang: must be an object with default_short_code and availables (got \"fr\")");
    refused_for("{" NUMBER ", \"lang\": {\"availables\": [{}]}}",
                "lang.availables[0].short_code: is required");
    refused_for("{" NUMBER ", \"lang\": {\"availables\": [{\"short_code\": \"en\","
                "\"pronunciations_en\": [1]}]}}",
                "lang.availables[0].pronunciations_en[0]: must be a string (got a number)");
    refused_for("{" NUMBER "," NUMBER "}", "phone_number: given twice");
}

static void what_is_not_json_is_told_with_its_place(void **state)
{
    (void)state;
    refused_for("", "body: is empty; a JSON object is needed");
    refused_for("{\n  \"a\": 1,\n  }",
                "body: not JSON: line 3, column 3: expected a name in double "
                "quotes");
    refused_for("{\"a\": tru}", "body: not JSON: line 1, column 7: expected a value");
    refused_for("{\"a\": 1", "body: not JSON: line 1, column 8: the text ends too early");
    refused_for("{} x", "body: not JSON: line 1, column 4: something follows the JSON value");
    refused_for("{\"a\": \"\xFF\"}", "body: not JSON: line 1, column 8: not UTF-8");
    refused_for("{\"bot_name\": \"a\\u0000b\"}",
                "body: not JSON: line 1, column 22: U+0000 is not allowed in a string");
}

static void line_breaks_do_not_reach_names_that_go_into_sip_headers(void **state)
{
    (void)state;
    refused_for("{" NUMBER ", \"bot_name\": \"A\\r\\nVia: x\"}",
                "bot_name: must not hold control characters");
    refused_for("{" NUMBER ", \"task\": \"a\\u0007\"}", "task: must not hold control characters");
}

static char *repeat(const char *before, const char *what, size_t times, const char *after)
{
    size_t size = strlen(before) + strlen(what) * times + strlen(after) + 1;
    char *out = calloc(1, size);
    assert_non_null(out);
    char *at = stpcpy(out, before);
    for (size_t i = 0; i < times; i++) at = stpcpy(at, what);
    stpcpy(at, after);
    return out;
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    char *body = repeat("", "[", 100000, "");
    refused_for(body, "body: not JSON: line 1, column 33: nested too deeply (at most 32 levels)");
    free(body);
    body = repeat("[0", ",0", 20000, "]");
    refused_for(body, "body: not JSON: line 1, column 20000: more than 10000 values");
    free(body);
    body = repeat("{" NUMBER ", \"claim\": [1", ",1", 100, "]}");
    refused_for(body, "claim: 101 fields, at most 100 are allowed");
    free(body);
    body = repeat("{" NUMBER ", \"bot_name\": \"", "\xC3\xA9", 201, "\"}");
    refused_for(body, "bot_name: 201 characters, at most 200 are allowed");
    free(body);
}

static void a_long_wrong_value_is_shown_cut_at_a_character(void **state)
{
    (void)state;
    char *body = repeat("{\"phone_number\": \"", "\xE2\x82\xAC", 1000, "\"}");
    problems_t problems = {0};
    Pl__Initiate *initiate = NULL;
    assert_int_equal(initiate_from_json(body, strlen(body), &initiate, &problems), PL_INVALID);
    assert_non_null(strstr(problems.items[0], "\xE2\x82\xAC...\" is not E.164"));
    assert_true(strlen(problems.items[0]) < 120);
    problems_free(&problems);
    free(body);
}

static void a_flood_of_problems_is_counted_and_not_kept(void **state)
{
    (void)state;
    char *body = repeat("{" NUMBER ", \"claim\": [1", ",1", 99, "]}");
    problems_t problems = {0};
    Pl__Initiate *initiate = NULL;
    assert_int_equal(initiate_from_json(body, strlen(body), &initiate, &problems), PL_INVALID);
    assert_int_equal(problems.count, 100);
    assert_int_equal(problems_kept(&problems), PROBLEMS_MAX);
    problems_free(&problems);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_of_the_readme_is_taken),
        cmocka_unit_test(only_the_number_is_needed_and_the_rest_is_left_to_dialogue),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(separators_in_a_number_are_dropped),
        cmocka_unit_test(a_number_that_is_not_e164_is_named),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(wrong_types_are_named_with_what_came),
        cmocka_unit_test(what_is_not_json_is_told_with_its_place),
        cmocka_unit_test(line_breaks_do_not_reach_names_that_go_into_sip_headers),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(a_long_wrong_value_is_shown_cut_at_a_character),
        cmocka_unit_test(a_flood_of_problems_is_counted_and_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
