/* browser_test.c - the real telephony process, rung by pages that also misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/telephony/world.h"
#include "tests/unit/telephony/browser_page.h"

static page_client_t page;

static int start(void **state)
{
    (void)state;
    page.fd = -1;
    world_start(NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (page.fd >= 0) page_shut(&page);
    world_stop();
    return 0;
}

/* The message with a ticket of that number. */
static const char *token(const char *number)
{
    static char text[128];
    Pl__PhoneTicketGet get = PL__PHONE_TICKET_GET__INIT;
    get.phone_number = (char *)number;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_PHONE_TICKET_GET;
    env.phone_ticket_get = &get;
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&world.process, &env, &reply), PL_OK);
    assert_int_equal(reply->phone_ticket->port, world.web_port);
    assert_string_equal(reply->phone_ticket->url, "");
    assert_int_equal(reply->phone_ticket->lifetime_ms, 60000);
    (void)snprintf(text, sizeof text, "{\"token\":\"%s\"}", reply->phone_ticket->token);
    pl__envelope__free_unpacked(reply, NULL);
    return text;
}

static void ring(const char *number)
{
    page_open(&page);
    page_say(&page, token(number));
    page_expect(&page, "\"accepted\"");
    assert_non_null(strstr(page.text, "\"call_id\":\""));
    page_expect(&page, "\"ringing\"");
    page_expect(&page, "\"answered\"");
    await(&world.told.answered, 1);
}

static void transcript(const char *text)
{
    Pl__LegTranscript body = PL__LEG_TRANSCRIPT__INIT;
    body.text = (char *)text;
    body.persona = PL__PERSONA__ASSISTANT;
    body.number = 3;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = world.live_call;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSCRIPT;
    env.leg_transcript = &body;
    assert_int_equal(pl_bus_event(world.process.bus, "telephony-0", &env), PL_OK);
}

static void health_is_told_and_other_pages_are_not_there(void **state)
{
    (void)state;
    page_connect(&page, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(page_status(&page), "HTTP/1.1 200 OK");
    page_shut(&page);
    page_connect(&page, "GET /phone HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(page_status(&page), "404"));
}

static void a_page_rings_talks_and_is_hung_up(void **state)
{
    (void)state;
    ring(NUMBER);
    assert_string_equal(world.told.from, NUMBER);
    assert_int_equal(world.told.kind, PL__LEG_KIND__BROWSER);
    assert_string_equal(world.told.codec, "L16/16000");
    assert_string_equal(world.told.speech, "speech-0");

    uint8_t pcm[PL_FRAME_BYTES];
    for (size_t i = 0; i < sizeof pcm; i += 2) {
        int16_t sample = (i / 32) % 2 ? 9000 : -9000;
        pcm[i] = (uint8_t)sample;
        pcm[i + 1] = (uint8_t)((uint16_t)sample >> 8);
    }
    unsigned loud = 0;
    for (int i = 0; i < 150 && loud < 10; i++) {
        page_send(&page, 2, pcm, sizeof pcm);
        process_run_ms(&world.process, 20);
        page_read(&page);
        unsigned before = page.audios;
        while (page_frame(&page)) continue;
        if (page.audios == before) continue;
        assert_int_equal(page.audio_bytes, PL_FRAME_BYTES);
        loud += page.audio[101] != 0;
    }
    assert_true(loud >= 10);

    transcript("Hello \"you\"");
    page_expect(&page, "Hello \\\"you\\\"");
    assert_non_null(strstr(page.text, "\"persona\":\"assistant\""));
    page_say(&page, "{\"event\":\"dtmf\",\"digit\":\"7\"}");
    await(&world.told.dtmf, 1);
    assert_string_equal(world.told.digit, "7");

    assert_int_equal(hang_up(), PL_OK);
    page_expect(&page, "\"ended\"");
    assert_int_equal(page_closed(&page, PHONE_WAIT_MS), 1000);
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BYE_LOCAL);
}

static void a_page_hangs_up_politely_or_not(void **state)
{
    (void)state;
    ring("");
    assert_string_equal(world.told.from, "anonymous");
    page_say(&page, "{\"event\":\"hangup\"}");
    page_expect(&page, "\"ended\"");
    assert_int_equal(page_closed(&page, PHONE_WAIT_MS), 1000);
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BYE_REMOTE);
    page_shut(&page);

    page_open(&page);
    page_say(&page, token(""));
    await(&world.told.answered, 2);
    page_shut(&page); /* the tab is closed */
    await(&world.told.ended, 2);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BYE_REMOTE);
    await_metric("parley_legs", 0);
}

static void nobody_enters_without_a_good_ticket(void **state)
{
    (void)state;
    char used[128];
    (void)snprintf(used, sizeof used, "%s", token(""));
    page_open(&page);
    page_say(&page, used);
    page_expect(&page, "\"accepted\"");
    page_shut(&page);
    const char *const bad[] = {used,
                               "{\"token\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
                               "{\"event\":\"hangup\"}",
                               "rubbish",
                               "{\"token\":5}",
                               ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        page_open(&page);
        page_say(&page, bad[i]);
        assert_int_equal(page_closed(&page, PHONE_WAIT_MS), 4401);
        page_shut(&page);
    }
    page_open(&page);
    page_send(&page, 2, bad, sizeof bad); /* audio before the token */
    assert_int_equal(page_closed(&page, PHONE_WAIT_MS), 4401);
    page_shut(&page);
    page_open(&page); /* says nothing at all */
    assert_int_equal(page_closed(&page, 9000), 4401);
    assert_int_equal(world.told.incoming, 1);
}

static void broken_messages_are_counted_and_many_close_the_page(void **state)
{
    (void)state;
    ring("");
    uint8_t bytes[6000] = {0};
    page_send(&page, 2, bytes, PL_FRAME_BYTES - 2);
    page_send(&page, 2, bytes, PL_FRAME_BYTES + 2);
    page_say(&page, "{\"event\":\"dtmf\",\"digit\":\"55\"}");
    page_say(&page, "{\"event\":\"of a later version\"}"); /* is fine */
    await_metric("parley_browser_malformed_total", 3);
    assert_int_equal(world.told.ended, 0);
    page_send(&page, 2, bytes, sizeof bytes); /* too long for any message */
    assert_int_equal(page_closed(&page, PHONE_WAIT_MS), 4400);
    await(&world.told.ended, 1);
}

static void a_refused_call_is_told_to_the_page(void **state)
{
    (void)state;
    world.refuse_calls = PL_BUSY;
    page_open(&page);
    page_say(&page, token(""));
    page_expect(&page, "\"ended\"");
    assert_int_equal(page_closed(&page, PHONE_WAIT_MS), 1000);
    await_metric("parley_legs", 0);
}

static void a_wrong_path_or_protocol_is_no_phone(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "GET /other HTTP/1.1\r\nSec-WebSocket-Protocol: parley-phone-1\r\n",
        "GET /phone HTTP/1.1\r\nSec-WebSocket-Protocol: another\r\n",
        "GET /phone HTTP/1.1\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char request[512];
        (void)snprintf(request, sizeof request,
                       "%sHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       heads[i]);
        page_connect(&page, request);
        assert_null(strstr(page_status(&page), "101"));
        page_shut(&page);
    }
}

static void a_page_that_does_not_read_loses_audio_not_memory(void **state)
{
    (void)state;
    int small = 4096;
    ring("");
    assert_int_equal(setsockopt(page.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    char text[1024];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    /* more text than the socket and the queue hold: it is let go */
    for (int i = 0; i < 12000 && world.told.ended == 0; i++) {
        if (i % 100 == 0) process_run_ms(&world.process, 5);
        if (world.live_call[0]) transcript(text);
    }
    await(&world.told.ended, 1);
    page_shut(&page);
    page_connect(&page, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(page_status(&page), "HTTP/1.1 200 OK");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        TEST(health_is_told_and_other_pages_are_not_there),
        TEST(a_page_rings_talks_and_is_hung_up),
        TEST(a_page_hangs_up_politely_or_not),
        TEST(nobody_enters_without_a_good_ticket),
        TEST(broken_messages_are_counted_and_many_close_the_page),
        TEST(a_refused_call_is_told_to_the_page),
        TEST(a_wrong_path_or_protocol_is_no_phone),
        TEST(a_page_that_does_not_read_loses_audio_not_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
