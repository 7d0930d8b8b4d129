/* sms_test.c - text messages: sent once under a key, whatever happens around it. */
#include "services/telephony/sms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- a carrier of the test ---- */

static struct {
    unsigned sends;
    bool hold; /* answer later */
    pl_err_t err;
    sms_done_fn *done;
    void *arg;
} carrier;

static pl_err_t carrier_open(void **provider, pl_loop_t *loop, const pl_config_t *cfg)
{
    (void)loop;
    (void)cfg;
    *provider = &carrier;
    return PL_OK;
}

static void carrier_answer(void)
{
    sms_outcome_t outcome = {.delivered = true, .detail = "queued as 42"};
    carrier.done(carrier.arg, carrier.err, carrier.err ? NULL : &outcome);
}

static void carrier_send(void *provider, const sms_t *sms, sms_done_fn *done, void *arg)
{
    assert_ptr_equal(provider, &carrier);
    assert_true(sms->text[0] != '\0');
    carrier.sends++;
    carrier.done = done;
    carrier.arg = arg;
    if (!carrier.hold) carrier_answer();
}

static void carrier_close(void **provider)
{
    *provider = NULL;
}

static const sms_provider_t plain = {"plain", false, carrier_open, carrier_send, carrier_close};
static const sms_provider_t careful = {"careful", true, carrier_open, carrier_send, carrier_close};

/* ---- asking ---- */

static sms_desk_t *desk;

typedef struct {
    unsigned count;
    pl_err_t err;
    sms_outcome_t outcome;
} answer_t;

static void on_done(void *arg, pl_err_t err, const sms_outcome_t *outcome)
{
    answer_t *answer = arg;
    answer->count++;
    answer->err = err;
    if (outcome) answer->outcome = *outcome;
}

static void ask(answer_t *answer, const char *key, bool again)
{
    *answer = (answer_t){0};
    sms_t sms = {.call_id = "c-1", .to = "+15550100", .text = "hello", .key = key, .again = again};
    sms_desk_send(desk, &sms, on_done, answer);
}

static void start(const sms_provider_t *provider)
{
    memset(&carrier, 0, sizeof carrier);
    assert_int_equal(sms_desk_new(&desk, provider, NULL, NULL), PL_OK);
}

static int stop(void **state)
{
    (void)state;
    sms_desk_destroy(&desk);
    return 0;
}

/* ---- tests ---- */

static void a_key_is_sent_once_and_its_outcome_remembered(void **state)
{
    (void)state;
    start(&plain);
    answer_t answer;
    for (int i = 0; i < 3; i++) {
        ask(&answer, "sms_report/1", i > 0);
        assert_int_equal(answer.count, 1);
        assert_int_equal(answer.err, PL_OK);
        assert_true(answer.outcome.delivered);
        assert_string_equal(answer.outcome.detail, "queued as 42");
    }
    assert_int_equal(carrier.sends, 1);
    ask(&answer, "sms_report/2", false);
    assert_int_equal(carrier.sends, 2);
    ask(&answer, "", false); /* without a key each is another */
    ask(&answer, "", false);
    assert_int_equal(carrier.sends, 4);
}

static void while_it_is_sent_the_same_key_is_busy(void **state)
{
    (void)state;
    start(&plain);
    carrier.hold = true;
    answer_t first;
    answer_t second;
    ask(&first, "k", false);
    ask(&second, "k", true);
    assert_int_equal(second.err, PL_BUSY);
    assert_int_equal(first.count, 0);
    carrier_answer();
    assert_int_equal(first.count, 1);
    assert_true(first.outcome.delivered);
    ask(&second, "k", true);
    assert_true(second.outcome.delivered);
    assert_int_equal(carrier.sends, 1);
}

static void what_failed_for_sure_may_be_tried_again(void **state)
{
    (void)state;
    start(&plain);
    answer_t answer;
    carrier.err = PL_UNAVAILABLE;
    ask(&answer, "k", false);
    assert_int_equal(answer.err, PL_UNAVAILABLE);
    carrier.err = PL_OK;
    ask(&answer, "k", false);
    assert_int_equal(answer.err, PL_OK);
    assert_int_equal(carrier.sends, 2);
}

static void what_may_have_been_sent_is_not_sent_again(void **state)
{
    (void)state;
    start(&plain);
    answer_t answer;
    carrier.err = PL_TIMEOUT;
    for (int i = 0; i < 2; i++) {
        ask(&answer, "k", i > 0);
        assert_int_equal(answer.err, PL_OK);
        assert_true(answer.outcome.unknown);
        assert_false(answer.outcome.delivered);
    }
    assert_int_equal(carrier.sends, 1);
}

static void a_restarted_telephony_does_not_guess(void **state)
{
    (void)state;
    start(&plain); /* it remembers nothing */
    answer_t answer;
    ask(&answer, "k", true);
    assert_int_equal(carrier.sends, 0);
    assert_true(answer.outcome.unknown);
    assert_non_null(strstr(answer.outcome.detail, "restarted"));
}

static void a_provider_that_knows_repetitions_is_asked_again(void **state)
{
    (void)state;
    start(&careful);
    answer_t answer;
    carrier.err = PL_TIMEOUT;
    ask(&answer, "k", true);
    assert_int_equal(answer.err, PL_TIMEOUT);
    carrier.err = PL_OK;
    ask(&answer, "k", true);
    assert_true(answer.outcome.delivered);
    assert_int_equal(carrier.sends, 2); /* under one key: the phone gets one */
}

static void memory_is_bounded_and_forgets_the_oldest(void **state)
{
    (void)state;
    start(&plain);
    answer_t answer;
    char key[32];
    for (int i = 0; i <= SMS_KEYS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        ask(&answer, key, false);
    }
    unsigned sends = carrier.sends;
    ask(&answer, "k1", false);
    assert_int_equal(carrier.sends, sends); /* the second is still known */
    ask(&answer, "k0", false);
    assert_int_equal(carrier.sends, sends + 1);
}

static void messages_out_of_bounds_are_refused(void **state)
{
    (void)state;
    start(&plain);
    static char large[SMS_TEXT_BYTES_MAX + 2];
    memset(large, 'x', sizeof large - 1);
    answer_t answer = {0};
    sms_t sms = {.call_id = "", .to = "+15550100", .text = "", .key = ""};
    sms_desk_send(desk, &sms, on_done, &answer);
    assert_int_equal(answer.err, PL_INVALID);
    sms.text = large;
    sms_desk_send(desk, &sms, on_done, &answer);
    assert_int_equal(answer.err, PL_INVALID);
    sms.text = "x";
    large[SMS_KEY_BYTES_MAX + 1] = '\0';
    sms.key = large;
    sms_desk_send(desk, &sms, on_done, &answer);
    assert_int_equal(answer.err, PL_INVALID);
    assert_int_equal(answer.count, 3);
    assert_int_equal(carrier.sends, 0);
}

static void what_is_under_way_when_it_ends_is_forgotten(void **state)
{
    (void)state;
    start(&plain);
    carrier.hold = true;
    answer_t answer;
    ask(&answer, "k", false);
    sms_desk_destroy(&desk);
    assert_int_equal(answer.count, 0);
}

static void the_embedded_provider_records(void **state)
{
    (void)state;
    assert_ptr_equal(sms_provider_find("record"), &sms_record);
    assert_null(sms_provider_find("pigeon"));
    assert_int_equal(sms_desk_new(&desk, &sms_record, NULL, NULL), PL_OK);
    answer_t answer;
    ask(&answer, "k", true);
    assert_int_equal(answer.err, PL_OK);
    assert_false(answer.outcome.delivered);
    assert_false(answer.outcome.unknown);
    assert_string_equal(answer.outcome.detail, "recorded only");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_sent_once_and_its_outcome_remembered),
        TEST(while_it_is_sent_the_same_key_is_busy),
        TEST(what_failed_for_sure_may_be_tried_again),
        TEST(what_may_have_been_sent_is_not_sent_again),
        TEST(a_restarted_telephony_does_not_guess),
        TEST(a_provider_that_knows_repetitions_is_asked_again),
        TEST(memory_is_bounded_and_forgets_the_oldest),
        TEST(messages_out_of_bounds_are_refused),
        TEST(what_is_under_way_when_it_ends_is_forgotten),
        TEST(the_embedded_provider_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
