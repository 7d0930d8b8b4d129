/* service.h - for tests: a whole speech process on a thread, rung by a telephony (a real lane) and
 * listened to by a dialogue (the bus), both on the test's loop. */
#ifndef PL_TESTS_SPEECH_SERVICE_H
#define PL_TESTS_SPEECH_SERVICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/lane.h"
#include "common/loop.h"
#include "services/speech/config.h"
#include "services/speech/providers/flite_voice.h"
#include "services/speech/server.h"

enum { CALLS_MAX = 12, FRAMES_A_TICK = 6 };

/* One call as telephony and dialogue see it. */
typedef struct {
    char id[40];
    uint32_t slot, generation, epoch;
    int16_t *pcm; /* what the caller says, then silence */
    bool *voice;
    size_t frames, sent;
    uint32_t seq;
    /* playout */
    uint32_t turn, played_frames, queued;
    bool turn_last;
    int16_t *heard; /* all that was played */
    size_t heard_samples;
    uint32_t flushed; /* turns flushed; 0 none */
    /* events of the owner, counted; texts of the last */
    unsigned started, partials, utterances, barge_ins, turns_started, turns_spoken, lost;
    char text[512], heard_text[512];
    bool interrupted;
    uint32_t heard_ms, spoken_ms, endpointing_ms, recognition_ms, speech_ms, latency_ms;
} call_t;

typedef struct {
    pl_loop_t *loop;
    pl_config_t *configs[3];
    pl_bus_t *telephony, *dialogue;
    pl_lane_t *lane;
    uint64_t lane_number;
    bool lane_ready, lane_broken;
    pl_timer_t *clock;
    call_t calls[CALLS_MAX];
    size_t count;
    uint32_t frames_a_tick; /* of what callers say: 1 is real time */
    pl_err_t reply;         /* of the last request */
    unsigned replies;
    char endpoint[256];
    uint8_t token[PL_LANE_TOKEN_BYTES];
    pthread_t thread;
    server_t *server;
    char run_dir[64];
} service_t;

static service_t world;

/* ---- running ---- */

static inline void look(void *arg)
{
    (void)arg;
    pl_loop_stop(world.loop);
}

/* Runs until so() or ms have passed. */
static inline bool wait_for(bool (*so)(const void *arg), const void *arg, uint64_t ms)
{
    uint64_t until = pl_clock_ms() + ms;
    while (!so(arg) && pl_clock_ms() < until) {
        pl_timer_t *timer = pl_timer_start(world.loop, 5, 0, look, NULL);
        pl_loop_run(world.loop);
        pl_timer_stop(&timer);
    }
    return so(arg);
}

/* ---- dialogue ---- */

static inline call_t *call_of(const Pl__Envelope *env)
{
    for (size_t i = 0; i < world.count; i++) {
        if (strcmp(world.calls[i].id, env->call_id) == 0) return &world.calls[i];
    }
    return NULL;
}

static inline void on_event(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    call_t *c = call_of(env);
    assert_non_null(c);
    assert_int_equal(env->epoch, c->epoch);
    switch (env->body_case) {
    case PL__ENVELOPE__BODY_SPEECH_STARTED:
        c->started++;
        break;
    case PL__ENVELOPE__BODY_PARTIAL:
        c->partials++;
        break;
    case PL__ENVELOPE__BODY_UTTERANCE:
        c->utterances++;
        (void)snprintf(c->text, sizeof c->text, "%s", env->utterance->text);
        c->endpointing_ms = env->utterance->endpointing_ms;
        c->recognition_ms = env->utterance->recognition_ms;
        c->speech_ms = env->utterance->speech_ms;
        break;
    case PL__ENVELOPE__BODY_BARGE_IN:
        c->barge_ins++;
        break;
    case PL__ENVELOPE__BODY_TURN_STARTED:
        c->turns_started++;
        c->latency_ms = env->turn_started->answer_latency_ms;
        break;
    case PL__ENVELOPE__BODY_TURN_SPOKEN:
        c->turns_spoken++;
        c->interrupted = env->turn_spoken->interrupted;
        c->heard_ms = env->turn_spoken->heard_ms;
        c->spoken_ms = env->turn_spoken->spoken_ms;
        (void)snprintf(c->heard_text, sizeof c->heard_text, "%s", env->turn_spoken->heard_text);
        break;
    case PL__ENVELOPE__BODY_STREAM_LOST:
        c->lost++;
        break;
    default:
        fail();
    }
}

static inline void send_event(pl_bus_t *bus, const call_t *c, Pl__Envelope *env)
{
    env->call_id = (char *)c->id;
    env->epoch = c->epoch;
    assert_int_equal(pl_bus_event(bus, "speech-0", env), PL_OK);
}

static inline void say(const call_t *c, uint32_t turn, uint32_t index, const char *text, bool last)
{
    Pl__Say body = PL__SAY__INIT;
    body.turn = turn;
    body.index = index;
    body.text = (char *)text;
    body.last = last;
    body.lang = (char *)"en-US";
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_SAY;
    env.say = &body;
    send_event(world.dialogue, c, &env);
}

static inline void listen_for(const call_t *c, Pl__Expect expect)
{
    Pl__Listen body = PL__LISTEN__INIT;
    body.expect = expect;
    body.lang = (char *)"en-US";
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LISTEN;
    env.listen = &body;
    send_event(world.dialogue, c, &env);
}

/* ---- telephony ---- */

static inline void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    world.replies++;
    world.reply = err;
    if (err || reply->body_case != PL__ENVELOPE__BODY_LANE_OPENED) return;
    world.lane_number = reply->lane_opened->lane;
    (void)snprintf(world.endpoint, sizeof world.endpoint, "%s", reply->lane_opened->endpoint);
    assert_int_equal(reply->lane_opened->token.len, PL_LANE_TOKEN_BYTES);
    memcpy(world.token, reply->lane_opened->token.data, PL_LANE_TOKEN_BYTES);
}

static inline bool replied(const void *arg)
{
    return world.replies > *(const unsigned *)arg;
}

static inline pl_err_t request(Pl__Envelope *env)
{
    unsigned before = world.replies;
    pl_bus_request(world.telephony, "speech-0", env, 5000, on_reply, NULL);
    assert_true(wait_for(replied, &before, 10000));
    return world.reply;
}

static inline void on_lane_ready(void *arg)
{
    (void)arg;
    world.lane_ready = true;
}

static inline void on_lane_broken(void *arg, const char *why)
{
    (void)arg;
    (void)why;
    world.lane_broken = true;
}

static inline void on_lane_frame(void *arg, const Pl__LaneFrame *frame)
{
    (void)arg;
    assert_true(frame->slot < world.count);
    call_t *c = &world.calls[frame->slot];
    assert_int_equal(frame->generation, c->generation);
    if (frame->body_case == PL__LANE_FRAME__BODY_FLUSH) {
        c->flushed = frame->flush->turn;
        return;
    }
    assert_int_equal(frame->body_case, PL__LANE_FRAME__BODY_OUT);
    if (frame->out->turn <= c->flushed) return;
    if (frame->out->turn != c->turn) {
        c->turn = frame->out->turn;
        c->played_frames = 0;
        c->turn_last = false;
    }
    if (frame->out->pcm.len > 0) {
        assert_int_equal(frame->out->pcm.len, PL_FRAME_BYTES);
        c->queued++;
        c->heard = realloc(c->heard, (c->heard_samples + PL_FRAME_SAMPLES) * sizeof *c->heard);
        memcpy(c->heard + c->heard_samples, frame->out->pcm.data, PL_FRAME_BYTES);
        c->heard_samples += PL_FRAME_SAMPLES;
    }
    c->turn_last = frame->out->last;
}

static inline void send_lane(const call_t *c, Pl__LaneFrame *frame)
{
    frame->slot = c->slot;
    frame->generation = c->generation;
    assert_int_equal(pl_lane_send(world.lane, frame), PL_OK);
}

static inline void send_heard(call_t *c)
{
    if (!c->pcm || c->sent >= c->frames) return;
    Pl__LaneHeardIn in = PL__LANE_HEARD_IN__INIT;
    in.seq = c->seq++;
    in.pcm =
        (ProtobufCBinaryData){PL_FRAME_BYTES, (uint8_t *)(c->pcm + c->sent * PL_FRAME_SAMPLES)};
    in.voice = c->voice[c->sent++];
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.body_case = PL__LANE_FRAME__BODY_IN;
    frame.in = &in;
    send_lane(c, &frame);
}

static inline void send_played(const call_t *c, uint32_t turn, bool started, bool finished,
                               bool flushed)
{
    Pl__LanePlayed played = PL__LANE_PLAYED__INIT;
    played.turn = turn;
    played.heard_ms = c->played_frames * PL_FRAME_MS;
    played.started = started;
    played.finished = finished;
    played.flushed = flushed;
    played.credit_ms = 400;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.body_case = PL__LANE_FRAME__BODY_PLAYED;
    frame.played = &played;
    send_lane(c, &frame);
}

static inline void play(call_t *c)
{
    if (c->flushed && c->flushed >= c->turn && c->turn) {
        send_played(c, c->turn, false, true, true);
        c->turn = c->queued = 0;
        return;
    }
    if (c->queued == 0) return;
    if (c->played_frames == 0) send_played(c, c->turn, true, false, false);
    c->queued--;
    c->played_frames++;
    if (c->turn_last && c->queued == 0)
        send_played(c, c->turn, false, true, false);
    else if (c->played_frames % 5 == 0)
        send_played(c, c->turn, false, false, false);
}

static inline void on_clock(void *arg)
{
    (void)arg;
    if (!world.lane_ready || world.lane_broken) return;
    for (size_t i = 0; i < world.count; i++) {
        for (uint32_t n = 0; n < world.frames_a_tick; n++) send_heard(&world.calls[i]);
        play(&world.calls[i]);
    }
}

static inline bool lane_is_ready(const void *arg)
{
    (void)arg;
    return world.lane_ready;
}

static inline void open_lane(void)
{
    Pl__LaneOpen open = PL__LANE_OPEN__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &open;
    assert_int_equal(request(&env), PL_OK);
    pl_lane_sink_t sink = {on_lane_ready, on_lane_frame, on_lane_broken, NULL};
    world.lane_ready = world.lane_broken = false;
    assert_int_equal(
        pl_lane_connect(&world.lane, world.loop, world.endpoint, NULL, world.token, &sink), PL_OK);
    assert_true(wait_for(lane_is_ready, NULL, 5000));
}

static inline pl_err_t ask_stream(const call_t *c, uint64_t lane)
{
    Pl__StreamOpen open = PL__STREAM_OPEN__INIT;
    open.lane = lane;
    open.slot = c->slot;
    open.generation = c->generation;
    open.owner = (char *)"dialogue-0";
    open.lang = (char *)"en-US";
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)c->id;
    env.epoch = c->epoch;
    env.body_case = PL__ENVELOPE__BODY_STREAM_OPEN;
    env.stream_open = &open;
    return request(&env);
}

static inline pl_err_t close_stream(const call_t *c)
{
    Pl__StreamClose close = PL__STREAM_CLOSE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)c->id;
    env.epoch = c->epoch;
    env.body_case = PL__ENVELOPE__BODY_STREAM_CLOSE;
    env.stream_close = &close;
    return request(&env);
}

static inline call_t *new_call(void)
{
    assert_true(world.count < CALLS_MAX);
    call_t *c = &world.calls[world.count];
    free(c->pcm);
    free(c->voice);
    free(c->heard);
    memset(c, 0, sizeof *c);
    c->slot = (uint32_t)world.count++;
    c->generation = 1000 + c->slot;
    c->epoch = 1;
    (void)snprintf(c->id, sizeof c->id, "call-%u", (unsigned)c->slot);
    return c;
}

static inline call_t *open_call(void)
{
    call_t *c = new_call();
    assert_int_equal(ask_stream(c, world.lane_number), PL_OK);
    return c;
}

/* The caller's next words: 300 ms of near silence, the sentence, a second of near silence. */
static inline void caller_says(call_t *c, const char *voice, const char *text)
{
    int16_t *pcm = NULL;
    size_t samples = 0;
    assert_int_equal(flite_voice_say(voice, 1.0, text, &pcm, &samples), PL_OK);
    size_t lead = 15, frames = samples / PL_FRAME_SAMPLES;
    free(c->pcm);
    free(c->voice);
    c->frames = lead + frames + 50;
    c->sent = 0;
    c->pcm = calloc(c->frames * PL_FRAME_SAMPLES, sizeof *c->pcm);
    c->voice = calloc(c->frames, sizeof *c->voice);
    for (size_t i = 0; i < c->frames * PL_FRAME_SAMPLES; i++) c->pcm[i] = (int16_t)(i * 7919 % 9);
    memcpy(c->pcm + lead * PL_FRAME_SAMPLES, pcm, frames * PL_FRAME_BYTES);
    for (size_t f = lead; f < lead + frames; f++) {
        int64_t energy = 0;
        for (size_t i = 0; i < PL_FRAME_SAMPLES; i++) {
            int64_t sample = c->pcm[f * PL_FRAME_SAMPLES + i];
            energy += sample * sample;
        }
        c->voice[f] = energy / PL_FRAME_SAMPLES > 300 * 300;
    }
    free(pcm);
}

/* ---- life ---- */

static inline pl_config_t *load_config(const char *service, const pl_config_key_t *keys,
                                       const char *const *settings)
{
    char dir[128];
    (void)snprintf(dir, sizeof dir, "bus.run_dir=%s", world.run_dir);
    char *argv[32] = {(char *)"test", (char *)"--set", dir, (char *)"--set",
                      (char *)"log.level=error"};
    int argc = 5, status = 0;
    for (; settings && *settings; settings++) {
        argv[argc++] = (char *)"--set";
        argv[argc++] = (char *)*settings;
    }
    pl_config_t *cfg = pl_config_load(service, keys, argc, argv, &status);
    assert_non_null(cfg);
    return cfg;
}

static pthread_mutex_t started_guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started_sign = PTHREAD_COND_INITIALIZER;
static bool started_flag;

static inline void *run_server(void *arg)
{
    server_t *server = NULL;
    pl_err_t err = server_new(&server, arg);
    pthread_mutex_lock(&started_guard);
    world.server = server;
    started_flag = true;
    pthread_cond_signal(&started_sign);
    pthread_mutex_unlock(&started_guard);
    if (!err) (void)server_run(server);
    server_destroy(&server);
    return NULL;
}

static inline bool speech_is_up(const void *arg)
{
    pl_peer_t peer;
    return pl_bus_pick(arg, "speech-0", &peer);
}

static inline void start_service(const char *const *settings)
{
    static const pl_config_key_t none[] = {{NULL, 0, NULL, 0, 0, NULL}};
    static const char *const speech[] = {"speech", NULL};
    (void)snprintf(world.run_dir, sizeof world.run_dir, "/tmp/parley-speech-XXXXXX");
    assert_non_null(mkdtemp(world.run_dir));
    world.configs[0] = load_config("speech", speech_config_keys, settings);
    world.configs[1] = load_config("telephony", none, NULL);
    world.configs[2] = load_config("dialogue", none, NULL);
    world.loop = pl_loop_new();
    world.frames_a_tick = FRAMES_A_TICK;
    started_flag = false;
    assert_int_equal(pthread_create(&world.thread, NULL, run_server, world.configs[0]), 0);
    pthread_mutex_lock(&started_guard);
    while (!started_flag) pthread_cond_wait(&started_sign, &started_guard);
    pthread_mutex_unlock(&started_guard);
    assert_non_null(world.server);
    assert_int_equal(pl_bus_new(&world.telephony, world.loop, world.configs[1], speech), PL_OK);
    assert_int_equal(pl_bus_new(&world.dialogue, world.loop, world.configs[2], speech), PL_OK);
    for (int body = PL__ENVELOPE__BODY_SPEECH_STARTED; body <= PL__ENVELOPE__BODY_STREAM_LOST;
         body++)
        pl_bus_on(world.dialogue, (Pl__Envelope__BodyCase)body, on_event, NULL);
    assert_true(wait_for(speech_is_up, world.telephony, 5000));
    assert_true(wait_for(speech_is_up, world.dialogue, 5000));
    world.clock = pl_timer_start(world.loop, PL_FRAME_MS, PL_FRAME_MS, on_clock, NULL);
    open_lane();
}

static inline void end_service(void)
{
    pl_timer_stop(&world.clock);
    pl_lane_destroy(&world.lane);
    pl_bus_destroy(&world.telephony);
    pl_bus_destroy(&world.dialogue);
    server_stop(world.server);
    assert_int_equal(pthread_join(world.thread, NULL), 0);
    pl_loop_destroy(&world.loop);
    for (size_t i = 0; i < 3; i++) pl_config_destroy(&world.configs[i]);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        free(world.calls[i].pcm);
        free(world.calls[i].voice);
        free(world.calls[i].heard);
    }
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", world.run_dir);
    assert_int_equal(system(command), 0);
    memset(&world, 0, sizeof world);
}

#endif
