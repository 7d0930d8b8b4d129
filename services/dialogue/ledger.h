/* ledger.h - the outboxes of one conversation: of its present call, and of calls it has left whose
 * last writes are not acknowledged yet.
 *
 * Threads: none. Time is an argument, in monotonic ms.
 */
#ifndef DIALOGUE_LEDGER_H
#define DIALOGUE_LEDGER_H

#include "services/dialogue/outbox.h"

typedef struct ledgers ledgers_t;
typedef struct ledger ledger_t;

ledgers_t *ledgers_new(const char *call_id, uint32_t epoch); /* of the present call; never NULL */
void ledgers_destroy(ledgers_t **self_p);

ledger_t *ledgers_present(const ledgers_t *self); /* never NULL */
/* Another call's. present: it is the present one's from now on. Never NULL. */
ledger_t *ledgers_open(ledgers_t *self, const char *call_id, uint32_t epoch, bool present);
outbox_t *ledger_outbox(ledger_t *self); /* borrowed */

/* Hands the write of each outbox that has one to be sent now to send. */
typedef void ledger_send_fn(void *arg, const char *call_id, uint32_t epoch,
                            const Pl__StoreApply *write);
void ledgers_send(ledgers_t *self, uint64_t now_ms, ledger_send_fn *send, void *arg);
/* The store's answer to a write of that call; as outbox_answered. */
bool ledgers_answered(ledgers_t *self, const char *call_id, uint64_t now_ms, pl_err_t err);

bool ledgers_empty(const ledgers_t *self);
uint64_t ledgers_due_ms(const ledgers_t *self); /* the earliest; UINT64_MAX: none by time */

#endif
