/* call_in_test.c - calls in: accepted, given up, refused; the real telephony process. */
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

static int start_small(void **state)
{
    (void)state;
    static const char *const extra[] = {"telephony.max_legs=1", NULL};
    return start_with(extra);
}

static int start_recorded(void **state)
{
    (void)state;
    static const char *const extra[] = {"features.recording_enabled=true",
                                        "telephony.recording.folder=rec", NULL};
    return start_with(extra);
}

static int stop(void **state)
{
    (void)state;
    phone_close(&phone);
    world_stop();
    return 0;
}

/* The phone rings us, and is answered. */
static sip_dialog_t ring_in(const char *extra, const char *sdp)
{
    sip_dialog_t dialog = dialog_new(&phone, NUMBER, "parley");
    phone_request(&phone, &dialog, "INVITE", extra, sdp);
    phone_expect(&phone, "SIP/2.0 100");
    phone_expect(&phone, "SIP/2.0 180");
    phone_expect(&phone, "SIP/2.0 200");
    dialog_take(&dialog, phone.last);
    return dialog;
}

static void a_call_in_is_accepted_and_ended_by_the_caller(void **state)
{
    (void)state;
    sip_dialog_t dialog = ring_in("", phone_sdp(4000, ""));
    assert_int_equal(world.told.incoming, 1);
    assert_string_equal(world.told.from, NUMBER);
    assert_int_equal(world.told.kind, PL__LEG_KIND__SIP);
    assert_int_equal(world.told.answered, 0); /* not before the ACK */
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.answered, 1);
    assert_string_equal(world.told.codec, "PCMU/8000");

    phone_request(&phone, &dialog, "INFO", "Content-Type: application/dtmf-relay\r\n",
                  "Signal=5\r\nDuration=160\r\n");
    phone_expect(&phone, "SIP/2.0 200");
    await(&world.told.dtmf, 1);
    assert_string_equal(world.told.digit, "5");
    phone_request(&phone, &dialog, "INFO", "Content-Type: application/dtmf\r\n", "#");
    phone_expect(&phone, "SIP/2.0 200");
    await(&world.told.dtmf, 2);
    assert_string_equal(world.told.digit, "#");
    phone_request(&phone, &dialog, "INFO", "", ""); /* are you there? */
    phone_expect(&phone, "SIP/2.0 200");
    phone_request(&phone, &dialog, "INFO", "Content-Type: application/dtmf\r\n", "E");
    phone_expect(&phone, "SIP/2.0 400");
    phone_request(&phone, &dialog, "INFO", "Content-Type: text/plain\r\n", "5");
    phone_expect(&phone, "SIP/2.0 415");
    assert_int_equal(world.told.dtmf, 2);

    phone_request(&phone, &dialog, "INVITE", "", phone_sdp(4002, "a=sendonly\r\n")); /* hold */
    phone_expect(&phone, "SIP/2.0 200");
    assert_non_null(strstr(phone.last, "a=recvonly"));
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.held_changes, 1);
    assert_true(world.told.held);
    phone_request(&phone, &dialog, "INVITE", "", phone_sdp(4002, "")); /* and back */
    phone_expect(&phone, "SIP/2.0 200");
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.held_changes, 2);
    assert_false(world.told.held);
    phone_request(&phone, &dialog, "INVITE", "",
                  "v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                  "m=audio 4002 RTP/AVP 18\r\n");
    phone_expect(&phone, "SIP/2.0 488");
    phone_request(&phone, &dialog, "ACK", "", "");

    phone_request(&phone, &dialog, "BYE", "", "");
    phone_expect(&phone, "SIP/2.0 200");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_BYE_REMOTE);
}

static void a_caller_who_goes_on_with_a_call_is_known_by_its_id(void **state)
{
    (void)state;
    world.goes_on = CALL;
    sip_dialog_t dialog = ring_in("", phone_sdp(4000, ""));
    assert_string_not_equal(world.told.call_id, CALL); /* it was offered under another */
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.answered, 1);
    assert_string_equal(world.told.call_id, CALL);
    assert_int_equal(world.told.epoch, 2);

    sip_dialog_t second = dialog_new(&phone, NUMBER, "parley"); /* it has its leg */
    phone_request(&phone, &second, "INVITE", "", phone_sdp(4004, ""));
    phone_expect(&phone, "SIP/2.0 500");
    phone_request(&phone, &second, "ACK", "", "");
    world.goes_on = NULL;

    assert_int_equal(hang_up(), PL_STALE); /* of a former owner */
    Pl__LegHangup body = PL__LEG_HANGUP__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_HANGUP;
    env.leg_hangup = &body;
    assert_int_equal(ask_leg(&env, 2), PL_OK);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_string_equal(world.told.call_id, CALL);
}

static void a_leg_goes_on_under_another_call(void **state)
{
    (void)state;
    char former[64];
    sip_dialog_t dialog = ring_in("", phone_sdp(4000, ""));
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.answered, 1);
    copy_text(former, sizeof former, world.live_call);
    assert_int_equal(move_leg("no id"), PL_INVALID);
    assert_int_equal(move_leg(former), PL_INVALID);
    assert_int_equal(move_leg(CALL), PL_OK);
    assert_int_equal(world.moves, 1);
    assert_string_equal(world.moved_from, former);
    assert_string_equal(world.moved_to, CALL);
    assert_int_equal(world.streams, 1);      /* the audio flows on */
    assert_int_equal(move_leg(CALL), PL_OK); /* asked again */
    assert_int_equal(world.moves, 1);
    assert_int_equal(hang_up(), PL_NOT_FOUND); /* under the former id there is none */
    world.keep_alive = true;
    send_keep_alive(NULL); /* one that crossed the move is not told that the leg is gone */
    process_run_ms(&world.process, 50);
    assert_int_equal(world.told.ended, 0);
    copy_text(world.live_call, sizeof world.live_call, CALL);

    phone_request(&phone, &dialog, "INFO", "Content-Type: application/dtmf-relay\r\n",
                  "Signal=5\r\nDuration=160\r\n");
    phone_expect(&phone, "SIP/2.0 200");
    await(&world.told.dtmf, 1);
    assert_string_equal(world.told.call_id, CALL);
    assert_int_equal(hang_up(), PL_OK);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
    assert_string_equal(world.told.call_id, CALL);
}

static unsigned moved_recording(Pl__Envelope *reply, uint32_t *duration_ms)
{
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_LEG_MOVED);
    unsigned number = reply->leg_moved->recording->number;
    *duration_ms = reply->leg_moved->recording->duration_ms;
    assert_string_equal(reply->leg_moved->recording->instance, "telephony-0");
    pl__envelope__free_unpacked(reply, NULL);
    return number;
}

static void each_call_of_a_leg_that_moves_has_its_part_of_the_recording(void **state)
{
    (void)state;
    sip_dialog_t dialog = ring_in("", phone_sdp(4000, ""));
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.answered, 1);
    process_run_ms(&world.process, 400);
    Pl__Envelope *reply = NULL;
    uint32_t former_ms = 0, again_ms = 0;
    assert_int_equal(move_leg_and_read(CALL, &reply), PL_OK);
    assert_int_equal(moved_recording(reply, &former_ms), 1);
    assert_true(former_ms >= 200);
    assert_int_equal(move_leg_and_read(CALL, &reply), PL_OK); /* asked again: the same answer */
    assert_int_equal(moved_recording(reply, &again_ms), 1);
    assert_int_equal(again_ms, former_ms);
    copy_text(world.live_call, sizeof world.live_call, CALL);
    process_run_ms(&world.process, 200);
    phone_request(&phone, &dialog, "BYE", "", "");
    phone_expect(&phone, "SIP/2.0 200");
    await(&world.told.ended, 1);
    assert_string_equal(world.told.call_id, CALL);
    assert_int_equal(world.told.recording, 1); /* the new call's own file */
    assert_true(world.told.recorded_ms >= 100 && world.told.recorded_ms < 5000);
}

static void a_move_that_speech_refuses_opens_the_stream_anew(void **state)
{
    (void)state;
    sip_dialog_t dialog = ring_in("", phone_sdp(4000, ""));
    phone_request(&phone, &dialog, "ACK", "", "");
    await(&world.told.answered, 1);
    world.refuse_moves = true;
    assert_int_equal(move_leg(CALL), PL_OK);
    copy_text(world.live_call, sizeof world.live_call, CALL);
    await(&world.told.answered, 2); /* on its new stream */
    assert_int_equal(world.streams, 2);
    assert_string_equal(world.told.call_id, CALL);
}

static void a_call_in_may_leave_the_offer_to_us(void **state)
{
    (void)state;
    sip_dialog_t dialog = ring_in("P-Asserted-Identity: <tel:" OTHER ">\r\n", "");
    assert_string_equal(world.told.from, OTHER);
    assert_non_null(strstr(phone.last, "G722/8000"));
    phone_request(&phone, &dialog, "ACK", "", phone_sdp(4000, ""));
    await(&world.told.answered, 1);
    assert_string_equal(world.told.codec, "PCMU/8000");
    assert_int_equal(hang_up(), PL_OK);
    phone_expect(&phone, "BYE ");
    phone_reply(&phone, phone.last, "200 OK", "");
    await(&world.told.ended, 1);
}

static void a_call_in_that_is_given_up_is_cancelled(void **state)
{
    (void)state;
    world.hold_calls = true;
    sip_dialog_t dialog = dialog_new(&phone, "someone", "parley");
    phone_request(&phone, &dialog, "INVITE", "", phone_sdp(4000, ""));
    phone_expect(&phone, "SIP/2.0 180");
    await(&world.told.incoming, 1);
    assert_string_equal(world.told.from, "anonymous");
    phone_request(&phone, &dialog, "CANCEL", "", "");
    phone_expect(&phone, "SIP/2.0 200");
    phone_expect(&phone, "SIP/2.0 487");
    phone_request(&phone, &dialog, "ACK", "", "");
    await_metric("parley_legs_total", 1);
    await_metric("parley_legs", 0);
}

static void an_invite_said_again_and_again_is_one_call(void **state)
{
    (void)state;
    char invite[PHONE_TEXT];
    const char *sdp = phone_sdp(4000, "");
    int bytes = snprintf(invite, sizeof invite,
                         "INVITE sip:parley@127.0.0.1 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKagain;rport\r\n"
                         "From: <sip:%s@127.0.0.1>;tag=again\r\nTo: <sip:parley@127.0.0.1>\r\n"
                         "Call-ID: again\r\nCSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1:%u>\r\n"
                         "Max-Forwards: 70\r\nContent-Type: application/sdp\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         phone.port, NUMBER, phone.port, strlen(sdp), sdp);
    for (int i = 0; i < 3; i++) phone_send_bytes(&phone, invite, (size_t)bytes);
    phone_expect(&phone, "SIP/2.0 180");
    phone_expect(&phone, "SIP/2.0 200");
    phone_send_bytes(&phone, invite, (size_t)bytes); /* our 200 was lost */
    phone_expect(&phone, "SIP/2.0 200");             /* and comes again */
    assert_int_equal(world.told.incoming, 1);
    await_metric("parley_legs", 1);
}

static void a_call_in_that_nobody_takes_gets_503(void **state)
{
    (void)state;
    world.refuse_calls = PL_BUSY;
    sip_dialog_t dialog = dialog_new(&phone, NUMBER, "parley");
    phone_request(&phone, &dialog, "INVITE", "", phone_sdp(4000, ""));
    phone_expect(&phone, "SIP/2.0 503");
    assert_string_equal(header_of(phone.last, "Retry-After"), "10");
    phone_request(&phone, &dialog, "ACK", "", "");

    world.refuse_calls = PL_OK;
    world.refuse_streams = true; /* and without speech neither */
    dialog = dialog_new(&phone, NUMBER, "parley");
    phone_request(&phone, &dialog, "INVITE", "", phone_sdp(4000, ""));
    phone_expect(&phone, "SIP/2.0 503");
    await(&world.told.ended, 1);
    assert_int_equal(world.told.end, PL__LEG_END__LEG_FAILED);
}

static void a_call_in_that_cannot_work_disturbs_nobody(void **state)
{
    (void)state;
    static const struct {
        const char *extra, *sdp, *status;
    } cases[] = {
        {"", "v=0\r\nrubbish", "SIP/2.0 488"},
        {"", "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 18\r\n", "SIP/2.0 488"},
        {"Require: 100rel\r\n", "", "SIP/2.0 420"},
        {"Content-Type: text/plain\r\n", "hello", "SIP/2.0 415"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sip_dialog_t dialog = dialog_new(&phone, NUMBER, "parley");
        phone_request(&phone, &dialog, "INVITE", cases[i].extra, cases[i].sdp);
        phone_expect(&phone, cases[i].status);
        dialog_take(&dialog, phone.last);
        phone_request(&phone, &dialog, "ACK", "", "");
    }
    assert_int_equal(world.told.incoming, 0);
}

static void one_call_more_than_there_is_room_for_gets_503(void **state)
{
    (void)state;
    sip_dialog_t first = ring_in("", phone_sdp(4000, ""));
    phone_request(&phone, &first, "ACK", "", "");
    sip_dialog_t second = dialog_new(&phone, OTHER, "parley");
    phone_request(&phone, &second, "INVITE", "", phone_sdp(4002, ""));
    phone_expect(&phone, "SIP/2.0 503");
    assert_string_equal(header_of(phone.last, "Retry-After"), "10");
    assert_int_equal(world.told.incoming, 1);
    char detail[256];
    assert_int_equal(dial(NUMBER, 0, detail), PL_BUSY);
    assert_string_equal(detail, "telephony.max_legs is reached");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        TEST(a_call_in_is_accepted_and_ended_by_the_caller),
        TEST(a_caller_who_goes_on_with_a_call_is_known_by_its_id),
        TEST(a_leg_goes_on_under_another_call),
        cmocka_unit_test_setup_teardown(each_call_of_a_leg_that_moves_has_its_part_of_the_recording,
                                        start_recorded, stop),
        TEST(a_move_that_speech_refuses_opens_the_stream_anew),
        TEST(a_call_in_may_leave_the_offer_to_us),
        TEST(a_call_in_that_is_given_up_is_cancelled),
        TEST(an_invite_said_again_and_again_is_one_call),
        TEST(a_call_in_that_nobody_takes_gets_503),
        TEST(a_call_in_that_cannot_work_disturbs_nobody),
        cmocka_unit_test_setup_teardown(one_call_more_than_there_is_room_for_gets_503, start_small,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
