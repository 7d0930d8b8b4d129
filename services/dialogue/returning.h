/* returning.h - finds the call that somebody goes on with, and takes it over.
 *
 * That is the newest call of the number (of the initiate or the claim's policyholder_phone), if it
 * was begun late enough and has ended. A call that is still going on somewhere is left alone: its
 * leg belongs to another. Taking over is a compare-and-set in the store, so that of two who ring at
 * once one goes on and the other begins anew. Whatever fails: there is none.
 *
 * Threads: the loop's.
 */
#ifndef DIALOGUE_RETURNING_H
#define DIALOGUE_RETURNING_H

#include <stdbool.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "common/bus.h"

typedef struct {
    const char *phone_number;     /* E.164; copied */
    const Pl__Initiate *initiate; /* it must have been begun with exactly this; NULL: with any.
                                     Borrowed until found */
    int64_t not_before_ms;
    uint32_t timeout_ms; /* of each of the two requests */
} returning_query_t;

/* *record_p is the call as it is after the change of owner, yours to free; NULL: none. */
typedef void returning_found_fn(void *arg, Pl__CallRecord **record_p);
/* Does this process have that call? */
typedef bool returning_live_fn(void *arg, const char *call_id);

/* Calls found exactly once, not from within. With the bus's end it is called too. */
void returning_find(pl_bus_t *bus, const returning_query_t *query, returning_live_fn *live,
                    returning_found_fn *found, void *arg);

#endif
