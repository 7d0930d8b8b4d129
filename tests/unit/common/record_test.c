/* record_test.c - copies of a call's record and the changes applied to it. */
#include "common/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus.pb-c.h"

static Pl__CallRecord *empty_record(void)
{
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    record.call_id = "5e2c1d3a-0000-4000-8000-000000000001";
    return pl_record_copy(&record);
}

static pl_err_t set_claim(Pl__CallRecord *record, const char *name, const char *value)
{
    Pl__ClaimValue claim = PL__CLAIM_VALUE__INIT;
    claim.name = (char *)name;
    claim.value = (char *)value;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    return pl_record_apply(record, &change);
}

static pl_err_t add_message(Pl__CallRecord *record, uint32_t number, const char *content)
{
    Pl__Message message = PL__MESSAGE__INIT;
    message.number = number;
    message.content = (char *)content;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
    change.message = &message;
    return pl_record_apply(record, &change);
}

static pl_err_t add_reminder(Pl__CallRecord *record, const char *title, const char *description,
                             int64_t created_at_ms)
{
    Pl__Reminder reminder = PL__REMINDER__INIT;
    reminder.title = (char *)title;
    reminder.description = (char *)description;
    reminder.created_at_ms = created_at_ms;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
    change.reminder = &reminder;
    return pl_record_apply(record, &change);
}

static void a_copy_shares_nothing(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    assert_int_equal(add_message(record, 1, "hello"), PL_OK);
    Pl__CallRecord *copy = pl_record_copy(record);
    assert_int_equal(add_message(record, 1, "changed"), PL_OK);
    assert_string_equal(copy->messages[0]->content, "hello");
    assert_ptr_not_equal(copy->call_id, record->call_id);
    pl_record_free(&record);
    assert_null(record);
    pl_record_free(&record); /* twice is fine */
    assert_string_equal(copy->call_id, "5e2c1d3a-0000-4000-8000-000000000001");
    pl_record_free(&copy);
}

static void an_empty_message_can_be_copied(void **state)
{
    (void)state;
    Pl__Done done = PL__DONE__INIT;
    ProtobufCMessage *copy = pl_message_copy(&done.base);
    assert_ptr_equal(copy->descriptor, &pl__done__descriptor);
    protobuf_c_message_free_unpacked(copy, NULL);
}

static void messages_stand_in_order_of_their_numbers(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    const uint32_t order[] = {2, 5, 1, 4, 3, UINT32_MAX};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "m%u", order[i]);
        assert_int_equal(add_message(record, order[i], text), PL_OK);
    }
    assert_int_equal(record->n_messages, 6);
    for (size_t i = 0; i < 5; i++) assert_int_equal(record->messages[i]->number, i + 1);
    assert_string_equal(record->messages[5]->content, "m4294967295");
    pl_record_free(&record);
}

static void a_message_of_a_known_number_replaces_it(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    for (uint32_t n = 1; n <= 3; n++) assert_int_equal(add_message(record, n, "first"), PL_OK);
    assert_int_equal(add_message(record, 2, "heard"), PL_OK);
    assert_int_equal(record->n_messages, 3);
    assert_string_equal(record->messages[1]->content, "heard");
    assert_string_equal(record->messages[2]->content, "first");
    pl_record_free(&record);
}

static void append_message(Pl__CallRecord *record, const char *content)
{
    Pl__Message message = PL__MESSAGE__INIT;
    message.number = 1; /* not looked at */
    message.content = (char *)content;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_APPENDED;
    change.appended = &message;
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
}

/* A job appends to a call that is live again; its owner gives numbers without knowing of it. */
static void an_appended_message_gives_way_to_the_owners(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    append_message(record, "a report by SMS");
    assert_int_equal(record->messages[0]->number, 1);
    assert_int_equal(add_message(record, 1, "hello"), PL_OK);
    assert_int_equal(add_message(record, 2, "my laptop"), PL_OK);
    assert_int_equal(add_message(record, 2, "my laptop is broken"), PL_OK);
    append_message(record, "another report");
    assert_int_equal(add_message(record, 3, "good bye"), PL_OK);
    const char *expected[] = {"hello", "my laptop is broken", "good bye", "another report",
                              "a report by SMS"};
    assert_int_equal(record->n_messages, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(record->messages[i]->number, i + 1);
        assert_string_equal(record->messages[i]->content, expected[i]);
    }
    pl_record_free(&record);
}

static void a_claim_value_remembers_what_it_was(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    assert_int_equal(set_claim(record, "location", "building four"), PL_OK);
    const Pl__ClaimValue *claim = pl_record_claim(record, "location");
    assert_int_equal(claim->n_earlier, 0);
    assert_int_equal(set_claim(record, "location", "building five"), PL_OK);
    assert_int_equal(set_claim(record, "location", "building five"), PL_OK); /* merely confirmed */
    assert_int_equal(set_claim(record, "location", ""), PL_OK);              /* withdrawn */
    assert_int_equal(set_claim(record, "location", "building six"), PL_OK);
    claim = pl_record_claim(record, "location");
    assert_int_equal(record->n_claim, 1);
    assert_string_equal(claim->value, "building six");
    assert_int_equal(claim->n_earlier, 2);
    assert_string_equal(claim->earlier[0]->value, "building four");
    assert_string_equal(claim->earlier[1]->value, "building five");
    pl_record_free(&record);
}

static void an_earlier_value_keeps_where_it_came_from(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    Pl__ClaimValue claim = PL__CLAIM_VALUE__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    claim.name = "location";
    claim.value = "building four";
    claim.message = 3;
    claim.set_at_ms = 1000;
    claim.confirmed = true;
    claim.corrected = true; /* not the sender's to say */
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    assert_false(pl_record_claim(record, "location")->corrected);
    claim.value = "building five";
    claim.message = 7;
    claim.set_at_ms = 2000;
    claim.confirmed = false;
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    claim.confirmed = true; /* the caller agrees when it is read back */
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    const Pl__ClaimValue *now = pl_record_claim(record, "location");
    assert_true(now->corrected);
    assert_true(now->confirmed);
    assert_int_equal(now->message, 7);
    assert_int_equal(now->n_earlier, 1);
    assert_int_equal(now->earlier[0]->message, 3);
    assert_int_equal(now->earlier[0]->set_at_ms, 1000);
    assert_true(now->earlier[0]->confirmed);
    assert_false(now->earlier[0]->corrected);
    pl_record_free(&record);
}

static void former_values_of_an_old_record_are_taken_over(void **state)
{
    (void)state;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__ClaimValue old = PL__CLAIM_VALUE__INIT;
    Pl__ClaimValue *values[] = {&old};
    char *former[] = {"one", "two"};
    old.name = "x";
    old.value = "three";
    old.former = former;
    old.n_former = 2;
    record.claim = values;
    record.n_claim = 1;
    Pl__CallRecord *copy = pl_record_copy(&record);
    assert_int_equal(set_claim(copy, "x", "four"), PL_OK);
    const Pl__ClaimValue *claim = pl_record_claim(copy, "x");
    assert_int_equal(claim->n_former, 0);
    assert_int_equal(claim->n_earlier, 3);
    assert_string_equal(claim->earlier[0]->value, "one");
    assert_string_equal(claim->earlier[2]->value, "three");
    pl_record_free(&copy);
}

static void former_values_are_bounded_and_the_latest_stay(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    for (int i = 0; i < 40; i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "v%d", i);
        assert_int_equal(set_claim(record, "x", value), PL_OK);
    }
    const Pl__ClaimValue *claim = pl_record_claim(record, "x");
    assert_int_equal(claim->n_earlier, PL_CLAIM_FORMER_MAX);
    assert_string_equal(claim->earlier[0]->value, "v29");
    assert_string_equal(claim->earlier[PL_CLAIM_FORMER_MAX - 1]->value, "v38");
    pl_record_free(&record);
}

static void former_values_sent_along_are_not_believed(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    char *invented[] = {"never", "said"};
    Pl__ClaimValue claim = PL__CLAIM_VALUE__INIT;
    claim.name = "x";
    claim.value = "one";
    claim.former = invented;
    claim.n_former = 2;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    assert_int_equal(pl_record_claim(record, "x")->n_former, 0);
    claim.value = "two";
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    assert_int_equal(pl_record_claim(record, "x")->n_former, 0);
    assert_int_equal(pl_record_claim(record, "x")->n_earlier, 1);
    assert_string_equal(pl_record_claim(record, "x")->earlier[0]->value, "one");
    pl_record_free(&record);
}

static void a_reminder_keeps_its_birth_when_replaced(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    assert_int_equal(add_reminder(record, "Send photos", "of the screen", 1000), PL_OK);
    assert_int_equal(add_reminder(record, "send photos", "another, titles are exact", 1500), PL_OK);
    assert_int_equal(add_reminder(record, "Send photos", "of the hinge", 2000), PL_OK);
    assert_int_equal(record->n_reminders, 2);
    assert_string_equal(record->reminders[0]->description, "of the hinge");
    assert_int_equal(record->reminders[0]->created_at_ms, 1000);
    pl_record_free(&record);
}

static void single_fields_are_replaced(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_IN_PROGRESS;
    change.in_progress = 1;
    assert_int_equal(pl_record_check(&change), PL_OK);
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    change.change_case = PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE;
    const char *langs[] = {"fr-FR", "", "en-US"};
    for (size_t i = 0; i < 3; i++) {
        change.lang_short_code = (char *)langs[i];
        assert_int_equal(pl_record_apply(record, &change), PL_OK);
        assert_string_equal(record->lang_short_code, langs[i]);
    }
    change.change_case = PL__CALL_CHANGE__CHANGE_PROSODY_RATE;
    change.prosody_rate = 1.25;
    assert_int_equal(pl_record_apply(record, &change), PL_OK); /* there was no initiate */
    change.change_case = PL__CALL_CHANGE__CHANGE_CALLER_NUMBER;
    change.caller_number = "+33612345678";
    assert_string_equal(pl_record_caller(record), "");
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    assert_string_equal(pl_record_caller(record), "+33612345678");
    change.change_case = PL__CALL_CHANGE__CHANGE_TIME_ZONE;
    change.time_zone = "Asia/Tokyo";
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    assert_string_equal(record->time_zone, "Asia/Tokyo");
    change.change_case = PL__CALL_CHANGE__CHANGE_CONTINUED_AS;
    change.continued_as = "c-2";
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    assert_string_equal(record->continued_as, "c-2");
    Pl__LegStats voice = PL__LEG_STATS__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_VOICE;
    change.voice = NULL;
    assert_int_equal(pl_record_apply(record, &change), PL_INVALID);
    change.voice = &voice;
    for (uint32_t lost = 7; lost < 9; lost++) {
        voice.rtp_lost = lost;
        assert_int_equal(pl_record_apply(record, &change), PL_OK);
        assert_int_equal(record->voice->rtp_lost, lost);
    }
    Pl__Recording recording = PL__RECORDING__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_RECORDING;
    change.recording = NULL;
    assert_int_equal(pl_record_apply(record, &change), PL_INVALID);
    change.recording = &recording;
    recording.instance = (char *)"telephony-0";
    for (uint32_t number = 1; number <= 2; number++) {
        recording.number = number;
        assert_int_equal(pl_record_apply(record, &change), PL_OK);
        recording.lost_ms = 40;
        assert_int_equal(pl_record_apply(record, &change), PL_OK); /* the same one */
        assert_int_equal(record->n_recordings, number);
        assert_int_equal(record->recordings[number - 1]->lost_ms, 40);
    }
    change.change_case = PL__CALL_CHANGE__CHANGE_RECOGNITION_RETRY;
    change.recognition_retry = 3;
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
    change.change_case = PL__CALL_CHANGE__CHANGE_LAST_INTERACTION_AT_MS;
    change.last_interaction_at_ms = 123456789012;
    assert_int_equal(pl_record_apply(record, &change), PL_OK);

    assert_true(record->in_progress);
    assert_float_equal(pl_record_rate(record), 1.25, 0);
    assert_null(record->initiate); /* what the call was begun with stays as it was */
    assert_int_equal(record->recognition_retry, 3);
    assert_int_equal(record->last_interaction_at_ms, 123456789012);
    pl_record_free(&record);
}

static void the_outcome_of_a_call_is_replaced(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__Next next = PL__NEXT__INIT;
    Pl__Synthesis synthesis = PL__SYNTHESIS__INIT;
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    for (int i = 0; i < 2; i++) { /* twice: the second frees the first */
        next.justification = i ? "all said" : "not all said";
        next.action = PL__NEXT_ACTION__CASE_CLOSED;
        change.change_case = PL__CALL_CHANGE__CHANGE_NEXT;
        change.next = &next;
        assert_int_equal(pl_record_apply(record, &change), PL_OK);
        synthesis.brief = i ? "a broken screen" : "a screen";
        change.change_case = PL__CALL_CHANGE__CHANGE_SYNTHESIS;
        change.synthesis = &synthesis;
        assert_int_equal(pl_record_apply(record, &change), PL_OK);
        ended.end = i ? PL__LEG_END__LEG_BUSY : PL__LEG_END__LEG_BYE_LOCAL;
        ended.detail = i ? "486 Busy Here" : "";
        change.change_case = PL__CALL_CHANGE__CHANGE_ENDED;
        change.ended = &ended;
        assert_int_equal(pl_record_apply(record, &change), PL_OK);
    }
    assert_string_equal(record->next->justification, "all said");
    assert_string_equal(record->synthesis->brief, "a broken screen");
    assert_int_equal(record->ended, PL__LEG_END__LEG_BUSY);
    assert_string_equal(record->ended_detail, "486 Busy Here");
    pl_record_free(&record);
}

static void changes_that_name_nothing_are_refused_and_do_nothing(void **state)
{
    (void)state;
    Pl__CallRecord *record = empty_record();
    size_t before = pl__call_record__get_packed_size(record);
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    assert_int_equal(pl_record_check(&change), PL_INVALID);
    assert_int_equal(pl_record_apply(record, &change), PL_INVALID);
    change.change_case = (Pl__CallChange__ChangeCase)999; /* of a newer peer */
    assert_int_equal(pl_record_apply(record, &change), PL_INVALID);
    for (int c = PL__CALL_CHANGE__CHANGE_MESSAGE; c <= PL__CALL_CHANGE__CHANGE_ENDED; c++) {
        if (c == PL__CALL_CHANGE__CHANGE_IN_PROGRESS ||
            c == PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE)
            continue;
        change.change_case = (Pl__CallChange__ChangeCase)c;
        change.message = NULL;
        assert_int_equal(pl_record_apply(record, &change), PL_INVALID);
    }
    assert_int_equal(add_message(record, 0, "no number"), PL_INVALID);
    assert_int_equal(set_claim(record, "", "no name"), PL_INVALID);
    assert_int_equal(add_reminder(record, "", "no title", 1), PL_INVALID);
    assert_int_equal(pl__call_record__get_packed_size(record), before);
    pl_record_free(&record);
}

static void claims_and_fields_are_found_by_exact_name(void **state)
{
    (void)state;
    Pl__ClaimField field = PL__CLAIM_FIELD__INIT;
    field.name = "first_seen";
    field.type = PL__CLAIM_TYPE__DATETIME;
    Pl__ClaimField *fields[] = {&field};
    Pl__Initiate initiate = PL__INITIATE__INIT;
    initiate.claim = fields;
    initiate.n_claim = 1;
    Pl__CallRecord plain = PL__CALL_RECORD__INIT;
    assert_null(pl_record_field(&plain, "first_seen")); /* no initiate at all */
    plain.initiate = &initiate;
    Pl__CallRecord *record = pl_record_copy(&plain);
    assert_int_equal(pl_record_field(record, "first_seen")->type, PL__CLAIM_TYPE__DATETIME);
    assert_null(pl_record_field(record, "First_seen"));
    assert_null(pl_record_claim(record, "first_seen"));
    assert_int_equal(set_claim(record, "first_seen", "2026-11-20T09:00:00"), PL_OK);
    assert_string_equal(pl_record_claim(record, "first_seen")->value, "2026-11-20T09:00:00");
    pl_record_free(&record);
}

/* persistence packs and unpacks between changes, dialogue does not: they must not drift apart. */
static void two_keepers_of_a_record_never_differ(void **state)
{
    (void)state;
    Pl__CallRecord *kept = empty_record();
    Pl__CallRecord *stored = empty_record();
    uint32_t seed = 20261122;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525u + 1013904223u;
        char text[32];
        char name[8];
        (void)snprintf(text, sizeof text, "value %u", (seed >> 12) % 5);
        if ((seed >> 9) % 7 == 0) text[0] = '\0';
        (void)snprintf(name, sizeof name, "f%u", (seed >> 20) % 4);
        Pl__CallRecord *both[] = {kept, stored};
        for (size_t k = 0; k < 2; k++) {
            pl_err_t err = PL_OK;
            if ((seed >> 28) < 6)
                err = set_claim(both[k], name, text);
            else if ((seed >> 28) < 12)
                err = add_message(both[k], 1 + (seed >> 8) % 50, text);
            else
                err = add_reminder(both[k], name, text, (int64_t)i);
            assert_int_equal(err, PL_OK);
        }
        Pl__CallRecord *again = pl_record_copy(stored);
        pl_record_free(&stored);
        stored = again;
    }
    size_t size = pl__call_record__get_packed_size(kept);
    assert_int_equal(pl__call_record__get_packed_size(stored), size);
    uint8_t *a = malloc(size);
    uint8_t *b = malloc(size);
    assert_non_null(a);
    assert_non_null(b);
    (void)pl__call_record__pack(kept, a);
    (void)pl__call_record__pack(stored, b);
    assert_memory_equal(a, b, size);
    free(a);
    free(b);
    pl_record_free(&kept);
    pl_record_free(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(an_empty_message_can_be_copied),
        cmocka_unit_test(messages_stand_in_order_of_their_numbers),
        cmocka_unit_test(a_message_of_a_known_number_replaces_it),
        cmocka_unit_test(an_appended_message_gives_way_to_the_owners),
        cmocka_unit_test(a_claim_value_remembers_what_it_was),
        cmocka_unit_test(an_earlier_value_keeps_where_it_came_from),
        cmocka_unit_test(former_values_of_an_old_record_are_taken_over),
        cmocka_unit_test(former_values_are_bounded_and_the_latest_stay),
        cmocka_unit_test(former_values_sent_along_are_not_believed),
        cmocka_unit_test(a_reminder_keeps_its_birth_when_replaced),
        cmocka_unit_test(single_fields_are_replaced),
        cmocka_unit_test(the_outcome_of_a_call_is_replaced),
        cmocka_unit_test(changes_that_name_nothing_are_refused_and_do_nothing),
        cmocka_unit_test(claims_and_fields_are_found_by_exact_name),
        cmocka_unit_test(two_keepers_of_a_record_never_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
