#include "tools/callsim/mark.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/speech/providers/flite_voice.h"

typedef struct {
    int16_t *pcm;
    size_t samples;
} line_t;

/* How many marks are there at all. */
static size_t kinds(const marks_t *marks)
{
    size_t count = 0;
    for (int band = 0; band < MARK_BANDS; band++) {
        for (int n = 1; n <= MARK_MAX; n++) count += marks->ms[band][n] > 0;
    }
    return count;
}

static const char *const lines[] = {
    "plus one five five five zero one zero zero zero seven six",
    "She sells sea shells on the sea shore, and fresh fish as well.",
    "Yes, that is right. Thank you, goodbye.",
};
enum { LINES = sizeof lines / sizeof *lines };
static const char *const voices[] = {"rms", "slt", "awb"};
enum { VOICES = sizeof voices / sizeof *voices };
static line_t said[VOICES][LINES];

static int say_all(void **state)
{
    (void)state;
    for (size_t v = 0; v < VOICES; v++) {
        for (size_t l = 0; l < LINES; l++) {
            line_t *line = &said[v][l];
            if (flite_voice_say(voices[v], 1.0, lines[l], &line->pcm, &line->samples)) return -1;
        }
    }
    return 0;
}

static int forget_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < (size_t)VOICES * LINES; i++) free(said[i / LINES][i % LINES].pcm);
    return 0;
}

/* A copy, to be freed. */
static line_t say(size_t voice, size_t line)
{
    line_t copy = said[voice % VOICES][line % LINES];
    size_t bytes = copy.samples * sizeof *copy.pcm;
    copy.pcm = memcpy(malloc(bytes), copy.pcm, bytes);
    return copy;
}

static void a_voice_alone_has_no_mark(void **state)
{
    (void)state;
    for (size_t i = 0; i < (size_t)VOICES * LINES; i++) {
        line_t line = say(i, i / 3);
        marks_t marks;
        mark_find(line.pcm, line.samples, 1, &marks);
        assert_int_equal(kinds(&marks), 0);
        free(line.pcm);
    }
}

static void each_mark_is_found_and_no_other(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= MARK_MAX; n++) {
        for (int band = 0; band < MARK_BANDS; band++) {
            line_t line = say(n, n / 3);
            mark_add(line.pcm, line.samples, (mark_band_t)band, n, 0);
            marks_t marks;
            mark_find(line.pcm, line.samples, 1, &marks);
            assert_int_equal(kinds(&marks), 1);
            assert_true(marks.ms[band][n] > line.samples / 16 / 3);
            free(line.pcm);
        }
    }
}

/* What the checker of recordings relies on: somebody else's frames, however few, are seen. */
static void a_fifth_of_a_second_of_another_is_found(void **state)
{
    (void)state;
    const size_t leak = (size_t)MARK_HZ * MARK_LEAST_MS / 1000;
    const size_t from = (size_t)MARK_HZ * 320 / 1000;
    size_t samples = said[0][0].samples;
    for (size_t at = MARK_HZ / 2; at + leak < samples; at += samples / 5) {
        line_t mixed = say(0, 0);
        mark_add(mixed.pcm, mixed.samples, MARK_CALLER, 7, 0);
        line_t other = say(0, 1);
        mark_add(other.pcm, other.samples, MARK_CALLER, 33, 0);
        memcpy(mixed.pcm + at, other.pcm + from, leak * sizeof *other.pcm);
        marks_t marks;
        mark_find(mixed.pcm, mixed.samples, 1, &marks);
        assert_true(marks.ms[MARK_CALLER][7] > 0);
        assert_true(marks.ms[MARK_CALLER][33] > 0);
        free(other.pcm);
        free(mixed.pcm);
    }
}

static void two_at_once_are_more_than_one(void **state)
{
    (void)state;
    line_t line = say(0, 0);
    mark_add(line.pcm, line.samples, MARK_CALLER, 12, 0);
    mark_add(line.pcm, line.samples, MARK_CALLER, 40, 3200);
    marks_t marks;
    mark_find(line.pcm, line.samples, 1, &marks);
    assert_true(marks.ms[MARK_CALLER][12] > 0);
    assert_true(marks.ms[MARK_CALLER][40] > 0);
    free(line.pcm);
}

static void a_number_that_is_no_mark_adds_nothing(void **state)
{
    (void)state;
    int16_t pcm[MARK_HZ / 10] = {0};
    mark_add(pcm, MARK_HZ / 10, MARK_BOT, 0, 0);
    mark_add(pcm, MARK_HZ / 10, MARK_BOT, MARK_MAX + 1, 0);
    for (size_t i = 0; i < MARK_HZ / 10; i++) assert_int_equal(pcm[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_alone_has_no_mark),
        cmocka_unit_test(each_mark_is_found_and_no_other),
        cmocka_unit_test(a_fifth_of_a_second_of_another_is_found),
        cmocka_unit_test(two_at_once_are_more_than_one),
        cmocka_unit_test(a_number_that_is_no_mark_adds_nothing),
    };
    return cmocka_run_group_tests(tests, say_all, forget_all);
}
