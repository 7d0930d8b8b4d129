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
#include "services/rag/embed/filler.h"
#include "services/rag/finder.h"
#include "services/rag/indexer.h"
#include "services/rag/librarian.h"

enum {
    DRAIN_LOOK_MS = 50,
    DRAIN_MAX_MS = 5000,
    RETRY_MS = 100,
};

typedef struct {
    pl_metric_t *found, *nothing, *failed, *waiting;
    pl_metric_t *documents, *bad, *passages, *vectors, *scans, *filled, *refused, *embedding;
} metrics_t;

struct server {
    pl_loop_t *loop;
    pl_bus_t *bus;
    index_writer_t *index;
    index_reader_t *reader;
    embed_server_t *embeddings; /* NULL: words alone */
    indexer_t *indexer;
    filler_t *filler;
    finder_t *finder;
    librarian_t *librarian;
    library_t *library; /* until the librarian has it */
    char library_problem[LIBRARY_DETAIL_BYTES];
    char scan_problem[INDEX_DETAIL_BYTES]; /* "" after one that went well */
    metrics_t metrics;
    bool ready; /* the first scan is over, or the index knew documents from before */
    uint64_t version;
    uint32_t passages, vectors; /* in the index */
    uint32_t waiting_max;
    size_t filled, refused; /* as told to the metrics */
    uint64_t drain_since_ms;
    pl_timer_t *drain;
};

static void metrics_new(metrics_t *m)
{
    static const char searches[] = "parley_rag_searches_total";
    static const char help[] = "Searches, by outcome";
    static const char texts[] = "parley_rag_embedded_total";
    m->found = pl_metric_counter(searches, "outcome=\"found\"", help);
    m->nothing = pl_metric_counter(searches, "outcome=\"nothing\"", help);
    m->failed = pl_metric_counter(searches, "outcome=\"failed\"", help);
    m->waiting = pl_metric_gauge("parley_rag_waiting", NULL, "Searches not yet answered");
    m->documents = pl_metric_gauge("parley_rag_documents", NULL, "Documents in the index");
    m->bad = pl_metric_gauge("parley_rag_bad_files", NULL, "Files that cannot be used");
    m->passages = pl_metric_gauge("parley_rag_passages", NULL, "Passages in the index");
    m->vectors = pl_metric_gauge("parley_rag_vectors", NULL,
                                 "Passages that have a vector or are refused one");
    m->scans = pl_metric_counter("parley_rag_scans_total", NULL, "Scans of the folder");
    m->filled = pl_metric_counter(texts, "outcome=\"done\"", "Passages sent for their vectors");
    m->refused = pl_metric_counter(texts, "outcome=\"refused\"", "Passages sent for their vectors");
    m->embedding = pl_metric_gauge("parley_rag_embeddings_up", NULL,
                                   "1: an embeddings server is configured and answers");
}

/* ---- what others are told ---- */

/* Readiness says what the knowledge base cannot do at the moment. */
static void tell(server_t *self)
{
    if (!self->finder) return; /* it is being destroyed, and tells who waits */
    const char *note = "";
    filler_state_t state = {.problem = ""};
    if (self->filler) state = filler_state(self->filler);
    if (!self->embeddings)
        note = "by words alone: no embeddings server is configured";
    else if (*state.problem)
        note = "by words alone where vectors lack: the embeddings server does not answer";
    else if (state.busy)
        note = "by words alone where vectors lack: they are being made";
    pl_bus_note(self->bus, note);
    pl_bus_load(self->bus, finder_waiting(self->finder), self->waiting_max);
    pl_metric_set(self->metrics.waiting, finder_waiting(self->finder));
    pl_metric_set(self->metrics.embedding, self->embeddings && !*state.problem);
}

static void note_index(server_t *self, const index_stats_t *index)
{
    /* Reports of two threads' work may cross. */
    if (index->version < self->version) return;
    self->version = index->version;
    self->passages = index->passages;
    self->vectors = index->vectors;
    pl_metric_set(self->metrics.documents, index->documents);
    pl_metric_set(self->metrics.bad, index->bad);
    pl_metric_set(self->metrics.passages, index->passages);
    pl_metric_set(self->metrics.vectors, index->vectors);
    finder_index(self->finder, index->version, index->vectors > 0 ? index->dimensions : 0);
}

/* ---- searches ---- */

typedef struct {
    server_t *server;
    pl_request_t *request;
} asked_t;

static void on_answer(void *arg, pl_err_t err, const Pl__SearchResult *result, const char *detail)
{
    asked_t *asked = arg;
    server_t *self = asked->server;
    if (err) {
        pl_metric_add(self->metrics.failed, 1);
        pl_request_refuse(&asked->request, err, RETRY_MS, "%s", detail);
    } else {
        Pl__Envelope reply = PL__ENVELOPE__INIT;
        reply.body_case = PL__ENVELOPE__BODY_SEARCH_RESULT;
        reply.search_result = (Pl__SearchResult *)result;
        pl_request_reply(&asked->request, &reply);
        pl_metric_add(result->n_passages ? self->metrics.found : self->metrics.nothing, 1);
    }
    free(asked);
    tell(self);
}

static void on_search(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    if (!request) return; /* one-way: nobody would hear the answer */
    if (!self->ready) {
        pl_request_refuse(&request, PL_BUSY, RETRY_MS, "the index is being made");
        return;
    }
    asked_t *asked = malloc(sizeof *asked);
    assert(asked);
    *asked = (asked_t){self, request};
    finder_ask(self->finder, env->search_query, pl_request_time_left_ms(request), on_answer, asked);
    tell(self);
}

static void on_prefetch(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    const Pl__SearchQuery *query = env->search_prefetch->query;
    if (query && self->ready) finder_prefetch(self->finder, query, env->call_id);
    if (request) pl_request_done(&request);
}

static void on_ingest(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    if (request) librarian_step(self->librarian, env->ingest, &request);
}

/* For who asks how far an ingestion is. */
static void fill_in(void *arg, Pl__IngestState *state)
{
    const server_t *self = arg;
    state->problem = (char *)self->scan_problem;
    if (!self->filler) return;
    filler_state_t filling = filler_state(self->filler);
    state->vectors = self->vectors;
    state->vectors_wanted = self->passages;
    state->vectors_problem = (char *)filling.problem;
}

static void on_scanned(void *arg, pl_err_t err, const char *detail, const ingest_report_t *report)
{
    server_t *self = arg;
    pl_metric_add(self->metrics.scans, 1);
    self->ready = true; /* even if it failed: what there is can be searched */
    (void)snprintf(self->scan_problem, sizeof self->scan_problem, "%s", err ? detail : "");
    if (err) return;
    note_index(self, &report->index);
    librarian_scanned(self->librarian, report->number);
    if (self->filler && report->index.vectors < report->index.passages) filler_kick(self->filler);
}

static void on_filled(void *arg)
{
    server_t *self = arg;
    filler_state_t state = filler_state(self->filler);
    pl_metric_add(self->metrics.filled, (double)(state.filled - self->filled));
    pl_metric_add(self->metrics.refused, (double)(state.refused - self->refused));
    self->filled = state.filled;
    self->refused = state.refused;
    if (state.index.version > 0) note_index(self, &state.index);
    tell(self);
}

/* ---- life ---- */

static void on_drain(void *arg)
{
    server_t *self = arg;
    bool late = pl_clock_ms() - self->drain_since_ms >= DRAIN_MAX_MS;
    if (finder_waiting(self->finder) > 0 && !late) return;
    pl_timer_stop(&self->drain);
    pl_loop_stop(self->loop);
}

static void on_terminate(void *arg, unsigned count)
{
    server_t *self = arg;
    if (count > 1) {
        log_warn("server.stop_now", "waiting=%" PRIu32, finder_waiting(self->finder));
        pl_loop_stop(self->loop);
        return;
    }
    log_info("server.drain", "waiting=%" PRIu32, finder_waiting(self->finder));
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

static pl_err_t open_index(server_t *self, const pl_config_t *cfg, index_stats_t *stats)
{
    const char *file = pl_config_str(cfg, "rag.index_file");
    char detail[INDEX_DETAIL_BYTES] = "";
    pl_err_t err = index_writer_open(&self->index, file, detail);
    if (!err && self->embeddings) { /* so that the first scan knows which vectors to trust */
        err = index_space(self->index, embed_server_space(self->embeddings),
                          embed_server_dimensions(self->embeddings), pl_clock_wall_ms(), detail);
        if (pl_config_bool(cfg, "rag.embeddings.trust_given_vectors"))
            index_trust(self->index, index_dimensions(self->index));
    }
    if (!err) err = index_stats(self->index, stats, detail);
    if (!err) err = index_reader_open(&self->reader, file, detail);
    if (!err) err = index_refresh(self->reader, detail);
    if (err) (void)fprintf(stderr, "parley-rag: %s\n", detail);
    self->ready = stats->documents > 0;
    return err;
}

static void open_library(server_t *self, const pl_config_t *cfg)
{
    library_limits_t limits = {
        .file_bytes = (uint64_t)pl_config_int(cfg, "rag.max_file_bytes"),
        .session_bytes = (uint64_t)pl_config_int(cfg, "rag.ingest_max_bytes"),
        .files = FOLDER_FILES_MAX,
    };
    if (library_new(&self->library, pl_config_str(cfg, "rag.library"), &limits,
                    self->library_problem) != PL_OK)
        log_warn("library.unavailable", "detail=\"%s\"", self->library_problem);
}

static void start_work(server_t *self, const pl_config_t *cfg)
{
    indexer_opts_t opts = {
        .folder = pl_config_str(cfg, "rag.folder"),
        .library = self->library ? pl_config_str(cfg, "rag.library") : NULL,
        .max_file_bytes = (size_t)pl_config_int(cfg, "rag.max_file_bytes"),
        .pdf_timeout_ms = (uint32_t)pl_config_int(cfg, "rag.pdf_timeout_ms"),
        .rescan_ms = (uint64_t)pl_config_int(cfg, "rag.rescan_s") * 1000,
    };
    self->indexer = indexer_new(self->loop, self->index, &opts, on_scanned, self);
    librarian_opts_t keeping = {
        .home = self->loop,
        .library = self->library,
        .problem = self->library_problem,
        .indexer = self->indexer,
        .index = self->index,
        .fill_in = fill_in,
        .arg = self,
    };
    self->library = NULL;
    self->librarian = librarian_new(&keeping);
    if (!self->embeddings) {
        log_warn("server.words_alone",
                 "detail=\"rag.embeddings.endpoint is empty: passages are found by their words\"");
        return;
    }
    filler_opts_t filling = {
        .batch = (size_t)pl_config_int(cfg, "rag.embeddings.batch"),
        .parallel = (size_t)pl_config_int(cfg, "rag.embeddings.parallel"),
        .timeout_ms = (uint32_t)pl_config_int(cfg, "rag.embeddings.timeout_ms"),
        .trust = pl_config_bool(cfg, "rag.embeddings.trust_given_vectors"),
    };
    self->filler = filler_new(self->loop, indexer_loop(self->indexer), self->index,
                              self->embeddings, &filling, on_filled, self);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    static const char *const no_peers[] = {NULL};
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    index_stats_t stats = {0};
    self->loop = pl_loop_new();
    metrics_new(&self->metrics);
    self->waiting_max = (uint32_t)pl_config_int(cfg, "rag.queue_max");
    pl_loop_on_terminate(self->loop, on_terminate, self);
    pl_err_t err = check_folder(pl_config_str(cfg, "rag.folder"));
    if (!err) err = embed_server_new(&self->embeddings, self->loop, cfg);
    if (!err) err = open_index(self, cfg, &stats);
    if (!err) err = finder_new(&self->finder, self->loop, cfg, self->reader, self->embeddings);
    if (!err) err = pl_bus_new(&self->bus, self->loop, cfg, no_peers);
    if (err) {
        server_destroy(&self);
        return err;
    }
    note_index(self, &stats);
    open_library(self, cfg);
    start_work(self, cfg);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_INGEST, on_ingest, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_SEARCH_QUERY, on_search, self);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_SEARCH_PREFETCH, on_prefetch, self);
    tell(self);
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
    indexer_destroy(&self->indexer); /* the ingest thread is gone now */
    librarian_destroy(&self->librarian);
    library_destroy(&self->library);
    filler_destroy(&self->filler);
    finder_destroy(&self->finder);
    pl_timer_stop(&self->drain);
    pl_bus_destroy(&self->bus); /* what is still open is refused */
    embed_server_destroy(&self->embeddings);
    pl_loop_destroy(&self->loop); /* runs the last reports */
    index_reader_close(&self->reader);
    index_writer_close(&self->index);
    free(self);
}
