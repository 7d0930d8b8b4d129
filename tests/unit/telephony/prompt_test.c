/* prompt_test.c - WAV files, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "services/telephony/prompt.h"
#include "services/telephony/sounds.h"

static const uint8_t small[] = {'R',  'I',  'F', 'F', 40, 0,    0, 0, 'W',  'A',  'V',  'E',
                                'f',  'm',  't', ' ', 16, 0,    0, 0, 1,    0,    1,    0,
                                0x80, 0x3e, 0,   0,   0,  0x7d, 0, 0, 2,    0,    16,   0,
                                'd',  'a',  't', 'a', 4,  0,    0, 0, 0x34, 0x12, 0xff, 0xff};

static void the_sound_in_the_program_can_be_played(void **state)
{
    (void)state;
    size_t bytes = 0;
    const uint8_t *wav = sounds_owner_lost(&bytes);
    prompt_t prompt = {0};
    assert_int_equal(prompt_parse(&prompt, wav, bytes), PL_OK);
    assert_in_range(prompt_ms(&prompt), 2000, 15000);
    int loudest = 0;
    for (size_t i = 0; i < prompt.samples; i++) {
        if (abs(prompt.pcm[i]) > loudest) loudest = abs(prompt.pcm[i]);
    }
    assert_true(loudest > 3000);
    prompt_free(&prompt);
}

static void samples_are_little_endian(void **state)
{
    (void)state;
    prompt_t prompt = {0};
    assert_int_equal(prompt_parse(&prompt, small, sizeof(small)), PL_OK);
    assert_int_equal(prompt.samples, 2);
    assert_int_equal(prompt.pcm[0], 0x1234);
    assert_int_equal(prompt.pcm[1], -1);
    prompt_free(&prompt);
}

static void other_kinds_of_file_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 'X'}, {8, 'X'}, {12, 'X'}, {16, 15}, {20, 3}, {22, 2},
                   {24, 0},  {34, 8},  {36, 'X'}, {40, 0},  {40, 5}, {43, 0xff}};
    prompt_t prompt = {0};
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        uint8_t wav[sizeof(small)];
        memcpy(wav, small, sizeof(small));
        wav[changes[i].at] = changes[i].value;
        assert_int_equal(prompt_parse(&prompt, wav, sizeof(wav)), PL_INVALID);
    }
    for (size_t cut = 0; cut < sizeof(small); cut++) { /* exact allocations show overruns */
        uint8_t *wav = malloc(cut + 1);
        memcpy(wav, small, cut);
        assert_int_equal(prompt_parse(&prompt, wav, cut), PL_INVALID);
        free(wav);
    }
    assert_null(prompt.pcm);
}

static void no_damaged_file_breaks_anything(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t wav[sizeof(small)];
        memcpy(wav, small, sizeof(small));
        for (unsigned hit = 0; hit < 1 + round % 4; hit++) {
            seed = seed * 1664525U + 1013904223U;
            wav[(seed >> 8) % sizeof(wav)] = (uint8_t)(seed >> 24);
        }
        prompt_t prompt = {0};
        if (prompt_parse(&prompt, wav, sizeof(wav)) == PL_OK) {
            assert_in_range(prompt.samples, 1, 2);
            prompt_free(&prompt);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sound_in_the_program_can_be_played),
        cmocka_unit_test(samples_are_little_endian),
        cmocka_unit_test(other_kinds_of_file_are_refused),
        cmocka_unit_test(no_damaged_file_breaks_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
