/* Media threads for real: phones over loopback RTP on one side, a lane's speech end on the other,
 * both played by this test on the control loop. Runs in real time. */
#include "services/telephony/media.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "services/telephony/config.h"
#include "tests/unit/telephony/tone.h"

enum { MAX_LEGS = 16, SOUND = 400, TICK_MS = 20, PATIENCE_MS = 10000 };

/* ---- what the test sees -------------------------------------------------------------------------- */

typedef struct {
    Pl__LanePlayed last;
    uint32_t reports, started, finished, flushed, credit_ms;
    uint32_t heard, empty, voiced, gaps, next_seq;
    int16_t sound[SOUND * PL_FRAME_SAMPLES]; /* of frames that had some */
    uint32_t sounded;
    int16_t first_sample; /* of the newest frame that had some */
} slot_t;

typedef struct {
    media_leg_t leg;
    uint32_t audio, flushes;
    int16_t sample, other_samples; /* newest; how many were neither 0 nor the expected one */
    int16_t expected;
} browser_t;

typedef struct {
    pl_loop_t *loop;
    pl_config_t *cfg;
    media_t *media;
    char folder[64];
    /* speech */
    pl_lane_t *lane;
    bool speech_ready, speech_broken, echo;
    slot_t slots[MAX_LEGS];
    /* control */
    uint64_t ready_lane, broken_lane;
    char why[128];
    uint32_t closed, lost, prompts_done, speechless;
    media_stats_t stats;
    char keys[16];
    browser_t browsers[MAX_LEGS];
    /* a phone */
    rtp_leg_t *phone;
    pl_timer_t *phone_timer;
    double phone_hz;
    size_t phone_sample;
    uint32_t phone_frames, phone_missing;
    int16_t phone_sound[SOUND * PL_FRAME_SAMPLES];
    char phone_keys[16];
    double skipped_before; /* ticks, by the process's counter */
    /* waiting */
    bool (*until)(void *test);
    uint64_t give_up_ms;
    bool gave_up;
} test_t;

static const uint8_t token[PL_LANE_TOKEN_BYTES] = "0123456789abcde";

/* ---- control's sink ------------------------------------------------------------------------------ */

static browser_t *browser_of(test_t *t, media_leg_t leg)
{
    for (size_t i = 0; i < MAX_LEGS; i++) {
        if (t->browsers[i].leg == leg) return &t->browsers[i];
    }
    fail_msg("no such browser leg");
    return NULL;
}

static void on_dtmf(void *arg, media_leg_t leg, char digit, uint32_t duration_ms)
{
    test_t *t = arg;
    (void)leg;
    assert_int_equal(duration_ms, 100);
    t->keys[strlen(t->keys)] = digit;
}

static void on_lost(void *arg, media_leg_t leg)
{
    (void)leg;
    ((test_t *)arg)->lost++;
}

static void on_speechless(void *arg, media_leg_t leg)
{
    (void)leg;
    ((test_t *)arg)->speechless++;
}

static void on_lane_ready(void *arg, uint64_t lane)
{
    ((test_t *)arg)->ready_lane = lane;
}

static void on_lane_broken(void *arg, uint64_t lane, const char *why)
{
    test_t *t = arg;
    t->broken_lane = lane;
    (void)snprintf(t->why, sizeof t->why, "%s", why);
}

static void on_browser_audio(void *arg, media_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES])
{
    browser_t *b = browser_of(arg, leg);
    b->audio++;
    memcpy(&b->sample, pcm, sizeof b->sample);
    if (b->sample != 0 && b->sample != b->expected) b->other_samples++;
}

static void on_prompt_done(void *arg, media_leg_t leg)
{
    (void)leg;
    ((test_t *)arg)->prompts_done++;
}

static void on_browser_flush(void *arg, media_leg_t leg)
{
    browser_of(arg, leg)->flushes++;
}

static void on_closed(void *arg, media_leg_t leg, const media_stats_t *stats)
{
    (void)leg;
    ((test_t *)arg)->closed++;
    ((test_t *)arg)->stats = *stats;
}

/* ---- speech's end of the lane ---------------------------------------------------------------------- */

static void send_out(test_t *t, uint32_t slot, uint32_t generation, uint32_t turn, uint32_t seq,
                     const int16_t *pcm, size_t samples, bool last)
{
    Pl__LaneSayOut out = PL__LANE_SAY_OUT__INIT;
    out.turn = turn;
    out.seq = seq;
    out.pcm = (ProtobufCBinaryData){2 * samples, (uint8_t *)pcm};
    out.last = last;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.slot = slot;
    frame.generation = generation;
    frame.body_case = PL__LANE_FRAME__BODY_OUT;
    frame.out = &out;
    assert_int_equal(pl_lane_send(t->lane, &frame), PL_OK);
}

static void send_flush(test_t *t, uint32_t slot, uint32_t turn)
{
    Pl__LaneFlush flush = PL__LANE_FLUSH__INIT;
    flush.turn = turn;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.slot = slot;
    frame.generation = slot + 100;
    frame.body_case = PL__LANE_FRAME__BODY_FLUSH;
    frame.flush = &flush;
    assert_int_equal(pl_lane_send(t->lane, &frame), PL_OK);
}

/* A turn of so many frames of a tone; without its end when last is false. */
static void say_tone(test_t *t, uint32_t slot, uint32_t turn, double hz, uint32_t frames, bool last)
{
    for (uint32_t i = 0; i < frames; i++) {
        int16_t pcm[PL_FRAME_SAMPLES];
        tone_fill(pcm, PL_FRAME_SAMPLES, (size_t)i * PL_FRAME_SAMPLES, hz, -12);
        send_out(t, slot, slot + 100, turn, i, pcm, PL_FRAME_SAMPLES, last && i == frames - 1);
    }
}

static void on_speech_ready(void *arg)
{
    ((test_t *)arg)->speech_ready = true;
}

static void on_heard(test_t *t, uint32_t slot, const Pl__LaneHeardIn *in)
{
    slot_t *s = &t->slots[slot];
    if (s->heard > 0 && in->seq != s->next_seq) s->gaps++;
    s->next_seq = in->seq + 1;
    s->heard++;
    s->voiced += in->voice != 0;
    if (in->pcm.len == 0) {
        s->empty++;
        return;
    }
    assert_int_equal(in->pcm.len, PL_FRAME_BYTES);
    memcpy(&s->first_sample, in->pcm.data, sizeof s->first_sample);
    if (s->sounded < SOUND) {
        memcpy(s->sound + s->sounded * PL_FRAME_SAMPLES, in->pcm.data, PL_FRAME_BYTES);
        s->sounded++;
    }
    if (!t->echo) return;
    int16_t pcm[PL_FRAME_SAMPLES];
    memcpy(pcm, in->pcm.data, sizeof pcm);
    send_out(t, slot, slot + 100, 1, in->seq, pcm, PL_FRAME_SAMPLES, false);
}

static void on_speech_frame(void *arg, const Pl__LaneFrame *frame)
{
    test_t *t = arg;
    assert_true(frame->slot < MAX_LEGS);
    assert_int_equal(frame->generation, frame->slot + 100);
    slot_t *s = &t->slots[frame->slot];
    if (frame->body_case == PL__LANE_FRAME__BODY_IN) {
        on_heard(t, frame->slot, frame->in);
        return;
    }
    assert_int_equal(frame->body_case, PL__LANE_FRAME__BODY_PLAYED);
    const Pl__LanePlayed *played = frame->played;
    if (played->turn == s->last.turn) assert_true(played->heard_ms >= s->last.heard_ms);
    s->last = *played;
    s->reports++;
    s->started += played->started != 0;
    s->finished += played->finished != 0;
    s->flushed += played->flushed != 0;
    s->credit_ms = played->credit_ms;
}

static void on_speech_broken(void *arg, const char *why)
{
    (void)why;
    ((test_t *)arg)->speech_broken = true;
}

/* ---- the phone ------------------------------------------------------------------------------------- */

static void phone_heard(void *arg, const rtp_heard_t *frame)
{
    test_t *t = arg;
    memcpy(t->phone_sound + t->phone_frames % SOUND * PL_FRAME_SAMPLES, frame->pcm,
           sizeof frame->pcm);
    t->phone_frames++;
    t->phone_missing += frame->missing;
}

static bool phone_next(void *arg, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    test_t *t = arg;
    if (t->phone_hz == 0) return false;
    tone_fill(pcm, CODEC_FRAME_SAMPLES, t->phone_sample, t->phone_hz, -12);
    t->phone_sample += CODEC_FRAME_SAMPLES;
    return true;
}

static void phone_dtmf(void *arg, char digit, uint32_t duration_ms)
{
    test_t *t = arg;
    (void)duration_ms;
    t->phone_keys[strlen(t->phone_keys)] = digit;
}

static void phone_lost(void *arg)
{
    (void)arg;
}

static void phone_tick(void *arg)
{
    rtp_leg_tick(((test_t *)arg)->phone);
}

static rtp_params_t params(uint16_t remote_port)
{
    rtp_params_t p = {.codec = CODEC_G722,
                      .pt = 9,
                      .dtmf_pt = 101,
                      .dtmf_hz = 8000,
                      .send = true,
                      .receive = true,
                      .jitter_min_ms = 40};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(remote_port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&p.remote, &a, sizeof a);
    return p;
}

static void phone_call(test_t *t, uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(rtp_leg_new(&t->phone, (struct sockaddr *)&any, 22500, 22899), PL_OK);
    rtp_sink_t sink = {phone_heard, phone_next, phone_dtmf, phone_lost, t};
    rtp_params_t p = params(port);
    assert_int_equal(rtp_leg_start(t->phone, t->loop, &p, &sink), PL_OK);
    t->phone_timer = pl_timer_start(t->loop, TICK_MS, TICK_MS, phone_tick, t);
}

/* Signal to noise of what the phone heard in the best 100 ms of the last four seconds: this test's
 * own timer is not as steady as a phone's clock. */
static double phone_best_snr_db(const test_t *t, double hz)
{
    double best = -100;
    for (size_t f = 0; f + 5 <= SOUND; f++) {
        double snr = tone_snr_db(t->phone_sound + f * PL_FRAME_SAMPLES, 5 * PL_FRAME_SAMPLES, hz);
        if (snr > best) best = snr;
    }
    return best;
}

/* A machine that is too busy leaves ticks out; then, and only then, numbers are missing. */
static void assert_no_gaps(const test_t *t, uint32_t slot)
{
    double skipped = pl_metric_value(
        pl_metric_counter("parley_media_ticks_skipped_total", NULL, "the same one"));
    if (skipped <= t->skipped_before) assert_int_equal(t->slots[slot].gaps, 0);
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static void look(void *arg)
{
    test_t *t = arg;
    if (!t->until(t) && pl_clock_ms() < t->give_up_ms) return;
    t->gave_up = !t->until(t);
    pl_loop_stop(t->loop);
}

#define wait_until(t, condition)                                                                   \
    do {                                                                                           \
        (t)->until = (condition);                                                                  \
        (t)->give_up_ms = pl_clock_ms() + PATIENCE_MS;                                             \
        pl_timer_t *looks_ = pl_timer_start((t)->loop, 1, 2, look, (t));                           \
        pl_loop_run((t)->loop);                                                                    \
        pl_timer_stop(&looks_);                                                                    \
        if ((t)->gave_up) fail_msg("waited in vain for " #condition);                              \
    } while (0)

#define CONDITION(name, expression)                                                                \
    static bool name(void *arg)                                                                    \
    {                                                                                              \
        test_t *t = arg;                                                                           \
        return expression;                                                                         \
    }

CONDITION(lane_is_up, t->ready_lane != 0 && t->speech_ready)
CONDITION(lane_is_down, t->broken_lane != 0)
CONDITION(one_leg_is_closed, t->closed == 1)
CONDITION(half_a_second_was_heard, t->slots[0].heard >= 25)
CONDITION(a_second_of_sound_was_heard, t->slots[0].sounded >= 50)
CONDITION(a_turn_is_finished, t->slots[0].finished >= 1)
CONDITION(a_flush_is_answered, t->slots[0].flushed >= 1)
CONDITION(a_bit_was_played, t->slots[0].last.heard_ms >= 200)
CONDITION(the_credit_is_told, t->slots[0].credit_ms != 0)
CONDITION(the_phone_heard_a_second, t->phone_frames >= 50)

/* ---- fixture --------------------------------------------------------------------------------------- */

static void listen_for_lane(test_t *t, const char *name)
{
    char endpoint[128];
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/%s", t->folder, name);
    t->speech_ready = t->speech_broken = false;
    pl_lane_sink_t sink = {on_speech_ready, on_speech_frame, on_speech_broken, t};
    assert_int_equal(pl_lane_listen(&t->lane, t->loop, endpoint, "", token, &sink), PL_OK);
}

static void open_lane(test_t *t, uint64_t number, uint32_t thread)
{
    char name[32];
    (void)snprintf(name, sizeof name, "lane-%u", (unsigned)number);
    listen_for_lane(t, name);
    t->ready_lane = 0;
    media_lane_connect(t->media, thread, pl_lane_endpoint(t->lane), number, token);
    wait_until(t, lane_is_up);
    assert_int_equal(t->ready_lane, number);
}

static test_t *begin(const char *settings)
{
    test_t *t = calloc(1, sizeof *t);
    assert_non_null(t);
    strcpy(t->folder, "/tmp/media-test-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    char yaml[512];
    char error[256] = "";
    (void)snprintf(yaml, sizeof yaml,
                   "telephony:\n  rtp: {listen: 127.0.0.1, port_min: 22000, port_max: 22499}\n%s%s",
                   strstr(settings, "audio:")
                       ? ""
                       : "  audio: {echo: none, noise: none, comfort_noise_db: 0}\n",
                   settings);
    t->cfg = pl_config_parse("telephony", telephony_config_keys, "test", yaml, error, sizeof error);
    if (!t->cfg) fail_msg("%s", error);
    t->loop = pl_loop_new();
    t->skipped_before = pl_metric_value(
        pl_metric_counter("parley_media_ticks_skipped_total", NULL, "the same one"));
    media_sink_t sink = {.dtmf = on_dtmf,
                         .lost = on_lost,
                         .speechless = on_speechless,
                         .lane_ready = on_lane_ready,
                         .lane_broken = on_lane_broken,
                         .browser_audio = on_browser_audio,
                         .browser_flush = on_browser_flush,
                         .prompt_done = on_prompt_done,
                         .closed = on_closed,
                         .arg = t};
    assert_int_equal(media_new(&t->media, t->loop, t->cfg, &sink), PL_OK);
    return t;
}

static void end(test_t *t)
{
    media_destroy(&t->media);
    media_destroy(&t->media);
    pl_timer_stop(&t->phone_timer);
    rtp_leg_destroy(&t->phone);
    pl_lane_destroy(&t->lane);
    pl_loop_destroy(&t->loop);
    pl_config_destroy(&t->cfg);
    assert_int_equal(rmdir(t->folder), 0); /* the lanes' sockets are gone, too */
    free(t);
}

/* A phone that talks with a leg whose audio is slot 0 of lane 1. */
static media_leg_t begin_call(test_t *t)
{
    media_leg_t leg = 0;
    uint16_t port = 0;
    assert_int_equal(media_leg_rtp(t->media, &leg, &port), PL_OK);
    open_lane(t, 1, media_leg_thread(t->media, leg));
    media_leg_stream(t->media, leg, 1, 0, 100);
    phone_call(t, port);
    rtp_params_t p = params(rtp_leg_port(t->phone));
    media_leg_params(t->media, leg, &p);
    return leg;
}

/* ---- tests ----------------------------------------------------------------------------------------- */

static void a_phone_and_speech_hear_each_other(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = begin_call(t);
    t->phone_hz = 440;
    wait_until(t, a_second_of_sound_was_heard);
    slot_t *s = &t->slots[0];
    assert_no_gaps(t, 0);
    assert_int_equal(s->credit_ms, 400); /* told before anything is said */
    assert_true(s->voiced > 20);         /* until the tone seems a steady noise */
    double snr = tone_snr_db(s->sound + 20 * PL_FRAME_SAMPLES, 20 * PL_FRAME_SAMPLES, 440);
    print_message("speech hears with %.1f dB\n", snr);
    assert_true(snr > 10);

    say_tone(t, 0, 1, 1000, 20, false);
    wait_until(t, a_bit_was_played);
    for (uint32_t i = 20; i < 30; i++) {
        int16_t pcm[PL_FRAME_SAMPLES];
        tone_fill(pcm, PL_FRAME_SAMPLES, (size_t)i * PL_FRAME_SAMPLES, 1000, -12);
        send_out(t, 0, 100, 1, i, pcm, i == 29 ? 160 : PL_FRAME_SAMPLES, i == 29);
    }
    wait_until(t, a_turn_is_finished);
    assert_int_equal(s->started, 1);
    assert_int_equal(s->last.turn, 1);
    assert_int_equal(s->last.heard_ms, 590);
    assert_true(s->reports >= 7);
    wait_until(t, the_phone_heard_a_second);
    print_message("the phone hears with %.1f dB\n", phone_best_snr_db(t, 1000));
    assert_true(phone_best_snr_db(t, 1000) > 25);
    media_leg_close(t->media, &leg);
    assert_int_equal(leg, 0);
    wait_until(t, one_leg_is_closed);
    assert_true(t->stats.underruns < 25);
    assert_int_equal(t->stats.stale, 0);
    assert_true(t->stats.rtp.received > 40 && t->stats.rtp.sent > 40);
    assert_true(t->stats.duration_ms > 1000);
    end(t);
}

static void a_flush_stops_the_voice_and_late_frames_are_dropped(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = begin_call(t);
    wait_until(t, the_credit_is_told);
    say_tone(t, 0, 1, 700, 20, false);
    wait_until(t, a_bit_was_played);
    send_flush(t, 0, 1);
    send_out(t, 0, 100, 1, 20, (int16_t[2]){5, 5}, 2, true);
    wait_until(t, a_flush_is_answered);
    slot_t *s = &t->slots[0];
    assert_int_equal(s->last.turn, 1);
    assert_true(s->last.heard_ms >= 200 && s->last.heard_ms <= 400);
    assert_true(s->last.finished);
    media_leg_close(t->media, &leg);
    wait_until(t, one_leg_is_closed);
    assert_int_equal(t->stats.stale, 1);
    end(t);
}

static void another_generation_or_slot_is_not_heard(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = begin_call(t);
    wait_until(t, the_credit_is_told);
    int16_t loud[PL_FRAME_SAMPLES];
    tone_fill(loud, PL_FRAME_SAMPLES, 0, 700, -12);
    for (uint32_t i = 0; i < 10; i++) {
        send_out(t, 0, 99, 1, i, loud, PL_FRAME_SAMPLES, i == 9);      /* a former caller's */
        send_out(t, 256, 100, 1, i, loud, PL_FRAME_SAMPLES, i == 9);   /* same place in a table */
        send_out(t, 70000, 100, 1, i, loud, PL_FRAME_SAMPLES, i == 9); /* nobody's */
    }
    wait_until(t, the_phone_heard_a_second);
    assert_true(tone_level_db(t->phone_sound, SOUND * PL_FRAME_SAMPLES) < -80);
    assert_int_equal(t->slots[0].started, 0);
    media_leg_close(t->media, &leg);
    wait_until(t, one_leg_is_closed);
    assert_int_equal(t->stats.stale, 10);
    end(t);
}

static void a_leg_survives_its_lane_and_goes_on_with_another(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = begin_call(t);
    t->phone_hz = 440;
    wait_until(t, half_a_second_was_heard);
    say_tone(t, 0, 1, 1000, 5, false);
    wait_until(t, a_second_of_sound_was_heard);
    pl_lane_destroy(&t->lane); /* speech is killed */
    wait_until(t, lane_is_down);
    assert_int_equal(t->broken_lane, 1);
    uint32_t missing = t->phone_missing;
    t->phone_frames = 0;
    wait_until(t, the_phone_heard_a_second);
    assert_true(t->phone_missing - missing < 5); /* silence is sent */

    media_leg_stream(t->media, leg, 1, 0, 100); /* too late for that one: nothing happens */
    memset(t->slots, 0, sizeof t->slots);
    open_lane(t, 2, media_leg_thread(t->media, leg));
    media_leg_stream(t->media, leg, 2, 3, 103);
    say_tone(t, 3, 1, 1000, 3, true); /* the same turn again; may come before the stream: stale */
    t->slots[0].heard = 0;
    t->phone_frames = 0;
    wait_until(t, the_phone_heard_a_second);
    assert_true(t->slots[3].heard > 25 && t->slots[3].sounded > 25);
    assert_int_equal(t->slots[3].credit_ms, 400);
    assert_int_equal(t->slots[0].heard, 0);
    media_leg_close(t->media, &leg);
    wait_until(t, one_leg_is_closed);
    assert_true(t->stats.underruns < 40); /* the turn that lost its speech ended by itself */
    end(t);
}

static void a_lane_that_cannot_be_opened_is_told(void **state)
{
    (void)state;
    test_t *t = begin("");
    listen_for_lane(t, "wrong");
    uint8_t wrong[PL_LANE_TOKEN_BYTES] = {1};
    media_lane_connect(t->media, 0, pl_lane_endpoint(t->lane), 5, wrong);
    wait_until(t, lane_is_down);
    assert_int_equal(t->broken_lane, 5);
    assert_true(t->why[0] != 0);
    t->broken_lane = 0;
    media_lane_connect(t->media, 0, "ipc:///nonexistent/lane", 6, token);
    wait_until(t, lane_is_down);
    assert_int_equal(t->broken_lane, 6);
    end(t);
}

static void a_leg_that_rings_streams_empty_frames(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = 0;
    uint16_t port = 0;
    assert_int_equal(media_leg_rtp(t->media, &leg, &port), PL_OK);
    assert_in_range(port, 22000, 22498);
    open_lane(t, 1, media_leg_thread(t->media, leg));
    media_leg_stream(t->media, leg, 1, 0, 100);
    wait_until(t, half_a_second_was_heard);
    assert_int_equal(t->slots[0].empty, t->slots[0].heard);
    assert_int_equal(t->slots[0].voiced, 0);
    assert_no_gaps(t, 0);
    end(t); /* with the leg still open */
}

CONDITION(three_keys_each, strlen(t->keys) == 3 && strlen(t->phone_keys) == 3)

static void keys_pass_in_both_directions(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = begin_call(t);
    wait_until(t, the_phone_heard_a_second);
    assert_int_equal(rtp_leg_send_dtmf(t->phone, "12#", 100), PL_OK);
    media_leg_dtmf(t->media, leg, "9*A", 100);
    wait_until(t, three_keys_each);
    assert_string_equal(t->keys, "12#");
    assert_string_equal(t->phone_keys, "9*A");
    end(t);
}

CONDITION(the_far_end_is_lost, t->lost == 1)

static void a_silent_far_end_is_told_after_the_configured_time(void **state)
{
    (void)state;
    test_t *t = begin("  media: {threads: 2}\n");
    assert_int_equal(media_threads(t->media), 2);
    media_leg_t leg = 0;
    uint16_t port = 0;
    assert_int_equal(media_leg_rtp(t->media, &leg, &port), PL_OK);
    rtp_params_t p = params(22999);
    p.media_timeout_ms = 300;
    uint64_t before = pl_clock_ms();
    media_leg_params(t->media, leg, &p);
    wait_until(t, the_far_end_is_lost);
    assert_in_range(pl_clock_ms() - before, 280, 1500);
    end(t);
}

CONDITION(a_prompt_is_done, t->prompts_done == 1)

static void a_prompt_takes_the_place_of_what_was_said(void **state)
{
    (void)state;
    test_t *t = begin("");
    media_leg_t leg = begin_call(t);
    wait_until(t, the_credit_is_told);
    say_tone(t, 0, 1, 1000, 20, false);
    wait_until(t, a_bit_was_played);
    static int16_t prompt[50 * PL_FRAME_SAMPLES + 7];
    size_t samples = sizeof prompt / sizeof prompt[0];
    tone_fill(prompt, samples, 0, 600, -12);
    media_leg_prompt(t->media, leg, prompt, samples);
    memset(prompt, 0, sizeof prompt); /* it was copied */
    wait_until(t, a_flush_is_answered);
    memset(t->phone_sound, 0, sizeof t->phone_sound);
    wait_until(t, a_prompt_is_done);
    assert_true(phone_best_snr_db(t, 600) > 25);
    assert_true(t->slots[0].last.heard_ms <= 400);
    end(t);
}

/* ---- browsers -------------------------------------------------------------------------------------- */

static void browsers_talk(void *arg)
{
    test_t *t = arg;
    for (size_t i = 0; i < MAX_LEGS; i++) {
        if (!t->browsers[i].leg) continue;
        int16_t pcm[PL_FRAME_SAMPLES];
        for (size_t k = 0; k < PL_FRAME_SAMPLES; k++) pcm[k] = t->browsers[i].expected;
        media_leg_push(t->media, t->browsers[i].leg, (const uint8_t *)pcm);
    }
}

static bool every_browser_hears_itself(void *arg)
{
    test_t *t = arg;
    for (size_t i = 0; i < 10; i++) {
        if (t->browsers[i].sample != t->browsers[i].expected) return false;
    }
    return true;
}
CONDITION(browsers_played_a_while, t->browsers[0].audio >= 100)
CONDITION(the_browser_was_flushed, t->browsers[0].flushes >= 1)

static void ten_browser_legs_hear_each_only_themselves(void **state)
{
    (void)state;
    test_t *t = begin("");
    open_lane(t, 1, 0);
    t->echo = true;
    for (uint32_t i = 0; i < 10; i++) {
        t->browsers[i].leg = media_leg_browser(t->media);
        t->browsers[i].expected = (int16_t)(1000 + i);
        media_leg_stream(t->media, t->browsers[i].leg, 1, i, 100 + i);
    }
    pl_timer_t *talk = pl_timer_start(t->loop, 1, TICK_MS, browsers_talk, t);
    wait_until(t, every_browser_hears_itself);
    wait_until(t, browsers_played_a_while);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(t->browsers[i].other_samples, 0);
        assert_int_equal(t->slots[i].first_sample, 1000 + (int)i);
        assert_no_gaps(t, i);
    }
    t->echo = false;
    send_flush(t, 0, 1);
    wait_until(t, the_browser_was_flushed);
    assert_int_equal(t->browsers[1].flushes, 0);
    media_leg_close(t->media, &t->browsers[3].leg);
    wait_until(t, one_leg_is_closed);
    assert_true(t->stats.rtp.received > 50);
    pl_timer_stop(&talk);
    end(t); /* nine are open, events are under way */
}

CONDITION(five_seconds_of_sound_were_heard, t->slots[0].sounded >= 250)

static void a_hum_in_the_line_is_suppressed_where_that_is_asked_for(void **state)
{
    (void)state;
    test_t *t = begin("  audio: {echo: sip, noise: sip}\n");
    media_leg_t leg = begin_call(t);
    t->phone_hz = 440;
    wait_until(t, five_seconds_of_sound_were_heard);
    double level = tone_level_db(t->slots[0].sound + 240 * PL_FRAME_SAMPLES, 10 * PL_FRAME_SAMPLES);
    print_message("of -12 dB are left %.1f dB\n", level);
    assert_true(level < -18);
    media_leg_close(t->media, &leg);
    wait_until(t, one_leg_is_closed);
    assert_false(t->stats.rtp.echo.heard_echo);
    end(t);
}

CONDITION(nobody_spoke, t->speechless == 1)

static void a_leg_in_which_nobody_speaks_is_told_once(void **state)
{
    (void)state;
    test_t *t = begin("  limits: {speechless_s: 1}\n");
    media_leg_t leg = begin_call(t); /* a phone that sends silence */
    uint64_t begun_ms = pl_clock_ms();
    wait_until(t, nobody_spoke);
    assert_true(pl_clock_ms() - begun_ms >= 500);
    media_leg_close(t->media, &leg);
    wait_until(t, one_leg_is_closed);
    assert_int_equal(t->speechless, 1);
    end(t);
}

static void browser_hums(void *arg)
{
    test_t *t = arg;
    int16_t pcm[PL_FRAME_SAMPLES];
    tone_fill(pcm, PL_FRAME_SAMPLES, t->phone_sample, 440, -12);
    t->phone_sample += PL_FRAME_SAMPLES;
    media_leg_push(t->media, t->browsers[0].leg, (const uint8_t *)pcm);
}

enum { LOUD = 10000, LOW = 2000 };
CONDITION(the_voice_is_loud, t->browsers[0].sample == LOUD)
CONDITION(the_voice_is_low, t->browsers[0].sample == LOW)
CONDITION(a_second_was_played, t->slots[0].last.heard_ms >= 1000)

static void say_loud(test_t *t, uint32_t turn, bool not_interruptible)
{
    int16_t pcm[PL_FRAME_SAMPLES];
    for (size_t i = 0; i < PL_FRAME_SAMPLES; i++) pcm[i] = LOUD;
    for (uint32_t i = 0; i < 100; i++) {
        Pl__LaneSayOut out = PL__LANE_SAY_OUT__INIT;
        out.turn = turn;
        out.seq = i;
        out.pcm = (ProtobufCBinaryData){sizeof pcm, (uint8_t *)pcm};
        out.not_interruptible = not_interruptible;
        Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
        frame.generation = 100;
        frame.body_case = PL__LANE_FRAME__BODY_OUT;
        frame.out = &out;
        assert_int_equal(pl_lane_send(t->lane, &frame), PL_OK);
    }
}

static void the_voice_gives_way_to_the_callers_until_speech_lets_it_rise(void **state)
{
    (void)state;
    test_t *t = begin("");
    open_lane(t, 1, 0);
    t->browsers[0].leg = media_leg_browser(t->media);
    media_leg_stream(t->media, t->browsers[0].leg, 1, 0, 100);
    say_loud(t, 1, false);
    wait_until(t, the_voice_is_loud);
    pl_timer_t *hums = pl_timer_start(t->loop, 1, TICK_MS, browser_hums, t);
    wait_until(t, the_voice_is_low);
    Pl__LaneRise rise = PL__LANE_RISE__INIT;
    rise.turn = 1;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.generation = 100;
    frame.body_case = PL__LANE_FRAME__BODY_RISE;
    frame.rise = &rise;
    assert_int_equal(pl_lane_send(t->lane, &frame), PL_OK);
    wait_until(t, the_voice_is_loud); /* though the humming goes on */
    pl_timer_stop(&hums);
    end(t);
}

static void what_may_not_be_interrupted_is_said_at_full_loudness(void **state)
{
    (void)state;
    test_t *t = begin("");
    open_lane(t, 1, 0);
    t->browsers[0].leg = media_leg_browser(t->media);
    t->browsers[0].expected = LOUD;
    media_leg_stream(t->media, t->browsers[0].leg, 1, 0, 100);
    pl_timer_t *hums = pl_timer_start(t->loop, 1, TICK_MS, browser_hums, t);
    say_loud(t, 1, true);
    wait_until(t, a_second_was_played);
    assert_true(t->slots[0].voiced > 10);
    assert_int_equal(t->browsers[0].other_samples, 0);
    pl_timer_stop(&hums);
    end(t);
}

static void refused(const char *yaml)
{
    char error[256];
    pl_config_t *cfg =
        pl_config_parse("telephony", telephony_config_keys, "test", yaml, error, sizeof error);
    assert_non_null(cfg);
    pl_loop_t *loop = pl_loop_new();
    media_sink_t sink = {0};
    media_t *media = NULL;
    assert_int_equal(media_new(&media, loop, cfg, &sink), PL_INVALID);
    assert_null(media);
    pl_loop_destroy(&loop);
    pl_config_destroy(&cfg);
}

static void a_wrong_address_is_refused(void **state)
{
    (void)state;
    refused("telephony:\n  rtp: {listen: example.org}\n");
}

static void a_wrong_kind_of_leg_is_refused(void **state)
{
    (void)state;
    refused("telephony:\n  audio: {echo: \"sip,pigeon\"}\n");
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_and_speech_hear_each_other),
        cmocka_unit_test(a_flush_stops_the_voice_and_late_frames_are_dropped),
        cmocka_unit_test(another_generation_or_slot_is_not_heard),
        cmocka_unit_test(a_leg_survives_its_lane_and_goes_on_with_another),
        cmocka_unit_test(a_lane_that_cannot_be_opened_is_told),
        cmocka_unit_test(a_leg_that_rings_streams_empty_frames),
        cmocka_unit_test(keys_pass_in_both_directions),
        cmocka_unit_test(a_silent_far_end_is_told_after_the_configured_time),
        cmocka_unit_test(a_prompt_takes_the_place_of_what_was_said),
        cmocka_unit_test(ten_browser_legs_hear_each_only_themselves),
        cmocka_unit_test(the_voice_gives_way_to_the_callers_until_speech_lets_it_rise),
        cmocka_unit_test(what_may_not_be_interrupted_is_said_at_full_loudness),
        cmocka_unit_test(a_hum_in_the_line_is_suppressed_where_that_is_asked_for),
        cmocka_unit_test(a_leg_in_which_nobody_speaks_is_told_once),
        cmocka_unit_test(a_wrong_address_is_refused),
        cmocka_unit_test(a_wrong_kind_of_leg_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
