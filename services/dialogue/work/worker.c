#include "services/dialogue/work/worker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/record.h"

enum {
    TAKE_MAX = 16,
    REPORT_FIRST_MS = 200,
    REPORT_MAX_MS = 5000,
    REASON_BYTES = 512,
    LEAST_WAIT_MS = 100
};

/* Ended work is being reported; it is no longer the kind's. */
typedef enum { WORK_LOADING, WORK_RUNNING, WORK_REPORTING } work_state_t;

struct work {
    work_t *next;
    worker_t *worker; /* NULL: that is gone, a reply finds nobody */
    unsigned replies; /* requests under way */
    work_state_t state;
    const work_kind_t *kind;
    Pl__Job *job;
    Pl__CallRecord *record;
    void *kept;
    void (*noted)(void *arg);
    void *noted_arg;
    work_answer_fn *answered;
    void *answered_arg;
    pl_timer_t *renew;
    uint64_t started_ms;

    Pl__Envelope *report; /* JobDone or JobFail, until it is taken */
    pl_timer_t *again;
    uint32_t pause_ms;
};

struct worker {
    const workshop_t *shop;
    const work_kind_t *const *kinds;
    worker_opts_t opts;
    work_t *works;
    size_t count; /* of works */
    bool taking, more, draining, awake;
    bool gone; /* destroyed; the last reply frees it */
    pl_timer_t *timer, *quiet;
    void (*idle)(void *arg);
    void *arg;
    pl_metric_t *done, *failed, *given_up, *lost;
};

static void take(worker_t *self);
static void begin(work_t *work);
static void report(void *arg);

/* ---- works ---- */

static work_t *work_new(worker_t *worker, const Pl__Job *job, const work_kind_t *kind)
{
    work_t *self = calloc(1, sizeof *self);
    assert(self);
    self->worker = worker;
    self->kind = kind;
    self->job = (Pl__Job *)pl_message_copy(&job->base);
    self->started_ms = pl_clock_ms();
    self->next = worker->works;
    worker->works = self;
    worker->count++;
    return self;
}

static void free_if_spent(work_t *self)
{
    if (self->worker || self->replies > 0) return;
    pl__job__free_unpacked(self->job, NULL);
    pl_record_free(&self->record);
    if (self->report) pl__envelope__free_unpacked(self->report, NULL);
    free(self);
}

static void tell_idle(void *arg)
{
    worker_t *self = arg;
    pl_timer_stop(&self->quiet);
    if (worker_idle(self)) self->idle(self->arg);
}

static void look_for_idle(worker_t *self)
{
    if (!self->draining || !worker_idle(self) || self->quiet || self->gone) return;
    self->quiet = pl_timer_start(self->shop->loop, 0, 0, tell_idle, self);
}

/* Takes it out of the worker. */
static void leave(work_t *self)
{
    worker_t *worker = self->worker;
    work_t **at = &worker->works;
    while (*at != self) at = &(*at)->next;
    *at = self->next;
    worker->count--;
    pl_timer_stop(&self->renew);
    pl_timer_stop(&self->again);
    self->worker = NULL;
    free_if_spent(self);
    if (worker->more) take(worker);
    look_for_idle(worker);
}

static void cancel(work_t *self)
{
    if (self->state == WORK_RUNNING) self->kind->cancel(self);
    leave(self);
}

/* A reply has come: false when the work it was for is gone. */
static bool replied(work_t *self)
{
    self->replies--;
    if (self->worker) return true;
    free_if_spent(self);
    return false;
}

/* ---- the lease ---- */

static void ask(work_t *self, Pl__Envelope *env, pl_bus_reply_fn *on_reply)
{
    const worker_t *worker = self->worker;
    self->replies++;
    pl_bus_request(worker->shop->bus, "persistence", env, worker->opts.store_timeout_ms, on_reply,
                   self);
}

static void lost(work_t *self, const char *why)
{
    log_warn("job.lost", "job=%s detail=\"%s\"", self->job->key, why);
    pl_metric_add(self->worker->lost, 1);
    cancel(self);
}

static void on_renewed(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    work_t *self = arg;
    if (!replied(self) || self->state != WORK_RUNNING) return;
    /* One that could not be asked for is asked for again; one refused is over. */
    if (err && !pl_err_retry(err)) lost(self, pl_bus_error_detail(err, reply));
}

static void make_renewal(const work_t *self, Pl__Envelope *env, Pl__JobRenew *body)
{
    *env = (Pl__Envelope)PL__ENVELOPE__INIT;
    *body = (Pl__JobRenew)PL__JOB_RENEW__INIT;
    body->key = self->job->key;
    body->lease = self->job->lease;
    body->lease_ms = self->worker->opts.lease_ms;
    env->body_case = PL__ENVELOPE__BODY_JOB_RENEW;
    env->job_renew = body;
}

static void renew(void *arg)
{
    work_t *self = arg;
    Pl__Envelope env;
    Pl__JobRenew body;
    make_renewal(self, &env, &body);
    ask(self, &env, on_renewed);
}

static void on_noted(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    work_t *self = arg;
    if (!replied(self) || self->state != WORK_RUNNING) return;
    if (err)
        lost(self, pl_bus_error_detail(err, reply));
    else
        self->noted(self->noted_arg);
}

void work_note(work_t *self, const void *bytes, size_t size, void (*noted)(void *arg), void *arg)
{
    Pl__Envelope env;
    Pl__JobRenew body;
    make_renewal(self, &env, &body);
    body.note = 1;
    body.progress = (ProtobufCBinaryData){size, (uint8_t *)bytes};
    self->noted = noted;
    self->noted_arg = arg;
    ask(self, &env, on_noted);
}

/* ---- others ---- */

static void on_answered(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    work_t *self = arg;
    if (replied(self) && self->state == WORK_RUNNING)
        self->answered(self->answered_arg, err, reply);
}

void work_ask(work_t *self, const char *to, Pl__Envelope *env, uint32_t timeout_ms,
              work_answer_fn *answered, void *arg)
{
    self->answered = answered;
    self->answered_arg = arg;
    self->replies++;
    pl_bus_request(self->worker->shop->bus, to, env, timeout_ms, on_answered, self);
}

/* ---- reporting ---- */

static void retry_report(work_t *self)
{
    self->pause_ms = self->pause_ms ? self->pause_ms * 2 : REPORT_FIRST_MS;
    if (self->pause_ms > REPORT_MAX_MS) self->pause_ms = REPORT_MAX_MS;
    pl_timer_stop(&self->again);
    self->again = pl_timer_start(self->worker->shop->loop, self->pause_ms, 0, report, self);
}

/* A result the store will not take would not be taken the next time either. */
static void report_refused(work_t *self, const char *why)
{
    Pl__Envelope *old = self->report;
    bool was_failure = old->body_case == PL__ENVELOPE__BODY_JOB_FAIL && old->job_fail->final &&
                       old->job_fail->n_changes == 0;
    log_error("job.result_refused", "job=%s detail=\"%s\"", self->job->key, why);
    if (was_failure) {
        leave(self);
        return;
    }
    char reason[REASON_BYTES];
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__JobFail fail = PL__JOB_FAIL__INIT;
    (void)snprintf(reason, sizeof reason, "the store refused the result: %.400s", why);
    fail.key = self->job->key;
    fail.lease = self->job->lease;
    fail.reason = reason;
    fail.final = 1;
    env.body_case = PL__ENVELOPE__BODY_JOB_FAIL;
    env.job_fail = &fail;
    self->report = (Pl__Envelope *)pl_message_copy(&env.base);
    pl__envelope__free_unpacked(old, NULL);
    report(self);
}

static void on_reported(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    work_t *self = arg;
    if (!replied(self)) return;
    if (err == PL_STALE)
        lost(self, pl_bus_error_detail(err, reply));
    else if (err && pl_err_retry(err))
        retry_report(self);
    else if (err)
        report_refused(self, pl_bus_error_detail(err, reply));
    else
        leave(self);
}

static void report(void *arg)
{
    work_t *self = arg;
    ask(self, self->report, on_reported);
}

/* The kind has done with it; env and what it points at are copied. */
static void end(work_t *self, Pl__Envelope *env)
{
    assert(self->state == WORK_RUNNING && self->worker);
    self->state = WORK_REPORTING;
    self->report = (Pl__Envelope *)pl_message_copy(&env->base);
    pl_timer_stop(&self->renew);
    report(self);
}

void work_done(work_t **work_p, const work_result_t *result)
{
    work_t *self = *work_p;
    *work_p = NULL;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__JobDone done = PL__JOB_DONE__INIT;
    done.key = self->job->key;
    done.lease = self->job->lease;
    if (result) {
        done.changes = (Pl__CallChange **)result->changes;
        done.n_changes = result->n_changes;
        done.jobs = (Pl__JobSpec **)result->jobs;
        done.n_jobs = result->n_jobs;
    }
    env.call_id = self->job->call_id;
    env.body_case = PL__ENVELOPE__BODY_JOB_DONE;
    env.job_done = &done;
    log_info("job.done", "job=%s attempt=%" PRIu32 " took_ms=%" PRIu64, self->job->key,
             self->job->attempts, pl_clock_ms() - self->started_ms);
    pl_metric_add(self->worker->done, 1);
    end(self, &env);
}

static void fail(work_t *self, Pl__JobFail *body, const work_result_t *result)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body->key = self->job->key;
    body->lease = self->job->lease;
    if (result) {
        assert(result->n_jobs == 0);
        body->changes = (Pl__CallChange **)result->changes;
        body->n_changes = result->n_changes;
    }
    env.call_id = self->job->call_id;
    env.body_case = PL__ENVELOPE__BODY_JOB_FAIL;
    env.job_fail = body;
    end(self, &env);
}

void work_fail(work_t **work_p, uint32_t retry_after_ms, const work_result_t *result,
               const char *fmt, ...)
{
    work_t *self = *work_p;
    *work_p = NULL;
    char reason[REASON_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    Pl__JobFail body = PL__JOB_FAIL__INIT;
    body.reason = reason;
    body.retry_after_ms = retry_after_ms;
    log_warn("job.failed", "job=%s attempt=%" PRIu32 " of=%" PRIu32 " detail=\"%s\"",
             self->job->key, self->job->attempts, self->job->max_attempts, reason);
    pl_metric_add(self->worker->failed, 1);
    fail(self, &body, result);
}

void work_give_up(work_t **work_p, const work_result_t *result, const char *fmt, ...)
{
    work_t *self = *work_p;
    *work_p = NULL;
    char reason[REASON_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    Pl__JobFail body = PL__JOB_FAIL__INIT;
    body.reason = reason;
    body.final = 1;
    log_error("job.given_up", "job=%s detail=\"%s\"", self->job->key, reason);
    pl_metric_add(self->worker->given_up, 1);
    fail(self, &body, result);
}

static void release(work_t *self)
{
    Pl__JobFail body = PL__JOB_FAIL__INIT;
    body.released = 1;
    if (self->state == WORK_RUNNING) self->kind->cancel(self);
    self->state = WORK_RUNNING;
    fail(self, &body, NULL);
}

/* ---- beginning ---- */

static void begin(work_t *self)
{
    self->state = WORK_RUNNING;
    uint64_t every_ms = self->worker->opts.lease_ms / 3;
    self->renew = pl_timer_start(self->worker->shop->loop, every_ms, every_ms, renew, self);
    self->kind->begin(self);
}

static void on_record(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    work_t *self = arg;
    if (!replied(self) || self->state != WORK_LOADING) return;
    bool got = !err && reply->body_case == PL__ENVELOPE__BODY_STORE_CALL &&
               reply->store_call->call && reply->store_call->call->initiate;
    if (got) {
        self->record = pl_record_copy(reply->store_call->call);
        begin(self);
        return;
    }
    self->state = WORK_RUNNING;
    if (err && pl_err_retry(err))
        work_fail(&self, 0, NULL, "the call cannot be read: %s", pl_bus_error_detail(err, reply));
    else
        work_give_up(&self, NULL, "the call cannot be read: %s",
                     err ? pl_bus_error_detail(err, reply) : "it has no initiate");
}

static void load_record(work_t *self)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__StoreGet body = PL__STORE_GET__INIT;
    env.call_id = self->job->call_id;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &body;
    ask(self, &env, on_record);
}

static const work_kind_t *kind_of(const worker_t *self, const char *name)
{
    for (const work_kind_t *const *kind = self->kinds; *kind; kind++) {
        if (strcmp((*kind)->name, name) == 0) return *kind;
    }
    return NULL;
}

static void start(worker_t *self, const Pl__Job *job)
{
    const work_kind_t *kind = kind_of(self, job->kind);
    assert(kind); /* we asked for these only */
    work_t *work = work_new(self, job, kind);
    if (self->draining) { /* it was on its way when the end came */
        release(work);
    } else if (kind->about_call && !*job->call_id) {
        work->state = WORK_RUNNING;
        work_give_up(&work, NULL, "the job names no call");
    } else if (kind->about_call) {
        load_record(work);
    } else {
        begin(work);
    }
}

/* ---- taking ---- */

static void on_timer(void *arg)
{
    take(arg);
}

static void take_later(worker_t *self, uint32_t ms)
{
    pl_timer_stop(&self->timer);
    if (self->draining) return;
    uint32_t wait = ms && ms < self->opts.poll_ms ? ms : self->opts.poll_ms;
    self->timer = pl_timer_start(self->shop->loop, wait, 0, on_timer, self);
}

static void on_taken(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    worker_t *self = arg;
    self->taking = false;
    if (self->gone) {
        free(self);
        return;
    }
    uint32_t next_ms = 0;
    if (!err && reply->body_case == PL__ENVELOPE__BODY_JOB_TAKEN) {
        const Pl__JobTaken *taken = reply->job_taken;
        for (size_t i = 0; i < taken->n_jobs; i++) start(self, taken->jobs[i]);
        next_ms = taken->next_ms;
        /* One is due and is not given out: the store cannot read it. */
        if (next_ms && taken->n_jobs == 0 && next_ms < LEAST_WAIT_MS) next_ms = LEAST_WAIT_MS;
    }
    take_later(self, next_ms);
    if (self->more) take(self);
    look_for_idle(self);
}

/* Asks for as many as there is room for. What was asked meanwhile is asked when there is room. */
static void take(worker_t *self)
{
    size_t room = self->opts.concurrency - self->count;
    if (self->draining || !self->awake) return;
    self->more = self->taking || room == 0;
    if (self->more) return;
    char *kinds[WORKER_KINDS_MAX];
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__JobTake body = PL__JOB_TAKE__INIT;
    for (const work_kind_t *const *kind = self->kinds; *kind; kind++) {
        assert(body.n_kinds < WORKER_KINDS_MAX);
        kinds[body.n_kinds++] = (char *)(*kind)->name;
    }
    body.kinds = kinds;
    body.worker = (char *)pl_bus_instance(self->shop->bus);
    body.lease_ms = self->opts.lease_ms;
    body.limit = room < TAKE_MAX ? (uint32_t)room : TAKE_MAX;
    env.body_case = PL__ENVELOPE__BODY_JOB_TAKE;
    env.job_take = &body;
    self->taking = true;
    pl_bus_request(self->shop->bus, "persistence", &env, self->opts.store_timeout_ms, on_taken,
                   self);
}

void worker_wake(worker_t *self)
{
    self->awake = true;
    take(self);
}

/* ---- life ---- */

worker_t *worker_new(const workshop_t *shop, const work_kind_t *const *kinds,
                     const worker_opts_t *opts, void (*idle)(void *arg), void *arg)
{
    static const char name[] = "parley_worker_jobs_total";
    static const char help[] = "Jobs this instance ended, by outcome";
    worker_t *self = calloc(1, sizeof *self);
    assert(self);
    self->shop = shop;
    self->kinds = kinds;
    self->opts = *opts;
    self->idle = idle;
    self->arg = arg;
    self->done = pl_metric_counter(name, "outcome=\"done\"", help);
    self->failed = pl_metric_counter(name, "outcome=\"failed\"", help);
    self->given_up = pl_metric_counter(name, "outcome=\"given_up\"", help);
    self->lost = pl_metric_counter(name, "outcome=\"lost\"", help);
    return self;
}

void worker_destroy(worker_t **self_p)
{
    worker_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->draining = true;
    self->gone = true;
    while (self->works) cancel(self->works);
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->quiet);
    if (!self->taking) free(self);
}

void worker_drain(worker_t *self)
{
    if (self->draining) return;
    self->draining = true;
    pl_timer_stop(&self->timer);
    for (work_t *work = self->works; work; work = work->next) {
        if (work->state != WORK_REPORTING) release(work);
    }
    look_for_idle(self);
}

bool worker_idle(const worker_t *self)
{
    return self->count == 0 && !self->taking;
}

/* ---- what a kind sees ---- */

const Pl__Job *work_job(const work_t *self)
{
    return self->job;
}

const Pl__CallRecord *work_record(const work_t *self)
{
    return self->record;
}

const workshop_t *work_shop(const work_t *self)
{
    return self->worker->shop;
}

void work_keep(work_t *self, void *state)
{
    self->kept = state;
}

void *work_kept(const work_t *self)
{
    return self->kept;
}
