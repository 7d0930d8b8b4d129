/* tone_keys.h - keys as two tones in the audio itself, for far ends without telephone events.
 *
 * Hearing: what is decoded is listened to, and silenced while a key is down, so that neither voice
 * activity nor recognition takes it for a voice. Saying: the frames of a key of dtmf.h.
 *
 * Threads: none; pure. A call is one frame of 20 ms.
 * Source: ITU-T Q.23 and Q.24; the detector and the oscillators are SpanDSP's.
 */
#ifndef PL_TELEPHONY_TONE_KEYS_H
#define PL_TELEPHONY_TONE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "services/telephony/codec.h"
#include "services/telephony/dtmf.h"

/* ---- hearing ---- */

typedef struct tone_ear tone_ear_t;

typedef struct {
    char digit; /* 0: none was let go */
    uint32_t duration_ms;
} tone_key_t;

tone_ear_t *tone_ear_new(void); /* never NULL */
void tone_ear_destroy(tone_ear_t **self_p);

/* Returns the key that was let go in this frame. made: the frame did not arrive, what it holds was
 * made up; a key that is down stays down over a few such. pcm is silenced while a key is down. */
tone_key_t tone_ear_frame(tone_ear_t *self, int16_t pcm[CODEC_FRAME_SAMPLES], bool made);

/* ---- saying ---- */

/* Zero is one that has said nothing yet. */
typedef struct {
    uint32_t low, high; /* phases */
    bool ended;         /* the end of a key is sent three times, but sounds once */
} tone_mouth_t;

/* The frame for what dtmf_out_tick returned. */
void tone_mouth_frame(tone_mouth_t *self, const dtmf_packet_t *key,
                      int16_t pcm[CODEC_FRAME_SAMPLES]);

#endif
