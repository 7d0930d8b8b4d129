/* Recordings on a real disk: whole at every moment, aligned, never in a call's way. */
#include "services/telephony/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "services/telephony/wav_file.h"

#define CALL "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER "7c9e6679-7425-40de-944b-e07fc1f90ae7"

static char folder[64];

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/recorder-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *path(const char *name)
{
    static char out[160];
    snprintf(out, sizeof out, "%s/%s", folder, name);
    return out;
}

typedef struct {
    uint32_t riff_bytes, data_bytes;
    size_t file_bytes, frames;
    int16_t *pcm; /* left, right, left ... */
} wav_t;

static wav_t read_wav(const char *name)
{
    wav_t w = {0};
    FILE *file = fopen(path(name), "rb");
    assert_non_null(file);
    uint8_t h[WAV_HEADER_BYTES];
    assert_int_equal(fread(h, 1, sizeof h, file), sizeof h);
    assert_memory_equal(h, "RIFF", 4);
    assert_memory_equal(h + 8, "WAVEfmt ", 8);
    assert_int_equal(h[22], 2);
    assert_int_equal(h[24] | h[25] << 8, 16000);
    memcpy(&w.riff_bytes, h + 4, 4);
    memcpy(&w.data_bytes, h + 40, 4);
    struct stat st;
    assert_int_equal(fstat(fileno(file), &st), 0);
    w.file_bytes = (size_t)st.st_size;
    w.frames = w.data_bytes / WAV_FRAME_BYTES;
    w.pcm = malloc(w.data_bytes + 1);
    assert_non_null(w.pcm);
    assert_int_equal(fread(w.pcm, 1, w.data_bytes, file), w.data_bytes);
    fclose(file);
    return w;
}

static void fill(int16_t *pcm, int16_t value)
{
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) pcm[i] = value;
}

static recorder_t *recorder(uint32_t retention_days)
{
    return recorder_new(&(recorder_opts_t){.folder = folder, .retention_days = retention_days});
}

static void both_sides_are_written_aligned(void **state)
{
    (void)state;
    recorder_t *r = recorder(0);
    recording_t *rec = recording_open(r, CALL);
    int16_t a[CODEC_FRAME_SAMPLES], b[CODEC_FRAME_SAMPLES];
    for (int16_t t = 1; t <= 130; t++) {
        fill(a, t);
        fill(b, (int16_t)-t);
        recording_frame(rec, t % 10 == 3 ? NULL : a, t % 10 == 7 ? NULL : b);
    }
    recording_skip(rec, 20); /* the thread was late */
    fill(a, 1000);
    recording_frame(rec, a, a);
    recording_stats_t stats;
    recording_stats(rec, &stats);
    assert_int_equal(stats.duration_ms, 151 * 20);
    recording_close(&rec);
    recorder_destroy(&r);

    wav_t w = read_wav(CALL ".wav");
    assert_int_equal(w.frames, 151 * CODEC_FRAME_SAMPLES);
    assert_int_equal(w.file_bytes, WAV_HEADER_BYTES + w.data_bytes);
    assert_int_equal(w.riff_bytes, w.data_bytes + WAV_HEADER_BYTES - 8);
    for (size_t i = 0; i < w.frames; i++) {
        int t = (int)(i / CODEC_FRAME_SAMPLES) + 1;
        int left = t > 150 ? 1000 : t > 130 || t % 10 == 3 ? 0 : t;
        int right = t > 150 ? 1000 : t > 130 || t % 10 == 7 ? 0 : -t;
        if (w.pcm[2 * i] != left || w.pcm[2 * i + 1] != right) fail_msg("wrong at frame %zu", i);
    }
    free(w.pcm);
}

/* What a killed process leaves is a file that players read, up to half a second before its end. */
static void a_killed_process_leaves_a_whole_file(void **state)
{
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        wav_file_t file;
        int16_t pcm[2 * CODEC_FRAME_SAMPLES] = {0};
        if (wav_file_open(&file, folder, CALL)) _exit(1);
        for (uint64_t t = 0; t < 100; t++) {
            pcm[0] = (int16_t)t;
            if (wav_file_put(&file, t * CODEC_FRAME_SAMPLES, pcm, CODEC_FRAME_SAMPLES)) _exit(2);
        }
        if (write(ready[1], "x", 1) != 1) _exit(3);
        for (;;) pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    wav_t w = read_wav(CALL ".wav");
    assert_int_equal(w.frames, 100 * CODEC_FRAME_SAMPLES);
    assert_int_equal(w.pcm[2 * 99 * CODEC_FRAME_SAMPLES], 99);
    free(w.pcm);
    close(ready[0]);
    close(ready[1]);
}

static void a_folder_that_cannot_be_is_reported_and_nothing_else_happens(void **state)
{
    (void)state;
    FILE *file = fopen(path("taken"), "w"); /* a file where the folder should be */
    assert_non_null(file);
    fclose(file);
    char bad[160];
    snprintf(bad, sizeof bad, "%s/taken/here", folder);
    recorder_t *r = recorder_new(&(recorder_opts_t){.folder = bad});
    recording_t *rec = recording_open(r, CALL);
    recording_stats_t stats;
    for (int i = 0; i < 1000; i++) {
        recording_frame(rec, NULL, NULL);
        recording_stats(rec, &stats);
        if (i > 100 && strcmp(stats.failure, "the disk has not answered") != 0) break;
        usleep(1000);
    }
    recording_stats(rec, &stats);
    assert_int_equal(stats.number, 0);
    assert_string_equal(stats.failure, "Not a directory");
    recording_close(&rec);
    recorder_destroy(&r);
}

/* /dev/full says that no space is left, as a full disk does. */
static void a_full_disk_ends_the_recording_not_the_call(void **state)
{
    (void)state;
    recorder_t *r = recorder_new(&(recorder_opts_t){.folder = folder, .free_mb = 1u << 30});
    recording_t *rec = recording_open(r, CALL);
    for (int i = 0; i < 400; i++) recording_frame(rec, NULL, NULL);
    recording_stats_t stats;
    recording_stats(rec, &stats);
    assert_int_equal(stats.duration_ms, 8000);
    recording_close(&rec);
    recorder_destroy(&r); /* waits for the writer, which never wrote */
    wav_t w = read_wav(CALL ".wav");
    assert_int_equal(w.frames, 0);
    free(w.pcm);

    wav_file_t file = {.fd = open("/dev/full", O_WRONLY)};
    int16_t pcm[2 * CODEC_FRAME_SAMPLES] = {0};
    assert_int_equal(wav_file_put(&file, 0, pcm, CODEC_FRAME_SAMPLES), ENOSPC);
    (void)wav_file_close(&file, 0);
}

/* The writer is held up: what it cannot take in time is lost, counted and silent, the rest is in its
 * place. */
static void hold(void *arg)
{
    int *gate = arg;
    char byte;
    assert_int_equal(read(gate[0], &byte, 1), 1);
}

static void a_slow_disk_costs_recording_not_memory_nor_time(void **state)
{
    (void)state;
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    recorder_t *r = recorder(0);
    pl_loop_post(recorder_writer_loop(r), hold, gate);
    recording_t *rec = recording_open(r, CALL);
    int16_t a[CODEC_FRAME_SAMPLES];
    for (int16_t t = 1; t <= 500; t++) { /* 10 s, of which 4 may be under way */
        fill(a, t);
        recording_frame(rec, a, NULL);
    }
    recording_stats_t stats;
    recording_stats(rec, &stats);
    assert_int_equal(stats.lost_ms, 6000);
    assert_string_equal(stats.failure, "the disk has not answered");
    assert_int_equal(write(gate[1], "x", 1), 1);
    while (recording_stats(rec, &stats), stats.number == 0 || recording_waiting(rec) > 0) {
        usleep(1000);
    }
    fill(a, 501);
    recording_frame(rec, a, NULL);
    recording_stats(rec, &stats);
    assert_string_equal(stats.failure, "");
    recording_close(&rec);
    recorder_destroy(&r);
    wav_t w = read_wav(CALL ".wav");
    assert_int_equal(w.frames, 501 * CODEC_FRAME_SAMPLES);
    assert_int_equal(w.pcm[2 * 199 * CODEC_FRAME_SAMPLES], 200);
    assert_int_equal(w.pcm[2 * 200 * CODEC_FRAME_SAMPLES], 0);
    assert_int_equal(w.pcm[2 * 499 * CODEC_FRAME_SAMPLES], 0);
    assert_int_equal(w.pcm[2 * 500 * CODEC_FRAME_SAMPLES], 501);
    free(w.pcm);
    close(gate[0]);
    close(gate[1]);
}

static void later_legs_of_a_call_get_files_of_their_own(void **state)
{
    (void)state;
    recorder_t *r = recorder(0);
    for (int leg = 0; leg < 3; leg++) {
        recording_t *rec = recording_open(r, CALL);
        recording_frame(rec, NULL, NULL);
        recording_close(&rec);
    }
    recorder_destroy(&r);
    assert_int_equal(access(path(CALL ".wav"), R_OK), 0);
    assert_int_equal(access(path(CALL ".2.wav"), R_OK), 0);
    assert_int_equal(access(path(CALL ".3.wav"), R_OK), 0);
}

static void names_are_bounded_to_calls(void **state)
{
    (void)state;
    char name[WAV_NAME_BYTES];
    assert_true(wav_file_name(CALL, 1, name));
    assert_string_equal(name, CALL ".wav");
    assert_true(wav_file_name(CALL, 12, name));
    assert_string_equal(name, CALL ".12.wav");
    assert_true(wav_file_is_name(name));
    assert_false(wav_file_name(CALL, 0, name));
    assert_false(wav_file_name(CALL, 100, name));
    assert_false(wav_file_name("../../etc/passwd", 1, name));
    assert_false(wav_file_name(CALL "/../x", 1, name));
    assert_false(wav_file_name("", 1, name));
    assert_false(wav_file_is_name("notes.txt"));
    assert_false(wav_file_is_name(CALL ".wav.bak"));
    assert_false(wav_file_is_name(CALL ".123.wav"));
    wav_file_t file;
    assert_int_equal(wav_file_open(&file, folder, "../x"), EINVAL);
}

static void old_recordings_are_deleted_and_nothing_else(void **state)
{
    (void)state;
    static const char *const names[] = {CALL ".wav", CALL ".2.wav", OTHER ".wav", "notes.wav"};
    for (size_t i = 0; i < 4; i++) {
        FILE *file = fopen(path(names[i]), "w");
        assert_non_null(file);
        fclose(file);
        time_t at = time(NULL) - (i == 1 ? 9 : 11) * 86400;
        struct utimbuf times = {at, at};
        assert_int_equal(utime(path(names[i]), &times), 0);
    }
    recorder_t *r = recorder(10);
    recorder_destroy(&r);
    assert_int_not_equal(access(path(CALL ".wav"), F_OK), 0);
    assert_int_equal(access(path(CALL ".2.wav"), F_OK), 0);
    assert_int_not_equal(access(path(OTHER ".wav"), F_OK), 0);
    assert_int_equal(access(path("notes.wav"), F_OK), 0);
}

typedef struct {
    pl_loop_t *loop;
    pl_err_t err;
    size_t size;
    uint64_t total;
    uint8_t bytes[8];
} got_t;

static void on_read(void *arg, pl_err_t err, const uint8_t *bytes, size_t size, uint64_t total)
{
    got_t *got = arg;
    got->err = err;
    got->size = size;
    got->total = total;
    if (size > 0) memcpy(got->bytes, bytes, size < 8 ? size : 8);
    pl_loop_stop(got->loop);
}

static void a_part_of_a_recording_is_read(void **state)
{
    (void)state;
    recorder_t *r = recorder(0);
    recording_t *rec = recording_open(r, CALL);
    for (int i = 0; i < 25; i++) recording_frame(rec, NULL, NULL);
    recording_close(&rec);
    recorder_destroy(&r);
    r = recorder(0);
    got_t got = {.loop = pl_loop_new()};
    recorder_read(r, got.loop, CALL, 1, 8, 4, on_read, &got);
    pl_loop_run(got.loop);
    assert_int_equal(got.err, PL_OK);
    assert_int_equal(got.size, 4);
    assert_memory_equal(got.bytes, "WAVE", 4);
    assert_int_equal(got.total, WAV_HEADER_BYTES + 25 * CODEC_FRAME_SAMPLES * WAV_FRAME_BYTES);
    recorder_read(r, got.loop, CALL, 1, got.total - 2, 1000, on_read, &got);
    pl_loop_run(got.loop);
    assert_int_equal(got.size, 2);
    recorder_read(r, got.loop, CALL, 1, got.total + 5, 1000, on_read, &got);
    pl_loop_run(got.loop);
    assert_int_equal(got.size, 0);
    assert_int_equal(got.err, PL_OK);
    static const char *const strangers[] = {OTHER, ("../" CALL), ""};
    for (size_t i = 0; i < 3; i++) {
        recorder_read(r, got.loop, strangers[i], 1, 0, 1000, on_read, &got);
        pl_loop_run(got.loop);
        assert_int_equal(got.err, PL_NOT_FOUND);
    }
    recorder_destroy(&r);
    pl_loop_destroy(&got.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_sides_are_written_aligned, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_process_leaves_a_whole_file, begin, end),
        cmocka_unit_test_setup_teardown(
            a_folder_that_cannot_be_is_reported_and_nothing_else_happens, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk_ends_the_recording_not_the_call, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_disk_costs_recording_not_memory_nor_time, begin,
                                        end),
        cmocka_unit_test_setup_teardown(later_legs_of_a_call_get_files_of_their_own, begin, end),
        cmocka_unit_test_setup_teardown(names_are_bounded_to_calls, begin, end),
        cmocka_unit_test_setup_teardown(old_recordings_are_deleted_and_nothing_else, begin, end),
        cmocka_unit_test_setup_teardown(a_part_of_a_recording_is_read, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
