#include "services/dialogue/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/features.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/zone.h"
#include "services/dialogue/adopting.h"
#include "services/dialogue/ahead.h"
#include "services/dialogue/arrivals.h"
#include "services/dialogue/calls.h"
#include "services/dialogue/config.h"
#include "services/dialogue/initiate.h"
#include "services/dialogue/recovery.h"
#include "services/dialogue/warm.h"
#include "services/dialogue/webhook.h"
#include "services/dialogue/work/office.h"

enum {
    KEEP_ALIVE_MS = 300, /* three missed are a lost owner, for telephony */
    HOUR_MS = 3600000,
    RELEASE_MS = 250,
    HAND_OVER_MS = 1000, /* for others to take calls over, before they get a goodbye */
    STOPPED_MS = 8000,   /* from the goodbye to the end of the process, at most */
    FLUSH_MS = 1000,
    PEERS_MAX = 64,
    TELEPHONY_GONE_MS = 15000,
    LAST_WORK_MS = 300,  /* for the work that the last call has left */
    HAND_BACK_MS = 3000, /* for giving back what cannot be finished */
};

struct server {
    const pl_config_t *cfg;
    pl_loop_t *loop;
    pl_bus_t *bus;
    desk_t desk;
    pl_features_t *features;
    prompts_t *prompts;
    Pl__Initiate *defaults;
    contacts_t *contacts;
    llm_t *llm; /* NULL: there is no model */
    instructions_t *instructions;
    remote_tools_t *remote_tools;
    translate_t *translate; /* NULL: nothing is translated */
    calls_t *calls;
    arrivals_t *arrivals;
    adopting_t *adopting;
    recovery_t *recovery;
    ahead_t *ahead;
    office_t *office;
    pl_timer_t *keep_alive, *drain, *handing;
    size_t max_calls;
    bool draining, ending;
    struct {
        char instance[64];
        uint64_t started, down_ms;
    } telephony[PEERS_MAX]; /* to see that an instance was restarted */
    size_t telephony_count;
    pl_metric_t *live;
};

static actor_t *find_call(void *arg, const char *call_id)
{
    const server_t *self = arg;
    return calls_find(self->calls, call_id);
}

static bool is_live(void *arg, const char *call_id)
{
    return find_call(arg, call_id) != NULL;
}

static void alias_call(void *arg, actor_t *actor, const char *call_id)
{
    server_t *self = arg;
    calls_alias(self->calls, actor, call_id);
}

static void tell_load(void *arg)
{
    server_t *self = arg;
    pl_metric_set(self->live, (double)calls_count(self->calls));
    pl_bus_load(self->bus, (uint32_t)calls_count(self->calls), (uint32_t)self->max_calls);
}

static void stop_now(void *arg)
{
    server_t *self = arg;
    pl_loop_stop(self->loop);
}

static void close_office(void *arg)
{
    server_t *self = arg;
    pl_timer_stop(&self->drain);
    self->drain = pl_timer_start(self->loop, HAND_BACK_MS, 0, stop_now, self);
    office_drain(self->office);
}

static void call_over(void *arg, actor_t *actor)
{
    server_t *self = arg;
    ahead_drop(self->ahead, call_id(actor_call(actor)));
    calls_remove(self->calls, actor);
    tell_load(self);
    office_wake(self->office);
    if (!self->draining || calls_count(self->calls) > 0) return;
    pl_timer_stop(&self->drain);
    self->drain = pl_timer_start(self->loop, LAST_WORK_MS, 0, close_office, self);
}

/* ---- events ---- */

static pl_err_t handle(server_t *self, actor_t *actor, const Pl__Envelope *env)
{
    pl_peer_t peer;
    bool answered = env->body_case == PL__ENVELOPE__BODY_LEG_ANSWERED;
    const char *speech = answered ? env->leg_answered->speech : "";
    if (!speech[0] || pl_bus_pick(self->bus, speech, &peer)) return actor_handle(actor, env);
    Pl__LegAnswered body = *env->leg_answered;
    Pl__Envelope without = *env;
    body.speech = (char *)"";
    without.leg_answered = &body;
    pl_err_t err = actor_handle(actor, &without);
    if (!err) ahead_keep(self->ahead, env);
    return err;
}

static void on_event(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    server_t *self = arg;
    actor_t *actor = calls_find(self->calls, env->call_id);
    pl_err_t err = actor ? handle(self, actor, env) : PL_NOT_FOUND;
    if (err) {
        log_debug("call.event_ignored", "call=%s body=%d err=%s", env->call_id, (int)env->body_case,
                  pl_err_name(err));
    }
    if (!request) return;
    if (err && err != PL_STALE) {
        pl_request_refuse(&request, err, 0, "%s", pl_err_text(err));
    } else {
        pl_request_done(&request);
    }
}

/* ---- peers ---- */

typedef struct {
    const char *instance;
    const char *detail;
} gone_t;

/* The leg died with its process. */
static void end_leg_of(void *arg, actor_t *actor)
{
    const gone_t *gone = arg;
    const call_t *call = actor_call(actor);
    if (strcmp(call_leg(call), gone->instance) != 0) return;
    Pl__LegEnded body = PL__LEG_ENDED__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.end = PL__LEG_END__LEG_MEDIA_LOST;
    body.detail = (char *)gone->detail;
    env.call_id = (char *)call_id(call);
    env.epoch = call_record(call)->epoch;
    env.sender = (char *)gone->instance;
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = &body;
    (void)actor_handle(actor, &env);
}

/* Its streams are gone; telephony opens others. Calls on other instances take no notice. */
static void lose_stream_of(void *arg, actor_t *actor)
{
    const gone_t *gone = arg;
    const call_t *call = actor_call(actor);
    Pl__StreamLost body = PL__STREAM_LOST__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    body.detail = (char *)gone->detail;
    env.call_id = (char *)call_id(call);
    env.epoch = call_record(call)->epoch;
    env.sender = (char *)gone->instance;
    env.body_case = PL__ENVELOPE__BODY_STREAM_LOST;
    env.stream_lost = &body;
    (void)actor_handle(actor, &env);
}

static void speech_is_up(server_t *self, const char *instance)
{
    Pl__Envelope *env = NULL;
    while ((env = ahead_take(self->ahead, instance))) {
        actor_t *actor = calls_find(self->calls, env->call_id);
        if (actor) (void)actor_handle(actor, env);
        pl__envelope__free_unpacked(env, NULL);
    }
}

static void on_telephony(server_t *self, const pl_peer_t *peer)
{
    size_t i = 0;
    while (i < self->telephony_count && strcmp(self->telephony[i].instance, peer->instance) != 0)
        i++;
    if (i == self->telephony_count) {
        if (i == PEERS_MAX || strlen(peer->instance) >= sizeof self->telephony[0].instance) return;
        snprintf(self->telephony[i].instance, sizeof self->telephony[i].instance, "%s",
                 peer->instance);
        self->telephony[i].started = peer->started;
        self->telephony_count++;
    }
    bool restarted = peer->up && self->telephony[i].started != peer->started;
    if (peer->up) {
        self->telephony[i].started = peer->started;
        self->telephony[i].down_ms = 0;
    } else if (!self->telephony[i].down_ms) {
        self->telephony[i].down_ms = pl_clock_ms();
    }
    if (!restarted) return;
    gone_t gone = {peer->instance, "telephony was restarted"};
    calls_each(self->calls, end_leg_of, &gone);
}

static void warm_speech(server_t *self, const pl_peer_t *peer)
{
    Pl__PhrasesWarm *phrases = warm_phrases(self->prompts, self->defaults);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_PHRASES_WARM;
    env.phrases_warm = phrases;
    pl_err_t err = pl_bus_event(self->bus, peer->instance, &env);
    if (err) log_warn("phrases.unsent", "to=%s err=%s", peer->instance, pl_err_name(err));
    pl__phrases_warm__free_unpacked(phrases, NULL);
}

static void on_peer(void *arg, const pl_peer_t *peer)
{
    server_t *self = arg;
    if (strcmp(peer->service, "persistence") == 0 && peer->up) {
        recovery_store_up(self->recovery);
        office_wake(self->office);
    }
    if (strcmp(peer->service, "telephony") == 0) on_telephony(self, peer);
    if (strcmp(peer->service, "speech") == 0 && peer->up) {
        speech_is_up(self, peer->instance);
    }
    if (strcmp(peer->service, "speech") == 0 && peer->up && !peer->draining) {
        warm_speech(self, peer);
    } else if (strcmp(peer->service, "speech") == 0 && !peer->up) {
        gone_t gone = {peer->instance, "speech is gone"};
        calls_each(self->calls, lose_stream_of, &gone);
    }
}

/* ---- time ---- */

static void keep_alive_call(void *arg, actor_t *actor)
{
    (void)arg;
    (void)actor_keep_alive(actor);
}

static void keep_alive(void *arg)
{
    server_t *self = arg;
    uint64_t now = pl_clock_ms();
    calls_each(self->calls, keep_alive_call, NULL);
    for (size_t i = 0; i < self->telephony_count; i++) {
        uint64_t down = self->telephony[i].down_ms;
        if (!down || now < down + TELEPHONY_GONE_MS) continue;
        gone_t gone = {self->telephony[i].instance, "telephony is gone"};
        calls_each(self->calls, end_leg_of, &gone);
    }
}

static void shut_down_call(void *arg, actor_t *actor)
{
    (void)arg;
    actor_shut_down(actor);
}

static void abort_call(void *arg, actor_t *actor)
{
    (void)arg;
    actor_abort(actor);
}

static void abort_all(void *arg)
{
    server_t *self = arg;
    calls_each(self->calls, abort_call, NULL);
    pl_timer_stop(&self->drain);
    self->drain = pl_timer_start(self->loop, FLUSH_MS, 0, stop_now, self);
}

static void end_all(void *arg)
{
    server_t *self = arg;
    log_info("server.ending_calls", "calls=%zu", calls_count(self->calls));
    calls_each(self->calls, shut_down_call, NULL);
    pl_timer_stop(&self->drain);
    self->drain = pl_timer_start(self->loop, STOPPED_MS, 0, abort_all, self);
}

/* Another instance takes the calls over, if there is one: each while nobody is speaking, or at the
 * latest where it stands. */
static void release_quietly(void *arg, actor_t *actor)
{
    (void)arg;
    actor_release(actor, true);
}

static void release_now(void *arg, actor_t *actor)
{
    (void)arg;
    actor_release(actor, false);
}

static void hand_over(void *arg)
{
    server_t *self = arg;
    calls_each(self->calls, release_quietly, NULL);
}

static void hand_over_all(void *arg)
{
    server_t *self = arg;
    pl_timer_stop(&self->handing);
    pl_timer_stop(&self->drain);
    calls_each(self->calls, release_now, NULL);
    self->drain = pl_timer_start(self->loop, HAND_OVER_MS, 0, end_all, self);
}

static void on_terminate(void *arg, unsigned count)
{
    server_t *self = arg;
    if (count > 1) {
        pl_loop_stop(self->loop);
        return;
    }
    log_info("server.draining", "calls=%zu", calls_count(self->calls));
    self->draining = true;
    arrivals_drain(self->arrivals);
    adopting_drain(self->adopting);
    pl_bus_drain(self->bus);
    if (calls_count(self->calls) == 0) {
        close_office(self);
        return;
    }
    uint64_t wait = (uint64_t)pl_config_int(self->cfg, "dialogue.drain_timeout_ms");
    self->drain = pl_timer_start(self->loop, wait, 0, hand_over_all, self);
    self->handing = pl_timer_start(self->loop, 0, RELEASE_MS, hand_over, self);
}

/* ---- making it ---- */

static void set_handlers(server_t *self)
{
    static const Pl__Envelope__BodyCase events[] = {
        PL__ENVELOPE__BODY_LEG_RINGING, PL__ENVELOPE__BODY_LEG_ANSWERED,
        PL__ENVELOPE__BODY_LEG_ENDED,   PL__ENVELOPE__BODY_LEG_TRANSFERRED,
        PL__ENVELOPE__BODY_LEG_DTMF,    PL__ENVELOPE__BODY_SPEECH_STARTED,
        PL__ENVELOPE__BODY_PARTIAL,     PL__ENVELOPE__BODY_UTTERANCE,
        PL__ENVELOPE__BODY_BARGE_IN,    PL__ENVELOPE__BODY_TURN_STARTED,
        PL__ENVELOPE__BODY_TURN_SPOKEN, PL__ENVELOPE__BODY_STREAM_LOST,
        PL__ENVELOPE__BODY_CALL_LOST,   PL__ENVELOPE__BODY_LEG_HELD,
    };
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_CALL_START, arrivals_on_start, self->arrivals);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_CALL_INCOMING, arrivals_on_incoming, self->arrivals);
    pl_bus_on(self->bus, PL__ENVELOPE__BODY_CALL_ORPHANED, adopting_on_orphan, self->adopting);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        pl_bus_on(self->bus, events[i], on_event, self);
    }
    pl_bus_on_peer(self->bus, on_peer, self);
}

static pl_err_t wrong_setting(const char *key, const char *value, const char *why)
{
    fprintf(stderr, "parley-dialogue: %s: \"%s\" %s\n", key, value, why);
    return PL_INVALID;
}

/* The defaults must make a valid call: an outbound one to some number. */
static pl_err_t check_defaults(const server_t *self)
{
    char reason[256];
    Pl__Initiate *out = NULL;
    Pl__Initiate asked = PL__INITIATE__INIT;
    asked.phone_number = (char *)"+33612345678";
    pl_err_t err = initiate_complete(&asked, self->defaults, false, &out, reason, sizeof reason);
    if (err) {
        fprintf(stderr, "parley-dialogue: conversation.initiate.%s\n", reason);
        return err;
    }
    pl__initiate__free_unpacked(out, NULL);
    return PL_OK;
}

static pl_err_t choose_translator(server_t *self)
{
    static const char key[] = "dialogue.translation.provider";
    const char *name = pl_config_str(self->cfg, key);
    bool automatic = strcmp(name, "auto") == 0;
    bool model = strcmp(name, translator_llm.name) == 0;
    if (!automatic && !model && strcmp(name, "off") != 0) {
        return wrong_setting(key, name, "is none of auto, llm, off");
    }
    if (model && !self->llm) return wrong_setting(key, name, "needs llm.fast or llm.slow");
    if (!self->llm || !(model || automatic)) return PL_OK;
    void *service = translator_llm_new(self->llm, self->instructions);
    self->translate = translate_new(&translator_llm, service, pl_clock_ms);
    prompts_translate(self->prompts, self->translate);
    return PL_OK;
}

/* Script or model, and what the model's manager wants to know. */
static pl_err_t choose_manager(server_t *self)
{
    const pl_config_t *cfg = self->cfg;
    const char *name = pl_config_str(cfg, "dialogue.manager");
    call_settings_t *settings = &self->desk.settings;
    pl_err_t err = instructions_new(&self->instructions, cfg);
    if (!err) err = llm_new(&self->llm, self->loop, cfg);
    if (!err) err = choose_translator(self);
    if (err) return err;
    self->desk.manager = manager_choose(name, self->llm != NULL);
    if (!self->desk.manager) return wrong_setting("dialogue.manager", name, "is not a manager");
    if (self->desk.manager == &manager_llm && !self->llm) {
        return wrong_setting("dialogue.manager", name, "needs llm.fast or llm.slow");
    }
    if (self->desk.manager == &manager_llm) {
        settings->speculate = pl_config_bool(cfg, "dialogue.llm.speculate");
        settings->knowledge_ms = (uint32_t)pl_config_int(cfg, "dialogue.llm.knowledge_wait_ms");
    }
    self->desk.manager_opts = (manager_opts_t){
        .prompts = self->prompts,
        .answer_score = pl_config_double(cfg, "dialogue.script.answer_score"),
        .ask_policyholder = pl_config_bool(cfg, "dialogue.script.ask_policyholder"),
        .llm = self->llm,
        .settings = settings,
        .instructions = self->instructions,
        .remote_tools = self->remote_tools,
        .translate = self->translate,
        .bot_phone_number = pl_config_str(cfg, "dialogue.llm.bot_phone_number"),
        .history_messages = (uint32_t)pl_config_int(cfg, "dialogue.llm.history_messages"),
        .speculate = settings->speculate,
        .loop = self->loop,
        .now_us = pl_clock_us,
    };
    return PL_OK;
}

static pl_err_t read_settings(server_t *self)
{
    const pl_config_t *cfg = self->cfg;
    const char *zone = pl_config_str(cfg, "dialogue.timezone");
    if (!pl_zone_known(zone)) {
        return wrong_setting("dialogue.timezone", zone, "is not in the system's zone data");
    }
    self->max_calls = (size_t)pl_config_int(cfg, "dialogue.max_calls");
    if (prompts_check(cfg) != PL_OK) return PL_INVALID;
    self->prompts = prompts_new(cfg);
    self->defaults = initiate_from_config(cfg);
    dialogue_call_settings(cfg, &self->desk.settings);
    pl_err_t err = contacts_new(&self->contacts, cfg);
    if (!err) err = remote_tools_new(&self->remote_tools, cfg);
    if (err) return err;
    self->desk.settings.contacts = self->contacts;
    self->desk.settings.remote_tools = self->remote_tools;
    self->desk.prompts = self->prompts;
    err = choose_manager(self);
    if (err) return err;
    self->desk.store_timeout_ms = (uint32_t)pl_config_int(cfg, "dialogue.store_timeout_ms");
    self->desk.store_retry_ms = 1000 * (uint64_t)pl_config_int(cfg, "dialogue.store_retry_sec");
    return check_defaults(self);
}

/* Also of calls that are going on: their settings are these. */
static void take_features(void *arg)
{
    server_t *self = arg;
    dialogue_call_features(self->features, &self->desk.settings);
    int64_t hours = pl_features_int(self->features, PL_FEATURE_callback_timeout_hour);
    arrivals_callback(self->arrivals, HOUR_MS * hours);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    static const char *const peers[] = {"telephony", "speech", "rag", "persistence", NULL};
    server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->cfg = cfg;
    self->calls = calls_new();
    self->ahead = ahead_new();
    self->loop = pl_loop_new();
    pl_err_t err = read_settings(self);
    if (!err) err = pl_bus_new(&self->bus, self->loop, cfg, peers);
    if (!err)
        err = office_new(&self->office, self->loop, self->bus, cfg, self->llm, self->instructions,
                         stop_now, self);
    if (err) {
        server_destroy(&self);
        return err;
    }
    self->live = pl_metric_gauge("parley_calls_live", NULL, "Calls in this process");
    self->desk.loop = self->loop;
    self->desk.webhooks =
        webhooks_new(self->loop, pl_config_bool(cfg, "dialogue.webhooks.allow_private"),
                     pl_config_str(cfg, "http.ca_file"));
    self->desk.bus = self->bus;
    self->desk.arg = self;
    self->desk.find = find_call;
    self->desk.alias = alias_call;
    self->desk.over = call_over;
    arrivals_opts_t arrivals = {
        .desk = &self->desk,
        .calls = self->calls,
        .defaults = self->defaults,
        .max_calls = self->max_calls,
        .arg = self,
        .begun = tell_load,
    };
    self->arrivals = arrivals_new(&arrivals);
    self->adopting = adopting_new(&(adopting_opts_t){.desk = &self->desk,
                                                     .calls = self->calls,
                                                     .max_calls = self->max_calls,
                                                     .arg = self,
                                                     .begun = tell_load});
    office_calls_out(self->office, arrivals_call_out, self->arrivals);
    self->features = pl_features_new(self->loop, cfg, take_features, self);
    take_features(self);
    recovery_opts_t recovery = {
        .store_timeout_ms = self->desk.store_timeout_ms,
        .wait_ms = (uint32_t)pl_config_int(cfg, "dialogue.recovery_wait_ms"),
        .live = is_live,
        .arg = self,
    };
    self->recovery = recovery_new(self->loop, self->bus, &recovery);
    set_handlers(self);
    tell_load(self);
    self->keep_alive = pl_timer_start(self->loop, KEEP_ALIVE_MS, KEEP_ALIVE_MS, keep_alive, self);
    *out = self;
    return PL_OK;
}

pl_err_t server_run(server_t *self)
{
    pl_loop_on_terminate(self->loop, on_terminate, self);
    log_info("server.ready", "manager=%s", self->desk.manager->name);
    pl_loop_run(self->loop);
    log_info("server.stopped", "calls=%zu", calls_count(self->calls));
    return PL_OK;
}

void server_stop(server_t *self)
{
    pl_loop_stop(self->loop);
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self) return;
    pl_timer_stop(&self->keep_alive);
    pl_timer_stop(&self->drain);
    pl_timer_stop(&self->handing);
    while (self->calls && calls_count(self->calls)) {
        calls_destroy(&self->calls);
        self->calls = calls_new();
    }
    webhooks_destroy(&self->desk.webhooks);
    if (self->arrivals) arrivals_close(self->arrivals);
    office_destroy(&self->office);
    pl_bus_destroy(&self->bus); /* its last replies look calls up and find none */
    arrivals_free(&self->arrivals);
    adopting_free(&self->adopting);
    recovery_destroy(&self->recovery);
    ahead_destroy(&self->ahead);
    calls_destroy(&self->calls);
    translate_destroy(&self->translate);
    llm_destroy(&self->llm);
    pl_features_destroy(&self->features);
    pl_loop_destroy(&self->loop);
    if (self->defaults) pl__initiate__free_unpacked(self->defaults, NULL);
    remote_tools_destroy(&self->remote_tools);
    contacts_destroy(&self->contacts);
    instructions_destroy(&self->instructions);
    prompts_destroy(&self->prompts);
    free(self);
    *self_p = NULL;
}
