/* recovery.h - closes the calls that a former run of this instance left open.
 *
 * The calls that the store holds as in progress under this instance's name, and that nobody has
 * adopted meanwhile, belong to nobody any more. A leg that is still up is offered by telephony
 * (adopting.h), so a while is waited first; what is left then has no leg either: each is adopted
 * (epoch + 1), gets its hangup message, its end (LEG_OWNER_LOST), and what post-call work can still say
 * of it.
 *
 * Threads: the loop's.
 */
#ifndef DIALOGUE_RECOVERY_H
#define DIALOGUE_RECOVERY_H

#include "common/bus.h"
#include "common/loop.h"

typedef struct recovery recovery_t;

typedef struct {
    uint32_t store_timeout_ms;
    uint32_t wait_ms;                             /* from the store's coming up */
    bool (*live)(void *arg, const char *call_id); /* it goes on here */
    void *arg;
} recovery_opts_t;

recovery_t *recovery_new(pl_loop_t *loop, pl_bus_t *bus, const recovery_opts_t *opts);
/* Only after the bus is destroyed or the loop has stopped: replies may be on their way. */
void recovery_destroy(recovery_t **self_p);
/* To be called when a persistence peer comes up; begins once, and again after a failure. */
void recovery_store_up(recovery_t *self);

#endif
