#include "services/dialogue/llm/llm.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/entra.h"
#include "common/http.h"
#include "common/log.h"
#include "common/retry.h"
#include "services/dialogue/llm/body.h"
#include "services/dialogue/llm/exchange.h"
#include "services/dialogue/llm/llm_keys.h"
#include "services/dialogue/llm/model.h"
#include "services/dialogue/llm/side.h"

enum { SIZES = 2, DETAIL_BYTES = 240 };

static const char *const size_names[SIZES] = {[LLM_FAST] = "fast", [LLM_SLOW] = "slow"};

const pl_config_key_t llm_config_keys[] = {LLM_KEYS, {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};

struct llm {
    pl_loop_t *loop;
    pl_http_t *http;
    pl_entra_t *entra;
    side_t *sides[SIZES]; /* NULL: not configured */
    uint32_t pause_ms, pause_most_ms, retry_after_most_ms;
    llm_asked_t *asked;
    uint64_t random;
};

struct llm_asked {
    llm_asked_t *next, **at; /* in llm->asked */
    llm_t *llm;
    llm_sink_t sink;
    body_t *body;
    size_t side;   /* that is asked now */
    bool switched; /* from the wanted one to the other: there is no third */
    unsigned tried;
    uint64_t began_ms, ends_ms;
    exchange_t *exchange;
    pl_timer_t *timer; /* the pause before the next try */
    pl_err_t err;      /* of the last try */
    char detail[DETAIL_BYTES];
};

static void try_now(llm_asked_t *self);

/* ---- the end of a request ------------------------------------------------------------------ */

static void asked_free(llm_asked_t *self)
{
    *self->at = self->next;
    if (self->next) self->next->at = self->at;
    exchange_cancel(&self->exchange);
    pl_timer_stop(&self->timer);
    body_destroy(&self->body);
    free(self);
}

void llm_cancel(llm_asked_t **asked_p)
{
    llm_asked_t *self = *asked_p;
    if (!self) return;
    *asked_p = NULL;
    if (self->exchange) llm_meter_cancelled(side_meter(self->llm->sides[self->side]));
    asked_free(self);
}

static void done(llm_asked_t *self, pl_err_t err, llm_end_t *end)
{
    llm_sink_t sink = self->sink;
    char detail[DETAIL_BYTES];
    memcpy(detail, self->detail, sizeof detail);
    const side_t *side = self->llm->sides[self->side];
    end->model = side ? side_model(side)->name : "";
    end->detail = detail;
    end->whole_ms = (uint32_t)(pl_clock_ms() - self->began_ms);
    if (err) {
        log_warn("llm.failed", "size=%s err=%s tries=%u ms=%u detail=\"%s\"",
                 size_names[self->side], pl_err_name(err), self->tried, end->whole_ms, detail);
    }
    asked_free(self);
    sink.done(sink.arg, err, end);
}

static void give_up(llm_asked_t *self)
{
    done(self, self->err, &(llm_end_t){0});
}

static void on_give_up(void *arg)
{
    give_up(arg);
}

/* Ends the request, but not from within llm_ask. */
static void give_up_soon(llm_asked_t *self, pl_err_t err, const char *detail)
{
    self->err = err;
    (void)snprintf(self->detail, sizeof self->detail, "%s", detail);
    pl_timer_stop(&self->timer);
    self->timer = pl_timer_start(self->llm->loop, 0, 0, on_give_up, self);
}

/* ---- the next try -------------------------------------------------------------------------- */

static side_t *other_side(const llm_asked_t *self)
{
    side_t *other = self->llm->sides[1 - self->side];
    return !self->switched && other && side_well(other) ? other : NULL;
}

static void switch_side(llm_asked_t *self)
{
    log_info("llm.fallback", "from=%s to=%s detail=\"%s\"", size_names[self->side],
             size_names[1 - self->side], self->detail);
    self->side = 1 - self->side;
    self->switched = true;
    self->tried = 0;
    llm_meter_fallback(side_meter(self->llm->sides[self->side]));
}

static uint64_t next_random(llm_t *llm)
{
    llm->random ^= llm->random << 13;
    llm->random ^= llm->random >> 7;
    llm->random ^= llm->random << 17;
    return llm->random;
}

static void on_pause_over(void *arg)
{
    llm_asked_t *self = arg;
    pl_timer_stop(&self->timer);
    try_now(self);
}

static void try_later(llm_asked_t *self, uint64_t wait_ms)
{
    llm_meter_retry(side_meter(self->llm->sides[self->side]));
    self->timer = pl_timer_start(self->llm->loop, wait_ms, 0, on_pause_over, self);
}

static pl_err_t err_of(exchange_result_t result)
{
    switch (result) {
    case EXCHANGE_ANSWERED:
        return PL_OK;
    case EXCHANGE_BUSY:
        return PL_BUSY;
    case EXCHANGE_TIMEOUT:
        return PL_TIMEOUT;
    case EXCHANGE_DOWN:
    case EXCHANGE_HOPELESS:
        return PL_UNAVAILABLE;
    case EXCHANGE_SENSELESS:
    case EXCHANGE_REFUSED:
        return PL_INVALID;
    }
    return PL_INTERNAL;
}

/* A try has failed before it said anything: the same model again, the other, or nobody. */
static void try_again(llm_asked_t *self, const exchange_end_t *end)
{
    const llm_t *llm = self->llm;
    const side_t *side = llm->sides[self->side];
    side_t *other = other_side(self);
    uint64_t now_ms = pl_clock_ms();
    uint64_t left_ms = self->ends_ms > now_ms ? self->ends_ms - now_ms : 0;
    uint64_t wait_ms =
        pl_retry_pause_ms(self->tried, llm->pause_ms, llm->pause_most_ms, next_random(self->llm));
    if (end->retry_after_ms >= 0) wait_ms = (uint64_t)end->retry_after_ms;
    bool may_again = end->result != EXCHANGE_REFUSED && end->result != EXCHANGE_HOPELESS &&
                     self->tried <= side_model(side)->retries && wait_ms < left_ms &&
                     (side_well(side) || end->result == EXCHANGE_BUSY);
    /* Where there is another, nobody waits for one that is slow already. */
    bool rather_other = end->result == EXCHANGE_TIMEOUT || wait_ms > llm->retry_after_most_ms;
    if (other && left_ms && (!may_again || rather_other)) {
        switch_side(self);
        try_now(self);
    } else if (may_again) {
        try_later(self, wait_ms);
    } else {
        give_up(self);
    }
}

/* ---- a try --------------------------------------------------------------------------------- */

/* Nothing is tried again after the first piece: the request is no longer needed. */
static void on_text(void *arg, const char *piece)
{
    llm_asked_t *self = arg;
    body_destroy(&self->body);
    self->sink.text(self->sink.arg, piece);
}

static void on_tool(void *arg, const llm_tool_call_t *call)
{
    const llm_asked_t *self = arg;
    self->sink.tool(self->sink.arg, call);
}

static void on_end(void *arg, const exchange_end_t *end)
{
    llm_asked_t *self = arg;
    self->exchange = NULL;
    side_answered(self->llm->sides[self->side], end);
    (void)snprintf(self->detail, sizeof self->detail, "%s", end->detail);
    self->err = err_of(end->result);
    if (end->result != EXCHANGE_ANSWERED && !end->told) {
        try_again(self, end);
        return;
    }
    uint64_t before_ms = pl_clock_ms() - self->began_ms; /* of this request, with former tries */
    llm_end_t told = {.finish = end->finish,
                      .prompt_tokens = end->prompt_tokens,
                      .answer_tokens = end->answer_tokens};
    if (end->first_ms) { /* at least 1: 0 says that none came */
        uint64_t first_ms = before_ms - end->since_first_ms;
        told.first_ms = first_ms ? (uint32_t)first_ms : 1;
    }
    done(self, self->err, &told);
}

static void try_now(llm_asked_t *self)
{
    uint64_t now_ms = pl_clock_ms();
    if (now_ms >= self->ends_ms) {
        give_up_soon(self, self->err ? self->err : PL_TIMEOUT, "no time was left for a try");
        return;
    }
    side_t *side = self->llm->sides[self->side];
    exchange_world_t world = {self->llm->loop, self->llm->http, self->llm->entra};
    size_t bytes = 0;
    char *body = body_for(self->body, side_model(side), &bytes);
    self->tried++;
    side_asked(side);
    self->exchange = exchange_new(
        &world, side_model(side), body, bytes, (uint32_t)(self->ends_ms - now_ms),
        next_random(self->llm),
        &(exchange_sink_t){.arg = self, .text = on_text, .tool = on_tool, .end = on_end});
}

llm_asked_t *llm_ask(llm_t *self, llm_size_t size, const llm_request_t *request,
                     const llm_sink_t *sink)
{
    llm_asked_t *asked = calloc(1, sizeof *asked);
    assert(asked);
    asked->llm = self;
    asked->sink = *sink;
    asked->next = self->asked;
    asked->at = &self->asked;
    if (asked->next) asked->next->at = &asked->next;
    self->asked = asked;
    asked->side = self->sides[size] ? size : 1 - (size_t)size;
    asked->switched = asked->side != (size_t)size;
    asked->began_ms = pl_clock_ms();
    uint32_t most_ms = side_model(self->sides[asked->side])->whole_ms;
    asked->ends_ms = asked->began_ms + (request->timeout_ms ? request->timeout_ms : most_ms);

    char detail[BODY_DETAIL_BYTES];
    if (body_new(&asked->body, request, detail) != PL_OK) {
        give_up_soon(asked, PL_INVALID, detail);
        return asked;
    }
    bool well = side_well(self->sides[asked->side]);
    if (!well && other_side(asked)) {
        (void)snprintf(asked->detail, sizeof asked->detail, "it is not well");
        switch_side(asked);
    } else if (!well) {
        give_up_soon(asked, PL_UNAVAILABLE, "no model is well");
        return asked;
    }
    try_now(asked);
    return asked;
}

/* ---- the models ---------------------------------------------------------------------------- */

static uint32_t number(const pl_config_t *cfg, const char *path)
{
    return (uint32_t)pl_config_int(cfg, path);
}

static bool wants_entra(const model_t *model)
{
    return model && model->auth == MODEL_ENTRA;
}

static void open_sides(llm_t *self, const pl_config_t *cfg, model_t *models[SIZES])
{
    side_opts_t opts = {
        .failures_most = number(cfg, "llm.failures_most"),
        .pause_ms = number(cfg, "llm.probe_pause_ms"),
        .pause_most_ms = number(cfg, "llm.probe_pause_most_ms"),
        .connections = number(cfg, "llm.connections"),
        .keep_warm_ms = number(cfg, "llm.keep_warm_ms"),
    };
    exchange_world_t world = {self->loop, self->http, self->entra};
    for (size_t i = 0; i < SIZES; i++) {
        if (models[i]) self->sides[i] = side_new(&world, &models[i], &opts);
    }
}

static llm_t *llm_make(pl_loop_t *loop, const pl_config_t *cfg)
{
    llm_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->pause_ms = number(cfg, "llm.retry_pause_ms");
    self->pause_most_ms = number(cfg, "llm.retry_pause_most_ms");
    self->retry_after_most_ms = number(cfg, "llm.retry_after_most_ms");
    if (getrandom(&self->random, sizeof self->random, 0) != sizeof self->random || !self->random) {
        self->random = pl_clock_us() | 1;
    }
    self->http = pl_http_new(loop);
    pl_http_trust(self->http, pl_config_str(cfg, "http.ca_file"));
    return self;
}

pl_err_t llm_new(llm_t **out, pl_loop_t *loop, const pl_config_t *cfg)
{
    model_t *models[SIZES] = {NULL, NULL};
    pl_err_t err = model_new(&models[LLM_FAST], cfg, size_names[LLM_FAST]);
    if (!err) err = model_new(&models[LLM_SLOW], cfg, size_names[LLM_SLOW]);
    llm_t *self = NULL;
    if (!err && (models[LLM_FAST] || models[LLM_SLOW])) {
        self = llm_make(loop, cfg);
        if (wants_entra(models[LLM_FAST]) || wants_entra(models[LLM_SLOW])) {
            err = pl_entra_new(&self->entra, loop, self->http, cfg);
        }
        if (!err) open_sides(self, cfg, models);
    }
    for (size_t i = 0; i < SIZES; i++) model_destroy(&models[i]);
    if (err) {
        llm_destroy(&self);
        return err;
    }
    *out = self;
    return PL_OK;
}

void llm_destroy(llm_t **self_p)
{
    llm_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->asked) asked_free(self->asked);
    for (size_t i = 0; i < SIZES; i++) side_destroy(&self->sides[i]);
    pl_entra_destroy(&self->entra);
    pl_http_destroy(&self->http);
    free(self);
}

bool llm_well(const llm_t *self)
{
    for (size_t i = 0; i < SIZES; i++) {
        if (self->sides[i] && side_well(self->sides[i])) return true;
    }
    return false;
}

static const model_t *model_of(const llm_t *self, llm_size_t size)
{
    const side_t *side = self->sides[size] ? self->sides[size] : self->sides[1 - size];
    return side_model(side);
}

uint32_t llm_context_tokens(const llm_t *self, llm_size_t size)
{
    return model_of(self, size)->context_tokens;
}

uint32_t llm_answer_tokens(const llm_t *self, llm_size_t size)
{
    return model_of(self, size)->answer_tokens;
}
