/* vad.h - voice activity of one leg: frame level against an adaptive noise floor, and periodicity.
 *
 * A voice begins with something periodic (pitch.h): wind, traffic and hiss do not, however they swell.
 * What is much softer than the caller has spoken so far is somebody else, or music.
 * The floor falls at once and rises slowly, never above the least level of the last 0.8 s; when
 * that time was steady (a fan, a hum, room tone) it rises to it within a tenth of a second. The
 * hang-over bridges gaps inside a word only; when an utterance ends is decided elsewhere.
 *
 * Threads: none; pure. Units: levels are dB relative to full scale (RMS), _cb a tenth of it.
 */
#ifndef PL_TELEPHONY_VAD_H
#define PL_TELEPHONY_VAD_H

#include <stdbool.h>
#include <stdint.h>

#include "services/telephony/codec.h"
#include "services/telephony/pitch.h"

enum { VAD_WINDOW = 40 };

typedef struct {
    float margin_db; /* above the floor, to begin */
    float least_db;  /* nothing below this is voice */
    float floor_db;
    float levels[VAD_WINDOW]; /* of the last frames, a ring */
    unsigned next, filled;
    unsigned loud;        /* frames in a row above the threshold */
    unsigned since_pitch; /* loud frames since one that was periodic */
    float speech_db;      /* of the caller's vowels; silence: not known yet */
    float background_db;  /* what goes on much below them, its peaks */
    unsigned far;         /* frames in a row much below them */
    pitch_t pitch;
    unsigned hold; /* frames the hang-over still lasts */
    bool voice;
    float high_pass_in, high_pass_out;
} vad_t;

typedef struct {
    bool voice;
    bool sound; /* this frame may begin a voice, whatever comes of it */
    int32_t level_cb, floor_cb;
} vad_result_t;

/* threshold: features.vad_threshold, 0.1 (hears everything) to 1; 0.5 wants 11 dB above the floor
 * and -50 dBFS. */
void vad_init(vad_t *self, double threshold);
/* pcm NULL: nothing arrived; the floor is not touched. */
vad_result_t vad_frame(vad_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES]);
/* The same where anything up to echo_db may be our own voice come back: only more is the caller. */
vad_result_t vad_frame_over(vad_t *self, const int16_t pcm[CODEC_FRAME_SAMPLES], float echo_db);

#endif
