/* features_test.c - flags: where a value comes from, what a wrong one leaves, and that a changed
 * file is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/features.h"

static const pl_config_key_t no_keys[] = {{NULL, 0, NULL, 0, 0, NULL}};

static pl_config_t *config(const char *yaml)
{
    char errors[1024];
    pl_config_t *cfg = pl_config_parse("speech", no_keys, "f.yaml", yaml, errors, sizeof errors);
    if (!cfg) fail_msg("%s", errors);
    return cfg;
}

static void the_configuration_gives_what_the_file_does_not(void **state)
{
    (void)state;
    pl_config_t *cfg = config("features: {file: '', recognition_retry_max: 5}");
    pl_features_t *features = pl_features_new(NULL, cfg, NULL, NULL);
    assert_int_equal(pl_features_int(features, PL_FEATURE_recognition_retry_max), 5);
    assert_int_equal(pl_features_int(features, PL_FEATURE_answer_hard_timeout_sec), 15);
    assert_true(pl_features_double(features, PL_FEATURE_vad_threshold) == 0.5);
    assert_int_equal(pl_features_read(features, "x", "recognition_retry_max: 2\n"), 1);
    assert_int_equal(pl_features_int(features, PL_FEATURE_recognition_retry_max), 2);
    assert_int_equal(pl_features_read(features, "x", NULL), 1); /* the file is gone */
    assert_int_equal(pl_features_int(features, PL_FEATURE_recognition_retry_max), 5);
    pl_features_destroy(&features);
    pl_config_destroy(&cfg);
}

static void zero_and_false_mean_zero_and_false(void **state)
{
    (void)state;
    pl_config_t *cfg = config("features: {file: '', slow_llm_for_chat: true}");
    pl_features_t *features = pl_features_new(NULL, cfg, NULL, NULL);
    assert_true(pl_features_bool(features, PL_FEATURE_slow_llm_for_chat));
    assert_int_equal(
        pl_features_read(features, "x", "slow_llm_for_chat: false\ncallback_timeout_hour: 0\n"), 2);
    assert_false(pl_features_bool(features, PL_FEATURE_slow_llm_for_chat));
    assert_int_equal(pl_features_int(features, PL_FEATURE_callback_timeout_hour), 0);
    pl_features_destroy(&features);
    pl_config_destroy(&cfg);
}

static void a_bad_value_keeps_the_last_good_one(void **state)
{
    (void)state;
    static const char *const wrong[] = {"0.05", "1.1", "nan", "inf", "loud", "''", "[0.4]", "0.4x"};
    pl_config_t *cfg = config("features: {file: ''}");
    pl_features_t *features = pl_features_new(NULL, cfg, NULL, NULL);
    (void)pl_features_read(features, "x", "vad_threshold: 0.7\nrecording_enabled: true\n");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[128];
        snprintf(text, sizeof text, "vad_threshold: %s\nrecording_enabled: 1\nloudness: 3\n",
                 wrong[i]);
        assert_int_equal(pl_features_read(features, "x", text), 0);
        assert_true(pl_features_double(features, PL_FEATURE_vad_threshold) == 0.7);
        assert_true(pl_features_bool(features, PL_FEATURE_recording_enabled));
    }
    /* A wrong value beside good ones costs these nothing. */
    assert_int_equal(
        pl_features_read(features, "x", "vad_threshold: 9\nvad_cutoff_timeout_ms: 300\n"), 2);
    assert_int_equal(pl_features_int(features, PL_FEATURE_vad_cutoff_timeout_ms), 300);
    assert_true(pl_features_double(features, PL_FEATURE_vad_threshold) == 0.7);
    pl_features_destroy(&features);
    pl_config_destroy(&cfg);
}

static void half_a_file_changes_nothing(void **state)
{
    (void)state;
    pl_config_t *cfg = config("features: {file: ''}");
    pl_features_t *features = pl_features_new(NULL, cfg, NULL, NULL);
    (void)pl_features_read(features, "x", "answer_hard_timeout_sec: 20\n");
    assert_int_equal(pl_features_read(features, "x", "answer_soft_timeout_sec: 2\nanswer_hard_ti"),
                     0);
    assert_int_equal(pl_features_read(features, "x", "answer_soft_timeout_sec: [2\n"), 0);
    assert_int_equal(pl_features_int(features, PL_FEATURE_answer_hard_timeout_sec), 20);
    assert_int_equal(pl_features_int(features, PL_FEATURE_answer_soft_timeout_sec), 4);
    pl_features_destroy(&features);
    pl_config_destroy(&cfg);
}

/* ---- the watch ---- */

typedef struct {
    pl_loop_t *loop;
    char file[64];
    int changes;
} watch_t;

static void write_file(const char *name, const char *text)
{
    char next[80];
    snprintf(next, sizeof next, "%s.next", name);
    FILE *file = fopen(next, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(next, name), 0);
}

static void on_changed(void *arg)
{
    watch_t *watch = arg;
    watch->changes++;
    pl_loop_stop(watch->loop);
}

static void on_late(void *arg)
{
    pl_loop_stop(((watch_t *)arg)->loop);
}

static void a_changed_file_is_seen_within_a_second(void **state)
{
    (void)state;
    watch_t watch = {.loop = pl_loop_new(), .file = "/tmp/parley-features-XXXXXX"};
    int fd = mkstemp(watch.file);
    assert_true(fd >= 0);
    (void)close(fd);
    char yaml[128];
    snprintf(yaml, sizeof yaml, "features: {file: %s}", watch.file);
    pl_config_t *cfg = config(yaml);
    pl_features_t *features = pl_features_new(watch.loop, cfg, on_changed, &watch);
    write_file(watch.file, "phone_silence_timeout_sec: 7\n");
    uint64_t begun_ms = pl_clock_ms();
    pl_timer_t *late = pl_timer_start(watch.loop, 20000, 0, on_late, &watch);
    pl_loop_run(watch.loop);
    assert_int_equal(watch.changes, 1);
    assert_true(pl_clock_ms() - begun_ms < 20000);
    assert_int_equal(pl_features_int(features, PL_FEATURE_phone_silence_timeout_sec), 7);
    assert_int_equal(unlink(watch.file), 0);
    pl_loop_run(watch.loop);
    assert_int_equal(watch.changes, 2);
    assert_int_equal(pl_features_int(features, PL_FEATURE_phone_silence_timeout_sec), 20);
    pl_timer_stop(&late);
    pl_features_destroy(&features);
    pl_config_destroy(&cfg);
    pl_loop_destroy(&watch.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_gives_what_the_file_does_not),
        cmocka_unit_test(zero_and_false_mean_zero_and_false),
        cmocka_unit_test(a_bad_value_keeps_the_last_good_one),
        cmocka_unit_test(half_a_file_changes_nothing),
        cmocka_unit_test(a_changed_file_is_seen_within_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
