/* channel.h - one call's stream (stream.h) with what it works through: a recogniser, a synthesiser,
 * a slot on a lane, and its owner on the bus.
 *
 * Threads: the server's loop.
 */
#ifndef PL_SPEECH_CHANNEL_H
#define PL_SPEECH_CHANNEL_H

#include <stdint.h>

#include "common/bus.h"
#include "common/lane.h"
#include "services/speech/stream.h"
#include "services/speech/recognition.h"
#include "services/speech/synthesis.h"

typedef struct channel channel_t;

/* Shared by all channels; outlives them. */
typedef struct {
    pl_bus_t *bus;
    recognisers_t *recognisers;
    synthesis_t *synthesis;
    hearing_opts_t hearing;
    uint32_t cutoff_ms;
} channel_world_t;

typedef struct {
    const char *call_id, *owner, *lang, *voice;
    uint32_t epoch;
    uint64_t lane_number;
    pl_lane_t *lane; /* borrowed; outlives the channel */
    uint32_t slot, generation;
} channel_opts_t;

channel_t *channel_new(const channel_world_t *world, const channel_opts_t *opts); /* never NULL */
void channel_destroy(channel_t **self_p); /* tells the owner nothing */

const char *channel_call(const channel_t *self);
/* Is it that call's, or was it before it moved? */
bool channel_is_of(const channel_t *self, const char *call_id);
void channel_move(channel_t *self, const char *call_id); /* it is that call's from now on */
uint64_t channel_lane(const channel_t *self);
uint32_t channel_slot(const channel_t *self);
uint32_t channel_generation(const channel_t *self);

/* False: the epoch is older than the known one. A newer one is taken over, with its sender as
 * owner; owner may be NULL. */
bool channel_fence(channel_t *self, uint32_t epoch, const char *owner);

void channel_frame(channel_t *self, const Pl__LaneFrame *frame); /* of its slot and generation */
void channel_listen(channel_t *self, const Pl__Listen *listen);
void channel_say(channel_t *self, const Pl__Say *say);
void channel_say_stop(channel_t *self, uint32_t turn);
void channel_tick(channel_t *self);
void channel_end(channel_t *self);                   /* the leg is gone; destroy it then */
void channel_lost(channel_t *self, const char *why); /* tells the owner that audio flows no more */

#endif
