/* report_test.c - the SMS after a call: to whom, in which words, and once. */
#include "services/dialogue/work/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/dialogue/work/notices.h"
#include "tests/unit/dialogue/shop.h"

#define CALL "11111111-1111-4111-8111-111111111111"
#define KEY "sms_report/" CALL
#define CALLER "+33612345678"
#define STATED "+33699999999"

static const worker_opts_t quick = {
    .concurrency = 2, .lease_ms = 60000, .poll_ms = 60000, .store_timeout_ms = 2000};
static const work_kind_t *const kinds[] = {&work_sms_report, NULL};
static notices_t *notices;

static void set_claim(const char *name, const char *value)
{
    Pl__ClaimValue claim = PL__CLAIM_VALUE__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    claim.name = (char *)name;
    claim.value = (char *)value;
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    assert_int_equal(pl_record_apply(shop.record, &change), PL_OK);
}

static void make_call(const char *number, const char *lang)
{
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    Pl__ClaimField fields[3];
    Pl__ClaimField *claim[3];
    static const char *const names[] = {"hardware_info", "first_seen", "policyholder_phone"};
    static const Pl__ClaimType types[] = {PL__CLAIM_TYPE__TEXT, PL__CLAIM_TYPE__DATETIME,
                                          PL__CLAIM_TYPE__PHONE_NUMBER};
    for (size_t i = 0; i < 3; i++) {
        pl__claim_field__init(&fields[i]);
        fields[i].name = (char *)names[i];
        fields[i].type = types[i];
        claim[i] = &fields[i];
    }
    initiate.phone_number = (char *)number;
    initiate.bot_name = "Amelie";
    initiate.bot_company = "Contoso";
    initiate.lang_default = "en-US";
    initiate.claim = claim;
    initiate.n_claim = 3;
    record.call_id = CALL;
    record.initiate = &initiate;
    record.lang_short_code = (char *)lang;
    shop.record = pl_record_copy(&record);
    set_claim("hardware_info", "a dell laptop");
    set_claim("first_seen", "2026-11-21T09:00:00");
}

static void start(void)
{
    static const char payload[] = "{\"last_message\":3}";
    shop_start(kinds, &quick);
    assert_int_equal(notices_new(&notices, NULL), PL_OK);
    shop.shop.notices = notices;
    shop.shop.sms_report = true;
    shop_job_t *at = shop_put(KEY, "sms_report", CALL);
    at->job->payload.len = sizeof payload - 1;
    at->job->payload.data = (uint8_t *)strdup(payload);
    assert_non_null(at->job->payload.data);
}

static int clean_up(void **state)
{
    int rc = shop_clean_up(state);
    notices_destroy(&notices);
    return rc;
}

static bool is_done(void)
{
    return shop.jobs[0].done > 0;
}

static bool has_failed(void)
{
    return shop.jobs[0].failed > 0;
}

static void work_off(void)
{
    worker_wake(shop.worker);
    assert_true(shop_wait(is_done));
}

/* ---- tests ---- */

static void the_caller_gets_what_was_noted_and_the_record_keeps_it(void **state)
{
    (void)state;
    make_call(CALLER, "");
    start();
    shop_telephony();
    work_off();
    assert_int_equal(shop.sms_sent, 1);
    assert_string_equal(shop.sms_to, CALLER);
    assert_string_equal(shop.sms_key, KEY "/{\"last_message\":3}");
    assert_non_null(
        strstr(shop.sms_text, "hardware info: a dell laptop; first seen: 2026-11-21 09:00"));
    assert_non_null(strstr(shop.sms_text, "Amelie from Contoso"));
    assert_int_equal(shop.record->n_messages, 1);
    const Pl__Message *message = shop.record->messages[0];
    assert_int_equal(message->action, PL__ACTION__SMS);
    assert_int_equal(message->persona, PL__PERSONA__ASSISTANT);
    assert_string_equal(message->content, shop.sms_text);
    assert_string_equal(message->lang_short_code, "en-US");
    assert_int_equal(shop.jobs[0].result->n_jobs, 0);
}

static void it_is_in_the_calls_language(void **state)
{
    (void)state;
    make_call(CALLER, "fr-FR");
    start();
    shop_telephony();
    work_off();
    assert_non_null(strstr(shop.sms_text, "Merci pour votre appel"));
    assert_non_null(strstr(shop.sms_text, ": a dell laptop; 2026-11-21 09:00.")); /* no English */
    assert_string_equal(shop.record->messages[0]->lang_short_code, "fr-FR");
}

static void nobody_is_written_to_without_a_number_or_when_it_is_off(void **state)
{
    (void)state;
    make_call("anonymous", "");
    start();
    shop_telephony();
    work_off();
    assert_int_equal(shop.sms_asked, 0);
    assert_int_equal(shop.record->n_messages, 0);

    free(shop.record->initiate->phone_number);
    shop.record->initiate->phone_number = strdup(CALLER);
    shop.shop.sms_report = false;
    shop_again(&shop.jobs[0]);
    shop_run_ms(50);
    assert_int_equal(shop.jobs[0].done, 2);
    assert_int_equal(shop.sms_asked, 0);
}

static void a_number_merely_stated_gets_nothing_unless_that_is_allowed(void **state)
{
    (void)state;
    make_call(CALLER, "");
    set_claim("policyholder_phone", STATED);
    start();
    shop_telephony();
    work_off();
    assert_int_equal(shop.sms_sent, 1);
    assert_string_equal(shop.sms_to, CALLER);
    assert_int_equal(shop.jobs[0].result->n_jobs, 0);

    shop.shop.sms_to_stated = true;
    shop_again(&shop.jobs[0]);
    shop_run_ms(50);
    assert_int_equal(shop.jobs[0].done, 2);
    assert_int_equal(shop.jobs[0].result->n_jobs, 1);
    const Pl__JobSpec *second = shop.jobs[0].result->jobs[0];
    assert_string_equal(second->key, "sms_report_stated/" CALL);
    shop_job_t *at = shop_put(second->key, second->kind, CALL);
    shop_again(at);
    shop_run_ms(50);
    assert_int_equal(at->done, 1);
    assert_string_equal(shop.sms_to, STATED);
    assert_int_equal(at->result->n_jobs, 0); /* and no third */
}

static void what_was_sent_by_a_worker_that_died_is_not_sent_again(void **state)
{
    (void)state;
    make_call(CALLER, "");
    start();
    shop_telephony();
    shop.sms_silent = true;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed)); /* it is on the phone, nobody here knows */
    assert_int_equal(shop.sms_sent, 1);
    assert_int_equal(shop.record->n_messages, 0);
    char text[sizeof shop.sms_text];
    memcpy(text, shop.sms_text, sizeof text);
    assert_true(shop.jobs[0].job->progress.len > 0);

    shop.sms_silent = false;
    set_claim("hardware_info", "something else meanwhile");
    shop_again(&shop.jobs[0]);
    assert_true(shop_wait(is_done));
    assert_true(shop.sms_again);
    assert_string_equal(shop.sms_text, text); /* word for word */
    assert_int_equal(shop.sms_asked, 2);
    assert_int_equal(shop.sms_sent, 1);
    assert_int_equal(shop.record->n_messages, 1);
}

static void what_nobody_knows_is_given_up_and_said(void **state)
{
    (void)state;
    make_call(CALLER, "");
    start();
    shop_telephony();
    shop.sms_unknown = true;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_true(shop.jobs[0].failure->final);
    assert_non_null(strstr(shop.jobs[0].failure->reason, "whether the SMS was sent is not known"));
    assert_int_equal(shop.record->n_messages, 0);
}

static void a_carrier_that_refuses_for_good_ends_the_job(void **state)
{
    (void)state;
    make_call(CALLER, "");
    start();
    shop_telephony();
    shop.sms_error = PL_INVALID;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_true(shop.jobs[0].failure->final);
    assert_non_null(strstr(shop.jobs[0].failure->reason, "the carrier says no"));
}

static void without_telephony_it_is_tried_later(void **state)
{
    (void)state;
    make_call(CALLER, "");
    start();
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_false(shop.jobs[0].failure->final);
    assert_int_equal(shop.jobs[0].job->progress.len, 0); /* nothing was begun */
}

static void it_stops_when_it_is_told_to(void **state)
{
    (void)state;
    make_call(CALLER, "");
    start();
    shop_telephony();
    shop.store_failures = 0;
    worker_wake(shop.worker);
    shop_run_ms(3);
    worker_destroy(&shop.worker); /* wherever it was */
    shop_run_ms(30);
}

static void templates_of_the_configuration_are_checked_and_used(void **state)
{
    (void)state;
    static const pl_config_key_t keys[] = {
        {"prompts.tts_lang", PL_CONFIG_STRING, "en-US", 0, 0, ""},
        {"prompts.sms.report_tpl", PL_CONFIG_STRING, "", 0, 0, ""},
        {"prompts.sms.report_empty_tpl", PL_CONFIG_STRING, "", 0, 0, ""},
        {"prompts.sms.reminder_tpl", PL_CONFIG_STRING, "", 0, 0, ""},
        {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};
    char error[256];
    pl_config_t *cfg =
        pl_config_parse("dialogue", keys, "t.yaml",
                        "prompts:\n  sms:\n    report_tpl: \"{nonsense}\"\n", error, sizeof error);
    assert_non_null(cfg);
    assert_int_equal(notices_new(&notices, cfg), PL_INVALID);
    assert_null(notices);
    pl_config_destroy(&cfg);
    cfg = pl_config_parse("dialogue", keys, "t.yaml",
                          "prompts:\n  sms:\n    report_tpl: \"Noted: {facts}\"\n", error,
                          sizeof error);
    assert_int_equal(notices_new(&notices, cfg), PL_OK);
    pl_config_destroy(&cfg);
    draft_t text = {0};
    const char *values[] = {"facts", "a {title} in braces", NULL};
    notices_fill(notices, NOTICE_REPORT, "en-GB", values, &text);
    assert_string_equal(draft_text(&text), "Noted: a {title} in braces");
    draft_clear(&text);
    notices_fill(notices, NOTICE_REPORT, "es-ES", values, &text); /* its own */
    assert_non_null(strstr(draft_text(&text), "Gracias"));
    draft_clear(&text);
    notices_fill(notices, NOTICE_REPORT_EMPTY, "sv-SE", values, &text); /* there is none */
    assert_non_null(strstr(draft_text(&text), "Thank you"));
    draft_free(&text);
    notices_destroy(&notices);
}

static void facts_are_whole_items_within_bounds(void **state)
{
    (void)state;
    static char large[NOTICE_FACTS_BYTES + 100];
    memset(large, 'x', sizeof large - 1);
    char out[NOTICE_FACTS_BYTES];
    make_call(CALLER, "");
    set_claim("hardware_info", large);
    assert_string_equal(notices_facts(shop.record, "en-US", out), "first seen: 2026-11-21 09:00");
    set_claim("first_seen", "");
    assert_string_equal(notices_facts(shop.record, "en-US", out), "");
    pl_record_free(&shop.record);
}

int main(void)
{
    pl_signals_init();
#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
    const struct CMUnitTest tests[] = {
        TEST(the_caller_gets_what_was_noted_and_the_record_keeps_it),
        TEST(it_is_in_the_calls_language),
        TEST(nobody_is_written_to_without_a_number_or_when_it_is_off),
        TEST(a_number_merely_stated_gets_nothing_unless_that_is_allowed),
        TEST(what_was_sent_by_a_worker_that_died_is_not_sent_again),
        TEST(what_nobody_knows_is_given_up_and_said),
        TEST(a_carrier_that_refuses_for_good_ends_the_job),
        TEST(without_telephony_it_is_tried_later),
        TEST(it_stops_when_it_is_told_to),
        cmocka_unit_test(templates_of_the_configuration_are_checked_and_used),
        cmocka_unit_test(facts_are_whole_items_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
