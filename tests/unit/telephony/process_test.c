/* process_test.c - the real telephony process, rung by phones that also misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/telephony/world.h"

static sip_phone_t phone;

static int start_with(const char *const *extra)
{
    world_start(extra);
    phone_open(&phone, &world.process, world.sip_port);
    return 0;
}

static int start(void **state)
{
    (void)state;
    return start_with(NULL);
}

static int start_impatient(void **state)
{
    (void)state;
    static const char *const extra[] = {"telephony.owner_timeout_ms=1000", NULL};
    return start_with(extra);
}

static int start_everywhere(void **state)
{
    (void)state;
    world_sip_host = "0.0.0.0";
    return start_with(NULL);
}

/* The phone is the carrier. */
static int start_with_trunk(void **state)
{
    (void)state;
    static char uri[96];
    sip_phone_t carrier;
    phone_open(&carrier, &world.process, 0);
    (void)snprintf(uri, sizeof uri, "telephony.sip.trunk.uri=sip:127.0.0.1:%u", carrier.port);
    const char *const extra[] = {uri, "telephony.sip.trunk.user=us",
                                 "telephony.sip.trunk.password=secret", NULL};
    world_start(extra);
    phone = carrier;
    phone.server_port = world.sip_port;
    return 0;
}

static int start_recording(void **state)
{
    (void)state;
    static const char *const extra[] = {"features.recording_enabled=true",
                                        "telephony.recording.folder=rec", NULL};
    return start_with(extra);
}

static int start_recording_nowhere(void **state)
{
    (void)state;
    static const char *const extra[] = {"features.recording_enabled=true",
                                        "telephony.recording.folder=/dev/null/rec", NULL};
    return start_with(extra);
}

static int stop(void **state)
{
    (void)state;
    world_sip_host = "127.0.0.1";
    phone_close(&phone);
    world_stop();
    return 0;
}

/* ---- requests outside of calls ---- */

static void options_are_answered_and_other_methods_refused(void **state)
{
    (void)state;
    sip_dialog_t dialog = dialog_new(&phone, NUMBER, "parley");
    phone_request(&phone, &dialog, "OPTIONS", "", "");
    phone_expect(&phone, "SIP/2.0 200 OK");
    assert_non_null(strstr(header_of(phone.last, "Allow"), "INVITE"));
    phone_request(&phone, &dialog, "SUBSCRIBE", "Event: presence\r\n", "");
    phone_expect(&phone, "SIP/2.0 405");
    phone_request(&phone, &dialog, "DANCE", "", "");
    phone_expect(&phone, "SIP/2.0 501");
    phone_request(&phone, &dialog, "BYE", "", "");
    phone_expect(&phone, "SIP/2.0 481");
    phone_request(&phone, &dialog, "CANCEL", "", "");
    phone_expect(&phone, "SIP/2.0 481");
}

static void malformed_datagrams_are_counted_and_dropped(void **state)
{
    (void)state;
    static const char *const bad[] = {"rubbish rubbish rubbish", "INVITE\r\n\r\n",
                                      "SIP/2.0 200\r\n\r\n",
                                      "INVITE sip:x SIP/2.0\r\nVia: nothing\r\n\r\n"};
    enum { BAD = sizeof bad / sizeof *bad };
    for (size_t i = 0; i < BAD; i++) phone_send_bytes(&phone, bad[i], strlen(bad[i]));
    char nothing[512] = {0};
    nothing[0] = 'A';
    phone_send_bytes(&phone, nothing, sizeof nothing);
    await_metric("parley_sip_malformed_total", BAD + 1);
    sip_dialog_t dialog = dialog_new(&phone, NUMBER, "parley");
    phone_request(&phone, &dialog, "OPTIONS", "", "");
    phone_expect(&phone, "SIP/2.0 200 OK");
    assert_null(strstr(process_log(&world.process), "decode"));
}

/* ---- registration ---- */

static void a_phone_registers_and_goes(void **state)
{
    (void)state;
    phone_register(&phone, NUMBER, "Expires: 10\r\n");
    phone_expect(&phone, "SIP/2.0 200 OK");
    assert_non_null(strstr(header_of(phone.last, "Contact"), "expires=60"));
    assert_int_equal(metric("parley_phones_registered"), 1);
    phone_register(&phone, NUMBER, "Expires: 0\r\n");
    phone_expect(&phone, "SIP/2.0 200 OK");
    assert_string_equal(header_of(phone.last, "Contact"), "");
    assert_int_equal(metric("parley_phones_registered"), 0);
    phone_register(&phone, "alice", "Expires: 60\r\n");
    phone_expect(&phone, "SIP/2.0 404");
}

static void nobody_is_rung_who_is_not_there(void **state)
{
    (void)state;
    char detail[256];
    assert_int_equal(dial(NUMBER, 0, detail), PL_NOT_FOUND);
    assert_non_null(strstr(detail, "telephony.sip.trunk.uri is not set"));
    assert_null(strstr(detail, NUMBER));
    assert_null(strstr(process_log(&world.process), &NUMBER[1]));
    assert_int_equal(dial("15551234567", 0, detail), PL_INVALID);
    await_metric("parley_legs", 0);
    assert_int_equal(world.told.ended, 0); /* what never was does not end */
}

/* ---- calls out ---- */

static void ring(uint32_t ring_timeout_ms)
{
    phone_register(&phone, NUMBER, "");
    phone_expect(&phone, "SIP/2.0 200 OK");
    assert_int_equal(dial(NUMBER, ring_timeout_ms, NULL), PL_OK);
    phone_expect(&phone, "INVITE ");
}

/* The phone takes the call; its audio is at that port. */
static sip_dialog_t take_call(uint16_t rtp_port)
{
    ring(0);
    phone_reply(&phone, phone.invite, "180 Ringing", "");
    await(&world.told.ringing, 1);
    phone_reply(&phone, phone.invite, "200 OK", phone_sdp(rtp_port, ""));
    phone_expect(&phone, "ACK ");
    await(&world.told.answered, 1);
    return dialog_of_invite(phone.invite);
}

static void a_call_out_is_told_step_by_step(void **state)
{
    (void)state;
    ring(0);
    assert_null(strstr(phone.invite, "\nEvil"));
    assert_non_null(strstr(phone.invite, "G722/8000"));
    phone_reply(&phone, phone.invite, "180 Ringing", "");
    await(&world.told.ringing, 1);
    await(&world.streams, 1); /* already while it rings */
    assert_int_equal(world.told.answered, 0);
    phone_reply(&phone, phone.invite, "200 OK", phone_sdp(4000, ""));
    phone_expect(&phone, "ACK ");
    await(&world.told.answered, 1);
    assert_string_equal(world.told.speech, "speech-0");
    assert_string_equal(world.told.codec, "PCMU/8000");
    assert_int_equal(hang_up(), PL_OK);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BYE_LOCAL);
    await(&world.closes, 1);
    assert_int_equal(hang_up(), PL_NOT_FOUND);
}

static void audio_goes_to_speech_and_back(void **state)
{
    (void)state;
    int rtp = udp_socket();
    (void)take_call(port_of(rtp));
    const char *media = strstr(phone.invite, "m=audio ");
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(media + 8))};
    unsigned loud = 0;
    for (uint16_t seq = 0; seq < 150 && loud < 10; seq++) {
        uint8_t packet[172] = {0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq};
        uint32_t stamp = htonl(seq * 160U);
        memcpy(packet + 4, &stamp, sizeof stamp);
        for (size_t i = 0; i < 160; i++) packet[12 + i] = (i / 8) % 2 ? 0x90 : 0x10;
        assert_int_equal(sendto(rtp, packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to),
                         sizeof packet);
        process_run_ms(&world.process, 20);
        uint8_t back[1500];
        ssize_t got = 0;
        while ((got = recv(rtp, back, sizeof back, 0)) > 0) {
            assert_int_equal(got, 172);
            for (size_t i = 12; i < 172; i++) {
                if ((back[i] & 0x7f) < 0x40) { /* far from silence, which is 0x7f */
                    loud++;
                    break;
                }
            }
        }
    }
    assert_true(loud >= 10);
    assert_true(world.heard_frames > 10);
    assert_int_equal(hang_up(), PL_OK);
    await(&world.told.ended, 1);
    assert_true(world.told.rtp_received > 0);
    (void)close(rtp);
}

static pl_err_t ask_recording(const char *call_id, uint32_t number, Pl__Envelope **reply)
{
    Pl__RecordingGet get = PL__RECORDING_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    get.number = number;
    get.length = 1 << 20;
    env.call_id = (char *)call_id;
    env.body_case = PL__ENVELOPE__BODY_RECORDING_GET;
    env.recording_get = &get;
    return process_ask(&world.process, &env, reply);
}

/* Has one side of these 20 ms a sample above 1000? */
static unsigned loud_frame(const ProtobufCBinaryData *data, size_t at)
{
    for (size_t i = at; i + 1 < data->len && i < at + 4 * 320; i += 4) {
        int16_t s = (int16_t)(uint16_t)(data->data[i] | data->data[i + 1] << 8);
        if (s > 1000 || s < -1000) return 1;
    }
    return 0;
}

/* What speech echoed stands on our side of the recording, what the phone sent on the other. */
static void a_recorded_call_is_told_and_its_file_is_there(void **state)
{
    audio_goes_to_speech_and_back(state);
    assert_int_equal(world.told.recording, 1);
    assert_string_equal(world.told.recording_failure, "");
    assert_true(world.told.recorded_ms > 200);
    unsigned left = 0, right = 0;
    for (int i = 0; i < 500 && (left < 5 || right < 5); i++) { /* the writer is behind */
        Pl__Envelope *reply = NULL;
        assert_int_equal(ask_recording(CALL, 1, &reply), PL_OK);
        const ProtobufCBinaryData *data = &reply->recording_part->data;
        assert_true(data->len >= 44 && data->len == reply->recording_part->total);
        left = right = 0;
        for (size_t at = 44; at + 4 <= data->len; at += 4 * 320) {
            left += loud_frame(data, at);
            right += loud_frame(data, at + 2);
        }
        pl__envelope__free_unpacked(reply, NULL);
        process_run_ms(&world.process, 10);
    }
    assert_true(left >= 5 && right >= 5);
    assert_int_equal(ask_recording("../" CALL, 1, NULL), PL_NOT_FOUND);
    assert_int_equal(ask_recording(CALL, 2, NULL), PL_NOT_FOUND);
}

static void a_recording_that_cannot_be_written_is_told_and_the_call_goes_on(void **state)
{
    audio_goes_to_speech_and_back(state);
    assert_int_equal(world.told.recording, 0);
    assert_string_equal(world.told.recording_failure, "Not a directory");
    assert_int_equal(metric("parley_recordings_failed_total"), 1);
}

static void a_refused_call_is_told_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        Pl__LegEnd end;
    } cases[] = {{"486 Busy Here", PL__LEG_END__LEG_BUSY},
                 {"603 Decline", PL__LEG_END__LEG_DECLINED},
                 {"480 Temporarily Unavailable", PL__LEG_END__LEG_NO_ANSWER},
                 {"404 Not Found", PL__LEG_END__LEG_UNREACHABLE}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        ring(0);
        phone_reply(&phone, phone.invite, cases[i].status, "");
        phone_expect(&phone, "ACK ");
        await(&world.told.ended, i + 1);
        assert_int_equal(world.told.end, cases[i].end);
        assert_string_equal(world.told.detail, cases[i].status);
    }
    assert_int_equal(world.told.answered, 0);
}

static void a_call_nobody_answers_is_cancelled(void **state)
{
    (void)state;
    ring(500);
    phone_reply(&phone, phone.invite, "180 Ringing", "");
    phone_expect(&phone, "CANCEL ");
    phone_reply(&phone, phone.last, "200 OK", "");
    phone_reply(&phone, phone.invite, "487 Request Terminated", "");
    phone_expect(&phone, "ACK ");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_NO_ANSWER);
}

static void an_answer_that_crosses_the_cancel_is_hung_up(void **state)
{
    (void)state;
    ring(0);
    phone_reply(&phone, phone.invite, "180 Ringing", "");
    await(&world.told.ringing, 1);
    assert_int_equal(hang_up(), PL_OK);
    phone_reply(&phone, phone.invite, "200 OK", phone_sdp(4000, ""));
    phone_expect(&phone, "ACK ");
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BYE_LOCAL);
    assert_int_equal(world.told.answered, 0);
}

static void a_second_leg_of_a_call_and_a_former_owner_are_refused(void **state)
{
    (void)state;
    (void)take_call(4000);
    assert_int_equal(dial(NUMBER, 0, NULL), PL_INVALID);
    Pl__LegHangup body = PL__LEG_HANGUP__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_HANGUP;
    env.leg_hangup = &body;
    Pl__LegSendDtmf keys = PL__LEG_SEND_DTMF__INIT;
    keys.digits = (char *)"12x";
    Pl__Envelope dtmf = PL__ENVELOPE__INIT;
    dtmf.body_case = PL__ENVELOPE__BODY_LEG_SEND_DTMF;
    dtmf.leg_send_dtmf = &keys;
    assert_int_equal(ask_leg(&dtmf, 1), PL_INVALID);
    keys.digits = (char *)"12#";
    assert_int_equal(ask_leg(&dtmf, 2), PL_OK); /* a later epoch takes over */
    assert_int_equal(ask_leg(&env, 1), PL_STALE);
    assert_int_equal(ask_leg(&env, 2), PL_OK);
    await(&world.told.ended, 1);
}

static void without_a_phone_the_carrier_is_rung_with_our_password(void **state)
{
    (void)state;
    assert_int_equal(dial(NUMBER, 0, NULL), PL_OK);
    phone_expect(&phone, "INVITE sip:" NUMBER "@127.0.0.1");
    assert_string_equal(header_of(phone.last, "Proxy-Authorization"), "");
    phone_reply(&phone, phone.last,
                "407 Proxy Authentication Required\r\n"
                "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5",
                "");
    phone_expect(&phone, "ACK ");
    phone_expect(&phone, "INVITE ");
    const char *shown = header_of(phone.last, "Proxy-Authorization");
    assert_non_null(strstr(shown, "username=\"us\""));
    assert_non_null(strstr(shown, "nonce=\"n1\""));
    assert_null(strstr(phone.last, "secret"));
    phone_reply(&phone, phone.invite, "486 Busy Here", "");
    phone_expect(&phone, "ACK ");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BUSY);
}

static void a_carrier_that_is_away_ends_the_call(void **state)
{
    (void)state;
    phone_close(&phone);
    assert_int_equal(dial(NUMBER, 1500, NULL), PL_OK);
    await(&world.told.ended, 1);
    assert_true(world.told.end == PL__LEG_END__LEG_NO_ANSWER ||
                world.told.end == PL__LEG_END__LEG_UNREACHABLE);
}

static void calls_work_on_all_addresses_at_once(void **state)
{
    (void)state;
    (void)take_call(4000);
    assert_null(strstr(phone.invite, "0.0.0.0"));
    assert_int_equal(hang_up(), PL_OK);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    phone_send_bytes(&phone, "rubbish rubbish", 15);
    await_metric("parley_sip_malformed_total", 1);
}

/* ---- when others fail ---- */

static void a_stream_moves_when_speech_comes_back(void **state)
{
    (void)state;
    (void)take_call(4000);
    speech_stop();
    process_run_ms(&world.process, 300);
    assert_int_equal(world.told.ended, 0);
    speech_start();
    await(&world.told.answered, 2);
    assert_int_equal(world.streams, 2);
    assert_string_equal(world.told.speech, "speech-0");
}

static void a_leg_whose_owner_falls_silent_apologises_and_hangs_up(void **state)
{
    (void)state;
    (void)take_call(4000);
    process_run_ms(&world.process, 1500);
    assert_int_equal(world.told.ended, 0); /* kept alive */
    world.keep_alive = false;
    process_run_ms(&world.process, 1500);
    assert_int_equal(world.told.ended, 0); /* the apology is being spoken */
    if (!phone_sees(&phone, "BYE ", 12000)) fail_msg("%s", process_log(&world.process));
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_OWNER_LOST);
}

static void the_owner_of_a_leg_that_is_not_here_is_told(void **state)
{
    (void)state;
    copy_text(world.live_call, sizeof world.live_call, OTHER);
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_FAILED);
}

/* ---- transfer ---- */

static void notify(sip_dialog_t *dialog, const char *fragment, const char *subscription)
{
    char extra[256];
    (void)snprintf(extra, sizeof extra,
                   "Event: refer\r\nSubscription-State: %s\r\nContent-Type: message/sipfrag\r\n",
                   subscription);
    phone_request(&phone, dialog, "NOTIFY", extra, fragment);
    phone_expect(&phone, "SIP/2.0 200");
}

static void a_transfer_is_followed_to_its_end(void **state)
{
    (void)state;
    sip_dialog_t dialog = take_call(4000);
    assert_int_equal(transfer("nobody"), PL_INVALID);
    assert_int_equal(transfer(OTHER), PL_OK); /* but nobody is there */
    await(&world.told.transferred, 1);
    assert_false(world.told.transfer_ok);

    phone_register(&phone, OTHER, "");
    phone_expect(&phone, "SIP/2.0 200");
    assert_int_equal(transfer(OTHER), PL_OK);
    phone_expect(&phone, "REFER ");
    assert_non_null(strstr(header_of(phone.last, "Refer-To"), "sip:"));
    phone_reply(&phone, phone.last, "202 Accepted", "");
    notify(&dialog, "SIP/2.0 100 Trying\r\n", "active;expires=60");
    notify(&dialog, "SIP/2.0 486 Busy Here\r\n", "terminated;reason=noresource");
    await(&world.told.transferred, 2);
    assert_false(world.told.transfer_ok);
    assert_string_equal(world.told.detail, "486 Busy Here");

    assert_int_equal(transfer(OTHER), PL_OK);
    phone_expect(&phone, "REFER ");
    phone_reply(&phone, phone.last, "202 Accepted", "");
    notify(&dialog, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource");
    await(&world.told.transferred, 3);
    assert_true(world.told.transfer_ok);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_TRANSFERRED);
}

/* ---- the end ---- */

static void a_live_leg_is_ended_when_the_process_is(void **state)
{
    (void)state;
    (void)take_call(4000);
    assert_int_equal(kill(world.process.pid, SIGTERM), 0);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_int_equal(process_wait(&world.process), 0);
}

static void a_taken_port_is_told_with_its_setting(void **state)
{
    (void)state;
    process_t second = world.process;
    char listen[64], run[128];
    (void)snprintf(listen, sizeof listen, "telephony.sip.listen=127.0.0.1:%u", world.sip_port);
    (void)snprintf(run, sizeof run, "bus.run_dir=%s/run2", world.process.folder);
    second.settings[0] = listen;
    second.settings[1] = "telephony.browser.listen=127.0.0.1:23499";
    second.settings[2] = run;
    second.settings[3] = NULL;
    second.bus = NULL;
    process_start(&second, NULL);
    assert_int_equal(process_wait(&second), 1);
    assert_non_null(strstr(process_log(&second), "telephony.sip.listen"));
    second.settings[0] = "telephony.sip.codecs=G729";
    process_start(&second, NULL);
    assert_int_equal(process_wait(&second), 78);
    assert_non_null(strstr(process_log(&second), "telephony.sip.codecs"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        TEST(options_are_answered_and_other_methods_refused),
        TEST(malformed_datagrams_are_counted_and_dropped),
        TEST(a_phone_registers_and_goes),
        TEST(nobody_is_rung_who_is_not_there),
        TEST(a_call_out_is_told_step_by_step),
        TEST(audio_goes_to_speech_and_back),
        cmocka_unit_test_setup_teardown(a_recorded_call_is_told_and_its_file_is_there,
                                        start_recording, stop),
        cmocka_unit_test_setup_teardown(
            a_recording_that_cannot_be_written_is_told_and_the_call_goes_on,
            start_recording_nowhere, stop),
        TEST(a_refused_call_is_told_with_its_reason),
        TEST(a_call_nobody_answers_is_cancelled),
        TEST(an_answer_that_crosses_the_cancel_is_hung_up),
        TEST(a_second_leg_of_a_call_and_a_former_owner_are_refused),
        cmocka_unit_test_setup_teardown(without_a_phone_the_carrier_is_rung_with_our_password,
                                        start_with_trunk, stop),
        cmocka_unit_test_setup_teardown(a_carrier_that_is_away_ends_the_call, start_with_trunk,
                                        stop),
        cmocka_unit_test_setup_teardown(calls_work_on_all_addresses_at_once, start_everywhere,
                                        stop),
        TEST(a_stream_moves_when_speech_comes_back),
        cmocka_unit_test_setup_teardown(a_leg_whose_owner_falls_silent_apologises_and_hangs_up,
                                        start_impatient, stop),
        TEST(the_owner_of_a_leg_that_is_not_here_is_told),
        TEST(a_transfer_is_followed_to_its_end),
        TEST(a_live_leg_is_ended_when_the_process_is),
        TEST(a_taken_port_is_told_with_its_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
