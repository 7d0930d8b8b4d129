/* jobs_test.c - parley jobs: its options, what it prints, and the program itself against a real
 * persistence process. */
#include "tools/parley/jobs_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"
#include "tools/parley/jobs_view.h"

static jobs_options_t options;

static int read_options(const char *const *words)
{
    const char *argv[16] = {"jobs"};
    int argc = 1;
    for (; *words; words++) argv[argc++] = *words;
    int status = -1;
    bool good = jobs_options_read(&options, argc, (char **)argv, &status);
    return good ? 0 : status;
}

#define READ(...) read_options((const char *const[]){__VA_ARGS__, NULL})

static void options_are_read(void **state)
{
    (void)state;
    assert_int_equal(READ(NULL), 0);
    assert_int_equal(options.command, JOBS_LIST);
    assert_int_equal(options.limit, 20);
    assert_int_equal(READ("list", "--state", "dead,waiting", "--state", "dead", "--kind", "next",
                          "--limit", "7", "--offset", "3", "--json"),
                     0);
    assert_int_equal(options.state_count, 2);
    assert_int_equal(options.states[0], PL__JOB_STATE__JOB_DEAD);
    assert_string_equal(options.kind, "next");
    assert_int_equal(options.limit, 7);
    assert_int_equal(options.offset, 3);
    assert_true(options.json);
    assert_int_equal(READ("retry", "a", "b"), 0);
    assert_int_equal(options.command, JOBS_RETRY);
    assert_int_equal(options.key_count, 2);
    assert_int_equal(READ("retry", "--dead"), 0);
    assert_int_equal(READ("show", "a"), 0);
    assert_string_equal(options.keys[0], "a");
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    assert_int_equal(READ("list", "key"), 64);
    assert_int_equal(READ("show"), 64);
    assert_int_equal(READ("show", "a", "b"), 64);
    assert_int_equal(READ("retry"), 64);
    assert_int_equal(READ("retry", "a", "--dead"), 64);
    assert_int_equal(READ("list", "--dead"), 64);
    assert_int_equal(READ("forget"), 64);
    assert_int_equal(READ("--state", "asleep"), 64);
    assert_int_equal(READ("--state", "dead,"), 64);
    assert_int_equal(READ("--limit", "1001"), 64);
    assert_int_equal(READ("--limit", "-1"), 64);
    assert_int_equal(READ("--limit", "5x"), 64);
    assert_int_equal(READ("--nonsense"), 64);
}

/* ---- what is printed ---- */

static char printed[8192];

static Pl__Job dead_job(void)
{
    Pl__Job job = PL__JOB__INIT;
    job.key = "synthesis/11111111-1111-4111-8111-111111111111";
    job.kind = "synthesis";
    job.state = PL__JOB_STATE__JOB_DEAD;
    job.attempts = job.max_attempts = 5;
    job.last_error = "the model's answer\nwas no synthesis: \"satisfaction\" is missing \x1b[31m!";
    job.changed_at_ms = 1000000;
    job.payload = (ProtobufCBinaryData){3, (uint8_t *)"\x01\x02\xff"};
    return job;
}

static const char *table_of(const Pl__Job *job, uint32_t total, unsigned width)
{
    Pl__Jobs jobs = PL__JOBS__INIT;
    Pl__Job *list[] = {(Pl__Job *)job};
    jobs.jobs = list;
    jobs.n_jobs = job ? 1 : 0;
    jobs.total = total;
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    jobs_table(out, &jobs, 0, 1000000 + 3 * 60000, width);
    (void)fclose(out);
    return printed;
}

static void a_table_tells_key_state_attempts_time_and_error(void **state)
{
    (void)state;
    Pl__Job job = dead_job();
    const char *text = table_of(&job, 1, 0);
    const char *parts[] = {"KEY", "ATTEMPTS",  job.key, "dead",
                           "5/5", "3 min ago", "[31m!", "the model's answer was no synthesis"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(text, parts[i])) fail_msg("no \"%s\" in: %s", parts[i], text);
    }
    assert_null(strchr(text, '\x1b')); /* a terminal is told nothing by a store */
    assert_null(strstr(text, " of "));
    assert_non_null(strstr(table_of(&job, 30, 0), "1 to 1 of 30"));
    text = table_of(&job, 1, 80); /* the key stays whole, the error is cut */
    assert_non_null(strstr(text, job.key));
    assert_non_null(strstr(text, "..."));
    assert_string_equal(table_of(NULL, 0, 0), "no jobs\n");
    assert_string_equal(table_of(NULL, 3, 0), "none here, of 3 in all\n");
}

static void times_are_told_from_now(void **state)
{
    (void)state;
    char out[JOBS_SPAN_BYTES];
    const struct {
        int64_t at_s;
        const char *said;
    } cases[] = {{0, "now"},         {5, "in 5 s"},     {-59, "59 s ago"},    {60, "in 1 min"},
                 {-7199, "1 h ago"}, {90000, "in 1 d"}, {-864000, "10 d ago"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(jobs_span(1000000000 + cases[i].at_s * 1000, 1000000000, out),
                            cases[i].said);
}

static void details_and_json_show_bytes_that_are_no_text_in_hexadecimal(void **state)
{
    (void)state;
    Pl__Job job = dead_job();
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    jobs_details(out, &job, 1000000);
    jobs_json(out, &job);
    (void)fclose(out);
    assert_non_null(strstr(printed, "payload        0102ff\n"));
    assert_non_null(strstr(printed, "\"payload\":\"0102ff\""));
    assert_non_null(strstr(printed, "\"lease_until\":null"));
}

/* ---- the program ---- */

static process_t process;
static char output[16384];

static int run_parley(const char *arguments)
{
    char binary[PROCESS_PATH_BYTES];
    char command[4 * PROCESS_PATH_BYTES];
    process_binary("persistence", binary);
    *strrchr(binary, '-') = '\0'; /* <build>/bin/parley */
    (void)snprintf(command, sizeof command,
                   "cd %s && %s jobs --set bus.run_dir=%s/run --set bus.heartbeat_ms=50 %s 2>&1",
                   process.folder, binary, process.folder, arguments);
    FILE *pipe = popen(command, "r");  // NOLINT(cert-env33-c): our own words
    assert_non_null(pipe);
    size_t size = fread(output, 1, sizeof output - 1, pipe);
    output[size] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_output(const char *arguments, int status, const char *said)
{
    int got = run_parley(arguments);
    if (got != status || !strstr(output, said))
        fail_msg("%s: status %d, not %d with \"%s\": %s", arguments, got, status, said, output);
}

static uint64_t lease_of(const char *kind)
{
    take_t take;
    Pl__Envelope *reply = NULL;
    Pl__Envelope *env = make_take(&take, kind, "dialogue-7", 60000, 1);
    assert_int_equal(process_ask(&process, env, &reply), PL_OK);
    assert_int_equal(reply->job_taken->n_jobs, 1);
    uint64_t lease = reply->job_taken->jobs[0]->lease;
    pl__envelope__free_unpacked(reply, NULL);
    return lease;
}

static void bury(const char *key, const char *kind)
{
    put_t put;
    outcome_t outcome;
    assert_int_equal(process_ask(&process, make_put(&put, "", key, kind, 0), NULL), PL_OK);
    Pl__Envelope *env = make_fail(&outcome, "", key, lease_of(kind), NULL);
    outcome.fail.final = 1;
    assert_int_equal(process_ask(&process, env, NULL), PL_OK);
}

static void jobs_are_listed_shown_and_retried(void **state)
{
    (void)state;
    process_start(&process, NULL);
    process_await_up(&process);
    expect_output("", 0, "no jobs");
    bury("synthesis/1", "synthesis");
    bury("next/1", "next");
    bury("next/2", "next");
    put_t put;
    Pl__Envelope *env =
        make_put(&put, "", "reminder/1", "reminder", pl_clock_wall_ms() + 3 * 86400000 + 60000);
    assert_int_equal(process_ask(&process, env, NULL), PL_OK);

    expect_output("list", 0, "in 3 d");
    expect_output("list --state dead --kind next --limit 1", 0, "1 to 1 of 2");
    assert_null(strstr(output, "synthesis/1"));
    expect_output("list --json --kind synthesis", 0, "\"last_error\":\"not today\"");
    expect_output("show synthesis/1", 0, "attempts       1 of 5");
    expect_output("show nothing", 1, "there is no job \"nothing\"");
    expect_output("retry nothing", 1, "nothing: there is no job \"nothing\"");
    expect_output("retry synthesis/1", 0, "synthesis/1 waits for a worker");
    (void)lease_of("synthesis");
    expect_output("retry synthesis/1", 1, "under way at dialogue-7");
    expect_output("retry --dead --kind next", 0, "2 wait for a worker");
    expect_output("retry --dead", 0, "0 wait for a worker");
}

static int setup(void **state)
{
    (void)state;
    pl_signals_init();
    process_make_folder(&process, "persistence");
    process.settings[0] = "bus.heartbeat_ms=50";
    process_connect(&process);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    process_clean_up(&process);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(a_table_tells_key_state_attempts_time_and_error),
        cmocka_unit_test(times_are_told_from_now),
        cmocka_unit_test(details_and_json_show_bytes_that_are_no_text_in_hexadecimal),
        cmocka_unit_test_setup_teardown(jobs_are_listed_shown_and_retried, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
