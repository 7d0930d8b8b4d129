#include "services/speech/server.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/features.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "services/speech/channel.h"
#include "services/speech/lanes.h"
#include "services/speech/spoken.h"

enum {
    TICK_MS = 100,
    RETRY_BUSY_MS = 2000,
    DRAIN_MAX_MS = 5000, /* telephony moves its streams to another instance meanwhile */
    CALL_ID_BYTES_MAX = 64,
};

typedef struct {
    pl_metric_t *streams, *opened, *refused;
} metrics_t;

struct server {
    pl_loop_t *loop;
    channel_world_t world;
    lanes_t *lanes;
    pl_features_t *features;
    channel_t **channels;
    size_t count, max;
    metrics_t metrics;
    pl_timer_t *tick;
    uint64_t drain_until_ms; /* 0: not draining */
    bool deaf;               /* the recogniser has failed */
};

/* ---- channels ---- */

static channel_t *find(const server_t *self, const char *call_id)
{
    for (size_t i = 0; i < self->count; i++) {
        if (channel_is_of(self->channels[i], call_id)) return self->channels[i];
    }
    return NULL;
}

static void set_load(server_t *self)
{
    pl_metric_set(self->metrics.streams, (double)self->count);
    if (self->world.bus) pl_bus_load(self->world.bus, (uint32_t)self->count, (uint32_t)self->max);
}

static void end_channel(server_t *self, channel_t *channel, const char *why)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->channels[i] != channel) continue;
        self->channels[i] = self->channels[--self->count];
        break;
    }
    log_info("stream.closed", "call=%s why=\"%s\"", channel_call(channel), why);
    (void)lanes_put(self->lanes, channel_lane(channel), channel_slot(channel), NULL);
    channel_destroy(&channel);
    set_load(self);
}

static void on_lane_broken(void *arg, uint64_t lane, const char *why)
{
    server_t *self = arg;
    for (size_t i = 0; i < self->count;) {
        channel_t *channel = self->channels[i];
        if (channel_lane(channel) != lane) {
            i++;
            continue;
        }
        channel_lost(channel, why);
        end_channel(self, channel, "lane broken");
    }
}

static void on_tick(void *arg)
{
    server_t *self = arg;
    for (size_t i = 0; i < self->count; i++) channel_tick(self->channels[i]);
    if (self->drain_until_ms == 0) return;
    if (self->count == 0 || pl_clock_ms() >= self->drain_until_ms) pl_loop_stop(self->loop);
}

/* ---- requests of telephony ---- */

static void on_lane_open(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    if (!request) return;
    Pl__LaneOpened opened = PL__LANE_OPENED__INIT;
    pl_err_t err = lanes_open(self->lanes, &opened);
    if (err) {
        pl_request_refuse(&request, err, RETRY_BUSY_MS, "no lane can be opened");
        return;
    }
    log_info("lane.opened", "lane=%" PRIu64 " for=%s thread=%" PRIu32, opened.lane, env->sender,
             env->lane_open->thread);
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_LANE_OPENED;
    reply.lane_opened = &opened;
    pl_request_reply(&request, &reply);
}

/* Why a stream cannot be opened; PL_OK when it can. A former one of the call gives way. */
static pl_err_t check_open(server_t *self, const Pl__Envelope *env, const char **why)
{
    const Pl__StreamOpen *open = env->stream_open;
    size_t id_bytes = strlen(env->call_id);
    *why = "call_id is missing or too long";
    if (id_bytes == 0 || id_bytes > CALL_ID_BYTES_MAX) return PL_INVALID;
    *why = "lane is not known here";
    if (!lanes_find(self->lanes, open->lane)) return PL_NOT_FOUND;
    *why = "slot is out of range";
    if (open->slot >= LANES_SLOTS_MAX) return PL_INVALID;
    channel_t *former = find(self, env->call_id);
    *why = "a newer owner has the call";
    if (former && !channel_fence(former, env->epoch, NULL)) return PL_STALE;
    channel_t *there = lanes_at(self->lanes, open->lane, open->slot);
    *why = "slot is taken by another call";
    if (there && there != former) return PL_BUSY;
    if (former) end_channel(self, former, "replaced");
    *why = "all streams are taken (speech.max_streams)";
    if (self->count >= self->max) return PL_BUSY;
    *why = "draining";
    return self->drain_until_ms ? PL_BUSY : PL_OK;
}

static bool same_stream(const channel_t *channel, const Pl__StreamOpen *open)
{
    return channel_lane(channel) == open->lane && channel_slot(channel) == open->slot &&
           channel_generation(channel) == open->generation;
}

static void on_stream_open(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    const Pl__StreamOpen *open = env->stream_open;
    if (!request) return;
    channel_t *channel = find(self, env->call_id);
    if (channel && same_stream(channel, open)) { /* asked twice */
        pl_request_done(&request);
        return;
    }
    const char *why = NULL;
    pl_err_t err = check_open(self, env, &why);
    channel_opts_t opts = {env->call_id, open->owner, open->lang, open->voice,     env->epoch,
                           open->lane,   NULL,        open->slot, open->generation};
    opts.lane = lanes_find(self->lanes, open->lane);
    if (err) {
        pl_metric_add(self->metrics.refused, 1);
        log_warn("stream.refused", "call=%s err=%s why=\"%s\"", env->call_id, pl_err_name(err),
                 why);
        pl_request_refuse(&request, err, pl_err_retry(err) ? RETRY_BUSY_MS : 0, "%s", why);
        return;
    }
    channel = channel_new(&self->world, &opts);
    err = lanes_put(self->lanes, open->lane, open->slot, channel);
    assert(err == PL_OK); /* it was looked at in check_open */
    self->channels[self->count++] = channel;
    pl_metric_add(self->metrics.opened, 1);
    set_load(self);
    log_info("stream.opened", "call=%s lane=%" PRIu64 " slot=%" PRIu32 " owner=%s lang=%s",
             env->call_id, open->lane, open->slot, open->owner, open->lang);
    pl_request_done(&request);
}

static void on_stream_close(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    channel_t *channel = find(self, env->call_id);
    if (channel) {
        channel_end(channel);
        end_channel(self, channel, "asked to");
    }
    if (request) pl_request_done(&request);
}

/* The conversation goes on as another call. Orders that were sent under the former id are still on
 * their way: both name the stream from now on. */
static void on_stream_move(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    const char *call_id = env->stream_move->call_id;
    size_t bytes = strlen(call_id);
    if (!request) return;
    channel_t *channel = find(self, env->call_id);
    if (!channel || bytes == 0 || bytes > CALL_ID_BYTES_MAX) {
        pl_request_refuse(&request, channel ? PL_INVALID : PL_NOT_FOUND, 0,
                          channel ? "call_id is missing or too long" : "no stream of that call");
        return;
    }
    if (!channel_fence(channel, env->epoch, NULL)) {
        pl_request_refuse(&request, PL_STALE, 0, "a newer owner has the call");
        return;
    }
    channel_t *there = find(self, call_id);
    if (there && there != channel) end_channel(self, there, "replaced");
    if (strcmp(channel_call(channel), call_id) != 0) {
        log_info("stream.moved", "call=%s former=%s", call_id, channel_call(channel));
        channel_move(channel, call_id);
    }
    pl_request_done(&request);
}

/* ---- orders of the owner ---- */

/* The call's channel, unless there is none or a former owner speaks; says so if asked. */
static channel_t *ordered(server_t *self, const Pl__Envelope *env, pl_request_t **request_p)
{
    channel_t *channel = find(self, env->call_id);
    bool stale = channel && !channel_fence(channel, env->epoch, env->sender);
    if (channel && !stale) return channel;
    log_debug("order.ignored", "call=%s from=%s stale=%d", env->call_id, env->sender, stale);
    if (*request_p)
        pl_request_refuse(request_p, stale ? PL_STALE : PL_NOT_FOUND, 0,
                          stale ? "a newer owner has the call" : "no stream of that call");
    return NULL;
}

static void on_listen(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    channel_t *channel = ordered(arg, env, &request);
    if (channel) channel_listen(channel, env->listen);
    if (request) pl_request_done(&request);
}

static void on_say(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    channel_t *channel = ordered(arg, env, &request);
    if (channel) channel_say(channel, env->say);
    if (request) pl_request_done(&request);
}

static void on_say_stop(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    channel_t *channel = ordered(arg, env, &request);
    if (channel) channel_say_stop(channel, env->say_stop->turn);
    if (request) pl_request_done(&request);
}

static void on_phrases_warm(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    const Pl__PhrasesWarm *warm = env->phrases_warm;
    log_info("phrases.warm", "from=%s count=%zu", env->sender, warm->n_phrases);
    for (size_t i = 0; i < warm->n_phrases; i++) {
        const Pl__Phrase *phrase = warm->phrases[i];
        char *text = spoken_text(phrase->text, phrase->lang, NULL);
        double rate = phrase->rate > 0 ? phrase->rate : 1.0;
        tts_say_t say = {text, phrase->lang, phrase->voice, rate, PL__STYLE__NONE};
        synthesis_warm(self->world.synthesis, &say);
        free(text);
    }
    if (request) pl_request_done(&request);
}

/* ---- life ---- */

/* The calls go on in telephony, which opens streams on another instance; what is being said is
 * finished if it is short. */
static void on_terminate(void *arg, unsigned count)
{
    server_t *self = arg;
    if (count > 1 || self->count == 0) {
        pl_loop_stop(self->loop);
        return;
    }
    log_info("server.drain", "streams=%zu", self->count);
    pl_bus_drain(self->world.bus);
    self->drain_until_ms = pl_clock_ms() + DRAIN_MAX_MS;
}

static void metrics_new(metrics_t *m)
{
    m->streams = pl_metric_gauge("parley_speech_streams", NULL, "Calls listened to now");
    m->opened = pl_metric_counter("parley_speech_streams_opened_total", NULL, "Streams opened");
    m->refused = pl_metric_counter("parley_speech_streams_refused_total", NULL, "Streams refused");
}

/* Nobody could be understood: end, and let whoever watches over us tell. */
static void on_deaf(void *arg)
{
    server_t *self = arg;
    log_error("server.deaf", "detail=\"no recogniser is left\"");
    self->deaf = true;
    pl_loop_stop(self->loop);
}

static pl_err_t open_engines(server_t *self, const pl_config_t *cfg)
{
    pl_err_t err = synthesis_new(&self->world.synthesis, self->loop, cfg);
    if (err) return err;
    return recognisers_new(&self->world.recognisers, self->loop, cfg, on_deaf, self);
}

static void take_messages(server_t *self)
{
    pl_bus_t *bus = self->world.bus;
    pl_bus_on(bus, PL__ENVELOPE__BODY_LANE_OPEN, on_lane_open, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_STREAM_OPEN, on_stream_open, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_STREAM_CLOSE, on_stream_close, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_STREAM_MOVE, on_stream_move, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_LISTEN, on_listen, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_SAY, on_say, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_SAY_STOP, on_say_stop, self);
    pl_bus_on(bus, PL__ENVELOPE__BODY_PHRASES_WARM, on_phrases_warm, self);
}

/* For streams to come; Listen tells live ones what changes for them. */
static void take_features(void *arg)
{
    server_t *self = arg;
    const pl_features_t *features = self->features;
    self->world.hearing.listening.silence_ms =
        (uint32_t)pl_features_int(features, PL_FEATURE_vad_silence_timeout_ms);
    self->world.hearing.final_ms =
        (uint32_t)pl_features_int(features, PL_FEATURE_recognition_stt_complete_timeout_ms);
    self->world.cutoff_ms = (uint32_t)pl_features_int(features, PL_FEATURE_vad_cutoff_timeout_ms);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    static const char *const peers[] = {"dialogue", NULL};
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = pl_loop_new();
    metrics_new(&self->metrics);
    pl_loop_on_terminate(self->loop, on_terminate, self);
    self->max = (size_t)pl_config_int(cfg, "speech.max_streams");
    self->channels = calloc(self->max, sizeof(channel_t *));
    assert(self->channels);
    self->features = pl_features_new(self->loop, cfg, take_features, self);
    take_features(self);
    self->lanes = lanes_new(self->loop, cfg, on_lane_broken, self);
    pl_err_t err = open_engines(self, cfg);
    if (err) goto out;
    err = pl_bus_new(&self->world.bus, self->loop, cfg, peers);
    if (err) goto out;
    take_messages(self);
    set_load(self);
    self->tick = pl_timer_start(self->loop, TICK_MS, TICK_MS, on_tick, self);
    *out = self;
    return PL_OK;
out:
    server_destroy(&self);
    return err;
}

pl_err_t server_run(server_t *self)
{
    log_info("server.ready", "stt=%s recognisers=%zu max_streams=%zu",
             recognisers_at(self->world.recognisers, 0)->provider->name,
             recognisers_count(self->world.recognisers), self->max);
    pl_loop_run(self->loop);
    return self->deaf ? PL_UNAVAILABLE : PL_OK;
}

void server_stop(server_t *self)
{
    pl_loop_stop(self->loop);
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->tick);
    for (size_t i = 0; i < self->count; i++) {
        channel_lost(self->channels[i], "speech is ending");
        channel_destroy(&self->channels[i]);
    }
    recognisers_destroy(&self->world.recognisers);
    synthesis_destroy(&self->world.synthesis);
    lanes_destroy(&self->lanes);
    pl_features_destroy(&self->features);
    pl_bus_destroy(&self->world.bus);
    pl_loop_destroy(&self->loop); /* runs the last reports of the engines' threads */
    free(self->channels);
    free(self);
}
