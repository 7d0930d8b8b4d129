/* store_bench.c - how many writes the real persistence process acknowledges, and how soon.
 *
 * Owners as dialogue's: each has one write out at a time, and after 60 writes its call is over and
 * a new one begins. Then workers: each puts a job of its call, takes the one that has waited
 * longest and reports it with a result for its call, so that a job is three writes, the last of a
 * call's record too. Prints one JSON object a line, for 1, 10, 100 and 500 owners as fast as they can
 * (which tells how much it carries, not how soon it answers), for 500 calls that write 5,000 times a second
 * in all (latency from the moment a write was due), then workers.
 * Usage: store_bench [SECONDS [full|normal|postgresql]]   SQLite so synchronous, or a server of its own, whose
 * commits reach the disk
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/log.h"
#include "tests/support/postgres.h"
#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"

enum {
    JOBS_A_CALL = 4,
    OWNERS_MAX = 500,
    WRITES_A_CALL = 60,
    PERIOD_US = 100000, /* of each paced owner */
    SAMPLES_MAX = 4 * 1000 * 1000
};

typedef struct {
    char call_id[40];
    uint64_t write_id; /* 0: being created */
    uint64_t sent_us;
    uint64_t due_us; /* of the next write, when writes are paced */
    bool busy;
} owner_t;

static process_t process;
static owner_t owners[OWNERS_MAX];
static uint32_t *samples_us;
static size_t samples;
static unsigned open_requests;
static unsigned long calls, failed;
static bool stopped, paced;

static void send_next(owner_t *owner);

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)reply;
    owner_t *owner = arg;
    open_requests--;
    if (err)
        failed++;
    else if (samples < SAMPLES_MAX)
        samples_us[samples++] = (uint32_t)(pl_clock_us() - owner->sent_us);
    owner->busy = false;
    if (!stopped && !paced) send_next(owner);
}

static void send_next(owner_t *owner)
{
    create_t create;
    apply_t apply;
    Pl__Envelope *env = NULL;
    owner->sent_us = paced ? owner->due_us : pl_clock_us();
    owner->busy = true;
    if (owner->call_id[0] == '\0' || owner->write_id == WRITES_A_CALL) {
        (void)snprintf(owner->call_id, sizeof owner->call_id, "%08lx-0000-4000-8000-000000000000",
                       ++calls);
        owner->write_id = 0;
        env = make_create(&create, owner->call_id, "+15550100", (int64_t)calls);
    } else {
        owner->write_id++;
        env = make_message(&apply, owner->call_id, 1, owner->write_id,
                           "My laptop does not start any more since Monday, the screen stays black,"
                           " and I have tried to switch it off and on again, several times.");
    }
    open_requests++;
    pl_bus_request(process.bus, "persistence", env, 20000, on_reply, owner);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double batches(void)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__MetricsGet query = PL__METRICS_GET__INIT;
    env.body_case = PL__ENVELOPE__BODY_METRICS_GET;
    env.metrics_get = &query;
    Pl__Envelope *reply = NULL;
    double value = 0;
    if (process_ask(&process, &env, &reply) == PL_OK) {
        for (size_t i = 0; i < reply->metrics_reply->n_metrics; i++) {
            const Pl__Metric *m = reply->metrics_reply->metrics[i];
            if (strcmp(m->name, "parley_store_batches_total") == 0) value = m->value;
        }
    }
    if (reply) pl__envelope__free_unpacked(reply, NULL);
    return value;
}

/* Each owner writes at its own moments, a millisecond late at most, unless its last write is out. */
static void send_due(void *arg)
{
    (void)arg;
    uint64_t now_us = pl_clock_us();
    for (unsigned i = 0; !stopped && i < OWNERS_MAX; i++) {
        if (owners[i].busy || owners[i].due_us > now_us) continue;
        send_next(&owners[i]);
        owners[i].due_us += PERIOD_US;
    }
}

static void measure(unsigned count, unsigned seconds, const char *synchronous)
{
    double batches_before = batches();
    samples = 0;
    failed = 0;
    stopped = false;
    memset(owners, 0, sizeof owners);
    uint64_t started_us = pl_clock_us();
    pl_timer_t *pace = NULL;
    for (unsigned i = 0; i < count; i++) {
        owners[i].due_us = started_us + (uint64_t)i * PERIOD_US / count;
        if (!paced) send_next(&owners[i]);
    }
    if (paced) pace = pl_timer_start(process.loop, 1, 1, send_due, NULL);
    process_run_ms(&process, (uint64_t)seconds * 1000);
    stopped = true;
    pl_timer_stop(&pace);
    double took_s = (double)(pl_clock_us() - started_us) / 1e6;
    size_t done = samples;
    while (open_requests > 0) process_run_ms(&process, 5);
    qsort(samples_us, done, sizeof *samples_us, by_value);
    printf(
        "{\"bench\":\"store\",\"synchronous\":\"%s\",\"owners\":%u,\"paced\":%s,\"seconds\":%.1f,"
        "\"acknowledged_per_s\":%.0f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,"
        "\"writes_per_commit\":%.1f,\"failed\":%lu}\n",
        synchronous, count, paced ? "true" : "false", took_s, (double)done / took_s,
        done ? samples_us[done / 2] : 0, done ? samples_us[done * 99 / 100] : 0,
        done ? samples_us[done - 1] : 0, (double)done / (batches() - batches_before), failed);
    (void)fflush(stdout);
}

/* ---- jobs ---- */

static unsigned long jobs_put;

static void worker_go_on(owner_t *worker);

static void on_job_done(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)reply;
    owner_t *worker = arg;
    open_requests--;
    if (err)
        failed++;
    else if (samples < SAMPLES_MAX)
        samples_us[samples++] = (uint32_t)(pl_clock_us() - worker->sent_us);
    if (!stopped) worker_go_on(worker);
}

static void on_job_taken(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    owner_t *worker = arg;
    open_requests--;
    if (err) failed++;
    if (err || reply->job_taken->n_jobs == 0) {
        if (!stopped) worker_go_on(worker);
        return;
    }
    const Pl__Job *job = reply->job_taken->jobs[0];
    outcome_t outcome;
    open_requests++;
    pl_bus_request(process.bus, "persistence",
                   make_done(&outcome, job->call_id, job->key, job->lease,
                             "We spoke about your laptop, which does not start since Monday."),
                   20000, on_job_done, worker);
}

static void on_job_put(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)reply;
    take_t take;
    open_requests--;
    if (err) failed++;
    if (err || stopped) return;
    open_requests++;
    pl_bus_request(process.bus, "persistence", make_take(&take, "bench", "bench-0", 60000, 1),
                   20000, on_job_taken, arg);
}

static void on_job_call(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)reply;
    open_requests--;
    if (err) failed++;
    if (!err && !stopped) worker_go_on(arg);
}

static void worker_go_on(owner_t *worker)
{
    char key[64];
    put_t put;
    create_t create;
    open_requests++;
    if (worker->call_id[0] == '\0' || worker->write_id == JOBS_A_CALL) {
        (void)snprintf(worker->call_id, sizeof worker->call_id, "%08lx-0000-4000-8000-000000000000",
                       ++calls);
        worker->write_id = 0;
        pl_bus_request(process.bus, "persistence",
                       make_create(&create, worker->call_id, "+15550100", (int64_t)calls), 20000,
                       on_job_call, worker);
        return;
    }
    worker->write_id++;
    worker->sent_us = pl_clock_us();
    (void)snprintf(key, sizeof key, "bench/%lu", ++jobs_put);
    pl_bus_request(process.bus, "persistence", make_put(&put, worker->call_id, key, "bench", 0),
                   20000, on_job_put, worker);
}

static void measure_jobs(unsigned count, unsigned seconds, const char *synchronous)
{
    samples = 0;
    failed = 0;
    stopped = false;
    memset(owners, 0, sizeof owners);
    uint64_t started_us = pl_clock_us();
    for (unsigned i = 0; i < count; i++) worker_go_on(&owners[i]);
    process_run_ms(&process, (uint64_t)seconds * 1000);
    stopped = true;
    double took_s = (double)(pl_clock_us() - started_us) / 1e6;
    size_t done = samples;
    while (open_requests > 0) process_run_ms(&process, 5);
    qsort(samples_us, done, sizeof *samples_us, by_value);
    printf("{\"bench\":\"jobs\",\"synchronous\":\"%s\",\"workers\":%u,\"seconds\":%.1f,"
           "\"done_per_s\":%.0f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"failed\":%lu}\n",
           synchronous, count, took_s, (double)done / took_s, done ? samples_us[done / 2] : 0,
           done ? samples_us[done * 99 / 100] : 0, done ? samples_us[done - 1] : 0, failed);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    const char *synchronous = argc > 2 ? argv[2] : "full";
    static postgres_t server;
    bool on_server = strcmp(synchronous, "postgresql") == 0;
    char setting[192];
    (void)snprintf(setting, sizeof setting, "persistence.sqlite.synchronous=%s", synchronous);
    if (on_server && postgres_start(&server, true) != 0) return EXIT_FAILURE;
    if (on_server)
        (void)snprintf(setting, sizeof setting, "persistence.postgresql.url=%s", server.url);
    samples_us = malloc(SAMPLES_MAX * sizeof *samples_us);
    if (!samples_us || seconds == 0) return EXIT_FAILURE;
    pl_signals_init();
    pl_log_init("store_bench", PL_LOG_ERROR);
    process_make_folder(&process, "persistence");
    process.settings[0] = setting;
    process.settings[1] = "log.level=warn";
    if (on_server) process.settings[2] = "persistence.provider=postgresql";
    process_start(&process, NULL);
    process_connect(&process);
    process_await_up(&process);
    const unsigned counts[] = {1, 10, 100, OWNERS_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        measure(counts[i], seconds, synchronous);
    paced = true;
    measure(OWNERS_MAX, seconds, synchronous);
    paced = false;
    for (size_t i = 0; i < 3; i++) measure_jobs(counts[i], seconds, synchronous);
    process_clean_up(&process);
    if (on_server) postgres_end(&server);
    free(samples_us);
    return EXIT_SUCCESS;
}
