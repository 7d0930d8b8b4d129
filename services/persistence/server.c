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
#include "services/persistence/reader.h"
#include "services/persistence/writer.h"

enum {
    DRAIN_LOOK_MS = 50,   /* how often the drain is looked at */
    DRAIN_QUIET_MS = 300, /* this long without a request: nobody has more for us */
    DRAIN_MAX_MS = 5000,
    RETRY_BUSY_MS = 50,
    RETRY_FAILED_MS = 1000,
};

typedef struct {
    pl_metric_t *created, *applied, *adopted, *repeated, *refused, *failed;
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
    pl_timer_t *drain;
};

/* ---- metrics ---- */

static void metrics_new(metrics_t *m)
{
    static const char writes[] = "parley_store_writes_total";
    static const char help[] = "Writes asked of the store, by outcome";
    m->created = pl_metric_counter(writes, "outcome=\"created\"", help);
    m->applied = pl_metric_counter(writes, "outcome=\"applied\"", help);
    m->adopted = pl_metric_counter(writes, "outcome=\"adopted\"", help);
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
        break;
    }
    return m->adopted;
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
    if (write->kind == WRITE_ADOPT) {
        call.call = write->record;
        reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
        reply.store_call = &call;
    } else {
        ack.version = write->version;
        reply.body_case = PL__ENVELOPE__BODY_STORE_ACK;
        reply.store_ack = &ack;
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
    }
}

static void on_written(void *arg, write_t **writes, size_t count, const store_stats_t *stats)
{
    server_t *self = arg;
    pl_metric_add(self->metrics.batches, 1);
    pl_metric_add(self->metrics.commit_seconds, (double)stats->commit_us / 1e6);
    pl_metric_set(self->metrics.commit_last, (double)stats->commit_us / 1e6);
    pl_metric_set(self->metrics.bytes, (double)stats->bytes);
    for (size_t i = 0; i < count; i++) {
        pl_metric_add(metric_of(&self->metrics, writes[i]), 1);
        log_write(writes[i]);
        answer_write(writes[i], writes[i]->context);
        write_destroy(&writes[i]);
    }
    set_waiting(self, self->waiting - (uint32_t)count);
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
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_CREATE, on_write_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_APPLY, on_write_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_ADOPT, on_write_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_GET, on_read_request, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_STORE_LIST, on_read_request, self);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    static const char *const no_peers[] = {NULL};
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = pl_loop_new();
    metrics_new(&self->metrics);
    self->waiting_max = (uint32_t)pl_config_int(cfg, "persistence.queue_max");
    pl_loop_on_terminate(self->loop, on_terminate, self);
    pl_err_t err = open_store(self, cfg);
    if (err) goto out;
    err = pl_bus_new(&self->bus, self->loop, cfg, no_peers);
    if (err) goto out;
    size_t batch_max = (size_t)pl_config_int(cfg, "persistence.batch_max");
    self->writer = writer_new(self->loop, self->provider, self->store, batch_max, on_written, self);
    self->reader = reader_new(self->loop, self->provider, self->store, on_read, self);
    take_requests(self);
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
    writer_destroy(&self->writer); /* commits what is waiting */
    reader_destroy(&self->reader);
    pl_timer_stop(&self->drain);
    pl_bus_destroy(&self->bus);   /* what is still open is refused */
    pl_loop_destroy(&self->loop); /* runs the last reports, which need self */
    if (self->provider) self->provider->close(&self->store);
    free(self);
}
