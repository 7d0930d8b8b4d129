#include "services/telephony/cleaner.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>
#include <speex/speex_resampler.h>

#include "services/telephony/echo_delay.h"

enum {
    FRAME_MS = 20,
    PARTS = 2, /* the filters run on 10 ms: half the delay at the same cost */
    WIDE_HZ = 16000,
    RESAMPLER_QUALITY = 3, /* as the codec's */
    TAIL_MS = 80,
    LEAD_MS = 16,   /* of the tail before the echo that was found: weaker, earlier paths */
    EARLIER_MS = 8, /* an echo found this much earlier or later than where it was is still */
    LATER_MS = 40,  /* well inside the tail */
    REACH_MS = 640, /* of what was played: the longest delay searched, and a frame */
    NOISE_DB = -20,
    FLOOR_FRAMES = 80, /* the quietest of so many is the noise: speech pauses more often */
    ECHO_DB = -40,
    ECHO_BOTH_DB = -5, /* where both speak: a voice that stays whole is worth some echo */
    GAIN_MAX_DB = 12,
    GAIN_TARGET = 6000,  /* of 32768 */
    FADE_FRAMES = 15,    /* a room's echo lasts so long after the voice */
    SEARCH_FRAMES = 175, /* of the bot's voice in which an echo would have been found */
    SETTLE_FRAMES = 100, /* the filter learns; measures begin then */
};
static const float silence_db = CLEANER_SILENCE_DB;
static const float audible_db = -50; /* of what is played: softer echoes nobody hears */
/* What is left of an echo, against what is played: assumed at first, and how fast that follows what
 * is measured, in dB a frame. Up slowly, because a caller who interrupts looks the same. */
static const float leak_first_db = -8;
static const float leak_least_db = -60;
static const float leak_most_db = -4;
static const float leak_rise = 0.45f;
static const float leak_fall = 0.2f;
static const float leak_doubt = 0.06f;
static const float mostly_db = 6;
static const float leak_margin_db = 5;
/* Below the first level the noise is let be, from the second on it is suppressed: suppression costs
 * a voice something, which a recogniser notices, and a clean line has nothing to gain by it. */
static const float quiet_db = -62;
static const float noisy_db = -54;
static const float share = 0.01f; /* weight of a frame in the echo return loss */

struct cleaner {
    size_t frame, part; /* samples */
    unsigned hz;
    SpeexEchoState *echo;
    SpeexPreprocessState *suppress;
    SpeexResamplerState *to_wide; /* NULL: the leg is wideband */
    echo_delay_t *delay;

    int16_t
        *played; /* a ring of what was played, with a frame's copy of its front behind its end */
    size_t room, end;
    size_t offset; /* samples between what is heard and the filter's first tap */
    int found_ms;  /* where the filter was laid; -1: not yet */

    bool noise, gain;
    float floor_db[FLOOR_FRAMES]; /* of the last frames, before suppression */
    size_t floor_at, floor_count;
    float way; /* of what was suppressed in the output, 0 to 1, at its end */
    int16_t whole[CODEC_FRAME_SAMPLES / PARTS]; /* the last part unsuppressed: the output is late */

    float played_db[FADE_FRAMES + 1]; /* of frames as the filter sees them: the loudest counts */
    size_t next_db;
    float leak_db;
    unsigned searched; /* frames in which the bot was audible and no echo found yet */
    unsigned learned;  /* frames with echo since the filter was laid */
    double sum_played, sum_heard, sum_left;
};

static SpeexPreprocessState *suppressor_new(const cleaner_t *self, const cleaner_opts_t *opts)
{
    SpeexPreprocessState *s = speex_preprocess_state_init((int)self->part, (int)self->hz);
    if (!s) abort();
    int on = 1;
    int off = 0;
    int noise_db = opts->noise ? NOISE_DB : 0;
    int echo_db = ECHO_DB;
    int both_db = ECHO_BOTH_DB;
    speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_DENOISE, &on);
    speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &noise_db);
    speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_DEREVERB, &off);
    if (self->echo) {
        speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_ECHO_STATE, self->echo);
        speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS, &echo_db);
        speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, &both_db);
    }
    if (opts->gain) {
        int most_db = GAIN_MAX_DB;
        int target = GAIN_TARGET;
        speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_AGC, &on);
        speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_AGC_TARGET, &target);
        speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_AGC_MAX_GAIN, &most_db);
    }
    return s;
}

static void open_echo(cleaner_t *self)
{
    int rate = (int)self->hz;
    self->echo = speex_echo_state_init((int)self->part, (int)(self->hz * TAIL_MS / 1000));
    if (!self->echo) abort();
    speex_echo_ctl(self->echo, SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
    self->delay = echo_delay_new(self->hz);
    self->room = self->hz * REACH_MS / 1000;
    self->played = calloc(self->room + self->frame, sizeof *self->played);
    if (!self->played) abort();
    self->offset = self->frame; /* what is played now cannot be heard before the next tick */
    self->found_ms = -1;
    self->leak_db = leak_first_db;
    for (size_t i = 0; i <= FADE_FRAMES; i++) self->played_db[i] = silence_db;
}

cleaner_t *cleaner_new(unsigned hz, const cleaner_opts_t *opts)
{
    assert(hz == 8000 || hz == 16000);
    if (!opts->echo && !opts->noise && !opts->gain) return NULL;
    cleaner_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->hz = hz;
    self->frame = hz * FRAME_MS / 1000;
    self->part = self->frame / PARTS;
    if (hz != WIDE_HZ) {
        self->to_wide = speex_resampler_init(1, hz, WIDE_HZ, RESAMPLER_QUALITY, NULL);
        if (!self->to_wide) abort();
    }
    if (opts->echo) open_echo(self);
    self->noise = opts->noise;
    self->gain = opts->gain;
    self->way = opts->noise || opts->gain ? 1 : 0;
    self->suppress = suppressor_new(self, opts);
    return self;
}

void cleaner_destroy(cleaner_t **self_p)
{
    cleaner_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    speex_preprocess_state_destroy(self->suppress);
    if (self->echo) speex_echo_state_destroy(self->echo);
    if (self->to_wide) speex_resampler_destroy(self->to_wide);
    echo_delay_destroy(&self->delay);
    free(self->played);
    free(self);
}

static float level_db(const int16_t *pcm, size_t samples)
{
    float sum = 0;
    for (size_t i = 0; i < samples; i++) sum += (float)pcm[i] * (float)pcm[i];
    float db = 10 * log10f(sum / (float)samples / (32768.0f * 32768.0f) + 1e-12f);
    return db < silence_db ? silence_db : db;
}

/* Lays the filter where the echo was found. It learns anew. */
static void follow_delay(cleaner_t *self)
{
    int ms = echo_delay_ms(self->delay);
    bool inside =
        self->found_ms >= 0 && ms >= self->found_ms - EARLIER_MS && ms <= self->found_ms + LATER_MS;
    if (ms < 0 || inside) return;
    int begin_ms = ms - LEAD_MS < FRAME_MS ? FRAME_MS : ms - LEAD_MS;
    size_t offset = (size_t)begin_ms * self->hz / 1000;
    bool moved = self->found_ms >= 0 || offset != self->offset;
    self->found_ms = ms;
    if (!moved) return;
    self->offset = offset;
    speex_echo_state_reset(self->echo);
    self->learned = 0;
    self->leak_db = leak_first_db;
}

/* The frame that was played when what is heard now, without its echo's delay, was. */
static const int16_t *reference(const cleaner_t *self)
{
    return self->played + (self->end + self->room - self->offset) % self->room;
}

static float loudest_played(cleaner_t *self, const int16_t *pcm)
{
    self->played_db[self->next_db] = level_db(pcm, self->frame);
    self->next_db = (self->next_db + 1) % (FADE_FRAMES + 1);
    float most = silence_db;
    for (size_t i = 0; i <= FADE_FRAMES; i++) {
        if (self->played_db[i] > most) most = self->played_db[i];
    }
    return most;
}

static double power(float db)
{
    return pow(10, (double)db / 10);
}

/* Looked for long enough and not found. */
static bool no_echo(const cleaner_t *self)
{
    return self->found_ms < 0 && self->searched == SEARCH_FRAMES;
}

/* What is left against what is played tells how much of the bot's voice gets through. It is learned
 * from frames that are mostly echo, those in which the filter took much away; and slowly from all,
 * because a filter that fits no more takes nothing away. */
static void learn(cleaner_t *self, float played_db, float heard_db, float left_db)
{
    bool mostly_echo = heard_db - left_db > mostly_db;
    bool more = left_db - played_db > self->leak_db;
    if (mostly_echo)
        self->leak_db += more ? leak_rise : -leak_fall;
    else if (more)
        self->leak_db += leak_doubt;
    else if (no_echo(self))
        self->leak_db -= leak_fall;
    if (self->leak_db < leak_least_db) self->leak_db = leak_least_db;
    if (self->leak_db > leak_most_db) self->leak_db = leak_most_db;
    if (self->learned < SETTLE_FRAMES) {
        self->learned++;
        return;
    }
    if (!mostly_echo) return;
    self->sum_played += (power(played_db) - self->sum_played) * (double)share;
    self->sum_heard += (power(heard_db) - self->sum_heard) * (double)share;
    self->sum_left += (power(left_db) - self->sum_left) * (double)share;
}

/* How much of the suppressed signal the caller's noise asks for, 0 to 1. */
static float wanted(cleaner_t *self, float heard_db)
{
    if (self->gain) return 1; /* all of it is brought to one loudness */
    if (!self->noise) return 0;
    self->floor_db[self->floor_at] = heard_db;
    self->floor_at = (self->floor_at + 1) % FLOOR_FRAMES;
    if (self->floor_count < FLOOR_FRAMES) self->floor_count++;
    float least = 0;
    for (size_t i = 0; i < self->floor_count; i++) {
        if (self->floor_db[i] < least) least = self->floor_db[i];
    }
    float way = (least - quiet_db) / (noisy_db - quiet_db);
    return way < 0 ? 0 : way > 1 ? 1 : way;
}

/* Suppresses in a part of a frame, as far as the way to go, which is reached at its end. */
static void suppress(cleaner_t *self, int16_t *pcm, float way)
{
    int16_t whole[CODEC_FRAME_SAMPLES / PARTS];
    memcpy(whole, pcm, self->part * sizeof *pcm);
    (void)speex_preprocess_run(self->suppress, pcm);
    for (size_t i = 0; i < self->part && (way < 1 || self->way < 1); i++) {
        float here = self->way + (way - self->way) * (float)i / (float)self->part;
        pcm[i] = (int16_t)lrintf(here * (float)pcm[i] + (1 - here) * (float)self->whole[i]);
    }
    memcpy(self->whole, whole, self->part * sizeof *pcm);
    self->way = way;
}

/* Without an echo the filter rests. What it knows of the past is quiet then, as the past is. */
static void cancel(cleaner_t *self, int16_t *pcm, const int16_t *played, bool audible)
{
    int16_t left[CODEC_FRAME_SAMPLES];
    for (size_t at = 0; audible && at < self->frame; at += self->part) {
        speex_echo_cancellation(self->echo, pcm + at, played + at, left + at);
    }
    if (audible) memcpy(pcm, left, self->frame * sizeof *pcm);
    speex_preprocess_ctl(self->suppress, SPEEX_PREPROCESS_SET_ECHO_STATE,
                         audible ? self->echo : NULL);
    float way = wanted(self, level_db(pcm, self->frame));
    if (audible) way = 1; /* what is left of an echo always goes */
    for (size_t at = 0; at < self->frame; at += self->part) suppress(self, pcm + at, way);
}

static float clean_echo(cleaner_t *self, int16_t *pcm)
{
    echo_delay_heard(self->delay, pcm);
    follow_delay(self);
    const int16_t *played = reference(self);
    float now_db = level_db(played, self->frame);
    float most_db = loudest_played(self, played);
    float heard_db = level_db(pcm, self->frame);
    bool audible = most_db >= audible_db;
    if (audible && self->found_ms < 0 && self->searched < SEARCH_FRAMES) self->searched++;
    cancel(self, pcm, played, audible && !no_echo(self));
    if (most_db < audible_db) return silence_db;
    if (now_db > most_db - 10) learn(self, now_db, heard_db, level_db(pcm, self->frame));
    return most_db + self->leak_db + leak_margin_db;
}

static float clean(cleaner_t *self, int16_t *pcm)
{
    if (self->echo) return clean_echo(self, pcm);
    float way = wanted(self, level_db(pcm, self->frame));
    for (size_t at = 0; at < self->frame; at += self->part) suppress(self, pcm + at, way);
    return silence_db;
}

float cleaner_heard(cleaner_t *self, int16_t pcm[CODEC_FRAME_SAMPLES], bool missing)
{
    if (missing) {
        if (self->echo) echo_delay_heard(self->delay, NULL);
        return silence_db;
    }
    if (!self->to_wide) return clean(self, pcm);
    int16_t narrow[CODEC_FRAME_SAMPLES / 2];
    for (size_t i = 0; i < self->frame; i++) narrow[i] = pcm[2 * i];
    float echo_db = clean(self, narrow);
    spx_uint32_t in = (spx_uint32_t)self->frame;
    spx_uint32_t out = CODEC_FRAME_SAMPLES;
    speex_resampler_process_int(self->to_wide, 0, narrow, &in, pcm, &out);
    assert(in == self->frame && out == CODEC_FRAME_SAMPLES);
    return echo_db;
}

static void put(cleaner_t *self, const int16_t *pcm)
{
    for (size_t i = 0; i < self->frame; i++) {
        int16_t s = pcm ? pcm[i] : 0;
        self->played[self->end] = s;
        if (self->end < self->frame) self->played[self->room + self->end] = s;
        self->end = (self->end + 1) % self->room;
    }
}

void cleaner_played(cleaner_t *self, const int16_t *pcm)
{
    if (!self->echo) return;
    echo_delay_played(self->delay, pcm);
    put(self, pcm);
}

void cleaner_skip(cleaner_t *self, uint32_t ticks)
{
    if (!self->echo) return;
    uint32_t most = REACH_MS / FRAME_MS; /* after that nothing that was played can be heard */
    for (uint32_t i = 0; i < (ticks < most ? ticks : most); i++) cleaner_played(self, NULL);
}

static float ratio_db(double over, double under)
{
    return over > 0 && under > 0 ? (float)(10 * log10(over / under)) : 0;
}

void cleaner_stats(const cleaner_t *self, cleaner_stats_t *out)
{
    *out = (cleaner_stats_t){0};
    if (!self->echo || self->found_ms < 0 || self->sum_heard <= 0) return;
    out->heard_echo = true;
    out->delay_ms = (uint32_t)self->found_ms;
    out->return_db = ratio_db(self->sum_played, self->sum_heard);
    out->enhance_db = ratio_db(self->sum_heard, self->sum_left);
}
