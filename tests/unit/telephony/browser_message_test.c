/* browser_message_test.c - the page's texts, good and bad, and the tickets that let it in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "services/telephony/browser_message.h"
#include "services/telephony/ticket.h"

static browser_message_t parse(const char *text)
{
    return browser_message_parse(text, strlen(text));
}

static void good_messages_are_understood(void **state)
{
    (void)state;
    browser_message_t message = parse("{\"token\":\"abc\",\"later\":1}");
    assert_int_equal(message.kind, BROWSER_TOKEN);
    assert_string_equal(message.token, "abc");
    message = parse("{\"event\":\"dtmf\",\"digit\":\"#\"}");
    assert_int_equal(message.kind, BROWSER_DTMF);
    assert_int_equal(message.digit, '#');
    assert_int_equal(parse(" {\"event\" : \"hangup\"} ").kind, BROWSER_HANGUP);
    assert_int_equal(parse("{\"event\":\"of a later version\"}").kind, BROWSER_UNKNOWN);
}

static void bad_messages_are_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "\"event\"",
        "{\"event\":5}",
        "{\"token\":{}}",
        "{\"event\":\"dtmf\"}",
        "{\"event\":\"dtmf\",\"digit\":5}",
        "{\"event\":\"dtmf\",\"digit\":\"\"}",
        "{\"event\":\"dtmf\",\"digit\":\"55\"}",
        "{\"event\":\"dtmf\",\"digit\":\"x\"}",
        "{\"token\":\"0123456789012345678901234567890123456789012345678901234567890123456\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(parse(bad[i]).kind, BROWSER_MALFORMED);
    }
    char *deep = malloc(BROWSER_TEXT_MAX_BYTES + 1);
    memset(deep, '[', BROWSER_TEXT_MAX_BYTES + 1);
    assert_int_equal(browser_message_parse(deep, BROWSER_TEXT_MAX_BYTES).kind, BROWSER_MALFORMED);
    assert_int_equal(browser_message_parse(deep, BROWSER_TEXT_MAX_BYTES + 1).kind,
                     BROWSER_MALFORMED);
    free(deep);
}

static void no_damaged_message_breaks_anything(void **state)
{
    (void)state;
    static const char good[] = "{\"event\":\"dtmf\",\"digit\":\"5\",\"token\":\"\\u00e9\"}";
    uint32_t seed = 1;
    for (unsigned round = 0; round < 50000; round++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        for (unsigned hit = 0; hit < 1 + round % 4; hit++) {
            seed = seed * 1664525U + 1013904223U;
            text[(seed >> 8) % (sizeof(good) - 1)] = (char)(seed >> 24);
        }
        browser_message_t message = browser_message_parse(text, sizeof(good) - 1 - round % 9);
        if (message.kind == BROWSER_TOKEN) assert_true(strlen(message.token) < BROWSER_TOKEN_BYTES);
    }
}

static void texts_to_the_page_are_json_with_everything_escaped(void **state)
{
    (void)state;
    char *text =
        browser_message_transcript(PL__PERSONA__ASSISTANT, "say \"hi\"\n</script>", true, 7);
    assert_string_equal(text, "{\"event\":\"transcript\",\"persona\":\"assistant\",\"text\":"
                              "\"say \\\"hi\\\"\\n</script>\",\"partial\":true,\"number\":7}");
    free(text);
    text = browser_message_accepted("c-1");
    assert_string_equal(text, "{\"event\":\"accepted\",\"call_id\":\"c-1\"}");
    free(text);
    text = browser_message_ended("busy");
    assert_string_equal(text, "{\"event\":\"ended\",\"reason\":\"busy\"}");
    free(text);
    text = browser_message_event("flush");
    assert_string_equal(text, "{\"event\":\"flush\"}");
    free(text);
}

/* ---- tickets ---- */

static void a_ticket_is_good_once_and_for_a_minute(void **state)
{
    (void)state;
    tickets_t *self = tickets_new(4);
    char token[TICKET_CHARS + 1], other[TICKET_CHARS + 1], number[IDENTITY_BYTES];
    tickets_issue(self, 1000, "+15551234567", token);
    assert_int_equal(strlen(token), TICKET_CHARS);
    assert_int_equal(
        strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        TICKET_CHARS);
    tickets_issue(self, 1000, "anonymous", other);
    assert_string_not_equal(token, other);
    assert_true(tickets_redeem(self, 1001, token, number));
    assert_string_equal(number, "+15551234567");
    assert_false(tickets_redeem(self, 1002, token, number));
    assert_false(tickets_redeem(self, 1000 + TICKET_LIFE_MS, other, number)); /* expired */
    tickets_issue(self, 1000, "", other);
    assert_true(tickets_redeem(self, 999 + TICKET_LIFE_MS, other, number));
    assert_string_equal(number, "");
    tickets_destroy(&self);
}

static void what_was_never_issued_opens_nothing(void **state)
{
    (void)state;
    tickets_t *self = tickets_new(4);
    char token[TICKET_CHARS + 1], number[IDENTITY_BYTES], zeros[TICKET_CHARS + 1];
    assert_false(tickets_redeem(self, 1, "", number));
    memset(zeros, 0, sizeof(zeros));
    assert_false(tickets_redeem(self, 1, zeros, number)); /* as free places look */
    tickets_issue(self, 1, "", token);
    token[5] = token[5] == 'A' ? 'B' : 'A';
    assert_false(tickets_redeem(self, 2, token, number));
    char longer[TICKET_CHARS + 2];
    memset(longer, 'A', sizeof(longer));
    longer[TICKET_CHARS + 1] = '\0';
    assert_false(tickets_redeem(self, 2, longer, number));
    tickets_destroy(&self);
}

static void when_all_places_are_taken_the_oldest_ticket_goes(void **state)
{
    (void)state;
    tickets_t *self = tickets_new(3);
    char tokens[4][TICKET_CHARS + 1], number[IDENTITY_BYTES];
    for (unsigned i = 0; i < 4; i++) tickets_issue(self, 10 + i, "", tokens[i]);
    assert_false(tickets_redeem(self, 20, tokens[0], number));
    for (unsigned i = 1; i < 4; i++) assert_true(tickets_redeem(self, 20, tokens[i], number));
    tickets_destroy(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_messages_are_understood),
        cmocka_unit_test(bad_messages_are_malformed),
        cmocka_unit_test(no_damaged_message_breaks_anything),
        cmocka_unit_test(texts_to_the_page_are_json_with_everything_escaped),
        cmocka_unit_test(a_ticket_is_good_once_and_for_a_minute),
        cmocka_unit_test(what_was_never_issued_opens_nothing),
        cmocka_unit_test(when_all_places_are_taken_the_oldest_ticket_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
