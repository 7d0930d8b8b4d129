/* process_test.c - the real persistence process, driven over the bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "common/record.h"
#include "services/persistence/job.h"
#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"

static process_t process;

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

static void start(void)
{
    process_start(&process, NULL);
    process_await_up(&process);
}

/* The version acknowledged. */
static uint64_t acknowledged(Pl__Envelope *env)
{
    Pl__Envelope *reply = NULL;
    pl_err_t err = process_ask(&process, env, &reply);
    if (err) fail_msg("%s: %s", pl_err_name(err), pl_bus_error_detail(err, reply));
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_STORE_ACK);
    uint64_t version = reply->store_ack->version;
    pl__envelope__free_unpacked(reply, NULL);
    return version;
}

static void refused(Pl__Envelope *env, pl_err_t expected, const char *detail)
{
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&process, env, &reply), expected);
    assert_non_null(reply);
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_ERROR);
    assert_string_equal(reply->error->origin, "persistence-0");
    if (!strstr(reply->error->detail, detail)) fail_msg("\"%s\"", reply->error->detail);
    pl__envelope__free_unpacked(reply, NULL);
}

static Pl__Envelope *get(const char *call_id, const char *number)
{
    static Pl__Envelope env;
    static Pl__StoreGet query;
    env = (Pl__Envelope)PL__ENVELOPE__INIT;
    query = (Pl__StoreGet)PL__STORE_GET__INIT;
    query.phone_number = (char *)number;
    env.call_id = (char *)call_id;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &query;
    return &env;
}

static Pl__CallRecord *fetched(const char *call_id, const char *number)
{
    Pl__Envelope *reply = NULL;
    pl_err_t err = process_ask(&process, get(call_id, number), &reply);
    if (err) fail_msg("%s: %s", pl_err_name(err), pl_bus_error_detail(err, reply));
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_STORE_CALL);
    Pl__CallRecord *record = pl_record_copy(reply->store_call->call);
    pl__envelope__free_unpacked(reply, NULL);
    return record;
}

/* ---- the normal course ---- */

static void a_call_is_kept_and_found(void **state)
{
    (void)state;
    start();
    create_t create;
    apply_t apply;
    assert_int_equal(acknowledged(make_create(&create, CALL_1, "+15550100", 1000)), 1);
    assert_int_equal(acknowledged(make_message(&apply, CALL_1, 1, 1, "hello")), 2);
    assert_int_equal(acknowledged(make_message(&apply, CALL_1, 1, 1, "hello")), 2);
    assert_int_equal(acknowledged(make_claim(&apply, CALL_1, 1, 2, "x", "y")), 3);
    Pl__CallRecord *record = fetched(CALL_1, "");
    assert_int_equal(record->version, 3);
    assert_string_equal(record->messages[0]->content, "hello");
    pl_record_free(&record);
    record = fetched("", "+15550100");
    assert_string_equal(record->call_id, CALL_1);
    pl_record_free(&record);
}

static void refusals_say_what_and_who(void **state)
{
    (void)state;
    start();
    create_t create;
    apply_t apply;
    adopt_t adopt;
    refused(get(CALL_1, ""), PL_NOT_FOUND, "no such call");
    refused(get("", "+15550100"), PL_NOT_FOUND, "no such call");
    refused(get("", "anonymous"), PL_NOT_FOUND, "number");
    refused(get("not an id, and much longer than any id may ever be", "+1"), PL_NOT_FOUND, "call");
    refused(make_create(&create, "c-1", "+15550100", 1), PL_INVALID, "call.call_id");
    refused(make_message(&apply, CALL_1, 1, 1, "x"), PL_NOT_FOUND, CALL_1);
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    refused(make_message(&apply, CALL_1, 0, 1, "x"), PL_STALE, "epoch 0");
    refused(make_adopt(&adopt, CALL_1, 7, "dialogue-1"), PL_STALE, "epoch is 1");
    Pl__Envelope other = PL__ENVELOPE__INIT;
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    other.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    other.search_query = &query;
    refused(&other, PL_UNSUPPORTED, "persistence");
}

static void an_adoption_gives_the_whole_record_and_fences_the_former_owner(void **state)
{
    (void)state;
    start();
    create_t create;
    apply_t apply;
    adopt_t adopt;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    (void)acknowledged(make_message(&apply, CALL_1, 1, 1, "hello"));
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&process, make_adopt(&adopt, CALL_1, 1, "dialogue-1"), &reply),
                     PL_OK);
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_STORE_CALL);
    assert_int_equal(reply->store_call->call->epoch, 2);
    assert_int_equal(reply->store_call->call->n_messages, 1);
    pl__envelope__free_unpacked(reply, NULL);
    refused(make_message(&apply, CALL_1, 1, 2, "still me"), PL_STALE, "dialogue-1");
}

static void a_list_is_newest_first_with_its_total(void **state)
{
    (void)state;
    start();
    create_t create;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    (void)acknowledged(make_create(&create, CALL_2, "+15550101", 3000));
    (void)acknowledged(make_create(&create, CALL_3, "+15550100", 2000));
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__StoreList query = PL__STORE_LIST__INIT;
    query.limit = 2;
    env.body_case = PL__ENVELOPE__BODY_STORE_LIST;
    env.store_list = &query;
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&process, &env, &reply), PL_OK);
    assert_int_equal(reply->store_calls->total, 3);
    assert_int_equal(reply->store_calls->n_calls, 2);
    assert_string_equal(reply->store_calls->calls[0]->call_id, CALL_2);
    assert_string_equal(reply->store_calls->calls[1]->call_id, CALL_3);
    pl__envelope__free_unpacked(reply, NULL);
}

typedef struct {
    pl_loop_t *loop;
    unsigned open, done, busy;
} flood_t;

static void on_flood_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)reply;
    flood_t *flood = arg;
    if (err == PL_OK) flood->done++;
    if (err == PL_BUSY) flood->busy++;
    if (--flood->open == 0) pl_loop_stop(flood->loop);
}

static void send_flood(flood_t *flood, unsigned count)
{
    flood->loop = process.loop;
    flood->open = count;
    for (unsigned i = 1; i <= count; i++) {
        apply_t apply;
        pl_bus_request(process.bus, "persistence", make_message(&apply, CALL_1, 1, i, "x"), 20000,
                       on_flood_reply, flood);
    }
    pl_loop_run(process.loop);
}

static double metric(const char *name)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__MetricsGet query = PL__METRICS_GET__INIT;
    env.body_case = PL__ENVELOPE__BODY_METRICS_GET;
    env.metrics_get = &query;
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&process, &env, &reply), PL_OK);
    double value = -1;
    for (size_t i = 0; i < reply->metrics_reply->n_metrics; i++) {
        const Pl__Metric *m = reply->metrics_reply->metrics[i];
        char full[256];
        (void)snprintf(full, sizeof full, "%s{%s}", m->name, m->label);
        if (strcmp(full, name) == 0 || strcmp(m->name, name) == 0) value = m->value;
    }
    pl__envelope__free_unpacked(reply, NULL);
    return value;
}

static void writes_in_a_row_share_their_commits(void **state)
{
    (void)state;
    start();
    create_t create;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    flood_t flood = {0};
    send_flood(&flood, 500);
    assert_int_equal(flood.done, 500);
    assert_int_equal(metric("parley_store_writes_total{outcome=\"applied\"}"), 500);
    double batches = metric("parley_store_batches_total");
    assert_true(batches >= 2 && batches <= 250); /* it would be 501 one by one */
    assert_true(metric("parley_store_commit_seconds_total") > 0);
    assert_true(metric("parley_store_disk_bytes") > 10000);
    Pl__CallRecord *record = fetched(CALL_1, "");
    assert_int_equal(record->version, 501);
    pl_record_free(&record);
}

static void a_full_queue_is_busy_not_slow(void **state)
{
    (void)state;
    process.settings[1] = "persistence.queue_max=3";
    start();
    create_t create;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    flood_t flood = {0};
    send_flood(&flood, 500);
    assert_int_equal(flood.done + flood.busy, 500);
    assert_true(flood.busy > 0);
    assert_true(flood.done >= 3);
    Pl__CallRecord *record = fetched(CALL_1, "");
    assert_int_equal(record->n_messages, flood.done);
    pl_record_free(&record);
}

/* ---- jobs ---- */

static struct {
    unsigned count;
    char kind[40];
} ready;

static void on_ready(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    assert_int_equal(env->job_ready->n_kinds, 1);
    ready.count++;
    (void)snprintf(ready.kind, sizeof ready.kind, "%s", env->job_ready->kinds[0]);
    pl_loop_stop(process.loop);
}

static void await_ready(unsigned count)
{
    uint64_t until_ms = pl_clock_ms() + 5000;
    while (ready.count < count) {
        assert_true(pl_clock_ms() < until_ms);
        process_run_ms(&process, 20);
    }
}

static Pl__Job *taken_job(const char *kind)
{
    take_t take;
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&process, make_take(&take, kind, "dialogue-0", 60000, 1), &reply),
                     PL_OK);
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_JOB_TAKEN);
    Pl__Job *job = NULL;
    if (reply->job_taken->n_jobs > 0)
        job = (Pl__Job *)pl_message_copy(&reply->job_taken->jobs[0]->base);
    pl__envelope__free_unpacked(reply, NULL);
    return job;
}

static void a_job_wakes_its_workers_is_done_and_counted(void **state)
{
    (void)state;
    pl_bus_on(process.bus, PL__ENVELOPE__BODY_JOB_READY, on_ready, NULL);
    memset(&ready, 0, sizeof ready);
    start();
    create_t create;
    put_t put;
    outcome_t outcome;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    /* It must have found us before it can wake us. */
    uint64_t until_ms = pl_clock_ms() + 5000;
    for (unsigned i = 0; ready.count == 0; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "try-%u", i);
        assert_int_equal(process_ask(&process, make_put(&put, "", key, "probe", 0), NULL), PL_OK);
        process_run_ms(&process, 20);
        assert_true(pl_clock_ms() < until_ms);
    }
    unsigned before = ready.count;
    assert_int_equal(
        process_ask(&process, make_put(&put, CALL_1, "synthesis/1", "synthesis", 0), NULL), PL_OK);
    await_ready(before + 1);
    assert_string_equal(ready.kind, "synthesis");
    Pl__Job *job = taken_job("synthesis");
    assert_non_null(job);
    assert_null(taken_job("synthesis"));
    for (int i = 0; i < 2; i++)
        assert_int_equal(process_ask(&process,
                                     make_done(&outcome, CALL_1, job->key, job->lease, "result"),
                                     NULL),
                         PL_OK);
    job_free(&job);
    Pl__CallRecord *record = fetched(CALL_1, "");
    assert_int_equal(record->n_messages, 1);
    assert_true(record->messages[0]->appended);
    pl_record_free(&record);
    assert_int_equal(metric("parley_job_attempts_total{kind=\"synthesis\",outcome=\"done\"}"), 1);
    /* One for tomorrow wakes nobody today, and is counted. */
    before = ready.count;
    assert_int_equal(
        process_ask(&process,
                    make_put(&put, CALL_1, "reminder/1", "reminder", pl_clock_wall_ms() + 86400000),
                    NULL),
        PL_OK);
    assert_null(taken_job("reminder"));
    assert_int_equal(ready.count, before);
}

static void jobs_are_listed_retried_and_refused_by_name(void **state)
{
    (void)state;
    start();
    put_t put;
    outcome_t outcome;
    keyed_t keyed;
    take_t take;
    assert_int_equal(process_ask(&process, make_put(&put, "", "k", "report", 0), NULL), PL_OK);
    Pl__Job *job = taken_job("report");
    Pl__Envelope *env = make_fail(&outcome, "", "k", job->lease, NULL);
    outcome.fail.final = 1;
    assert_int_equal(process_ask(&process, env, NULL), PL_OK);
    refused(make_done(&outcome, "", "k", job->lease, NULL), PL_STALE, "the job is dead");
    job_free(&job);
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&process, make_job_list(&keyed, ""), &reply), PL_OK);
    assert_int_equal(reply->jobs->total, 1);
    assert_string_equal(reply->jobs->jobs[0]->last_error, "not today");
    pl__envelope__free_unpacked(reply, NULL);
    assert_int_equal(process_ask(&process, make_retry(&keyed, "k"), NULL), PL_OK);
    job = taken_job("report");
    assert_non_null(job);
    job_free(&job);
    refused(make_retry(&keyed, "k"), PL_INVALID, "under way at dialogue-0");
    refused(make_retry(&keyed, "nothing"), PL_NOT_FOUND, "nothing");
    refused(make_put(&put, "", "", "report", 0), PL_INVALID, "jobs[0].key");
    refused(make_take(&take, "report", "", 60000, 1), PL_INVALID, "worker");
    refused(make_take(&take, "report", "dialogue-0", 0, 1), PL_INVALID, "lease_ms");
    refused(make_take(&take, "report", "dialogue-0", 60000, 17), PL_INVALID, "limit");
    refused(make_renew(&keyed, "k", 1, 10), PL_INVALID, "lease_ms");
    refused(make_done(&outcome, "", "k", 0, NULL), PL_INVALID, "lease");
    refused(make_done(&outcome, "", "k", 1, "of no call"), PL_INVALID, "call_id");
}

/* ---- starts and ends ---- */

static void wrong_settings_end_the_start_by_name(void **state)
{
    (void)state;
    const struct {
        const char *setting;
        int status;
        const char *said;
    } cases[] = {
        {"persistence.provider=oracle", 78,
         "persistence.provider: \"oracle\" is not one of: sqlite"},
        {"persistence.sqlite.synchronous=off", 78, "persistence.sqlite.synchronous"},
        {"persistence.sqlite.file=/proc/x/parley.db", 1, "/proc/x"},
        {"persistence.queue_max=0", 78, "persistence.queue_max"},
        {"persistence.nonsense=1", 78, "persistence.nonsense"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        process.settings[0] = cases[i].setting;
        process_start(&process, NULL);
        assert_int_equal(process_wait(&process), cases[i].status);
        if (!strstr(process_log(&process), cases[i].said))
            fail_msg("\"%s\" not in: %s", cases[i].said, process_log(&process));
    }
}

static void a_file_in_use_or_not_ours_ends_the_start_by_name(void **state)
{
    (void)state;
    start();
    process_t second = process;
    second.settings[0] = "bus.bind=ipc://run/other.ipc";
    second.bus = NULL; /* the client is the first one's */
    process_start(&second, NULL);
    assert_int_equal(process_wait(&second), 1);
    assert_non_null(strstr(process_log(&process), "data/parley.db: in use by another process"));
    assert_int_equal(process_stop(&process, SIGTERM), 0);

    char path[PROCESS_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/data/parley.db", process.folder);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    for (int i = 0; i < 1000; i++) assert_int_equal(write(fd, "not a database", 14), 14);
    (void)close(fd);
    process_start(&process, NULL);
    assert_int_equal(process_wait(&process), 1);
    assert_non_null(strstr(process_log(&process), "data/parley.db: file is not a database"));
}

static void sigterm_leaves_one_clean_file_and_status_0(void **state)
{
    (void)state;
    start();
    create_t create;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    char wal[PROCESS_PATH_BYTES];
    (void)snprintf(wal, sizeof wal, "%s/data/parley.db-wal", process.folder);
    assert_int_equal(access(wal, F_OK), 0);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    assert_int_equal(access(wal, F_OK), -1); /* checkpointed */
    start();
    Pl__CallRecord *record = fetched(CALL_1, "");
    assert_int_equal(record->version, 1);
    pl_record_free(&record);
}

static void what_is_asked_while_it_drains_is_still_done(void **state)
{
    (void)state;
    start();
    create_t create;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    assert_int_equal(kill(process.pid, SIGTERM), 0);
    apply_t apply; /* the last words of a dialogue that is being ended, too: to the instance */
    process_answer_t answer = {.loop = process.loop};
    pl_bus_request(process.bus, "persistence-0", make_message(&apply, CALL_1, 1, 1, "bye"), 5000,
                   process_on_reply, &answer);
    pl_loop_run(process.loop);
    assert_int_equal(answer.err, PL_OK);
    assert_int_equal(answer.reply->store_ack->version, 2);
    pl__envelope__free_unpacked(answer.reply, NULL);
    assert_int_equal(process_wait(&process), 0);
}

/* Files cannot grow: what a full disk looks like, here to the whole process. */
static void little_disk(void)
{
    struct rlimit limit = {600 * 1024, 600 * 1024};
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static void a_full_disk_is_said_and_reads_go_on(void **state)
{
    (void)state;
    process_start(&process, little_disk);
    process_await_up(&process);
    static char text[50000];
    memset(text, 'x', sizeof text - 1);
    create_t create;
    apply_t apply;
    (void)acknowledged(make_create(&create, CALL_1, "+15550100", 1000));
    uint64_t id = 0;
    pl_err_t err = PL_OK;
    while (!err && ++id < 100)
        err = process_ask(&process, make_message(&apply, CALL_1, 1, id, text), NULL);
    assert_int_equal(err, PL_UNAVAILABLE);
    refused(make_message(&apply, CALL_1, 1, id, text), PL_UNAVAILABLE, "data/parley.db");
    Pl__CallRecord *record = fetched(CALL_1, "");
    assert_int_equal(record->n_messages, id - 1);
    pl_record_free(&record);
    assert_true(metric("parley_store_writes_total{outcome=\"failed\"}") >= 2);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    start(); /* with room again, the same write is done */
    assert_int_equal(acknowledged(make_message(&apply, CALL_1, 1, id, text)), id + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_call_is_kept_and_found),
        TEST(refusals_say_what_and_who),
        TEST(an_adoption_gives_the_whole_record_and_fences_the_former_owner),
        TEST(a_list_is_newest_first_with_its_total),
        TEST(writes_in_a_row_share_their_commits),
        TEST(a_full_queue_is_busy_not_slow),
        TEST(a_job_wakes_its_workers_is_done_and_counted),
        TEST(jobs_are_listed_retried_and_refused_by_name),
        TEST(wrong_settings_end_the_start_by_name),
        TEST(a_file_in_use_or_not_ours_ends_the_start_by_name),
        TEST(sigterm_leaves_one_clean_file_and_status_0),
        TEST(what_is_asked_while_it_drains_is_still_done),
        TEST(a_full_disk_is_said_and_reads_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
