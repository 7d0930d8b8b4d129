/* codec.h - speech codecs of a leg: 20 ms of 16 kHz samples to an RTP payload and back.
 *
 * PCMU, PCMA (RFC 3551, resampled between 8 and 16 kHz by a band-limited resampler), G722 (RFC
 * 3551: RTP clock 8000 though it samples at 16000), L16/16000 (RFC 3551, network byte order), Opus
 * (RFC 7587: RTP clock 48000 and "/2" whatever is in it; ours is mono at 16 kHz with the last frame's
 * copy in each packet for the case of loss).
 * Threads: a codec belongs to one leg. Coder and decoder state are apart.
 */
#ifndef PL_TELEPHONY_CODEC_H
#define PL_TELEPHONY_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
    CODEC_FRAME_SAMPLES = 320,
    CODEC_MAX_SAMPLES = 3 * CODEC_FRAME_SAMPLES, /* of one payload: 60 ms */
    CODEC_MAX_PAYLOAD_BYTES = 640,               /* of 20 ms, and of any of Opus */
};

typedef enum {
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_G722,
    CODEC_L16,
    CODEC_OPUS,
    CODEC_KINDS
} codec_kind_t;

typedef struct {
    const char *name;     /* as in SDP: "G722" */
    size_t payload_bytes; /* of 20 ms; 0: it varies, and a payload cannot be cut */
    codec_kind_t kind;
    uint32_t rtp_hz;          /* clock of the RTP time stamp: 8000 for G722 */
    uint32_t ticks_per_frame; /* RTP clock ticks in 20 ms */
    uint8_t static_pt;        /* RFC 3551; 0xff: dynamic */
    uint8_t sdp_channels;
    const char *fmtp; /* what we ask for in SDP; NULL: nothing */
} codec_info_t;

const codec_info_t *codec_info(codec_kind_t kind);
const codec_info_t *codec_find(const char *sdp_name, uint32_t rtp_hz); /* NULL: unknown */

/* Ticks of the RTP clock that a payload lasts; 0: malformed, or longer than 60 ms. */
uint32_t codec_ticks(const codec_info_t *info, const uint8_t *payload, size_t bytes);

typedef struct codec codec_t;
codec_t *codec_new(codec_kind_t kind); /* never NULL */
void codec_destroy(codec_t **self_p);

/* 320 samples in; returns the payload's bytes. */
size_t codec_encode(codec_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES],
                    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES]);
/* The 160 samples at 8 kHz that were encoded last; NULL: the codec is wideband. Valid until the
 * next call. */
const int16_t *codec_narrow(const codec_t *self);
/* Has this frame hit full scale, as that of an overdriven microphone does? */
bool codec_clips(const int16_t pcm[CODEC_FRAME_SAMPLES]);
/* Any payload of whole samples up to 20 ms, of Opus up to 60 ms; returns samples at 16 kHz (at most
 * 320, of Opus 960), 0 when the payload is malformed. */
size_t codec_decode(codec_t *self, const uint8_t *payload, size_t bytes, int16_t *pcm);

/* ---- what only Opus can do; the others return 0 ---- */

/* Makes up samples for what was lost or not sent; their number is rounded up to 2.5 ms. */
size_t codec_conceal(codec_t *self, size_t samples, int16_t *pcm);
/* The same for what was lost right before this payload, which may hold a copy of the last of it. */
size_t codec_recover(codec_t *self, const uint8_t *payload, size_t bytes, size_t samples,
                     int16_t *pcm);
/* How much of what we send is lost, in percent: the copies are made accordingly. */
void codec_expect_loss(codec_t *self, unsigned percent);

#endif
