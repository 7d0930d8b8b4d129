#include "services/telephony/speech_lane.h"

#include <stdlib.h>

#include "common/metrics.h"
#include "services/telephony/leg_audio.h"

enum { BUCKETS = 256 };

struct speech_lane {
    uint64_t id;
    pl_lane_t *lane;
    speech_lane_sink_t sink;
    leg_audio_t *legs[BUCKETS]; /* by slot, chained by leg_audio_next_on_lane */
    pl_metric_t *unrouted;
};

static leg_audio_t **place_of(speech_lane_t *self, uint32_t slot)
{
    leg_audio_t **place = &self->legs[slot % BUCKETS];
    while (*place && leg_audio_slot(*place) != slot) place = leg_audio_next_on_lane(*place);
    return place;
}

static void on_ready(void *arg)
{
    speech_lane_t *self = arg;
    self->sink.ready(self->sink.arg, self->id);
}

static void on_frame(void *arg, const Pl__LaneFrame *frame)
{
    speech_lane_t *self = arg;
    leg_audio_t *leg = *place_of(self, frame->slot);
    if (leg)
        leg_audio_lane_frame(leg, frame);
    else
        pl_metric_add(self->unrouted, 1); /* the leg has ended, or moved to another lane */
}

static void take_all_off(speech_lane_t *self)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (self->legs[i]) leg_audio_off_lane(self->legs[i]);
    }
}

static void on_broken(void *arg, const char *why)
{
    speech_lane_t *self = arg;
    take_all_off(self);
    self->sink.broken(self->sink.arg, self->id, why);
}

pl_err_t speech_lane_connect(speech_lane_t **out, pl_loop_t *loop, uint64_t id,
                             const char *endpoint, const char *curve_key_file,
                             const uint8_t token[PL_LANE_TOKEN_BYTES],
                             const speech_lane_sink_t *sink)
{
    speech_lane_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->id = id;
    self->sink = *sink;
    self->unrouted = pl_metric_counter("parley_media_frames_unrouted_total", NULL,
                                       "Lane frames for a slot that no leg has");
    pl_lane_sink_t lane_sink = {on_ready, on_frame, on_broken, self};
    pl_err_t err = pl_lane_connect(&self->lane, loop, endpoint, curve_key_file, token, &lane_sink);
    if (err) {
        free(self);
        return err;
    }
    *out = self;
    return PL_OK;
}

void speech_lane_destroy(speech_lane_t **self_p)
{
    speech_lane_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    take_all_off(self);
    pl_lane_destroy(&self->lane);
    free(self);
}

uint64_t speech_lane_id(const speech_lane_t *self)
{
    return self->id;
}

void speech_lane_attach(speech_lane_t *self, leg_audio_t *leg)
{
    leg_audio_t **place = place_of(self, leg_audio_slot(leg));
    if (*place) {
        leg_audio_off_lane(*place);
        place = place_of(self, leg_audio_slot(leg));
    }
    *leg_audio_next_on_lane(leg) = NULL;
    *place = leg;
}

void speech_lane_detach(speech_lane_t *self, leg_audio_t *leg)
{
    leg_audio_t **place = place_of(self, leg_audio_slot(leg));
    if (*place != leg) return;
    *place = *leg_audio_next_on_lane(leg);
    *leg_audio_next_on_lane(leg) = NULL;
}

pl_err_t speech_lane_send(speech_lane_t *self, Pl__LaneFrame *frame)
{
    return pl_lane_send(self->lane, frame);
}
