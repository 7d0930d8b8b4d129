#include "services/dialogue/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ledger {
    struct ledger *next;
    char *call_id;
    uint32_t epoch;
    outbox_t *outbox;
};

struct ledgers {
    ledger_t *first; /* the present call's */
};

static ledger_t *ledger_new(const char *call_id, uint32_t epoch)
{
    ledger_t *self = calloc(1, sizeof *self);
    assert(self);
    self->call_id = strdup(call_id);
    assert(self->call_id);
    self->epoch = epoch;
    self->outbox = outbox_new();
    return self;
}

static void ledger_destroy(ledger_t *self)
{
    outbox_destroy(&self->outbox);
    free(self->call_id);
    free(self);
}

ledgers_t *ledgers_new(const char *call_id, uint32_t epoch)
{
    ledgers_t *self = calloc(1, sizeof *self);
    assert(self);
    self->first = ledger_new(call_id, epoch);
    return self;
}

void ledgers_destroy(ledgers_t **self_p)
{
    ledgers_t *self = *self_p;
    if (!self) return;
    while (self->first) {
        ledger_t *ledger = self->first;
        self->first = ledger->next;
        ledger_destroy(ledger);
    }
    free(self);
    *self_p = NULL;
}

ledger_t *ledgers_present(const ledgers_t *self)
{
    return self->first;
}

ledger_t *ledgers_open(ledgers_t *self, const char *call_id, uint32_t epoch, bool present)
{
    ledger_t *ledger = ledger_new(call_id, epoch);
    ledger_t **at = present ? &self->first : &self->first->next;
    ledger->next = *at;
    *at = ledger;
    return ledger;
}

outbox_t *ledger_outbox(ledger_t *self)
{
    return self->outbox;
}

void ledgers_send(ledgers_t *self, uint64_t now_ms, ledger_send_fn *send, void *arg)
{
    for (ledger_t *ledger = self->first; ledger; ledger = ledger->next) {
        const Pl__StoreApply *write = outbox_take(ledger->outbox, now_ms);
        if (write) send(arg, ledger->call_id, ledger->epoch, write);
    }
}

/* One that has been left is forgotten when all of it is written. */
static void forget_written(ledgers_t *self)
{
    for (ledger_t **at = &self->first->next; *at;) {
        ledger_t *ledger = *at;
        if (!outbox_empty(ledger->outbox)) {
            at = &ledger->next;
            continue;
        }
        *at = ledger->next;
        ledger_destroy(ledger);
    }
}

bool ledgers_answered(ledgers_t *self, const char *call_id, uint64_t now_ms, pl_err_t err)
{
    ledger_t *ledger = self->first;
    while (ledger && strcmp(ledger->call_id, call_id) != 0) ledger = ledger->next;
    if (!ledger) return true;
    bool kept = outbox_answered(ledger->outbox, now_ms, err);
    forget_written(self);
    return kept;
}

bool ledgers_empty(const ledgers_t *self)
{
    for (const ledger_t *ledger = self->first; ledger; ledger = ledger->next) {
        if (!outbox_empty(ledger->outbox)) return false;
    }
    return true;
}

uint64_t ledgers_due_ms(const ledgers_t *self)
{
    uint64_t due = UINT64_MAX;
    for (const ledger_t *ledger = self->first; ledger; ledger = ledger->next) {
        uint64_t of = outbox_due_ms(ledger->outbox);
        if (of < due) due = of;
    }
    return due;
}
