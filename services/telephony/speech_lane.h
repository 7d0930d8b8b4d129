/* speech_lane.h - a lane to speech as its media thread holds it: which leg is which slot on it.
 *
 * Threads: belongs to its media thread.
 */
#ifndef PL_TELEPHONY_SPEECH_LANE_H
#define PL_TELEPHONY_SPEECH_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/lane.h"

struct leg_audio;
typedef struct speech_lane speech_lane_t;

typedef struct {
    void (*ready)(void *arg, uint64_t id);
    /* Its legs are off it already. Destroy it, also here. */
    void (*broken)(void *arg, uint64_t id, const char *why);
    void *arg;
} speech_lane_sink_t;

pl_err_t speech_lane_connect(speech_lane_t **out, pl_loop_t *loop, uint64_t id,
                             const char *endpoint, const char *curve_key_file,
                             const uint8_t token[PL_LANE_TOKEN_BYTES],
                             const speech_lane_sink_t *sink);
void speech_lane_destroy(speech_lane_t **self_p); /* takes its legs off first */
uint64_t speech_lane_id(const speech_lane_t *self);

/* The leg's slot is taken from it; a leg that held the slot before is taken off. */
void speech_lane_attach(speech_lane_t *self, struct leg_audio *leg);
void speech_lane_detach(speech_lane_t *self, struct leg_audio *leg);
pl_err_t speech_lane_send(speech_lane_t *self, Pl__LaneFrame *frame);

#endif
