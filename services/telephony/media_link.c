#include "services/telephony/media_link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_BYTES = 128 };

struct media_link {
    pl_loop_t *control;
    media_sink_t sink;
    bool closed;      /* control thread only */
    atomic_uint uses; /* the owner's and one for each event under way */
};

typedef enum {
    EVENT_DTMF,
    EVENT_LOST,
    EVENT_SPEECHLESS,
    EVENT_PROMPT_DONE,
    EVENT_BROWSER_AUDIO,
    EVENT_BROWSER_FLUSH,
    EVENT_RECORDED,
    EVENT_CLOSED,
    EVENT_LANE_READY,
    EVENT_LANE_BROKEN
} event_kind_t;

typedef struct {
    media_link_t *link;
    event_kind_t kind;
    uint64_t id; /* leg or lane */
    union {
        struct {
            char digit;
            uint32_t ms;
        } key;
        media_stats_t stats;
        recording_stats_t recording;
        char why[WHY_BYTES];
        uint8_t pcm[PL_FRAME_BYTES];
    } u;
} event_t;

media_link_t *media_link_new(pl_loop_t *control, const media_sink_t *sink)
{
    media_link_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->control = control;
    self->sink = *sink;
    atomic_init(&self->uses, 1);
    return self;
}

static void release(media_link_t *self)
{
    if (atomic_fetch_sub(&self->uses, 1) == 1) free(self);
}

void media_link_close(media_link_t **self_p)
{
    media_link_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->closed = true;
    release(self);
}

static void deliver(const media_sink_t *sink, const event_t *e)
{
    switch (e->kind) {
    case EVENT_DTMF:
        sink->dtmf(sink->arg, e->id, e->u.key.digit, e->u.key.ms);
        break;
    case EVENT_LOST:
        sink->lost(sink->arg, e->id);
        break;
    case EVENT_SPEECHLESS:
        if (sink->speechless) sink->speechless(sink->arg, e->id);
        break;
    case EVENT_PROMPT_DONE:
        if (sink->prompt_done) sink->prompt_done(sink->arg, e->id);
        break;
    case EVENT_BROWSER_AUDIO:
        sink->browser_audio(sink->arg, e->id, e->u.pcm);
        break;
    case EVENT_BROWSER_FLUSH:
        sink->browser_flush(sink->arg, e->id);
        break;
    case EVENT_RECORDED:
        if (sink->recorded) sink->recorded(sink->arg, e->id, &e->u.recording);
        break;
    case EVENT_CLOSED:
        sink->closed(sink->arg, e->id, &e->u.stats);
        break;
    case EVENT_LANE_READY:
        sink->lane_ready(sink->arg, e->id);
        break;
    case EVENT_LANE_BROKEN:
        sink->lane_broken(sink->arg, e->id, e->u.why);
        break;
    }
}

static void on_control(void *arg)
{
    event_t *e = arg;
    media_link_t *self = e->link;
    if (!self->closed) deliver(&self->sink, e);
    free(e);
    release(self);
}

static event_t *event_new(event_kind_t kind, uint64_t id)
{
    event_t *e = malloc(sizeof *e);
    if (!e) abort();
    e->kind = kind;
    e->id = id;
    return e;
}

static void post(media_link_t *self, event_t *e)
{
    atomic_fetch_add(&self->uses, 1);
    e->link = self;
    pl_loop_post(self->control, on_control, e);
}

void media_link_dtmf(media_link_t *self, media_leg_t leg, char digit, uint32_t duration_ms)
{
    event_t *e = event_new(EVENT_DTMF, leg);
    e->u.key.digit = digit;
    e->u.key.ms = duration_ms;
    post(self, e);
}

void media_link_lost(media_link_t *self, media_leg_t leg)
{
    post(self, event_new(EVENT_LOST, leg));
}

void media_link_speechless(media_link_t *self, media_leg_t leg)
{
    post(self, event_new(EVENT_SPEECHLESS, leg));
}

void media_link_prompt_done(media_link_t *self, media_leg_t leg)
{
    post(self, event_new(EVENT_PROMPT_DONE, leg));
}

void media_link_browser_audio(media_link_t *self, media_leg_t leg,
                              const uint8_t pcm[PL_FRAME_BYTES])
{
    event_t *e = event_new(EVENT_BROWSER_AUDIO, leg);
    memcpy(e->u.pcm, pcm, PL_FRAME_BYTES);
    post(self, e);
}

void media_link_browser_flush(media_link_t *self, media_leg_t leg)
{
    post(self, event_new(EVENT_BROWSER_FLUSH, leg));
}

void media_link_recorded(media_link_t *self, media_leg_t leg, const recording_stats_t *stats)
{
    event_t *e = event_new(EVENT_RECORDED, leg);
    e->u.recording = *stats;
    post(self, e);
}

void media_link_closed(media_link_t *self, media_leg_t leg, const media_stats_t *stats)
{
    event_t *e = event_new(EVENT_CLOSED, leg);
    e->u.stats = *stats;
    post(self, e);
}

void media_link_lane_ready(media_link_t *self, uint64_t lane)
{
    post(self, event_new(EVENT_LANE_READY, lane));
}

void media_link_lane_broken(media_link_t *self, uint64_t lane, const char *why)
{
    event_t *e = event_new(EVENT_LANE_BROKEN, lane);
    (void)snprintf(e->u.why, sizeof e->u.why, "%s", why);
    post(self, e);
}
