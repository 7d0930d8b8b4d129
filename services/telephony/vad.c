#include "services/telephony/vad.h"

#include <math.h>
#include <stddef.h>

enum {
    HANGOVER = 6, /* 120 ms */
    LOUD_ENOUGH = 2,
    PITCH_BEGIN = 3, /* loud frames: with none periodic among them no voice begins */
    PITCH_KEEP = 20, /* the same: none goes on */
    FAR = 50,        /* frames in a row below the caller are the background, not a soft end */
    UNHEARD = 1000,  /* more frames than any of these */
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
static const float periodic = 0.62f; /* strength of a vowel; noise is below in 99 of 100 frames */
static const float below_db = 10;    /* so much below the caller's vowels it may be background */
static const float background_release_db = 2;
static const float background_margin_db = 3;
static const float background_rise = 0.2f;  /* share of the way a frame */
static const float background_fall = 0.01f; /* dB a frame */
static const float louder = 0.15f;          /* share of the way a frame, towards louder vowels */
static const float softer = 0.002f;         /* and softer ones: somebody else may be speaking */
static const float forget_db = 0.004f;      /* a frame without voice: 0.2 dB a second */
static const float quiet_line_db = -55;     /* below it any sound may be the caller's */
static const float high_pass = 0.96f;       /* pole: 100 Hz at 16 kHz, against hum and offset */

void vad_init(vad_t *self, double threshold)
{
    float t = (float)threshold;
    *self = (vad_t){
        .margin_db = 1 + 20 * t,
        .least_db = -60 + 20 * t,
        .floor_db = floor_at_start_db,
        .since_pitch = UNHEARD,
        .speech_db = silence_db,
        .background_db = silence_db,
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

static float most_of(float a, float b)
{
    return a > b ? a : b;
}

/* How loud the caller speaks, by their vowels. */
static void follow_speech(vad_t *self, float level, bool vowel)
{
    if (!self->voice) {
        if (self->speech_db > silence_db) self->speech_db -= forget_db;
    } else if (vowel) {
        float off = level - self->speech_db;
        if (self->speech_db <= silence_db)
            self->speech_db = level;
        else
            self->speech_db += off * (off > 0 ? louder : softer);
    }
}

/* What goes on when the caller does not speak: music, other people. */
static void follow_background(vad_t *self, float level)
{
    bool far = self->speech_db > silence_db && level < self->speech_db - below_db;
    self->far = far ? self->far + 1 : 0;
    self->background_db -= background_fall;
    if (self->far >= FAR && level > self->background_db)
        self->background_db += background_rise * (level - self->background_db);
    if (self->background_db < silence_db) self->background_db = silence_db;
}

static bool decide(vad_t *self, float level, float strength, float echo_db)
{
    float begin = most_of(most_of(self->floor_db + self->margin_db, self->least_db), echo_db);
    float release = release_db;
    follow_background(self, level);
    float background = self->background_db + background_margin_db;
    if (background > self->speech_db - below_db) background = self->speech_db - below_db;
    if (background > begin) {
        begin = background;
        release = background_release_db;
    }
    bool loud = level > (self->voice ? begin - release : begin);
    bool vowel = loud && strength >= periodic;
    self->loud = loud ? self->loud + 1 : 0;
    if (vowel)
        self->since_pitch = 0;
    else if (self->since_pitch < UNHEARD)
        self->since_pitch += loud ? 1 : PITCH_BEGIN;
    bool begins = (self->loud >= LOUD_ENOUGH || (loud && level > begin + certain_db)) &&
                  self->since_pitch <= PITCH_BEGIN;
    if (begins || (loud && self->voice && self->since_pitch <= PITCH_KEEP)) {
        self->voice = true;
        self->hold = HANGOVER;
    } else if (self->hold > 0) {
        self->hold--;
    } else {
        self->voice = false;
    }
    follow_speech(self, level, vowel);
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
    float strength = 0;
    if (pcm) {
        level = level_db(self, pcm);
        follow_floor(self, level);
        strength = pitch_frame(&self->pitch, pcm, level > self->least_db - release_db);
    }
    bool voice = decide(self, level, strength, echo_db);
    bool sound =
        self->loud > 0 && (self->floor_db < quiet_line_db || self->since_pitch <= PITCH_BEGIN);
    return (vad_result_t){voice, sound, centibel(level), centibel(self->floor_db)};
}
