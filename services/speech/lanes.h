/* lanes.h - the media lanes of this instance, and which call is in which slot of them.
 *
 * Threads: the server's loop.
 */
#ifndef PL_SPEECH_LANES_H
#define PL_SPEECH_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/lane.h"
#include "services/speech/channel.h"

enum { LANES_MAX = 256, LANES_SLOTS_MAX = 4096 };

typedef struct lanes lanes_t;

/* A lane is gone: its channels are still there, in the slots, and must be destroyed here. */
typedef void lanes_broken_fn(void *arg, uint64_t lane, const char *why);

/* Where lanes listen: bus.advertise, else ipc:// in bus.run_dir. Never NULL. */
lanes_t *lanes_new(pl_loop_t *loop, const pl_config_t *cfg, lanes_broken_fn *broken, void *arg);
void lanes_destroy(lanes_t **self_p);

/* Binds a lane; opened's fields are borrowed from the lane. PL_BUSY: too many. */
pl_err_t lanes_open(lanes_t *self, Pl__LaneOpened *opened);

pl_lane_t *lanes_find(const lanes_t *self, uint64_t number); /* NULL: there is none */
/* PL_INVALID: no such slot; PL_BUSY: another channel is in it. NULL empties the slot. */
pl_err_t lanes_put(lanes_t *self, uint64_t number, uint32_t slot, channel_t *channel);
channel_t *lanes_at(const lanes_t *self, uint64_t number, uint32_t slot);

#endif
