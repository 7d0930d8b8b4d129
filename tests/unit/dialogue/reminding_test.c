/* reminding_test.c - reminders: when they fall due, what is then done by whose they are, and that it is
 * done once. */
#include "services/dialogue/work/reminding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/dialogue/reminder.h"
#include "services/dialogue/work/notices.h"
#include "tests/unit/dialogue/shop.h"

#define CALL "11111111-1111-4111-8111-111111111111"
#define CALLER "+33612345678"
#define TITLE "Send the photos"
#define DUE "2026-11-21T09:00:00"

static const worker_opts_t quick = {
    .concurrency = 2, .lease_ms = 60000, .poll_ms = 60000, .store_timeout_ms = 2000};
static const work_kind_t *const kinds[] = {&work_reminder, &work_reminder_end, NULL};
static notices_t *notices;

/* ---- a place ---- */

static void remind(const char *due, const char *owner)
{
    Pl__Reminder reminder = PL__REMINDER__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    reminder.title = TITLE;
    reminder.description = "Of the kitchen.";
    reminder.due_date_time = (char *)due;
    reminder.owner = (char *)owner;
    change.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
    change.reminder = &reminder;
    assert_int_equal(pl_record_apply(shop.record, &change), PL_OK);
}

static void start(const char *owner, const char *number, const char *kind)
{
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    initiate.phone_number = (char *)number;
    initiate.bot_name = "Amelie";
    initiate.bot_company = "Contoso";
    initiate.task = "Help with the claim.";
    initiate.lang_default = "en-US";
    record.call_id = CALL;
    record.initiate = &initiate;
    shop.record = pl_record_copy(&record);
    remind(DUE, owner);
    shop_start(kinds, &quick);
    assert_int_equal(notices_new(&notices, NULL), PL_OK);
    shop.shop.notices = notices;
    shop.shop.reminders_of_customer = REMINDER_SMS;
    reminder_job_t job;
    reminder_job(&job, CALL, shop.record->reminders[0]);
    shop_job_t *at = shop_put(job.key, kind, CALL);
    at->job->payload.data = (uint8_t *)strdup(job.payload);
    assert_non_null(at->job->payload.data);
    at->job->payload.len = strlen(job.payload);
    at->job->max_attempts = REMINDER_ATTEMPTS;
    reminder_job_free(&job);
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

static void expect(const char *outcome, Pl__ReminderState state)
{
    const Pl__Reminder *reminder = shop.record->reminders[0];
    assert_string_equal(reminder->outcome, outcome);
    assert_int_equal(pl_record_reminder_state(reminder), state);
}

/* ---- whose ---- */

static void the_customer_is_reminded_by_sms(void **state)
{
    (void)state;
    start("customer", CALLER, "reminder");
    shop_telephony();
    work_off();
    assert_int_equal(shop.sms_sent, 1);
    assert_string_equal(shop.sms_to, CALLER);
    assert_non_null(
        strstr(shop.sms_text, "due 2026-11-21 09:00: Send the photos. Of the kitchen."));
    expect("sms", PL__REMINDER_STATE__REMINDER_ENDED);
    assert_int_equal(shop.record->n_messages, 1);
    assert_string_equal(shop.record->messages[0]->content, shop.sms_text);
}

static void anybody_else_is_an_entry_for_the_operator(void **state)
{
    (void)state;
    start("The plumber", CALLER, "reminder");
    work_off();
    expect("entry", PL__REMINDER_STATE__REMINDER_OPEN);
    assert_int_equal(shop.sms_asked, 0);
}

static void a_customer_who_cannot_be_reached_is_an_entry(void **state)
{
    (void)state;
    start("customer", "anonymous", "reminder");
    work_off();
    expect("entry", PL__REMINDER_STATE__REMINDER_OPEN);
}

static void an_sms_that_will_not_go_becomes_an_entry(void **state)
{
    (void)state;
    start("customer", CALLER, "reminder");
    shop_telephony();
    shop.sms_unknown = true;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_true(shop.jobs[0].failure->final); /* not again, and somebody sees it */
    expect("entry", PL__REMINDER_STATE__REMINDER_OPEN);
}

static void an_sms_that_may_go_later_is_tried_until_the_last_attempt(void **state)
{
    (void)state;
    start("customer", CALLER, "reminder");
    shop_telephony();
    shop.sms_error = PL_UNAVAILABLE;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_false(shop.jobs[0].failure->final);
    expect("", PL__REMINDER_STATE__REMINDER_UPCOMING);
    shop.jobs[0].job->attempts = REMINDER_ATTEMPTS - 1;
    shop_again(&shop.jobs[0]);
    shop_run_ms(50);
    assert_int_equal(shop.jobs[0].failed, 2);
    expect("entry", PL__REMINDER_STATE__REMINDER_OPEN);
}

/* ---- when ---- */

static void one_that_was_put_off_or_ended_is_left_alone(void **state)
{
    (void)state;
    start("customer", CALLER, "reminder");
    shop_telephony();
    remind("2026-12-24T09:00:00", "customer"); /* its job waits elsewhere */
    work_off();
    assert_int_equal(shop.sms_asked, 0);
    expect("", PL__REMINDER_STATE__REMINDER_UPCOMING);

    remind(DUE, "customer");
    shop.record->reminders[0]->ended_at_ms = 5;
    shop_again(&shop.jobs[0]);
    shop_run_ms(50);
    assert_int_equal(shop.jobs[0].done, 2);
    assert_int_equal(shop.sms_asked, 0);
}

static void one_that_was_done_is_not_done_again(void **state)
{
    (void)state;
    start("customer", CALLER, "reminder");
    shop_telephony();
    work_off();
    shop_again(&shop.jobs[0]); /* as if the end of the job had been lost */
    shop_run_ms(50);
    assert_int_equal(shop.jobs[0].done, 2);
    assert_int_equal(shop.sms_asked, 1);
    assert_int_equal(shop.record->n_messages, 1);
}

static void ticking_off_ends_it_and_takes_its_job_away(void **state)
{
    (void)state;
    start("customer", CALLER, "reminder_end");
    work_off();
    expect("", PL__REMINDER_STATE__REMINDER_ENDED);
    assert_int_equal(shop.jobs[0].result->n_jobs, 1);
    assert_int_equal(shop.jobs[0].result->jobs[0]->mode, PL__JOB_MODE__JOB_DROP);
    assert_string_equal(shop.jobs[0].result->jobs[0]->kind, "reminder");
}

static void payloads_that_are_none_do_nothing(void **state)
{
    (void)state;
    static const char *const payloads[] = {"", "{", "[]", "{\"title\":7}", "{\"title\":\"x\"}"};
    start("customer", CALLER, "reminder");
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        ProtobufCBinaryData *bytes = &shop.jobs[0].job->payload;
        free(bytes->data);
        bytes->data = (uint8_t *)strdup(payloads[i]);
        bytes->len = strlen(payloads[i]);
        shop_again(&shop.jobs[0]);
        shop_run_ms(30);
        assert_int_equal(shop.jobs[0].done, i + 1);
    }
    expect("", PL__REMINDER_STATE__REMINDER_UPCOMING);
}

/* ---- calls ---- */

static struct {
    unsigned asked;
    char call_id[64], number[32], task[1024];
    pl_err_t err;
    bool hold;
    work_called_fn *done;
    void *arg;
} line;

static void call_out(void *arg, const char *call_id, const Pl__Initiate *initiate,
                     work_called_fn *done, void *done_arg)
{
    (void)arg;
    line.asked++;
    (void)snprintf(line.call_id, sizeof line.call_id, "%s", call_id);
    (void)snprintf(line.number, sizeof line.number, "%s", initiate->phone_number);
    (void)snprintf(line.task, sizeof line.task, "%s", initiate->task);
    line.done = done;
    line.arg = done_arg;
    if (!line.hold) done(done_arg, line.err, "as the test says");
}

static void start_calling(void)
{
    memset(&line, 0, sizeof line);
    start("Assistant", CALLER, "reminder");
    shop.shop.reminders_of_assistant = REMINDER_CALL;
    shop.shop.call_out = call_out;
}

static void the_customer_is_rung_about_it(void **state)
{
    (void)state;
    start_calling();
    work_off();
    assert_int_equal(line.asked, 1);
    assert_string_equal(line.number, CALLER);
    assert_non_null(strstr(line.task, "Send the photos. Of the kitchen."));
    assert_non_null(strstr(line.task, "Help with the claim."));
    expect("call", PL__REMINDER_STATE__REMINDER_ENDED);
    assert_int_equal(shop.jobs[0].job->progress.len, 36); /* noted before it was dialled */
    assert_memory_equal(shop.jobs[0].job->progress.data, line.call_id, 36);
}

static void a_call_that_was_begun_by_a_worker_that_died_is_not_begun_again(void **state)
{
    (void)state;
    start_calling();
    line.hold = true;
    worker_wake(shop.worker);
    for (int i = 0; i < 500 && !line.asked; i++) shop_run_ms(2);
    assert_int_equal(line.asked, 1);
    worker_destroy(&shop.worker); /* killed */
    line.done(line.arg, PL_OK, "");
    assert_int_equal(shop.jobs[0].done, 0);
    shop.worker = worker_new(&shop.shop, kinds, &quick, shop_on_idle, NULL);
    shop_again(&shop.jobs[0]); /* the store knows every call: that one, too */
    assert_true(shop_wait(is_done));
    assert_int_equal(line.asked, 1);
    expect("call", PL__REMINDER_STATE__REMINDER_ENDED);
}

static void nobody_there_makes_it_an_entry(void **state)
{
    (void)state;
    start_calling();
    line.err = PL_UNAVAILABLE;
    work_off();
    expect("entry", PL__REMINDER_STATE__REMINDER_OPEN);
}

static void with_no_line_free_it_is_tried_later(void **state)
{
    (void)state;
    start_calling();
    line.err = PL_BUSY;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_false(shop.jobs[0].failure->final);
}

static void a_customer_who_is_on_the_line_is_not_rung(void **state)
{
    (void)state;
    start_calling();
    shop.record->in_progress = true;
    worker_wake(shop.worker);
    assert_true(shop_wait(has_failed));
    assert_int_equal(line.asked, 0);
    assert_true(shop.jobs[0].failure->retry_after_ms >= 60000);
}

/* ---- pure ---- */

static void moments_are_read_in_the_calls_zone_unless_they_name_one(void **state)
{
    (void)state;
    static const struct {
        const char *text, *due;
        int64_t at_s;
    } cases[] = {
        {"2026-11-21T09:00:00", "2026-11-21T09:00:00", 1795248000}, /* winter: 8 o'clock UTC */
        {"2026-07-01 09:00", "2026-07-01T09:00:00", 1782889200},    /* summer: 7 */
        {"2026-11-21", "2026-11-21", 1795248000},                   /* at nine */
        {"2026-11-21T09:00:00Z", "2026-11-21T10:00:00", 1795251600},
        {"2026-11-21T09:00:00+05:30", "2026-11-21T04:30:00", 1795231800},
        {"2026-11-21T09:00:00-08:00", "2026-11-21T18:00:00", 1795280400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char due[VALUE_BYTES] = "";
        int64_t at_ms = 0;
        reminder_due(cases[i].text, "Europe/Paris", due, &at_ms);
        assert_string_equal(due, cases[i].due);
        assert_int_equal(at_ms, cases[i].at_s * 1000);
    }
}

static void a_titles_job_is_one_and_another_titles_another(void **state)
{
    (void)state;
    Pl__Reminder reminder = PL__REMINDER__INIT;
    reminder_job_t a;
    reminder_job_t b;
    reminder.title = "Send the \"photos\"";
    reminder.due_date_time = DUE;
    reminder.due_at_ms = 5000;
    reminder_job(&a, CALL, &reminder);
    assert_string_equal(a.payload, "{\"title\":\"Send the \\\"photos\\\"\",\"due\":\"" DUE "\"}");
    assert_int_equal(a.spec.run_at_ms, 5000);
    assert_int_equal(a.spec.mode, PL__JOB_MODE__JOB_REPLACE);
    reminder.due_at_ms = 9000;
    reminder_job(&b, CALL, &reminder);
    assert_string_equal(a.key, b.key); /* put off: the same job, later */
    reminder_job_free(&b);
    reminder.title = "Send the photos!";
    reminder.ended_at_ms = 1;
    reminder_job(&b, CALL, &reminder);
    assert_string_not_equal(a.key, b.key);
    assert_int_equal(b.spec.mode, PL__JOB_MODE__JOB_DROP);
    reminder_job_free(&a);
    reminder_job_free(&b);
}

static void owners_and_actions_are_known_by_name(void **state)
{
    (void)state;
    assert_int_equal(reminder_owner("Customer"), REMINDER_OF_CUSTOMER);
    assert_int_equal(reminder_owner("assistant"), REMINDER_OF_ASSISTANT);
    assert_int_equal(reminder_owner(""), REMINDER_OF_OTHERS);
    assert_int_equal(reminder_owner("customer service"), REMINDER_OF_OTHERS);
    reminder_action_t action = REMINDER_ENTRY;
    assert_int_equal(reminding_action("call", &action), PL_OK);
    assert_int_equal(action, REMINDER_CALL);
    assert_int_equal(reminding_action("fax", &action), PL_INVALID);
}

int main(void)
{
    pl_signals_init();
#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
    const struct CMUnitTest tests[] = {
        TEST(the_customer_is_reminded_by_sms),
        TEST(anybody_else_is_an_entry_for_the_operator),
        TEST(a_customer_who_cannot_be_reached_is_an_entry),
        TEST(an_sms_that_will_not_go_becomes_an_entry),
        TEST(an_sms_that_may_go_later_is_tried_until_the_last_attempt),
        TEST(one_that_was_put_off_or_ended_is_left_alone),
        TEST(one_that_was_done_is_not_done_again),
        TEST(ticking_off_ends_it_and_takes_its_job_away),
        TEST(payloads_that_are_none_do_nothing),
        TEST(the_customer_is_rung_about_it),
        TEST(a_call_that_was_begun_by_a_worker_that_died_is_not_begun_again),
        TEST(nobody_there_makes_it_an_entry),
        TEST(with_no_line_free_it_is_tried_later),
        TEST(a_customer_who_is_on_the_line_is_not_rung),
        cmocka_unit_test(moments_are_read_in_the_calls_zone_unless_they_name_one),
        cmocka_unit_test(a_titles_job_is_one_and_another_titles_another),
        cmocka_unit_test(owners_and_actions_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
