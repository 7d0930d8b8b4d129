/* contract_reminders.h - reminders of all calls in every store: listed by when they are due, as the records
 * have them. Include after the provider's fixture.
 */
#ifndef TESTS_PERSISTENCE_CONTRACT_REMINDERS_H
#define TESTS_PERSISTENCE_CONTRACT_REMINDERS_H

#include "common/record.h"
#include "tests/unit/persistence/requests.h"

static uint64_t writes[4]; /* write ids by call */

static const char *const ids[] = {CALL_1, CALL_2, CALL_3};

static pl_err_t ask(const Pl__Envelope *env)
{
    store_stats_t stats = {0};
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (write_new(&write, env, 1000, detail)) fail_msg("%s", detail);
    provider->write(store, &write, 1, &stats);
    pl_err_t err = write->err;
    write_destroy(&write);
    return err;
}

static int open_reminders(void **state)
{
    if (setup(state)) return -1;
    open_store();
    memset(writes, 0, sizeof writes);
    for (size_t i = 0; i < 3; i++) {
        create_t create;
        assert_int_equal(ask(make_create(&create, ids[i], "+15550100", 5000)), PL_OK);
    }
    return 0;
}

static void change(size_t call, Pl__CallChange *change)
{
    apply_t apply;
    start_apply(&apply, ids[call], 1, ++writes[call]);
    apply.change = *change;
    assert_int_equal(ask(&apply.env), PL_OK);
}

static void remind(size_t call, const char *title, const char *due, int64_t due_at_ms)
{
    Pl__Reminder reminder = PL__REMINDER__INIT;
    Pl__CallChange one = PL__CALL_CHANGE__INIT;
    reminder.title = (char *)title;
    reminder.due_date_time = (char *)due;
    reminder.due_at_ms = due_at_ms;
    reminder.owner = "customer";
    one.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
    one.reminder = &reminder;
    change(call, &one);
}

static void outcome(size_t call, const char *title, const char *due, const char *what, bool ended)
{
    Pl__ReminderOutcome body = PL__REMINDER_OUTCOME__INIT;
    Pl__CallChange one = PL__CALL_CHANGE__INIT;
    body.title = (char *)title;
    body.due_date_time = (char *)due;
    body.at_ms = 777;
    body.outcome = (char *)what;
    body.ended = ended;
    one.change_case = PL__CALL_CHANGE__CHANGE_REMINDER_OUTCOME;
    one.reminder_outcome = &body;
    change(call, &one);
}

static Pl__Reminders *listed(Pl__ReminderState *states, size_t n, int64_t before_ms, uint32_t limit,
                             uint32_t offset)
{
    Pl__ReminderList query = PL__REMINDER_LIST__INIT;
    query.states = states;
    query.n_states = n;
    query.due_before_ms = before_ms;
    query.limit = limit;
    query.offset = offset;
    Pl__Reminders *reminders = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (provider->reminders(store, &query, &reminders, detail)) fail_msg("%s", detail);
    return reminders;
}

static void expect(Pl__ReminderState *states, size_t n, int64_t before_ms, const char *titles)
{
    char got[256] = "";
    Pl__Reminders *reminders = listed(states, n, before_ms, 100, 0);
    for (size_t i = 0; i < reminders->n_reminders; i++) {
        size_t used = strlen(got);
        (void)snprintf(got + used, sizeof got - used, "%s%s", i ? " " : "",
                       reminders->reminders[i]->reminder->title);
    }
    assert_string_equal(got, titles);
    assert_int_equal(reminders->total, reminders->n_reminders);
    pl__reminders__free_unpacked(reminders, NULL);
}

static void the_earliest_due_come_first_whatever_their_call(void **state)
{
    (void)state;
    remind(0, "c", "3", 3000);
    remind(1, "a", "1", 1000);
    remind(2, "d", "4", 4000);
    remind(0, "b", "2", 2000);
    expect(NULL, 0, 0, "a b c d");
    expect(NULL, 0, 3000, "a b");
    Pl__Reminders *reminders = listed(NULL, 0, 0, 2, 1);
    assert_int_equal(reminders->total, 4);
    assert_int_equal(reminders->n_reminders, 2);
    assert_string_equal(reminders->reminders[0]->reminder->title, "b");
    assert_string_equal(reminders->reminders[0]->call_id, CALL_1);
    assert_string_equal(reminders->reminders[0]->phone_number, "+15550100");
    assert_string_equal(reminders->reminders[0]->bot_company, "Contoso");
    pl__reminders__free_unpacked(reminders, NULL);
}

static void their_state_is_what_became_of_them(void **state)
{
    (void)state;
    Pl__ReminderState upcoming[] = {PL__REMINDER_STATE__REMINDER_UPCOMING};
    Pl__ReminderState open[] = {PL__REMINDER_STATE__REMINDER_OPEN};
    Pl__ReminderState over[] = {PL__REMINDER_STATE__REMINDER_ENDED, (Pl__ReminderState)99};
    remind(0, "a", "1", 1000);
    remind(0, "b", "2", 2000);
    remind(0, "c", "3", 3000);
    outcome(0, "a", "1", "sms", true);
    outcome(0, "b", "2", "entry", false);
    outcome(0, "c", "another time", "sms", true); /* it was moved meanwhile: nothing is known */
    expect(upcoming, 1, 0, "c");
    expect(open, 1, 0, "b");
    expect(over, 2, 0, "a");
    outcome(0, "b", "2", "", true); /* ticked off */
    expect(open, 1, 0, "");
    expect(over, 2, 0, "a b");
    /* Told again for the same time it stays what it is; for another time it lives again. */
    remind(0, "a", "1", 1000);
    expect(over, 2, 0, "a b");
    remind(0, "a", "9", 9000);
    expect(over, 2, 0, "b");
    expect(upcoming, 1, 0, "c a");
}

static void changes_of_one_batch_leave_one_row_a_reminder(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    write_t *batch[COUNT];
    apply_t applies[COUNT];
    Pl__Reminder reminders[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        char detail[STORE_DETAIL_BYTES];
        start_apply(&applies[i], CALL_1, 1, ++writes[0]);
        reminders[i] = (Pl__Reminder)PL__REMINDER__INIT;
        reminders[i].title = i % 2 ? "x" : "y";
        reminders[i].due_at_ms = 1000 + (int64_t)i;
        applies[i].change.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
        applies[i].change.reminder = &reminders[i];
        assert_int_equal(write_new(&batch[i], &applies[i].env, 1000, detail), PL_OK);
    }
    store_stats_t stats = {0};
    provider->write(store, batch, COUNT, &stats);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(batch[i]->err, PL_OK);
        write_destroy(&batch[i]);
    }
    expect(NULL, 0, 0, "x y");
    expect(NULL, 0, 1004, "x"); /* the last of each counts */
}

#define CONTRACT_REMINDERS(TEST)                                                                   \
    TEST(the_earliest_due_come_first_whatever_their_call),                                         \
        TEST(their_state_is_what_became_of_them),                                                  \
        TEST(changes_of_one_batch_leave_one_row_a_reminder)

#endif
