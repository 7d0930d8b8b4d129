#include "services/telephony/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <opus/opus.h>
#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
#include <spandsp/g722.h>
#include <speex/speex_resampler.h>

enum {
    NARROW_HZ = 8000,
    WIDE_HZ = 16000,
    NARROW_SAMPLES = CODEC_FRAME_SAMPLES / 2,
    G722_BITS_PER_SECOND = 64000,
    FULL_SCALE = 32000, /* G.711 ends at 32124 (mu) and 32256 (A) */
    CLIPS = 4,          /* so many samples of a frame at full scale are no accident */
    /* 48 taps at 8 kHz: flat to 3.4 kHz, the image 60 dB down, 3 ms of delay. */
    RESAMPLER_QUALITY = 3,
    OPUS_BITS_PER_SECOND = 24000,
    OPUS_COMPLEXITY = 3, /* of 10: half the time of 5; at 24 kbit/s a voice gains little by more */
    OPUS_LOSS_AT_FIRST = 5,    /* percent, until the far end reports it */
    OPUS_STEP = WIDE_HZ / 400, /* Opus counts in 2.5 ms */
};

struct codec {
    codec_kind_t kind;
    g722_encode_state_t *g722_encoder;
    g722_decode_state_t *g722_decoder;
    SpeexResamplerState *to_narrow;
    SpeexResamplerState *to_wide;
    int16_t narrow[NARROW_SAMPLES]; /* encoded last */
    OpusEncoder *opus_encoder;
    OpusDecoder *opus_decoder;
};

static const codec_info_t infos[CODEC_KINDS] = {
    [CODEC_PCMU] = {"PCMU", 160, CODEC_PCMU, 8000, 160, 0, 1, NULL},
    [CODEC_PCMA] = {"PCMA", 160, CODEC_PCMA, 8000, 160, 8, 1, NULL},
    [CODEC_G722] = {"G722", 160, CODEC_G722, 8000, 160, 9, 1, NULL},
    [CODEC_L16] = {"L16", 640, CODEC_L16, 16000, 320, 0xff, 1, NULL},
    [CODEC_OPUS] = {"opus", 0, CODEC_OPUS, 48000, 960, 0xff, 2,
                    "maxplaybackrate=16000;sprop-maxcapturerate=16000;maxaveragebitrate=40000;"
                    "useinbandfec=1"},
};

const codec_info_t *codec_info(codec_kind_t kind)
{
    assert((size_t)kind < CODEC_KINDS);
    return &infos[kind];
}

const codec_info_t *codec_find(const char *sdp_name, uint32_t rtp_hz)
{
    for (size_t i = 0; i < CODEC_KINDS; i++) {
        if (infos[i].rtp_hz == rtp_hz && strcasecmp(infos[i].name, sdp_name) == 0) return &infos[i];
    }
    return NULL;
}

uint32_t codec_ticks(const codec_info_t *info, const uint8_t *payload, size_t bytes)
{
    if (bytes == 0) return 0;
    uint32_t longest = info->ticks_per_frame * (CODEC_MAX_SAMPLES / CODEC_FRAME_SAMPLES);
    if (info->kind == CODEC_OPUS) {
        if (bytes > CODEC_MAX_PAYLOAD_BYTES) return 0;
        int ticks =
            opus_packet_get_nb_samples(payload, (opus_int32)bytes, (opus_int32)info->rtp_hz);
        return ticks <= 0 || (uint32_t)ticks > longest ? 0 : (uint32_t)ticks;
    }
    if (bytes > info->payload_bytes * longest / info->ticks_per_frame) return 0;
    size_t ticks = bytes * info->ticks_per_frame;
    return ticks % info->payload_bytes ? 0 : (uint32_t)(ticks / info->payload_bytes);
}

static SpeexResamplerState *resampler_new(spx_uint32_t from_hz, spx_uint32_t to_hz)
{
    int err = 0;
    SpeexResamplerState *r = speex_resampler_init(1, from_hz, to_hz, RESAMPLER_QUALITY, &err);
    if (!r) abort(); /* out of memory is its only reason with constant rates */
    return r;
}

static void open_opus(codec_t *self)
{
    int err = 0;
    self->opus_encoder = opus_encoder_create(WIDE_HZ, 1, OPUS_APPLICATION_VOIP, &err);
    self->opus_decoder = opus_decoder_create(WIDE_HZ, 1, &err);
    if (!self->opus_encoder || !self->opus_decoder) abort();
    opus_encoder_ctl(self->opus_encoder, OPUS_SET_BITRATE(OPUS_BITS_PER_SECOND));
    opus_encoder_ctl(self->opus_encoder, OPUS_SET_COMPLEXITY(OPUS_COMPLEXITY));
    opus_encoder_ctl(self->opus_encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(self->opus_encoder, OPUS_SET_INBAND_FEC(1));
    codec_expect_loss(self, OPUS_LOSS_AT_FIRST);
}

codec_t *codec_new(codec_kind_t kind)
{
    assert((size_t)kind < CODEC_KINDS);
    codec_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->kind = kind;
    switch (kind) {
    case CODEC_PCMU:
    case CODEC_PCMA:
        self->to_narrow = resampler_new(WIDE_HZ, NARROW_HZ);
        self->to_wide = resampler_new(NARROW_HZ, WIDE_HZ);
        break;
    case CODEC_G722:
        self->g722_encoder = g722_encode_init(NULL, G722_BITS_PER_SECOND, 0);
        self->g722_decoder = g722_decode_init(NULL, G722_BITS_PER_SECOND, 0);
        if (!self->g722_encoder || !self->g722_decoder) abort();
        break;
    case CODEC_OPUS:
        open_opus(self);
        break;
    case CODEC_L16:
    case CODEC_KINDS:
        break;
    }
    return self;
}

void codec_destroy(codec_t **self_p)
{
    codec_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (self->g722_encoder) g722_encode_free(self->g722_encoder);
    if (self->g722_decoder) g722_decode_free(self->g722_decoder);
    if (self->to_narrow) speex_resampler_destroy(self->to_narrow);
    if (self->to_wide) speex_resampler_destroy(self->to_wide);
    if (self->opus_encoder) opus_encoder_destroy(self->opus_encoder);
    if (self->opus_decoder) opus_decoder_destroy(self->opus_decoder);
    free(self);
}

static size_t g711_encode_frame(codec_t *self, const int16_t *pcm, uint8_t *payload)
{
    int16_t *narrow = self->narrow;
    spx_uint32_t in = CODEC_FRAME_SAMPLES;
    spx_uint32_t out = NARROW_SAMPLES;
    speex_resampler_process_int(self->to_narrow, 0, pcm, &in, narrow, &out);
    /* A ratio of two gives half the samples each time; less would be a change of the library. */
    assert(in == CODEC_FRAME_SAMPLES && out == NARROW_SAMPLES);
    for (size_t i = 0; i < NARROW_SAMPLES; i++) {
        payload[i] =
            self->kind == CODEC_PCMU ? linear_to_ulaw(narrow[i]) : linear_to_alaw(narrow[i]);
    }
    return NARROW_SAMPLES;
}

static size_t g711_decode_frame(codec_t *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
    int16_t narrow[NARROW_SAMPLES];
    for (size_t i = 0; i < bytes; i++) {
        narrow[i] =
            self->kind == CODEC_PCMU ? ulaw_to_linear(payload[i]) : alaw_to_linear(payload[i]);
    }
    spx_uint32_t in = (spx_uint32_t)bytes;
    spx_uint32_t out = CODEC_FRAME_SAMPLES;
    speex_resampler_process_int(self->to_wide, 0, narrow, &in, pcm, &out);
    assert(in == bytes && out == 2 * bytes);
    return out;
}

const int16_t *codec_narrow(const codec_t *self)
{
    return self->to_narrow ? self->narrow : NULL;
}

bool codec_clips(const int16_t pcm[CODEC_FRAME_SAMPLES])
{
    unsigned full = 0;
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        full += pcm[i] >= FULL_SCALE || pcm[i] <= -FULL_SCALE;
    }
    return full >= CLIPS;
}

size_t codec_encode(codec_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES],
                    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES])
{
    switch (self->kind) {
    case CODEC_PCMU:
    case CODEC_PCMA:
        return g711_encode_frame(self, pcm, payload);
    case CODEC_G722:
        return (size_t)g722_encode(self->g722_encoder, payload, pcm, CODEC_FRAME_SAMPLES);
    case CODEC_L16:
        for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
            uint16_t u = (uint16_t)pcm[i];
            payload[2 * i] = (uint8_t)(u >> 8);
            payload[2 * i + 1] = (uint8_t)(u & 0xff);
        }
        return 2 * (size_t)CODEC_FRAME_SAMPLES;
    case CODEC_OPUS: {
        opus_int32 bytes = opus_encode(self->opus_encoder, pcm, CODEC_FRAME_SAMPLES, payload,
                                       CODEC_MAX_PAYLOAD_BYTES);
        assert(bytes > 0); /* its only reason is a wrong argument */
        return (size_t)bytes;
    }
    case CODEC_KINDS:
        break;
    }
    return 0;
}

static size_t opus_samples(int samples)
{
    return samples > 0 ? (size_t)samples : 0;
}

size_t codec_decode(codec_t *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
    if (self->kind == CODEC_OPUS) {
        if (codec_ticks(&infos[CODEC_OPUS], payload, bytes) == 0) return 0;
        return opus_samples(
            opus_decode(self->opus_decoder, payload, (opus_int32)bytes, pcm, CODEC_MAX_SAMPLES, 0));
    }
    if (bytes == 0 || bytes > infos[self->kind].payload_bytes) return 0;
    switch (self->kind) {
    case CODEC_PCMU:
    case CODEC_PCMA:
        return g711_decode_frame(self, payload, bytes, pcm);
    case CODEC_G722:
        return (size_t)g722_decode(self->g722_decoder, pcm, payload, (int)bytes);
    case CODEC_L16:
        if (bytes % 2 != 0) return 0;
        for (size_t i = 0; i < bytes / 2; i++) {
            pcm[i] = (int16_t)(uint16_t)(payload[2 * i] << 8 | payload[2 * i + 1]);
        }
        return bytes / 2;
    case CODEC_OPUS:
    case CODEC_KINDS:
        break;
    }
    return 0;
}

static size_t opus_whole(size_t samples)
{
    return (samples + OPUS_STEP - 1) / OPUS_STEP * OPUS_STEP;
}

size_t codec_conceal(codec_t *self, size_t samples, int16_t *pcm)
{
    if (!self->opus_decoder) return 0;
    return opus_samples(opus_decode(self->opus_decoder, NULL, 0, pcm, (int)opus_whole(samples), 0));
}

size_t codec_recover(codec_t *self, const uint8_t *payload, size_t bytes, size_t samples,
                     int16_t *pcm)
{
    if (!self->opus_decoder || samples == 0 || samples % OPUS_STEP != 0) return 0;
    return opus_samples(
        opus_decode(self->opus_decoder, payload, (opus_int32)bytes, pcm, (int)samples, 1));
}

void codec_expect_loss(codec_t *self, unsigned percent)
{
    if (!self->opus_encoder) return;
    opus_encoder_ctl(self->opus_encoder,
                     OPUS_SET_PACKET_LOSS_PERC(percent > 100 ? 100 : (int)percent));
}
