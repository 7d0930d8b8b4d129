#include "common/entra.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/entra_ask.h"
#include "common/log.h"
#include "common/retry.h"

enum {
    SPARE_MS = 60 * 1000,       /* a token with less left is not handed out */
    BEFORE_END_MS = 300 * 1000, /* renewed so long before its end, or at four fifths of its life */
    RENEW_AGAIN_MS = 30 * 1000, /* after a renewal in vain */
    TRIES_MOST = 4,             /* of one ask */
    PAUSE_MS = 400,             /* before the second, doubled from there */
    PAUSE_MOST_MS = 3000,
};

typedef struct slot slot_t;

struct pl_entra_wait {
    pl_entra_wait_t *next, **at;
    slot_t *slot;
    pl_entra_fn *fn;
    void *arg;
};

/* What is kept for one scope. */
struct slot {
    slot_t *next;
    pl_entra_t *entra;
    char *scope;
    char *token; /* NULL: none yet */
    uint64_t ends_ms;
    pl_http_call_t *call;
    pl_timer_t *timer; /* the next try, or the renewal */
    unsigned tried;
    pl_entra_wait_t *waits;
};

struct pl_entra {
    pl_loop_t *loop;
    pl_http_t *http;
    entra_ask_t ask; /* how */
    slot_t *slots;
    uint64_t random;
};

static void begin(slot_t *slot);

/* ---- telling ------------------------------------------------------------------------------- */

static void wait_leave(pl_entra_wait_t *wait)
{
    *wait->at = wait->next;
    if (wait->next) wait->next->at = wait->at;
}

/* Those who ask from within a callback wait for the next answer. */
static void tell(slot_t *slot, pl_err_t err, const char *detail)
{
    pl_entra_wait_t *waits = slot->waits;
    slot->waits = NULL;
    if (waits) waits->at = &waits;
    while (waits) { /* a callback may cancel another */
        pl_entra_wait_t *wait = waits;
        wait_leave(wait);
        wait->fn(wait->arg, err, err ? NULL : slot->token, detail);
        free(wait);
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

static void on_due(void *arg)
{
    slot_t *slot = arg;
    pl_timer_stop(&slot->timer);
    begin(slot);
}

static void call_later(slot_t *slot, uint64_t wait_ms)
{
    pl_timer_stop(&slot->timer);
    slot->timer = pl_timer_start(slot->entra->loop, wait_ms, 0, on_due, slot);
}

static void fail(slot_t *slot, pl_err_t err, const char *detail, bool again)
{
    if (again && slot->tried < TRIES_MOST) {
        slot->entra->random = slot->entra->random * 6364136223846793005ULL + 1442695040888963407ULL;
        call_later(slot, pl_retry_pause_ms(slot->tried, PAUSE_MS, PAUSE_MOST_MS,
                                           slot->entra->random >> 33));
        return;
    }
    log_warn("entra.failed", "scope=%s err=%s detail=\"%s\"", slot->scope, pl_err_name(err),
             detail);
    slot->tried = 0;
    if (slot->token) call_later(slot, RENEW_AGAIN_MS);
    tell(slot, err, detail);
}

static void keep(slot_t *slot, const char *token, uint32_t life_s)
{
    uint64_t life_ms = 1000ULL * life_s;
    free(slot->token);
    slot->token = strdup(token);
    assert(slot->token);
    slot->ends_ms = pl_clock_ms() + life_ms;
    slot->tried = 0;
    uint64_t renew_ms = life_ms * 4 / 5;
    if (life_ms > BEFORE_END_MS && life_ms - BEFORE_END_MS > renew_ms) {
        renew_ms = life_ms - BEFORE_END_MS;
    }
    call_later(slot, renew_ms);
    tell(slot, PL_OK, "");
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    slot_t *slot = arg;
    slot->call = NULL;
    if (err) {
        fail(slot, err, answer->detail, true);
        return;
    }
    entra_answer_t read;
    entra_answer_read(&read, answer->status, answer->body);
    if (read.token) {
        keep(slot, read.token, read.life_s);
    } else {
        fail(slot, read.again ? PL_UNAVAILABLE : PL_INVALID, read.detail, read.again);
    }
    entra_answer_free(&read);
}

static void begin(slot_t *slot)
{
    if (slot->call) return;
    slot->tried++;
    entra_request_t request;
    pl_err_t err = entra_request_make(&request, &slot->entra->ask, slot->scope);
    if (err) {
        fail(slot, err, "the federated token's file cannot be read", false);
    } else {
        slot->call = pl_http_send(slot->entra->http, &request.opts, on_answer, slot);
    }
    entra_request_free(&request);
}

static slot_t *slot_of(pl_entra_t *self, const char *scope)
{
    for (slot_t *slot = self->slots; slot; slot = slot->next) {
        if (strcmp(slot->scope, scope) == 0) return slot;
    }
    slot_t *slot = calloc(1, sizeof *slot);
    assert(slot);
    slot->entra = self;
    slot->scope = strdup(scope);
    assert(slot->scope);
    slot->next = self->slots;
    self->slots = slot;
    return slot;
}

static bool is_good(const slot_t *slot)
{
    return slot->token && pl_clock_ms() + SPARE_MS < slot->ends_ms;
}

const char *pl_entra_token(pl_entra_t *self, const char *scope)
{
    const slot_t *slot = slot_of(self, scope);
    return is_good(slot) ? slot->token : NULL;
}

static void answer_from_store(void *arg)
{
    slot_t *slot = arg;
    pl_timer_stop(&slot->timer);
    if (is_good(slot)) {
        uint64_t left_ms = slot->ends_ms - pl_clock_ms();
        call_later(slot, left_ms > BEFORE_END_MS ? left_ms - BEFORE_END_MS : left_ms / 5);
        tell(slot, PL_OK, "");
    } else {
        begin(slot);
    }
}

pl_entra_wait_t *pl_entra_ask(pl_entra_t *self, const char *scope, pl_entra_fn *fn, void *arg)
{
    slot_t *slot = slot_of(self, scope);
    pl_entra_wait_t *wait = calloc(1, sizeof *wait);
    assert(wait);
    *wait = (pl_entra_wait_t){.slot = slot, .fn = fn, .arg = arg};
    wait->next = slot->waits;
    wait->at = &slot->waits;
    if (wait->next) wait->next->at = &wait->next;
    slot->waits = wait;
    bool under_way = slot->call || (slot->tried && slot->timer);
    if (!under_way) {
        pl_timer_stop(&slot->timer);
        slot->timer = pl_timer_start(self->loop, 0, 0, answer_from_store, slot);
    }
    return wait;
}

void pl_entra_cancel(pl_entra_wait_t **wait_p)
{
    if (!*wait_p) return;
    wait_leave(*wait_p);
    free(*wait_p);
    *wait_p = NULL;
}

void pl_entra_forget(pl_entra_t *self, const char *scope)
{
    slot_t *slot = slot_of(self, scope);
    free(slot->token);
    slot->token = NULL;
}

/* ---- the client ---------------------------------------------------------------------------- */

pl_err_t pl_entra_new(pl_entra_t **out, pl_loop_t *loop, pl_http_t *http, const pl_config_t *cfg)
{
    entra_ask_t ask;
    pl_err_t err = entra_ask_read(&ask, cfg);
    if (err) return err;
    pl_entra_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->http = http;
    self->ask = ask;
    self->random = pl_clock_us();
    *out = self;
    return PL_OK;
}

void pl_entra_destroy(pl_entra_t **self_p)
{
    pl_entra_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->slots) {
        slot_t *slot = self->slots;
        self->slots = slot->next;
        pl_http_cancel(&slot->call);
        pl_timer_stop(&slot->timer);
        while (slot->waits) {
            pl_entra_wait_t *wait = slot->waits;
            pl_entra_cancel(&wait);
        }
        free(slot->scope);
        free(slot->token);
        free(slot);
    }
    free(self);
}
