#include "services/dialogue/arrivals.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "services/dialogue/initiate.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/returning.h"
#include "services/dialogue/uuid.h"

enum {
    CALL_ID_MAX = 64,
    INSTANCE_MAX = 64,
    BUSY_RETRY_MS = 1000,
    LOOK_UP_MS = 1000, /* a caller does not wait longer only to be recognised */
};

/* A call on its way to its actor. */
typedef struct arrival {
    struct arrival *next, **at;
    arrivals_t *arrivals;
    pl_request_t *request; /* NULL: nobody waits any more */
    Pl__Initiate *initiate;
    char call_id[CALL_ID_MAX + 1];
    char leg[INSTANCE_MAX + 1]; /* telephony's instance; "": to be dialled */
} arrival_t;

struct arrivals {
    arrivals_opts_t opts;
    int64_t callback_ms;
    arrival_t *waiting;
    size_t count; /* waiting */
    bool draining;
    pl_metric_t *started, *refused, *continued;
};

/* True when the request was refused for want of room. */
static bool refuse_busy(arrivals_t *self, pl_request_t **request_p)
{
    bool full = calls_count(self->opts.calls) + self->count >= self->opts.max_calls;
    if (!full && !self->draining) return false;
    pl_metric_add(self->refused, 1);
    pl_request_refuse(request_p, PL_BUSY, BUSY_RETRY_MS, "%s",
                      self->draining ? "this instance is stopping"
                                     : "dialogue.max_calls calls are in progress");
    return true;
}

static void free_arrival(arrival_t *arrival)
{
    *arrival->at = arrival->next;
    if (arrival->next) arrival->next->at = arrival->at;
    arrival->arrivals->count--;
    if (arrival->request) {
        pl_request_refuse(&arrival->request, PL_UNAVAILABLE, BUSY_RETRY_MS, "shutting down");
    }
    if (arrival->initiate) pl__initiate__free_unpacked(arrival->initiate, NULL);
    free(arrival);
}

/* ---- beginning ---- */

static actor_t *add_actor(arrival_t *arrival, const Pl__CallRecord *record)
{
    arrivals_t *self = arrival->arrivals;
    actor_t *actor = actor_new(self->opts.desk, record, arrival->leg, &arrival->request);
    calls_add(self->opts.calls, actor);
    pl_metric_add(self->started, 1);
    self->opts.begun(self->opts.arg);
    return actor;
}

static void begin_new(arrival_t *arrival)
{
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    char id[UUID_BYTES];
    bool outbound = !arrival->leg[0];
    record.call_id = outbound ? uuid_draw(id) : arrival->call_id;
    record.created_at_ms = pl_clock_wall_ms();
    record.initiate = arrival->initiate;
    record.epoch = 1;
    record.owner = (char *)pl_bus_instance(arrival->arrivals->opts.desk->bus);
    record.outbound = outbound;
    record.time_zone = (char *)call_zone_of(&arrival->arrivals->opts.desk->settings,
                                            arrival->initiate->phone_number);
    log_info("call.new", "call=%s outbound=%d", record.call_id, outbound);
    actor_begin(add_actor(arrival, &record));
}

static void begin_again(arrival_t *arrival, const Pl__CallRecord *record)
{
    log_info("call.again", "call=%s outbound=%d epoch=%u", record->call_id, !arrival->leg[0],
             record->epoch);
    pl_metric_add(arrival->arrivals->continued, 1);
    actor_begin_again(add_actor(arrival, record), arrival->initiate->phone_number);
}

static void on_found(void *arg, Pl__CallRecord **record_p)
{
    arrival_t *arrival = arg;
    if (arrival->request && *record_p) {
        begin_again(arrival, *record_p);
    } else if (arrival->request) {
        begin_new(arrival);
    }
    free_arrival(arrival);
}

static bool is_live(void *arg, const char *call_id)
{
    const arrival_t *arrival = arg;
    return calls_find(arrival->arrivals->opts.calls, call_id) != NULL;
}

/* Takes *request_p and *initiate_p. */
static void arrive(arrivals_t *self, const char *call_id, const char *leg,
                   Pl__Initiate **initiate_p, pl_request_t **request_p)
{
    arrival_t *arrival = calloc(1, sizeof *arrival);
    assert(arrival);
    arrival->arrivals = self;
    arrival->request = *request_p;
    arrival->initiate = *initiate_p;
    *request_p = NULL;
    *initiate_p = NULL;
    snprintf(arrival->call_id, sizeof arrival->call_id, "%s", call_id);
    snprintf(arrival->leg, sizeof arrival->leg, "%s", leg);
    arrival->next = self->waiting;
    arrival->at = &self->waiting;
    if (arrival->next) arrival->next->at = &arrival->next;
    self->waiting = arrival;
    self->count++;
    if (!self->callback_ms || !phone_valid(arrival->initiate->phone_number)) {
        begin_new(arrival);
        free_arrival(arrival);
        return;
    }
    returning_query_t query = {
        .phone_number = arrival->initiate->phone_number,
        .initiate = leg[0] ? NULL : arrival->initiate,
        .not_before_ms = pl_clock_wall_ms() - self->callback_ms,
        .timeout_ms = LOOK_UP_MS,
    };
    returning_find(self->opts.desk->bus, &query, is_live, on_found, arrival);
}

/* ---- requests ---- */

void arrivals_on_start(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    arrivals_t *self = arg;
    char reason[256];
    Pl__Initiate *initiate = NULL;
    if (!request) return;
    if (refuse_busy(self, &request)) return;
    Pl__Initiate none = PL__INITIATE__INIT;
    const Pl__Initiate *asked = env->call_start->initiate ? env->call_start->initiate : &none;
    pl_err_t err =
        initiate_complete(asked, self->opts.defaults, false, &initiate, reason, sizeof reason);
    if (err) {
        pl_metric_add(self->refused, 1);
        pl_request_refuse(&request, err, 0, "%s", reason);
        return;
    }
    arrive(self, "", "", &initiate, &request);
}

static bool id_in_use(const arrivals_t *self, const char *call_id)
{
    for (const arrival_t *a = self->waiting; a; a = a->next) {
        if (strcmp(a->call_id, call_id) == 0) return true;
    }
    return calls_find(self->opts.calls, call_id) != NULL;
}

void arrivals_on_incoming(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    arrivals_t *self = arg;
    char reason[256];
    Pl__Initiate *initiate = NULL;
    size_t id_length = strlen(env->call_id);
    if (!request) return;
    if (refuse_busy(self, &request)) return;
    if (id_length == 0 || id_length > CALL_ID_MAX || id_in_use(self, env->call_id) ||
        !env->sender[0] || strlen(env->sender) > INSTANCE_MAX) {
        pl_request_refuse(&request, PL_INVALID, 0, "call_id: empty, too long or in use");
        return;
    }
    Pl__Initiate asked = PL__INITIATE__INIT;
    const char *from = env->call_incoming->from;
    asked.phone_number = phone_valid(from) ? (char *)from : (char *)"anonymous";
    pl_err_t err =
        initiate_complete(&asked, self->opts.defaults, true, &initiate, reason, sizeof reason);
    if (err) {
        pl_metric_add(self->refused, 1);
        pl_request_refuse(&request, err, 0, "%s", reason);
        return;
    }
    arrive(self, env->call_id, env->sender, &initiate, &request);
}

/* ---- life ---- */

arrivals_t *arrivals_new(const arrivals_opts_t *opts)
{
    arrivals_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->started = pl_metric_counter("parley_calls_total", NULL, "Calls begun, in and out");
    self->refused = pl_metric_counter("parley_calls_refused_total", NULL, "Calls refused");
    self->continued = pl_metric_counter("parley_calls_continued_total", NULL,
                                        "Calls begun that went on with one had before");
    return self;
}

void arrivals_close(arrivals_t *self)
{
    for (arrival_t *a = self->waiting; a; a = a->next) {
        if (a->request) {
            pl_request_refuse(&a->request, PL_UNAVAILABLE, BUSY_RETRY_MS, "shutting down");
        }
    }
}

void arrivals_free(arrivals_t **self_p)
{
    arrivals_t *self = *self_p;
    if (!self) return;
    while (self->waiting) free_arrival(self->waiting);
    free(self);
    *self_p = NULL;
}

void arrivals_callback(arrivals_t *self, int64_t callback_ms)
{
    self->callback_ms = callback_ms;
}

void arrivals_drain(arrivals_t *self)
{
    self->draining = true;
}

void arrivals_call_out(void *arg, const char *call_id, const Pl__Initiate *initiate,
                       actor_started_fn *started, void *started_arg)
{
    arrivals_t *self = arg;
    char reason[256] = "no room for another call";
    Pl__Initiate *complete = NULL;
    bool full = calls_count(self->opts.calls) + self->count >= self->opts.max_calls;
    pl_err_t err = full || self->draining ? PL_BUSY : PL_OK;
    if (!err)
        err = initiate_complete(initiate, self->opts.defaults, false, &complete, reason,
                                sizeof reason);
    if (err) {
        pl_metric_add(self->refused, 1);
        started(started_arg, err, reason);
        return;
    }
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    pl_request_t *nobody = NULL;
    record.call_id = (char *)call_id;
    record.created_at_ms = pl_clock_wall_ms();
    record.initiate = complete;
    record.epoch = 1;
    record.owner = (char *)pl_bus_instance(self->opts.desk->bus);
    record.outbound = true;
    log_info("call.new", "call=%s outbound=1", call_id);
    actor_t *actor = actor_new(self->opts.desk, &record, "", &nobody);
    pl__initiate__free_unpacked(complete, NULL);
    actor_on_started(actor, started, started_arg);
    calls_add(self->opts.calls, actor);
    pl_metric_add(self->started, 1);
    self->opts.begun(self->opts.arg);
    actor_begin(actor);
}
