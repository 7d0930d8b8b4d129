/* job_test.c - the life of a job: put, taken, reported, given up, retried. */
#include "services/persistence/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALL "11111111-1111-4111-8111-111111111111"
enum { NOW = 1000000, LEASE = 60000 };

static char detail[JOB_DETAIL_BYTES];

static Pl__JobSpec spec_of(const char *payload, int64_t run_at_ms)
{
    Pl__JobSpec spec = PL__JOB_SPEC__INIT;
    spec.key = "synthesis/" CALL;
    spec.kind = "synthesis";
    spec.payload.data = (uint8_t *)payload;
    spec.payload.len = strlen(payload);
    spec.run_at_ms = run_at_ms;
    spec.max_attempts = 3;
    return spec;
}

static bool put(Pl__Job **job_p, const char *payload, int64_t run_at_ms, Pl__JobMode mode,
                int64_t now_ms)
{
    bool changed = false;
    Pl__JobSpec spec = spec_of(payload, run_at_ms);
    spec.mode = mode;
    assert_int_equal(job_put(job_p, &spec, CALL, now_ms, &changed, detail), PL_OK);
    return changed;
}

static Pl__Job *waiting(void)
{
    Pl__Job *job = NULL;
    assert_true(put(&job, "x", 0, PL__JOB_MODE__JOB_KEEP, NOW));
    assert_int_equal(job->state, PL__JOB_STATE__JOB_WAITING);
    return job;
}

/* Taken at now_ms; its lease. */
static uint64_t taken(Pl__Job *job, int64_t now_ms)
{
    assert_true(job_due_ms(job) <= now_ms);
    assert_true(job_take(job, "dialogue-0", LEASE, now_ms));
    assert_int_equal(job->state, PL__JOB_STATE__JOB_LEASED);
    assert_int_equal(job->lease_until_ms, now_ms + LEASE);
    return job->lease;
}

static pl_err_t done(Pl__Job *job, uint64_t lease, bool *repeated)
{
    bool again = false;
    pl_err_t err = job_done(job, lease, NOW + 1, &again, detail);
    if (repeated) *repeated = again;
    return err;
}

static pl_err_t failed(Pl__Job *job, uint64_t lease, const char *reason, int64_t now_ms)
{
    Pl__JobFail fail = PL__JOB_FAIL__INIT;
    fail.lease = lease;
    fail.reason = (char *)reason;
    return job_fail(job, &fail, now_ms, detail);
}

/* ---- put ---- */

static void the_same_work_is_one_job(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    assert_false(put(&job, "other words", 99, PL__JOB_MODE__JOB_KEEP, NOW + 5));
    assert_int_equal(job->payload.len, 1);
    assert_int_equal(job->changed_at_ms, NOW);
    assert_int_equal(done(job, taken(job, NOW), NULL), PL_OK);
    assert_false(put(&job, "x", 0, PL__JOB_MODE__JOB_KEEP, NOW + 9)); /* nor is it done again */
    assert_int_equal(job->state, PL__JOB_STATE__JOB_DONE);
    job_free(&job);
    assert_null(job);
}

static void a_key_of_other_work_is_refused(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    bool changed = false;
    Pl__JobSpec spec = spec_of("x", 0);
    spec.kind = "next";
    assert_int_equal(job_put(&job, &spec, CALL, NOW, &changed, detail), PL_INVALID);
    assert_non_null(strstr(detail, "of kind synthesis"));
    spec.kind = "synthesis";
    assert_int_equal(job_put(&job, &spec, "", NOW, &changed, detail), PL_INVALID);
    assert_non_null(strstr(detail, "another call"));
    assert_false(changed);
    job_free(&job);
}

static void a_replaced_job_waits_anew_and_its_worker_loses_the_lease(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    uint64_t lease = taken(job, NOW);
    assert_false(put(&job, "x", 0, PL__JOB_MODE__JOB_REPLACE, NOW)); /* the very same */
    assert_int_equal(job->state, PL__JOB_STATE__JOB_LEASED);
    assert_true(put(&job, "y", 0, PL__JOB_MODE__JOB_REPLACE, NOW));
    assert_int_equal(job->state, PL__JOB_STATE__JOB_WAITING);
    assert_int_equal(job->attempts, 0);
    assert_int_equal(job->payload.data[0], 'y');
    assert_int_equal(done(job, lease, NULL), PL_STALE);
    assert_int_equal(done(job, taken(job, NOW), NULL), PL_OK);
    assert_true(put(&job, "y", NOW + 5000, PL__JOB_MODE__JOB_REPLACE, NOW)); /* done, and again */
    assert_int_equal(job->state, PL__JOB_STATE__JOB_WAITING);
    assert_int_equal(job_due_ms(job), NOW + 5000);
    job_free(&job);
}

static void a_repeated_put_does_not_disturb_a_job_that_failed_once(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    assert_int_equal(failed(job, taken(job, NOW), "no model", NOW), PL_OK);
    int64_t due_ms = job_due_ms(job);
    assert_false(put(&job, "x", 0, PL__JOB_MODE__JOB_REPLACE, NOW));
    assert_int_equal(job_due_ms(job), due_ms);
    assert_int_equal(job->attempts, 1);
    job_free(&job);
}

static void a_dropped_job_is_never_taken(void **state)
{
    (void)state;
    Pl__Job *job = NULL;
    assert_false(put(&job, "x", 0, PL__JOB_MODE__JOB_DROP, NOW));
    assert_null(job);
    job = waiting();
    uint64_t lease = taken(job, NOW);
    assert_true(put(&job, "x", 0, PL__JOB_MODE__JOB_DROP, NOW));
    assert_int_equal(job_due_ms(job), INT64_MAX);
    bool again = true;
    assert_int_equal(done(job, lease, &again), PL_STALE);
    assert_false(put(&job, "x", 0, PL__JOB_MODE__JOB_DROP, NOW));
    job_free(&job);
}

static void specs_out_of_bounds_are_refused_by_field(void **state)
{
    (void)state;
    static char long_key[JOB_KEY_BYTES_MAX + 2];
    memset(long_key, 'k', sizeof long_key - 1);
    static char large[JOB_PAYLOAD_BYTES_MAX + 1];
    Pl__JobSpec spec = spec_of("x", 0);
    assert_int_equal(job_check(&spec, detail), PL_OK);
    const char *bad_kinds[] = {"", "Synthesis", "sms report", "x/y",
                               "a_kind_of_more_than_thirty_two_chars"};
    for (size_t i = 0; i < sizeof bad_kinds / sizeof *bad_kinds; i++) {
        spec.kind = (char *)bad_kinds[i];
        assert_int_equal(job_check(&spec, detail), PL_INVALID);
        assert_non_null(strstr(detail, "kind"));
    }
    spec = spec_of("x", 0);
    spec.key = "";
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    spec.key = "a\xff";
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    assert_non_null(strstr(detail, "UTF-8"));
    spec.key = long_key;
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    assert_non_null(strstr(detail, "key"));
    spec = spec_of("x", -1);
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    assert_non_null(strstr(detail, "run_at_ms"));
    spec = spec_of("x", 0);
    spec.payload.data = (uint8_t *)large;
    spec.payload.len = sizeof large;
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    assert_non_null(strstr(detail, "payload"));
    spec = spec_of("x", 0);
    spec.max_attempts = JOB_ATTEMPTS_MAX + 1;
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    spec.max_attempts = 0;
    spec.mode = (Pl__JobMode)17;
    assert_int_equal(job_check(&spec, detail), PL_INVALID);
    assert_non_null(strstr(detail, "mode"));
}

/* ---- leases ---- */

static void a_lease_that_ran_out_is_taken_again_and_the_former_holder_refused(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    uint64_t first = taken(job, NOW);
    assert_int_equal(job_due_ms(job), NOW + LEASE);
    uint64_t second = taken(job, NOW + LEASE);
    assert_true(second > first);
    assert_int_equal(job->attempts, 2);
    assert_non_null(strstr(job->last_error, "never reported"));
    assert_int_equal(done(job, first, NULL), PL_STALE);
    assert_int_equal(failed(job, first, "late", NOW), PL_STALE);
    Pl__JobRenew renew = PL__JOB_RENEW__INIT;
    renew.lease = first;
    renew.lease_ms = LEASE;
    assert_int_equal(job_renew(job, &renew, NOW, detail), PL_STALE);
    assert_int_equal(done(job, second, NULL), PL_OK);
    job_free(&job);
}

static void a_late_report_is_taken_as_long_as_nobody_else_has_the_job(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    uint64_t lease = taken(job, NOW);
    bool again = true;
    assert_int_equal(job_done(job, lease, NOW + 2 * LEASE, &again, detail), PL_OK);
    assert_false(again);
    job_free(&job);
}

static void done_twice_under_one_lease_is_once(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    uint64_t lease = taken(job, NOW);
    bool again = true;
    assert_int_equal(done(job, lease, &again), PL_OK);
    assert_false(again);
    assert_int_equal(done(job, lease, &again), PL_OK);
    assert_true(again);
    assert_int_equal(failed(job, lease, "on second thoughts", NOW), PL_STALE);
    job_free(&job);
}

static void a_renewed_lease_lasts_and_keeps_what_was_noted(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    Pl__JobRenew renew = PL__JOB_RENEW__INIT;
    renew.lease = taken(job, NOW);
    renew.lease_ms = LEASE;
    renew.note = 1;
    renew.progress = (ProtobufCBinaryData){7, (uint8_t *)"sending"};
    assert_int_equal(job_renew(job, &renew, NOW + 50000, detail), PL_OK);
    assert_int_equal(job_due_ms(job), NOW + 50000 + LEASE);
    renew.note = 0;
    renew.progress = (ProtobufCBinaryData){0};
    assert_int_equal(job_renew(job, &renew, NOW + 60000, detail), PL_OK);
    (void)taken(job, NOW + 60000 + LEASE);
    assert_int_equal(job->progress.len, 7); /* for whoever goes on */
    assert_memory_equal(job->progress.data, "sending", 7);
    job_free(&job);
}

static void a_lease_number_is_not_used_again_by_a_job_made_anew(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    uint64_t lease = taken(job, NOW);
    job_free(&job); /* swept, long after */
    assert_true(put(&job, "x", 0, PL__JOB_MODE__JOB_KEEP, NOW + 10000));
    assert_true(taken(job, NOW + 10000) > lease);
    job_free(&job);
}

/* ---- failures ---- */

static void failures_are_retried_later_and_later_and_then_given_up_with_the_reason(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    int64_t now_ms = NOW;
    int64_t pauses[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(failed(job, taken(job, now_ms), "the model is away", now_ms), PL_OK);
        assert_int_equal(job->state, PL__JOB_STATE__JOB_WAITING);
        assert_string_equal(job->last_error, "the model is away");
        pauses[i] = job_due_ms(job) - now_ms;
        now_ms = job_due_ms(job);
    }
    assert_in_range(pauses[0], JOB_PAUSE_FIRST_MS / 2, JOB_PAUSE_FIRST_MS);
    assert_in_range(pauses[1], JOB_PAUSE_FIRST_MS, 2 * JOB_PAUSE_FIRST_MS);
    assert_int_equal(failed(job, taken(job, now_ms), "still away", now_ms), PL_OK);
    assert_int_equal(job->state, PL__JOB_STATE__JOB_DEAD);
    assert_string_equal(job->last_error, "still away");
    assert_int_equal(job_due_ms(job), INT64_MAX);
    job_free(&job);
}

static void a_worker_that_dies_each_time_ends_the_job_too(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    int64_t now_ms = NOW;
    for (int i = 0; i < 3; i++, now_ms += LEASE) (void)taken(job, now_ms);
    assert_false(job_take(job, "dialogue-1", LEASE, now_ms));
    assert_int_equal(job->state, PL__JOB_STATE__JOB_DEAD);
    assert_non_null(strstr(job->last_error, "dialogue-0 took it and never reported (attempt 3)"));
    job_free(&job);
}

static void what_can_never_work_is_given_up_at_once(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    Pl__JobFail fail = PL__JOB_FAIL__INIT;
    fail.lease = taken(job, NOW);
    fail.reason = "the number is not one";
    fail.final = 1;
    assert_int_equal(job_fail(job, &fail, NOW, detail), PL_OK);
    assert_int_equal(job->state, PL__JOB_STATE__JOB_DEAD);
    job_free(&job);
}

static void a_released_job_has_lost_no_attempt(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    Pl__JobFail fail = PL__JOB_FAIL__INIT;
    fail.lease = taken(job, NOW);
    fail.released = 1;
    assert_int_equal(job_fail(job, &fail, NOW + 7, detail), PL_OK);
    assert_int_equal(job->attempts, 0);
    assert_int_equal(job_due_ms(job), NOW + 7);
    assert_string_equal(job->last_error, "");
    job_free(&job);
}

static void advice_to_wait_longer_is_taken(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    Pl__JobFail fail = PL__JOB_FAIL__INIT;
    fail.lease = taken(job, NOW);
    fail.retry_after_ms = 90000;
    assert_int_equal(job_fail(job, &fail, NOW, detail), PL_OK);
    assert_int_equal(job_due_ms(job), NOW + 90000);
    assert_string_equal(job->last_error, "no reason given");
    job_free(&job);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    (void)state;
    static char reason[3 * JOB_REASON_BYTES_MAX + 1];
    for (size_t i = 0; i < JOB_REASON_BYTES_MAX; i++) memcpy(reason + 3 * i, "\u2026", 3);
    Pl__Job *job = waiting();
    assert_int_equal(failed(job, taken(job, NOW), reason, NOW), PL_OK);
    assert_int_equal(strlen(job->last_error), JOB_REASON_BYTES_MAX / 3 * 3);
    job_free(&job);
}

static void pauses_double_up_to_ten_minutes_and_differ(void **state)
{
    (void)state;
    for (uint32_t attempts = 0; attempts < 200; attempts++) {
        uint32_t least = UINT32_MAX;
        uint32_t most = 0;
        for (uint64_t chance = 0; chance < 100; chance++) {
            uint32_t pause = job_pause_ms(attempts, chance);
            if (pause < least) least = pause;
            if (pause > most) most = pause;
        }
        assert_true(most <= JOB_PAUSE_MAX_MS && least >= JOB_PAUSE_FIRST_MS / 2);
        assert_true(most - least > most / 4); /* what failed together comes back apart */
        if (attempts > 10) assert_true(least >= JOB_PAUSE_MAX_MS / 2);
    }
}

/* ---- retry ---- */

static void a_dead_job_retried_by_hand_begins_anew(void **state)
{
    (void)state;
    Pl__Job *job = waiting();
    Pl__JobRenew renew = PL__JOB_RENEW__INIT;
    renew.lease = taken(job, NOW);
    renew.lease_ms = LEASE;
    renew.note = 1;
    renew.progress = (ProtobufCBinaryData){1, (uint8_t *)"!"};
    assert_int_equal(job_renew(job, &renew, NOW, detail), PL_OK);
    assert_int_equal(job_retry(job, NOW, detail), PL_INVALID);
    assert_non_null(strstr(detail, "under way at dialogue-0"));
    Pl__JobFail fail = PL__JOB_FAIL__INIT;
    fail.lease = renew.lease;
    fail.final = 1;
    assert_int_equal(job_fail(job, &fail, NOW, detail), PL_OK);
    assert_int_equal(job_retry(job, NOW + 3, detail), PL_OK);
    assert_int_equal(job->attempts, 0);
    assert_int_equal(job->progress.len, 0);
    assert_int_equal(job_due_ms(job), NOW + 3);
    assert_int_equal(done(job, taken(job, NOW + 3), NULL), PL_OK);
    assert_int_equal(job_retry(job, NOW, detail), PL_INVALID);
    assert_non_null(strstr(detail, "done already"));
    job_free(&job);
}

static void a_job_for_later_can_be_hurried(void **state)
{
    (void)state;
    Pl__Job *job = NULL;
    assert_true(put(&job, "x", NOW + 86400000, PL__JOB_MODE__JOB_KEEP, NOW));
    assert_int_equal(job_due_ms(job), NOW + 86400000);
    assert_int_equal(job_retry(job, NOW, detail), PL_OK);
    assert_int_equal(job_due_ms(job), NOW);
    job_free(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_work_is_one_job),
        cmocka_unit_test(a_key_of_other_work_is_refused),
        cmocka_unit_test(a_replaced_job_waits_anew_and_its_worker_loses_the_lease),
        cmocka_unit_test(a_repeated_put_does_not_disturb_a_job_that_failed_once),
        cmocka_unit_test(a_dropped_job_is_never_taken),
        cmocka_unit_test(specs_out_of_bounds_are_refused_by_field),
        cmocka_unit_test(a_lease_that_ran_out_is_taken_again_and_the_former_holder_refused),
        cmocka_unit_test(a_late_report_is_taken_as_long_as_nobody_else_has_the_job),
        cmocka_unit_test(done_twice_under_one_lease_is_once),
        cmocka_unit_test(a_renewed_lease_lasts_and_keeps_what_was_noted),
        cmocka_unit_test(a_lease_number_is_not_used_again_by_a_job_made_anew),
        cmocka_unit_test(failures_are_retried_later_and_later_and_then_given_up_with_the_reason),
        cmocka_unit_test(a_worker_that_dies_each_time_ends_the_job_too),
        cmocka_unit_test(what_can_never_work_is_given_up_at_once),
        cmocka_unit_test(a_released_job_has_lost_no_attempt),
        cmocka_unit_test(advice_to_wait_longer_is_taken),
        cmocka_unit_test(a_long_reason_is_cut_between_characters),
        cmocka_unit_test(pauses_double_up_to_ten_minutes_and_differ),
        cmocka_unit_test(a_dead_job_retried_by_hand_begins_anew),
        cmocka_unit_test(a_job_for_later_can_be_hurried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
