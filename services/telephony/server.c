#include "services/telephony/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/features.h"
#include "common/log.h"
#include "services/telephony/bus_side.h"
#include "services/telephony/leg_actor.h"
#include "services/telephony/owner.h"
#include "services/telephony/sounds.h"
#include "services/telephony/switchboard.h"
#include "services/telephony/wire_side.h"

enum { TICK_MS = 100, GOODBYE_MS = 300, DESCRIPTORS_PER_LEG = 5, DESCRIPTORS_BASE = 1024 };

struct server {
    switchboard_t board;
    pl_timer_t *tick, *drain, *goodbye;
    pl_features_t *features;
    bool stopping;
};

/* ---- end ---- */

static void stop_now(void *arg)
{
    server_t *self = arg;
    pl_loop_stop(self->board.loop);
}

/* Ends the legs that are left; the loop stops when their ends are told, or soon after. */
static void end_legs(void *arg)
{
    server_t *self = arg;
    for (leg_entry_t *entry = self->board.all; entry;) {
        leg_entry_t *next = entry->all_next;
        leg_actor_event(&self->board, entry, &(leg_event_t){.kind = LEG_ON_SHUTDOWN});
        entry = next;
    }
    self->goodbye = pl_timer_start(self->board.loop, GOODBYE_MS, 0, stop_now, self);
}

static void on_terminate(void *arg, unsigned count)
{
    server_t *self = arg;
    if (count > 1 || self->board.legs == 0) {
        pl_loop_stop(self->board.loop);
        return;
    }
    int64_t drain_ms = pl_config_int(self->board.cfg, "telephony.drain_timeout_ms");
    log_info("server.drain", "legs=%zu timeout_ms=%lld", self->board.legs, (long long)drain_ms);
    pl_bus_drain(self->board.bus);
    switchboard_drain(&self->board);
    self->board.on_empty = stop_now;
    self->board.on_empty_arg = self;
    self->drain = pl_timer_start(self->board.loop, (uint64_t)drain_ms, 0, end_legs, self);
}

static void on_tick(void *arg)
{
    server_t *self = arg;
    wire_side_tick(&self->board);
}

/* ---- start ---- */

/* Two sockets and a recording a leg, and what the bus and SIP's connections need. */
static void raise_descriptors(const switchboard_t *board)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t wanted = DESCRIPTORS_BASE + DESCRIPTORS_PER_LEG * (rlim_t)board->max_legs;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        log_warn("server.descriptors", "wanted=%llu", (unsigned long long)wanted);
    }
}

static pl_err_t open_sms(switchboard_t *board)
{
    const char *name = pl_config_str(board->cfg, "telephony.sms.provider");
    const sms_provider_t *provider = sms_provider_find(name);
    if (!provider) {
        fprintf(
            stderr,
            "parley-telephony: telephony.sms.provider: \"%s\" is not one of: record, twilio, acs\n",
            name);
        return PL_INVALID;
    }
    return sms_desk_new(&board->sms, provider, board->loop, board->cfg);
}

static pl_err_t open_parts(server_t *self)
{
    switchboard_t *board = &self->board;
    static const char *const peers[] = {"dialogue", "speech", NULL};
    pl_err_t err = pl_bus_new(&board->bus, board->loop, board->cfg, peers);
    if (err) return err;
    recorder_opts_t recorder_opts = {
        .folder = pl_config_str(board->cfg, "telephony.recording.folder"),
        .retention_days = (uint32_t)pl_config_int(board->cfg, "telephony.recording.retention_days"),
        .free_mb = (uint32_t)pl_config_int(board->cfg, "telephony.recording.free_mb"),
    };
    board->recorder = recorder_new(&recorder_opts);
    media_sink_t media_sink = wire_side_media_sink(board);
    err = media_new(&board->media, board->loop, board->cfg, &media_sink);
    if (err) return err;
    stream_sink_t stream_sink = wire_side_stream_sink(board);
    board->streams =
        streams_new(board->loop, board->bus, board->media, board->max_legs, &stream_sink);
    browser_sink_t browser_sink = wire_side_browser_sink(board);
    err = browser_new(&board->browser, board->loop, board->cfg, &browser_sink);
    if (err) return err;
    err = sip_agent_new(&board->sip, board->loop, board->cfg, wire_side_on_sip, board);
    if (err) return err;
    bus_side_init(board);
    pl_bus_load(board->bus, 0, (uint32_t)board->max_legs);
    sip_agent_accepting(board->sip, true);
    return PL_OK;
}

static pl_err_t load_apology(prompt_t *out, const pl_config_t *cfg)
{
    static const char key[] = "telephony.prompts.owner_lost";
    const char *path = pl_config_str(cfg, key);
    if (path[0] != '\0') return prompt_load(out, key, path);
    size_t bytes = 0;
    const uint8_t *wav = sounds_owner_lost(&bytes);
    return prompt_parse(out, wav, bytes);
}

static pl_err_t load_holds(prompt_t out[SOUNDS_HOLDS])
{
    pl_err_t err = PL_OK;
    for (size_t i = 0; !err && i < SOUNDS_HOLDS; i++) {
        size_t bytes = 0;
        const uint8_t *wav = sounds_hold(i, &bytes);
        err = prompt_parse(&out[i], wav, bytes);
    }
    return err;
}

static void take_features(void *arg)
{
    server_t *self = arg;
    self->board.record = pl_features_bool(self->features, PL_FEATURE_recording_enabled);
    media_vad_threshold(self->board.media,
                        pl_features_double(self->features, PL_FEATURE_vad_threshold));
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    server_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->board.loop = pl_loop_new();
    pl_err_t err = load_apology(&self->board.apology, cfg);
    if (!err) err = load_holds(self->board.hold);
    switchboard_init(&self->board, self->board.loop, cfg);
    raise_descriptors(&self->board);
    if (!err) err = open_sms(&self->board);
    if (!err) err = open_parts(self);
    if (err) {
        server_destroy(&self);
        return err;
    }
    self->features = pl_features_new(self->board.loop, cfg, take_features, self);
    take_features(self);
    self->tick = pl_timer_start(self->board.loop, TICK_MS, TICK_MS, on_tick, self);
    pl_loop_on_terminate(self->board.loop, on_terminate, self);
    *out = self;
    return PL_OK;
}

void server_run(server_t *self)
{
    log_info("server.ready", "sip=%s browser=%s max_legs=%zu",
             pl_config_str(self->board.cfg, "telephony.sip.listen"),
             pl_config_str(self->board.cfg, "telephony.browser.listen"), self->board.max_legs);
    pl_loop_run(self->board.loop);
    log_info("server.stopped", "legs=%zu", self->board.legs);
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    switchboard_t *board = &self->board;
    pl_timer_stop(&self->tick);
    pl_timer_stop(&self->drain);
    pl_timer_stop(&self->goodbye);
    pl_features_destroy(&self->features);
    board->draining = true;
    sip_agent_destroy(&board->sip);
    media_destroy(&board->media);
    recorder_destroy(&board->recorder);
    streams_destroy(&board->streams);
    switchboard_free(board);
    owner_ends_free(board);
    sms_desk_destroy(&board->sms); /* what it was about to answer is refused by the bus */
    pl_bus_destroy(&board->bus);
    browser_destroy(&board->browser); /* last: no other thread opens descriptors any more */
    pl_loop_destroy(&board->loop);
    free(self);
}
