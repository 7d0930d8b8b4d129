/* outbox.h - a call's writes on their way to the store: in order, one at a time, until acknowledged.
 *
 * Changes wait and gather while a write is out; a newer change of the same thing takes the place of
 * one that still waits. A write that failed for want of the store is sent again under the same
 * write_id, so that it is applied once.
 *
 * Threads: none. Time is an argument, in monotonic ms.
 */
#ifndef DIALOGUE_OUTBOX_H
#define DIALOGUE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store.pb-c.h"

typedef struct outbox outbox_t;

enum { OUTBOX_MAX = 4096, OUTBOX_WRITE_MAX = 64, OUTBOX_ATTEMPTS_MAX = 5 };

outbox_t *outbox_new(void);
void outbox_destroy(outbox_t **self_p);

/* Copies change. PL_BUSY: OUTBOX_MAX wait already, it is dropped. Those added one after another with
 * the same group, which is not 0, go into one write, and are never dropped for want of room. */
pl_err_t outbox_add(outbox_t *self, const Pl__CallChange *change, uint32_t group);
/* The same of a job. */
void outbox_add_job(outbox_t *self, const Pl__JobSpec *job, uint32_t group);

/* The write to be sent now, borrowed until the next call; NULL when one is out, when it is too
 * early for another attempt, or when nothing waits. It counts as sent from here on. */
const Pl__StoreApply *outbox_take(outbox_t *self, uint64_t now_ms);

/* The store's answer to it. PL_OK: done. PL_STALE: another owner writes now; everything is dropped.
 * An error that a retry may cure: again later. Any other: OUTBOX_ATTEMPTS_MAX times, then dropped.
 * Returns false when a write was dropped. */
bool outbox_answered(outbox_t *self, uint64_t now_ms, pl_err_t err);

bool outbox_empty(const outbox_t *self);
uint64_t outbox_due_ms(const outbox_t *self); /* when to take again; UINT64_MAX: not by time */

#endif
