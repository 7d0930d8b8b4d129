/* stream.h - the audio streams between legs and speech: which instance, over which lane.
 *
 * A leg asks for a stream; one is opened on the least loaded speech instance that takes it, and on
 * another when that one refuses, goes down or breaks its lane: every 500 ms until the leg closes
 * it. A lane is opened once per media thread and speech instance. Each opening draws a new
 * generation, so that a late frame of a former use of the slot is known as such.
 *
 * Threads: the control thread. Nothing blocks.
 */
#ifndef PL_TELEPHONY_STREAM_H
#define PL_TELEPHONY_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "services/telephony/media.h"

typedef struct streams streams_t;
typedef uint64_t stream_t; /* handle, never reused; 0 is none */

typedef struct {
    void (*open)(void *arg, stream_t stream, const char *speech); /* also after it has moved */
    void (*gone)(void *arg, stream_t stream, const char *why);    /* another is being looked for */
    void (*moved)(void *arg, stream_t stream); /* speech knows the other call; never when gone */
    void *arg;
} stream_sink_t;

typedef struct {
    const char *call_id;
    uint32_t epoch;
    const char *owner; /* dialogue instance that gets speech's events */
    const char *lang;
    const char *voice;
    media_leg_t leg;
} stream_opts_t;

streams_t *streams_new(pl_loop_t *loop, pl_bus_t *bus, media_t *media, size_t max,
                       const stream_sink_t *sink); /* never NULL */
/* No callback after it. Call before the bus and media go. */
void streams_destroy(streams_t **self_p);

/* Copies opts. 0: max are open already. The sink is never called inside it. */
stream_t streams_open(streams_t *self, const stream_opts_t *opts);
void streams_close(streams_t *self, stream_t *stream_p); /* tells speech; no callback after it */
/* Another instance owns the call from now on: used whenever the stream is opened next. */
void streams_owner(streams_t *self, stream_t stream, const char *owner, uint32_t epoch);

/* The stream is that of another call from now on. True: speech is being told, moved or gone
 * follows; false: none is open, and the next is opened under the new id. */
bool streams_move(streams_t *self, stream_t stream, const char *call_id);

/* To be called from media's sink and the bus's peer handler. */
void streams_lane_ready(streams_t *self, uint64_t lane);
void streams_lane_broken(streams_t *self, uint64_t lane, const char *why);
void streams_peer(streams_t *self, const pl_peer_t *peer);

#endif
