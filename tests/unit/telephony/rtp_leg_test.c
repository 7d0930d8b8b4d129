/* Two legs that talk over loopback UDP, with a simulated clock and a network in between that loses,
 * repeats and reorders. */
#include "services/telephony/rtp_leg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/telephony/rtp.h"
#include "tests/unit/telephony/tone.h"

enum { PORT_MIN = 22000, PORT_MAX = 22899, TICK_US = 20000, SECONDS = 10, RELAYED = 64 };

/* Stands before the C library's: the clock is simulated here, so how long a datagram really waited
 * on a busy machine must not show. */
static bool kernel_stamps;

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags, struct timespec *timeout)
{
    int n = (int)syscall(SYS_recvmmsg, fd, msgs, count, flags, timeout);
    for (int i = 0; i < n && !kernel_stamps; i++) msgs[i].msg_hdr.msg_controllen = 0;
    return n;
}

typedef struct {
    rtp_leg_t *leg;
    double hz; /* of the tone it sends; 0: silence */
    size_t sent_samples;
    int16_t *heard; /* SECONDS of sound, then wraps */
    size_t frames, missing, concealed;
    char keys[64];
    uint32_t key_ms[64];
    size_t n_keys;
    unsigned lost;
} end_t;

typedef struct {
    pl_loop_t *loop;
    uint64_t now_us;
    end_t a, b;
} pair_t;

static void on_heard(void *arg, const rtp_heard_t *frame)
{
    end_t *e = arg;
    assert_true(frame->seq >= e->frames); /* ahead when ticks were left out */
    memcpy(e->heard + e->frames % (SECONDS * 50) * CODEC_FRAME_SAMPLES, frame->pcm,
           sizeof frame->pcm);
    e->frames++;
    e->missing += frame->missing;
    e->concealed += frame->concealed;
}

static bool on_next(void *arg, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    end_t *e = arg;
    if (e->hz == 0) return false;
    tone_fill(pcm, CODEC_FRAME_SAMPLES, e->sent_samples, e->hz, -12);
    e->sent_samples += CODEC_FRAME_SAMPLES;
    return true;
}

static void on_dtmf(void *arg, char digit, uint32_t duration_ms)
{
    end_t *e = arg;
    assert_true(e->n_keys < sizeof e->keys - 1);
    e->keys[e->n_keys] = digit;
    e->key_ms[e->n_keys++] = duration_ms;
}

static void on_lost(void *arg)
{
    ((end_t *)arg)->lost++;
}

static struct sockaddr_storage loopback(uint16_t port)
{
    struct sockaddr_storage out = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&out, &a, sizeof a);
    return out;
}

static rtp_params_t params(codec_kind_t codec, uint16_t remote_port)
{
    const codec_info_t *info = codec_info(codec);
    return (rtp_params_t){.codec = codec,
                          .pt = info->static_pt == 0xff ? 96 : info->static_pt,
                          .dtmf_pt = 101,
                          .dtmf_hz = info->rtp_hz,
                          .remote = loopback(remote_port),
                          .send = true,
                          .receive = true,
                          .jitter_min_ms = 20,
                          .jitter_max_ms = 200};
}

static void start(pair_t *p, end_t *e, const rtp_params_t *with)
{
    rtp_sink_t sink = {on_heard, on_next, on_dtmf, on_lost, e};
    assert_int_equal(rtp_leg_start(e->leg, p->loop, with, &sink), PL_OK);
}

static void end_init(end_t *e, double hz)
{
    struct sockaddr_storage any = loopback(0);
    assert_int_equal(rtp_leg_new(&e->leg, (struct sockaddr *)&any, PORT_MIN, PORT_MAX), PL_OK);
    e->hz = hz;
    e->heard = calloc((size_t)SECONDS * 50 * CODEC_FRAME_SAMPLES, sizeof *e->heard);
    assert_non_null(e->heard);
}

static void pair_init(pair_t *p, codec_kind_t codec)
{
    memset(p, 0, sizeof *p);
    p->loop = pl_loop_new();
    p->now_us = 100000000;
    end_init(&p->a, 440);
    end_init(&p->b, 1000);
    rtp_params_t to_b = params(codec, rtp_leg_port(p->b.leg));
    rtp_params_t to_a = params(codec, rtp_leg_port(p->a.leg));
    start(p, &p->a, &to_b);
    start(p, &p->b, &to_a);
}

static void pair_end(pair_t *p)
{
    rtp_leg_destroy(&p->a.leg);
    rtp_leg_destroy(&p->b.leg);
    free(p->a.heard);
    free(p->b.heard);
    pl_loop_destroy(&p->loop);
}

static void run(pair_t *p, size_t ticks)
{
    for (size_t i = 0; i < ticks; i++) {
        p->now_us += TICK_US;
        rtp_leg_tick_at(p->a.leg, p->now_us);
        rtp_leg_tick_at(p->b.leg, p->now_us);
    }
}

static double heard_snr_db(const end_t *e, size_t from, size_t frames, double hz)
{
    return tone_snr_db(e->heard + from * CODEC_FRAME_SAMPLES, frames * CODEC_FRAME_SAMPLES, hz);
}

/* ---- a network in between ------------------------------------------------------------------------ */

typedef struct {
    int fd;
    struct sockaddr_storage to, back; /* what comes from to goes back, unharmed */
    uint32_t random;
    unsigned loss_percent, duplicate_percent, reorder_percent;
    uint8_t held[RTP_MAX_BYTES]; /* waits for the next one to pass it */
    ssize_t held_bytes;
    unsigned drop_event_ends; /* drop so many packets that say a key was let go */
} relay_t;

static uint16_t relay_init(relay_t *r, const pair_t *p, uint32_t seed)
{
    *r = (relay_t){.to = loopback(rtp_leg_port(p->b.leg)),
                   .back = loopback(rtp_leg_port(p->a.leg)),
                   .random = seed};
    r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_storage at = loopback(0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&bound, &size), 0);
    return ntohs(bound.sin_port);
}

static void pass(relay_t *r, const struct sockaddr_storage *to, const uint8_t *bytes, ssize_t size)
{
    sendto(r->fd, bytes, (size_t)size, 0, (const struct sockaddr *)to, sizeof(struct sockaddr_in));
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
    struct sockaddr_in v4;
    memcpy(&v4, a, sizeof v4);
    return ntohs(v4.sin_port);
}

static bool percent(relay_t *r, unsigned share)
{
    return share > 0 && tone_random(&r->random) % 100 < share;
}

static bool says_let_go(const uint8_t *bytes, ssize_t size)
{
    return size == RTP_HEADER_BYTES + RTP_EVENT_BYTES && (bytes[1] & 0x7f) == 101 &&
           (bytes[RTP_HEADER_BYTES + 1] & 0x80);
}

static void relay_run(relay_t *r)
{
    uint8_t bytes[RTP_MAX_BYTES];
    ssize_t size;
    struct sockaddr_storage from = {0};
    socklen_t from_size = sizeof from;
    while ((size = recvfrom(r->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_size)) >
           0) {
        if (port_of(&from) == port_of(&r->to)) {
            pass(r, &r->back, bytes, size);
            continue;
        }
        if (r->drop_event_ends > 0 && says_let_go(bytes, size)) {
            r->drop_event_ends--;
            continue;
        }
        if (percent(r, r->loss_percent)) continue;
        if (r->held_bytes == 0 && percent(r, r->reorder_percent)) {
            memcpy(r->held, bytes, (size_t)size);
            r->held_bytes = size;
            continue;
        }
        pass(r, &r->to, bytes, size);
        if (percent(r, r->duplicate_percent)) pass(r, &r->to, bytes, size);
        if (r->held_bytes > 0) pass(r, &r->to, r->held, r->held_bytes);
        r->held_bytes = 0;
    }
}

/* ---- tests --------------------------------------------------------------------------------------- */

static void two_legs_hear_each_other_in_every_codec(void **state)
{
    (void)state;
    for (codec_kind_t codec = 0; codec < CODEC_KINDS; codec++) {
        pair_t p;
        pair_init(&p, codec);
        run(&p, 400);
        double b_hears = heard_snr_db(&p.b, 50, 340, 440);
        double a_hears = heard_snr_db(&p.a, 50, 340, 1000);
        print_message("%s: SNR %.1f and %.1f dB\n", codec_info(codec)->name, b_hears, a_hears);
        double least = codec == CODEC_OPUS ? 20 : 33;
        assert_true(b_hears > least && a_hears > least);
        rtp_stats_t stats;
        rtp_leg_stats(p.b.leg, &stats);
        assert_true(stats.received >= 399);
        assert_int_equal(
            stats.lost + stats.late + stats.duplicate + stats.malformed + stats.foreign, 0);
        /* Opus begins softly: quiet, in which the delay may be lengthened. */
        assert_true(stats.concealed_frames <= (codec == CODEC_OPUS));
        assert_int_equal(stats.sent, 400);
        assert_true(stats.jitter_us < 5000);
        pair_end(&p);
    }
}

static void a_network_that_loses_repeats_and_reorders_is_survived_and_counted(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_G722);
    relay_t relay;
    uint16_t port = relay_init(&relay, &p, 77);
    relay.loss_percent = 3;
    relay.duplicate_percent = 5;
    relay.reorder_percent = 5;
    rtp_params_t by_relay = params(CODEC_G722, port);
    start(&p, &p.a, &by_relay);
    rtp_params_t from_relay = params(CODEC_G722, port);
    from_relay.jitter_min_ms = 60;
    start(&p, &p.b, &from_relay);
    for (size_t i = 0; i < 500; i++) {
        run(&p, 1);
        relay_run(&relay);
    }
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    double snr = heard_snr_db(&p.b, 50, 440, 440);
    print_message("received %u lost %u late %u duplicate %u concealed %u, SNR %.1f dB\n",
                  stats.received, stats.lost, stats.late, stats.duplicate, stats.concealed_frames,
                  snr);
    assert_in_range(stats.lost, 5, 30);
    assert_in_range(stats.duplicate, 10, 50);
    assert_int_equal(stats.late, 0);
    assert_true(stats.concealed_frames >= stats.lost && stats.concealed_frames <= 3 * stats.lost);
    assert_true(snr > 12);
    close(relay.fd);
    pair_end(&p);
}

static void clocks_that_drift_do_not_grow_the_delay(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    /* b's clock is 1000 ppm slow against a's: in ten minutes it falls 0.6 s behind. */
    uint64_t b_us = p.now_us;
    uint32_t before = 0;
    for (size_t i = 0; i < 30000; i++) {
        p.now_us += TICK_US;
        rtp_leg_tick_at(p.a.leg, p.now_us);
        if (i % 1000 == 999) continue; /* one tick less in a thousand */
        b_us += TICK_US;
        rtp_leg_tick_at(p.b.leg, b_us);
        if (i == 20000) {
            rtp_stats_t stats;
            rtp_leg_stats(p.b.leg, &stats);
            before = stats.concealed_frames + stats.late;
        }
    }
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.lost, 0);
    assert_true(stats.concealed_frames + stats.late - before < 30);
    pair_end(&p);
}

static void keys_arrive_in_both_directions(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_G722);
    run(&p, 20);
    assert_int_equal(rtp_leg_send_dtmf(p.a.leg, "159#", 100), PL_OK);
    assert_int_equal(rtp_leg_send_dtmf(p.b.leg, "0*d", 60), PL_OK);
    run(&p, 100);
    assert_string_equal(p.b.keys, "159#");
    assert_string_equal(p.a.keys, "0*D");
    for (size_t i = 0; i < 4; i++) assert_int_equal(p.b.key_ms[i], 100);
    for (size_t i = 0; i < 3; i++) assert_int_equal(p.a.key_ms[i], 60);
    assert_int_equal(rtp_leg_send_dtmf(p.a.leg, "12x", 100), PL_INVALID);
    assert_int_equal(rtp_leg_send_dtmf(p.a.leg, "", 100), PL_INVALID);
    run(&p, 20);
    assert_string_equal(p.b.keys, "159#");
    pair_end(&p);
}

static void keys_go_as_tones_where_no_events_were_agreed_on(void **state)
{
    (void)state;
    static const codec_kind_t codecs[] = {CODEC_PCMU, CODEC_PCMA, CODEC_G722, CODEC_L16,
                                          CODEC_OPUS};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        pair_t p;
        pair_init(&p, codecs[i]);
        rtp_params_t to_b = params(codecs[i], rtp_leg_port(p.b.leg));
        rtp_params_t to_a = params(codecs[i], rtp_leg_port(p.a.leg));
        to_a.dtmf_pt = to_b.dtmf_pt = 0;
        start(&p, &p.a, &to_b);
        start(&p, &p.b, &to_a);
        p.a.hz = p.b.hz = 0;
        run(&p, 20);
        assert_int_equal(rtp_leg_send_dtmf(p.a.leg, "159#", 100), PL_OK);
        run(&p, 70);
        assert_int_equal(rtp_leg_send_dtmf(p.b.leg, "00*d", 80), PL_OK);
        run(&p, 70);
        assert_string_equal(p.b.keys, "159#");
        assert_string_equal(p.a.keys, "00*D");
        for (size_t k = 0; k < 4; k++) assert_in_range(p.b.key_ms[k], 60, 120);
        pair_end(&p);
    }
}

static void a_key_whose_end_packets_are_all_lost_is_told_once(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMA);
    relay_t relay;
    uint16_t port = relay_init(&relay, &p, 5);
    rtp_params_t by_relay = params(CODEC_PCMA, port);
    start(&p, &p.a, &by_relay);
    start(&p, &p.b, &by_relay);
    relay.drop_event_ends = 3;
    relay.duplicate_percent = 50;
    assert_int_equal(rtp_leg_send_dtmf(p.a.leg, "7", 200), PL_OK);
    for (size_t i = 0; i < 50; i++) {
        run(&p, 1);
        relay_run(&relay);
    }
    assert_string_equal(p.b.keys, "7");
    assert_in_range(p.b.key_ms[0], 160, 200);

    relay.drop_event_ends = 3; /* the end of 1 is lost, 2 comes while 1 still seems held */
    assert_int_equal(rtp_leg_send_dtmf(p.a.leg, "12", 100), PL_OK);
    for (size_t i = 0; i < 50; i++) {
        run(&p, 1);
        relay_run(&relay);
    }
    assert_string_equal(p.b.keys, "712");
    close(relay.fd);
    pair_end(&p);
}

static void the_source_is_learned_when_sdp_told_another_address(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    rtp_params_t wrong = params(CODEC_PCMU, 22999); /* b was told a private address, say */
    start(&p, &p.b, &wrong);
    run(&p, 100);
    assert_true(heard_snr_db(&p.b, 20, 70, 440) > 33);
    assert_true(heard_snr_db(&p.a, 20, 70, 1000) > 33); /* b answers to where a sends from */
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.foreign, 2); /* of the three that make a source known */
    pair_end(&p);
}

static int stranger(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage at = loopback(0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    return fd;
}

static void send_raw(int fd, uint16_t port, const void *bytes, size_t size)
{
    struct sockaddr_storage to = loopback(port);
    ssize_t n = sendto(fd, bytes, size, 0, (struct sockaddr *)&to, sizeof(struct sockaddr_in));
    assert_int_equal(n, size);
}

static void a_stranger_cannot_speak_into_a_leg(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    run(&p, 20);
    int fd = stranger();
    uint8_t bytes[RTP_HEADER_BYTES + 160];
    for (uint16_t i = 0; i < 200; i++) {
        rtp_packet_t head = {.pt = 0, .seq = i, .timestamp = 160u * i, .ssrc = 666};
        rtp_write_header(&head, bytes);
        memset(bytes + RTP_HEADER_BYTES, i, 160);
        send_raw(fd, rtp_leg_port(p.b.leg), bytes, sizeof bytes);
        run(&p, 1);
    }
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.foreign, 200);
    assert_true(heard_snr_db(&p.b, 10, 200, 440) > 33);
    assert_true(heard_snr_db(&p.a, 10, 200, 1000) > 33);
    close(fd);
    pair_end(&p);
}

static void a_source_that_moved_is_followed_after_a_silence(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    run(&p, 100);
    /* a's NAT gives it another port: the far end is now at another socket. */
    end_t moved = {0};
    end_init(&moved, 700);
    rtp_params_t to_b = params(CODEC_PCMU, rtp_leg_port(p.b.leg));
    start(&p, &moved, &to_b);
    for (size_t i = 0; i < 150; i++) {
        p.now_us += TICK_US;
        rtp_leg_tick_at(moved.leg, p.now_us);
        rtp_leg_tick_at(p.b.leg, p.now_us);
    }
    assert_true(heard_snr_db(&p.b, 180, 60, 700) > 33);
    assert_true(heard_snr_db(&moved, 100, 45, 1000) > 33);
    rtp_leg_destroy(&moved.leg);
    free(moved.heard);
    pair_end(&p);
}

static void a_new_ssrc_begins_a_new_stream(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    run(&p, 50);
    int fd = stranger(); /* stands for a far end behind b's remote address that restarts */
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
    rtp_params_t from = params(CODEC_PCMU, ntohs(bound.sin_port));
    start(&p, &p.b, &from);
    uint8_t bytes[RTP_HEADER_BYTES + 160];
    memset(bytes, 0, sizeof bytes);
    for (unsigned i = 0; i < 120; i++) {
        bool second = i >= 60;
        rtp_packet_t head = {.pt = 0,
                             .seq = (uint16_t)(second ? 40000 + i : i),
                             .timestamp = 160 * i + (second ? 0x90000000u : 0),
                             .ssrc = second ? 2 : 1};
        rtp_write_header(&head, bytes);
        memset(bytes + RTP_HEADER_BYTES, second ? 0x80 : 0x00, 160);
        send_raw(fd, rtp_leg_port(p.b.leg), bytes, sizeof bytes);
        p.now_us += TICK_US;
        rtp_leg_tick_at(p.b.leg, p.now_us);
    }
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.lost + stats.late, 0);
    assert_true(p.b.heard[100 * CODEC_FRAME_SAMPLES] < -30000); /* the first: 0x00 */
    assert_true(p.b.heard[165 * CODEC_FRAME_SAMPLES] > 30000);  /* the second: 0x80 */
    close(fd);
    pair_end(&p);
}

static void malformed_and_random_datagrams_are_counted_and_dropped(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_G722);
    run(&p, 20);
    static const uint8_t lies[][16] = {
        {0x40, 9, 0, 1},                                       /* version 1 */
        {0x8f, 9, 0, 1},                                       /* 15 CSRCs that are not there */
        {0x90, 9, 0, 1},                                       /* an extension without its header */
        {0xa0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 200}, /* padding longer than all */
        {0xa0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0},   /* no padding though said so */
    };
    int fd = stranger();
    uint16_t port = rtp_leg_port(p.b.leg);
    for (size_t i = 0; i < 5; i++) send_raw(fd, port, lies[i], i < 3 ? 12 : 16);
    send_raw(fd, port, "x", 1);
    uint8_t big[4000] = {0x80, 9};
    send_raw(fd, port, big, sizeof big);
    run(&p, 5);
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.malformed, 7);

    uint32_t random = 4711;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[200];
        size_t n = tone_random(&random) % sizeof bytes;
        for (size_t k = 0; k < n; k++) bytes[k] = (uint8_t)tone_random(&random);
        if (n > 1 && i % 2) bytes[0] = (uint8_t)(0x80 | (bytes[0] & 0x3f));
        if (n > 1 && i % 4 == 1) bytes[1] = i % 8 == 1 ? 9 : 200;
        send_raw(fd, port, bytes, n);
        if (i % 16 == 0) run(&p, 1);
    }
    run(&p, 20);
    assert_true(heard_snr_db(&p.b, p.b.frames % 500 - 20, 20, 440) > 30);
    close(fd);
    pair_end(&p);
}

static void hold_sends_nothing_and_hears_nothing(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_L16);
    run(&p, 50);
    rtp_params_t held = params(CODEC_L16, rtp_leg_port(p.a.leg));
    held.send = false;
    held.receive = false;
    held.media_timeout_ms = 500;
    start(&p, &p.b, &held);
    size_t said = p.b.sent_samples;
    p.b.missing = 0;
    run(&p, 100);
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.sent, 50);
    assert_int_equal(p.b.sent_samples, said); /* nothing was used up */
    assert_int_equal(p.b.missing, 100);
    assert_int_equal(p.b.lost, 0); /* hold is no loss */
    held.send = held.receive = true;
    start(&p, &p.b, &held);
    run(&p, 100);
    assert_true(heard_snr_db(&p.b, 170, 70, 440) > 60);
    assert_true(heard_snr_db(&p.a, 170, 70, 1000) > 60);
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.lost, 0);
    pair_end(&p);
}

static void silence_of_the_far_end_is_told_once_and_again_after_it_came_back(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    rtp_params_t with = params(CODEC_PCMU, rtp_leg_port(p.a.leg));
    with.media_timeout_ms = 1000;
    start(&p, &p.b, &with);
    run(&p, 200);
    assert_int_equal(p.b.lost, 0);
    for (int i = 0; i < 200; i++) {
        p.now_us += TICK_US;
        rtp_leg_tick_at(p.b.leg, p.now_us);
        if (i == 45) assert_int_equal(p.b.lost, 0);
        if (i == 55) assert_int_equal(p.b.lost, 1);
    }
    assert_int_equal(p.b.lost, 1);
    run(&p, 10);
    for (int i = 0; i < 100; i++) {
        p.now_us += TICK_US;
        rtp_leg_tick_at(p.b.leg, p.now_us);
    }
    assert_int_equal(p.b.lost, 2);
    pair_end(&p);
}

static void a_changed_codec_goes_on_in_the_new_one(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    run(&p, 100);
    rtp_params_t to_b = params(CODEC_G722, rtp_leg_port(p.b.leg));
    rtp_params_t to_a = params(CODEC_G722, rtp_leg_port(p.a.leg));
    start(&p, &p.a, &to_b);
    start(&p, &p.b, &to_a);
    run(&p, 100);
    assert_true(heard_snr_db(&p.b, 120, 75, 440) > 33);
    pair_end(&p);
}

static void a_leg_whose_owner_was_stopped_goes_on_in_time(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    run(&p, 100);
    for (int i = 0; i < 30; i++) { /* 600 ms in which a does not run */
        p.now_us += TICK_US;
        rtp_leg_tick_at(p.b.leg, p.now_us);
    }
    run(&p, 150);
    rtp_stats_t stats;
    rtp_leg_stats(p.b.leg, &stats);
    assert_int_equal(stats.lost + stats.late, 0);
    rtp_leg_stats(p.a.leg, &stats);
    assert_int_equal(stats.sent, 250);
    assert_true(heard_snr_db(&p.b, 180, 100, 440) > 33);
    pair_end(&p);
}

static void wrong_parameters_are_refused(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    rtp_sink_t sink = {on_heard, on_next, on_dtmf, on_lost, &p.a};
    rtp_params_t good = params(CODEC_PCMU, 22998);
    rtp_params_t bad = good;
    bad.codec = CODEC_KINDS;
    assert_int_equal(rtp_leg_start(p.a.leg, p.loop, &bad, &sink), PL_INVALID);
    bad = good;
    bad.pt = 128;
    assert_int_equal(rtp_leg_start(p.a.leg, p.loop, &bad, &sink), PL_INVALID);
    bad = good;
    bad.dtmf_pt = bad.pt = 101;
    assert_int_equal(rtp_leg_start(p.a.leg, p.loop, &bad, &sink), PL_INVALID);
    bad = good;
    bad.remote.ss_family = AF_INET6;
    assert_int_equal(rtp_leg_start(p.a.leg, p.loop, &bad, &sink), PL_INVALID);
    run(&p, 50);
    assert_true(heard_snr_db(&p.b, 20, 25, 440) > 33);
    pair_end(&p);
}

static void ports_come_in_pairs_until_none_is_free(void **state)
{
    (void)state;
    struct sockaddr_storage any = loopback(0);
    const struct sockaddr *at = (struct sockaddr *)&any;
    rtp_leg_t *legs[3] = {NULL};
    assert_int_equal(rtp_leg_new(&legs[0], at, 22951, 22955), PL_OK);
    assert_int_equal(rtp_leg_new(&legs[1], at, 22951, 22955), PL_OK);
    assert_int_equal(rtp_leg_port(legs[0]) + rtp_leg_port(legs[1]), 22952 + 22954);
    assert_int_equal(rtp_leg_new(&legs[2], at, 22951, 22955), PL_BUSY);
    assert_null(legs[2]);
    rtp_leg_destroy(&legs[1]);
    assert_int_equal(rtp_leg_new(&legs[2], at, 22951, 22955), PL_OK);
    rtp_leg_destroy(&legs[2]);
    rtp_leg_destroy(&legs[0]);
    rtp_leg_destroy(&legs[0]);
    assert_int_equal(rtp_leg_new(&legs[0], at, 22953, 22953), PL_INVALID);
    struct sockaddr_in other = {.sin_family = AF_INET};
    other.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1: nobody's */
    assert_int_equal(rtp_leg_new(&legs[0], (struct sockaddr *)&other, PORT_MIN, PORT_MAX),
                     PL_UNAVAILABLE);
}

/* Reports need the loop and the real clock: about a second. */
typedef struct {
    pair_t *pair;
    relay_t *relay;
    unsigned ticks;
} reporting_t;

static void tick_really(void *arg)
{
    reporting_t *r = arg;
    rtp_leg_tick(r->pair->a.leg);
    rtp_leg_tick(r->pair->b.leg);
    relay_run(r->relay);
    if (++r->ticks == 40) pl_loop_stop(r->pair->loop);
}

static void reports_tell_the_round_trip_and_the_far_ends_loss(void **state)
{
    (void)state;
    pair_t p;
    pair_init(&p, CODEC_PCMU);
    relay_t relay;
    uint16_t port = relay_init(&relay, &p, 9);
    relay.loss_percent = 30;
    rtp_params_t to_a = params(CODEC_PCMU, port);
    rtp_params_t to_b = params(CODEC_PCMU, port);
    to_a.remote_rtcp = loopback((uint16_t)(rtp_leg_port(p.a.leg) + 1));
    to_b.remote_rtcp = loopback((uint16_t)(rtp_leg_port(p.b.leg) + 1));
    to_a.rtcp_interval_ms = to_b.rtcp_interval_ms = 60;
    start(&p, &p.a, &to_b);
    start(&p, &p.b, &to_a);
    reporting_t r = {&p, &relay, 0};
    kernel_stamps = true;
    pl_timer_t *timer = pl_timer_start(p.loop, 20, 20, tick_really, &r);
    pl_loop_run(p.loop);
    pl_timer_stop(&timer);
    kernel_stamps = false;
    rtp_stats_t stats;
    rtp_leg_stats(p.a.leg, &stats);
    print_message("round trip %u us, lost over there %u\n", stats.round_trip_us, stats.remote_lost);
    assert_in_range(stats.remote_lost, 2, 30);
    assert_in_range(stats.round_trip_us, 1, 50000);
    assert_int_equal(stats.malformed + stats.foreign, 0);
    close(relay.fd);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_legs_hear_each_other_in_every_codec),
        cmocka_unit_test(a_network_that_loses_repeats_and_reorders_is_survived_and_counted),
        cmocka_unit_test(clocks_that_drift_do_not_grow_the_delay),
        cmocka_unit_test(keys_arrive_in_both_directions),
        cmocka_unit_test(keys_go_as_tones_where_no_events_were_agreed_on),
        cmocka_unit_test(a_key_whose_end_packets_are_all_lost_is_told_once),
        cmocka_unit_test(the_source_is_learned_when_sdp_told_another_address),
        cmocka_unit_test(a_stranger_cannot_speak_into_a_leg),
        cmocka_unit_test(a_source_that_moved_is_followed_after_a_silence),
        cmocka_unit_test(a_new_ssrc_begins_a_new_stream),
        cmocka_unit_test(malformed_and_random_datagrams_are_counted_and_dropped),
        cmocka_unit_test(hold_sends_nothing_and_hears_nothing),
        cmocka_unit_test(silence_of_the_far_end_is_told_once_and_again_after_it_came_back),
        cmocka_unit_test(a_changed_codec_goes_on_in_the_new_one),
        cmocka_unit_test(a_leg_whose_owner_was_stopped_goes_on_in_time),
        cmocka_unit_test(wrong_parameters_are_refused),
        cmocka_unit_test(ports_come_in_pairs_until_none_is_free),
        cmocka_unit_test(reports_tell_the_round_trip_and_the_far_ends_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
