/* leg_test.c - the machine of a leg, its races and what must hold whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "services/telephony/leg.h"

static const leg_limits_t limits = {.ring_timeout_ms = 45000,
                                    .open_timeout_ms = 3000,
                                    .speech_timeout_ms = 30000,
                                    .owner_timeout_ms = 15000,
                                    .apology_ms = 4000};

static unsigned on(leg_t *leg, uint64_t now_ms, leg_event_kind_t kind)
{
    return leg_handle(leg, now_ms, &(leg_event_t){.kind = kind, .detail = "test"});
}

static unsigned on_end(leg_t *leg, uint64_t now_ms, Pl__LegEnd end)
{
    return leg_handle(leg, now_ms,
                      &(leg_event_t){.kind = LEG_ON_REMOTE_END, .end = end, .detail = "test"});
}

static leg_t outbound_up(uint64_t now_ms)
{
    leg_t leg;
    leg_start_outbound(&leg, now_ms, &limits);
    on(&leg, now_ms, LEG_ON_RINGING);
    on(&leg, now_ms, LEG_ON_STREAM);
    on(&leg, now_ms, LEG_ON_CONNECTED);
    assert_int_equal(leg.state, LEG_UP);
    return leg;
}

static void a_leg_that_is_up_for_too_long_or_in_which_nobody_speaks_is_ended(void **state)
{
    (void)state;
    leg_t leg = outbound_up(1000);
    leg.limits.call_ms = 60000;
    leg.limits.owner_timeout_ms = 1000000;
    assert_int_equal(on(&leg, 60999, LEG_ON_TIME), 0);
    assert_true(on(&leg, 61000, LEG_ON_TIME) & LEG_FX_HANG_UP);
    assert_int_equal(leg.end, PL__LEG_END__LEG_BYE_LOCAL);
    assert_string_equal(leg.detail, "telephony.limits.call_s is reached");

    leg = outbound_up(1000);
    assert_true(on(&leg, 2000, LEG_ON_SPEECHLESS) & LEG_FX_HANG_UP);
    assert_string_equal(leg.detail, "telephony.limits.speechless_s is reached");
    leg_start_outbound(&leg, 0, &limits);
    assert_int_equal(on(&leg, 1, LEG_ON_SPEECHLESS), 0); /* it rings: nobody can speak */
}

static void a_call_out_opens_its_stream_while_it_rings_and_tells_the_answer(void **state)
{
    (void)state;
    leg_t leg;
    assert_int_equal(leg_start_outbound(&leg, 0, &limits), 0);
    unsigned fx = leg_handle(&leg, 100, &(leg_event_t){.kind = LEG_ON_RINGING, .status = 180});
    assert_int_equal(fx, LEG_FX_TELL_RINGING | LEG_FX_OPEN_STREAM);
    assert_int_equal(leg.ring_status, 180);
    assert_int_equal(on(&leg, 200, LEG_ON_RINGING), 0); /* a second 180 */
    assert_int_equal(on(&leg, 300, LEG_ON_STREAM), 0);
    assert_int_equal(on(&leg, 2000, LEG_ON_CONNECTED), LEG_FX_TELL_ANSWERED);
    assert_int_equal(leg.state, LEG_UP);
}

static void an_answer_without_ringing_opens_the_stream_then(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    assert_int_equal(on(&leg, 100, LEG_ON_CONNECTED), LEG_FX_OPEN_STREAM);
    assert_int_equal(on(&leg, 150, LEG_ON_STREAM), LEG_FX_TELL_ANSWERED);
}

static void an_owner_is_told_of_the_answer_even_when_no_speech_is_there(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    on(&leg, 100, LEG_ON_CONNECTED);
    assert_int_equal(on(&leg, 2000, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 2100, LEG_ON_TIME), LEG_FX_TELL_ANSWERED);
    assert_int_equal(on(&leg, 2200, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 5000, LEG_ON_STREAM), LEG_FX_TELL_ANSWERED);
}

static void a_call_in_is_answered_only_when_its_stream_is_open(void **state)
{
    (void)state;
    leg_t leg;
    assert_int_equal(leg_start_inbound(&leg, 0, &limits), LEG_FX_ASK_OWNER);
    assert_int_equal(on(&leg, 100, LEG_ON_ACCEPTED), LEG_FX_OPEN_STREAM);
    assert_int_equal(on(&leg, 200, LEG_ON_STREAM), LEG_FX_ANSWER);
    assert_int_equal(on(&leg, 250, LEG_ON_CONNECTED), LEG_FX_TELL_ANSWERED);
}

static void a_call_in_that_nobody_takes_is_refused(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_inbound(&leg, 0, &limits);
    unsigned fx = leg_handle(&leg, 9, &(leg_event_t){.kind = LEG_ON_REFUSED, .err = PL_BUSY});
    assert_int_equal(fx, LEG_FX_REFUSE | LEG_FX_CLOSE_MEDIA);
    assert_int_equal(leg.refusal, PL_BUSY);
    assert_int_equal(on(&leg, 10, LEG_ON_CLOSED), LEG_FX_TELL_ENDED | LEG_FX_FREE);
}

static void a_call_in_without_speech_is_refused_in_time(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_inbound(&leg, 0, &limits);
    on(&leg, 100, LEG_ON_ACCEPTED);
    assert_int_equal(on(&leg, 3099, LEG_ON_TIME), 0);
    unsigned fx = on(&leg, 3100, LEG_ON_TIME);
    assert_int_equal(fx, LEG_FX_REFUSE | LEG_FX_CLOSE_STREAM | LEG_FX_CLOSE_MEDIA);
    assert_int_equal(leg.end, PL__LEG_END__LEG_FAILED);
    /* the stream that was on its way is given back */
    assert_int_equal(on(&leg, 3110, LEG_ON_STREAM), LEG_FX_CLOSE_STREAM);
}

static void a_caller_who_gives_up_is_cancelled_and_the_acceptance_comes_too_late(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_inbound(&leg, 0, &limits);
    assert_int_equal(on_end(&leg, 50, PL__LEG_END__LEG_CANCELLED), LEG_FX_CLOSE_MEDIA);
    assert_int_equal(on(&leg, 60, LEG_ON_ACCEPTED), 0);
    assert_int_equal(leg.end, PL__LEG_END__LEG_CANCELLED);
}

static void a_page_closed_before_the_answer_counts_as_cancelled(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_inbound(&leg, 0, &limits);
    on_end(&leg, 50, PL__LEG_END__LEG_BYE_REMOTE);
    assert_int_equal(leg.end, PL__LEG_END__LEG_CANCELLED);
}

static void nobody_answers_and_the_ringing_ends(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    on(&leg, 1000, LEG_ON_RINGING);
    assert_int_equal(on(&leg, 44999, LEG_ON_TIME), 0);
    unsigned fx = on(&leg, 45000, LEG_ON_TIME);
    assert_int_equal(fx, LEG_FX_HANG_UP | LEG_FX_CLOSE_STREAM | LEG_FX_CLOSE_MEDIA);
    assert_int_equal(leg.end, PL__LEG_END__LEG_NO_ANSWER);
    /* the answer crosses the CANCEL: the leg stays ended */
    assert_int_equal(on(&leg, 45001, LEG_ON_CONNECTED), 0);
    assert_int_equal(on_end(&leg, 45010, PL__LEG_END__LEG_CANCELLED), 0);
    assert_int_equal(leg.end, PL__LEG_END__LEG_NO_ANSWER);
}

static void a_refused_call_out_needs_no_hang_up(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    assert_int_equal(on_end(&leg, 50, PL__LEG_END__LEG_BUSY), LEG_FX_CLOSE_MEDIA);
    assert_int_equal(on(&leg, 51, LEG_ON_CLOSED), LEG_FX_TELL_ENDED | LEG_FX_FREE);
    assert_int_equal(leg.end, PL__LEG_END__LEG_BUSY);
    assert_string_equal(leg.detail, "test");
}

static void both_sides_hanging_up_at_once_end_the_leg_once(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    unsigned fx = on(&leg, 100, LEG_ON_HANGUP);
    assert_int_equal(fx, LEG_FX_HANG_UP | LEG_FX_CLOSE_STREAM | LEG_FX_CLOSE_MEDIA);
    assert_int_equal(on_end(&leg, 101, PL__LEG_END__LEG_BYE_REMOTE), 0);
    assert_int_equal(on(&leg, 102, LEG_ON_HANGUP), 0);
    assert_int_equal(leg.end, PL__LEG_END__LEG_BYE_LOCAL);
    assert_int_equal(on(&leg, 103, LEG_ON_CLOSED), LEG_FX_TELL_ENDED | LEG_FX_FREE);
    assert_int_equal(on(&leg, 104, LEG_ON_CLOSED), 0);
}

static void a_stream_that_moves_is_told_again(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    assert_int_equal(on(&leg, 1000, LEG_ON_STREAM_GONE), 0);
    on(&leg, 1000, LEG_ON_OWNER);
    assert_int_equal(on(&leg, 1500, LEG_ON_STREAM), LEG_FX_TELL_ANSWERED);
}

static void without_speech_the_caller_hears_an_apology_and_is_let_go(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    on(&leg, 1000, LEG_ON_STREAM_GONE);
    for (uint64_t now = 2000; now < 31000; now += 1000) {
        on(&leg, now, LEG_ON_OWNER);
        assert_int_equal(on(&leg, now, LEG_ON_TIME), 0);
    }
    assert_int_equal(on(&leg, 31000, LEG_ON_TIME), LEG_FX_PROMPT);
    assert_int_equal(on(&leg, 34999, LEG_ON_TIME), 0);
    unsigned fx = on(&leg, 35000, LEG_ON_TIME);
    assert_int_equal(fx, LEG_FX_HANG_UP | LEG_FX_CLOSE_STREAM | LEG_FX_CLOSE_MEDIA);
    assert_int_equal(leg.end, PL__LEG_END__LEG_FAILED);
}

static void a_silent_owner_orphans_the_leg(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    on(&leg, 10000, LEG_ON_OWNER);
    assert_int_equal(on(&leg, 24999, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 25000, LEG_ON_TIME), LEG_FX_PROMPT);
    /* who hangs up within the apology does not change why it ended */
    on_end(&leg, 26000, PL__LEG_END__LEG_BYE_REMOTE);
    assert_int_equal(leg.end, PL__LEG_END__LEG_OWNER_LOST);
    assert_string_equal(leg.detail, "the owner fell silent");
}

static unsigned adopted(leg_t *leg, uint64_t now_ms)
{
    return leg_handle(leg, now_ms, &(leg_event_t){.kind = LEG_ON_ADOPTED, .ok = true});
}

/* Up, and its owner expected to speak up. */
static leg_t watched_up(void)
{
    leg_t leg = outbound_up(0);
    leg.limits.owner_silent_ms = 900;
    return leg;
}

static void a_leg_whose_owner_is_silent_is_offered_and_its_caller_asked_to_wait(void **state)
{
    (void)state;
    leg_t leg = watched_up();
    on(&leg, 10000, LEG_ON_OWNER);
    assert_int_equal(on(&leg, 10800, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 10900, LEG_ON_TIME), LEG_FX_OFFER | LEG_FX_HOLD);
    assert_int_equal(on(&leg, 11500, LEG_ON_TIME), 0); /* the offer is not answered yet */
    assert_int_equal(on(&leg, 11600, LEG_ON_NOT_ADOPTED), 0);
    assert_int_equal(on(&leg, 11700, LEG_ON_TIME), LEG_FX_OFFER); /* once more */
    assert_int_equal(adopted(&leg, 11900), LEG_FX_HOLD_STOP | LEG_FX_TELL_ANSWERED);
    assert_int_equal(leg.state, LEG_UP);
    assert_int_equal(on(&leg, 12700, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 12800, LEG_ON_TIME), LEG_FX_OFFER | LEG_FX_HOLD); /* the next one */
}

static void
a_leg_whose_owner_has_gone_is_offered_at_once_and_the_caller_asked_to_wait_in_a_second(void **state)
{
    (void)state;
    leg_t leg = watched_up();
    on(&leg, 10000, LEG_ON_OWNER);
    assert_int_equal(on(&leg, 10100, LEG_ON_OWNER_GONE), LEG_FX_OFFER);
    assert_int_equal(on(&leg, 10101, LEG_ON_NOT_ADOPTED), 0);
    assert_int_equal(on(&leg, 10400, LEG_ON_TIME), LEG_FX_OFFER);
    assert_int_equal(on(&leg, 10950, LEG_ON_TIME), LEG_FX_HOLD);
    assert_int_equal(on(&leg, 15949, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 15950, LEG_ON_TIME), LEG_FX_HOLD);       /* still there */
    assert_int_equal(on(&leg, 16000, LEG_ON_OWNER), LEG_FX_HOLD_STOP); /* it was not gone */
    assert_false(leg.orphan);
}

static void
an_orphan_that_nobody_takes_ends_with_the_apology_and_one_that_hangs_up_ends(void **state)
{
    (void)state;
    leg_t leg = watched_up();
    on(&leg, 1000, LEG_ON_OWNER_GONE);
    for (uint64_t now = 1100; now < 15000; now += 100) {
        assert_false(on(&leg, now, LEG_ON_TIME) & LEG_FX_PROMPT);
        on(&leg, now, LEG_ON_NOT_ADOPTED);
    }
    assert_int_equal(on(&leg, 15000, LEG_ON_TIME), LEG_FX_PROMPT);

    leg = watched_up();
    on(&leg, 1000, LEG_ON_OWNER_GONE);
    on_end(&leg, 1200, PL__LEG_END__LEG_BYE_REMOTE);
    assert_int_equal(adopted(&leg, 1300), 0);
    assert_true(on(&leg, 1400, LEG_ON_CLOSED) & LEG_FX_TELL_ENDED);
    assert_int_equal(leg.end, PL__LEG_END__LEG_BYE_REMOTE);
}

static void an_owner_that_goes_while_it_rings_is_replaced_when_it_is_answered(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    leg.limits.owner_silent_ms = 900;
    on(&leg, 100, LEG_ON_RINGING);
    assert_int_equal(on(&leg, 150, LEG_ON_OWNER_GONE), 0);
    on(&leg, 200, LEG_ON_STREAM);
    on(&leg, 300, LEG_ON_CONNECTED);
    assert_int_equal(on(&leg, 400, LEG_ON_TIME), LEG_FX_OFFER);
    assert_int_equal(adopted(&leg, 500), LEG_FX_TELL_ANSWERED);
}

static void an_owner_that_was_only_slow_is_told_nothing_anew(void **state)
{
    (void)state;
    leg_t leg = watched_up();
    on(&leg, 1000, LEG_ON_OWNER_GONE);
    assert_int_equal(on(&leg, 1100, LEG_ON_ADOPTED), LEG_FX_HOLD_STOP); /* by itself */
    assert_false(leg.orphan);
}

static void an_owner_need_not_speak_up_while_it_rings(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    on(&leg, 100, LEG_ON_RINGING);
    on(&leg, 200, LEG_ON_STREAM);
    assert_int_equal(on(&leg, 40000, LEG_ON_TIME), 0);
    assert_int_equal(on(&leg, 40001, LEG_ON_CONNECTED), LEG_FX_TELL_ANSWERED);
    assert_int_equal(on(&leg, 40002, LEG_ON_TIME), 0);
}

static void a_transfer_that_works_ends_the_leg(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    assert_true(leg_can_transfer(&leg));
    assert_int_equal(on(&leg, 1, LEG_ON_TRANSFER), LEG_FX_REFER);
    assert_false(leg_can_transfer(&leg));
    unsigned fx = leg_handle(
        &leg, 2, &(leg_event_t){.kind = LEG_ON_TRANSFERRED, .ok = true, .detail = "200 OK"});
    assert_int_equal(fx, LEG_FX_TELL_TRANSFERRED | LEG_FX_HANG_UP | LEG_FX_CLOSE_STREAM |
                             LEG_FX_CLOSE_MEDIA);
    assert_true(leg.transfer_ok);
    assert_int_equal(leg.end, PL__LEG_END__LEG_TRANSFERRED);
}

static void a_transfer_that_fails_leaves_the_leg_up(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    on(&leg, 1, LEG_ON_TRANSFER);
    assert_int_equal(on(&leg, 2, LEG_ON_TRANSFERRED), LEG_FX_TELL_TRANSFERRED);
    assert_false(leg.transfer_ok);
    assert_int_equal(leg.state, LEG_UP);
    on(&leg, 3, LEG_ON_TRANSFER);
    on(&leg, 3, LEG_ON_OWNER);
    assert_int_equal(on(&leg, 30003, LEG_ON_TIME), LEG_FX_TELL_TRANSFERRED); /* no outcome told */
    assert_int_equal(leg.state, LEG_UP);
}

static void hanging_up_within_a_transfer_tells_that_it_failed(void **state)
{
    (void)state;
    leg_t leg = outbound_up(0);
    on(&leg, 1, LEG_ON_TRANSFER);
    unsigned fx = on_end(&leg, 2, PL__LEG_END__LEG_BYE_REMOTE);
    assert_int_equal(fx, LEG_FX_TELL_TRANSFERRED | LEG_FX_CLOSE_STREAM | LEG_FX_CLOSE_MEDIA);
    assert_false(leg.transfer_ok);
}

static void lost_media_ends_a_leg_that_was_up_only(void **state)
{
    (void)state;
    leg_t leg;
    leg_start_outbound(&leg, 0, &limits);
    assert_int_equal(on(&leg, 1, LEG_ON_MEDIA_LOST), 0);
    leg = outbound_up(0);
    on(&leg, 1, LEG_ON_MEDIA_LOST);
    assert_int_equal(leg.end, PL__LEG_END__LEG_MEDIA_LOST);
}

/* ---- whatever happens ---- */

static uint32_t seed;
static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % below;
}

typedef struct {
    unsigned answer, hang_up, refuse, close_media, open, told_ended, freed;
} counts_t;

static void count(counts_t *counts, unsigned fx)
{
    counts->answer += (fx & LEG_FX_ANSWER) != 0;
    counts->hang_up += (fx & LEG_FX_HANG_UP) != 0;
    counts->refuse += (fx & LEG_FX_REFUSE) != 0;
    counts->close_media += (fx & LEG_FX_CLOSE_MEDIA) != 0;
    counts->open += (fx & LEG_FX_OPEN_STREAM) != 0;
    counts->told_ended += (fx & LEG_FX_TELL_ENDED) != 0;
    counts->freed += (fx & LEG_FX_FREE) != 0;
}

static void check(const leg_t *leg, const counts_t *counts)
{
    assert_true(counts->answer <= 1 && counts->open <= 1);
    assert_true(counts->hang_up + counts->refuse <= 1);
    assert_false(counts->refuse && counts->answer);
    assert_int_equal(counts->close_media, leg_is_over(leg) ? 1 : 0);
    assert_int_equal(counts->told_ended, leg->state == LEG_ENDED ? 1 : 0);
    assert_int_equal(counts->freed, counts->told_ended);
    if (leg_is_over(leg)) assert_int_not_equal(leg->end, PL__LEG_END__LEG_NOT_ENDED);
    if (counts->answer) assert_int_not_equal(leg->state, LEG_OPENING);
}

static void no_order_of_events_ends_a_leg_twice_or_never(void **state)
{
    (void)state;
    static const Pl__LegEnd ends[] = {PL__LEG_END__LEG_BUSY, PL__LEG_END__LEG_BYE_REMOTE,
                                      PL__LEG_END__LEG_CANCELLED, PL__LEG_END__LEG_FAILED};
    for (uint32_t round = 0; round < 20000; round++) {
        seed = round;
        leg_t leg;
        counts_t counts = {0};
        uint64_t now = draw(1000);
        bool out = draw(2);
        count(&counts,
              out ? leg_start_outbound(&leg, now, &limits) : leg_start_inbound(&leg, now, &limits));
        for (unsigned step = 0; step < 40; step++) {
            now += draw(4000);
            leg_event_t event = {.kind = (leg_event_kind_t)draw(LEG_ON_TIME + 1),
                                 .ok = draw(2),
                                 .end = ends[draw(4)],
                                 .status = 180,
                                 .err = PL_BUSY};
            if (event.kind == LEG_ON_CLOSED && leg.state != LEG_CLOSING) continue;
            count(&counts, leg_handle(&leg, now, &event));
            check(&leg, &counts);
        }
        /* left alone, it ends: the bus answers, SIP gives up, time does the rest */
        for (unsigned step = 0; step < 200 && !leg_is_over(&leg); step++) {
            now += 1000;
            if (leg.state == LEG_OFFERED) count(&counts, on(&leg, now, LEG_ON_REFUSED));
            if (leg.state == LEG_ANSWERING) count(&counts, on_end(&leg, now, ends[3]));
            count(&counts, on(&leg, now, LEG_ON_TIME));
            check(&leg, &counts);
        }
        count(&counts, on(&leg, now, LEG_ON_CLOSED));
        check(&leg, &counts);
        assert_int_equal(leg.state, LEG_ENDED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leg_that_is_up_for_too_long_or_in_which_nobody_speaks_is_ended),
        cmocka_unit_test(a_call_out_opens_its_stream_while_it_rings_and_tells_the_answer),
        cmocka_unit_test(an_answer_without_ringing_opens_the_stream_then),
        cmocka_unit_test(an_owner_is_told_of_the_answer_even_when_no_speech_is_there),
        cmocka_unit_test(a_call_in_is_answered_only_when_its_stream_is_open),
        cmocka_unit_test(a_call_in_that_nobody_takes_is_refused),
        cmocka_unit_test(a_call_in_without_speech_is_refused_in_time),
        cmocka_unit_test(a_caller_who_gives_up_is_cancelled_and_the_acceptance_comes_too_late),
        cmocka_unit_test(a_page_closed_before_the_answer_counts_as_cancelled),
        cmocka_unit_test(nobody_answers_and_the_ringing_ends),
        cmocka_unit_test(a_refused_call_out_needs_no_hang_up),
        cmocka_unit_test(both_sides_hanging_up_at_once_end_the_leg_once),
        cmocka_unit_test(a_stream_that_moves_is_told_again),
        cmocka_unit_test(without_speech_the_caller_hears_an_apology_and_is_let_go),
        cmocka_unit_test(a_silent_owner_orphans_the_leg),
        cmocka_unit_test(a_leg_whose_owner_is_silent_is_offered_and_its_caller_asked_to_wait),
        cmocka_unit_test(
            a_leg_whose_owner_has_gone_is_offered_at_once_and_the_caller_asked_to_wait_in_a_second),
        cmocka_unit_test(
            an_orphan_that_nobody_takes_ends_with_the_apology_and_one_that_hangs_up_ends),
        cmocka_unit_test(an_owner_that_was_only_slow_is_told_nothing_anew),
        cmocka_unit_test(an_owner_that_goes_while_it_rings_is_replaced_when_it_is_answered),
        cmocka_unit_test(an_owner_need_not_speak_up_while_it_rings),
        cmocka_unit_test(a_transfer_that_works_ends_the_leg),
        cmocka_unit_test(a_transfer_that_fails_leaves_the_leg_up),
        cmocka_unit_test(hanging_up_within_a_transfer_tells_that_it_failed),
        cmocka_unit_test(lost_media_ends_a_leg_that_was_up_only),
        cmocka_unit_test(no_order_of_events_ends_a_leg_twice_or_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
