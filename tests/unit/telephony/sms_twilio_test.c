/* sms_twilio_test.c - Twilio's side of text messages, by a small server that answers as it does. The
 * request that is wanted here is the one that the vendor's client for Python (9.13) sends. */
#include "tests/unit/telephony/sms_carrier.h"

static const char taken[] = "{\"sid\":\"SM0123\",\"status\":\"queued\",\"error_code\":null}";

static const char plain[] = "account_sid: AC1, auth_token: tok, from: '+15550100'";

static world_t open_desk(const char *more, unsigned to_port, pl_err_t wanted)
{
    char settings[512];
    (void)snprintf(settings, sizeof settings, "url: 'http://127.0.0.1:%u/', %s", to_port, more);
    return desk_of("twilio", settings, wanted);
}

static world_t start(const char *more, unsigned to_port)
{
    body = taken;
    status = 201;
    return open_desk(more, to_port, PL_OK);
}

static void a_message_is_sent_in_the_vendors_form(void **state)
{
    (void)state;
    world_t self = start(plain, port);
    text(&self,
         "Gr\xc3\xbc\xc3\x9f"
         "e & 1+1 = 2",
         "k");
    assert_int_equal(self.err, PL_OK);
    assert_true(self.outcome.delivered);
    assert_string_equal(self.outcome.detail, "twilio SM0123 queued");
    assert_non_null(strstr(last_request, "POST /2010-04-01/Accounts/AC1/Messages.json "));
    assert_non_null(strstr(last_request, "Authorization: Basic QUMxOnRvaw==\r\n"));
    assert_non_null(strstr(last_request, "Content-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(last_request, "\r\n\r\nTo=%2B49301234&From=%2B15550100&Body="
                                         "Gr%C3%BC%C3%9Fe%20%26%201%2B1%20%3D%202"));
    text(&self, "again", "k");
    assert_true(self.outcome.delivered);
    assert_int_equal(atomic_load(&asked), 1);
    stop(&self);
}

static void a_key_and_a_messaging_service_serve_too(void **state)
{
    (void)state;
    world_t self = start("account_sid: AC1, key_sid: SK2, auth_token: tok, from: MG1", port);
    text(&self, "x", "");
    assert_int_equal(self.err, PL_OK);
    assert_non_null(strstr(last_request, "Authorization: Basic U0syOnRvaw==\r\n"));
    assert_non_null(strstr(last_request, "To=%2B49301234&MessagingServiceSid=MG1&Body=x"));
    stop(&self);
}

static void a_refusal_is_an_error_and_may_be_tried_again(void **state)
{
    static const struct {
        int status;
        const char *body;
        pl_err_t err;
    } cases[] = {
        {400, "{\"code\":21211,\"message\":\"Invalid 'To'\",\"status\":400}", PL_INVALID},
        {401, "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}", PL_UNAVAILABLE},
        {404, "", PL_UNAVAILABLE},
        {429, "{\"code\":20429}", PL_UNAVAILABLE},
        {503, "<html>", PL_UNAVAILABLE},
        {201, "{\"sid\":\"SM1\",\"status\":\"failed\",\"error_code\":30006}", PL_INVALID},
    };
    (void)state;
    world_t self = start(plain, port);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        status = cases[i].status;
        body = cases[i].body;
        text(&self, "x", "k");
        assert_int_equal(self.err, cases[i].err);
        assert_int_equal(atomic_load(&asked), i + 1);
    }
    stop(&self);
}

static void what_twilio_may_have_taken_is_unknown_and_not_sent_again(void **state)
{
    static const struct {
        int status;
        const char *body;
    } cases[] = {{500, "{}"},     {502, "<html>"},      {302, ""},          {201, ""},
                 {201, "{\"sid"}, {200, "{\"sid\":7}"}, {201, "[\"sid\"]"}, {201, NULL}};
    (void)state;
    world_t self = start(plain, port);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "k%u", i);
        status = cases[i].status;
        body = cases[i].body;
        for (unsigned twice = 0; twice < 2; twice++) {
            text(&self, "x", key);
            assert_int_equal(self.err, PL_OK);
            assert_true(self.outcome.unknown);
            assert_false(self.outcome.delivered);
            assert_int_equal(atomic_load(&asked), i + 1);
        }
    }
    stop(&self);
}

/* A kept connection that breaks would have the message sent a second time, unseen. */
static void each_message_has_a_connection_of_its_own(void **state)
{
    (void)state;
    world_t self = start(plain, port);
    text(&self, "x", "k1");
    unsigned before = atomic_load(&connections);
    body = NULL;
    text(&self, "x", "k2");
    assert_true(self.outcome.unknown);
    assert_int_equal(atomic_load(&asked), 2);
    assert_int_equal(atomic_load(&connections), before + 1);
    stop(&self);
}

static void without_a_connection_nothing_was_sent(void **state)
{
    (void)state;
    world_t self = start(plain, 1);
    text(&self, "x", "k");
    assert_int_equal(self.err, PL_UNAVAILABLE);
    stop(&self);
}

static void what_is_under_way_at_the_end_is_dropped(void **state)
{
    (void)state;
    world_t self = start(plain, port);
    sms_t sms = {.call_id = "c-1", .to = "+49301234", .text = "x", .key = "k"};
    sms_desk_send(self.desk, &sms, on_sent, &self);
    sms_desk_send(self.desk, &(sms_t){.call_id = "", .to = "+4930", .text = "y", .key = ""},
                  on_sent, &self);
    stop(&self);
    assert_int_equal(self.count, 0);
}

static void settings_that_lack_something_are_refused(void **state)
{
    static const char *const cases[] = {
        "account_sid: AC1, auth_token: tok",
        "account_sid: AC1, from: '+15550100'",
        "auth_token: tok, from: '+15550100'",
        "account_sid: 'AC1/..', auth_token: tok, from: '+15550100'",
        "account_sid: AC1, auth_token: tok, from: MG1, key_sid: 'a:b'",
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        world_t self = open_desk(cases[i], 1, PL_INVALID);
        assert_null(self.desk);
        stop(&self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_sent_in_the_vendors_form),
        cmocka_unit_test(a_key_and_a_messaging_service_serve_too),
        cmocka_unit_test(a_refusal_is_an_error_and_may_be_tried_again),
        cmocka_unit_test(what_twilio_may_have_taken_is_unknown_and_not_sent_again),
        cmocka_unit_test(each_message_has_a_connection_of_its_own),
        cmocka_unit_test(without_a_connection_nothing_was_sent),
        cmocka_unit_test(what_is_under_way_at_the_end_is_dropped),
        cmocka_unit_test(settings_that_lack_something_are_refused),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
