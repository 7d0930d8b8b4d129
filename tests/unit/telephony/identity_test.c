/* identity_test.c - numbers in SIP identities, and what SIP statuses mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "services/telephony/identity.h"
#include "services/telephony/sip_cause.h"

static void a_number_is_e164_by_its_syntax(void **state)
{
    (void)state;
    static const char *const good[] = {"+1234567", "+11234567890", "+123456789012345"};
    static const char *const bad[] = {
        "",          "+",         "1234567",           "+0234567",
        "+123456",   "+1234567x", "+1234567890123456", "0015551234567",
        "+12 34567", "++1234567"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(identity_is_number(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(identity_is_number(bad[i]));
}

static void the_number_is_found_in_headers_of_all_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *header, *number;
    } cases[] = {
        {"<sip:+15551234567@host>", "+15551234567"},
        {"\"Ann <A> \\\" <sip:+15550000000@host>\" <sip:+15551234567@host>", "+15551234567"},
        {"\"Ann <sip:+15550000000@host>", ""},
        {"\"Ann\" <sip:+15551234567@host;user=phone>;tag=1", "+15551234567"},
        {"sip:+15551234567@host", "+15551234567"},
        {"<SIPS:%2b15551234567@host>", "+15551234567"},
        {"<tel:+15551234567>", "+15551234567"},
        {"tel:+15551234567;phone-context=x", "+15551234567"},
        {"<sip:+15551234567;npdi@host>", "+15551234567"},
        {"<sip:+15551234567:secret@host>", "+15551234567"},
        {"<sip:anonymous@anonymous.invalid>", ""},
        {"<sip:0015551234567@host>", ""},
        {"<http:+15551234567>", ""},
        {"<sip:+1555123456789012345678901234567890@host>", ""},
        {"<sip:", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char out[IDENTITY_BYTES] = "dirty";
        bool found = identity_from_header(cases[i].header, strlen(cases[i].header), out);
        assert_string_equal(out, cases[i].number);
        assert_int_equal(found, cases[i].number[0] != '\0');
    }
}

static void sip_statuses_end_legs_as_the_protocol_says(void **state)
{
    (void)state;
    assert_int_equal(sip_cause_end(486), PL__LEG_END__LEG_BUSY);
    assert_int_equal(sip_cause_end(600), PL__LEG_END__LEG_BUSY);
    assert_int_equal(sip_cause_end(408), PL__LEG_END__LEG_NO_ANSWER);
    assert_int_equal(sip_cause_end(480), PL__LEG_END__LEG_NO_ANSWER);
    assert_int_equal(sip_cause_end(603), PL__LEG_END__LEG_DECLINED);
    assert_int_equal(sip_cause_end(404), PL__LEG_END__LEG_UNREACHABLE);
    assert_int_equal(sip_cause_end(484), PL__LEG_END__LEG_UNREACHABLE);
    assert_int_equal(sip_cause_end(487), PL__LEG_END__LEG_CANCELLED);
    assert_int_equal(sip_cause_end(500), PL__LEG_END__LEG_FAILED);
    for (unsigned status = 300; status < 700; status++) {
        assert_int_not_equal(sip_cause_end(status), PL__LEG_END__LEG_NOT_ENDED);
    }
}

static void every_error_refuses_a_call_with_a_final_status(void **state)
{
    (void)state;
    for (int err = PL_OK; err < PL_ERR_COUNT; err++) {
        sip_refusal_t refusal = sip_cause_refusal((pl_err_t)err);
        assert_in_range(refusal.status, 400, 699);
        assert_int_equal(refusal.retry_after_s > 0, refusal.status == 503);
        assert_true(refusal.reason[0] != '\0');
    }
    assert_int_equal(sip_cause_refusal(PL_BUSY).status, 503);
    assert_int_equal(sip_cause_refusal(PL_TIMEOUT).status, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_e164_by_its_syntax),
        cmocka_unit_test(the_number_is_found_in_headers_of_all_kinds),
        cmocka_unit_test(sip_statuses_end_legs_as_the_protocol_says),
        cmocka_unit_test(every_error_refuses_a_call_with_a_final_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
