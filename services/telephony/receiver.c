#include "services/telephony/receiver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/plc.h"

enum {
    HZ = 16000,
    FIFO_SAMPLES = 8 * CODEC_FRAME_SAMPLES, /* a frame and two packets of 60 ms */
    JOIN = 48,                              /* samples of a cross-fade */
    FRAME_US = 20000,
    /* Packets are fetched at ticks, so the delay moves in whole frames: between these two nothing
     * is repaired. A far end whose clock is slow stays near the lower one for minutes: each ms of it
     * makes more packets late than the wanted delay allows. */
    SHORT_US = -4000,
    LONG_US = 22000,
    LONG_IN_SPEECH_US = 60000, /* speech itself is cut only beyond this, */
    REPAIR_TICKS = 10,         /* by a pitch period every 200 ms */
    HOPELESS_US = 250000,      /* what a burst after a stall leaves: skipped at once */
    QUIET_RMS = 180,           /* -45 dBFS */
    QUIET_BELOW_PEAK = 18,     /* or 25 dB below the loudest of late */
};
#define PEAK_DECAY 0.9977f /* a frame: 1 dB a second */

struct receiver {
    codec_t *codec;
    codec_info_t info;
    jitter_t *jitter;
    plc_t plc;

    int16_t fifo[FIFO_SAMPLES];
    size_t held;               /* samples decoded and not played */
    bool held_real, held_made; /* the newest of them: from a packet, or made up and audible */

    float peak_rms;
    bool quiet; /* the newest decoded piece */
    unsigned since_repair;
    bool got_real, got_concealed; /* in this tick */
    bool decoded;                 /* something, ever: before that nothing is made up */
};

receiver_t *receiver_new(codec_t *codec, const codec_info_t *info, uint32_t min_ms, uint32_t max_ms)
{
    receiver_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->codec = codec;
    self->info = *info;
    self->jitter = jitter_new(&self->info, min_ms, max_ms);
    plc_init(&self->plc);
    return self;
}

void receiver_destroy(receiver_t **self_p)
{
    receiver_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    jitter_destroy(&self->jitter);
    free(self);
}

void receiver_reset(receiver_t *self)
{
    jitter_reset(self->jitter);
}

jitter_put_t receiver_packet(receiver_t *self, uint64_t now_us, uint32_t timestamp,
                             const uint8_t *payload, size_t bytes)
{
    return jitter_put(self->jitter, now_us, timestamp, payload, bytes);
}

static size_t samples_of_us(int64_t us)
{
    return us <= 0 ? 0 : (size_t)(us * HZ / 1000000);
}

static uint32_t ticks_of_samples(const receiver_t *self, size_t samples)
{
    return (uint32_t)(samples * self->info.ticks_per_frame / CODEC_FRAME_SAMPLES);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Leaves out samples from that place on, cross-fading what stands before with what follows. */
static void cut(receiver_t *self, size_t from, size_t samples)
{
    if (self->held < from + samples + JOIN) return;
    int16_t *before = self->fifo + from;
    const int16_t *after = before + samples;
    for (int i = 0; i < JOIN; i++) {
        before[i] = (int16_t)((before[i] * (JOIN - i) + after[i] * i) / JOIN);
    }
    size_t rest = self->held - from - samples - JOIN;
    memmove(before + JOIN, after + JOIN, rest * sizeof *before);
    self->held -= samples;
}

static void judge_level(receiver_t *self, const int16_t *pcm, size_t samples)
{
    float sum = 0;
    for (size_t i = 0; i < samples; i++) sum += (float)pcm[i] * (float)pcm[i];
    /* Compared squared; the peak falls by time, so that a loud moment is forgotten. */
    float mean = sum / (float)samples;
    self->peak_rms *= PEAK_DECAY;
    if (mean > self->peak_rms * self->peak_rms) {
        float guess = self->peak_rms > 1 ? self->peak_rms : 1;
        for (int i = 0; i < 8; i++) guess = (guess + mean / guess) / 2;
        self->peak_rms = guess;
    }
    float quiet = self->peak_rms / QUIET_BELOW_PEAK;
    if (quiet < QUIET_RMS) quiet = QUIET_RMS;
    self->quiet = mean < quiet * quiet;
}

static size_t samples_of_ticks(const receiver_t *self, uint32_t ticks)
{
    return (size_t)ticks * CODEC_FRAME_SAMPLES / self->info.ticks_per_frame;
}

static void hold_real(receiver_t *self, size_t samples)
{
    int16_t *pcm = self->fifo + self->held;
    plc_real(&self->plc, pcm, samples);
    judge_level(self, pcm, samples);
    self->held += samples;
    self->held_real = true;
    self->held_made = false;
    self->got_real = true;
    self->decoded = true;
}

/* A payload that is decoded as a whole; what of it is over already is dropped. */
static void hold_whole(receiver_t *self, const jitter_out_t *packet)
{
    int16_t *pcm = self->fifo + self->held;
    assert(self->held + CODEC_MAX_SAMPLES <= FIFO_SAMPLES);
    size_t samples = codec_decode(self->codec, packet->payload, packet->bytes, pcm);
    size_t past = samples_of_ticks(self, packet->past);
    if (samples <= past) return;
    memmove(pcm, pcm + past, (samples - past) * sizeof *pcm);
    hold_real(self, samples - past);
}

static void hold_decoded(receiver_t *self, const jitter_out_t *packet)
{
    if (self->info.payload_bytes == 0) {
        hold_whole(self, packet);
        return;
    }
    for (size_t at = 0; at < packet->bytes;) {
        size_t bytes = least(packet->bytes - at, self->info.payload_bytes);
        int16_t *pcm = self->fifo + self->held;
        assert(self->held + CODEC_FRAME_SAMPLES <= FIFO_SAMPLES);
        size_t samples = codec_decode(self->codec, packet->payload + at, bytes, pcm);
        if (samples == 0) return; /* the buffer takes whole samples only */
        at += bytes;
        hold_real(self, samples);
    }
}

static void hold_concealed(receiver_t *self, size_t samples)
{
    self->held_made = plc_conceal(&self->plc, self->fifo + self->held, samples);
    self->held += samples;
    self->held_real = false;
    if (self->held_made) self->got_concealed = true;
}

static void hold_made(receiver_t *self, size_t samples)
{
    self->held += samples;
    self->held_real = false;
    self->held_made = true;
    self->got_concealed = true;
}

/* The codec itself may know better what was lost or, of a sender that is silent, not sent. Opus makes
 * whole 2.5 ms: what is too much is dropped. */
static void hold_lost(receiver_t *self, size_t samples)
{
    size_t made = 0;
    if (self->decoded) made = codec_conceal(self->codec, samples, self->fifo + self->held);
    if (made >= samples)
        hold_made(self, samples);
    else
        hold_concealed(self, samples);
}

/* What is missing before the next packet, from the copy that this one has of its end. */
static bool recover(receiver_t *self, uint32_t gap)
{
    const uint8_t *payload = NULL;
    size_t bytes = 0;
    size_t samples = samples_of_ticks(self, gap);
    bool able = self->decoded && self->info.payload_bytes == 0 && samples <= CODEC_MAX_SAMPLES / 2;
    if (!able || !jitter_peek(self->jitter, &payload, &bytes)) return false;
    int16_t *pcm = self->fifo + self->held;
    size_t made = codec_recover(self->codec, payload, bytes, samples, pcm);
    if (made < samples) return false;
    memmove(pcm, pcm + made - samples, samples * sizeof *pcm);
    hold_made(self, samples);
    jitter_skip(self->jitter, gap);
    return true;
}

/* A piece held from that place on waited for too long: in quiet the next one takes its place, of
 * speech a pitch period is left out. */
static void shorten(receiver_t *self, uint64_t now_us, size_t from, int64_t excess_us)
{
    size_t piece = self->held - from;
    if (self->quiet && excess_us > LONG_US) {
        size_t samples = least(piece, samples_of_us(excess_us));
        jitter_out_t next = jitter_get(self->jitter, now_us);
        if (next.kind == JITTER_PACKET) {
            hold_decoded(self, &next);
            cut(self, from, samples);
        }
    } else if (excess_us > LONG_IN_SPEECH_US && self->since_repair >= REPAIR_TICKS) {
        cut(self, from, plc_period(&self->plc));
        self->since_repair = 0;
    }
}

/* Nothing is here, or not what comes next. gap: ticks before the next packet, 0 when there is
 * none. Too long a delay is cut by not concealing all of it, too short a one by not letting
 * time go on while concealing. */
static void conceal(receiver_t *self, uint32_t gap, int64_t excess_us)
{
    if (gap > 0 && excess_us > LONG_US) {
        uint32_t skip = ticks_of_samples(self, samples_of_us(excess_us));
        if (skip >= gap) {
            jitter_skip(self->jitter, gap);
            return;
        }
        jitter_skip(self->jitter, skip);
        gap -= skip;
    }
    if (gap > 0 && recover(self, gap)) return;
    size_t samples = CODEC_FRAME_SAMPLES - self->held;
    uint32_t ticks = ticks_of_samples(self, samples);
    if (ticks == 0) ticks = 1; /* less than a tick of the RTP clock was asked for */
    if (excess_us < SHORT_US) {
        ticks = 0;
    } else if (gap > 0 && gap < ticks) {
        ticks = gap;
        samples = (size_t)gap * CODEC_FRAME_SAMPLES / self->info.ticks_per_frame;
    }
    hold_lost(self, samples);
    jitter_skip(self->jitter, ticks);
}

/* Quiet is stretched when the delay is too short, before packets come too late for it. */
static bool lengthen(receiver_t *self, int64_t excess_us)
{
    if (!self->quiet || self->plc.missing > 0 || excess_us >= SHORT_US) return false;
    hold_concealed(self, CODEC_FRAME_SAMPLES - self->held);
    return true;
}

static void fill(receiver_t *self, uint64_t now_us)
{
    while (self->held < CODEC_FRAME_SAMPLES) {
        int64_t excess_us = jitter_excess_us(self->jitter, now_us);
        if (lengthen(self, excess_us)) return;
        size_t from = self->held;
        jitter_out_t out = jitter_get(self->jitter, now_us);
        switch (out.kind) {
        case JITTER_IDLE:
            hold_concealed(self, CODEC_FRAME_SAMPLES - self->held);
            break;
        case JITTER_PACKET:
            hold_decoded(self, &out);
            shorten(self, now_us, from, excess_us);
            break;
        case JITTER_GAP:
            conceal(self, out.ticks, excess_us);
            break;
        case JITTER_EMPTY:
            conceal(self, 0, excess_us);
            break;
        }
    }
}

static void skip_hopeless(receiver_t *self, uint64_t now_us)
{
    int64_t excess_us = jitter_excess_us(self->jitter, now_us);
    if (excess_us <= HOPELESS_US) return;
    jitter_skip(self->jitter, ticks_of_samples(self, samples_of_us(excess_us)));
    self->held = 0;
}

receiver_frame_t receiver_frame(receiver_t *self, uint64_t now_us, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    self->got_real = self->held > 0 && self->held_real;
    self->got_concealed = self->held > 0 && self->held_made;
    self->since_repair++;
    skip_hopeless(self, now_us);
    fill(self, now_us);
    memcpy(pcm, self->fifo, CODEC_FRAME_SAMPLES * sizeof *pcm);
    self->held -= CODEC_FRAME_SAMPLES;
    memmove(self->fifo, self->fifo + CODEC_FRAME_SAMPLES, self->held * sizeof *pcm);
    return (receiver_frame_t){.missing = !self->got_real && !self->got_concealed,
                              .concealed = self->got_concealed};
}

int64_t receiver_delay_us(const receiver_t *self, uint64_t now_us)
{
    int64_t held_us = (int64_t)self->held * 1000000 / HZ;
    int64_t next_tick_us = jitter_excess_us(self->jitter, now_us + FRAME_US);
    return next_tick_us + jitter_target_us(self->jitter) + held_us;
}

size_t receiver_packets(const receiver_t *self)
{
    return jitter_packets(self->jitter);
}
