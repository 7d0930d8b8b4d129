#include "services/telephony/media_thread.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/worker.h"
#include "services/telephony/media_clock.h"

enum { LEG_BUCKETS = 1024, LANES = 64, TICK_NS = 20000000 };

struct media_thread {
    uint32_t number;
    media_thread_opts_t opts;
    pl_worker_t *worker;
    pl_loop_t *loop;

    int timer_fd;
    pl_watch_t *timer;
    media_clock_t clock;

    leg_audio_t *legs[LEG_BUCKETS]; /* by id, chained by leg_audio_next_on_thread */
    size_t leg_count;
    speech_lane_t *lanes[LANES];
    size_t lane_count;

    pl_metric_t *metric_legs, *metric_skipped, *metric_busy_us;
};

/* ---- the clock --------------------------------------------------------------------------------- */

static void tick(media_thread_t *self, uint32_t skipped)
{
    uint64_t now_us = pl_clock_us();
    for (size_t i = 0; i < LEG_BUCKETS && self->leg_count > 0; i++) {
        for (leg_audio_t *leg = self->legs[i]; leg; leg = *leg_audio_next_on_thread(leg)) {
            leg_audio_tick(leg, now_us, skipped);
        }
    }
    pl_metric_add(self->metric_busy_us, (double)(pl_clock_us() - now_us));
}

static void on_timer(void *arg)
{
    media_thread_t *self = arg;
    uint64_t passed = 0;
    if (read(self->timer_fd, &passed, sizeof passed) != (ssize_t)sizeof passed) return;
    media_due_t due = media_clock_due(&self->clock, passed);
    if (due.skipped > 0) {
        pl_metric_add(self->metric_skipped, due.skipped);
        log_warn("media.late", "thread=%u skipped_ms=%u", self->number, due.skipped * PL_FRAME_MS);
    }
    for (uint32_t i = 0; i < due.run; i++) tick(self, i == 0 ? due.skipped : 0);
}

static void begin(void *arg)
{
    media_thread_t *self = arg;
    self->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec when = {.it_interval = {.tv_nsec = TICK_NS}};
    clock_gettime(CLOCK_MONOTONIC, &when.it_value);
    int rc =
        self->timer_fd < 0 ? -1 : timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    if (rc != 0) {
        log_error("media.clock", "thread=%u detail=\"no timer\"", self->number);
        abort(); /* out of descriptors at the start: nothing can be said or heard */
    }
    self->timer = pl_watch_fd(self->loop, self->timer_fd, on_timer, self);
}

/* ---- life -------------------------------------------------------------------------------------- */

media_thread_t *media_thread_new(uint32_t number, const media_thread_opts_t *opts)
{
    media_thread_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->number = number;
    self->opts = *opts;
    self->timer_fd = -1;
    self->metric_legs = pl_metric_gauge("parley_media_legs", NULL, "Legs on media threads");
    self->metric_skipped = pl_metric_counter("parley_media_ticks_skipped_total", NULL,
                                             "20 ms ticks left out by late media threads");
    self->metric_busy_us = pl_metric_counter("parley_media_busy_us_total", NULL,
                                             "Time that media threads spent in ticks");
    char name[16];
    (void)snprintf(name, sizeof name, "media-%u", number);
    self->worker = pl_worker_new(name);
    self->loop = pl_worker_loop(self->worker);
    pl_loop_post(self->loop, begin, self);
    return self;
}

static void end(void *arg)
{
    media_thread_t *self = arg;
    pl_watch_stop(&self->timer);
    if (self->timer_fd >= 0) close(self->timer_fd);
    for (size_t i = 0; i < LEG_BUCKETS; i++) {
        while (self->legs[i]) media_thread_remove(self, leg_audio_id(self->legs[i]));
    }
    while (self->lane_count > 0) speech_lane_destroy(&self->lanes[--self->lane_count]);
}

void media_thread_destroy(media_thread_t **self_p)
{
    media_thread_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_loop_post(self->loop, end, self);
    pl_worker_destroy(&self->worker);
    free(self);
}

pl_loop_t *media_thread_loop(media_thread_t *self)
{
    return self->loop;
}

/* ---- legs -------------------------------------------------------------------------------------- */

static leg_audio_t **place_of(media_thread_t *self, media_leg_t id)
{
    leg_audio_t **place = &self->legs[(id >> 8) % LEG_BUCKETS];
    while (*place && leg_audio_id(*place) != id) place = leg_audio_next_on_thread(*place);
    return place;
}

leg_audio_t *media_thread_leg(media_thread_t *self, media_leg_t id)
{
    return *place_of(self, id);
}

void media_thread_add(media_thread_t *self, media_leg_t id, double vad_threshold, rtp_leg_t **rtp_p)
{
    leg_audio_opts_t opts = {.loop = self->loop,
                             .link = self->opts.link,
                             .credit_ms = self->opts.credit_ms,
                             .vad_threshold = vad_threshold,
                             .clean_sip = self->opts.clean_sip,
                             .clean_browser = self->opts.clean_browser,
                             .comfort_db = self->opts.comfort_db,
                             .speechless_ticks = self->opts.speechless_ticks};
    leg_audio_t *leg = leg_audio_new(id, &opts, rtp_p);
    leg_audio_t **place = place_of(self, id);
    assert(!*place); /* handles are never reused */
    *place = leg;
    self->leg_count++;
    pl_metric_add(self->metric_legs, 1);
}

void media_thread_remove(media_thread_t *self, media_leg_t id)
{
    leg_audio_t **place = place_of(self, id);
    leg_audio_t *leg = *place;
    if (!leg) return;
    *place = *leg_audio_next_on_thread(leg);
    self->leg_count--;
    pl_metric_add(self->metric_legs, -1);
    leg_audio_destroy(&leg);
}

/* ---- lanes ------------------------------------------------------------------------------------- */

static size_t lane_index(const media_thread_t *self, uint64_t id)
{
    size_t i = 0;
    while (i < self->lane_count && speech_lane_id(self->lanes[i]) != id) i++;
    return i;
}

static void on_lane_ready(void *arg, uint64_t id)
{
    media_thread_t *self = arg;
    media_link_lane_ready(self->opts.link, id);
}

static void on_lane_broken(void *arg, uint64_t id, const char *why)
{
    media_thread_t *self = arg;
    media_link_lane_broken(self->opts.link, id, why);
    size_t i = lane_index(self, id);
    if (i == self->lane_count) return; /* told while it was being made */
    speech_lane_destroy(&self->lanes[i]);
    self->lanes[i] = self->lanes[--self->lane_count];
}

void media_thread_connect(media_thread_t *self, uint64_t lane, const char *endpoint,
                          const uint8_t token[PL_LANE_TOKEN_BYTES])
{
    if (self->lane_count == LANES || lane_index(self, lane) < self->lane_count) {
        media_link_lane_broken(self->opts.link, lane, "no room for another lane");
        return;
    }
    speech_lane_sink_t sink = {on_lane_ready, on_lane_broken, self};
    pl_err_t err = speech_lane_connect(&self->lanes[self->lane_count], self->loop, lane, endpoint,
                                       self->opts.curve_key_file, token, &sink);
    if (err)
        media_link_lane_broken(self->opts.link, lane, pl_err_text(err));
    else
        self->lane_count++;
}

void media_thread_stream(media_thread_t *self, media_leg_t id, uint64_t lane, uint32_t slot,
                         uint32_t generation)
{
    leg_audio_t *leg = media_thread_leg(self, id);
    size_t i = lane_index(self, lane);
    if (!leg || i == self->lane_count) return;
    leg_audio_on_lane(leg, self->lanes[i], slot, generation);
}
