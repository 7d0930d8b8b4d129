/* The pace of a media thread, and the queue of a browser's frames that follows it. */
#include "services/telephony/media_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "services/telephony/frame_queue.h"

static void in_time_a_tick_runs_for_each_that_passed(void **state)
{
    (void)state;
    media_clock_t clock = {0};
    for (int i = 0; i < 100; i++) {
        media_due_t due = media_clock_due(&clock, 1);
        assert_int_equal(due.run, 1);
        assert_int_equal(due.skipped, 0);
    }
    assert_int_equal(media_clock_due(&clock, 0).run, 0);
}

static void a_late_thread_catches_up_two_at_a_time(void **state)
{
    (void)state;
    media_clock_t clock = {0};
    unsigned run = media_clock_due(&clock, 5).run;
    assert_int_equal(run, 2);
    unsigned wakes = 1;
    unsigned passed = 5;
    while (run < passed) {
        passed++;
        wakes++;
        media_due_t due = media_clock_due(&clock, 1);
        assert_true(due.run <= 2);
        assert_int_equal(due.skipped, 0);
        run += due.run;
    }
    assert_int_equal(run, passed); /* all of them */
    assert_int_equal(wakes, 4);
}

static void a_thread_that_was_stopped_leaves_ticks_out(void **state)
{
    (void)state;
    media_clock_t clock = {0};
    media_due_t due = media_clock_due(&clock, 50);
    assert_int_equal(due.run, 1);
    assert_int_equal(due.skipped, 49);
    assert_int_equal(clock.skipped, 49);
    due = media_clock_due(&clock, 1);
    assert_int_equal(due.run, 1);
    assert_int_equal(due.skipped, 0);
    due = media_clock_due(&clock, UINT64_C(10000000000));
    assert_int_equal(due.skipped, UINT32_MAX);
}

static void put(frame_queue_t *q, uint8_t value)
{
    uint8_t pcm[PL_FRAME_BYTES];
    memset(pcm, value, sizeof pcm);
    frame_queue_put(q, pcm);
}

/* The value taken; -1: none. */
static int take(frame_queue_t *q)
{
    int16_t pcm[PL_FRAME_SAMPLES];
    if (!frame_queue_take(q, pcm)) {
        assert_int_equal(pcm[0], 0);
        return -1;
    }
    return pcm[PL_FRAME_SAMPLES - 1] & 0xff;
}

static void frames_begin_when_sixty_ms_are_there_and_come_in_order(void **state)
{
    (void)state;
    static frame_queue_t q;
    assert_int_equal(take(&q), -1);
    put(&q, 1);
    put(&q, 2);
    assert_int_equal(take(&q), -1);
    put(&q, 3);
    for (int i = 1; i <= 3; i++) assert_int_equal(take(&q), i);
    assert_int_equal(take(&q), -1); /* dry: it gathers anew */
    assert_int_equal(q.dry, 1);
    put(&q, 4);
    assert_int_equal(take(&q), -1);
}

static void a_flood_drops_the_oldest(void **state)
{
    (void)state;
    static frame_queue_t q;
    for (uint8_t i = 0; i < 100; i++) put(&q, i);
    assert_int_equal(q.count, FRAME_QUEUE_ROOM);
    assert_int_equal(q.dropped, 90);
    assert_int_equal(take(&q), 90);
}

static void delay_that_a_burst_left_is_dropped_again(void **state)
{
    (void)state;
    static frame_queue_t q;
    for (uint8_t i = 0; i < 10; i++) put(&q, i);
    for (int t = 0; t < 1500; t++) {
        assert_true(take(&q) >= 0);
        put(&q, 1);
    }
    assert_in_range(q.count, 3, 4);
    assert_int_equal(q.dry, 0);
}

static void a_fast_or_slow_browser_clock_does_not_grow_the_delay(void **state)
{
    (void)state;
    static frame_queue_t fast;
    static frame_queue_t slow;
    unsigned silent = 0;
    for (int t = 0; t < 200000; t++) { /* more than an hour, 1000 ppm off */
        put(&fast, 1);
        if (t % 1000 == 0) put(&fast, 1);
        if (t % 1000 != 0) put(&slow, 1);
        assert_true(t < 10 || take(&fast) >= 0);
        if (t >= 10 && take(&slow) < 0) silent++;
        assert_true(fast.count <= FRAME_QUEUE_ROOM && slow.count <= FRAME_QUEUE_ROOM);
    }
    assert_true(fast.count <= 5);
    assert_true(silent < 1000); /* 200 frames were missing; each dry run gathers three anew */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_time_a_tick_runs_for_each_that_passed),
        cmocka_unit_test(a_late_thread_catches_up_two_at_a_time),
        cmocka_unit_test(a_thread_that_was_stopped_leaves_ticks_out),
        cmocka_unit_test(frames_begin_when_sixty_ms_are_there_and_come_in_order),
        cmocka_unit_test(a_flood_drops_the_oldest),
        cmocka_unit_test(delay_that_a_burst_left_is_dropped_again),
        cmocka_unit_test(a_fast_or_slow_browser_clock_does_not_grow_the_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
