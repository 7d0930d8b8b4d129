/* world.h - for tests: the real telephony process between a played dialogue, a played speech and
 * phones. Speech echoes what it hears. Include after cmocka.h.
 */
#ifndef TESTS_TELEPHONY_WORLD_H
#define TESTS_TELEPHONY_WORLD_H

#include "common/lane.h"
#include "tests/support/process.h"
#include "tests/unit/telephony/sip_phone.h"

#define NUMBER "+15551234567"
#define OTHER "+15557654321"
#define CALL "11111111-2222-4333-8444-555555555555"

/* What dialogue was told last of each kind, and how often. */
typedef struct {
    unsigned incoming, ringing, answered, ended, dtmf, transferred;
    char call_id[64], from[32], speech[64], codec[32], digit[4], detail[128];
    Pl__LegKind kind;
    Pl__LegEnd end;
    bool transfer_ok;
    uint32_t rtp_received, epoch, recorded_ms;
    unsigned recording, held_changes;
    bool held;
    char recording_failure[64];
} told_t;

typedef struct {
    process_t process; /* its client is dialogue-0 */
    uint16_t sip_port, web_port;
    char settings[PROCESS_SETTINGS][128];
    told_t told;
    pl_err_t refuse_calls; /* PL_OK: calls in are accepted */
    bool hold_calls;       /* dialogue does not answer at all */
    const char *goes_on;   /* a call in goes on with that one; NULL: with none */
    bool keep_alive;
    pl_timer_t *clock;
    char live_call[64];

    pl_config_t *speech_cfg;
    pl_bus_t *speech;
    pl_lane_t *lane;
    pl_lane_t *former; /* lanes of a speech that was ended */
    bool refuse_streams, refuse_moves;
    unsigned streams, closes, moves;
    char moved_from[64], moved_to[64];
    uint32_t slot, generation, heard_frames, said;
} world_t;

static world_t world;
static const char *world_sip_host = "127.0.0.1"; /* what telephony listens on */

/* ---- speech ---- */

static inline void lane_ready(void *arg)
{
    (void)arg;
}

static inline void lane_broken(void *arg, const char *why)
{
    (void)arg;
    (void)why;
}

static inline void lane_frame(void *arg, const Pl__LaneFrame *frame)
{
    (void)arg;
    if (frame->body_case != PL__LANE_FRAME__BODY_IN || frame->generation != world.generation)
        return;
    world.heard_frames++;
    if (frame->in->pcm.len != PL_FRAME_BYTES) return;
    Pl__LaneSayOut out = PL__LANE_SAY_OUT__INIT;
    out.turn = 1;
    out.seq = world.said++;
    out.pcm = frame->in->pcm;
    Pl__LaneFrame back = PL__LANE_FRAME__INIT;
    back.slot = frame->slot;
    back.generation = frame->generation;
    back.body_case = PL__LANE_FRAME__BODY_OUT;
    back.out = &out;
    (void)pl_lane_send(world.lane, &back);
}

static inline void on_lane_open(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    static uint8_t token[PL_LANE_TOKEN_BYTES] = "0123456789abcde";
    static unsigned count;
    char endpoint[128];
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/run/lane-%u.ipc", world.process.folder,
                   ++count);
    const pl_lane_sink_t sink = {lane_ready, lane_frame, lane_broken, NULL};
    pl_lane_destroy(&world.former);
    world.former = world.lane;
    assert_int_equal(pl_lane_listen(&world.lane, world.process.loop, endpoint, NULL, token, &sink),
                     PL_OK);
    Pl__LaneOpened opened = PL__LANE_OPENED__INIT;
    opened.endpoint = (char *)pl_lane_endpoint(world.lane);
    opened.lane = 7;
    opened.token = (ProtobufCBinaryData){sizeof token, token};
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_LANE_OPENED;
    reply.lane_opened = &opened;
    pl_request_reply(&request, &reply);
}

static inline void on_stream_open(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    if (world.refuse_streams) {
        pl_request_refuse(&request, PL_BUSY, 0, "full");
        return;
    }
    assert_int_equal(env->stream_open->lane, 7);
    assert_string_equal(env->stream_open->owner, "dialogue-0");
    assert_string_equal(env->stream_open->lang, "en-US");
    assert_int_not_equal(env->stream_open->generation, world.generation);
    world.slot = env->stream_open->slot;
    world.generation = env->stream_open->generation;
    world.said = 0;
    world.streams++;
    pl_request_done(&request);
}

static inline void on_stream_close(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    world.closes++;
    if (request) pl_request_done(&request);
}

static inline void on_stream_move(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    world.moves++;
    (void)snprintf(world.moved_from, sizeof world.moved_from, "%s", env->call_id);
    (void)snprintf(world.moved_to, sizeof world.moved_to, "%s", env->stream_move->call_id);
    if (world.refuse_moves) {
        pl_request_refuse(&request, PL_NOT_FOUND, 0, "no such stream");
    } else {
        pl_request_done(&request);
    }
}

static inline void speech_start(void)
{
    char error[256] = "", yaml[256];
    static const char *const peers[] = {NULL};
    (void)snprintf(yaml, sizeof yaml, "bus:\n  run_dir: %s/run\n  heartbeat_ms: 50\n",
                   world.process.folder);
    world.speech_cfg =
        pl_config_parse("speech", process_no_keys, "test.yaml", yaml, error, sizeof error);
    assert_non_null(world.speech_cfg);
    assert_int_equal(pl_bus_new(&world.speech, world.process.loop, world.speech_cfg, peers), PL_OK);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_LANE_OPEN, on_lane_open, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_STREAM_OPEN, on_stream_open, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_STREAM_CLOSE, on_stream_close, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_STREAM_MOVE, on_stream_move, NULL);
}

static inline void speech_stop(void)
{
    pl_lane_destroy(&world.lane);
    pl_lane_destroy(&world.former);
    pl_bus_destroy(&world.speech);
    pl_config_destroy(&world.speech_cfg);
}

/* ---- dialogue ---- */

static inline void copy_text(char *out, size_t room, const char *text)
{
    (void)snprintf(out, room, "%s", text);
}

static inline void on_call_incoming(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    world.told.incoming++;
    world.told.kind = env->call_incoming->kind;
    copy_text(world.told.call_id, sizeof world.told.call_id, env->call_id);
    copy_text(world.told.from, sizeof world.told.from, env->call_incoming->from);
    copy_text(world.live_call, sizeof world.live_call, env->call_id);
    static pl_request_t *held;
    if (world.hold_calls) { /* an old one is answered when the next comes; else by the bus's end */
        if (held) pl_request_refuse(&held, PL_BUSY, 0, "late");
        held = request;
        return;
    }
    if (world.refuse_calls) {
        pl_request_refuse(&request, world.refuse_calls, 0, "the test says no");
        return;
    }
    Pl__CallAccepted accepted = PL__CALL_ACCEPTED__INIT;
    accepted.lang = (char *)"en-US";
    if (world.goes_on) {
        accepted.call_id = (char *)world.goes_on;
        accepted.epoch = 2;
        copy_text(world.live_call, sizeof world.live_call, world.goes_on);
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_CALL_ACCEPTED;
    reply.call_accepted = &accepted;
    pl_request_reply(&request, &reply);
}

static inline void on_leg_event(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    told_t *told = &world.told;
    copy_text(told->call_id, sizeof told->call_id, env->call_id);
    told->epoch = env->epoch;
    switch (env->body_case) {
    case PL__ENVELOPE__BODY_LEG_RINGING:
        told->ringing++;
        break;
    case PL__ENVELOPE__BODY_LEG_ANSWERED:
        told->answered++;
        copy_text(told->speech, sizeof told->speech, env->leg_answered->speech);
        copy_text(told->codec, sizeof told->codec, env->leg_answered->codec);
        break;
    case PL__ENVELOPE__BODY_LEG_ENDED:
        /* A keep-alive that crossed the end is answered by another one, of a leg unknown by now. */
        if (world.live_call[0] == '\0' && env->leg_ended->end == PL__LEG_END__LEG_FAILED) break;
        told->ended++;
        world.live_call[0] = '\0';
        told->end = env->leg_ended->end;
        copy_text(told->detail, sizeof told->detail, env->leg_ended->detail);
        if (env->leg_ended->recording) {
            told->recording = env->leg_ended->recording->number;
            told->recorded_ms = env->leg_ended->recording->duration_ms;
            copy_text(told->recording_failure, sizeof told->recording_failure,
                      env->leg_ended->recording->failure);
        }
        if (env->leg_ended->stats) told->rtp_received = env->leg_ended->stats->rtp_received;
        break;
    case PL__ENVELOPE__BODY_LEG_HELD:
        told->held_changes++;
        told->held = env->leg_held->held;
        break;
    case PL__ENVELOPE__BODY_LEG_DTMF:
        told->dtmf++;
        copy_text(told->digit, sizeof told->digit, env->leg_dtmf->digit);
        break;
    case PL__ENVELOPE__BODY_LEG_TRANSFERRED:
        told->transferred++;
        told->transfer_ok = env->leg_transferred->ok;
        copy_text(told->detail, sizeof told->detail, env->leg_transferred->detail);
        break;
    default:
        fail();
    }
}

static inline void send_keep_alive(void *arg)
{
    (void)arg;
    if (!world.keep_alive || world.live_call[0] == '\0') return;
    Pl__LegKeepAlive alive = PL__LEG_KEEP_ALIVE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = world.live_call;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LEG_KEEP_ALIVE;
    env.leg_keep_alive = &alive;
    (void)pl_bus_event(world.process.bus, "telephony-0", &env);
}

/* Waits until the counter has reached that. */
static inline void await(const unsigned *counter, unsigned least)
{
    uint64_t until_ms = pl_clock_ms() + PHONE_WAIT_MS;
    while (*counter < least) {
        if (pl_clock_ms() > until_ms)
            fail_msg("only %u of %u; log: %s", *counter, least, process_log(&world.process));
        process_run_ms(&world.process, 2);
    }
}

static inline pl_err_t dial(const char *to, uint32_t ring_timeout_ms, char detail[256])
{
    Pl__LegDial body = PL__LEG_DIAL__INIT;
    body.to = (char *)to;
    body.from_name = (char *)"Ann \"X\"\r\nEvil: 1";
    body.ring_timeout_ms = ring_timeout_ms;
    body.lang = (char *)"en-US";
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)CALL;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LEG_DIAL;
    env.leg_dial = &body;
    Pl__Envelope *reply = NULL;
    pl_err_t err = process_ask(&world.process, &env, &reply);
    if (detail) (void)snprintf(detail, 256, "%s", pl_bus_error_detail(err, reply));
    if (reply) pl__envelope__free_unpacked(reply, NULL);
    copy_text(world.live_call, sizeof world.live_call, CALL);
    return err;
}

static inline pl_err_t ask_leg(Pl__Envelope *env, uint32_t epoch)
{
    env->call_id = world.live_call;
    env->epoch = epoch;
    return process_ask(&world.process, env, NULL);
}

static inline pl_err_t hang_up(void)
{
    Pl__LegHangup body = PL__LEG_HANGUP__INIT;
    body.reason = (char *)"done";
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_HANGUP;
    env.leg_hangup = &body;
    return ask_leg(&env, 1);
}

/* The leg of the live call becomes that of another one, which is then the live call. reply is the
 * caller's; NULL: not wanted. */
static inline pl_err_t move_leg_and_read(const char *to, Pl__Envelope **reply)
{
    Pl__LegMove body = PL__LEG_MOVE__INIT;
    body.call_id = (char *)to;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_MOVE;
    env.leg_move = &body;
    env.call_id = world.live_call;
    env.epoch = 1;
    return process_ask(&world.process, &env, reply);
}

static inline pl_err_t move_leg(const char *to)
{
    return move_leg_and_read(to, NULL);
}

static inline pl_err_t transfer(const char *to)
{
    Pl__LegTransfer body = PL__LEG_TRANSFER__INIT;
    body.to = (char *)to;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSFER;
    env.leg_transfer = &body;
    return ask_leg(&env, 1);
}

/* The sum of a metric over its labels. */
static inline double metric(const char *name)
{
    Pl__MetricsGet get = PL__METRICS_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_METRICS_GET;
    env.metrics_get = &get;
    Pl__Envelope *reply = NULL;
    assert_int_equal(process_ask(&world.process, &env, &reply), PL_OK);
    double sum = 0;
    for (size_t i = 0; i < reply->metrics_reply->n_metrics; i++) {
        const Pl__Metric *m = reply->metrics_reply->metrics[i];
        if (strcmp(m->name, name) == 0) sum += m->value;
    }
    pl__envelope__free_unpacked(reply, NULL);
    return sum;
}

static inline void await_metric(const char *name, double value)
{
    uint64_t until_ms = pl_clock_ms() + PHONE_WAIT_MS;
    while (metric(name) != value) {
        if (pl_clock_ms() > until_ms) fail_msg("%s is %f, not %f", name, metric(name), value);
        process_run_ms(&world.process, 5);
    }
}

/* ---- life ---- */

static inline bool can_bind(int type, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    bool free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return free;
}

/* Of a range that the system does not give to others. */
static inline uint16_t free_port(void)
{
    static uint16_t next;
    for (int i = 0; i < 450; i++) {
        uint16_t port = (uint16_t)(23000 + ((unsigned)getpid() * 7 + next++) % 450);
        if (can_bind(SOCK_DGRAM, port) && can_bind(SOCK_STREAM, port)) return port;
    }
    fail_msg("no port is free");
    return 0;
}

/* extra: settings, NULL-terminated; may be NULL. */
static inline void world_start(const char *const *extra)
{
    memset(&world, 0, sizeof world);
    process_make_folder(&world.process, "telephony");
    world.sip_port = free_port();
    world.web_port = free_port();
    size_t count = 0;
    char listen[64];
    (void)snprintf(listen, sizeof listen, "telephony.sip.listen=%s:", world_sip_host);
    const struct {
        const char *key;
        unsigned value;
    } own[] = {{listen, world.sip_port},
               {"telephony.browser.listen=127.0.0.1:", world.web_port},
               {"telephony.rtp.port_min=", 23500},
               {"telephony.rtp.port_max=", 23999},
               {"bus.heartbeat_ms=", 50}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++, count++) {
        (void)snprintf(world.settings[count], sizeof world.settings[0], "%s%u", own[i].key,
                       own[i].value);
        world.process.settings[count] = world.settings[count];
    }
    for (; extra && *extra; extra++) world.process.settings[count++] = *extra;
    process_connect(&world.process);
    static const Pl__Envelope__BodyCase events[] = {
        PL__ENVELOPE__BODY_LEG_RINGING,     PL__ENVELOPE__BODY_LEG_ANSWERED,
        PL__ENVELOPE__BODY_LEG_ENDED,       PL__ENVELOPE__BODY_LEG_DTMF,
        PL__ENVELOPE__BODY_LEG_TRANSFERRED, PL__ENVELOPE__BODY_LEG_HELD};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        pl_bus_on(world.process.bus, events[i], on_leg_event, NULL);
    pl_bus_on(world.process.bus, PL__ENVELOPE__BODY_CALL_INCOMING, on_call_incoming, NULL);
    world.keep_alive = true;
    world.clock = pl_timer_start(world.process.loop, 100, 100, send_keep_alive, NULL);
    speech_start();
    process_start(&world.process, NULL);
    process_await_up(&world.process);
    process_run_ms(&world.process, 150); /* it sees dialogue and speech, too */
}

static inline void world_stop(void)
{
    pl_timer_stop(&world.clock);
    if (world.process.pid > 0) {
        int status = process_stop(&world.process, SIGTERM);
        if (status != 0) fail_msg("it ended with %d: %s", status, process_log(&world.process));
    }
    speech_stop();
    process_clean_up(&world.process);
}

#endif
