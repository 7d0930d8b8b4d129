#include "common/bus_wire.h"

#include <assert.h>
#include <string.h>
#include <zmq.h>

pl_err_t bus_wire_send(void *socket, const void *identity, size_t identity_bytes,
                       const Pl__Envelope *env)
{
    size_t bytes = pl__envelope__get_packed_size(env);
    if (bytes > BUS_MESSAGE_MAX_BYTES) return PL_INVALID;

    if (identity && zmq_send(socket, identity, identity_bytes, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
        return zmq_errno() == EAGAIN ? PL_BUSY : PL_UNAVAILABLE;
    }
    zmq_msg_t msg;
    int rc = zmq_msg_init_size(&msg, bytes);
    assert(rc == 0); /* only ENOMEM */
    (void)rc;
    pl__envelope__pack(env, zmq_msg_data(&msg));
    if (zmq_msg_send(&msg, socket, ZMQ_DONTWAIT) >= 0) return PL_OK;
    bool full = zmq_errno() == EAGAIN;
    zmq_msg_close(&msg);
    return full ? PL_BUSY : PL_UNAVAILABLE;
}

/* Takes the rest of a message that has more frames than it should. */
static void skip_frames(void *socket, zmq_msg_t *msg)
{
    while (zmq_msg_more(msg)) {
        if (zmq_msg_recv(msg, socket, ZMQ_DONTWAIT) < 0) return;
    }
}

static Pl__Envelope *unpack(zmq_msg_t *msg, pl_arena_t *arena)
{
    pl_arena_reset(arena);
    return pl__envelope__unpack(pl_arena_allocator(arena), zmq_msg_size(msg), zmq_msg_data(msg));
}

static bool take_identity(zmq_msg_t *msg, bus_received_t *out)
{
    out->identity_bytes = zmq_msg_size(msg);
    if (out->identity_bytes > sizeof out->identity || !zmq_msg_more(msg)) return false;
    memcpy(out->identity, zmq_msg_data(msg), out->identity_bytes);
    return true;
}

bus_wire_t bus_wire_receive(void *socket, bool has_identity, pl_arena_t *arena, bus_received_t *out)
{
    bus_wire_t result = BUS_WIRE_NONE;
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    out->env = NULL;
    if (zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) < 0) goto out;
    result = BUS_WIRE_MALFORMED;
    if (has_identity) {
        if (!take_identity(&msg, out)) goto out;
        /* The frames of one message arrive together. */
        if (zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) < 0) goto out;
    }
    if (zmq_msg_more(&msg)) goto out;
    out->env = unpack(&msg, arena);
    if (out->env) result = BUS_WIRE_MESSAGE;
out:
    skip_frames(socket, &msg);
    zmq_msg_close(&msg);
    return result;
}
