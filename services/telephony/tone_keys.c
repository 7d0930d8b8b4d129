#include "services/telephony/tone_keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp/telephony.h>
#include <spandsp/fast_convert.h>
#include <spandsp/logging.h>
#include <spandsp/complex.h>
#include <spandsp/dds.h>
#include <spandsp/tone_detect.h>
#include <spandsp/tone_generate.h>
#include <spandsp/super_tone_rx.h>
#include <spandsp/dtmf.h>
#include <speex/speex_resampler.h>

enum {
    WIDE_HZ = 16000,
    NARROW_HZ = 8000,
    NARROW_SAMPLES = CODEC_FRAME_SAMPLES / 2,
    RESAMPLER_QUALITY = 3,
    TICK_MS = 20,
    MADE_TICKS = 5, /* a key does not outlast more than these without audio */
    KEYS = 16,
};

struct tone_ear {
    dtmf_rx_state_t *detector; /* of 8 kHz */
    SpeexResamplerState *to_narrow;
    char down;         /* 0: no key is */
    uint32_t down_ms;  /* of frames since */
    uint32_t made;     /* frames in a row */
    tone_key_t let_go; /* in this frame */
};

/* ---- hearing ---- */

static void on_change(void *arg, int code, int level, int delay)
{
    (void)level;
    (void)delay;
    tone_ear_t *self = arg;
    if (self->down) self->let_go = (tone_key_t){self->down, self->down_ms};
    self->down = (char)code;
    self->down_ms = 0;
}

tone_ear_t *tone_ear_new(void)
{
    tone_ear_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    int err = 0;
    self->to_narrow = speex_resampler_init(1, WIDE_HZ, NARROW_HZ, RESAMPLER_QUALITY, &err);
    self->detector = dtmf_rx_init(NULL, NULL, NULL);
    if (!self->to_narrow || !self->detector) abort();
    dtmf_rx_set_realtime_callback(self->detector, on_change, self);
    return self;
}

void tone_ear_destroy(tone_ear_t **self_p)
{
    tone_ear_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    speex_resampler_destroy(self->to_narrow);
    (void)dtmf_rx_free(self->detector);
    free(self);
}

tone_key_t tone_ear_frame(tone_ear_t *self, int16_t pcm[CODEC_FRAME_SAMPLES], bool made)
{
    self->let_go = (tone_key_t){0, 0};
    self->made = made ? self->made + 1 : 0;
    if (made && self->made <= MADE_TICKS) {
        (void)dtmf_rx_fillin(self->detector, NARROW_SAMPLES);
    } else {
        int16_t narrow[NARROW_SAMPLES] = {0};
        spx_uint32_t in = CODEC_FRAME_SAMPLES;
        spx_uint32_t out = NARROW_SAMPLES;
        if (!made) speex_resampler_process_int(self->to_narrow, 0, pcm, &in, narrow, &out);
        (void)dtmf_rx(self->detector, narrow, NARROW_SAMPLES);
    }
    if (self->down) {
        self->down_ms += TICK_MS;
        memset(pcm, 0, CODEC_FRAME_SAMPLES * sizeof *pcm);
    }
    return self->let_go;
}

/* ---- saying ---- */

/* The oscillators are of 8 kHz: at 16 kHz a tone of half the frequency sounds right. */
static int32_t rate_of(float hz)
{
    return dds_phase_ratef(hz * NARROW_HZ / WIDE_HZ);
}

void tone_mouth_frame(tone_mouth_t *self, const dtmf_packet_t *key,
                      int16_t pcm[CODEC_FRAME_SAMPLES])
{
    static const float rows[] = {697, 770, 852, 941};
    static const float columns[] = {1209, 1336, 1477, 1633};
    static const char pad[] = "123A456B789C*0#D";      /* row by row */
    static const float low_dbm0 = -10, high_dbm0 = -8; /* the higher one fares worse on lines */
    const char *at = strchr(pad, rtp_event_digit(key->event.event));
    assert(at && *at && at - pad < KEYS);
    if (key->marker) *self = (tone_mouth_t){0};
    memset(pcm, 0, CODEC_FRAME_SAMPLES * sizeof *pcm);
    if (self->ended) return;
    int32_t low = rate_of(rows[(at - pad) / 4]);
    int32_t high = rate_of(columns[(at - pad) % 4]);
    float low_scale = dds_scaling_dbm0f(low_dbm0);
    float high_scale = dds_scaling_dbm0f(high_dbm0);
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        float sum = dds_modf(&self->low, low, low_scale, 0);
        sum += dds_modf(&self->high, high, high_scale, 0);
        pcm[i] = (int16_t)sum;
    }
    self->ended = key->event.end;
}
