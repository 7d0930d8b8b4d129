#include "tools/callsim/wav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file[] = "/tmp/callsim-wav-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file);
    if (fd < 0) return -1;
    close(fd);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

static void write_bytes(const void *bytes, size_t count)
{
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

static void what_is_saved_is_loaded_again(void **state)
{
    (void)state;
    int16_t pcm[5000];
    for (int i = 0; i < 5000; i++) pcm[i] = (int16_t)(i * 13 - 30000);
    assert_int_equal(wav_save(file, pcm, 5000), PL_OK);
    int16_t *back = NULL;
    size_t samples = 0;
    assert_int_equal(wav_load(file, &back, &samples), PL_OK);
    assert_int_equal(samples, 5000);
    assert_memory_equal(back, pcm, sizeof pcm);
    free(back);
}

static void a_stereo_recording_has_both_sides_interleaved_and_true_lengths(void **state)
{
    (void)state;
    int16_t left[1500];
    int16_t right[1500];
    for (int i = 0; i < 1500; i++) {
        left[i] = (int16_t)i;
        right[i] = (int16_t)-i;
    }
    wav_writer_t *writer = NULL;
    assert_int_equal(wav_open(&writer, file, 2), PL_OK);
    wav_write_stereo(writer, left, right, 1500);
    assert_int_equal(wav_close(&writer), PL_OK);
    assert_null(writer);
    assert_int_equal(wav_close(&writer), PL_OK);
    uint8_t bytes[44 + 6000];
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    assert_int_equal(fread(bytes, 1, sizeof bytes, in), sizeof bytes);
    assert_int_equal(fgetc(in), EOF);
    fclose(in);
    assert_memory_equal(bytes, "RIFF", 4);
    assert_int_equal(bytes[22], 2);
    assert_int_equal(bytes[40] | bytes[41] << 8, 6000);
    assert_int_equal(bytes[4] | bytes[5] << 8, 6036);
    assert_int_equal((int16_t)(bytes[44 + 4 * 700] | bytes[45 + 4 * 700] << 8), 700);
    assert_int_equal((int16_t)(bytes[46 + 4 * 700] | bytes[47 + 4 * 700] << 8), -700);
}

static void malformed_files_are_refused(void **state)
{
    (void)state;
    int16_t *pcm = NULL;
    size_t samples = 0;
    int16_t some[100] = {1};
    assert_int_equal(wav_save(file, some, 100), PL_OK);
    uint8_t good[244];
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    assert_int_equal(fread(good, 1, sizeof good, in), sizeof good);
    fclose(in);
    for (size_t cut = 0; cut < 44; cut++) {
        write_bytes(good, cut);
        assert_int_equal(wav_load(file, &pcm, &samples), PL_INVALID);
    }
    static const struct {
        size_t at;
        uint8_t value;
    } spoilt[] = {{0, 'X'}, {8, 'X'}, {20, 3}, {22, 2}, {24, 0}, {34, 8}, {36, 'X'}, {19, 0xff}};
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        uint8_t bad[sizeof good];
        memcpy(bad, good, sizeof good);
        bad[spoilt[i].at] = spoilt[i].value;
        write_bytes(bad, sizeof bad);
        assert_int_equal(wav_load(file, &pcm, &samples), PL_INVALID);
    }
    assert_null(pcm);
    /* a length beyond the file: what is there is taken */
    good[42] = 0xff;
    write_bytes(good, sizeof good);
    assert_int_equal(wav_load(file, &pcm, &samples), PL_OK);
    assert_int_equal(samples, 100);
    free(pcm);
    assert_int_equal(wav_load("/nonexistent/x.wav", &pcm, &samples), PL_UNAVAILABLE);
    wav_writer_t *writer = NULL;
    assert_int_equal(wav_open(&writer, "/nonexistent/x.wav", 1), PL_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_loaded_again),
        cmocka_unit_test(a_stereo_recording_has_both_sides_interleaved_and_true_lengths),
        cmocka_unit_test(malformed_files_are_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
