#include "services/rag/ingest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

typedef struct {
    index_writer_t *index;
    const ingest_opts_t *opts;
    ingest_report_t *report;
    bool begun;
    uint64_t begun_ms;
    size_t committed; /* changes that are */
    int64_t wall_ms;
    char *detail;
} ingest_t;

static bool stopping(const ingest_t *self)
{
    return self->opts->limits.stop && atomic_load(self->opts->limits.stop);
}

/* The transaction begins with the first change: most scans find none. */
static pl_err_t begin(ingest_t *self)
{
    if (self->begun) return PL_OK;
    pl_err_t err = index_begin(self->index, self->detail);
    self->begun = !err;
    self->begun_ms = pl_clock_ms();
    return err;
}

static size_t changes(const ingest_report_t *report)
{
    return report->added + report->changed + report->removed;
}

static pl_err_t commit(ingest_t *self)
{
    if (!self->begun) return PL_OK;
    pl_err_t err = index_commit(self->index, changes(self->report) > self->committed, self->wall_ms,
                                self->detail);
    self->begun = err != PL_OK;
    self->committed = changes(self->report);
    return err;
}

/* A file's name for the log: whatever it holds, it stays one line and within its quotes. */
static const char *printable(const char *path, char out[FOLDER_PATH_BYTES])
{
    size_t i = 0;
    for (; path[i] && i < FOLDER_PATH_BYTES - 1; i++)
        out[i] = (unsigned char)path[i] < 0x20 || path[i] == '"' || path[i] == 0x7f ? '?' : path[i];
    out[i] = '\0';
    return out;
}

static void tell(const char *event, const folder_file_t *file, const char *problem)
{
    char name[FOLDER_PATH_BYTES];
    log_warn(event, "file=\"%s\" problem=\"%s\"", printable(file->path, name), problem);
}

static bool is_as_known(const folder_file_t *file, const index_entry_t *known)
{
    return known && known->size == file->size && known->mtime_ns == file->mtime_ns;
}

static pl_err_t store_bad(ingest_t *self, const folder_file_t *file, const char *problem)
{
    pl_err_t err = begin(self);
    index_entry_t entry = {.path = file->path,
                           .size = file->size,
                           .mtime_ns = file->mtime_ns,
                           .bad = true,
                           .problem = (char *)problem};
    return err ? err : index_put(self->index, &entry, self->detail);
}

static pl_err_t put_bad(ingest_t *self, const folder_file_t *file, const index_entry_t *known,
                        const char *problem)
{
    bool same = known && known->bad && is_as_known(file, known);
    self->report->bad++;
    if (!same || self->opts->tell_again) tell("ingest.skipped", file, problem);
    if (same) return PL_OK;
    if (known && !known->bad) self->report->removed++;
    return store_bad(self, file, problem);
}

/* It was read to its end, or as far as possible: what of it is in the index goes again. */
static pl_err_t take_back(ingest_t *self, const folder_file_t *file, const index_entry_t *known,
                          const char *problem)
{
    if (stopping(self)) { /* it was not given its time */
        self->report->unsettled = true;
        return index_remove(self->index, file->path, self->detail);
    }
    self->report->bad++;
    tell("ingest.skipped", file, problem);
    if (known && !known->bad) self->report->removed++;
    return store_bad(self, file, problem);
}

/* Cuts a document into the index. */
static pl_err_t put_document(ingest_t *self, const folder_file_t *file, const index_entry_t *known,
                             document_t *document)
{
    pl_err_t err = begin(self);
    if (err) return err;
    index_entry_t entry = {.path = file->path, .size = document->size};
    entry.mtime_ns = document->mtime_ns;
    entry.hash = document_hash(DOCUMENT_HASH_SEED, document->text, document->bytes);
    if (known && !known->bad && known->hash == entry.hash && known->size == entry.size)
        return index_touch(self->index, &entry, self->detail);
    err = index_put(self->index, &entry, self->detail);
    if (err) return err;
    char problem[DOCUMENT_PROBLEM_BYTES];
    if (!format_run(format_of(file->path), file->path, document, &self->opts->limits, index_add,
                    self->index, problem))
        return take_back(self, file, known, problem);
    if (*problem) tell("ingest.partly", file, problem);
    if (known)
        self->report->changed++;
    else
        self->report->added++;
    return index_put_end(self->index, problem, self->detail);
}

static pl_err_t read_and_put(ingest_t *self, const folder_file_t *file, const index_entry_t *known)
{
    char full[FOLDER_PATH_BYTES];
    char problem[DOCUMENT_PROBLEM_BYTES] = "";
    document_t text;
    (void)snprintf(full, sizeof full, "%s/%s", file->root, file->path);
    pl_err_t err = PL_OK;
    switch (document_read(&text, full, self->opts->max_file_bytes, problem)) {
    case DOCUMENT_OK:
        err = put_document(self, file, known, &text);
        document_free(&text);
        break;
    case DOCUMENT_BAD:
        err = put_bad(self, file, known, problem);
        break;
    case DOCUMENT_CHANGED:
    case DOCUMENT_GONE: /* between scan and reading: the next scan will see */
        self->report->unsettled = true;
        break;
    }
    return err;
}

/* known: NULL when the index has not met it. */
static pl_err_t take_file(ingest_t *self, const folder_file_t *file, const index_entry_t *known)
{
    if (file->problem) return put_bad(self, file, known, file->problem);
    bool same = is_as_known(file, known);
    if (same && known->bad && !self->opts->tell_again) {
        self->report->bad++;
        return PL_OK;
    }
    return same && !known->bad ? PL_OK : read_and_put(self, file, known);
}

static pl_err_t take_gone(ingest_t *self, const index_entry_t *known)
{
    pl_err_t err = begin(self);
    if (!known->bad) self->report->removed++;
    return err ? err : index_remove(self->index, known->path, self->detail);
}

/* The one of the two lists' heads that comes first by path: below 0 the file, above 0 the entry. */
static int first_of(const folder_t *folder, size_t f, const index_entry_t *entries, size_t k,
                    size_t count)
{
    if (f == folder->count) return 1;
    if (k == count) return -1;
    return strcmp(folder->files[f].path, entries[k].path);
}

static void show_progress(const ingest_t *self, size_t scanned, size_t files)
{
    if (!self->opts->progress) return;
    atomic_store(&self->opts->progress->files, (unsigned)files);
    atomic_store(&self->opts->progress->scanned, (unsigned)scanned);
}

/* Both lists are ordered by path: one walk along the two. */
static pl_err_t compare(ingest_t *self, const folder_t *folder, const index_entry_t *entries,
                        size_t count)
{
    size_t f = 0;
    size_t k = 0;
    pl_err_t err = PL_OK;
    while (!err && !stopping(self) && (f < folder->count || k < count)) {
        show_progress(self, f, folder->count);
        int order = first_of(folder, f, entries, k, count);
        if (order > 0)
            err = take_gone(self, &entries[k++]);
        else if (order < 0)
            err = take_file(self, &folder->files[f++], NULL);
        else
            err = take_file(self, &folder->files[f++], &entries[k++]);
        bool long_since = self->begun && pl_clock_ms() - self->begun_ms >= INGEST_COMMIT_MS;
        if (!err && long_since) err = commit(self);
    }
    show_progress(self, f, folder->count);
    return err;
}

pl_err_t ingest_run(index_writer_t *index, const folder_t *folder, const ingest_opts_t *opts,
                    int64_t wall_ms, ingest_report_t *report, char detail[INDEX_DETAIL_BYTES])
{
    *report = (ingest_report_t){0};
    ingest_t self = {
        .index = index, .opts = opts, .report = report, .wall_ms = wall_ms, .detail = detail};
    index_entry_t *entries = NULL;
    size_t count = 0;
    pl_err_t err = index_entries(index, &entries, &count, detail);
    if (!err) err = compare(&self, folder, entries, count);
    if (!err) err = commit(&self);
    if (err) index_rollback(index);
    if (!err) err = index_stats(index, &report->index, detail);
    index_entries_free(entries, count);
    return err;
}
