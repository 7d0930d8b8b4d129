#include "services/rag/embed/filler.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/retry.h"
#include "services/rag/embed/batch.h"

enum {
    PAUSE_MS = 500,
    PAUSE_MOST_MS = 60000,
    RETRY_AFTER_MOST_MS = 3600000,
};

struct filler {
    pl_loop_t *home;
    pl_loop_t *ingest;
    index_writer_t *index;
    embed_server_t *server;
    filler_opts_t opts;
    void (*changed)(void *arg);
    void *arg;

    batch_home_t *link; /* how errands find back; outlives us */
    batch_t *ready;     /* to be sent, the first one next */
    batch_t *sent;      /* being asked for */
    batch_t *suspect;   /* one text that was refused, until the probe is back */
    size_t sending, storing;
    bool fetching;
    bool swept;    /* no passage above after wants a vector */
    int64_t after; /* passages up to here were fetched */

    unsigned failures; /* in a row */
    pl_timer_t *pause;
    char problem[EMBED_DETAIL_BYTES];
    filler_state_t state;
};

static void go_on(filler_t *self);

/* ---- problems and pauses ---- */

static void on_pause_over(void *arg)
{
    filler_t *self = arg;
    pl_timer_stop(&self->pause);
    go_on(self);
}

static uint32_t pause_for(filler_t *self, int64_t retry_after_ms, bool hopeless)
{
    uint32_t pause_ms = pl_retry_pause_ms(self->failures, PAUSE_MS, PAUSE_MOST_MS, pl_clock_us());
    if (hopeless) pause_ms = PAUSE_MOST_MS;
    if (retry_after_ms > RETRY_AFTER_MOST_MS) retry_after_ms = RETRY_AFTER_MOST_MS;
    return retry_after_ms > (int64_t)pause_ms ? (uint32_t)retry_after_ms : pause_ms;
}

/* Nothing is sent for a while. */
static void stand_back(filler_t *self, int64_t retry_after_ms, bool hopeless, const char *detail)
{
    if (self->pause) return; /* others of the same failure */
    self->failures++;
    uint32_t pause_ms = pause_for(self, retry_after_ms, hopeless);
    self->pause = pl_timer_start(self->home, pause_ms, 0, on_pause_over, self);
    if (strcmp(self->problem, detail) != 0) {
        (void)snprintf(self->problem, sizeof self->problem, "%s", detail);
        log_warn("embeddings.waiting", "detail=\"%s\" next_ms=%" PRIu32, detail, pause_ms);
    }
    self->changed(self->arg);
}

static void is_well(filler_t *self)
{
    self->failures = 0;
    if (!self->problem[0]) return;
    self->problem[0] = '\0';
    log_info("embeddings.going_on", "filled=%zu", self->state.filled);
}

/* ---- to the index and back ---- */

static batch_errand_t *errand_new(filler_t *self, batch_kind_t kind, batch_t *batch)
{
    batch_errand_t *errand = calloc(1, sizeof *errand);
    assert(errand);
    errand->kind = kind;
    errand->link = batch_home_keep(self->link);
    errand->index = self->index;
    errand->space = embed_server_space(self->server);
    errand->asked = embed_server_dimensions(self->server);
    errand->trust = self->opts.trust;
    errand->batch = batch;
    return errand;
}

static void send_errand(filler_t *self, batch_errand_t *errand)
{
    pl_loop_post(self->ingest, batch_errand_run, errand);
}

static void fetch(filler_t *self)
{
    batch_errand_t *errand = errand_new(self, BATCH_FETCH, batch_new());
    errand->after = self->after;
    errand->max = self->opts.batch;
    self->fetching = true;
    send_errand(self, errand);
}

static void store(filler_t *self, batch_t *batch, const embed_outcome_t *answer)
{
    batch_errand_t *errand = errand_new(self, answer ? BATCH_STORE : BATCH_REFUSE, batch);
    if (answer) {
        errand->body = malloc(answer->bytes + 1);
        assert(errand->body);
        memcpy(errand->body, answer->body, answer->bytes);
        errand->bytes = answer->bytes;
    }
    self->storing++;
    send_errand(self, errand);
}

static void on_fetched(filler_t *self, batch_errand_t *errand)
{
    self->fetching = false;
    batch_t *batch = errand->batch;
    errand->batch = NULL;
    if (errand->err || batch->count == 0) {
        self->swept = true; /* after an error the next scan, or the next start, tries again */
        if (errand->err) log_error("embeddings.failed", "detail=\"%s\"", errand->detail);
        batch_free(&batch);
        return;
    }
    self->after = batch->items[batch->count - 1].id;
    batch_push(&self->ready, batch);
}

static void on_stored(filler_t *self, batch_errand_t *errand)
{
    self->storing--;
    batch_t *batch = errand->batch;
    if (errand->err) {
        errand->batch = NULL;
        batch_push(&self->ready, batch);
        stand_back(self, -1, errand->err == PL_INVALID, errand->detail);
        return;
    }
    if (errand->kind == BATCH_STORE)
        self->state.filled += batch->count;
    else
        self->state.refused += batch->count;
    if (errand->emptied) { /* all others want one again */
        self->after = 0;
        self->swept = false;
    }
}

/* On the home loop. */
static void on_errand_back(void *arg, batch_errand_t *errand)
{
    filler_t *self = arg;
    if (errand->kind == BATCH_FETCH)
        on_fetched(self, errand);
    else
        on_stored(self, errand);
    self->state.index = errand->stats;
    go_on(self);
    self->changed(self->arg);
}

/* ---- to the server and back ---- */

static void on_refused(filler_t *self, batch_t *batch, const char *detail)
{
    if (batch->probe) { /* it takes nothing at all */
        batch_free(&batch);
        batch_push(&self->ready, self->suspect);
        self->suspect = NULL;
        stand_back(self, -1, true, detail);
    } else if (batch->count > 1) {
        batch_push(&self->ready, batch_split(batch));
        batch_push(&self->ready, batch);
    } else if (self->suspect) { /* one at a time */
        batch_push(&self->ready, batch);
    } else {
        log_warn("embeddings.refused", "detail=\"%s\"", detail);
        self->suspect = batch;
        batch_t *probe = batch_new();
        probe->probe = true;
        batch_push(&self->ready, probe);
    }
}

static void on_answered(filler_t *self, batch_t *batch, const embed_outcome_t *answer)
{
    is_well(self);
    if (!batch->probe) {
        store(self, batch, answer);
        return;
    }
    batch_free(&batch);
    batch_t *suspect = self->suspect;
    self->suspect = NULL;
    store(self, suspect, NULL);
}

static void on_outcome(void *arg, const embed_outcome_t *outcome)
{
    batch_t *batch = arg;
    filler_t *self = batch->owner;
    batch->call = NULL;
    batch_take_out(&self->sent, batch);
    self->sending--;
    switch (outcome->end) {
    case EMBED_ANSWERED:
        on_answered(self, batch, outcome);
        break;
    case EMBED_REFUSED:
        on_refused(self, batch, outcome->detail);
        break;
    case EMBED_BUSY:
    case EMBED_DOWN:
    case EMBED_HOPELESS:
        batch_push(&self->ready, batch);
        stand_back(self, outcome->retry_after_ms, outcome->end == EMBED_HOPELESS, outcome->detail);
        break;
    }
    go_on(self);
}

static void send_next(filler_t *self)
{
    batch_t *batch = self->ready;
    self->ready = batch->next;
    batch->owner = self;
    char *texts[EMBED_TEXTS_MAX];
    size_t count = batch_texts(batch, texts);
    batch_push(&self->sent, batch);
    self->sending++;
    batch->call = embed_ask(self->server, (const char *const *)texts, count, false,
                            self->opts.timeout_ms, on_outcome, batch);
    for (size_t i = 0; i < count; i++) free(texts[i]);
}

static void go_on(filler_t *self)
{
    while (!self->pause && self->ready && self->sending < self->opts.parallel) send_next(self);
    bool room = self->sending + self->storing < self->opts.parallel && !self->ready;
    if (!self->pause && room && !self->swept && !self->fetching) fetch(self);
    self->state.busy = self->ready || self->sent || self->suspect || self->storing > 0 ||
                       self->fetching || !self->swept;
    self->state.problem = self->problem;
}

/* ---- life ---- */

filler_t *filler_new(pl_loop_t *home, pl_loop_t *ingest, index_writer_t *index,
                     embed_server_t *server, const filler_opts_t *opts, void (*changed)(void *arg),
                     void *arg)
{
    filler_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (filler_t){.home = home,
                       .ingest = ingest,
                       .index = index,
                       .server = server,
                       .opts = *opts,
                       .changed = changed,
                       .arg = arg,
                       .link = batch_home_new(home, on_errand_back, self)};
    go_on(self);
    return self;
}

void filler_destroy(filler_t **self_p)
{
    filler_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    batch_home_close(&self->link);
    pl_timer_stop(&self->pause);
    batch_free_all(&self->ready);
    batch_free_all(&self->sent);
    batch_free(&self->suspect);
    free(self);
}

void filler_kick(filler_t *self)
{
    self->swept = false; /* what is new is above all that was known */
    go_on(self);
}

filler_state_t filler_state(const filler_t *self)
{
    return self->state;
}
