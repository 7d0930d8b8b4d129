#include "services/persistence/server.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "services/persistence/job_board.h"
#include "services/persistence/reader.h"
#include "services/persistence/writer.h"

enum {
    DRAIN_LOOK_MS = 50,   /* how often the drain is looked at */
    DRAIN_QUIET_MS = 300, /* this long without a request: nobody has more for us */
    DRAIN_MAX_MS = 5000,
    RETRY_BUSY_MS = 50,
    RETRY_FAILED_MS = 1000,
    COUNT_MS = 5000,  /* how often jobs are counted for the metrics */
    SWEEP_MS = 60000, /* how often old ones are forgotten */
};

typedef struct {
    pl_metric_t *created, *applied, *adopted, *jobs, *repeated, *refused, *failed;
    pl_metric_t *batches, *commit_seconds, *commit_last, *bytes;
    pl_metric_t *reads, *waiting;
} metrics_t;

struct server {
    pl_loop_t *loop;
    pl_bus_t *bus;
    const store_provider_t *provider;
    void *store;
    writer_t *writer;
    reader_t *reader;
    metrics_t metrics;
    uint32_t waiting, waiting_max; /* requests taken and not yet answered */
    uint64_t last_request_ms, drain_since_ms;
    pl_timer_t *drain, *count, *sweep;
    job_board_t *board;
    int64_t done_keep_ms, dead_keep_ms;
};

/* ---- metrics ---- */

static void metrics_new(metrics_t *m)
{
    static const char writes[] = "parley_store_writes_total";
    static const char help[] = "Writes asked of the store, by outcome";
    m->created = pl_metric_counter(writes, "outcome=\"created\"", help);
    m->applied = pl_metric_counter(writes, "outcome=\"applied\"", help);
    m->adopted = pl_metric_counter(writes, "outcome=\"adopted\"", help);
    m->jobs = pl_metric_counter(writes, "outcome=\"job\"", help);
    m->repeated = pl_metric_counter(writes, "outcome=\"repeated\"", help);
    m->refused = pl_metric_counter(writes, "outcome=\"refused\"", help);
    m->failed = pl_metric_counter(writes, "outcome=\"failed\"", help);
    m->batches = pl_metric_counter("parley_store_batches_total", NULL, "Commits");
    m->commit_seconds =
        pl_metric_counter("parley_store_commit_seconds_total", NULL, "Time spent in commits");
    m->commit_last =
        pl_metric_gauge("parley_store_commit_last_seconds", NULL, "Time of the latest commit");
    m->bytes = pl_metric_gauge("parley_store_disk_bytes", NULL, "Size of the store on disk");
    m->reads = pl_metric_counter("parley_store_reads_total", NULL, "Look-ups and lists");
    m->waiting = pl_metric_gauge("parley_store_waiting", NULL, "Requests not yet answered");
}

static pl_metric_t *metric_of(const metrics_t *m, const write_t *write)
{
    if (write->err) return pl_err_retry(write->err) ? m->failed : m->refused;
    if (write->repeated) return m->repeated;
    switch (write->kind) {
    case WRITE_CREATE:
        return m->created;
    case WRITE_APPLY:
        return m->applied;
    case WRITE_ADOPT:
        return m->adopted;
    case WRITE_JOB_DONE:
    case WRITE_JOB_FAIL:
    case WRITE_JOB_PUT:
    case WRITE_JOB_TAKE:
    case WRITE_JOB_RENEW:
    case WRITE_JOB_RETRY:
    case WRITE_JOB_SWEEP:
        break;
    }
    return m->jobs;
}

static void set_waiting(server_t *self, uint32_t waiting)
{
    self->waiting = waiting;
    pl_metric_set(self->metrics.waiting, waiting);
    if (self->bus) pl_bus_load(self->bus, waiting, self->waiting_max);
}

/* ---- answers ---- */

static void refuse(pl_request_t *request, pl_err_t err, const char *detail)
{
    pl_request_refuse(&request, err, pl_err_retry(err) ? RETRY_FAILED_MS : 0, "%s",
                      *detail ? detail : pl_err_text(err));
}

static void answer_write(write_t *write, pl_request_t *request)
{
    if (write->err) {
        refuse(request, write->err, write->detail);
        return;
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreAck ack = PL__STORE_ACK__INIT;
    Pl__StoreCall call = PL__STORE_CALL__INIT;
    switch (write->kind) {
    case WRITE_CREATE:
    case WRITE_APPLY:
        ack.version = write->version;
        reply.body_case = PL__ENVELOPE__BODY_STORE_ACK;
        reply.store_ack = &ack;
        break;
    case WRITE_ADOPT:
        call.call = write->record;
        reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
        reply.store_call = &call;
        break;
    case WRITE_JOB_TAKE:
        reply.body_case = PL__ENVELOPE__BODY_JOB_TAKEN;
        reply.job_taken = write->taken;
        break;
    case WRITE_JOB_DONE:
    case WRITE_JOB_FAIL:
    case WRITE_JOB_PUT:
    case WRITE_JOB_RENEW:
    case WRITE_JOB_RETRY:
    case WRITE_JOB_SWEEP:
        pl_request_done(&request);
        return;
    }
    pl_request_reply(&request, &reply);
}

static void log_write(const write_t *write)
{
    if (write->err) {
        log_warn("store.refused", "call=%s err=%s detail=\"%s\"", write->call_id,
                 pl_err_name(write->err), write->detail);
        return;
    }
    switch (write->kind) {
    case WRITE_CREATE:
        log_info("store.created", "call=%s repeated=%d", write->call_id, write->repeated);
        break;
    case WRITE_APPLY:
        log_debug("store.applied", "call=%s epoch=%" PRIu32 " write=%" PRIu64 " version=%" PRIu64,
                  write->call_id, write->epoch, write->write_id, write->version);
        break;
    case WRITE_ADOPT:
        log_info("store.adopted", "call=%s epoch=%" PRIu32 " owner=%s", write->call_id,
                 write->record->epoch, write->record->owner);
        break;
    case WRITE_JOB_DONE:
    case WRITE_JOB_FAIL:
    case WRITE_JOB_PUT:
    case WRITE_JOB_TAKE:
    case WRITE_JOB_RENEW:
    case WRITE_JOB_RETRY:
    case WRITE_JOB_SWEEP:
        log_debug("store.jobs", "call=%s write=%d jobs=%zu", write->call_id, (int)write->kind,
                  write->n_notes);
        break;
    }
}

static void on_written(void *arg, write_t **writes, size_t count, const store_stats_t *stats)
{
    server_t *self = arg;
    pl_metric_add(self->metrics.batches, 1);
    pl_metric_add(self->metrics.commit_seconds, (double)stats->commit_us / 1e6);
    pl_metric_set(self->metrics.commit_last, (double)stats->commit_us / 1e6);
    pl_metric_set(self->metrics.bytes, (double)stats->bytes);
    uint32_t answered = 0;
    for (size_t i = 0; i < count; i++) {
        log_write(writes[i]);
        if (!writes[i]->err) job_board_written(self->board, writes[i]);
        if (writes[i]->context) { /* a sweep is nobody's */
            pl_metric_add(metric_of(&self->metrics, writes[i]), 1);
            answer_write(writes[i], writes[i]->context);
            answered++;
        }
        write_destroy(&writes[i]);
    }
    job_board_wake(self->board, self->bus);
    set_waiting(self, self->waiting - answered);
}

static void answer_read(read_t *read, pl_request_t *request)
{
    if (read->err) {
        refuse(request, read->err, read->detail);
        return;
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCall call = PL__STORE_CALL__INIT;
    if (read->get) {
        call.call = read->call;
        reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
        reply.store_call = &call;
    } else if (read->jobs) {
        reply.body_case = PL__ENVELOPE__BODY_JOBS;
        reply.jobs = read->found;
    } else if (read->reminders) {
        reply.body_case = PL__ENVELOPE__BODY_REMINDERS;
        reply.reminders = read->due;
    } else {
        reply.body_case = PL__ENVELOPE__BODY_STORE_CALLS;
        reply.store_calls = read->calls;
    }
    pl_request_reply(&request, &reply);
}

static void on_read(void *arg, read_t *read)
{
    server_t *self = arg;
    if (read->err && read->err != PL_NOT_FOUND)
        log_error("store.read_failed", "err=%s detail=\"%s\"", pl_err_name(read->err),
                  read->detail);
    if (!read->context) { /* our own counting */
        if (!read->err) job_board_counted(self->board, read->found);
        read_destroy(&read);
        return;
    }
    answer_read(read, read->context);
    read_destroy(&read);
    pl_metric_add(self->metrics.reads, 1);
    set_waiting(self, self->waiting - 1);
}

/* ---- requests ---- */

/* Whether there is room for one more; otherwise it is refused. */
static bool admit(server_t *self, pl_request_t *request)
{
    self->last_request_ms = pl_clock_ms();
    if (!request) return false; /* one-way: nobody would hear the answer */
    if (self->waiting < self->waiting_max) return true;
    pl_request_refuse(&request, PL_BUSY, RETRY_BUSY_MS,
                      "%" PRIu32 " requests are waiting (persistence.queue_max)", self->waiting);
    return false;
}

static void on_write_request(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    if (!admit(self, request)) return;
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    pl_err_t err = write_new(&write, env, pl_clock_wall_ms(), detail);
    if (err) {
        pl_metric_add(self->metrics.refused, 1);
        log_warn("store.refused", "from=%s err=%s detail=\"%s\"", env->sender, pl_err_name(err),
                 detail);
        refuse(request, err, detail);
        return;
    }
    write->context = request;
    writer_add(self->writer, &write);
    set_waiting(self, self->waiting + 1);
}

static void on_read_request(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    if (!admit(self, request)) return;
    read_t *read = read_new(env);
    read->context = request;
    reader_add(self->reader, &read);
    set_waiting(self, self->waiting + 1);
}

/* ---- jobs in the course of time ---- */

static void count_jobs(void *arg)
{
    server_t *self = arg;
    read_t *read = read_new_counts();
    reader_add(self->reader, &read);
}

static void sweep_jobs(void *arg)
{
    server_t *self = arg;
    int64_t now_ms = pl_clock_wall_ms();
    write_t *write = write_new_sweep(now_ms - self->done_keep_ms, now_ms - self->dead_keep_ms);
    writer_add(self->writer, &write);
}

static void start_timers(server_t *self, const pl_config_t *cfg)
{
    static const int64_t hour_ms = 3600 * INT64_C(1000);
    self->done_keep_ms = pl_config_int(cfg, "persistence.jobs.done_keep_hours") * hour_ms;
    self->dead_keep_ms = pl_config_int(cfg, "persistence.jobs.dead_keep_hours") * hour_ms;
    self->count = pl_timer_start(self->loop, 0, COUNT_MS, count_jobs, self);
    self->sweep = pl_timer_start(self->loop, SWEEP_MS, SWEEP_MS, sweep_jobs, self);
}

/* ---- life ---- */

static void on_drain(void *arg)
{
    server_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    bool quiet = self->waiting == 0 && now_ms - self->last_request_ms >= DRAIN_QUIET_MS &&
                 now_ms - self->drain_since_ms >= DRAIN_QUIET_MS;
    if (!quiet && now_ms - self->drain_since_ms < DRAIN_MAX_MS) return;
    pl_timer_stop(&self->drain);
    pl_loop_stop(self->loop);
}

/* The others are being ended too, and their last writes are the ones that close the calls: go on
 * until they have nothing more to say. */
static void on_terminate(void *arg, unsigned count)
{
    server_t *self = arg;
    if (count > 1) {
        log_warn("server.stop_now", "waiting=%" PRIu32, self->waiting);
        pl_loop_stop(self->loop);
        return;
    }
    log_info("server.drain", "waiting=%" PRIu32, self->waiting);
    pl_bus_drain(self->bus);
    self->drain_since_ms = pl_clock_ms();
    self->drain = pl_timer_start(self->loop, DRAIN_LOOK_MS, DRAIN_LOOK_MS, on_drain, self);
}

static pl_err_t open_store(server_t *self, const pl_config_t *cfg)
{
    const char *name = pl_config_str(cfg, "persistence.provider");
    self->provider = store_provider_find(name);
    if (!self->provider) {
        (void)fprintf(stderr,
                      "parley-persistence: persistence.provider: \"%s\" is not one of: %s\n", name,
                      store_provider_names());
        return PL_INVALID;
    }
    char detail[STORE_DETAIL_BYTES] = "";
    pl_err_t err = self->provider->open(&self->store, cfg, detail);
    if (err) (void)fprintf(stderr, "parley-persistence: %s\n", detail);
    return err;
}

static void take_requests(server_t *self)
{
    static const Pl__Envelope__BodyCase writes[] = {
        PL__ENVELOPE__BODY_STORE_CREATE, PL__ENVELOPE__BODY_STORE_APPLY,
        PL__ENVELOPE__BODY_STORE_ADOPT,  PL__ENVELOPE__BODY_JOB_PUT,
        PL__ENVELOPE__BODY_JOB_TAKE,     PL__ENVELOPE__BODY_JOB_RENEW,
        PL__ENVELOPE__BODY_JOB_DONE,     PL__ENVELOPE__BODY_JOB_FAIL,
        PL__ENVELOPE__BODY_JOB_RETRY,
    };
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        pl_bus_on(self->bus, writes[i], on_write_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_GET, on_read_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_LIST, on_read_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_JOB_LIST, on_read_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_REMINDER_LIST, on_read_request, self);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    static const char *const peers[] = {"dialogue", NULL}; /* to wake its workers */
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = pl_loop_new();
    self->board = job_board_new();
    metrics_new(&self->metrics);
    self->waiting_max = (uint32_t)pl_config_int(cfg, "persistence.queue_max");
    pl_loop_on_terminate(self->loop, on_terminate, self);
    pl_err_t err = open_store(self, cfg);
    if (err) goto out;
    err = pl_bus_new(&self->bus, self->loop, cfg, peers);
    if (err) goto out;
    size_t batch_max = (size_t)pl_config_int(cfg, "persistence.batch_max");
    self->writer = writer_new(self->loop, self->provider, self->store, batch_max, on_written, self);
    self->reader = reader_new(self->loop, self->provider, self->store, on_read, self);
    take_requests(self);
    start_timers(self, cfg);
    set_waiting(self, 0);
    *out = self;
    return PL_OK;
out:
    server_destroy(&self);
    return err;
}

pl_err_t server_run(server_t *self)
{
    log_info("server.ready", "provider=%s", self->provider->name);
    pl_loop_run(self->loop);
    return PL_OK;
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->count);
    pl_timer_stop(&self->sweep);
    writer_destroy(&self->writer); /* commits what is waiting */
    reader_destroy(&self->reader);
    pl_timer_stop(&self->drain);
    pl_bus_destroy(&self->bus);   /* what is still open is refused */
    pl_loop_destroy(&self->loop); /* runs the last reports, which need self */
    job_board_destroy(&self->board);
    if (self->provider) self->provider->close(&self->store);
    free(self);
}
