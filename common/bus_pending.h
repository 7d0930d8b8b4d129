/* bus_pending.h - requests sent that wait for their reply, by correlation.
 *
 * Each ends exactly once: by its reply, an error, or its time. Threads: the loop's. Internal to
 * the bus.
 */
#ifndef PL_COMMON_BUS_PENDING_H
#define PL_COMMON_BUS_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/loop.h"

typedef struct bus_pending bus_pending_t;

bus_pending_t *bus_pending_new(pl_loop_t *loop);
/* Ends what is open with PL_UNAVAILABLE. */
void bus_pending_destroy(bus_pending_t **self_p);

/* Opens a request sent over link (any pointer that names the peer). */
void bus_pending_open(bus_pending_t *self, uint64_t correlation, const void *link,
                      uint32_t timeout_ms, pl_bus_reply_fn *on_reply, void *arg);
/* Opens one that could not be sent: it ends with err in the loop's next round. */
void bus_pending_fail(bus_pending_t *self, uint64_t correlation, pl_err_t err,
                      pl_bus_reply_fn *on_reply, void *arg);

/* False: not open (late or duplicate), or not sent over this link. */
bool bus_pending_reply(bus_pending_t *self, const void *link, const Pl__Envelope *reply);
/* The peer has gone: its requests end with PL_UNAVAILABLE. */
void bus_pending_link_down(bus_pending_t *self, const void *link);

#endif
