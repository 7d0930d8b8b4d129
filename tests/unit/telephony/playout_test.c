#include "services/telephony/playout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CREDIT = 400 };

static pl_err_t put(playout_t *p, uint32_t turn, uint32_t seq, size_t samples, bool last)
{
    uint8_t pcm[PL_FRAME_BYTES];
    for (size_t i = 0; i < samples; i++) {
        pcm[2 * i] = (uint8_t)turn;
        pcm[2 * i + 1] = (uint8_t)(seq & 0x7f);
    }
    return playout_put(p, turn, seq, pcm, 2 * samples, false, last);
}

static void put_frames(playout_t *p, uint32_t turn, uint32_t from, uint32_t to, bool end)
{
    for (uint32_t seq = from; seq < to; seq++) {
        assert_int_equal(put(p, turn, seq, PL_FRAME_SAMPLES, end && seq == to - 1), PL_OK);
    }
}

/* The turn and frame heard in this tick; -1: silence. */
static int heard(playout_t *p)
{
    int16_t pcm[PL_FRAME_SAMPLES];
    bool some = playout_tick(p, pcm);
    if (!some) {
        for (size_t i = 0; i < PL_FRAME_SAMPLES; i++) assert_int_equal(pcm[i], 0);
        return -1;
    }
    return (pcm[0] & 0xff) * 1000 + (pcm[0] >> 8);
}

#define assert_report(p, wanted_turn, ms, is_started, is_finished, is_flushed)                     \
    do {                                                                                           \
        playout_report_t r_;                                                                       \
        assert_true(playout_report((p), &r_));                                                     \
        assert_int_equal(r_.turn, (wanted_turn));                                                  \
        assert_int_equal(r_.heard_ms, (ms));                                                       \
        assert_int_equal(r_.started, (is_started));                                                \
        assert_int_equal(r_.finished, (is_finished));                                              \
        assert_int_equal(r_.flushed, (is_flushed));                                                \
        assert_int_equal(r_.credit_ms, CREDIT);                                                    \
    } while (0)

static void assert_no_report(playout_t *p)
{
    playout_report_t r;
    assert_false(playout_report(p, &r));
}

static void a_turn_is_played_and_told_at_start_on_the_way_and_at_its_end(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    assert_int_equal(heard(p), -1);
    assert_no_report(p);
    put_frames(p, 3, 0, 12, true);
    assert_no_report(p);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(heard(p), 3000 + i);
        if (i == 0) assert_report(p, 3, 0, 1, 0, 0);
        if (i == 4) assert_report(p, 3, 100, 0, 0, 0);
        if (i == 9) assert_report(p, 3, 200, 0, 0, 0);
        if (i == 11) assert_report(p, 3, 240, 0, 1, 0);
        assert_no_report(p);
    }
    heard(p);
    assert_int_equal(heard(p), -1);
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.underruns + stats.stale + stats.invalid + stats.queued_ms, 0);
    playout_destroy(&p);
    playout_destroy(&p);
}

static void turns_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 2, true);
    put_frames(p, 2, 0, 2, true);
    assert_int_equal(heard(p), 1000);
    assert_int_equal(heard(p), 1001);
    assert_int_equal(heard(p), 2000);
    assert_int_equal(heard(p), 2001);
    assert_report(p, 1, 0, 1, 0, 0);
    assert_report(p, 1, 40, 0, 1, 0);
    assert_report(p, 2, 0, 1, 0, 0);
    assert_report(p, 2, 40, 0, 1, 0);
    playout_destroy(&p);
}

static void an_empty_last_frame_ends_the_turn_without_taking_time(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 1, false);
    assert_int_equal(put(p, 1, 1, 0, true), PL_OK);
    put_frames(p, 2, 0, 1, false);
    assert_int_equal(heard(p), 1000);
    assert_report(p, 1, 0, 1, 0, 0);
    assert_report(p, 1, 20, 0, 1, 0);
    assert_int_equal(heard(p), 2000);
    assert_report(p, 2, 0, 1, 0, 0);
    heard(p); /* the ramp */
    assert_int_equal(put(p, 2, 1, 0, true), PL_OK);
    assert_int_equal(heard(p), -1);
    assert_report(p, 2, 20, 0, 1, 0);
    assert_int_equal(put(p, 3, 0, 0, true), PL_OK); /* a turn without any sound */
    assert_int_equal(heard(p), -1);
    assert_report(p, 3, 0, 1, 0, 0);
    assert_report(p, 3, 0, 0, 1, 0);
    playout_destroy(&p);
}

static void heard_counts_real_samples_of_short_frames(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    assert_int_equal(put(p, 1, 0, 160, false), PL_OK);
    assert_int_equal(put(p, 1, 1, 32, true), PL_OK);
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.queued_ms, 12);
    int16_t pcm[PL_FRAME_SAMPLES];
    assert_true(playout_tick(p, pcm));
    assert_int_equal(pcm[159], 1);
    assert_int_equal(pcm[160], 0);
    assert_true(playout_tick(p, pcm));
    assert_report(p, 1, 0, 1, 0, 0);
    assert_report(p, 1, 12, 0, 1, 0);
    playout_destroy(&p);
}

static void a_flush_stops_the_turn_and_drops_its_late_frames(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 4, 0, 20, false);
    for (int i = 0; i < 7; i++) heard(p);
    assert_report(p, 4, 0, 1, 0, 0);
    assert_report(p, 4, 100, 0, 0, 0);
    playout_flush(p, 4);
    assert_report(p, 4, 140, 0, 1, 1);
    assert_no_report(p);
    heard(p); /* the ramp */
    assert_int_equal(heard(p), -1);
    assert_int_equal(put(p, 4, 20, 320, false), PL_STALE);
    assert_int_equal(put(p, 3, 0, 320, true), PL_STALE);
    assert_int_equal(heard(p), -1);
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.stale, 2);
    assert_int_equal(stats.underruns, 0);
    assert_int_equal(stats.queued_ms, 0);
    put_frames(p, 5, 0, 1, true);
    assert_int_equal(heard(p), 5000);
    playout_destroy(&p);
}

static void a_flush_leaves_later_turns_alone(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 3, true);
    put_frames(p, 2, 0, 3, true);
    put_frames(p, 3, 0, 3, true);
    put_frames(p, 4, 0, 3, true);
    heard(p);
    assert_report(p, 1, 0, 1, 0, 0);
    playout_flush(p, 3);
    assert_report(p, 1, 20, 0, 1, 1);
    assert_report(p, 2, 0, 0, 1, 1);
    assert_report(p, 3, 0, 0, 1, 1);
    assert_no_report(p);
    for (int i = 0; i < 3; i++) assert_int_equal(heard(p), 4000 + i);
    playout_destroy(&p);
}

static void a_flush_is_answered_whatever_it_meets(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    playout_flush(p, 2); /* before its first frame came */
    assert_report(p, 2, 0, 0, 1, 1);
    assert_int_equal(put(p, 2, 0, 320, false), PL_STALE);
    put_frames(p, 3, 0, 2, true);
    heard(p);
    heard(p);
    assert_report(p, 3, 0, 1, 0, 0);
    assert_report(p, 3, 40, 0, 1, 0);
    playout_flush(p, 3); /* after its end */
    assert_report(p, 3, 40, 0, 1, 1);
    playout_flush(p, 1); /* older than the last flush */
    assert_report(p, 1, 0, 0, 1, 1);
    assert_int_equal(put(p, 3, 9, 320, false), PL_STALE);
    playout_destroy(&p);
}

static void a_turn_that_is_not_fed_is_silent_and_counted(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 1, false);
    heard(p);
    for (int i = 0; i < 5; i++) heard(p);
    put_frames(p, 1, 1, 2, true);
    assert_int_equal(heard(p), 1001);
    for (int i = 0; i < 5; i++) heard(p);
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.underruns, 5);
    assert_report(p, 1, 0, 1, 0, 0);
    assert_report(p, 1, 40, 0, 1, 0);
    assert_no_report(p);
    playout_destroy(&p);
}

static void frames_that_are_wrong_are_refused_and_counted(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    uint8_t pcm[PL_FRAME_BYTES + 2] = {0};
    assert_int_equal(playout_put(p, 1, 0, pcm, PL_FRAME_BYTES + 2, false, false), PL_INVALID);
    assert_int_equal(playout_put(p, 1, 0, pcm, 3, false, false), PL_INVALID);
    put_frames(p, 2, 5, 7, false);
    assert_int_equal(put(p, 2, 6, 320, false), PL_INVALID); /* again */
    assert_int_equal(put(p, 1, 0, 320, false), PL_STALE);   /* an older turn */
    assert_int_equal(put(p, 2, 7, 320, true), PL_OK);
    assert_int_equal(put(p, 2, 8, 320, false), PL_STALE); /* after its end */
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.invalid, 3);
    assert_int_equal(stats.stale, 2);
    playout_destroy(&p);
}

static void a_sender_that_ignores_its_credit_is_stopped_at_ten_seconds(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 500, false);
    for (uint32_t i = 0; i < 100; i++) assert_int_equal(put(p, 1, 500 + i, 320, false), PL_BUSY);
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.overflow, 100);
    assert_int_equal(stats.queued_ms, 10000);
    assert_int_equal(heard(p), 1000);
    assert_int_equal(put(p, 1, 700, 320, false), PL_OK);
    playout_destroy(&p);
}

static void a_turn_without_a_last_frame_ends_when_the_next_begins_or_the_stream_does(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 1, false);
    put_frames(p, 2, 0, 2, false);
    heard(p);
    heard(p);
    assert_report(p, 1, 0, 1, 0, 0);
    assert_report(p, 1, 20, 0, 1, 0);
    assert_report(p, 2, 0, 1, 0, 0);
    playout_end(p);
    assert_int_equal(heard(p), 2001);
    heard(p);
    assert_report(p, 2, 40, 0, 1, 0);
    for (int i = 0; i < 5; i++) assert_int_equal(heard(p), -1);
    playout_stats_t stats;
    playout_stats(p, &stats);
    assert_int_equal(stats.underruns, 0);
    playout_destroy(&p);
}

static void a_new_stream_begins_with_its_credit_and_may_say_the_turn_again(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 7, 0, 5, false);
    heard(p);
    playout_flush(p, 8);
    playout_reset(p);
    assert_report(p, 0, 0, 0, 0, 0);
    assert_no_report(p);
    put_frames(p, 7, 0, 1, true);
    assert_int_equal(heard(p), 7000);
    assert_report(p, 7, 0, 1, 0, 0);
    assert_report(p, 7, 20, 0, 1, 0);
    playout_destroy(&p);
}

static void reports_that_nobody_takes_keep_starts_and_ends(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    put_frames(p, 1, 0, 400, true);
    for (int i = 0; i < 400; i++) heard(p); /* 80 reports */
    put_frames(p, 2, 0, 100, true);
    for (int i = 0; i < 100; i++) heard(p);
    unsigned started = 0, finished = 0, all = 0;
    playout_report_t r;
    while (playout_report(p, &r)) {
        started += r.started;
        finished += r.finished;
        all++;
    }
    assert_int_equal(all, 16);
    assert_int_equal(started, 2);
    assert_int_equal(finished, 2);

    playout_flush(p, 2);
    assert_true(playout_report(p, &r));
    playout_report_back(p, &r);
    playout_report_t again;
    assert_true(playout_report(p, &again));
    assert_int_equal(again.turn, r.turn);
    assert_no_report(p);
    playout_destroy(&p);
}

static void a_flushed_voice_falls_without_a_click(void **state)
{
    (void)state;
    playout_t *p = playout_new(CREDIT);
    uint8_t pcm[PL_FRAME_BYTES];
    for (size_t i = 0; i < PL_FRAME_BYTES; i += 2) {
        pcm[i] = 0;
        pcm[i + 1] = 0x40; /* 16384 */
    }
    assert_int_equal(playout_put(p, 1, 0, pcm, sizeof pcm, false, false), PL_OK);
    int16_t out[PL_FRAME_SAMPLES];
    playout_tick(p, out);
    playout_flush(p, 1);
    assert_true(playout_tick(p, out));
    int16_t before = 16384;
    for (size_t i = 0; i < PL_FRAME_SAMPLES; i++) {
        assert_true(before - out[i] >= 0 && before - out[i] < 250);
        before = out[i];
    }
    assert_int_equal(out[100], 0);
    assert_false(playout_tick(p, out));
    playout_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_is_played_and_told_at_start_on_the_way_and_at_its_end),
        cmocka_unit_test(turns_follow_each_other_without_a_gap),
        cmocka_unit_test(an_empty_last_frame_ends_the_turn_without_taking_time),
        cmocka_unit_test(heard_counts_real_samples_of_short_frames),
        cmocka_unit_test(a_flush_stops_the_turn_and_drops_its_late_frames),
        cmocka_unit_test(a_flush_leaves_later_turns_alone),
        cmocka_unit_test(a_flush_is_answered_whatever_it_meets),
        cmocka_unit_test(a_turn_that_is_not_fed_is_silent_and_counted),
        cmocka_unit_test(frames_that_are_wrong_are_refused_and_counted),
        cmocka_unit_test(a_sender_that_ignores_its_credit_is_stopped_at_ten_seconds),
        cmocka_unit_test(a_turn_without_a_last_frame_ends_when_the_next_begins_or_the_stream_does),
        cmocka_unit_test(a_new_stream_begins_with_its_credit_and_may_say_the_turn_again),
        cmocka_unit_test(reports_that_nobody_takes_keep_starts_and_ends),
        cmocka_unit_test(a_flushed_voice_falls_without_a_click),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
