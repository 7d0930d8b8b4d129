/* codec.h - speech codecs of a leg: 20 ms of 16 kHz samples to an RTP payload and back.
 *
 * PCMU, PCMA (RFC 3551, resampled between 8 and 16 kHz by a band-limited resampler), G722 (RFC
 * 3551: RTP clock 8000 though it samples at 16000), L16/16000 (RFC 3551, network byte order).
 * Threads: a codec belongs to one leg. Coder and decoder state are apart.
 */
#ifndef PL_TELEPHONY_CODEC_H
#define PL_TELEPHONY_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { CODEC_FRAME_SAMPLES = 320, CODEC_MAX_PAYLOAD_BYTES = 640 };

typedef enum { CODEC_PCMU, CODEC_PCMA, CODEC_G722, CODEC_L16, CODEC_KINDS } codec_kind_t;

typedef struct {
    const char *name;     /* as in SDP: "G722" */
    size_t payload_bytes; /* of 20 ms */
    codec_kind_t kind;
    uint32_t rtp_hz;          /* clock of the RTP time stamp: 8000 for G722 */
    uint32_t ticks_per_frame; /* RTP clock ticks in 20 ms */
    uint8_t static_pt;        /* RFC 3551; 0xff: dynamic */
} codec_info_t;

const codec_info_t *codec_info(codec_kind_t kind);
const codec_info_t *codec_find(const char *sdp_name, uint32_t rtp_hz); /* NULL: unknown */

typedef struct codec codec_t;
codec_t *codec_new(codec_kind_t kind); /* never NULL */
void codec_destroy(codec_t **self_p);

/* 320 samples in; returns the payload's bytes. */
size_t codec_encode(codec_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES],
                    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES]);
/* The 160 samples at 8 kHz that were encoded last; NULL: the codec is wideband. Valid until the
 * next call. */
const int16_t *codec_narrow(const codec_t *self);
/* Any payload of whole samples up to 20 ms; returns samples at 16 kHz (at most 320), 0 when the
 * payload is malformed. */
size_t codec_decode(codec_t *self, const uint8_t *payload, size_t bytes,
                    int16_t pcm[CODEC_FRAME_SAMPLES]);

#endif
