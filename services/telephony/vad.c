#include "services/telephony/vad.h"

#include <math.h>
#include <stddef.h>

enum {
    HANGOVER = 6, /* 120 ms */
    LOUD_ENOUGH = 2,
};
static const float silence_db = -96;
static const float floor_at_start_db = -60;
static const float floor_least_db = -70; /* digital silence is no room */
static const float fall = 0.5f;          /* share of the way a frame */
static const float rise_db = 0.06f;      /* a frame: 3 dB a second */
static const float steady_spread_db = 6; /* louder and softer than this is not a steady noise */
static const float steady_rise = 0.5f;   /* share of the way a frame */
static const float release_db = 4;       /* lower threshold to go on than to begin */
static const float certain_db = 8;       /* so much above begins with one frame */
static const float high_pass = 0.96f;    /* pole: 100 Hz at 16 kHz, against hum and offset */

void vad_init(vad_t *self, double threshold)
{
    float t = (float)threshold;
    *self = (vad_t){
        .margin_db = 1 + 20 * t,
        .least_db = -60 + 20 * t,
        .floor_db = floor_at_start_db,
    };
}

static float level_db(vad_t *self, const int16_t *pcm)
{
    float sum = 0;
    float in = self->high_pass_in;
    float out = self->high_pass_out;
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        float x = pcm[i];
        out = high_pass * (out + x - in);
        in = x;
        sum += out * out;
    }
    self->high_pass_in = in;
    self->high_pass_out = out;
    float db = 10 * log10f(sum / CODEC_FRAME_SAMPLES / (32768.0f * 32768.0f) + 1e-12f);
    return db < silence_db ? silence_db : db;
}

static void follow_floor(vad_t *self, float level)
{
    self->levels[self->next] = level;
    self->next = (self->next + 1) % VAD_WINDOW;
    if (self->filled < VAD_WINDOW) self->filled++;

    float least = self->levels[0];
    float most = self->levels[0];
    for (unsigned i = 1; i < self->filled; i++) {
        if (self->levels[i] < least) least = self->levels[i];
        if (self->levels[i] > most) most = self->levels[i];
    }
    float *floor = &self->floor_db;
    if (level < *floor) {
        *floor += fall * (level - *floor);
    } else if (self->filled == VAD_WINDOW && least > *floor) {
        float step = most - least < steady_spread_db ? steady_rise * (least - *floor) : rise_db;
        *floor = *floor + step > least ? least : *floor + step;
    }
    if (*floor < floor_least_db) *floor = floor_least_db;
}

static bool decide(vad_t *self, float level, float echo_db)
{
    float begin = self->floor_db + self->margin_db;
    if (begin < self->least_db) begin = self->least_db;
    if (begin < echo_db) begin = echo_db;
    bool loud = level > (self->voice ? begin - release_db : begin);
    self->loud = loud ? self->loud + 1 : 0;
    if (self->loud >= LOUD_ENOUGH || (loud && level > begin + certain_db) ||
        (loud && self->voice)) {
        self->voice = true;
        self->hold = HANGOVER;
    } else if (self->hold > 0) {
        self->hold--;
    } else {
        self->voice = false;
    }
    return self->voice;
}

static int32_t centibel(float db)
{
    return (int32_t)lrintf(db * 10);
}

vad_result_t vad_frame(vad_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES])
{
    return vad_frame_over(self, pcm, silence_db);
}

vad_result_t vad_frame_over(vad_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES], float echo_db)
{
    float level = silence_db;
    if (pcm) {
        level = level_db(self, pcm);
        follow_floor(self, level);
    }
    bool voice = decide(self, level, echo_db);
    return (vad_result_t){voice, self->loud > 0, centibel(level), centibel(self->floor_db)};
}
