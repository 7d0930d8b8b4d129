/* bus_wire.h - an envelope as one ZeroMQ frame, and back.
 *
 * Threads: the caller's. Internal to the bus.
 */
#ifndef PL_COMMON_BUS_WIRE_H
#define PL_COMMON_BUS_WIRE_H

#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"
#include "envelope.pb-c.h"

enum {
    BUS_MESSAGE_MAX_BYTES = 4 * 1024 * 1024,
    BUS_UNPACKED_MAX_BYTES = 64 * 1024 * 1024,
    BUS_QUEUE_MESSAGES = 4096, /* high-water mark of a peer's queue, each way */
};

/* Sends without blocking. On a ROUTER, identity comes first; NULL on a DEALER. PL_INVALID: larger
 * than any peer takes. PL_BUSY: the queue is full. PL_UNAVAILABLE: that identity has gone. */
pl_err_t bus_wire_send(void *socket, const void *identity, size_t identity_bytes,
                       const Pl__Envelope *env);

/* One whole message received without blocking. */
typedef enum { BUS_WIRE_NONE, BUS_WIRE_MALFORMED, BUS_WIRE_MESSAGE } bus_wire_t;
enum { BUS_IDENTITY_MAX_BYTES = 255 };
typedef struct {
    uint8_t identity[BUS_IDENTITY_MAX_BYTES]; /* on a ROUTER */
    size_t identity_bytes;
    Pl__Envelope *env; /* in the arena; NULL unless BUS_WIRE_MESSAGE */
} bus_received_t;

/* Resets arena, which then holds the envelope. */
bus_wire_t bus_wire_receive(void *socket, bool has_identity, pl_arena_t *arena,
                            bus_received_t *out);

#endif
