#include "services/rag/server.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "services/rag/indexer.h"
#include "services/rag/searcher.h"

enum {
    DRAIN_LOOK_MS = 50,
    DRAIN_MAX_MS = 5000,
    RETRY_MS = 100,
};

typedef struct {
    pl_metric_t *searches, *empty, *failed, *seconds, *waiting;
    pl_metric_t *documents, *bad, *passages, *scans;
} metrics_t;

struct server {
    pl_loop_t *loop;
    pl_bus_t *bus;
    index_writer_t *index;
    index_reader_t *reader;
    indexer_t *indexer;
    searcher_t *searcher;
    search_defaults_t defaults;
    metrics_t metrics;
    bool ready; /* the first scan is over, or the index knew documents from before */
    uint32_t waiting, waiting_max;
    uint64_t drain_since_ms;
    pl_timer_t *drain;
};

static void metrics_new(metrics_t *m)
{
    static const char searches[] = "parley_rag_searches_total";
    static const char help[] = "Searches, by outcome";
    m->searches = pl_metric_counter(searches, "outcome=\"found\"", help);
    m->empty = pl_metric_counter(searches, "outcome=\"nothing\"", help);
    m->failed = pl_metric_counter(searches, "outcome=\"failed\"", help);
    m->seconds = pl_metric_counter("parley_rag_search_seconds_total", NULL, "Time spent searching");
    m->waiting = pl_metric_gauge("parley_rag_waiting", NULL, "Searches not yet answered");
    m->documents = pl_metric_gauge("parley_rag_documents", NULL, "Documents in the index");
    m->bad = pl_metric_gauge("parley_rag_bad_files", NULL, "Files that cannot be used");
    m->passages = pl_metric_gauge("parley_rag_passages", NULL, "Passages in the index");
    m->scans = pl_metric_counter("parley_rag_scans_total", NULL, "Scans of the folder");
}

static void set_waiting(server_t *self, uint32_t waiting)
{
    self->waiting = waiting;
    pl_metric_set(self->metrics.waiting, waiting);
    if (self->bus) pl_bus_load(self->bus, waiting, self->waiting_max);
}

/* ---- searches ---- */

static void on_search(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    if (!request) return; /* one-way: nobody would hear the answer */
    if (!self->ready) {
        pl_request_refuse(&request, PL_BUSY, RETRY_MS, "the index is being made");
        return;
    }
    if (self->waiting >= self->waiting_max) {
        pl_request_refuse(&request, PL_BUSY, RETRY_MS,
                          "%" PRIu32 " searches are waiting (rag.queue_max)", self->waiting);
        return;
    }
    search_t *search = search_new(env->search_query, &self->defaults);
    search->context = request;
    searcher_add(self->searcher, &search);
    set_waiting(self, self->waiting + 1);
}

static void on_found(void *arg, search_t *search)
{
    server_t *self = arg;
    pl_request_t *request = search->context;
    pl_metric_add(self->metrics.seconds, (double)search->took_us / 1e6);
    if (search->err) {
        pl_metric_add(self->metrics.failed, 1);
        log_error("search.failed", "err=%s detail=\"%s\"", pl_err_name(search->err),
                  search->detail);
        pl_request_refuse(&request, search->err, RETRY_MS, "%s", search->detail);
    } else {
        size_t count = search->result->n_passages;
        pl_metric_add(count ? self->metrics.searches : self->metrics.empty, 1);
        log_debug("search.done", "texts=%zu passages=%zu took_us=%" PRIu64, search->count, count,
                  search->took_us);
        Pl__Envelope reply = PL__ENVELOPE__INIT;
        reply.body_case = PL__ENVELOPE__BODY_SEARCH_RESULT;
        reply.search_result = search->result;
        pl_request_reply(&request, &reply);
    }
    search_destroy(&search);
    set_waiting(self, self->waiting - 1);
}

static void on_scanned(void *arg, pl_err_t err, const ingest_report_t *report)
{
    server_t *self = arg;
    pl_metric_add(self->metrics.scans, 1);
    self->ready = true; /* even if it failed: what there is can be searched */
    if (err) return;
    pl_metric_set(self->metrics.documents, report->index.documents);
    pl_metric_set(self->metrics.bad, report->index.bad);
    pl_metric_set(self->metrics.passages, report->index.passages);
}

/* ---- life ---- */

static void on_drain(void *arg)
{
    server_t *self = arg;
    bool late = pl_clock_ms() - self->drain_since_ms >= DRAIN_MAX_MS;
    if (self->waiting > 0 && !late) return;
    pl_timer_stop(&self->drain);
    pl_loop_stop(self->loop);
}

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

static pl_err_t check_folder(const char *folder)
{
    struct stat info;
    char text[64];
    const char *problem = NULL;
    if (stat(folder, &info) < 0)
        problem = strerror_r(errno, text, sizeof text);
    else if (!S_ISDIR(info.st_mode))
        problem = "not a folder";
    if (!problem) return PL_OK;
    (void)fprintf(stderr, "parley-rag: rag.folder: %s: %s\n", folder, problem);
    return PL_INVALID;
}

static pl_err_t open_index(server_t *self, const char *file)
{
    char detail[INDEX_DETAIL_BYTES] = "";
    index_stats_t stats = {0};
    pl_err_t err = index_writer_open(&self->index, file, detail);
    if (!err) err = index_stats(self->index, &stats, detail);
    if (!err) err = index_reader_open(&self->reader, file, detail);
    if (err) (void)fprintf(stderr, "parley-rag: %s\n", detail);
    self->ready = stats.documents > 0;
    return err;
}

static void start_threads(server_t *self, const pl_config_t *cfg)
{
    indexer_opts_t opts = {
        .folder = pl_config_str(cfg, "rag.folder"),
        .max_file_bytes = (size_t)pl_config_int(cfg, "rag.max_file_bytes"),
        .pdf_timeout_ms = (uint32_t)pl_config_int(cfg, "rag.pdf_timeout_ms"),
        .rescan_ms = (uint64_t)pl_config_int(cfg, "rag.rescan_s") * 1000,
    };
    self->searcher = searcher_new(self->loop, self->reader, on_found, self);
    self->indexer = indexer_new(self->loop, self->index, &opts, on_scanned, self);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    static const char *const no_peers[] = {NULL};
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = pl_loop_new();
    metrics_new(&self->metrics);
    self->waiting_max = (uint32_t)pl_config_int(cfg, "rag.queue_max");
    self->defaults.top_n = (uint32_t)pl_config_int(cfg, "rag.top_n_documents");
    self->defaults.strictness = pl_config_double(cfg, "rag.strictness");
    self->defaults.texts = (size_t)pl_config_int(cfg, "rag.expansion_n_messages");
    self->defaults.low = pl_config_double(cfg, "rag.embeddings.similarity_low");
    self->defaults.high = pl_config_double(cfg, "rag.embeddings.similarity_high");
    pl_loop_on_terminate(self->loop, on_terminate, self);
    pl_err_t err = check_folder(pl_config_str(cfg, "rag.folder"));
    if (!err) err = open_index(self, pl_config_str(cfg, "rag.index_file"));
    if (!err) err = pl_bus_new(&self->bus, self->loop, cfg, no_peers);
    if (err) {
        server_destroy(&self);
        return err;
    }
    start_threads(self, cfg);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_SEARCH_QUERY, on_search, self);
    set_waiting(self, 0);
    *out = self;
    return PL_OK;
}

pl_err_t server_run(server_t *self)
{
    log_info("server.ready", "documents_known=%d", self->ready);
    pl_loop_run(self->loop);
    return PL_OK;
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    indexer_destroy(&self->indexer);
    searcher_destroy(&self->searcher);
    pl_timer_stop(&self->drain);
    pl_bus_destroy(&self->bus);   /* what is still open is refused */
    pl_loop_destroy(&self->loop); /* runs the last reports, which need self */
    index_reader_close(&self->reader);
    index_writer_close(&self->index);
    free(self);
}
