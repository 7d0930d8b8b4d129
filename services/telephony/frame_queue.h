/* frame_queue.h - a small queue of 20 ms frames from a browser, whose network has jitter, too.
 *
 * Playing begins when 60 ms are here, and again so after it ran dry. It holds at most 200 ms, the
 * oldest go first; what stays queued for two seconds is delay that a drifting clock or a burst
 * left, and is dropped a frame at a time.
 *
 * Threads: none; pure. Time is the taking, one frame every 20 ms.
 */
#ifndef PL_TELEPHONY_FRAME_QUEUE_H
#define PL_TELEPHONY_FRAME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/lane.h"

enum { FRAME_QUEUE_ROOM = 10 };

typedef struct {
    uint8_t frames[FRAME_QUEUE_ROOM][PL_FRAME_BYTES];
    size_t first, count;
    bool playing;
    size_t least; /* queued in the last two seconds */
    unsigned ticks;
    uint32_t received, dropped, dry;
} frame_queue_t;

void frame_queue_put(frame_queue_t *self, const uint8_t pcm[PL_FRAME_BYTES]);
/* False: none is here, pcm is zeros. */
bool frame_queue_take(frame_queue_t *self, int16_t pcm[PL_FRAME_SAMPLES]);

#endif
