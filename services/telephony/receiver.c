#include "services/telephony/receiver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/plc.h"

enum {
    HZ = 16000,
    FIFO_SAMPLES = 2 * CODEC_FRAME_SAMPLES + 3 * CODEC_FRAME_SAMPLES,
    JOIN = 48,                /* samples of a cross-fade */
    QUIET_SLACK_US = 12000,   /* repaired in quiet beyond this */
    SPEECH_SLACK_US = 50000,  /* and in speech beyond this, */
    SPEECH_REPAIR_TICKS = 10, /* a pitch period every 200 ms */
    HOPELESS_US = 250000,     /* what a burst after a stall leaves: skipped at once */
    QUIET_RMS = 180,          /* -45 dBFS */
    QUIET_BELOW_PEAK = 18,    /* or 25 dB below the loudest of late */
};
#define PEAK_DECAY 0.9977f /* a frame: 1 dB a second */

struct receiver {
    codec_t *codec;
    codec_info_t info;
    jitter_t *jitter;
    plc_t plc;

    int16_t fifo[FIFO_SAMPLES];
    size_t held; /* samples decoded and not played */
    bool held_real;

    float peak_rms;
    bool quiet; /* the newest decoded piece */
    unsigned since_repair;
    bool got_real, got_concealed; /* in this tick */
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

static uint32_t us_of_samples(size_t samples)
{
    return (uint32_t)(samples * 1000000 / HZ);
}

static size_t samples_of_us(int64_t us)
{
    return us <= 0 ? 0 : (size_t)(us * HZ / 1000000);
}

static uint32_t ticks_of_samples(const receiver_t *self, size_t samples)
{
    return (uint32_t)(samples * self->info.ticks_per_frame / CODEC_FRAME_SAMPLES);
}

static int64_t excess_us(const receiver_t *self, uint64_t now_us)
{
    return jitter_excess_us(self->jitter, now_us, us_of_samples(self->held));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Leaves out the given number of samples at the end of what is held, cross-fading the cut. */
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

/* A real piece is at the end of what is held: leave out what makes the delay too long. */
static void shorten(receiver_t *self, uint64_t now_us, size_t from)
{
    int64_t excess = excess_us(self, now_us);
    size_t piece = self->held - from;
    if (piece <= JOIN) return;
    if (self->quiet && excess > QUIET_SLACK_US) {
        cut(self, from, least(piece - JOIN, samples_of_us(excess)));
    } else if (excess > SPEECH_SLACK_US && self->since_repair >= SPEECH_REPAIR_TICKS) {
        size_t period = plc_period(&self->plc);
        if (piece < period + JOIN) return;
        cut(self, from, period);
        self->since_repair = 0;
    }
}

static void hold_decoded(receiver_t *self, uint64_t now_us, const jitter_out_t *packet)
{
    for (size_t at = 0; at < packet->bytes;) {
        size_t bytes = least(packet->bytes - at, self->info.payload_bytes);
        int16_t *pcm = self->fifo + self->held;
        assert(self->held + CODEC_FRAME_SAMPLES <= FIFO_SAMPLES);
        size_t samples = codec_decode(self->codec, packet->payload + at, bytes, pcm);
        if (samples == 0) return; /* the buffer takes whole samples only */
        at += bytes;
        plc_real(&self->plc, pcm, samples);
        judge_level(self, pcm, samples);
        size_t from = self->held;
        self->held += samples;
        self->held_real = true;
        self->got_real = true;
        shorten(self, now_us, from);
    }
}

static void hold_concealed(receiver_t *self, size_t samples)
{
    if (plc_conceal(&self->plc, self->fifo + self->held, samples)) self->got_concealed = true;
    self->held += samples;
    self->held_real = false;
}

/* Nothing is here, or not what comes next. gap: ticks before the next packet, 0 when there is
 * none. Too long a delay is cut by not concealing all of it, too short a one by not letting
 * time go on while concealing. */
static void conceal(receiver_t *self, uint64_t now_us, uint32_t gap)
{
    int64_t excess = excess_us(self, now_us);
    if (gap > 0 && excess > 0) {
        uint32_t skip = ticks_of_samples(self, samples_of_us(excess));
        if (skip > gap) skip = gap;
        jitter_skip(self->jitter, skip);
        gap -= skip;
        if (gap == 0) return;
        excess = 0;
    }
    size_t samples = CODEC_FRAME_SAMPLES - self->held;
    size_t stretched = excess < 0 ? least(samples, samples_of_us(-excess)) : 0;
    uint32_t ticks = ticks_of_samples(self, samples - stretched);
    if (gap > 0 && ticks > gap) ticks = gap;
    if (gap > 0) {
        size_t passed = (size_t)ticks * CODEC_FRAME_SAMPLES / self->info.ticks_per_frame;
        samples = least(samples, stretched + passed);
    }
    if (samples == 0) { /* less than a tick of the RTP clock */
        samples = 1;
        ticks = 1;
    }
    hold_concealed(self, samples);
    jitter_skip(self->jitter, ticks);
}

/* Quiet is stretched when the delay is too short, before packets come too late for it. */
static bool lengthen(receiver_t *self, uint64_t now_us)
{
    int64_t excess = excess_us(self, now_us);
    if (!self->quiet || self->plc.missing > 0 || excess > -QUIET_SLACK_US) return false;
    hold_concealed(self, least(CODEC_FRAME_SAMPLES - self->held, samples_of_us(-excess)));
    return true;
}

static void skip_hopeless(receiver_t *self, uint64_t now_us)
{
    int64_t excess = excess_us(self, now_us);
    if (excess <= HOPELESS_US) return;
    jitter_skip(self->jitter, ticks_of_samples(self, samples_of_us(excess)));
    self->held = 0;
}

static void fill(receiver_t *self, uint64_t now_us)
{
    bool stretched = false;
    while (self->held < CODEC_FRAME_SAMPLES) {
        if (!stretched && lengthen(self, now_us)) {
            stretched = true;
            continue;
        }
        jitter_out_t out = jitter_get(self->jitter, now_us);
        switch (out.kind) {
        case JITTER_IDLE:
            hold_concealed(self, CODEC_FRAME_SAMPLES - self->held);
            break;
        case JITTER_PACKET:
            hold_decoded(self, now_us, &out);
            break;
        case JITTER_GAP:
            conceal(self, now_us, out.ticks);
            break;
        case JITTER_EMPTY:
            conceal(self, now_us, 0);
            break;
        }
    }
}

receiver_frame_t receiver_frame(receiver_t *self, uint64_t now_us, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    self->got_real = self->held > 0 && self->held_real;
    self->got_concealed = false;
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
    return excess_us(self, now_us) + jitter_target_us(self->jitter);
}

size_t receiver_packets(const receiver_t *self)
{
    return jitter_packets(self->jitter);
}
