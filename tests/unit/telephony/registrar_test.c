/* registrar_test.c - who is registered, in what order, for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "services/telephony/registrar.h"

#define NUMBER "+15551234567"

static pl_err_t set(registrar_t *self, uint64_t now_ms, const char *number, const char *uri,
                    uint32_t cseq, uint32_t expires_s)
{
    return registrar_set(self, now_ms,
                         &(registrar_binding_t){.number = number,
                                                .uri = uri,
                                                .target = uri,
                                                .call_id = "one",
                                                .cseq = cseq,
                                                .expires_s = expires_s});
}

static void the_expiry_is_kept_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(registrar_granted_s(0), 0);
    assert_int_equal(registrar_granted_s(1), REGISTRAR_MIN_S);
    assert_int_equal(registrar_granted_s(600), 600);
    assert_int_equal(registrar_granted_s(UINT32_MAX), REGISTRAR_MAX_S);
}

static void the_newest_contact_is_rung(void **state)
{
    (void)state;
    registrar_t *self = registrar_new(10);
    assert_null(registrar_find(self, 0, NUMBER));
    assert_int_equal(set(self, 0, NUMBER, "sip:a@10.0.0.1", 1, 600), PL_OK);
    assert_int_equal(set(self, 1, NUMBER, "sip:b@10.0.0.2", 1, 600), PL_OK);
    assert_string_equal(registrar_find(self, 2, NUMBER), "sip:b@10.0.0.2");
    assert_int_equal(set(self, 3, NUMBER, "sip:a@10.0.0.1", 2, 600), PL_OK); /* refreshed */
    assert_string_equal(registrar_find(self, 4, NUMBER), "sip:a@10.0.0.1");
    assert_int_equal(registrar_count(self, 4), 2);
    assert_null(registrar_find(self, 4, "+15557654321"));
    registrar_destroy(&self);
    assert_null(self);
}

static void a_contact_expires_to_the_millisecond(void **state)
{
    (void)state;
    registrar_t *self = registrar_new(10);
    set(self, 1000, NUMBER, "sip:a@10.0.0.1", 1, 60);
    assert_non_null(registrar_find(self, 60999, NUMBER));
    assert_null(registrar_find(self, 61000, NUMBER));
    assert_int_equal(registrar_count(self, 61000), 0);
    registrar_destroy(&self);
}

static void a_contact_is_removed_by_an_expiry_of_zero(void **state)
{
    (void)state;
    registrar_t *self = registrar_new(10);
    set(self, 0, NUMBER, "sip:a@10.0.0.1", 1, 600);
    set(self, 0, NUMBER, "sip:b@10.0.0.2", 1, 600);
    assert_int_equal(set(self, 1, NUMBER, "sip:b@10.0.0.2", 2, 0), PL_OK);
    assert_string_equal(registrar_find(self, 2, NUMBER), "sip:a@10.0.0.1");
    assert_int_equal(set(self, 1, NUMBER, "sip:never@10.0.0.2", 2, 0), PL_OK);
    registrar_remove_all(self, NUMBER);
    assert_int_equal(registrar_count(self, 2), 0);
    registrar_destroy(&self);
}

static void a_late_request_does_not_undo_a_newer_one(void **state)
{
    (void)state;
    registrar_t *self = registrar_new(10);
    set(self, 0, NUMBER, "sip:a@10.0.0.1", 7, 600);
    assert_int_equal(set(self, 1, NUMBER, "sip:a@10.0.0.1", 6, 0), PL_STALE);
    assert_int_equal(set(self, 1, NUMBER, "sip:a@10.0.0.1", 7, 600), PL_STALE);
    assert_non_null(registrar_find(self, 2, NUMBER));
    registrar_binding_t other = {.number = NUMBER,
                                 .uri = "sip:a@10.0.0.1",
                                 .target = "sip:a@10.0.0.9",
                                 .call_id = "restarted phone",
                                 .cseq = 1,
                                 .expires_s = 60};
    assert_int_equal(registrar_set(self, 2, &other), PL_OK);
    assert_string_equal(registrar_find(self, 3, NUMBER), "sip:a@10.0.0.9");
    registrar_destroy(&self);
}

static void the_table_is_bounded_as_a_whole_and_for_a_number(void **state)
{
    (void)state;
    char uri[64], number[32];
    registrar_t *self = registrar_new(REGISTRAR_PER_NUMBER + 2);
    for (int i = 0; i < REGISTRAR_PER_NUMBER; i++) {
        snprintf(uri, sizeof(uri), "sip:a@10.0.0.%d", i);
        assert_int_equal(set(self, 0, NUMBER, uri, 1, 600), PL_OK);
    }
    assert_int_equal(set(self, 0, NUMBER, "sip:more@10.0.0.99", 1, 600), PL_BUSY);
    assert_int_equal(set(self, 0, NUMBER, "sip:a@10.0.0.3", 2, 600), PL_OK); /* refresh works */
    for (int i = 0; i < 3; i++) {
        snprintf(number, sizeof(number), "+1555000000%d", i);
        assert_int_equal(set(self, 0, number, "sip:b@10.0.0.1", 1, 600), i < 2 ? PL_OK : PL_BUSY);
    }
    /* when the old ones expire there is room again */
    assert_int_equal(set(self, 600000, NUMBER, "sip:more@10.0.0.99", 1, 600), PL_OK);
    assert_int_equal(registrar_count(self, 600000), 1);
    registrar_destroy(&self);
}

static void what_is_no_binding_is_refused(void **state)
{
    (void)state;
    char longest[REGISTRAR_URI_BYTES + 8];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    registrar_t *self = registrar_new(10);
    assert_int_equal(set(self, 0, "alice", "sip:a@10.0.0.1", 1, 600), PL_INVALID);
    assert_int_equal(set(self, 0, "", "sip:a@10.0.0.1", 1, 600), PL_INVALID);
    assert_int_equal(set(self, 0, NUMBER, "", 1, 600), PL_INVALID);
    assert_int_equal(set(self, 0, NUMBER, longest, 1, 600), PL_INVALID);
    assert_int_equal(registrar_count(self, 0), 0);
    registrar_destroy(&self);
}

typedef struct {
    char text[256];
} seen_t;

static void note(void *arg, const char *uri, uint32_t expires_s)
{
    seen_t *seen = arg;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof(seen->text) - used, "%s=%u ", uri, expires_s);
}

static void contacts_are_listed_newest_first_with_the_time_left(void **state)
{
    (void)state;
    registrar_t *self = registrar_new(10);
    set(self, 0, NUMBER, "sip:a", 1, 60);
    set(self, 10000, NUMBER, "sip:b", 1, 120);
    seen_t seen = {""};
    registrar_each(self, 20000, NUMBER, note, &seen);
    assert_string_equal(seen.text, "sip:b=110 sip:a=40 ");
    registrar_destroy(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_expiry_is_kept_within_bounds),
        cmocka_unit_test(the_newest_contact_is_rung),
        cmocka_unit_test(a_contact_expires_to_the_millisecond),
        cmocka_unit_test(a_contact_is_removed_by_an_expiry_of_zero),
        cmocka_unit_test(a_late_request_does_not_undo_a_newer_one),
        cmocka_unit_test(the_table_is_bounded_as_a_whole_and_for_a_number),
        cmocka_unit_test(what_is_no_binding_is_refused),
        cmocka_unit_test(contacts_are_listed_newest_first_with_the_time_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
