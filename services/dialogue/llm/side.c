#include "services/dialogue/llm/side.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/dialogue/llm/body.h"
#include "services/dialogue/llm/breaker.h"

enum { PROBE_TOKENS = 16, LIMIT_MS = 1000 };

struct side {
    exchange_world_t world;
    model_t *model;
    llm_meter_t *meter;
    breaker_t breaker;
    uint64_t busy_until_ms; /* it is at its limit */
    uint64_t asked_ms;      /* last */
    uint32_t keep_warm_ms;
    exchange_t *probe;
    pl_timer_t *probe_timer, *warm_timer;
    bool well; /* as last told */
};

static void watch(side_t *self);

/* ---- the probe ----------------------------------------------------------------------------- */

static void ignore_text(void *arg, const char *piece)
{
    (void)arg;
    (void)piece;
}

static void ignore_tool(void *arg, const llm_tool_call_t *call)
{
    (void)arg;
    (void)call;
}

static void on_probed(void *arg, const exchange_end_t *end)
{
    side_t *self = arg;
    self->probe = NULL;
    llm_meter_end(self->meter, end);
    if (end->result == EXCHANGE_ANSWERED || end->finished) {
        breaker_good(&self->breaker);
    } else {
        breaker_bad(&self->breaker, pl_clock_ms());
        log_info("llm.probe", "size=%s detail=\"%s\"", self->model->size, end->detail);
    }
    watch(self);
}

static void send_probe(side_t *self)
{
    static const llm_message_t message = {.role = LLM_USER, .content = "Say: yes."};
    static const llm_request_t request = {
        .messages = &message, .n_messages = 1, .max_tokens = PROBE_TOKENS};
    char detail[BODY_DETAIL_BYTES];
    body_t *body = NULL;
    size_t bytes = 0;
    pl_err_t err = body_new(&body, &request, detail);
    assert(!err);
    (void)err;
    char *text = body_for(body, self->model, &bytes);
    body_destroy(&body);
    self->probe =
        exchange_new(&self->world, self->model, text, bytes, self->model->whole_ms, 0,
                     &(exchange_sink_t){
                         .arg = self, .text = ignore_text, .tool = ignore_tool, .end = on_probed});
}

static void on_probe_time(void *arg)
{
    side_t *self = arg;
    pl_timer_stop(&self->probe_timer);
    if (breaker_probe(&self->breaker, pl_clock_ms())) {
        send_probe(self);
    } else {
        watch(self);
    }
}

/* Tells a change of health, and sets the time at which the next may be. */
static void watch(side_t *self)
{
    uint64_t now_ms = pl_clock_ms();
    bool well = side_well(self);
    if (well != self->well) {
        self->well = well;
        llm_meter_well(self->meter, well);
        log_warn(well ? "llm.well" : "llm.unwell", "size=%s", self->model->size);
    }
    pl_timer_stop(&self->probe_timer);
    uint64_t due_ms = 0;
    if (self->breaker.open && !self->breaker.probing) {
        due_ms = self->breaker.probe_at_ms;
    } else if (!well) {
        due_ms = self->busy_until_ms;
    }
    if (!due_ms) return;
    self->probe_timer = pl_timer_start(self->world.loop, due_ms > now_ms ? due_ms - now_ms : 0, 0,
                                       on_probe_time, self);
}

/* ---- requests ------------------------------------------------------------------------------ */

bool side_well(const side_t *self)
{
    return !self->breaker.open && pl_clock_ms() >= self->busy_until_ms;
}

void side_asked(side_t *self)
{
    self->asked_ms = pl_clock_ms();
}

void side_answered(side_t *self, const exchange_end_t *end)
{
    uint64_t now_ms = pl_clock_ms();
    self->asked_ms = now_ms;
    llm_meter_end(self->meter, end);
    switch (end->result) {
    case EXCHANGE_ANSWERED:
        breaker_good(&self->breaker);
        break;
    case EXCHANGE_BUSY:
        if (end->retry_after_ms > LIMIT_MS) {
            self->busy_until_ms = now_ms + (uint64_t)end->retry_after_ms;
        }
        break;
    case EXCHANGE_TIMEOUT:
    case EXCHANGE_DOWN:
    case EXCHANGE_SENSELESS:
        breaker_bad(&self->breaker, now_ms);
        break;
    case EXCHANGE_REFUSED:
        break; /* of this request alone */
    case EXCHANGE_HOPELESS:
        breaker_hopeless(&self->breaker, now_ms);
        break;
    }
    watch(self);
}

/* ---- a side -------------------------------------------------------------------------------- */

static void keep_warm(void *arg)
{
    side_t *self = arg;
    if (pl_clock_ms() - self->asked_ms < self->keep_warm_ms) return;
    pl_http_warm(self->world.http, self->model->url, 1);
}

side_t *side_new(const exchange_world_t *world, model_t **model_p, const side_opts_t *opts)
{
    side_t *self = calloc(1, sizeof *self);
    assert(self);
    self->world = *world;
    self->model = *model_p;
    *model_p = NULL;
    self->meter = llm_meter_new(self->model);
    self->well = true;
    self->keep_warm_ms = opts->keep_warm_ms;
    breaker_init(&self->breaker, opts->failures_most, opts->pause_ms, opts->pause_most_ms);
    pl_http_warm(world->http, self->model->url, opts->connections);
    if (opts->keep_warm_ms) {
        self->warm_timer =
            pl_timer_start(world->loop, opts->keep_warm_ms, opts->keep_warm_ms, keep_warm, self);
    }
    return self;
}

void side_destroy(side_t **self_p)
{
    side_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    exchange_cancel(&self->probe);
    pl_timer_stop(&self->probe_timer);
    pl_timer_stop(&self->warm_timer);
    llm_meter_destroy(&self->meter);
    model_destroy(&self->model);
    free(self);
}

const model_t *side_model(const side_t *self)
{
    return self->model;
}

llm_meter_t *side_meter(const side_t *self)
{
    return self->meter;
}
