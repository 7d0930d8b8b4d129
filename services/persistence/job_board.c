#include "services/persistence/job_board.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/metrics.h"

/* Kinds are few and ours; more than so many are counted together. */
enum { KINDS_MAX = 32, PEERS_MAX = 64 };

typedef struct {
    char name[JOB_KIND_BYTES_MAX + 1];
    bool ready; /* since the last hint */
    pl_metric_t *taken, *done, *failed, *buried;
    pl_metric_t *waiting, *leased, *dead;
} kind_t;

struct job_board {
    kind_t kinds[KINDS_MAX];
    size_t count;
};

job_board_t *job_board_new(void)
{
    job_board_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void job_board_destroy(job_board_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static void make_metrics(kind_t *kind)
{
    static const char outcomes[] = "parley_job_attempts_total";
    static const char outcomes_help[] = "Attempts at jobs that ended, by kind and outcome";
    char label[96];
    (void)snprintf(label, sizeof label, "kind=\"%s\"", kind->name);
    kind->taken = pl_metric_counter("parley_jobs_taken_total", label, "Jobs taken by workers");
    kind->waiting = pl_metric_gauge("parley_jobs_waiting", label, "Jobs that wait");
    kind->leased = pl_metric_gauge("parley_jobs_leased", label, "Jobs that a worker has");
    kind->dead = pl_metric_gauge("parley_jobs_dead", label, "Jobs that were given up");
    (void)snprintf(label, sizeof label, "kind=\"%s\",outcome=\"done\"", kind->name);
    kind->done = pl_metric_counter(outcomes, label, outcomes_help);
    (void)snprintf(label, sizeof label, "kind=\"%s\",outcome=\"failed\"", kind->name);
    kind->failed = pl_metric_counter(outcomes, label, outcomes_help);
    (void)snprintf(label, sizeof label, "kind=\"%s\",outcome=\"dead\"", kind->name);
    kind->buried = pl_metric_counter(outcomes, label, outcomes_help);
}

static kind_t *kind_of(job_board_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->kinds[i].name, name) == 0) return &self->kinds[i];
    }
    if (self->count == KINDS_MAX) return &self->kinds[KINDS_MAX - 1];
    kind_t *kind = &self->kinds[self->count++];
    (void)snprintf(kind->name, sizeof kind->name, "%s", self->count == KINDS_MAX ? "other" : name);
    make_metrics(kind);
    return kind;
}

void job_board_written(job_board_t *self, const write_t *write)
{
    for (size_t i = 0; i < write->n_notes; i++) {
        kind_t *kind = kind_of(self, write->notes[i].kind);
        switch (write->notes[i].note) {
        case JOB_NOTE_READY:
            kind->ready = true;
            break;
        case JOB_NOTE_TAKEN:
            pl_metric_add(kind->taken, 1);
            break;
        case JOB_NOTE_DONE:
            pl_metric_add(kind->done, 1);
            break;
        case JOB_NOTE_FAILED:
            pl_metric_add(kind->failed, 1);
            break;
        case JOB_NOTE_DEAD:
            pl_metric_add(kind->buried, 1);
            log_error("job.dead", "kind=%s call=%s", kind->name, write->call_id);
            break;
        case JOB_NOTES:
            break;
        }
    }
}

void job_board_wake(job_board_t *self, pl_bus_t *bus)
{
    char *kinds[KINDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (self->kinds[i].ready) kinds[count++] = self->kinds[i].name;
        self->kinds[i].ready = false;
    }
    if (count == 0 || !bus) return;
    Pl__JobReady ready = PL__JOB_READY__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    pl_peer_t peers[PEERS_MAX];
    size_t n = pl_bus_peers(bus, "dialogue", peers, PEERS_MAX);
    ready.kinds = kinds;
    ready.n_kinds = count;
    env.body_case = PL__ENVELOPE__BODY_JOB_READY;
    env.job_ready = &ready;
    for (size_t i = 0; i < n && i < PEERS_MAX; i++) {
        /* One that cannot be reached asks by itself. */
        if (peers[i].up && !peers[i].draining) (void)pl_bus_event(bus, peers[i].instance, &env);
    }
}

void job_board_counted(job_board_t *self, const Pl__Jobs *jobs)
{
    double waiting[KINDS_MAX] = {0};
    double leased[KINDS_MAX] = {0};
    double dead[KINDS_MAX] = {0};
    for (size_t i = 0; i < jobs->n_counts; i++) {
        const Pl__JobCount *count = jobs->counts[i];
        size_t at = (size_t)(kind_of(self, count->kind) - self->kinds);
        if (count->state == PL__JOB_STATE__JOB_WAITING) waiting[at] += (double)count->count;
        if (count->state == PL__JOB_STATE__JOB_LEASED) leased[at] += (double)count->count;
        if (count->state == PL__JOB_STATE__JOB_DEAD) dead[at] += (double)count->count;
    }
    for (size_t i = 0; i < self->count; i++) {
        pl_metric_set(self->kinds[i].waiting, waiting[i]);
        pl_metric_set(self->kinds[i].leased, leased[i]);
        pl_metric_set(self->kinds[i].dead, dead[i]);
    }
}
