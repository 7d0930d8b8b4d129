/* room_test.c - noise, music, coughs, echo and bad networks, all out of a seed. */
#include "tools/callsim/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/path.h"

static double level_db(const int16_t *pcm, size_t samples)
{
    double sum = 0;
    for (size_t i = 0; i < samples; i++) sum += (double)pcm[i] * pcm[i];
    return 10 * log10(sum / (double)samples / (32768.0 * 32768.0) + 1e-12);
}

static void every_noise_has_its_level_and_is_the_same_for_the_same_seed(void **state)
{
    (void)state;
    enum { SAMPLES = 5 * NOISE_HZ };
    for (int kind = NOISE_WHITE; kind < NOISE_KINDS; kind++) {
        int16_t *a = noise_make((noise_kind_t)kind, 7, SAMPLES, -35);
        int16_t *b = noise_make((noise_kind_t)kind, 7, SAMPLES, -35);
        int16_t *c = noise_make((noise_kind_t)kind, 8, SAMPLES, -35);
        double level = level_db(a, SAMPLES);
        print_message("%s: %.2f dB\n", noise_name((noise_kind_t)kind), level);
        assert_true(fabs(level + 35) < 0.3);
        if (kind != NOISE_BABBLE) assert_memory_equal(a, b, SAMPLES * sizeof *a);
        assert_memory_not_equal(a, c, SAMPLES * sizeof *a);
        assert_int_equal(noise_find(noise_name((noise_kind_t)kind)), kind);
        free(a);
        free(b);
        free(c);
    }
    assert_int_equal(noise_find("rain"), NOISE_KINDS);
}

static void a_cough_is_short_loud_at_first_and_over(void **state)
{
    (void)state;
    size_t samples = 0;
    int16_t *pcm = noise_cough(5, 200, -18, &samples);
    assert_int_equal(samples, 3200);
    double begin = level_db(pcm, 800);
    double end = level_db(pcm + 2400, 800);
    assert_true(begin > -24 && end < begin - 8);
    free(pcm);
}

/* A room with an echo: the click comes back later and softer. */
static void what_the_earpiece_plays_comes_back_delayed_and_softer(void **state)
{
    (void)state;
    room_opts_t opts = {.seed = 3, .echo_db = -20, .echo_delay_ms = 100, .reverb_ms = 0};
    room_t *room = room_new(&opts);
    int16_t none[ROOM_FRAME] = {0};
    int16_t ear[ROOM_FRAME] = {0};
    ear[0] = 20000;
    size_t heard_at = 0;
    int heard = 0;
    for (size_t f = 0; f < 20; f++) {
        int16_t out[ROOM_FRAME];
        room_mic(room, none, f == 0 ? ear : none, out);
        for (size_t i = 0; i < ROOM_FRAME; i++) {
            if (abs(out[i]) <= heard) continue;
            heard = abs(out[i]);
            heard_at = f * ROOM_FRAME + i;
        }
    }
    assert_int_equal(heard_at, 1600);
    assert_in_range(heard, 1990, 2010);
    room_destroy(&room);
    room_destroy(&room);
}

static void an_echo_of_a_room_has_its_level(void **state)
{
    (void)state;
    room_opts_t opts = {.seed = 3, .echo_db = -20, .echo_delay_ms = 60, .reverb_ms = 80};
    room_t *room = room_new(&opts);
    int16_t *played = noise_make(NOISE_WHITE, 4, 100 * ROOM_FRAME, -20);
    int16_t none[ROOM_FRAME] = {0};
    int16_t *mic = calloc(100 * ROOM_FRAME, sizeof *mic);
    for (size_t f = 0; f < 100; f++)
        room_mic(room, none, played + f * ROOM_FRAME, mic + f * ROOM_FRAME);
    double echo = level_db(mic + 20 * ROOM_FRAME, 80 * ROOM_FRAME);
    print_message("echo: %.1f dB\n", echo);
    assert_true(fabs(echo + 40) < 1.5);
    free(mic);
    free(played);
    room_destroy(&room);
}

static void noise_is_that_much_below_the_voice(void **state)
{
    (void)state;
    room_opts_t opts = {.seed = 3, .noise = NOISE_STREET, .snr_db = 15};
    room_t *room = room_new(&opts);
    int16_t none[ROOM_FRAME] = {0};
    static int16_t mic[1000 * ROOM_FRAME];
    for (size_t f = 0; f < 1000; f++) room_mic(room, none, none, mic + f * ROOM_FRAME);
    assert_true(fabs(level_db(mic, 1000 * ROOM_FRAME) + 35) < 0.5);
    room_destroy(&room);
}

static void a_clean_path_delivers_all_in_order_after_its_delay(void **state)
{
    (void)state;
    path_opts_t opts = {.seed = 1, .delay_us = 30000};
    path_t *path = path_new(&opts);
    for (uint32_t i = 0; i < 100; i++) path_put(path, i * 20000ULL, &i, sizeof i);
    uint8_t out[PATH_BYTES_MAX];
    assert_int_equal(path_take(path, 29999, out), 0);
    assert_int_equal(path_due_us(path), 30000);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t got = 0;
        assert_int_equal(path_take(path, 10000000, out), sizeof got);
        memcpy(&got, out, sizeof got);
        assert_int_equal(got, i);
    }
    assert_true(path_due_us(path) == UINT64_MAX);
    path_destroy(&path);
    path_destroy(&path);
}

static void a_bad_path_loses_and_reorders_its_share_the_same_each_time(void **state)
{
    (void)state;
    path_opts_t opts = {.seed = 9, .loss = 0.05, .reorder = 0.03, .jitter_us = 15000};
    uint64_t sums[2] = {0};
    for (int round = 0; round < 2; round++) {
        path_t *path = path_new(&opts);
        uint32_t got = 0;
        uint32_t last = 0;
        uint32_t swapped = 0;
        for (uint32_t i = 1; i <= 10000; i++) {
            uint64_t now = i * 20000ULL;
            path_put(path, now, &i, sizeof i);
            uint32_t n = 0;
            while (path_take(path, now, &n)) {
                got++;
                swapped += n < last;
                last = n;
                sums[round] = sums[round] * 31 + n;
            }
        }
        print_message("%u of 10000 arrived, %u out of order\n", got, swapped);
        assert_in_range(got, 9350, 9650);
        assert_in_range(swapped, 150, 450);
        path_destroy(&path);
    }
    assert_true(sums[0] == sums[1]);
}

static void losses_can_come_in_bursts(void **state)
{
    (void)state;
    path_opts_t opts = {.seed = 9, .loss = 0.02, .burst = 0.7};
    path_t *path = path_new(&opts);
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t n = 0;
        path_put(path, i, &i, sizeof i);
        while (path_take(path, i, &n)) {
        }
    }
    path_stats_t stats;
    path_stats(path, &stats);
    assert_int_equal(stats.put, 5000);
    assert_in_range(stats.lost, 200, 480); /* each takes two more along */
    path_destroy(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_noise_has_its_level_and_is_the_same_for_the_same_seed),
        cmocka_unit_test(a_cough_is_short_loud_at_first_and_over),
        cmocka_unit_test(what_the_earpiece_plays_comes_back_delayed_and_softer),
        cmocka_unit_test(an_echo_of_a_room_has_its_level),
        cmocka_unit_test(noise_is_that_much_below_the_voice),
        cmocka_unit_test(a_clean_path_delivers_all_in_order_after_its_delay),
        cmocka_unit_test(a_bad_path_loses_and_reorders_its_share_the_same_each_time),
        cmocka_unit_test(losses_can_come_in_bursts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
