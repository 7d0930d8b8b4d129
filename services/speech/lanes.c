#include "services/speech/lanes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/log.h"
#include "common/metrics.h"

enum { ENDPOINT_BYTES = 256 };

typedef struct {
    lanes_t *lanes;
    uint64_t number;
    pl_lane_t *lane;
    char endpoint[ENDPOINT_BYTES]; /* as telephony reaches it */
    uint8_t token[PL_LANE_TOKEN_BYTES];
    channel_t **slots;
    size_t slot_count;
} entry_t;

struct lanes {
    pl_loop_t *loop;
    const char *run_dir, *advertise, *curve_key_file, *instance; /* of the configuration */
    lanes_broken_fn *broken;
    void *arg;
    entry_t *entries[LANES_MAX];
    size_t count;
    uint64_t newest;
    pl_metric_t *stale;
};

lanes_t *lanes_new(pl_loop_t *loop, const pl_config_t *cfg, lanes_broken_fn *broken, void *arg)
{
    lanes_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->run_dir = pl_config_str(cfg, "bus.run_dir");
    self->advertise = pl_config_str(cfg, "bus.advertise");
    self->curve_key_file = pl_config_str(cfg, "bus.curve_key_file");
    self->instance = pl_config_instance(cfg);
    self->broken = broken;
    self->arg = arg;
    self->stale = pl_metric_counter("parley_lane_stale_frames_total", NULL,
                                    "Frames for no stream or a former generation");
    return self;
}

static void entry_destroy(entry_t *e)
{
    pl_lane_destroy(&e->lane);
    free(e->slots);
    free(e);
}

void lanes_destroy(lanes_t **self_p)
{
    lanes_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) entry_destroy(self->entries[i]);
    free(self);
}

static entry_t *entry_find(const lanes_t *self, uint64_t number)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->entries[i]->number == number) return self->entries[i];
    }
    return NULL;
}

static void entry_end(entry_t *e, const char *why)
{
    lanes_t *self = e->lanes;
    self->broken(self->arg, e->number, why);
    for (size_t i = 0; i < self->count; i++) {
        if (self->entries[i] != e) continue;
        self->entries[i] = self->entries[--self->count];
        break;
    }
    entry_destroy(e);
}

static void on_ready(void *arg)
{
    entry_t *e = arg;
    log_info("lane.ready", "lane=%" PRIu64, e->number);
}

static void on_frame(void *arg, const Pl__LaneFrame *frame)
{
    entry_t *e = arg;
    channel_t *channel = frame->slot < e->slot_count ? e->slots[frame->slot] : NULL;
    if (!channel || channel_generation(channel) != frame->generation) {
        pl_metric_add(e->lanes->stale, 1);
        return;
    }
    channel_frame(channel, frame);
}

static void on_broken(void *arg, const char *why)
{
    entry_end(arg, why);
}

static void listen_at(const lanes_t *self, uint64_t number, char out[ENDPOINT_BYTES])
{
    if (*self->advertise)
        (void)snprintf(out, ENDPOINT_BYTES, "tcp://0.0.0.0:*");
    else
        (void)snprintf(out, ENDPOINT_BYTES, "ipc://%s/%s-lane-%" PRIu64, self->run_dir,
                       self->instance, number);
}

/* Bound on every address, a lane is reached under the advertised one. */
static void reached_at(const lanes_t *self, const char *bound, char out[ENDPOINT_BYTES])
{
    const char *port = strrchr(bound, ':');
    if (*self->advertise && port)
        (void)snprintf(out, ENDPOINT_BYTES, "tcp://%s%s", self->advertise, port);
    else
        (void)snprintf(out, ENDPOINT_BYTES, "%s", bound);
}

pl_err_t lanes_open(lanes_t *self, Pl__LaneOpened *opened)
{
    if (self->count == LANES_MAX) return PL_BUSY;
    entry_t *e = calloc(1, sizeof *e);
    assert(e);
    e->lanes = self;
    e->number = ++self->newest;
    pl_err_t err = PL_INTERNAL;
    if (getrandom(e->token, sizeof e->token, 0) != (ssize_t)sizeof e->token) goto out;
    char endpoint[ENDPOINT_BYTES];
    listen_at(self, e->number, endpoint);
    pl_lane_sink_t sink = {on_ready, on_frame, on_broken, e};
    err = pl_lane_listen(&e->lane, self->loop, endpoint, self->curve_key_file, e->token, &sink);
    if (err) goto out;
    reached_at(self, pl_lane_endpoint(e->lane), e->endpoint);
    self->entries[self->count++] = e;
    opened->endpoint = e->endpoint;
    opened->lane = e->number;
    opened->token.data = e->token;
    opened->token.len = sizeof e->token;
    return PL_OK;
out:
    entry_destroy(e);
    return err;
}

pl_lane_t *lanes_find(const lanes_t *self, uint64_t number)
{
    const entry_t *e = entry_find(self, number);
    return e ? e->lane : NULL;
}

pl_err_t lanes_put(lanes_t *self, uint64_t number, uint32_t slot, channel_t *channel)
{
    entry_t *e = entry_find(self, number);
    if (!e || slot >= LANES_SLOTS_MAX) return PL_INVALID;
    if (slot >= e->slot_count) {
        size_t count = (size_t)slot + 1;
        channel_t **grown = realloc(e->slots, count * sizeof(channel_t *));
        assert(grown);
        memset(grown + e->slot_count, 0, (count - e->slot_count) * sizeof(channel_t *));
        e->slots = grown;
        e->slot_count = count;
    }
    if (channel && e->slots[slot]) return PL_BUSY;
    e->slots[slot] = channel;
    return PL_OK;
}

channel_t *lanes_at(const lanes_t *self, uint64_t number, uint32_t slot)
{
    const entry_t *e = entry_find(self, number);
    return e && slot < e->slot_count ? e->slots[slot] : NULL;
}
