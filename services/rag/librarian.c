#include "services/rag/librarian.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "common/worker.h"

enum {
    FOLLOWED = 16, /* ingestions whose end is remembered */
    OFFER_MAX = 1000,
    DATA_MAX = 1024 * 1024,
    RETRY_MS = 1000,
};

/* What was committed, and what the index says of it. */
typedef struct {
    char session[LIBRARY_SESSION_BYTES], name[LIBRARY_NAME_BYTES];
    uint64_t scan; /* the index is of it when that one is over; 0: free */
    bool asked, known;
    index_summary_t summary;
    uint64_t since; /* order of commits */
} followed_t;

struct librarian {
    librarian_opts_t opts;
    pl_worker_t *worker;
    library_t *library; /* the worker's; NULL: it cannot be used */
    followed_t followed[FOLLOWED];
    uint64_t commits;
    struct errand *errands; /* under way */
};

/* A step's travel to the library's thread and back, or a question's to the ingest thread. */
typedef struct errand errand_t;
struct errand {
    errand_t *next;
    librarian_t *librarian; /* NULL: it has gone */
    pl_loop_t *home;
    library_t *library;
    pl_request_t *request; /* of a step */
    Pl__Ingest *step;      /* a copy */
    index_writer_t *index; /* of a question */
    char session[LIBRARY_SESSION_BYTES], name[LIBRARY_NAME_BYTES];
    index_summary_t summary;
    /* the outcome */
    pl_err_t err;
    char detail[LIBRARY_DETAIL_BYTES];
    Pl__IngestReply reply;
};

static errand_t *errand_new(librarian_t *self)
{
    errand_t *errand = calloc(1, sizeof *errand);
    assert(errand);
    errand->librarian = self;
    errand->home = self->opts.home;
    errand->library = self->library;
    pl__ingest_reply__init(&errand->reply);
    errand->next = self->errands;
    self->errands = errand;
    return errand;
}

static void free_reply(Pl__IngestReply *reply)
{
    for (size_t i = 0; i < reply->n_problems; i++) free(reply->problems[i]);
    free(reply->problems);
    free(reply->wanted);
}

static void errand_end(errand_t *errand)
{
    librarian_t *self = errand->librarian;
    errand_t **at = self ? &self->errands : NULL;
    while (at && *at != errand) at = &(*at)->next;
    if (at) *at = errand->next;
    if (errand->step) pl__ingest__free_unpacked(errand->step, NULL);
    free_reply(&errand->reply);
    index_summary_free(&errand->summary);
    free(errand);
}

/* ---- on the library's thread ---- */

/* The texts are borrowed. */
static void add_problem(Pl__IngestReply *reply, const char *path, const char *text, bool partly)
{
    Pl__IngestProblem *problem = malloc(sizeof *problem);
    reply->problems = realloc(reply->problems, (reply->n_problems + 1) * sizeof *reply->problems);
    assert(problem && reply->problems);
    pl__ingest_problem__init(problem);
    problem->path = (char *)path;
    problem->problem = (char *)text;
    problem->partly = partly;
    reply->problems[reply->n_problems++] = problem;
}

static pl_err_t offer(errand_t *errand, uint64_t now_ms)
{
    const Pl__IngestOffer *list = errand->step->offer;
    Pl__IngestReply *reply = &errand->reply;
    if (list->n_files > OFFER_MAX) {
        (void)snprintf(errand->detail, sizeof errand->detail, "more than %d files offered at once",
                       OFFER_MAX);
        return PL_INVALID;
    }
    reply->wanted = malloc((list->n_files + 1) * sizeof *reply->wanted);
    assert(reply->wanted);
    for (size_t i = 0; i < list->n_files; i++) {
        const Pl__IngestFile *file = list->files[i];
        const char *problem = NULL;
        library_answer_t answer = LIBRARY_REFUSED;
        pl_err_t err = library_offer(errand->library, errand->step->session, file->path, file->size,
                                     file->hash, now_ms, &answer, &problem, errand->detail);
        if (err) return err;
        if (answer == LIBRARY_WANTED) reply->wanted[reply->n_wanted++] = (uint32_t)i;
        if (answer == LIBRARY_REFUSED) add_problem(reply, file->path, problem, false);
    }
    return PL_OK;
}

static pl_err_t do_it(errand_t *errand, uint64_t now_ms)
{
    const Pl__Ingest *step = errand->step;
    library_t *library = errand->library;
    char *detail = errand->detail;
    switch (step->step_case) {
    case PL__INGEST__STEP_BEGIN:
        return library_begin(library, step->session, step->begin->name, step->begin->folder,
                             step->begin->origin, step->begin->replace, now_ms, detail);
    case PL__INGEST__STEP_OFFER:
        return offer(errand, now_ms);
    case PL__INGEST__STEP_DATA:
        if (step->data->bytes.len > DATA_MAX) break;
        return library_data(library, step->session, step->data->path, step->data->offset,
                            step->data->bytes.data, step->data->bytes.len, now_ms, detail);
    case PL__INGEST__STEP_COMMIT:
        library_name(library, step->session, errand->name);
        return library_commit(library, step->session, now_ms, detail);
    case PL__INGEST__STEP_REMOVE:
        return library_remove(library, step->remove->name, detail);
    case PL__INGEST__STEP_LOOK:
    case PL__INGEST__STEP__NOT_SET:
    case _PL__INGEST__STEP__CASE_IS_INT_SIZE:
        break;
    }
    (void)snprintf(detail, LIBRARY_DETAIL_BYTES, "not a step of an ingestion");
    return PL_INVALID;
}

static void on_step_done(void *arg);

static void do_step(void *arg)
{
    errand_t *errand = arg;
    errand->err = do_it(errand, pl_clock_ms());
    pl_loop_post(errand->home, on_step_done, errand);
}

/* ---- on the ingest thread ---- */

static void on_summary(void *arg);

static void do_summarize(void *arg)
{
    errand_t *errand = arg;
    char detail[INDEX_DETAIL_BYTES] = "";
    errand->err = index_summarize(errand->index, errand->name, &errand->summary, detail);
    if (errand->err) log_error("ingest.failed", "detail=\"%s\"", detail);
    pl_loop_post(errand->home, on_summary, errand);
}

/* ---- what was committed ---- */

static followed_t *find_followed(librarian_t *self, const char *session)
{
    for (size_t i = 0; i < FOLLOWED; i++) {
        if (self->followed[i].scan && strcmp(self->followed[i].session, session) == 0)
            return &self->followed[i];
    }
    return NULL;
}

/* In place of what was committed longest ago. */
static void follow(librarian_t *self, const char *session, const char *name)
{
    if (find_followed(self, session)) return; /* the commit came twice */
    followed_t *at = &self->followed[0];
    for (size_t i = 1; i < FOLLOWED; i++) {
        if (self->followed[i].since < at->since) at = &self->followed[i];
    }
    index_summary_free(&at->summary);
    *at = (followed_t){.since = ++self->commits, .scan = indexer_scan(self->opts.indexer)};
    (void)snprintf(at->session, sizeof at->session, "%s", session);
    (void)snprintf(at->name, sizeof at->name, "%s", name);
}

void librarian_scanned(librarian_t *self, uint64_t number)
{
    for (size_t i = 0; i < FOLLOWED; i++) {
        followed_t *at = &self->followed[i];
        if (!at->scan || at->scan > number || at->asked) continue;
        at->asked = true;
        errand_t *errand = errand_new(self);
        errand->index = self->opts.index;
        (void)snprintf(errand->session, sizeof errand->session, "%s", at->session);
        (void)snprintf(errand->name, sizeof errand->name, "%s", at->name);
        pl_loop_post(indexer_loop(self->opts.indexer), do_summarize, errand);
    }
}

static void on_summary(void *arg)
{
    errand_t *errand = arg;
    librarian_t *self = errand->librarian;
    followed_t *at = self ? find_followed(self, errand->session) : NULL;
    if (at) {
        at->known = !errand->err;
        at->asked = !errand->err; /* else the next scan asks again */
        index_summary_free(&at->summary);
        at->summary = errand->summary;
        errand->summary = (index_summary_t){0};
    }
    errand_end(errand);
}

/* ---- steps ---- */

static void send_reply(pl_request_t **request_p, Pl__IngestReply *reply)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_INGEST_REPLY;
    env.ingest_reply = reply;
    pl_request_reply(request_p, &env);
}

static void on_step_done(void *arg)
{
    errand_t *errand = arg;
    librarian_t *self = errand->librarian;
    const Pl__Ingest *step = errand->step;
    if (!self) {
        pl_request_refuse(&errand->request, PL_UNAVAILABLE, 0, "the process stops");
    } else if (errand->err) {
        if (errand->err == PL_UNAVAILABLE)
            log_error("ingest.failed", "detail=\"%s\"", errand->detail);
        pl_request_refuse(&errand->request, errand->err, RETRY_MS, "%s", errand->detail);
    } else {
        if (step->step_case == PL__INGEST__STEP_COMMIT) follow(self, step->session, errand->name);
        if (step->step_case == PL__INGEST__STEP_REMOVE)
            follow(self, step->session, step->remove->name);
        send_reply(&errand->request, &errand->reply);
    }
    errand_end(errand);
}

static void look(librarian_t *self, const char *session, pl_request_t **request_p)
{
    const followed_t *at = find_followed(self, session);
    if (!at) {
        pl_request_refuse(request_p, PL_NOT_FOUND, 0, "nothing was committed in this session");
        return;
    }
    Pl__IngestReply reply = PL__INGEST_REPLY__INIT;
    Pl__IngestState state = PL__INGEST_STATE__INIT;
    reply.state = &state;
    state.indexed = at->known;
    indexer_progress(self->opts.indexer, &state.scanned, &state.to_scan);
    self->opts.fill_in(self->opts.arg, &state);
    if (at->known) {
        state.documents = at->summary.documents;
        state.passages = at->summary.passages;
        state.failed = at->summary.bad;
        state.problems = at->summary.problems;
        for (size_t i = 0; i < at->summary.listed; i++) {
            const index_problem_t *problem = &at->summary.list[i];
            add_problem(&reply, problem->path, problem->problem, !problem->bad);
        }
    }
    send_reply(request_p, &reply);
    free_reply(&reply);
}

void librarian_step(librarian_t *self, const Pl__Ingest *step, pl_request_t **request_p)
{
    if (step->step_case == PL__INGEST__STEP_LOOK) {
        look(self, step->session, request_p);
        return;
    }
    if (!self->library) {
        pl_request_refuse(request_p, PL_UNAVAILABLE, 0, "%s", self->opts.problem);
        return;
    }
    errand_t *errand = errand_new(self);
    errand->request = *request_p;
    *request_p = NULL;
    errand->step = (Pl__Ingest *)pl_message_copy(&step->base);
    pl_loop_post(pl_worker_loop(self->worker), do_step, errand);
}

/* ---- life ---- */

librarian_t *librarian_new(const librarian_opts_t *opts)
{
    librarian_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->library = opts->library;
    self->worker = pl_worker_new("rag-library");
    return self;
}

void librarian_destroy(librarian_t **self_p)
{
    librarian_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_worker_destroy(&self->worker);
    for (errand_t *errand = self->errands; errand; errand = errand->next) errand->librarian = NULL;
    for (size_t i = 0; i < FOLLOWED; i++) index_summary_free(&self->followed[i].summary);
    library_destroy(&self->library);
    free(self);
}
