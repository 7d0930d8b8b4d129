#include "common/bus_pending.h"

#include <assert.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/metrics.h"

enum { BUCKETS = 1024, ROUNDS_AT_END = 8 };

typedef struct open_request {
    struct open_request *next; /* in its bucket */
    bus_pending_t *owner;
    uint64_t correlation;
    const void *link;
    pl_err_t at_timer; /* what it ends with when its timer is due */
    pl_timer_t *timer;
    pl_bus_reply_fn *on_reply;
    void *arg;
} open_request_t;

struct bus_pending {
    pl_loop_t *loop;
    open_request_t *buckets[BUCKETS]; /* correlations count up, so these fill evenly */
    size_t count;
    pl_metric_t *timeouts;
};

bus_pending_t *bus_pending_new(pl_loop_t *loop)
{
    bus_pending_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->timeouts = pl_metric_counter("parley_bus_timeouts_total", NULL,
                                       "Requests on the bus that got no answer in their time");
    return self;
}

static open_request_t **bucket(bus_pending_t *self, uint64_t correlation)
{
    return &self->buckets[correlation % BUCKETS];
}

static void finish(open_request_t *request, pl_err_t err, const Pl__Envelope *reply)
{
    bus_pending_t *self = request->owner;
    open_request_t **at = bucket(self, request->correlation);
    while (*at != request) at = &(*at)->next;
    *at = request->next;
    self->count--;
    pl_timer_stop(&request->timer);
    pl_bus_reply_fn *on_reply = request->on_reply;
    void *arg = request->arg;
    free(request);
    on_reply(arg, err, reply); /* last: it may send again */
}

static void on_timer(void *arg)
{
    open_request_t *request = arg;
    if (request->at_timer == PL_TIMEOUT) pl_metric_add(request->owner->timeouts, 1);
    finish(request, request->at_timer, NULL);
}

static void add(bus_pending_t *self, uint64_t correlation, const void *link, uint32_t delay_ms,
                pl_err_t at_timer, pl_bus_reply_fn *on_reply, void *arg)
{
    open_request_t *request = calloc(1, sizeof *request);
    assert(request);
    open_request_t **at = bucket(self, correlation);
    *request = (open_request_t){.next = *at,
                                .owner = self,
                                .correlation = correlation,
                                .link = link,
                                .at_timer = at_timer,
                                .on_reply = on_reply,
                                .arg = arg};
    *at = request;
    self->count++;
    request->timer = pl_timer_start(self->loop, delay_ms, 0, on_timer, request);
}

void bus_pending_open(bus_pending_t *self, uint64_t correlation, const void *link,
                      uint32_t timeout_ms, pl_bus_reply_fn *on_reply, void *arg)
{
    add(self, correlation, link, timeout_ms, PL_TIMEOUT, on_reply, arg);
}

void bus_pending_fail(bus_pending_t *self, uint64_t correlation, pl_err_t err,
                      pl_bus_reply_fn *on_reply, void *arg)
{
    add(self, correlation, NULL, 0, err, on_reply, arg);
}

bool bus_pending_reply(bus_pending_t *self, const void *link, const Pl__Envelope *reply)
{
    open_request_t *request = *bucket(self, reply->correlation);
    while (request && request->correlation != reply->correlation) request = request->next;
    if (!request || request->link != link) return false;

    pl_err_t err = PL_OK;
    if (reply->body_case == PL__ENVELOPE__BODY_ERROR) {
        err = pl_err_from_wire(reply->error->code);
        if (err == PL_OK) err = PL_INTERNAL; /* an error that says ok is a bug over there */
    }
    finish(request, err, reply);
    return true;
}

/* Ends all of link (NULL: all) that were open when it began. */
static void end_all(bus_pending_t *self, const void *link)
{
    size_t room = 0;
    uint64_t *found = calloc(self->count + 1, sizeof *found);
    assert(found);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const open_request_t *r = self->buckets[i]; r; r = r->next) {
            if (!link || r->link == link) found[room++] = r->correlation;
        }
    }
    for (size_t i = 0; i < room; i++) { /* by number: a callback may change the buckets */
        open_request_t *request = *bucket(self, found[i]);
        while (request && request->correlation != found[i]) request = request->next;
        if (request) finish(request, PL_UNAVAILABLE, NULL);
    }
    free(found);
}

void bus_pending_link_down(bus_pending_t *self, const void *link)
{
    end_all(self, link);
}

void bus_pending_destroy(bus_pending_t **self_p)
{
    bus_pending_t *self = *self_p;
    if (!self) return;
    /* Callbacks may send again, so *self_p stays until they are done. */
    for (int i = 0; i < ROUNDS_AT_END && self->count > 0; i++) end_all(self, NULL);
    if (self->count > 0)
        log_error("bus.retry_at_end", "open=%zu", self->count); /* a caller's bug */
    for (size_t i = 0; i < BUCKETS; i++) {
        for (open_request_t *r = self->buckets[i], *next; r; r = next) {
            next = r->next;
            pl_timer_stop(&r->timer);
            free(r);
        }
    }
    *self_p = NULL;
    free(self);
}
