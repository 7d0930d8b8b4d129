#include "services/rag/indexer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/worker.h"
#include "services/rag/watcher.h"

/* One scan's travel to the ingest thread and back; outlives the indexer if need be. */
typedef struct {
    indexer_t *indexer; /* NULL: it has gone */
    pl_loop_t *home;
    index_writer_t *index;
    const char *folders[2]; /* NULL: none */
    ingest_opts_t opts;
    uint64_t number;
    pl_err_t err;
    folder_t folder;
    ingest_report_t report;
    char detail[INDEX_DETAIL_BYTES];
} scan_t;

struct indexer {
    pl_loop_t *home;
    pl_worker_t *worker;
    watcher_t *watcher;
    index_writer_t *index;
    indexer_opts_t opts;
    indexer_done_fn *done;
    void *arg;
    scan_t *scan;     /* under way */
    atomic_bool stop; /* tells a scan under way to end soon */
    ingest_progress_t progress;
    uint64_t scans;    /* begun so far */
    bool again;        /* something happened meanwhile */
    bool at_once;      /* and the next scan is asked for */
    bool scanned;      /* once, with success */
    pl_err_t last;     /* to say an error once, not at each scan */
    uint64_t since_ms; /* the first happening not yet scanned; 0: none */
    pl_timer_t *quiet, *rescan;
};

static void start_scan(indexer_t *self);

/* ---- on the ingest thread ---- */

static void take_back(void *arg);

/* One that cannot be read at all (unmounted, say) changes nothing: what is known stays findable. */
static void scan_folders(scan_t *scan)
{
    static const char *const settings[] = {"rag.folder", "rag.library"};
    for (size_t i = 0; !scan->err && i < 2 && scan->folders[i]; i++) {
        folder_t one;
        scan->err = folder_scan(&one, scan->folders[i]);
        char text[64];
        if (scan->err)
            (void)snprintf(scan->detail, sizeof scan->detail, "%.160s: %s (%s)", scan->folders[i],
                           strerror_r(errno, text, sizeof text), settings[i]);
        else
            folder_join(&scan->folder, &one);
        folder_free(&one);
    }
}

static void do_scan(void *arg)
{
    scan_t *scan = arg;
    scan_folders(scan);
    if (!scan->err)
        scan->err = ingest_run(scan->index, &scan->folder, &scan->opts, pl_clock_wall_ms(),
                               &scan->report, scan->detail);
    scan->report.number = scan->number;
    pl_loop_post(scan->home, take_back, scan);
}

/* ---- on the home loop ---- */

static void say(indexer_t *self, const scan_t *scan)
{
    const ingest_report_t *r = &scan->report;
    if (scan->err) {
        if (scan->err != self->last) log_error("ingest.failed", "detail=\"%s\"", scan->detail);
    } else if (!self->scanned || r->added + r->changed + r->removed > 0) {
        log_info("ingest.done",
                 "added=%zu changed=%zu removed=%zu bad=%zu documents=%" PRIu32 " passages=%" PRIu32
                 " version=%" PRIu64,
                 r->added, r->changed, r->removed, r->bad, r->index.documents, r->index.passages,
                 r->index.version);
    }
    self->last = scan->err;
}

static void on_quiet(void *arg)
{
    indexer_t *self = arg;
    pl_timer_stop(&self->quiet);
    start_scan(self);
}

static void scan_in(indexer_t *self, uint64_t delay_ms)
{
    pl_timer_stop(&self->quiet);
    self->quiet = pl_timer_start(self->home, delay_ms, 0, on_quiet, self);
}

static void free_scan(scan_t *scan)
{
    folder_free(&scan->folder);
    free(scan);
}

static void take_back(void *arg)
{
    scan_t *scan = arg;
    indexer_t *self = scan->indexer;
    if (self) {
        self->scan = NULL;
        say(self, scan);
        if (!scan->err) self->scanned = true;
        watcher_add(self->watcher, scan->folder.folders, scan->folder.folder_count);
        self->done(self->arg, scan->err, scan->detail, &scan->report);
        if (self->at_once)
            start_scan(self);
        else if (self->again)
            scan_in(self, INDEXER_QUIET_MS);
        else if (scan->report.unsettled)
            scan_in(self, INDEXER_UNSETTLED_MS);
        self->again = self->at_once = false;
    }
    free_scan(scan);
}

static void start_scan(indexer_t *self)
{
    if (self->scan) {
        self->again = true;
        return;
    }
    self->since_ms = 0;
    scan_t *scan = calloc(1, sizeof *scan);
    assert(scan);
    scan->indexer = self;
    scan->home = self->home;
    scan->index = self->index;
    scan->opts = (ingest_opts_t){
        .max_file_bytes = self->opts.max_file_bytes,
        .limits = {.pdf_timeout_ms = self->opts.pdf_timeout_ms, .stop = &self->stop},
        .progress = &self->progress,
        .tell_again = !self->scanned,
    };
    scan->folders[0] = self->opts.folder;
    scan->folders[1] = self->opts.library;
    scan->number = ++self->scans;
    self->scan = scan;
    pl_loop_post(pl_worker_loop(self->worker), do_scan, scan);
}

static void on_happening(void *arg)
{
    indexer_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    if (!self->since_ms) self->since_ms = now_ms;
    uint64_t waited_ms = now_ms - self->since_ms;
    if (waited_ms < INDEXER_PATIENCE_MS)
        scan_in(self, INDEXER_QUIET_MS);
    else if (!self->quiet)
        start_scan(self);
}

static void on_rescan(void *arg)
{
    indexer_t *self = arg;
    if (!self->quiet) start_scan(self);
}

indexer_t *indexer_new(pl_loop_t *home, index_writer_t *index, const indexer_opts_t *opts,
                       indexer_done_fn *done, void *arg)
{
    indexer_t *self = calloc(1, sizeof *self);
    assert(self);
    self->home = home;
    self->index = index;
    self->opts = *opts;
    self->done = done;
    self->arg = arg;
    self->worker = pl_worker_new("rag-ingest");
    self->watcher = watcher_new(home, on_happening, self);
    self->rescan = pl_timer_start(home, opts->rescan_ms, opts->rescan_ms, on_rescan, self);
    start_scan(self);
    return self;
}

uint64_t indexer_scan(indexer_t *self)
{
    uint64_t number = self->scans + 1;
    pl_timer_stop(&self->quiet);
    if (self->scan)
        self->at_once = true;
    else
        start_scan(self);
    return number;
}

void indexer_progress(indexer_t *self, uint32_t *scanned, uint32_t *files)
{
    *scanned = atomic_load(&self->progress.scanned);
    *files = atomic_load(&self->progress.files);
}

pl_loop_t *indexer_loop(indexer_t *self)
{
    return pl_worker_loop(self->worker);
}

void indexer_destroy(indexer_t **self_p)
{
    indexer_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    atomic_store(&self->stop, true);
    pl_worker_destroy(&self->worker);
    if (self->scan) self->scan->indexer = NULL; /* its report is on the way to nobody */
    pl_timer_stop(&self->quiet);
    pl_timer_stop(&self->rescan);
    watcher_destroy(&self->watcher);
    free(self);
}
