/* lane.h - a media lane: one PAIR socket between a telephony media thread and a speech one.
 *
 * Speech listens, telephony connects and shows the token it was given on the control bus
 * (proto/media.proto). A lane that is not ready within 500 ms of the hello, or whose peer is gone,
 * is broken; a broken lane is destroyed and replaced, never revived.
 *
 * Threads: a lane belongs to the loop it was made on. Nothing blocks.
 */
#ifndef PL_COMMON_LANE_H
#define PL_COMMON_LANE_H

#include "common/err.h"
#include "common/loop.h"
#include "media.pb-c.h"

enum { PL_FRAME_MS = 20, PL_FRAME_HZ = 16000, PL_FRAME_SAMPLES = 320, PL_FRAME_BYTES = 640 };
enum { PL_LANE_TOKEN_BYTES = 16, PL_LANE_HELLO_MS = 500 };

typedef struct pl_lane pl_lane_t;

typedef struct {
    void (*ready)(void *arg);                             /* both ends may send from now on */
    void (*frame)(void *arg, const Pl__LaneFrame *frame); /* borrowed until return */
    void (*broken)(void *arg, const char *why);           /* at most once; destroy it, also here */
    void *arg;
} pl_lane_sink_t;

/* endpoint: "ipc://..." path, or "tcp://HOST:*" whose port is chosen; the full one is returned by
 * pl_lane_endpoint. curve_key_file may be NULL or "". A stale ipc path is replaced. */
pl_err_t pl_lane_listen(pl_lane_t **out, pl_loop_t *loop, const char *endpoint,
                        const char *curve_key_file, const uint8_t token[PL_LANE_TOKEN_BYTES],
                        const pl_lane_sink_t *sink);
pl_err_t pl_lane_connect(pl_lane_t **out, pl_loop_t *loop, const char *endpoint,
                         const char *curve_key_file, const uint8_t token[PL_LANE_TOKEN_BYTES],
                         const pl_lane_sink_t *sink);
void pl_lane_destroy(pl_lane_t **self_p);

const char *pl_lane_endpoint(const pl_lane_t *self);

/* Borrows frame. It goes out before the loop waits next, in one message with the others of that
 * round. PL_BUSY: the socket is full, the frame is dropped and counted. PL_UNAVAILABLE: not ready or
 * broken. PL_INVALID: over 16 KiB. */
pl_err_t pl_lane_send(pl_lane_t *self, Pl__LaneFrame *frame);

#endif
