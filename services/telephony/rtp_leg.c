#include "services/telephony/rtp_leg.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/clock.h"
#include "services/telephony/dtmf.h"
#include "services/telephony/receiver.h"
#include "services/telephony/rtcp.h"
#include "services/telephony/rtp.h"
#include "services/telephony/rtp_latch.h"
#include "services/telephony/rtp_socket.h"
#include "services/telephony/rtp_source.h"
#include "services/telephony/tone_keys.h"

enum {
    DEFAULT_JITTER_MIN_MS = 20,
    DEFAULT_JITTER_MAX_MS = 200,
    DEFAULT_RTCP_MS = 5000,
    TICK_US = 20000,
    SKIP_US = 100000, /* so late that the ticks in between were left out by the owner */
    COMFORT_NOISE_PT = 13,
    LOOK_TICKS = 50,
    CNAME_BYTES = 32,
    OWN_TONE_TICKS = 15, /* its echo may come back for so long */
};

typedef struct {
    uint32_t ssrc;
    uint16_t seq;
    uint32_t timestamp;
    bool quiet; /* nothing was sent last tick: the next packet begins a talk spurt */
    uint32_t packets, octets;
} sender_t;

typedef struct {
    uint64_t due_us; /* 0: not set yet */
    uint32_t random;
    struct sockaddr_storage from; /* where the far end's reports come from; family 0: unknown */
    uint32_t lsr;                 /* of its last SR */
    uint64_t lsr_us;
    char cname[CNAME_BYTES];
} reports_t;

struct rtp_leg {
    rtp_sockets_t sockets;
    pl_watch_t *rtcp_watch;
    rtp_params_t params;
    rtp_sink_t sink;
    bool started;

    codec_t *codec;
    receiver_t *receiver;
    cleaner_t *cleaner; /* NULL: what is heard stays as it is */
    rtp_latch_t latch;
    rtp_source_t source;
    dtmf_in_t dtmf_in;
    dtmf_out_t dtmf_out;
    tone_ear_t *ear; /* NULL: the far end sends telephone events */
    tone_mouth_t mouth;
    uint32_t own_tone; /* ticks for which tones may be an echo of ours */
    sender_t sender;
    reports_t reports;

    uint64_t heard_us; /* last packet; the media time-out counts from here. 0: not begun */
    bool lost_told;
    uint32_t tick;
    uint64_t due_us;    /* when this tick should be; 0: not begun */
    uint64_t buffer_us; /* sum of buffer_looks at the jitter buffer's delay */
    uint32_t buffer_looks;
    rtp_stats_t stats;                       /* of what the sources below do not count */
    uint32_t former_lost, former_duplicates; /* of sources before this one */
};

static const struct sockaddr *plain(const struct sockaddr_storage *a)
{
    return (const struct sockaddr *)a;
}

pl_err_t rtp_leg_new(rtp_leg_t **out, const struct sockaddr *address, uint16_t port_min,
                     uint16_t port_max)
{
    rtp_sockets_t sockets;
    pl_err_t err = rtp_sockets_open(&sockets, address, port_min, port_max);
    if (err) return err;
    rtp_leg_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->sockets = sockets;

    struct {
        uint32_t ssrc, timestamp, report, name[2];
        uint16_t seq;
    } random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) abort();
    self->sender.ssrc = random.ssrc;
    self->sender.timestamp = random.timestamp;
    self->sender.seq = random.seq;
    self->sender.quiet = true;
    self->reports.random = random.report | 1;
    int n = snprintf(self->reports.cname, CNAME_BYTES, "%08x%08x", random.name[0], random.name[1]);
    assert(n > 0 && n < CNAME_BYTES); /* RFC 7022: random, tells nothing of the host */
    *out = self;
    return PL_OK;
}

uint16_t rtp_leg_port(const rtp_leg_t *self)
{
    return self->sockets.port;
}

/* ---- reports ----------------------------------------------------------------------------------- */

static uint64_t wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool report_address(const rtp_leg_t *self, struct sockaddr_storage *out)
{
    if (self->reports.from.ss_family) {
        *out = self->reports.from;
        return true;
    }
    if (self->params.remote_rtcp.ss_family &&
        rtp_address_usable(plain(&self->params.remote_rtcp))) {
        *out = self->params.remote_rtcp;
        return true;
    }
    const struct sockaddr *rtp = rtp_latch_address(&self->latch);
    if (!rtp || rtp_address_port(rtp) == UINT16_MAX) return false;
    memcpy(out, rtp, rtp_address_bytes(rtp));
    rtp_address_set_port((struct sockaddr *)out, (uint16_t)(rtp_address_port(rtp) + 1));
    return true;
}

static void send_report(rtp_leg_t *self, uint64_t now_us, bool bye)
{
    struct sockaddr_storage to;
    if (!report_address(self, &to)) return;
    rtcp_report_t report = {
        .ssrc = self->sender.ssrc,
        .sender = self->sender.packets > 0,
        .ntp = rtcp_ntp(wall_us()),
        .timestamp = self->sender.timestamp,
        .packets = self->sender.packets,
        .octets = self->sender.octets,
        .cname = self->reports.cname,
        .bye = bye,
    };
    if (self->source.started) {
        reports_t *r = &self->reports;
        report.has_block = true;
        report.block = (rtcp_block_t){
            .ssrc = self->source.ssrc,
            .fraction_lost = rtp_source_fraction_lost(&self->source),
            .lost = (int32_t)rtp_source_lost(&self->source),
            .highest_seq = (uint32_t)(self->source.highest - 0x10000u),
            .jitter = (uint32_t)self->source.jitter,
            .lsr = r->lsr,
            .dlsr = r->lsr ? (uint32_t)(((now_us - r->lsr_us) << 16) / 1000000) : 0,
        };
    }
    uint8_t bytes[RTCP_MAX_BYTES];
    size_t size = rtcp_write(&report, bytes);
    (void)rtp_socket_send(self->sockets.rtcp_fd, plain(&to), bytes, size);
}

/* Half to one and a half of the mean time, so that many legs do not report in step (RFC 3550
 * 6.2). */
static void schedule_report(rtp_leg_t *self, uint64_t now_us)
{
    uint32_t mean_ms = self->params.rtcp_interval_ms;
    uint32_t *x = &self->reports.random;
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    self->reports.due_us = now_us + (uint64_t)mean_ms * 500 + *x % (mean_ms * 1000);
}

static void tick_reports(rtp_leg_t *self, uint64_t now_us)
{
    if (self->reports.due_us == 0) schedule_report(self, now_us);
    if (now_us < self->reports.due_us) return;
    schedule_report(self, now_us);
    if (self->sender.packets > 0 || self->source.started) send_report(self, now_us, false);
}

static void on_rtcp(void *arg, uint64_t arrived_us, const struct sockaddr *from,
                    const uint8_t *bytes, size_t size)
{
    rtp_leg_t *self = arg;
    const struct sockaddr *rtp = rtp_latch_address(&self->latch);
    if (!rtp || !rtp_address_equal(rtp, from, false)) {
        self->stats.foreign++;
        return;
    }
    rtcp_report_t report;
    if (!rtcp_parse(bytes, size, self->sender.ssrc, &report)) {
        self->stats.malformed++;
        return;
    }
    memcpy(&self->reports.from, from, rtp_address_bytes(from));
    if (report.sender) {
        self->reports.lsr = (uint32_t)(report.ntp >> 16);
        self->reports.lsr_us = arrived_us;
    }
    if (!report.has_block) return;
    codec_expect_loss(self->codec, report.block.fraction_lost * 100u / 256u);
    self->stats.remote_lost = report.block.lost > 0 ? (uint32_t)report.block.lost : 0;
    uint32_t trip = rtcp_round_trip_us(rtcp_ntp(wall_us()), &report.block);
    if (trip > 0) self->stats.round_trip_us = trip;
}

static void on_rtcp_readable(void *arg)
{
    rtp_leg_t *self = arg;
    rtp_socket_read(self->sockets.rtcp_fd, pl_clock_us(), on_rtcp, self);
}

/* ---- receiving --------------------------------------------------------------------------------- */

static void begin_source(rtp_leg_t *self, uint32_t ssrc)
{
    self->former_lost += rtp_source_lost(&self->source);
    self->former_duplicates += self->source.duplicates;
    rtp_source_init(&self->source, ssrc, codec_info(self->params.codec)->rtp_hz);
    self->dtmf_in = (dtmf_in_t){0};
    self->reports.lsr = 0;
    self->reports.from.ss_family = 0;
    receiver_reset(self->receiver);
}

static void tell_key(rtp_leg_t *self, dtmf_key_t key)
{
    if (key.digit == 0) return;
    self->sink.dtmf(self->sink.arg, key.digit,
                    (uint32_t)((uint64_t)key.ticks * 1000 / self->params.dtmf_hz));
}

static void take_audio(rtp_leg_t *self, uint64_t arrived_us, const rtp_packet_t *packet)
{
    switch (receiver_packet(self->receiver, arrived_us, packet->timestamp, packet->payload,
                            packet->payload_bytes)) {
    case JITTER_KEPT:
    case JITTER_RESYNCED:
        rtp_source_timing(&self->source, arrived_us, packet->timestamp);
        break;
    case JITTER_LATE:
    case JITTER_STRAY:
        rtp_source_timing(&self->source, arrived_us, packet->timestamp);
        self->stats.late++;
        break;
    case JITTER_DUPLICATE:
        self->stats.duplicate++;
        break;
    case JITTER_MALFORMED:
        self->stats.malformed++;
        break;
    }
}

static void on_rtp(void *arg, uint64_t arrived_us, const struct sockaddr *from,
                   const uint8_t *bytes, size_t size)
{
    rtp_leg_t *self = arg;
    if (rtp_is_rtcp(bytes, size)) { /* RFC 5761, whether it was agreed or not */
        on_rtcp(self, arrived_us, from, bytes, size);
        return;
    }
    rtp_packet_t packet;
    if (!rtp_parse(bytes, size, &packet)) {
        self->stats.malformed++;
        return;
    }
    bool key = self->params.dtmf_pt != 0 && packet.pt == self->params.dtmf_pt;
    if (packet.pt == COMFORT_NOISE_PT) return;
    if (packet.pt != self->params.pt && !key) {
        self->stats.foreign++;
        return;
    }
    switch (rtp_latch_packet(&self->latch, arrived_us, from, packet.ssrc, packet.seq)) {
    case RTP_LATCH_FOREIGN:
        self->stats.foreign++;
        return;
    case RTP_LATCH_NEW:
        begin_source(self, packet.ssrc);
        break;
    case RTP_LATCH_OURS:
        break;
    }
    self->heard_us = arrived_us;
    self->lost_told = false;
    switch (rtp_source_packet(&self->source, packet.seq)) {
    case RTP_SEQ_DUPLICATE:
    case RTP_SEQ_JUMP:
        return; /* the former is counted there, the latter shows as lost */
    case RTP_SEQ_OK:
    case RTP_SEQ_RESTARTED:
        break;
    }
    self->stats.received++;
    if (!self->params.receive) return;
    if (key)
        tell_key(self, dtmf_in_packet(&self->dtmf_in, arrived_us, &packet));
    else
        take_audio(self, arrived_us, &packet);
}

/* Keys as tones, where no telephone events were agreed on. */
static void hear_tones(rtp_leg_t *self, rtp_heard_t *heard)
{
    if (!self->ear) return;
    if (self->own_tone > 0) self->own_tone--;
    bool made = heard->missing || heard->concealed || self->own_tone > 0;
    tone_key_t key = tone_ear_frame(self->ear, heard->pcm, made);
    if (key.digit != 0) self->sink.dtmf(self->sink.arg, key.digit, key.duration_ms);
}

static void look_at_buffer(rtp_leg_t *self, uint64_t now_us)
{
    if (self->tick % LOOK_TICKS != 0) return;
    int64_t delay_us = receiver_delay_us(self->receiver, now_us);
    self->buffer_us += delay_us > 0 ? (uint64_t)delay_us : 0;
    self->buffer_looks++;
}

static void tick_heard(rtp_leg_t *self, uint64_t now_us)
{
    rtp_heard_t heard = {.seq = self->tick++, .missing = true};
    if (self->params.receive) {
        receiver_frame_t frame = receiver_frame(self->receiver, now_us, heard.pcm);
        heard.missing = frame.missing;
        heard.concealed = frame.concealed;
        if (frame.concealed) self->stats.concealed_frames++;
        if (codec_clips(heard.pcm)) self->stats.clipped_frames++;
        if (!frame.missing) look_at_buffer(self, now_us);
        hear_tones(self, &heard);
    }
    heard.narrow = codec_narrow(self->codec) != NULL;
    heard.echo_db = CLEANER_SILENCE_DB;
    if (self->cleaner) heard.echo_db = cleaner_heard(self->cleaner, heard.pcm, heard.missing);
    tell_key(self, dtmf_in_tick(&self->dtmf_in, now_us));
    self->sink.heard(self->sink.arg, &heard);
}

static void tick_timeout(rtp_leg_t *self, uint64_t now_us)
{
    if (self->heard_us == 0 || !self->params.receive) self->heard_us = now_us;
    uint64_t limit_us = (uint64_t)self->params.media_timeout_ms * 1000;
    if (limit_us == 0 || self->lost_told || now_us < self->heard_us + limit_us) return;
    self->lost_told = true;
    self->sink.lost(self->sink.arg);
}

/* ---- sending ----------------------------------------------------------------------------------- */

static void send_packet(rtp_leg_t *self, const struct sockaddr *to, const rtp_packet_t *head,
                        uint8_t *bytes, size_t payload_bytes)
{
    rtp_write_header(head, bytes);
    self->sender.seq++;
    self->sender.quiet = false;
    if (!rtp_socket_send(self->sockets.rtp_fd, to, bytes, RTP_HEADER_BYTES + payload_bytes)) return;
    self->sender.packets++;
    self->sender.octets += (uint32_t)payload_bytes;
}

static bool send_key(rtp_leg_t *self, const struct sockaddr *to, uint8_t *bytes)
{
    dtmf_packet_t key;
    if (self->params.dtmf_pt == 0) return false;
    if (!dtmf_out_tick(&self->dtmf_out, self->sender.timestamp, self->params.dtmf_hz, &key)) {
        return false;
    }
    rtp_event_write(&key.event, bytes + RTP_HEADER_BYTES);
    rtp_packet_t head = {.pt = self->params.dtmf_pt,
                         .marker = key.marker,
                         .seq = self->sender.seq,
                         .timestamp = key.timestamp,
                         .ssrc = self->sender.ssrc};
    send_packet(self, to, &head, bytes, RTP_EVENT_BYTES);
    return true;
}

/* A key's tones instead of the owner's frame. */
static bool tone_frame(rtp_leg_t *self, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    dtmf_packet_t key;
    uint32_t hz = codec_info(self->params.codec)->rtp_hz;
    if (self->params.dtmf_pt != 0) return false;
    if (!dtmf_out_tick(&self->dtmf_out, self->sender.timestamp, hz, &key)) return false;
    tone_mouth_frame(&self->mouth, &key, pcm);
    self->own_tone = OWN_TONE_TICKS;
    return true;
}

static void tick_send(rtp_leg_t *self)
{
    uint32_t frame_ticks = codec_info(self->params.codec)->ticks_per_frame;
    const struct sockaddr *to = rtp_latch_address(&self->latch);
    uint8_t bytes[RTP_HEADER_BYTES + CODEC_MAX_PAYLOAD_BYTES];
    int16_t pcm[CODEC_FRAME_SAMPLES];
    const int16_t *played = NULL;
    if (!self->params.send || !to) {
        self->sender.quiet = true;
    } else if (!send_key(self, to, bytes)) {
        bool some = tone_frame(self, pcm) || self->sink.next(self->sink.arg, pcm);
        if (!some) memset(pcm, 0, sizeof pcm);
        size_t payload_bytes = codec_encode(self->codec, pcm, bytes + RTP_HEADER_BYTES);
        rtp_packet_t head = {.pt = self->params.pt,
                             .marker = self->sender.quiet,
                             .seq = self->sender.seq,
                             .timestamp = self->sender.timestamp,
                             .ssrc = self->sender.ssrc};
        send_packet(self, to, &head, bytes, payload_bytes);
        played = codec_narrow(self->codec) ? codec_narrow(self->codec) : pcm;
    }
    if (self->cleaner) cleaner_played(self->cleaner, played);
    self->sender.timestamp += frame_ticks;
}

/* ---- life -------------------------------------------------------------------------------------- */

static bool valid(const rtp_leg_t *self, const rtp_params_t *p)
{
    if ((unsigned)p->codec >= CODEC_KINDS || p->pt > 127 || p->dtmf_pt > 127) return false;
    if (p->dtmf_pt != 0 && (p->dtmf_pt == p->pt || p->dtmf_hz == 0)) return false;
    struct sockaddr_storage local = {0};
    socklen_t size = sizeof local;
    if (getsockname(self->sockets.rtp_fd, (struct sockaddr *)&local, &size) != 0) return false;
    return p->remote.ss_family == 0 || p->remote.ss_family == local.ss_family;
}

static void apply(rtp_leg_t *self, const rtp_params_t *params)
{
    rtp_params_t p = *params;
    if (p.jitter_min_ms == 0) p.jitter_min_ms = DEFAULT_JITTER_MIN_MS;
    if (p.jitter_max_ms == 0) p.jitter_max_ms = DEFAULT_JITTER_MAX_MS;
    if (p.jitter_max_ms < p.jitter_min_ms) p.jitter_max_ms = p.jitter_min_ms;
    if (p.rtcp_interval_ms == 0) p.rtcp_interval_ms = DEFAULT_RTCP_MS;
    bool same_codec = self->started && p.codec == self->params.codec &&
                      p.jitter_min_ms == self->params.jitter_min_ms &&
                      p.jitter_max_ms == self->params.jitter_max_ms;
    if (!p.receive || !self->params.receive) self->heard_us = 0; /* time-out starts anew */
    self->params = p;
    if (p.dtmf_pt != 0) tone_ear_destroy(&self->ear);
    if (p.dtmf_pt == 0 && !self->ear) self->ear = tone_ear_new();
    rtp_latch_expect(&self->latch, plain(&p.remote));
    if (same_codec) return;
    receiver_destroy(&self->receiver);
    codec_destroy(&self->codec);
    cleaner_destroy(&self->cleaner);
    self->codec = codec_new(p.codec);
    self->cleaner = cleaner_new(codec_narrow(self->codec) ? 8000 : 16000, &p.clean);
    self->receiver =
        receiver_new(self->codec, codec_info(p.codec), p.jitter_min_ms, p.jitter_max_ms);
    self->latch.taken = false; /* statistics begin anew with its clock */
}

pl_err_t rtp_leg_start(rtp_leg_t *self, pl_loop_t *loop, const rtp_params_t *params,
                       const rtp_sink_t *sink)
{
    if (!valid(self, params)) return PL_INVALID;
    apply(self, params);
    self->sink = *sink;
    if (!self->started) {
        self->rtcp_watch = pl_watch_fd(loop, self->sockets.rtcp_fd, on_rtcp_readable, self);
    }
    self->started = true;
    return PL_OK;
}

/* An owner that was stopped for a while leaves ticks out; the time stamps do not. */
static void follow_clock(rtp_leg_t *self, uint64_t now_us)
{
    if (self->due_us == 0) self->due_us = now_us;
    if (now_us > self->due_us + SKIP_US) {
        uint32_t skipped = (uint32_t)((now_us - self->due_us) / TICK_US);
        self->tick += skipped;
        self->sender.timestamp += skipped * codec_info(self->params.codec)->ticks_per_frame;
        self->sender.quiet = true;
        self->due_us += (uint64_t)skipped * TICK_US;
        if (self->cleaner) cleaner_skip(self->cleaner, skipped);
    }
    self->due_us += TICK_US;
}

void rtp_leg_tick_at(rtp_leg_t *self, uint64_t now_us)
{
    if (!self->started) return;
    follow_clock(self, now_us);
    rtp_socket_read(self->sockets.rtp_fd, now_us, on_rtp, self);
    tick_heard(self, now_us);
    tick_send(self);
    tick_reports(self, now_us);
    tick_timeout(self, now_us);
}

void rtp_leg_tick(rtp_leg_t *self)
{
    rtp_leg_tick_at(self, pl_clock_us());
}

pl_err_t rtp_leg_send_dtmf(rtp_leg_t *self, const char *digits, uint32_t tone_ms)
{
    if (!self->started) return PL_UNSUPPORTED;
    return dtmf_out_queue(&self->dtmf_out, digits, tone_ms);
}

void rtp_leg_stats(const rtp_leg_t *self, rtp_stats_t *out)
{
    *out = self->stats;
    out->lost = self->former_lost + rtp_source_lost(&self->source);
    out->duplicate += self->former_duplicates + self->source.duplicates;
    out->jitter_us = rtp_source_jitter_us(&self->source);
    out->sent = self->sender.packets;
    if (self->buffer_looks > 0) {
        out->buffer_ms = (uint32_t)(self->buffer_us / self->buffer_looks / 1000);
    }
    if (self->cleaner) cleaner_stats(self->cleaner, &out->echo);
}

void rtp_leg_destroy(rtp_leg_t **self_p)
{
    rtp_leg_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (self->started && (self->sender.packets > 0 || self->source.started)) {
        send_report(self, pl_clock_us(), true);
    }
    pl_watch_stop(&self->rtcp_watch);
    rtp_sockets_close(&self->sockets);
    receiver_destroy(&self->receiver);
    codec_destroy(&self->codec);
    tone_ear_destroy(&self->ear);
    cleaner_destroy(&self->cleaner);
    free(self);
}
